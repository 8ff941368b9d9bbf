"""Theorem 3 on planted worlds: an orthogonal map carries unseen objects, unrelated sides carry none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group, rankdata, spearmanr

torch = pytest.importorskip("torch")

from presheaf.errors import InputError  # noqa: E402
from presheaf.pretext.base import Data  # noqa: E402
from presheaf.pretext.carried import carried_to_unseen, mean_correlation, rank_correlation, transfer_from_anchors  # noqa: E402
from presheaf.pretext.data import make_data  # noqa: E402
from presheaf.pretext.pair_retrieval import (  # noqa: E402
    find_partners,
    new_combinations,
    ridge_retrieval,
    two_sided_retrieval,
)
from presheaf.pretext.plan import Plan  # noqa: E402
from presheaf.pretext.two_sided import TwoSided  # noqa: E402

QUICK = Plan(60, 64, 0.02, checkpoint_every=60)


def world(related: bool, pairs: int = 120, held_out: int = 50, dim: int = 8) -> Data:
    rng = np.random.default_rng(0)
    left = rng.standard_normal((pairs + held_out, dim)).astype(np.float32)
    right = left @ ortho_group.rvs(dim, random_state=0) if related else rng.standard_normal(left.shape)
    right = right.astype(np.float32)
    return make_data("world", "pair", (left[:pairs], right[:pairs]), (left[pairs:], right[pairs:]))


def test_an_orthogonal_map_is_carried_to_unseen_objects_and_better_from_more_pairs() -> None:
    found = carried_to_unseen(world(True), (8, 24, 120), (0, 1), TwoSided(dim=8), QUICK)
    assert [(run.pairs, run.seed) for run in found.runs][:3] == [(8, 0), (8, 1), (24, 0)]
    for run in found.runs[-2:]:
        assert run.model.recall[0][1].low > 0.6
        assert run.lead("shuffled").low > 0.5
        assert run.shuffled.recall[0][1].value <= 0.1
        # The map is linear and exact, so ridge regression finds it.
        assert run.ridge.recall[0][1].value == 1
        assert run.lost < 0.5
    assert all(run.lost > 0.5 for run in found.runs[:2])
    assert found.in_proportion.value < -0.9


def test_unrelated_sides_carry_nothing_over() -> None:
    (run,) = carried_to_unseen(world(False), (120,), (0,), TwoSided(dim=8), QUICK).runs
    for retrieval in (run.model, run.ridge, run.shuffled):
        assert retrieval.recall[0][1].low < 1 / 50 < retrieval.recall[0][1].high
    assert run.lost == pytest.approx(1, abs=0.1)
    assert run.lead().low < 0 < run.lead().high


def test_anchors_alone_carry_an_isometry() -> None:
    data = world(True)

    class Sides:
        """Both sides as they are: the angles of partners agree exactly."""

        def of(self, side: str, objects: np.ndarray) -> np.ndarray:
            return objects

    found = transfer_from_anchors(Sides(), data, np.arange(40), draws=19)
    assert found.distortion.keeps_homs(1e-3)
    assert found.found.recall[0][1].value == 1
    assert found.shuffled.p == pytest.approx(0.05)
    assert found.shuffled.recall < 0.2


@given(seed=st.integers(0, 10**6), extra=st.integers(0, 4))
@settings(max_examples=30, deadline=None)
def test_ranks_are_those_of_plain_loops(seed: int, extra: int) -> None:
    rng = np.random.default_rng(seed)
    queries, candidates = rng.standard_normal((6, 3)), rng.standard_normal((6 + extra, 3))
    candidates[1] = 2 * candidates[0]  # one direction: the answer is asked for up to what the cosine tells apart
    found = find_partners("plain", queries, candidates).ranks
    for i in range(6):
        score = [q @ queries[i] / np.linalg.norm(q) for q in candidates]
        others = [j for j in range(6 + extra) if j != i and {i, j} != {0, 1}]
        assert found[i] == 1 + sum(score[j] >= score[i] for j in others)


def test_names_of_everything_can_be_candidates() -> None:
    data, task = world(True), TwoSided(dim=8)
    torch.manual_seed(0)
    network = task.network(data)
    narrow, wide = two_sided_retrieval(network, data, "right"), two_sided_retrieval(network, data, "right", among=data)
    assert (narrow.candidates, wide.candidates) == (50, 170)
    assert (wide.ranks >= narrow.ranks).all()


def test_a_correlation_is_spearmans_within_groups() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 12))
    groups = np.repeat([0, 1, 2], 4)
    each = [spearmanr(x[groups == g], y[groups == g]).statistic for g in range(3)]
    found = rank_correlation(x, y, groups)
    assert found.value == pytest.approx(np.mean(each))
    # Student's t with 2 degrees of freedom at 97.5 % is 4.303.
    half = 4.303 * np.std(each, ddof=1) / np.sqrt(3)
    assert found.high == pytest.approx(min(1, np.mean(each) + half), abs=1e-3)
    nothing = rank_correlation(np.ones(4), np.arange(4.0), np.zeros(4, dtype=int))
    assert np.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (-1, 1)
    # Three groups that agree fully: the interval doesn't shrink to a point.
    same = rank_correlation(np.tile(np.arange(4.0), 3), np.tile(np.arange(4.0), 3), groups)
    assert same.value == pytest.approx(1)
    assert same.low < 0.5


def test_a_correlation_over_objects_is_spearmans_with_each_object_left_out_in_turn() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 3, 15))
    y[2] = 7  # doesn't vary: left out
    found = mean_correlation(x, y)
    assert found.value == pytest.approx(np.mean([spearmanr(x[i], y[i]).statistic for i in range(2)]))
    a, b = rankdata(x[:2], axis=1), rankdata(y[:2], axis=1)
    each = [np.mean([np.corrcoef(np.delete(a[i], j), np.delete(b[i], j))[0, 1] for i in range(2)]) for j in range(15)]
    # Student's t with 14 degrees of freedom at 97.5 % is 2.145.
    half = 2.145 * np.sqrt(14 * np.var(each))
    assert found.high - found.value == pytest.approx(half, rel=1e-3)
    nothing = mean_correlation(x, np.ones_like(y))
    assert np.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (-1, 1)


def test_objects_whose_own_distances_change_are_the_ones_not_found() -> None:
    data = world(True, held_out=100)
    moved = np.arange(100) % 2 == 0
    noise = np.random.default_rng(2).standard_normal(data.test[1].shape).astype(np.float32)
    disturbed = data.test[1] + 1.5 * noise * moved[:, None]
    planted = make_data("planted", "pair", data.train, (data.test[0], disturbed))
    found = carried_to_unseen(planted, (120,), (0, 1), TwoSided(dim=8), QUICK)
    assert found.by_object.high < 0
    for run in found.runs:
        assert run.changes.shape == (100,)
        assert run.changes[moved].mean() > run.changes[~moved].mean()
    none = carried_to_unseen(world(False, held_out=100), (120,), (0,), TwoSided(dim=8), QUICK).by_object
    assert none.low < 0 < none.high


def test_new_combinations_are_unseen_names_of_seen_words() -> None:
    seen = ["red heart", "blue car", "Fire"]
    unseen = ["blue heart", "green heart", "fire", "car", "Red fire", "Red Heart", "car car"]
    assert new_combinations(seen, unseen).tolist() == [True, False, False, False, True, False, False]


def test_what_cannot_be_measured_is_refused() -> None:
    data = world(True)
    with pytest.raises(InputError, match=r"sizes must lie in 4\.\.120"):
        carried_to_unseen(data, (121,))
    with pytest.raises(InputError, match="candidate for each"):
        find_partners("few", np.ones((3, 2)), np.ones((2, 2)))
    texts = make_data("texts", "pair", (("a", "b"), ("c", "d")), (("e",), ("f",)))
    with pytest.raises(InputError, match="features on both sides"):
        ridge_retrieval(texts)


@pytest.mark.parametrize("noise", [0.0, 1e-8])
def test_a_network_that_puts_all_objects_at_one_point_finds_no_partner(noise: float) -> None:
    """All candidates are equal to it and none of them is the same object: the partner is the last of ten."""
    rng = np.random.default_rng(0)
    sides = rng.standard_normal((2, 14, 3)).astype(np.float32)
    data = make_data("points", "pair", tuple(sides[:, :4]), tuple(sides[:, 4:]))

    class Collapsed:
        def of(self, side: str, objects: np.ndarray) -> np.ndarray:
            return (np.ones((len(objects), 2)) + noise * rng.standard_normal((len(objects), 2))).astype(np.float32)

        def parameters(self) -> list[object]:
            return []

    for asked in ("left", "right"):
        found = two_sided_retrieval(Collapsed(), data, asked)
        assert found.ranks.mean() > 3
        assert found.recall[0][1].value <= 0.4
    assert two_sided_retrieval(Collapsed(), data, "left", among=data).ranks.mean() > 3


def test_candidates_that_are_one_object_are_all_right_answers() -> None:
    rows = np.eye(3)[[0, 1, 1]]
    queries = np.eye(3)[[0, 1, 1]]
    assert find_partners("plain", queries, rows).ranks.tolist() == [1, 1, 1]
    assert find_partners("keyed", queries, rows, same=["a", "b", "c"]).ranks.tolist() == [1, 2, 2]
    assert find_partners("keyed", queries, rows, same=["a", "b", "b"]).ranks.tolist() == [1, 1, 1]
    with pytest.raises(InputError, match="'same'"):
        find_partners("keyed", queries, rows, same=["a"])
