"""Functors from a finite category to sets, kept as columns of integers: presheaves and copresheaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError, one_of
from presheaf.finite import drawing
from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import Ints, Longs, blocks, frozen, ids, integers, place, spread, starts
from presheaf.finite.columns.arrays import count as whole

Variance = Literal["contravariant", "covariant"]

_FEW = 64


class SetFunctor:
    """A functor to finite sets: a presheaf (contravariant) or a copresheaf (covariant).

    Parameters
    ----------
    category : Category
    sizes : int (n,), how many elements each object has
    columns : k int arrays, one a generator. Covariant: the column of g: a -> b has ``sizes[a]`` entries below
        ``sizes[b]``; contravariant: ``sizes[b]`` entries below ``sizes[a]``
    variance : "contravariant" or "covariant"; there is no default

    Raises
    ------
    InputError
        A column of wrong length, an entry out of range (column and row are named), or a path equation of the category
        that doesn't hold (equation and row are named).

    Notes
    -----
    Only the relations of the category are checked (``Category.relations``): the rest follows from them. Cost: rows x
    length of the relation, or, where there are many relations, one entry for each arrow and row.
    """

    def __init__(
        self, category: Category, sizes: ArrayLike, columns: Sequence[ArrayLike], *, variance: Variance
    ) -> None:
        one_of("variance", variance, ("contravariant", "covariant"))
        n, k = category.n_objects, len(category.generators)
        if len(columns) != k:
            raise InputError(f"the category has {k} generators, so {k} columns are needed; got {len(columns)}.")
        size = ids("sizes", sizes, 2**31, (n,))
        covariant = variance == "covariant"
        tail = category.generator_dom if covariant else category.generator_cod
        head = category.generator_cod if covariant else category.generator_dom
        if int(size.astype(np.int64).sum()) >= 2**31:
            raise InputError(f"{int(size.astype(np.int64).sum())} elements don't fit int32 ids (at most {2**31 - 1}).")
        kept = []
        for j, column in enumerate(columns):
            a, b = int(tail[j]), int(head[j])
            kept.append(ids(f"column of generator {category.names[j]}", column, int(size[b]), (int(size[a]),)))
        self._set(category, size, tuple(kept), variance)
        _check_relations(self.covariant)

    @classmethod
    def trusted(
        cls, category: Category, sizes: NDArray[np.integer], columns: Sequence[Ints], *, variance: Variance
    ) -> SetFunctor:
        """A functor that its maker knows to be one: nothing is checked, nothing copied."""
        self = cls.__new__(cls)
        self._set(category, frozen(np.asarray(sizes, dtype=np.int32)), tuple(columns), variance)
        return self

    def _set(self, category: Category, sizes: Ints, columns: tuple[Ints, ...], variance: Variance) -> None:
        self.category = category
        self.sizes = sizes
        self.columns = columns
        self.variance: Variance = variance

    @cached_property
    def covariant(self) -> SetFunctor:
        """The same data as a covariant functor: on the category itself, or on its opposite for a presheaf."""
        if self.variance == "covariant":
            return self
        return SetFunctor.trusted(self.category.op, self.sizes, self.columns, variance="covariant")

    def like(self, sizes: NDArray[np.integer], columns: Sequence[Ints]) -> SetFunctor:
        """A functor on the same category with the same variance, from data known to be right."""
        return SetFunctor.trusted(self.category, sizes, columns, variance=self.variance)

    @cached_property
    def offsets(self) -> Longs:
        """Where each object's elements start when all are numbered 0, 1, ... through, int64 (n + 1,)."""
        return frozen(starts(self.sizes))

    @property
    def n_elements(self) -> int:
        """How many elements over all objects."""
        return int(self.offsets[-1])

    def element(self, number: int) -> tuple[int, int]:
        """Object and row of the element with this number."""
        c = int(np.searchsorted(self.offsets, number, side="right")) - 1
        return c, int(number - self.offsets[c])

    @cached_property
    def flat(self) -> tuple[Longs, Ints]:
        """All columns end to end: where each starts, int64 (k + 1,), and the entries."""
        lengths = np.array([len(c) for c in self.columns], dtype=np.int64)
        return starts(lengths), np.concatenate([np.empty(0, dtype=np.int32), *self.columns])

    def apply(self, arrow: int, rows: ArrayLike) -> Ints:
        """T(arrow) at some rows: of the source object if covariant, of the target object if contravariant."""
        side = self.covariant.category
        arrow = place("arrow", arrow, side.n_arrows)
        out: Ints = integers("rows", rows).astype(np.int64)
        many = int(self.sizes[side.dom[arrow]])
        if out.size and not 0 <= int(out.min()) <= int(out.max()) < many:
            raise InputError(
                f"rows must lie between 0 and {many - 1}, those of {side.objects[side.dom[arrow]]}; got {rows!r:.60}."
            )
        out = out.astype(np.int32)
        for j in side.word(arrow):
            out = self.columns[j][out]
        return out

    @cached_property
    def element_graph(self) -> tuple[Longs, Ints]:
        """Elements as nodes, one edge for each generator that can be applied, in the generators' order.

        Returns
        -------
        first : int64 (elements + 1,), where each element's edges start
        target : int32 (edges,), the element that the edge leads to
        """
        t = self.covariant
        leave = np.diff(t.category._right.first)
        degree = np.repeat(leave, t.sizes)
        first = starts(degree)
        begin, entries = t.flat
        owner, row = spread(np.diff(begin))
        source = t.offsets[t.category.generator_dom[owner]] + row
        target = np.empty(len(entries), dtype=np.int32)
        target[first[source] + t.category._right.slot[owner]] = t.offsets[t.category.generator_cod[owner]] + entries
        return first, target

    def orbit(self, c: int, row: int) -> Ints:
        """T(f) of one element for every arrow f out of c (into c for a presheaf), in the order of ``arrows_from``.

        This is the Yoneda lemma's map from the representable of c, x being its value at the identity. Cost: linear in
        the arrows at c, one vectorised step for each word length.
        """
        t = self.covariant
        category = t.category
        c = place("object", c, category.n_objects)
        row = place(f"row of {category.objects[c]}", row, int(self.sizes[c]))
        here = category.out(c)
        value = np.full(category.n_arrows, -1, dtype=np.int32)
        value[category.identity[c]] = row
        begin, entries = t.flat
        for layer in category.tree.layers() if len(here) == category.n_arrows else _layers(category, here):
            value[layer] = entries[begin[category.last[layer]] + value[category.parent[layer]]]
        return value[here]

    def arrows_from(self, c: int) -> Ints:
        """The arrows that act on elements at c: out of c if covariant, into c if contravariant; by other end."""
        return self.covariant.category.out(c)

    def _repr_html_(self) -> str:
        return drawing.functor_html(self)

    def __repr__(self) -> str:
        what = "Presheaf" if self.variance == "contravariant" else "Copresheaf"
        names = self.category.objects
        if len(names) > 12:
            return f"{what}({self.n_elements} elements over {len(names)} objects, {len(self.columns)} columns)"
        return f"{what}({', '.join(f'{c}: {s}' for c, s in zip(names, self.sizes.tolist(), strict=True))})"


