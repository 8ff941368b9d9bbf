"""The category random walks put on the nodes of a graph, and the one an embedding of rank d keeps of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.construct import hom_from_distances, hom_from_features
from presheaf.enriched.forms import RowWise, as_given
from presheaf.enriched.hom import Hom
from presheaf.enriched.ideality import Ideality, ideality
from presheaf.enriched.kernel import Kernel
from presheaf.enriched.quantale import LUKASIEWICZ
from presheaf.errors import InputError
from presheaf.pretext.netmf import NetMF
from presheaf.pretext.random_walks import PairLaw, pair_law

Array = NDArray[Any]
Floats = NDArray[np.float64]
REASON = "hom(x, x) is below 1: meeting oneself on a walk is an event like any other"


def walk_hom(
    graph: Any, window: int, negatives: float, nodes: ArrayLike | None = None, length: int | None = None
) -> Hom:
    """hom(u, v) = 1 - exp(-M(u, v)), M the shifted positive pointwise mutual information of meeting on a walk.

    Parameters
    ----------
    graph : as `presheaf.pretext.random_walks.as_graph` takes it
    window, negatives, length
        See `presheaf.pretext.random_walks.pair_law`; without ``length`` M is the matrix of NetMF, before truncation.
    nodes : int array of shape (k,), optional
        Take the hom on these nodes only; walks still go through all.

    Returns
    -------
    Hom
        In LUKASIEWICZ, distance exp(-M) = min(1, b p(u) p(v) / p(u, v)): the share of the meetings of u and v that chance,
        b times over, gives too. Symmetric, fixed in advance (0 fitted), not lawful.

    Raises
    ------
    InputError
        If the graph is none, or a node or number is out of range.

    Notes
    -----
    The angle between rows of M at b = 1, which is lawful, is ``hom_from_counts`` of the shares. Cost: window products of k
    rows with the sparse graph; memory k n and k^2.
    """
    law = pair_law(graph, window, length)
    chosen = np.arange(law.n) if nodes is None else np.asarray(nodes)
    if (
        chosen.ndim != 1
        or chosen.dtype.kind not in "iu"
        or (len(chosen) and not 0 <= chosen.min() <= chosen.max() < law.n)
    ):
        raise InputError(f"nodes must be numbers in 0..{law.n - 1}.")
    return hom_of_law(law, negatives, chosen.astype(np.int64))


def hom_of_law(law: PairLaw, negatives: float, nodes: NDArray[np.int64]) -> Hom:
    """`walk_hom` of a law that is at hand."""
    near = np.empty((len(nodes), len(nodes)))
    for part in law.blocks():
        rows = nodes[part]
        if len(rows):
            near[part] = np.exp(-law.information(rows, negatives)[:, nodes])
    # Equal up to rounding: the law is symmetric.
    near = (near + near.T) / 2
    return hom_from_distances(near, LUKASIEWICZ, f"walks, window {law.window}", False, REASON)


def information_kernel() -> Kernel:
    """k_f(u, v) = 1 - exp(-max(0, <u's first half, v's second half>)); LUKASIEWICZ. Fixed in advance, directed, not lawful.

    Features of length 2 d hold a node's vector and, after it, its vector as a context. Their product stands for M, so this is
    `walk_hom` with M replaced by a model of rank d. Cost of a block: one matrix product in float64.
    """
    form = RowWise(_halves, as_given, _block, _pairs)
    return Kernel("shifted information", LUKASIEWICZ, False, False, REASON, form)


def rank_hom(embedding: NetMF) -> Hom:
    """The hom that NetMF's d dimensions keep: `information_kernel` on (vectors, contexts). Cost: as asked for."""
    both = np.hstack([embedding.vectors, embedding.contexts])
    return hom_from_features(both, information_kernel(), f"walks at rank {len(embedding.values)}")


def rank_ideality(
    graph: Any, embedding: NetMF, nodes: ArrayLike | None = None, repeats: int = 19, seed: int = 0
) -> Ideality:
    """How far the hom at rank d is from the hom of walks before truncation: 0 is ideal.

    Parameters
    ----------
    graph : what ``embedding`` was made from
    nodes : int array of shape (k,), optional
        Compare on these only; default all. An interval speaks about nodes drawn like them.

    Raises
    ------
    InputError
        If the embedding is of another graph.

    Notes
    -----
    Values are compared as they are (no row is normalised). Cost: (22 + repeats) k^2 values.
    """
    external = walk_hom(graph, embedding.window, embedding.negatives, nodes)
    model = rank_hom(embedding)
    if nodes is not None:
        model = model.take(nodes)
    return ideality(model, external, "covariant", "none", repeats, seed=seed)


def _halves(features: Array) -> None:
    if features.shape[1] % 2:
        raise InputError(
            f"features must hold a node's vector and its vector as a context, of the same length; got {features.shape[1]} numbers."
        )


def _block(u: Floats, v: Floats) -> Floats:
    half = u.shape[1] // 2
    return np.asarray(np.exp(-np.maximum(u[:, :half] @ v[:, half:].T, 0)))


def _pairs(u: Floats, v: Floats) -> Floats:
    half = u.shape[1] // 2
    return np.asarray(np.exp(-np.maximum(np.einsum("ij,ij->i", u[:, :half], v[:, half:]), 0)))
