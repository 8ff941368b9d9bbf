"""Two sides: the loss by plain loops, its Laplacian identity, the bipartite hom, and planted worlds that pairs must carry over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import ortho_group

torch = pytest.importorskip("torch")

from presheaf.enriched.ideality import ideality  # noqa: E402
from presheaf.enriched.quantale import PROBABILITY  # noqa: E402
from presheaf.errors import InputError  # noqa: E402
from presheaf.models.features import encode_all  # noqa: E402
from presheaf.models.registry import load_model  # noqa: E402
from presheaf.pretext.base import Data, Pretext  # noqa: E402
from presheaf.pretext.bipartite import keys_of, pair_loss_parts, pair_relation, union_hom  # noqa: E402
from presheaf.pretext.data import make_data  # noqa: E402
from presheaf.pretext.featured import featured, first_pairs  # noqa: E402
from presheaf.pretext.plan import Plan  # noqa: E402
from presheaf.pretext.registry import pretext  # noqa: E402
from presheaf.pretext.trainer import train  # noqa: E402
from presheaf.pretext.two_sided import TwoSided  # noqa: E402

seeds = st.integers(0, 10**6)


def turned_world(pairs: int = 160, held_out: int = 60, dim: int = 8, seed: int = 0) -> Data:
    """Right objects are the left ones under an orthogonal map, with a little noise."""
    rng = np.random.default_rng(seed)
    left = rng.standard_normal((pairs + held_out, dim))
    right = left @ ortho_group.rvs(dim, random_state=seed) + 0.05 * rng.standard_normal(left.shape)
    left, right = left.astype(np.float32), right.astype(np.float32)
    return make_data("turned", "pair", (left[:pairs], right[:pairs]), (left[pairs:], right[pairs:]))


def units(rng: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    rows = rng.standard_normal(shape)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@given(seed=seeds, m=st.integers(1, 7), k=st.integers(1, 7), tau=st.floats(0.05, 3))
@settings(max_examples=60, deadline=None)
def test_cross_entropy_is_laplacian_trace_plus_log_partition(seed: int, m: int, k: int, tau: float) -> None:
    rng = np.random.default_rng(seed)
    left, right = rng.standard_normal((m, 3)), rng.standard_normal((k, 3))
    relation = rng.random((m, k)) * (rng.random((m, k)) < 0.6)
    relation[:, rng.integers(k)] += 0.1
    relation[rng.integers(m)] += 0.1
    cross_entropy, trace, partition = pair_loss_parts(left, right, relation, tau)
    assert cross_entropy == pytest.approx(trace + partition, rel=1e-10, abs=1e-10)
    entropy = 0.0
    for law in (relation / relation.sum(axis=1, keepdims=True), relation / relation.sum(axis=0)):
        entropy -= float(np.sum(law[law > 0] * np.log(law[law > 0])))
    assert cross_entropy >= entropy - 1e-9


def test_the_bound_is_reached_where_the_kernels_rows_are_the_pairs() -> None:
    # Two left objects on one point, two right ones too: every kernel row is (1/2, 1/2), and so is every row of pi.
    at = np.ones((2, 1))
    cross_entropy, trace, partition = pair_loss_parts(at, at, np.ones((2, 2)), 0.5)
    assert (trace, partition) == (0.0, pytest.approx(4 * np.log(2)))
    assert cross_entropy == pytest.approx(4 * np.log(2))


def test_an_object_without_partner_is_refused() -> None:
    with pytest.raises(InputError, match="needs a partner; object 1"):
        pair_loss_parts(np.ones((2, 1)), np.ones((1, 1)), np.array([[1.0], [0.0]]), 1.0)


def test_the_loss_is_that_of_plain_loops_and_of_the_identity() -> None:
    task, data = TwoSided(dim=5, temperature=0.3), turned_world(20, 4)
    torch.manual_seed(0)
    network = task.network(data)
    rows = torch.tensor([3, 0, 11, 7, 19])
    found = task.loss(network, data, rows).item()
    u, v = (network.of(side, data.train[i][rows.numpy()]).astype(float) for i, side in enumerate(("left", "right")))
    total = 0.0
    for i in range(5):
        forth = [np.exp(u[i] @ v[j] / 0.3) for j in range(5)]
        back = [np.exp(v[i] @ u[j] / 0.3) for j in range(5)]
        total -= np.log(forth[i] / sum(forth)) / 10 + np.log(back[i] / sum(back)) / 10
    assert found == pytest.approx(total, abs=1e-5)
    assert found == pytest.approx(pair_loss_parts(u, v, np.eye(5), 0.3)[0] / 10, abs=1e-5)


def test_equal_objects_share_their_partners() -> None:
    relation = pair_relation(["cat", "dog", "cat"], ["Katze", "Hund", "Kater"])
    assert relation.tolist() == [[True, False, True], [False, True, False], [True, False, True]]
    with pytest.raises(InputError, match="as many"):
        pair_relation(["cat"], [])
    assert keys_of(np.zeros((2, 3))) == [b"\0" * 24] * 2


def test_the_union_knows_only_what_is_between_the_sides() -> None:
    between = np.array([[0.0, 1.0, 2.0], [3.0, 0.5, np.inf]])
    whole = union_hom(between, PROBABILITY, "two sides", False, "by hand").dense(1 << 20)
    expected = np.full((5, 5), np.inf)
    expected[:2, 2:], expected[2:, :2] = between, between.T
    np.fill_diagonal(expected, 0)
    np.testing.assert_array_equal(whole, expected)


def test_held_out_pairs_are_lawful_where_partners_are_unique_and_not_where_they_are_shared() -> None:
    held = TwoSided().held_out(turned_world(), 20, 0)
    d = held.hom.dense(1 << 20)
    assert held.hom.n == 20
    assert held.hom.lawful is True
    through = np.min(d[:, :, None] + d[None, :, :], axis=1)
    np.testing.assert_array_equal(through, d)
    assert np.isfinite(d).sum() == 40
    left = np.array([[0.0], [1.0], [1.0]], dtype=np.float32)
    shared = make_data("shared", "pair", (left, left), (left, np.array([[5.0], [6.0], [7.0]], dtype=np.float32)))
    hom = TwoSided().held_out(shared, 6, 0).hom
    assert hom.lawful is False
    assert np.isfinite(hom.dense(1 << 20)[:3, 3:]).tolist() == [
        [True, False, False],
        [False, True, True],
        [False, True, True],
    ]


def test_held_out_objects_are_those_no_step_sees() -> None:
    data = turned_world()
    left, right = TwoSided().held_out(data, 40, 3).objects
    assert len(left) == len(right) == 20
    for side, objects in enumerate((left, right)):
        assert {*keys_of(objects)} <= {*keys_of(data.test[side])}
    again = TwoSided().held_out(data, 40, 3).objects
    np.testing.assert_array_equal(left, again[0])


def test_training_moves_the_model_to_the_pairs(tmp_path: Path) -> None:
    task, data = TwoSided(dim=8), turned_world()
    ideal = []

    def look(step: int, network: object, loss: float) -> None:
        held = task.held_out(data, 80, 0)
        hom = task.model_hom(task.embed(network, held.objects))
        assert np.isinf(hom.dense(1 << 20)[:40, :40][~np.eye(40, dtype=bool)]).all()
        ideal.append(ideality(hom, held.hom, task.category.variance, held.normalise, repeats=5))

    train(task, data, tmp_path, Plan(100, 64, 0.02, checkpoint_every=100), on_checkpoint=look)
    start, end = ideal
    assert start.value.low > 0.9
    assert end.value.high < 0.5
    assert end.value.high < end.null.min()


def test_images_get_a_network_and_are_read_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    means = images.reshape(40, 4, 16).mean(axis=2).astype(np.float32)
    data = make_data("images", "pair", (images[:30], means[:30]), (images[30:], means[30:]))
    task = TwoSided(dim=6, hidden=12)
    run = train(task, data, tmp_path / "run", Plan(30, 30, 0.01))
    assert run.losses[-5:].mean() < run.losses[:5].mean()
    spec = task.save(run.network, data, tmp_path / "left")
    assert spec.startswith("trained:")
    source = load_model(spec)
    backbone = run.network.left.features(torch.from_numpy(images[:3]).permute(0, 3, 1, 2).float() / 255)
    np.testing.assert_allclose(encode_all(source, list(images[:3])), backbone.detach().numpy(), atol=1e-5)


def test_heads_are_saved_as_the_vectors_of_the_objects(tmp_path: Path) -> None:
    task, data = TwoSided(dim=4), turned_world(20, 5)
    network = task.network(data)
    source = load_model(task.save(network, data, tmp_path))
    found = encode_all(source, [1, 21])
    expected = np.stack([network.of("left", data.train[0])[0], network.of("left", data.test[0])[0]])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_task_is_known_by_name_and_keeps_the_protocol() -> None:
    task = pretext("clip?dim=16&temperature=0.2")
    assert isinstance(task, Pretext)
    assert dict(pretext("clip", **task.options).options) == dict(task.options)
    assert task.options["temperature"] == 0.2
    assert not task.kernel.lawful


@pytest.mark.parametrize(
    ("options", "said"),
    [({"dim": 0}, "'dim'"), ({"temperature": 0.0}, "'temperature'"), ({"encoder": "mlp"}, "'encoder'")],
)
def test_options_out_of_range_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        TwoSided(**options)  # type: ignore[arg-type]


def test_what_cannot_be_trained_on_is_refused_with_words() -> None:
    task, data = TwoSided(), turned_world(8, 4)
    with pytest.raises(InputError, match="at least 2 pairs"):
        task.loss(task.network(data), data, torch.tensor([0]))
    with pytest.raises(InputError, match="as many left as right"):
        task.model_hom(np.ones((3, 2), dtype=np.float32))
    texts = make_data("texts", "pair", (("a", "b"), ("c", "d")), (("e",), ("f",)))
    with pytest.raises(InputError, match="featured"):
        task.network(texts)


def test_features_are_those_of_the_models_in_the_order_of_the_pairs() -> None:
    train_texts = ("red heart", "blue heart", "red car"), ("rotes herz", "blaues herz", "rotes auto")
    test_texts = ("blue car",), ("blaues auto",)
    data = make_data("names", "pair", train_texts, test_texts, source="by hand")
    seen = featured(data, "tfidf", "tfidf")
    assert [side.shape[0] for side in (*seen.train, *seen.test)] == [3, 3, 1, 1]
    model = load_model("tfidf")
    model.fit(train_texts[0])
    np.testing.assert_allclose(seen.train[0], encode_all(model, train_texts[0]), atol=1e-6)
    assert seen.source == "by hand"
    assert seen.digest != data.digest
    assert featured(data, None, "tfidf").train[0] == train_texts[0]
    with pytest.raises(InputError, match="two sides"):
        featured(make_data("t", "text", ["a"], ["b"]), None, None)


def test_a_part_of_the_pairs_can_be_paired_otherwise() -> None:
    data = turned_world(10, 4)
    part = first_pairs(data, np.array([4, 1, 7]), np.array([1, 7, 4]))
    np.testing.assert_array_equal(part.train[0], data.train[0][[4, 1, 7]])
    np.testing.assert_array_equal(part.train[1], data.train[1][[1, 7, 4]])
    np.testing.assert_array_equal(part.test[0], data.test[0])