def _layers(category: Category, arrows: Ints) -> Iterator[Ints]:
    """Some arrows by word length, from length 1 on."""
    tree = category.tree
    rank = np.empty(category.n_arrows, dtype=np.int64)
    rank[tree.order] = np.arange(len(tree.order))
    ordered = np.sort(rank[arrows])
    for a, b in pairwise(np.searchsorted(ordered, tree.bounds)[1:]):
        yield tree.order[ordered[a:b]]


def presheaf(category: Category, sizes: ArrayLike, columns: Sequence[ArrayLike]) -> SetFunctor:
    """A contravariant functor to sets; checks and cost: see ``SetFunctor``."""
    return SetFunctor(category, sizes, columns, variance="contravariant")


def copresheaf(category: Category, sizes: ArrayLike, columns: Sequence[ArrayLike]) -> SetFunctor:
    """A covariant functor to sets; checks and cost: see ``SetFunctor``."""
    return SetFunctor(category, sizes, columns, variance="covariant")


def constant(category: Category, size: int, *, variance: Variance) -> SetFunctor:
    """The functor with the same ``size`` elements everywhere; size 1 is the terminal one.

    Raises
    ------
    InputError
        A size that is no whole number, or more elements in all than int32 ids can number.
    """
    one_of("variance", variance, ("contravariant", "covariant"))
    size = whole("size", size)
    if size * category.n_objects >= 2**31:
        raise InputError(
            f"{size:,} elements at each of {category.n_objects:,} objects don't fit int32 ids (at most {2**31 - 1:,})."
        )
    row = frozen(np.arange(size, dtype=np.int32))
    sizes = np.full(category.n_objects, size)
    return SetFunctor.trusted(category, sizes, [row] * len(category.generators), variance=variance)


