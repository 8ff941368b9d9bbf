"""The round-trip law: by hand, and in planted worlds where it must help, or can't."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ortho_group

torch = pytest.importorskip("torch")

from presheaf.errors import InputError, ModelError  # noqa: E402
from presheaf.pretext.data import make_data  # noqa: E402
from presheaf.pretext.dual import RIDGE, DualPlan, round_trip_defect, share_home, train_dual  # noqa: E402
from presheaf.pretext.dual_study import dual_study  # noqa: E402
from presheaf.pretext.pair_retrieval import find_partners, unit_rows  # noqa: E402

Floats = NDArray[np.float64]


def turned_world(objects: int = 260, dim: int = 12, seed: int = 0) -> tuple[Floats, Floats]:
    """Left objects, more spread along some directions than along others, and their images under an orthogonal map."""
    left = np.random.default_rng(seed).standard_normal((objects, dim)) * np.linspace(1.5, 0.5, dim)
    return left, left @ ortho_group.rvs(dim, random_state=seed)


def test_a_round_trip_by_hand() -> None:
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    points = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 2.0]])
    home = round_trip_defect(lambda x: x @ turn, lambda y: y @ turn.T, points)
    assert home.value == pytest.approx(0, abs=1e-7)
    away = round_trip_defect(lambda x: x @ turn, lambda y: y, points)
    assert away.value == pytest.approx(np.pi / 2)
    # A projection on the first axis, and back: (cos a, sin a) comes home as (1, 0), an angle a away.
    flat = round_trip_defect(lambda x: x[:, :1], lambda y: np.hstack([y, 0 * y]), points[:2])
    assert flat.value == pytest.approx(np.arccos(0.6) / 2)
    assert flat.low <= flat.value <= flat.high
    everyone = share_home(lambda x: x @ turn, lambda y: y @ turn.T, points, points @ turn)
    assert everyone.value == 1
    # All of them go through the one object there is.
    assert share_home(lambda x: x @ turn, lambda y: y @ turn.T, points, points[:1] @ turn).value == pytest.approx(1 / 3)


@pytest.mark.parametrize("law", ["none", "vectors", "objects"])
def test_the_loss_is_that_of_plain_loops(law: str) -> None:
    rng = np.random.default_rng(1)
    x, y, u, v = (unit_rows(rng.standard_normal(shape)) for shape in ((3, 4), (3, 2), (2, 4), (4, 2)))
    # After one step the loss is that of the start: ridge regression both ways.
    found = train_dual(x, y, u, v, DualPlan(law, 0.7, 0.4, steps=1)).loss  # type: ignore[arg-type]
    f = np.linalg.solve(x.T @ x + RIDGE * np.eye(4), x.T @ y)
    g = np.linalg.solve(y.T @ y + RIDGE * np.eye(2), y.T @ x)
    expected = np.mean(np.sum((x @ f - y) ** 2, axis=1)) + np.mean(np.sum((y @ g - x) ** 2, axis=1))
    if law == "vectors":
        expected += 0.7 * np.mean(np.sum((u @ f @ g - u) ** 2, axis=1))
        expected += 0.7 * np.mean(np.sum((v @ g @ f - v) ** 2, axis=1))
    if law == "objects":
        expected += 0.7 * (coming_home(u, [*y, *v], f, g, 0.4) + coming_home(v, [*x, *u], g, f, 0.4))
    assert found == pytest.approx(expected, abs=1e-5)


def coming_home(objects: Floats, through: list[Floats], f: Floats, g: Floats, tau: float) -> float:
    def weights(point: Floats, targets: list[Floats]) -> Floats:
        raw = np.array([np.exp(point @ target / np.linalg.norm(point) / tau) for target in targets])
        return np.asarray(raw / raw.sum())

    back = [weights(b @ g, list(objects)) for b in through]
    total = 0.0
    for i, one in enumerate(objects):
        there = weights(one @ f, through)
        total -= np.log(sum(there[b] * back[b][i] for b in range(len(through)))) / len(objects)
    return total


def test_through_objects_few_pairs_are_enough_where_a_turn_relates_the_sides() -> None:
    left, right = turned_world()
    rng = np.random.default_rng(0)
    paired, free, scored = np.split(rng.permutation(260), [4, 180])
    ends = left[free], right[rng.permutation(free)]
    recall = {}
    for law in ("none", "vectors", "objects"):
        maps = train_dual(left[paired], right[paired], *ends, DualPlan(law, steps=200))  # type: ignore[arg-type]
        recall[law] = find_partners(law, maps.forward(left[scored]), right[scored]).recall[0][1]
    assert recall["objects"].low > 0.8
    # As vectors the law holds for every invertible map, so it can't tell which one is meant.
    assert max(recall["none"].high, recall["vectors"].high) < 0.6
    scrambled = tuple(rng.permuted(end, axis=0) for end in ends)
    null = train_dual(left[paired], right[paired], *scrambled, DualPlan(steps=200))
    assert find_partners("null", null.forward(left[scored]), right[scored]).recall[0][1].high < 0.6


def test_as_vectors_the_law_holds_for_wrong_pairs_too() -> None:
    left, right = turned_world(200, 6)
    paired, free, scored = np.split(np.arange(200), [60, 140])
    maps = train_dual(
        left[paired], right[np.roll(paired, 30)], left[free], right[free], DualPlan("vectors", 30.0, steps=400)
    )
    assert round_trip_defect(maps.forward, maps.backward, left[scored]).high < 0.1
    assert find_partners("wrong", maps.forward(left[scored]), right[scored]).recall[0][1].value < 0.15


def test_nothing_comes_home_through_fewer_objects_than_there_are() -> None:
    # F merges: the right side has four objects. By counting, at most four left objects can come home, whatever the maps.
    left, _ = turned_world(260, 6)
    right = np.eye(4)[left[:, :4].argmax(axis=1)]
    paired, free, scored = np.split(np.random.default_rng(1).permutation(260), [8, 180])
    for law in ("none", "objects"):
        maps = train_dual(left[paired], right[paired], left[free], right[free], DualPlan(law, steps=60))  # type: ignore[arg-type]
        assert share_home(maps.forward, maps.backward, left[scored], right[scored]).value <= 4 / 80
        back = find_partners(law, maps.backward(right[scored]), left[scored])
        assert np.sum(back.ranks == 1) <= 4


def test_training_is_a_function_of_its_arguments() -> None:
    left, right = turned_world(60, 4)
    a, b = (train_dual(left[:5], right[:5], left[5:], right[5:], DualPlan(steps=10)) for _ in range(2))
    np.testing.assert_array_equal(a.there, b.there)
    np.testing.assert_array_equal(a.back, b.back)


def test_the_study_chooses_apart_from_what_it_scores_and_shows_the_gain() -> None:
    left, right = (side.astype(np.float32) for side in turned_world(300, 8))
    data = make_data("turned", "pair", (left[:180], right[:180]), (left[180:], right[180:]))
    found = dual_study(data, (3,), (0, 1), free=100, weights=(0.03, 0.3), plan=DualPlan(steps=60))
    assert {run.arm for run in found.runs} == {
        "none",
        "vectors",
        "objects",
        "objects, scrambled",
        "objects, shuffled pairs",
    }
    assert all(run.there.candidates == 60 for run in found.runs)
    assert all(run.weight in (0.03, 0.3) for run in found.runs if run.arm != "none")
    gain = found.gain(3, "objects")
    assert gain.value > 0.3
    by_seed = [
        run.recall - plain.recall for run, plain in zip(found.of(3, "objects"), found.of(3, "none"), strict=True)
    ]
    assert gain.value == pytest.approx(np.mean(by_seed))
    assert min(by_seed) > 0
    assert found.gain(3, "objects", "objects, scrambled").value > 0.3
    assert np.mean([run.recall for run in found.of(3, "objects, shuffled pairs")]) < 0.1
    # Sides that are turned against each other do not agree before a map is learnt.
    assert found.identity is not None
    assert found.identity.recall[0][1].value < 0.1
    assert found.gain(3, "none").value == 0
    with pytest.raises(InputError, match="no runs"):
        found.gain(4, "objects")


def test_what_cannot_be_trained_is_refused_with_words() -> None:
    x = np.eye(3)
    with pytest.raises(InputError, match="as many left as right"):
        train_dual(x, x[:2], x, x)
    with pytest.raises(InputError, match="needs free objects"):
        train_dual(x, x, x[:0], x[:0])
    with pytest.raises(InputError, match="need the pairs' features"):
        train_dual(x, x, x[:, :2], x)
    with pytest.raises(InputError, match="finite"):
        train_dual(x, x * np.nan, x, x)
    with pytest.raises(InputError, match="'law' must be one of"):
        DualPlan("both")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="'rate'"):
        DualPlan(rate=0.0)
    with pytest.raises(ModelError, match="lower 'rate'"):
        train_dual(x, x, x, x, DualPlan("vectors", 1.0, steps=50, rate=1e30))


def test_names_of_emoji_in_two_languages() -> None:
    pytest.importorskip("emoji")
    from presheaf.pretext.dual_names import emoji_names

    data = emoji_names("en", "es")
    english, spanish = ((*data.train[side], *data.test[side]) for side in (0, 1))
    assert len(set(english)) == len(set(spanish)) == len(english) > 1000
    assert dict(zip(english, spanish, strict=True))["dog face"] == "cara de perro"
    assert not set(data.train[0]) & set(data.test[0])
    assert 0.25 < len(data.test[0]) / len(english) < 0.35
    with pytest.raises(InputError, match="'right' must be one of"):
        emoji_names("en", "en")
