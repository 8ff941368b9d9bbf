"""Which pairs of nodes meet on random walks: the exact law, without drawing a walk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
LIMIT = 1 << 28
"""Bytes that a block of rows and its scratch memory may take: 256 MiB."""


def as_graph(graph: Any, name: str = "the graph") -> csr_array:
    """A graph as this package keeps it: CSR, float64, symmetric, weights > 0, no loops, no entry stored twice.

    Parameters
    ----------
    graph : scipy sparse array or matrix, or array, of shape (n, n)
        Weight of the edge between two nodes, 0 for none. A node without edges is allowed; so are several components.

    Raises
    ------
    InputError
        If it is not square, has no node or no edge, weights that are negative or not finite, a loop, or is directed.

    Notes
    -----
    Cost: a copy and a transposition, linear in the number of edges.
    """
    from scipy.sparse import csr_array, issparse

    try:
        given = graph if issparse(graph) else np.asarray(graph, dtype=np.float64)
        matrix = csr_array(given, dtype=np.float64, copy=True)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be a matrix of weights of shape (n, n): {error}.") from None
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"{name} must be a matrix of weights of shape (n, n); got shape {matrix.shape}.")
    matrix.sum_duplicates()
    # Written so that nan fails too.
    if matrix.nnz and not (np.isfinite(matrix.data).all() and matrix.data.min() >= 0):
        raise InputError(f"{name} must have finite weights >= 0: a walk takes an edge in proportion to its weight.")
    matrix.eliminate_zeros()
    if not matrix.nnz:
        raise InputError(f"{name} has {matrix.shape[0]:,} nodes and no edge: there is nothing to walk on.")
    loops = np.flatnonzero(matrix.diagonal())
    if len(loops):
        raise InputError(
            f"{name} joins {len(loops):,} nodes to themselves, the first is {loops[0]}. Walks are taken without loops: "
            "matrix.setdiag(0)."
        )
    difference = abs(matrix - matrix.T)
    if difference.nnz and difference.max() > 1e-12 * matrix.max():
        u, v = (int(axis[0]) for axis in (difference > 1e-12 * matrix.max()).nonzero())
        raise InputError(
            f"{name} is directed: {u} -> {v} has weight {matrix[u, v]:g}, back {matrix[v, u]:g}. The closed forms hold for "
            "undirected graphs; forget the direction first, for example by graph + graph.T."
        )
    return (matrix + matrix.T) / 2 if difference.nnz else matrix


@dataclass(frozen=True, eq=False)
class PairLaw:
    """How often ordered pairs (centre, context) at most a window apart occur on random walks, as shares that sum to 1.

    Attributes
    ----------
    window : int
    occurrences : float64 array of shape (n,)
        Share of all pairs with this node as the centre; the same as the context.
    """

    window: int
    occurrences: Floats
    transition: csr_array = field(repr=False)
    strength: Floats = field(repr=False)
    visits: Floats = field(repr=False)
    """(window, n): share of all pairs, in one direction, that begin at this node and lie r + 1 steps apart."""

    @property
    def n(self) -> int:
        return len(self.occurrences)

    def shares(self, nodes: ArrayLike) -> Floats:
        """Rows of the law, shape (k, n). Cost: window products of a dense (k, n) with the sparse graph."""
        chosen = np.asarray(nodes, dtype=np.int64)
        reached = np.zeros((len(chosen), self.n))
        reached[np.arange(len(chosen)), chosen] = 1.0
        found = np.zeros_like(reached)
        mine = self.strength[chosen][:, None]
        # d_u P^r(u, v) = d_v P^r(v, u): a walk from v to u is as likely, up to the strengths, as one from u to v.
        per_strength = np.divide(self.visits, self.strength, out=np.zeros_like(self.visits), where=self.strength > 0)
        for visits, back in zip(self.visits, per_strength, strict=True):
            reached = reached @ self.transition
            found += reached * (visits[chosen][:, None] + mine * back)
        return found

    def ratios(self, nodes: ArrayLike, negatives: float) -> Floats:
        """p(u, v) / (b p(u) p(v)), shape (k, n): the odds that (u, v) was met on a walk rather than drawn as one of b negatives.

        Their logarithm is the pointwise mutual information shifted by ln b (nats), what skip-gram with negative sampling
        fits (Levy and Goldberg 2014). Pairs with an isolated node get 0.
        """
        chosen = np.asarray(nodes, dtype=np.int64)
        expected = negatives * self.occurrences[chosen][:, None] * self.occurrences
        return np.divide(self.shares(chosen), expected, out=np.zeros_like(expected), where=expected > 0)

    def information(self, nodes: ArrayLike, negatives: float) -> Floats:
        """Shifted positive pointwise mutual information M = ln max(ratio, 1) in nats, shape (k, n)."""
        return np.log(np.maximum(self.ratios(nodes, negatives), 1.0))

    def blocks(self, limit_bytes: int = LIMIT) -> Iterator[slice]:
        """Slices of nodes whose rows, with four arrays of scratch memory, fit into ``limit_bytes``.

        Raises
        ------
        InputError
            If one row does not fit.
        """
        step = limit_bytes // (self.n * 8 * 5)
        if step < 1:
            raise InputError(
                f"one row of {self.n:,} nodes does not fit into limit_bytes={limit_bytes:,}. Raise the limit."
            )
        for start in range(0, self.n, step):
            yield slice(start, min(start + step, self.n))


def pair_law(graph: Any, window: int, length: int | None = None) -> PairLaw:
    """The exact law of the pairs that DeepWalk's walks give.

    Parameters
    ----------
    graph : as `as_graph` takes it
    window : int
        Most steps between the two nodes of a pair, every distance counted alike.
    length : int or None
        Nodes of a walk, when as many walks start at every node that has an edge. None: walks that are long, or start in
        proportion to the strength: then ratios are vol(G) / (b T) (sum_{r=1..T} P^r) D^-1, the matrix of NetMF
        (Qiu et al. 2018, Network Embedding as Matrix Factorization).

    Raises
    ------
    InputError
        If the graph is none, the window is below 1, or the length below 2.

    Notes
    -----
    A walk of t nodes that starts at p_0 gives sum_{j <= t-1-r} p_0 P^j (u) P^r(u, v) pairs at r steps, each counted in both
    directions. Cost: t products of the sparse graph with a vector.
    """
    if window < 1:
        raise InputError(f"'window' must be at least 1; got {window!r}.")
    if length is not None and length < 2:
        raise InputError(f"'length' must be at least 2, for a walk of two nodes to hold a pair; got {length!r}.")
    matrix = as_graph(graph)
    strength = np.asarray(matrix.sum(axis=1), dtype=np.float64)
    transition = _scaled(matrix, strength)
    if length is None:
        visits = np.tile(strength / strength.sum(), (window, 1))
        begin, end = visits, visits
    else:
        visits, end = _visits(transition, strength > 0, min(window, length - 1), length)
        begin = visits
    total = 2 * visits.sum()
    return PairLaw(window, (begin + end).sum(axis=0) / total, transition, strength, visits / total)


def _scaled(matrix: csr_array, strength: Floats) -> csr_array:
    """D^-1 A; rows of isolated nodes stay empty."""
    from scipy.sparse import csr_array

    data = matrix.data / np.repeat(strength, np.diff(matrix.indptr))
    return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _visits(transition: csr_array, start: NDArray[np.bool_], window: int, length: int) -> tuple[Floats, Floats]:
    """(window, n) each: expected visits from which a pair at r steps begins, and in which it ends."""
    here = start / start.sum()
    visited = [here]
    for _ in range(length - 1):
        here = here @ transition
        visited.append(here)
    running = np.cumsum(visited, axis=0)
    steps = range(1, window + 1)
    begin = np.array([running[length - 1 - r] for r in steps])
    end = np.array([running[length - 1] - running[r - 1] for r in steps])
    return begin, end
