"""NetMF: the matrix that DeepWalk factorises without saying so, and its factors in closed form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.pretext.random_walks import PairLaw, pair_law

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
LIMIT = 2 << 30
"""Bytes that the stored matrix may take where the caller names no limit: 2 GiB."""
DENSE = 400
"""Nodes up to which all eigenvectors are computed; above, as many as are asked for."""


@dataclass(frozen=True, eq=False)
class NetMF:
    """The best symmetric approximation of rank d of M: the trained functor, beside M, the ideal one.

    Attributes
    ----------
    values : float64 array of shape (d,)
        Eigenvalues of M, by falling absolute value (its singular values are these).
    basis : float64 array of shape (n, d)
        Eigenvectors, orthonormal: what prompts at rank d span. The largest entry of each is positive.
    window : int
    negatives : float
    rank : int or None
        Eigenpairs of the graph that M was made from; None where M is exact.
    stored : int
        Entries of M above 0: M took 12 bytes for each.
    """

    values: Floats
    basis: Floats = field(repr=False)
    window: int
    negatives: float
    rank: int | None
    stored: int

    def __repr__(self) -> str:
        n, d = self.basis.shape
        made = "exact" if self.rank is None else f"from {self.rank} eigenpairs"
        return f"NetMF({n:,} nodes, {d} dimensions, window {self.window}, {self.negatives:g} negatives, {made})"

    @property
    def vectors(self) -> Floats:
        """U_d sqrt(S_d), shape (n, d): the nodes' features, as published. Zero for isolated nodes."""
        return np.asarray(self.basis * np.sqrt(np.abs(self.values)))

    @property
    def contexts(self) -> Floats:
        """V_d sqrt(S_d), shape (n, d): ``vectors @ contexts.T`` is M at rank d. Differs from `vectors` in signs only."""
        return np.asarray(self.vectors * np.sign(self.values))


def netmf(
    graph: Any,
    dim: int = 128,
    window: int = 10,
    negatives: float = 1.0,
    rank: int | None = None,
    limit_bytes: int = LIMIT,
) -> NetMF:
    """Embed the nodes of a graph by NetMF.

    Parameters
    ----------
    graph : scipy sparse array or matrix, or array, of shape (n, n)
        Undirected, weights >= 0, no loops; in one piece or several.
    dim : int
        d, at most n.
    window : int
        T.
    negatives : float
        b.
    rank : int, optional
        Eigenpairs h of D^-1/2 A D^-1/2, the largest, through which sum_{r=1..T} P^r is taken; at most n, where nothing is
        lost. None (default) takes the powers themselves: for small windows and graphs.
    limit_bytes : int
        Memory for the entries of M that are stored.

    Returns
    -------
    NetMF

    Raises
    ------
    InputError
        If the graph is none, a number is out of range, M does not fit, or M has no entry above 0.

    Notes
    -----
    M = ln max(vol(G) / (b T) (sum_{r=1..T} P^r) D^-1, 1), P = D^-1 A (Qiu et al. 2018, Network Embedding as Matrix
    Factorization), what skip-gram with b negative samples on walks with a uniform window T fits. All in float64. An
    eigenvalue l of D^-1/2 A D^-1/2 stands for l + l^2 + ... + l^T = l (1 - l^T) / (1 - l), summed as it is, so 1 is no
    special case; negative sums are kept, else h = n would not be exact. Cost: exact, T products of the sparse graph with n columns;
    by rank, h eigenpairs and h n^2; then d eigenpairs of M. Memory: 12 bytes an entry of M above 0, up to 12 n^2 for large
    windows, and blocks of 256 MiB.
    """
    law = pair_law(graph, window)
    _within("dim", dim, law.n)
    if rank is not None:
        _within("rank", rank, law.n)
    if not (negatives > 0 and np.isfinite(negatives)):
        raise InputError(f"'negatives' must be a positive number; got {negatives!r}.")
    rows = _exact_rows(law, negatives) if rank is None else _filtered_rows(law, negatives, rank)
    matrix = _stored(rows, law.n, limit_bytes)
    if not matrix.nnz:
        raise InputError(
            f"no pair of nodes meets more often than {negatives:g} negatives would: M is 0. Take fewer negatives, or a "
            "smaller window."
        )
    values, basis = largest(matrix, dim, "LM")
    return NetMF(values, basis, window, negatives, rank, int(matrix.nnz))


def largest(matrix: csr_array, k: int, which: str) -> tuple[Floats, Floats]:
    """The k largest eigenpairs of a symmetric matrix: by absolute value ("LM") or as they are ("LA"), largest first.

    Deterministic: Lanczos starts from a fixed vector, and each eigenvector's largest entry is made positive. Cost: up to 400
    nodes, or for nearly all pairs, a dense decomposition; else some hundred products with the matrix.
    """
    from scipy.linalg import eigh
    from scipy.sparse.linalg import eigsh

    n = matrix.shape[0]
    if n <= DENSE or k >= n - 1:
        values, basis = eigh(matrix.toarray())
    else:
        values, basis = eigsh(matrix, k, which=which, v0=np.random.default_rng(0).standard_normal(n))
    order = np.argsort(-np.abs(values) if which == "LM" else -values, kind="stable")[:k]
    values, basis = values[order], basis[:, order]
    peaks = basis[np.argmax(np.abs(basis), axis=0), np.arange(len(values))]
    return np.asarray(values), np.asarray(basis * np.where(peaks < 0, -1.0, 1.0))


def _within(name: str, value: int, n: int) -> None:
    if not 1 <= value <= n:
        raise InputError(f"{name!r} must lie in 1..{n:,}, the number of nodes; got {value!r}.")


def _exact_rows(law: PairLaw, negatives: float) -> Iterator[Floats]:
    for part in law.blocks():
        yield law.information(np.arange(part.start, part.stop), negatives)


def _filtered_rows(law: PairLaw, negatives: float, rank: int) -> Iterator[Floats]:
    from scipy.sparse import diags_array

    root = np.sqrt(law.strength)
    inverse = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
    # D^1/2 P D^-1/2 = D^-1/2 A D^-1/2.
    symmetric = diags_array(root) @ law.transition @ diags_array(inverse)
    values, basis = largest(symmetric.tocsr(), rank, "LA")
    powers, total = values.copy(), np.zeros_like(values)
    for _ in range(law.window):
        total += powers
        powers *= values
    scaled = basis * inverse[:, None]
    weighted = scaled * (total * law.strength.sum() / (negatives * law.window))
    for part in law.blocks():
        yield np.log(np.maximum(weighted[part] @ scaled.T, 1.0))


def _stored(rows: Iterator[Floats], n: int, limit_bytes: int) -> csr_array:
    """The blocks as one CSR matrix."""
    from scipy.sparse import csr_array, vstack

    parts, size = [], 0
    for block in rows:
        parts.append(csr_array(block))
        size += parts[-1].nnz * 12
        if size > limit_bytes:
            raise InputError(
                f"M of {n:,} nodes takes more than limit_bytes={limit_bytes:,}. Raise the limit, or take a smaller window: "
                "nodes that no walk of that many steps joins need no memory."
            )
    return vstack(parts, format="csr")
