"""The category of all paths of an acyclic graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import Ints, count, pairs, spread, starts, titles
from presheaf.finite.columns.graph import strong_components


def free_category(
    n: int,
    edges: ArrayLike,
    *,
    objects: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    limit: int = 5_000_000,
) -> Category:
    """The category of all paths of an acyclic graph.

    Parameters
    ----------
    n : number of objects
    edges : int (k, 2), source and target of each generator; parallel edges are allowed
    limit : most arrows allowed

    Raises
    ------
    InputError
        A cycle (its paths would be infinitely many; it is named), or more than ``limit`` paths.

    Notes
    -----
    Paths are numbered by length, then letter by letter. Cost: paths x generators at their ends.
    """
    n = count("n", n)
    edge = pairs("edges", edges, n)
    objects, names = titles("objects", objects, n), titles("names", names, len(edge))
    source, target = edge[:, 0], edge[:, 1]
    _refuse_cycle(n, edge, objects)
    order = np.argsort(source, kind="stable").astype(np.int32)
    first = starts(np.bincount(source, minlength=n))
    degree = np.diff(first)
    dom, cod = [np.arange(n, dtype=np.int32)], [np.arange(n, dtype=np.int32)]
    total = n
    while len(cod[-1]):
        owner, slot = spread(degree[cod[-1]])
        total += len(owner)
        if total > limit:
            raise InputError(f"the graph has more than {limit} paths; raise limit if that is meant.")
        letter = order[first[cod[-1][owner]] + slot]
        dom.append(dom[-1][owner])
        cod.append(target[letter])
    start, end = np.concatenate(dom), np.concatenate(cod)
    # Children were numbered in the order of their parents and slots, so the steps to the right are consecutive.
    right = np.arange(n, total, dtype=np.int32)
    generators = np.empty(len(edge), dtype=np.int32)
    generators[order] = np.arange(n, n + len(edge))
    return Category.from_steps(
        start, end, np.arange(n), generators, right, None, objects=objects, names=names, check=False
    )


def _refuse_cycle(n: int, edge: Ints, objects: Sequence[str] | None) -> None:
    order = np.argsort(edge[:, 0], kind="stable")
    first, target = starts(np.bincount(edge[:, 0], minlength=n)), edge[order, 1]
    part = strong_components(first, target) if n else np.empty(0, dtype=np.int32)
    inner = part[edge[order, 0]] == part[target]
    if not inner.any():
        return
    walk = [int(edge[order[np.flatnonzero(inner)[0]], 0])]
    while walk[-1] not in walk[:-1]:
        here = slice(int(first[walk[-1]]), int(first[walk[-1] + 1]))
        walk.append(int(target[here][inner[here]][0]))
    cycle = walk[walk.index(walk[-1]) :]
    shown = " -> ".join(str(c) if objects is None else objects[c] for c in cycle)
    raise InputError(f"the graph has the cycle {shown}, so its free category is infinite.")
