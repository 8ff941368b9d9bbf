"""Categories with at most one arrow between two objects: preorders, chains, discrete categories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import Ints, count, spread, starts, titles
from presheaf.finite.columns.arrays import pairs as checked


def from_preorder(relation: ArrayLike, *, objects: Sequence[str] | None = None) -> Category:
    """The category of a preorder: one arrow a -> b where ``relation[a, b]``; identities are added.

    Parameters
    ----------
    relation : bool (n, n), transitive

    Raises
    ------
    InputError
        Not transitive: the triple a <= b <= c without a <= c is named.

    Notes
    -----
    Generators: the covers between classes of equal objects, and a cycle through each class. Cost: one matrix product
    of n x n, and the arrows.
    """
    order = np.asarray(relation)
    if order.dtype.kind not in "biuf" and order.size:
        raise InputError(f"relation must hold truth values; got {order.dtype}.")
    if order.size == 0:
        order = np.empty((0, 0), dtype=bool)
    objects = titles("objects", objects, len(order))
    if order.ndim != 2 or order.shape[0] != order.shape[1]:
        raise InputError(f"relation must be square; got shape {order.shape}.")
    below = order.astype(bool) | np.eye(len(order), dtype=bool)
    step = below.astype(np.float32)
    wrong = np.argwhere((step @ step > 0) & ~below)
    if len(wrong):
        a, c = (int(i) for i in wrong[0])
        b = int(np.flatnonzero(below[a] & below[:, c])[0])
        name = objects if objects is not None else [str(i) for i in range(len(order))]
        raise InputError(
            f"not transitive at the triple ({name[a]}, {name[b]}, {name[c]}): {name[a]} <= {name[b]} <= {name[c]}, but "
            f"not {name[a]} <= {name[c]}."
        )
    dom, cod = np.nonzero(below)
    return _thin(len(order), dom, cod, objects)


def from_covers(n: int, pairs: ArrayLike, *, objects: Sequence[str] | None = None) -> Category:
    """The preorder that pairs (a, b), read a <= b, generate; the pairs need not be covers, cycles are allowed.

    Cost: the arrows of the result, by squaring a sparse matrix; nothing of size n x n is made.
    """
    n = count("n", n)
    edge = checked("pairs", pairs, n)
    objects = titles("objects", objects, n)
    eye = np.arange(n)
    ones = np.ones(len(edge) + n, dtype=np.int32)
    closure = csr_matrix((ones, (np.append(edge[:, 0], eye), np.append(edge[:, 1], eye))), shape=(n, n))
    known = -1
    while closure.nnz != known:
        known = closure.nnz
        closure.data[:] = 1
        closure = closure @ closure
    closure.sort_indices()
    dom = np.repeat(np.arange(n), np.diff(closure.indptr))
    return _thin(n, dom, closure.indices, objects)


def _thin(n: int, source: NDArray[np.integer], target: NDArray[np.integer], objects: Sequence[str] | None) -> Category:
    """The thin category whose arrows are these pairs, sorted by source, then target, reflexive and transitive."""
    dom, cod = source.astype(np.int32), target.astype(np.int32)
    key = dom.astype(np.int64) * n + cod
    label = np.zeros(n, dtype=np.int64)
    if n:
        graph = csr_matrix((np.ones(len(dom)), (dom, cod)), shape=(n, n))
        label = connected_components(graph, directed=True, connection="strong")[1].astype(np.int64)
    chief = np.full(n, n, dtype=np.int64)
    np.minimum.at(chief, label, np.arange(n))
    chief = chief[label]
    strict = (chief[dom] != chief[cod]) & (chief[dom] == dom) & (chief[cod] == cod)
    a, b = dom[strict], cod[strict]
    less = csr_matrix((np.ones(len(a), dtype=np.int32), (a, b)), shape=(n, n))
    two = less @ less
    two.data[:] = 1
    cover = (less - less.multiply(two > 0)).tocoo()
    keep = cover.data > 0
    by_class = np.lexsort((np.arange(n), chief))
    after = np.roll(by_class, -1)
    last = chief[by_class] != chief[after]
    if n:
        last[-1] = True
        after[last] = chief[by_class[last]]
    cycle = by_class != after
    from_ = np.concatenate([cover.row[keep], by_class[cycle]])
    to = np.concatenate([cover.col[keep], after[cycle]])
    sort = np.lexsort((to, from_))
    from_, to = from_[sort], to[sort]

    def arrow(x: NDArray[np.integer], y: NDArray[np.integer]) -> Ints:
        return np.searchsorted(key, x.astype(np.int64) * n + y).astype(np.int32)

    flat: list[Ints] = []
    for ends, joint, other, right in ((cod, from_, to, True), (dom, to, from_, False)):
        order = np.argsort(joint, kind="stable")
        first = starts(np.bincount(joint, minlength=n))
        owner, slot = spread(np.diff(first)[ends])
        far = other[order[first[ends[owner]] + slot]]
        flat.append(arrow(dom[owner], far) if right else arrow(far, cod[owner]))
    title = list(objects) if objects is not None else [str(i) for i in range(n)]
    names = [f"{title[x]}<{title[y]}" for x, y in zip(from_.tolist(), to.tolist(), strict=True)]
    every = np.arange(n)
    return Category.from_steps(
        dom, cod, arrow(every, every), arrow(from_, to), flat[0], flat[1], objects=objects, names=names, check=False
    )


def chain(n: int) -> Category:
    """The order 0 < 1 < ... < n-1, with its n (n + 1) / 2 arrows; InputError if these don't fit int32 ids."""
    arrows = count("n", n) * (n + 1) // 2
    if arrows >= 2**31:
        raise InputError(
            f"a chain of {n:,} objects has {arrows:,} arrows; they don't fit int32 ids (at most {2**31 - 1:,})."
        )
    return from_covers(n, np.stack([np.arange(n - 1), np.arange(1, n)], axis=1) if n > 1 else [])


def discrete(n: int, *, objects: Sequence[str] | None = None) -> Category:
    """n objects and nothing but their identities; InputError if n doesn't fit int32 ids."""
    return from_covers(n, [], objects=objects)
