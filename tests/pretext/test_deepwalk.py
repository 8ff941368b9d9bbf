"""DeepWalk: its loss by hand, its optimum where theory has it, and what training does to the category of a graph."""

from __future__ import annotations

from itertools import product
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")
pytest.importorskip("networkx")

from presheaf.enriched.ideality import ideality  # noqa: E402
from presheaf.errors import InputError  # noqa: E402
from presheaf.models.registry import load_model  # noqa: E402
from presheaf.pretext import node_vectors  # noqa: E402
from presheaf.pretext.base import Pretext  # noqa: E402
from presheaf.pretext.data_graphs import graph_data, load_graph  # noqa: E402
from presheaf.pretext.deepwalk import DeepWalk  # noqa: E402
from presheaf.pretext.node_scores import node_scores  # noqa: E402
from presheaf.pretext.random_walks import as_graph, pair_law  # noqa: E402

Floats = NDArray[np.float64]
HOUSE = np.array([[0, 1, 0, 1, 0], [1, 0, 1, 0, 0], [0, 1, 0, 1, 1], [1, 0, 1, 0, 1], [0, 0, 1, 1, 0]], dtype=float)


def house(scale: float = 1.0) -> object:
    return graph_data("house", HOUSE * scale)


def trained(task: DeepWalk, data: object, steps: int, rate: float = 0.05, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    network = task.network(data)
    optimizer = torch.optim.Adam(network.parameters(), rate)
    rows = torch.arange(data.train.shape[0])
    for _ in range(steps):
        optimizer.zero_grad()
        task.loss(network, data, rows).backward()
        optimizer.step()
    return network


def test_the_loss_of_two_walks_by_hand() -> None:
    network = node_vectors.NodeVectors(as_graph(HOUSE), np.array([0.3, 0.2, 0.2, 0.2, 0.1]), 3).double()
    torch.manual_seed(1)
    torch.nn.init.normal_(network.contexts)
    w, c = network.vectors.detach().numpy(), network.contexts.detach().numpy()
    walks = [[0, 1, 0, 3], [4, 2, 1, 2]]

    def cost(product: float) -> float:
        return log(1 + exp(-product))

    total, pairs = 0.0, 0
    for walk, i, j in product(walks, range(4), range(4)):
        if 0 < abs(i - j) <= 2:
            u, v = walk[i], walk[j]
            total += cost(w[u] @ c[v])
            total += 5 * sum(q * cost(-w[u] @ c[x]) for x, q in enumerate([0.3, 0.2, 0.2, 0.2, 0.1]))
            pairs += 1
    assert pairs == 20
    found = network.skip_gram(torch.tensor(walks), window=2, negatives=5)
    assert found.item() == pytest.approx(total / pairs, rel=1e-12)


def test_shared_draws_leave_the_expected_loss_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    network = node_vectors.NodeVectors(as_graph(HOUSE), np.array([0.3, 0.2, 0.2, 0.2, 0.1]), 3)
    torch.manual_seed(1)
    torch.nn.init.normal_(network.contexts)
    torch.nn.init.normal_(network.vectors)
    walks = torch.tensor([[0, 1, 0, 3], [4, 2, 1, 2]])
    exact = network.skip_gram(walks, 2, 5).item()
    monkeypatch.setattr(node_vectors, "SHARED", 3)
    drawn = np.array([network.skip_gram(walks, 2, 5).item() for _ in range(2000)])
    assert drawn.std() > 0.01
    assert abs(drawn.mean() - exact) < 5 * drawn.std() / np.sqrt(2000)


def test_no_gradient_is_left_where_the_law_says_the_optimum_is() -> None:
    """<w_u, c_v> = ln(p(u, v) / (b p(u) p(v))): the mean gradient over many walks is 0 within five standard errors."""
    task = DeepWalk(dim=5, window=3, length=6, negatives=2)
    data = house()
    network = task.network(data).double()
    ratios = pair_law(HOUSE, 3, 6).ratios(range(5), 2)
    assert ratios.min() > 0
    with torch.no_grad():
        network.vectors.copy_(torch.eye(5))
        network.contexts.copy_(torch.from_numpy(np.log(ratios).T))
    torch.manual_seed(0)
    gradients = []
    for _ in range(400):
        network.zero_grad()
        task.loss(network, data, torch.arange(5).repeat(20)).backward()
        gradients.append(network.contexts.grad.numpy().copy())
    stacked = np.array(gradients)
    error = stacked.std(axis=0) / 20
    assert (abs(stacked.mean(axis=0)) < 5 * error).all()
    with torch.no_grad():
        network.contexts += 0.2
    network.zero_grad()
    task.loss(network, data, torch.arange(5).repeat(400)).backward()
    assert abs(network.contexts.grad).max() > 20 * error.max()


def test_with_enough_dimensions_training_becomes_ideal() -> None:
    task = DeepWalk(dim=6, window=2, length=8, negatives=2)
    data = house()
    external = task.held_out(data, 100, 0)
    assert (external.normalise, external.hom.n) == ("none", 5)
    network = trained(task, data, 600, 0.03)
    products = (network.vectors @ network.contexts.T).detach().numpy()
    expected = np.log(pair_law(HOUSE, 2, 8).ratios(range(5), 2))
    # Walks of one length can leave a pair out altogether; none here does.
    assert np.isfinite(expected).all()
    assert abs(products - expected).max() < 0.35
    distance = task.model_hom(task.embed(network, external.objects)).dense(1 << 20)
    assert abs(distance - external.hom.dense(1 << 20)).max() < 0.2


def test_training_moves_karate_s_category_to_the_walks_own() -> None:
    """Beside the same network before training, and beside shuffled nodes."""
    data = load_graph("karate")
    task = DeepWalk(dim=8, window=3, length=10, negatives=2)
    external = task.held_out(data, 34, 0)

    def measured(steps: int) -> object:
        features = task.embed(trained(task, data, steps), external.objects)
        return ideality(task.model_hom(features), external.hom, "covariant", external.normalise)

    before, after = measured(0), measured(250)
    assert after.value.high < before.value.value
    assert after.value.high < after.null.min()
    # Without training every product is about 0: hom is 0 everywhere, and so as near to any shuffle.
    assert before.p > 0.5


def test_the_clubs_are_found_without_labels() -> None:
    data = load_graph("karate")
    task = DeepWalk(dim=8, window=5, length=20, negatives=2)
    features = task.embed(trained(task, data, 250), np.arange(34))[:, :8]
    found = node_scores(features, np.eye(2)[data.train_labels], 0.5, shuffles=10)
    assert found.micro.low > 0.8
    assert found.null_micro.high < 0.7


def test_weights_and_seed_decide_everything() -> None:
    task, data = DeepWalk(dim=3, window=2, length=5), house()
    one, two, other = (trained(task, data, 5, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one.vectors, two.vectors)
    assert not torch.equal(one.vectors, other.vectors)
    # Edges are taken in proportion to their weights, so their scale is not seen.
    assert torch.equal(one.vectors, trained(task, house(3.0), 5).vectors)
    assert set(one.state_dict()) == {"vectors", "contexts"}


def test_a_walk_takes_edges_in_proportion_to_their_weights() -> None:
    star = np.zeros((4, 4))
    star[0, 1:] = star[1:, 0] = [1, 2, 7]
    network = node_vectors.NodeVectors(as_graph(star), np.full(4, 0.25), 1)
    torch.manual_seed(0)
    ends = network.walks(torch.zeros(20_000, dtype=torch.int64), 2)[:, 1].numpy()
    share = np.bincount(ends, minlength=4) / 20_000
    np.testing.assert_allclose(share, [0, 0.1, 0.2, 0.7], atol=5 * np.sqrt(0.25 / 20_000))


def test_it_is_a_task_as_the_protocol_has_it(tmp_path: Path) -> None:
    task = DeepWalk(dim=4, window=2, length=5, negatives=1)
    assert isinstance(task, Pretext)
    assert DeepWalk(**task.options).options == task.options
    assert repr(task) == "DeepWalk(dim=4, window=2, length=5, negatives=1)"
    data = load_graph("karate")
    network = task.network(data)
    features = task.embed(network, np.array([5, 0]))
    assert (features.shape, features.dtype) == ((2, 8), np.float32)
    np.testing.assert_array_equal(features[:, :4], network.vectors.detach().numpy()[[5, 0]])
    assert (task.kernel.fitted, task.kernel.lawful) == (0, False)
    model = load_model(task.save(network, data, tmp_path))
    np.testing.assert_array_equal(model.encode([6, 1]), features[:, :4])
    assert (tmp_path / "nodes.csv").read_text().splitlines()[:2] == ["node,label", "0,Mr. Hi"]


def test_held_out_nodes_keep_the_law_of_the_whole_graph() -> None:
    data = load_graph("karate")
    task = DeepWalk(window=4, length=12, negatives=3)
    some = task.held_out(data, 10, 3)
    assert len(set(some.objects)) == some.hom.n == 10
    ratios = pair_law(data.train, 4, 12).ratios(some.objects, 3)[:, some.objects]
    np.testing.assert_allclose(some.hom.dense(1 << 20), np.minimum(1, 1 / np.maximum(ratios, 1e-9)), atol=1e-12)
    assert list(task.held_out(data, 10, 3).objects) == list(some.objects)
    assert list(task.held_out(data, 10, 4).objects) != list(some.objects)


@pytest.mark.parametrize("wrong", [{"dim": 0}, {"window": 0}, {"length": 1}, {"negatives": 0}, {"dim": 2.5}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        DeepWalk(**wrong)  # type: ignore[arg-type]


def test_isolated_nodes_other_graphs_and_unknown_nodes_are_refused() -> None:
    task = DeepWalk(dim=2, window=1, length=3)
    alone = np.zeros((3, 3))
    alone[0, 1] = alone[1, 0] = 1
    with pytest.raises(InputError, match="1 nodes without an edge, the first is 2"):
        task.network(graph_data("alone", alone))
    network = task.network(house())
    with pytest.raises(InputError, match="another graph than 'karate'"):
        task.loss(network, load_graph("karate"), torch.arange(2))
    for nodes in ([5], [-1], [0.5]):
        with pytest.raises(InputError, match=r"0\.\.4"):
            task.embed(network, nodes)
