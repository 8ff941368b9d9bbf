"""Homs from features, matrices, probabilities, counts, graphs and relations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.hom import LIMIT, Hom
from presheaf.enriched.kernel import Kernel, angle, max_log_ratio
from presheaf.enriched.quantale import ANGLE, BOOL, COST, Quantale
from presheaf.enriched.sources import Features, Graph, Matrix, as_features
from presheaf.errors import InputError

Array = NDArray[Any]
MEASURE = "not known: measure it with presheaf.enriched.laws"


def hom_from_features(features: ArrayLike, kernel: Kernel, name: str | None = None) -> Hom:
    """Hom of a model: k_f(f(x), f(y)). Cost: one look at the features; distances are computed when they are asked for.

    Parameters
    ----------
    features : array of shape (n, d)
        float32 is kept as it is; integers become float64.
    kernel : Kernel

    Raises
    ------
    InputError
        If features are not finite, or the kernel can't use them.
    """
    array = as_features(features)
    kernel.form.check(array)
    return Hom(
        Features(array, kernel),
        name or kernel.name,
        kernel.quantale,
        kernel.symmetric,
        kernel.lawful,
        kernel.reason,
        kernel.fitted,
        kernel.positive_definite,
    )


def hom_from_distances(
    matrix: ArrayLike, quantale: Quantale, name: str = "distances", lawful: bool | None = None, reason: str = MEASURE
) -> Hom:
    """Hom from a matrix of distances D[x, y] of shape (n, n), in [0, quantale.cap]. Cost: n^2, and a copy.

    Raises
    ------
    InputError
        If the matrix is not square, or an entry is no distance of the quantale.
    """
    array = square_matrix(matrix, "distances")
    # Written so that nan fails too.
    inside = (array >= 0) & (array <= quantale.cap * (1 + 1e-6))
    if not inside.all():
        x, y = np.argwhere(~inside)[0]
        raise InputError(
            f"distances of the quantale {quantale.name} must lie in [0, {quantale.cap:g}]; got {array[x, y]:g} at ({x}, {y})."
        )
    symmetric = bool(np.array_equal(array, array.T))
    return Hom(Matrix(np.minimum(array, quantale.cap)), name, quantale, symmetric, lawful, reason)


def hom_from_values(matrix: ArrayLike, quantale: Quantale, name: str = "values") -> Hom:
    """Hom from a matrix of values hom(x, y) of the quantale, shape (n, n). Cost: n^2, and copies.

    Raises
    ------
    InputError
        If the matrix is not square, or an entry lies outside the carrier.
    """
    return hom_from_distances(quantale.distance(square_matrix(matrix, "values")), quantale, name)


def hom_from_probabilities(
    rows: ArrayLike, kernel: Kernel | None = None, floor: float = 0.0, name: str | None = None
) -> Hom:
    """Hom of a language model on prompts: rows[x, c] = probability of continuation c after x.

    Parameters
    ----------
    rows : array of shape (n, continuations)
        The same stated continuations for all prompts.
    kernel : Kernel, optional
        Default ``max_log_ratio()``, the hom the rows induce: directed and lawful. It is also the least robust;
        ``total_variation``, ``hellinger`` and ``jensen_shannon`` are lawful and symmetric.
    floor : float
        Probabilities below it are raised to it, and rows then over 1 scaled back; named in the hom. 0 leaves zeros,
        and one that is not shared makes a max log ratio infinite.

    Raises
    ------
    InputError
        If a row is not one of probabilities.

    Notes
    -----
    Cost: a pass over the rows, and a copy where they are floored; distances are computed when they are asked for.
    """
    if not 0 <= floor < 1:
        raise InputError(f"floor must lie in [0, 1); got {floor!r}.")
    chosen = max_log_ratio() if kernel is None else kernel
    array = as_features(rows, "rows")
    title = name or chosen.name
    if floor > 0:
        array = np.maximum(array, floor)
        array = array / np.maximum(array.sum(axis=1, keepdims=True), 1)
        title += f" (probabilities floored at {floor:g})"
    return hom_from_features(array, chosen, title)


def hom_from_counts(counts: Any, limit_bytes: int = LIMIT, name: str = "angle of PPMI rows") -> Hom:
    """Hom from co-occurrence counts: the angle between rows of positive pointwise mutual information.

    Parameters
    ----------
    counts : array or scipy sparse array of shape (n, contexts), >= 0
    limit_bytes : int
        The dense rows must fit.

    Returns
    -------
    Hom
        Quantale ANGLE: no entry is negative, so no angle exceeds pi/2. Lawful.

    Raises
    ------
    InputError
        If counts are no such table or negative, the rows don't fit, or an object is left without any positive information.

    Notes
    -----
    PPMI[x, c] = max(0, ln(N[x, c] N / (N[x] N[c]))) (Church and Hanks 1990, cut at 0). The weights use the totals of all
    objects, so the hom of a subset computed anew differs from ``take`` of it. Cost: sorting the stored counts, and the dense rows
    in float32.
    """
    from scipy.sparse import coo_array, issparse

    given = counts if issparse(counts) else np.asarray(counts)
    if len(given.shape) != 2 or given.dtype.kind not in "fiub":
        raise InputError(f"counts must be numbers of shape (n, contexts); got shape {given.shape} of {given.dtype}.")
    table = coo_array(given.astype(np.float64))
    table.sum_duplicates()
    if table.nnz and not (np.isfinite(table.data).all() and table.data.min() >= 0):
        raise InputError("counts must be finite and >= 0.")
    need = table.shape[0] * table.shape[1] * 4
    if need > limit_bytes:
        raise InputError(f"rows of shape {table.shape} take {need:,} bytes, more than limit_bytes={limit_bytes:,}.")
    present = table.data > 0
    x, c, count = table.coords[0][present], table.coords[1][present], table.data[present]
    per_object = np.bincount(x, weights=count, minlength=table.shape[0])
    per_context = np.bincount(c, weights=count, minlength=table.shape[1])
    rows = np.zeros(table.shape, dtype=np.float32)
    if len(count):
        rows[x, c] = np.maximum(0, np.log(count) + np.log(count.sum()) - np.log(per_object[x]) - np.log(per_context[c]))
    return hom_from_features(rows, replace(angle(), quantale=ANGLE), name)


def hom_from_graph(lengths: Any, directed: bool, name: str = "shortest path") -> Hom:
    """Hom from a graph: the length of the shortest path from x to y, inf where there is none; quantale COST.

    Parameters
    ----------
    lengths : scipy sparse array or matrix of shape (n, n), entries >= 0
        Stored entries are edges, also where 0. Paths are found row by row when asked for (Dijkstra).
    directed : bool
        Whether an edge leads one way only.

    Raises
    ------
    InputError
        If the matrix is not sparse and square, or a length is negative.

    Notes
    -----
    Cost: sorting the edges; later one search of the graph for each row, or column, that is asked for.
    """
    from scipy.sparse import csr_array, issparse

    if not issparse(lengths) or len(lengths.shape) != 2 or lengths.shape[0] != lengths.shape[1]:
        raise InputError("lengths must be a scipy sparse array of shape (n, n); stored entries are the edges.")
    edges = lengths.tocoo()
    if edges.nnz and not edges.data.min() >= 0:
        raise InputError(f"edge lengths must be >= 0; got {edges.data.min():g}.")
    start, end, data = edges.row, edges.col, edges.data.astype(np.float64)
    if not directed:
        start, end, data = np.concatenate([start, end]), np.concatenate([end, start]), np.concatenate([data, data])
    # Of parallel edges the shortest counts; converting would add them up.
    order = np.lexsort((data, end, start))
    start, end, data = start[order], end[order], data[order]
    first = np.ones(len(data), dtype=bool)
    first[1:] = (start[1:] != start[:-1]) | (end[1:] != end[:-1])
    n = edges.shape[0]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(start[first], minlength=n))])
    graph = csr_array((data[first], end[first].astype(np.int32), indptr.astype(np.int32)), shape=(n, n))
    reason = "proof: shortest paths compose, and the empty path has length 0"
    return Hom(Graph(graph, np.arange(n)), name, COST, not directed, True, reason)


def hom_from_relation(relation: ArrayLike, name: str = "preorder") -> Hom:
    """Hom of a finite category seen in Bool: hom(x, y) is true where there is a morphism from x to y.

    Parameters
    ----------
    relation : array of shape (n, n)
        True and false, or numbers of morphisms; positive is true.

    Raises
    ------
    InputError
        If it is not reflexive and transitive: a category's hom is both.

    Notes
    -----
    Cost: one product of n x n matrices for the check.
    """
    true = square_matrix(relation, "relation") > 0
    if not true.diagonal().all():
        raise InputError(f"relation must hold from every object to itself; {int(np.argmin(true.diagonal()))} lacks it.")
    steps = true.astype(np.float32)
    broken = (steps @ steps > 0) & ~true
    if broken.any():
        x, z = np.argwhere(broken)[0]
        y = int(np.argmax(true[x] & true[:, z]))
        raise InputError(
            f"relation must be transitive; it holds for ({x}, {y}) and ({y}, {z}), not for ({x}, {z}). Close it first "
            "(presheaf.enriched.closure)."
        )
    return hom_from_distances(BOOL.distance(true), BOOL, name, True, "proof: checked to be reflexive and transitive")


def square_matrix(matrix: ArrayLike, name: str) -> Array:
    """A matrix of numbers, shape (n, n), as floats.

    Raises
    ------
    InputError
        If it is none.
    """
    array = np.asarray(matrix)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.dtype.kind not in "fiub":
        raise InputError(f"{name} must be numbers of shape (n, n); got shape {array.shape} of {array.dtype}.")
    return array if array.dtype in (np.dtype(np.float32), np.dtype(np.float64)) else array.astype(np.float64)