def _equation(category: Category, x: int, j: int, y: int) -> str:
    def text(word: tuple[int, ...]) -> str:
        return ";".join(category.names[i] for i in word) if word else "identity"

    return f"{text((*category.word(x), j))} = {text(category.word(y))}"


def _check_relations(t: SetFunctor) -> None:
    """Raise where a relation of the category fails on a covariant functor."""
    category = t.category
    x, j, y = category.relations
    if len(x) <= _FEW:
        for a, g, b in zip(x.tolist(), j.tolist(), y.tolist(), strict=True):
            rows = np.arange(t.sizes[category.dom[a]], dtype=np.int32)
            _compare(t, (a, g, b), t.columns[g][t.apply(a, rows)], t.apply(b, rows))
        return
    count = t.sizes[category.dom].astype(np.int64)
    for low, high in _row_blocks(t, count):
        at, values = action(t, low, high)
        length = np.minimum(count, high) - np.minimum(count, low)
        for a, b in blocks(length[x]):
            owner, place = spread(length[x[a:b]])
            e = owner + a
            begin, entries = t.flat
            one = entries[begin[j[e]] + values[at[x[e]] + place]]
            two = values[at[y[e]] + place]
            wrong = np.flatnonzero(one != two)
            if len(wrong):
                r = int(e[wrong[0]])
                rows = np.arange(t.sizes[category.dom[x[r]]], dtype=np.int32)
                done = int(x[r]), int(j[r]), int(y[r])
                _compare(t, done, t.columns[done[1]][t.apply(done[0], rows)], t.apply(done[2], rows))


def _row_blocks(t: SetFunctor, count: Longs) -> list[tuple[int, int]]:
    top = int(t.sizes.max(initial=0))
    step = max(1, int((1 << 24) // max(1, int((count > 0).sum()))))
    return [(low, min(low + step, top)) for low in range(0, top, step)]


def _compare(t: SetFunctor, relation: tuple[int, int, int], one: Ints, two: Ints) -> None:
    wrong = np.flatnonzero(one != two)
    if len(wrong):
        row, at = int(wrong[0]), t.category.objects[t.category.dom[relation[0]]]
        raise InputError(
            f"the path equation {_equation(t.category, *relation)} fails at row {row} of object {at}: {int(one[row])} "
            f"on the left, {int(two[row])} on the right (letters in the order in which they act); "
            f"{len(wrong)} rows fail."
        )


def action(t: SetFunctor, low: int = 0, high: int | None = None) -> tuple[Longs, Ints]:
    """T(f)(row) for every arrow f and every row low <= row < high of its source, for a covariant functor.

    Returns
    -------
    at : int64 (m + 1,), where each arrow's values start
    values : int32, arrow by arrow, row by row

    Notes
    -----
    Cost and memory: the sum of the rows over all arrows; one vectorised step for each word length.
    """
    category = t.category
    size = t.sizes[category.dom].astype(np.int64)
    top = size if high is None else np.minimum(size, high)
    count = np.maximum(top - low, 0)
    at = starts(count)
    values = np.empty(int(at[-1]), dtype=np.int32)
    owner, row = spread(count[category.identity])
    values[at[category.identity[owner]] + row] = row + low
    begin, entries = t.flat
    for layer in category.tree.layers():
        owner, row = spread(count[layer])
        x = layer[owner]
        values[at[x] + row] = entries[begin[category.last[x]] + values[at[category.parent[x]] + row]]
    return at, values
