"""Embeddings of graphs beside scikit-network and gensim, in one run: seconds, and F1 of the nodes' labels.

    python benchmarks/graphs.py                           # planted blocks, in about a minute
    python benchmarks/graphs.py --blogcatalog FILE.mat    # BlogCatalog, some minutes and 1 GB
    python benchmarks/graphs.py --json                    # one object a line

NetMF stands beside scikit-network's GSVD and Spectral of the same dimension; DeepWalk beside gensim's Word2Vec on walks of
the same number and length (drawing them counts for both), with the same window, taken whole, and the same negatives. All run
one after another on the threads that OMP_NUM_THREADS allows; gensim gets one worker.

F1 is that of the published evaluation (`presheaf.pretext.node_scores`): one-vs-rest logistic regression on half of the nodes,
the number of labels of a node given. Differences are taken split by split, with 95 % intervals over splits; the null is the same
features with permuted labels. The ratio is the peer's seconds over ours: above 1 presheaf is the faster one.
Needs: pip install "presheaf[pretext]" scikit-network gensim.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import PresheafError
from presheaf.pretext.base import Data
from presheaf.pretext.data_graphs import graph_data, read_blogcatalog
from presheaf.pretext.deepwalk import DeepWalk
from presheaf.pretext.netmf import netmf
from presheaf.pretext.node_scores import NodeScores, node_scores, score_difference

Floats = NDArray[np.float64]
SHUFFLES = 5


@dataclass(frozen=True)
class World:
    """A graph with labels, and sizes that suit it."""

    data: Data
    labels: Any
    dim: int
    rank: int
    gamma: int
    batch: int
    rate: float


def planted(n: int = 2000, blocks: int = 8) -> World:
    """Blocks of equal size, mean degree 20, two fifths of the edges within a block: twice the threshold of detection."""
    rng = np.random.default_rng(0)
    block = np.arange(n) % blocks
    chance = np.where(block[:, None] == block, 8 * blocks / n, 12 * blocks / (n * (blocks - 1)))
    upper = np.triu(rng.random((n, n)) < chance, 1).astype(float)
    names = tuple(f"block {i}" for i in range(blocks))
    data = graph_data(f"{blocks} planted blocks", upper + upper.T, block.astype(np.int32), names)
    return World(data, np.eye(blocks)[block], 32, 64, 10, 16, 0.05)


def blogcatalog(path: str) -> World:
    graph, labels = read_blogcatalog(path)
    return World(graph_data("BlogCatalog", graph), labels, 128, 256, 10, 16, 0.02)


def our_netmf(world: World) -> Floats:
    return netmf(world.data.train, world.dim, 10, 1, rank=world.rank).vectors


def task_for(world: World) -> DeepWalk:
    return DeepWalk(dim=world.dim, window=10, length=40, negatives=5)


def our_deepwalk(world: World) -> Floats:
    from presheaf.pretext.plan import Plan
    from presheaf.pretext.trainer import train

    task = task_for(world)
    steps = world.gamma * world.data.train.shape[0] // world.batch
    plan = Plan(steps, world.batch, world.rate, weight_decay=0.0, checkpoint_every=steps)
    with tempfile.TemporaryDirectory() as folder:
        network = train(task, world.data, folder, plan, device="cpu").network
    return np.asarray(network.vectors.detach().numpy(), dtype=np.float64)


def scikit_network(kind: str) -> Callable[[World], Floats]:
    def embed(world: World) -> Floats:
        from scipy.sparse import csr_matrix
        from sknetwork import embedding

        method = getattr(embedding, kind)(world.dim)
        return np.asarray(method.fit_transform(csr_matrix(world.data.train)), dtype=np.float64)

    return embed


def gensim(world: World) -> Floats:
    """Skip-gram on the same walks; shrink_windows=False and ns_exponent=1 give it our window and our negatives."""
    import torch
    from gensim.models import Word2Vec

    n = world.data.train.shape[0]
    torch.manual_seed(0)
    walks = task_for(world).network(world.data).walks(torch.arange(n).repeat(world.gamma), 40).tolist()
    model = Word2Vec(
        [[str(node) for node in walk] for walk in walks],
        vector_size=world.dim,
        window=10,
        sg=1,
        negative=5,
        ns_exponent=1.0,
        shrink_windows=False,
        min_count=0,
        epochs=1,
        sample=0,
        workers=1,
        seed=0,
    )
    return np.asarray([model.wv[str(node)] for node in range(n)], dtype=np.float64)


def timed(name: str, method: Callable[[World], Floats], world: World, share: float) -> tuple[float, NodeScores] | None:
    """Seconds and scores; None where the peer is not installed."""
    start = time.perf_counter()
    try:
        features = method(world)
    except ModuleNotFoundError as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return None
    return time.perf_counter() - start, node_scores(features, world.labels, share, SHUFFLES)


def measure(world: World, share: float) -> list[dict[str, Any]]:
    """One record for each of ours and each of its peers."""
    spectral = {f"scikit-network {kind}": scikit_network(kind) for kind in ("GSVD", "Spectral")}
    pairs: list[tuple[str, Callable[[World], Floats], dict[str, Callable[[World], Floats]]]] = [
        ("NetMF", our_netmf, spectral),
        ("DeepWalk", our_deepwalk, {"gensim Word2Vec, same walks": gensim}),
    ]
    records = []
    for name, ours, peers in pairs:
        mine = timed(name, ours, world, share)
        assert mine is not None
        for peer, theirs in peers.items():
            found = timed(peer, theirs, world, share)
            if found is not None:
                records.append(record(world, name, mine, peer, found))
    return records


def record(
    world: World, name: str, mine: tuple[float, NodeScores], peer: str, theirs: tuple[float, NodeScores]
) -> dict[str, Any]:
    micro, macro = score_difference(mine[1], theirs[1])
    null = mine[1].null_micro
    return {
        "name": f"{name} on {world.data.name}",
        "value": round(mine[0], 2),
        "unit": "s",
        "peer": peer,
        "peer_value": round(theirs[0], 2),
        "ratio": round(theirs[0] / mine[0], 2),
        "micro": percent(mine[1].micro.value),
        "macro": percent(mine[1].macro.value),
        "null_micro": None if null is None else percent(null.value),
        "peer_micro": percent(theirs[1].micro.value),
        "peer_macro": percent(theirs[1].macro.value),
        "micro_difference": [percent(x) for x in (micro.value, micro.low, micro.high)],
        "macro_difference": [percent(x) for x in (macro.value, macro.low, macro.high)],
    }


def percent(value: float) -> float:
    return round(100 * value, 2)


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--blogcatalog", metavar="FILE.mat", help="BlogCatalog instead of planted blocks")
    parser.add_argument("--nodes", type=int, default=2000, help="planted nodes (default: 2000)")
    parser.add_argument("--share", type=float, default=0.5, help="of the nodes that train (default: 0.5)")
    options = parser.parse_args(arguments)
    try:
        world = blogcatalog(options.blogcatalog) if options.blogcatalog else planted(options.nodes)
        records = measure(world, options.share)
    except (PresheafError, ImportError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        for one in records:
            print(json.dumps(one))
        return 0
    n, edges = world.data.train.shape[0], world.data.train.nnz // 2
    print(
        f"{world.data.name}: {n:,} nodes, {edges:,} edges; {world.dim} dimensions, {options.share:.0%} of the nodes train"
    )
    print(
        f"{'':12}{'s':>7}{'micro':>8}{'macro':>7}{'null':>7}  {'peer':28}{'s':>7}{'ratio':>7}{'micro':>8}  difference"
    )
    for one in records:
        low, high = one["micro_difference"][1:]
        print(
            f"{one['name'].split(' on ')[0]:12}{one['value']:>7.1f}{one['micro']:>8.1f}{one['macro']:>7.1f}{one['null_micro']:>7.1f}"
            f"  {one['peer']:28}{one['peer_value']:>7.1f}{one['ratio']:>7.2f}{one['peer_micro']:>8.1f}"
            f"  {one['micro_difference'][0]:+.1f} [{low:+.1f}, {high:+.1f}]"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
