"""One numbering for isomorphic results: rows in the order in which they are met from given elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.compiled import kernel
from presheaf.finite.presented.presentation import Presentation

IntArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Table:
    """A covariant functor D -> Set with elements that generate it.

    ``sizes`` int64 (n,); ``columns`` one int32 array a generator; ``units`` int32, the generating elements in their
    order. ``first``, by object, says how each element is met first, by a shortest word: number i below the number of
    units at the object is the i-th of them, and after the units come blocks of ``sizes[a]`` numbers, one for each
    generator a -> here in order, the x-th of a block being "x, then that generator".
    """

    sizes: NDArray[np.int64]
    columns: tuple[IntArray, ...]
    units: IntArray
    first: tuple[IntArray, ...]

    def __post_init__(self) -> None:
        self.sizes.setflags(write=False)
        for array in (*self.columns, self.units, *self.first):
            array.setflags(write=False)

    def __repr__(self) -> str:
        return f"Table({self.sizes.tolist()} elements, {len(self.columns)} generators, {len(self.units)} units)"


def standardise(
    presentation: Presentation,
    sizes: NDArray[np.int64],
    columns: Sequence[IntArray],
    unit_objects: IntArray,
    units: IntArray,
    *,
    compiled: bool = True,
) -> Table:
    """Renumber a functor that its units generate: breadth first, units in order, then generators in order.

    Two isomorphic functors with corresponding units get the same table, whatever method made them, and every element
    gets a shortest word (Froidure and Pin 1997 number the elements of a semigroup so).

    Raises
    ------
    InputError
        If some element is reached from no unit.

    Notes
    -----
    O(rows times generators that leave their object).
    """
    total = int(sizes.sum())
    src = np.array([g[1] for g in presentation.generators], dtype=np.int32)
    dst = np.array([g[2] for g in presentation.generators], dtype=np.int32)
    base = np.concatenate([[0], np.cumsum(sizes)])
    if compiled and kernel is not None:
        order = np.empty(total, dtype=np.int32)
        parent = np.empty(total, dtype=np.int32)
        letter = np.empty(total, dtype=np.int32)
        flat = [np.ascontiguousarray(c, dtype=np.int32) for c in columns]
        reached = kernel.bfs(sizes, src, dst, flat, unit_objects, units, order, parent, letter)
    else:
        order, parent, letter = _breadth_first(base, src, dst, columns, unit_objects, units)
        reached = len(order)
    if reached < total:
        raise InputError(f"{total - reached} of {total} elements are reached from no unit.")
    kept, new = _by_object(order, base)
    out_columns = []
    for j in range(len(src)):
        a, b = int(src[j]), int(dst[j])
        out_columns.append(new[base[b] : base[b + 1]][columns[j][kept[a]]])
    unit_new = new[base[unit_objects] + units].astype(np.int32)
    first = _first_met(sizes, (src, dst), unit_objects, (kept, new), (parent, letter))
    return Table(sizes, tuple(out_columns), unit_new, first)


def _by_object(order: IntArray, base: NDArray[np.int64]) -> tuple[list[IntArray], IntArray]:
    """Elements of each object, as rows there, in the order of meeting; and each element's new row at its object."""
    n = len(base) - 1
    if n == 1:
        new = np.empty(len(order), dtype=np.int32)
        new[order] = np.arange(len(order), dtype=np.int32)
        return [order], new
    # A sort by counting, for which numpy wants few and short keys.
    kind = np.uint16 if n < 2**16 else np.int32
    object_of = np.repeat(np.arange(n, dtype=kind), np.diff(base))
    grouped = order[np.argsort(object_of[order], kind="stable")]
    new = np.empty(len(order), dtype=np.int32)
    new[grouped] = np.arange(len(order), dtype=np.int64) - np.repeat(base[:-1], np.diff(base))
    return [grouped[base[s] : base[s + 1]] - np.int32(base[s]) for s in range(n)], new


def _first_met(
    sizes: NDArray[np.int64],
    ends: tuple[IntArray, IntArray],
    unit_objects: IntArray,
    numbering: tuple[list[IntArray], IntArray],
    how: tuple[IntArray, IntArray],
) -> tuple[IntArray, ...]:
    """``Table.first`` from each element's parent and last letter in the search."""
    (src, dst), (kept, new), (parent, letter) = ends, numbering, how
    n = len(sizes)
    base = np.concatenate([[0], np.cumsum(sizes)])
    units_at = np.argsort(unit_objects, kind="stable")
    counts = np.bincount(unit_objects, minlength=n)
    starts = np.concatenate([[0], np.cumsum(counts)])[:-1]
    rank = np.empty(len(unit_objects), dtype=np.int32)
    rank[units_at] = np.arange(len(unit_objects)) - starts[unit_objects[units_at]]
    # Where a generator's block starts among the numbers at its target.
    by_target = np.argsort(dst, kind="stable")
    widths = sizes[src[by_target]]
    before = np.concatenate([[0], np.cumsum(widths)])[:-1]
    heads = np.searchsorted(dst[by_target], np.arange(n))
    block = np.empty(len(src), dtype=np.int64)
    target = dst[by_target]
    block[by_target] = counts[target] + before - before[heads[target]] if len(src) else before
    first = []
    for s in range(n):
        here = kept[s] + np.int32(base[s])
        up, by = parent[here], letter[here]
        inner = by >= 0
        up[~inner] = rank[up[~inner]]
        up[inner] = new[up[inner]] + block[by[inner]]
        first.append(up)
    return tuple(first)


def _breadth_first(
    base: NDArray[np.int64],
    src: IntArray,
    dst: IntArray,
    columns: Sequence[IntArray],
    unit_objects: IntArray,
    units: IntArray,
) -> tuple[IntArray, IntArray, IntArray]:
    """Layer by layer with numpy; the same order as one queue."""
    total = int(base[-1])
    parent = np.full(total, -2, dtype=np.int32)
    letter = np.full(total, -1, dtype=np.int32)
    rows = base[unit_objects] + units
    _, first = np.unique(rows, return_index=True)
    first.sort()
    layer = rows[first]
    parent[layer] = first
    layers = [layer]
    while len(layer):
        targets, places, gens = [], [], []
        where = np.searchsorted(base, layer, side="right") - 1
        for j in range(len(src)):
            place = np.flatnonzero(where == src[j])
            y = base[dst[j]] + columns[j][layer[place] - base[src[j]]]
            fresh = parent[y] == -2
            targets.append(y[fresh])
            places.append(place[fresh])
            gens.append(np.full(int(fresh.sum()), j))
        if not targets:
            break
        y, place, gen = np.concatenate(targets), np.concatenate(places), np.concatenate(gens)
        turn = np.lexsort((gen, place))
        y, place, gen = y[turn], place[turn], gen[turn]
        _, first = np.unique(y, return_index=True)
        first.sort()
        parent[y[first]] = layer[place[first]]
        letter[y[first]] = gen[first]
        layer = y[first]
        layers.append(layer)
    return np.concatenate(layers).astype(np.int32), parent, letter
