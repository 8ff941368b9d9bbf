"""All natural transformations into a set-valued functor as tables of integers, for many sources at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Bools, Ints, Longs, frozen, starts
from presheaf.finite.columns.graph import weak_components
from presheaf.finite.columns.joins import Factor, joined
from presheaf.finite.columns.rows import RowIndex, sorted_rows
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.yoneda import addresses, generators

Image = Callable[[int], Ints]


@dataclass(frozen=True, eq=False)
class Families:
    """For each part P_d of P all natural transformations P_d -> T, one a row: the images of P_d's generators.

    Attributes
    ----------
    weight, target : covariant SetFunctors P and T on one category
    roots : int (r,), generating elements of P, sorted by part
    first : int64 (parts + 1,), where the generators of each part start
    tables : for each part an int32 array (families, generators), rows in lexicographic order
    """

    weight: SetFunctor
    target: SetFunctor
    roots: Longs
    first: Longs
    tables: tuple[Ints, ...]
    _index: tuple[RowIndex, ...]
    _root: Ints
    _arrow: Ints

    def values(self, d: int, element: int) -> Ints:
        """What every family of part d does to one element of that part: rows of T."""
        slot = int(self._root[element] - self.first[d])
        return self.target.apply(int(self._arrow[element]), self.tables[d][:, slot])

    def value(self, d: int, row: int, elements: NDArray[np.integer]) -> Ints:
        """What one family of part d does to some elements of that part: rows of T. One step an arrow."""
        roots = self.tables[d][row][self._root[elements] - self.first[d]]
        out = np.empty(len(elements), dtype=np.int32)
        arrow = self._arrow[elements]
        order = np.argsort(arrow, kind="stable")
        cuts = np.flatnonzero(np.diff(arrow[order], prepend=-1, append=-1))
        for a, b in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            here = order[a:b]
            out[here] = self.target.apply(int(arrow[here[0]]), roots[here])
        return out

    def find(self, d: int, images: NDArray[np.integer]) -> Ints:
        """The family of part d with given images of the generators, for each row of images; -1 if there is none."""
        return self._index[d].find(images)

    def column(self, d: int, e: int, elements: NDArray[np.integer]) -> Ints:
        """Families of part d read as families of part e, along a map P_e -> P_d.

        Parameters
        ----------
        elements : for each generator of part e the element of part d that it goes to
        """
        images = np.zeros((len(self.tables[d]), len(elements)), dtype=np.int32)
        for i, element in enumerate(elements.tolist()):
            images[:, i] = self.values(d, element)
        return frozen(self.find(e, images))


def families(
    weight: SetFunctor, part: Ints, names: Sequence[str], target: SetFunctor, *, most: int = 50_000_000
) -> Families:
    """All natural transformations from the parts of P to T.

    Parameters
    ----------
    weight : covariant SetFunctor P, a disjoint union
    part : int32 (elements of P,), the part that each element belongs to
    names : the parts' names, for messages
    target : covariant SetFunctor T
    most : most families of one part, and most rows of an intermediate table

    Raises
    ------
    InputError
        More than ``most`` rows; the part is named.

    Notes
    -----
    A conjunctive query for each part: one variable for each generator of the part, one condition for each relation
    between generators. Values that can't be completed are struck out until nothing changes (arc consistency), then
    generators are joined, linked ones first, and what isn't linked is multiplied out. Cost: rows met; exponential in
    the generators at worst, as the answer is.
    """
    cover = generators(weight)
    element = weight.offsets[cover.objects] + cover.rows
    order = np.argsort(part[element], kind="stable")
    roots = element[order]
    first = starts(np.bincount(part[roots], minlength=len(names)))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    links = cover.relations.astype(np.int64)
    links[:, 0], links[:, 2] = place[links[:, 0]], place[links[:, 2]]
    links = links[np.argsort(part[roots[links[:, 0]]], kind="stable")]
    cuts = np.searchsorted(part[roots[links[:, 0]]], np.arange(len(names) + 1))
    objects = cover.objects[order]
    tables, index = [], []
    for d, name in enumerate(names):
        a, b = int(first[d]), int(first[d + 1])
        mine = links[cuts[d] : cuts[d + 1]] - np.array([a, 0, a, 0])
        try:
            table = _solutions(objects[a:b].tolist(), mine, target, most)
        except InputError as error:
            raise InputError(f"at object {name} the natural transformations are too many to list: {error}") from error
        tables.append(frozen(table))
        index.append(RowIndex(table, target.sizes[objects[a:b]].tolist()))
    root, arrow = addresses(weight, roots)
    return Families(weight, target, roots, first, tuple(tables), tuple(index), root, arrow)


def _solutions(objects: list[int], links: NDArray[np.int64], t: SetFunctor, most: int) -> Ints:
    """All choices of x_i in T(objects[i]) with T(f) x_i = T(g) x_j for each link (i, f, j, g), sorted."""
    known: dict[int, Ints] = {}

    def image(arrow: int) -> Ints:
        if arrow not in known:
            known[arrow] = t.apply(arrow, np.arange(int(t.sizes[t.category.dom[arrow]]), dtype=np.int32))
        return known[arrow]

    alive = [np.ones(int(t.sizes[c]), dtype=bool) for c in objects]
    shared: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for i, f, j, g in links.tolist():
        if i == j:
            alive[i] &= image(f) == image(g)
        else:
            shared.setdefault((j, g), {(j, g)}).add((i, f))
    meets: list[dict[int, int]] = []
    for speakers in shared.values():
        meet: dict[int, int] = {}
        for i, f in sorted(speakers):
            if i in meet:
                alive[i] &= image(f) == image(meet[i])
            else:
                meet[i] = f
        meets.append(meet)
    _strike(alive, meets, image, t)
    rows = [np.flatnonzero(a).astype(np.int32) for a in alive]
    if len(rows) == 1 and len(rows[0]) <= most:
        return rows[0][:, None]
    parts = [_linked(group, rows, meets, image, most) for group in _groups(len(objects), meets)]
    total = prod(len(part.rows) for part in parts)
    if total > most:
        raise InputError(f"there are {total}, more than the limit of {most}.")
    result = Factor((), np.zeros((1, 0), dtype=np.int32), np.ones(1, dtype=np.int64), 0)
    for part in parts:
        result = joined(result, part, most)
    return sorted_rows(result.rows[:, np.argsort(result.variables)] if objects else result.rows)


def _strike(alive: list[Bools], meets: list[dict[int, int]], image: Image, t: SetFunctor) -> None:
    """Strike out values of which some condition says that no partner has them, until nothing changes."""
    speaks: list[list[int]] = [[] for _ in alive]
    for v, meet in enumerate(meets):
        for i in meet:
            speaks[i].append(v)
    waiting = deque(range(len(meets)))
    queued = set(waiting)
    while waiting:
        v = waiting.popleft()
        queued.remove(v)
        meet = meets[v]
        common: Bools = np.ones(int(t.sizes[t.category.cod[next(iter(meet.values()))]]), dtype=bool)
        for i, f in meet.items():
            seen = np.zeros(len(common), dtype=bool)
            seen[image(f)[alive[i]]] = True
            common &= seen
        for i, f in meet.items():
            keep = alive[i] & common[image(f)]
            if keep.sum() < alive[i].sum():
                alive[i] = keep
                fresh = [w for w in speaks[i] if w != v and w not in queued]
                waiting.extend(fresh)
                queued.update(fresh)


def _groups(many: int, meets: list[dict[int, int]]) -> list[list[int]]:
    """Variables that conditions link, directly or through others."""
    pairs = [(next(iter(meet)), i) for meet in meets for i in meet]
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    label = weak_components(many, ends[:, 0], ends[:, 1])
    order = np.argsort(label, kind="stable")
    return [group.tolist() for group in np.split(order, np.flatnonzero(np.diff(label[order])) + 1)] if many else []


def _linked(group: list[int], rows: list[Ints], meets: list[dict[int, int]], image: Image, most: int) -> Factor:
    """The join of variables that hang together, most linked first, then fewest values; only they are kept as columns."""
    inside = set(group)
    conditions: dict[int, list[tuple[int, int]]] = {i: [] for i in group}
    for v, meet in enumerate(meets):
        for i, f in meet.items():
            if i in inside:
                conditions[i].append((v, f))
    shift = len(rows)
    open_: dict[int, int] = {v: len(meets[v]) for i in group for v, _ in conditions[i]}
    todo = set(group)
    front = {min(group, key=lambda i: (len(rows[i]), i))}
    linked = dict.fromkeys(group, 0)
    result = Factor((), np.zeros((1, 0), dtype=np.int32), np.ones(1, dtype=np.int64), 0)
    while front:
        i = min(front, key=lambda r: (-linked[r], len(rows[r]), r))
        todo.remove(i)
        columns = [rows[i], *(image(f)[rows[i]] for _, f in conditions[i])]
        names = (i, *(shift + v for v, _ in conditions[i]))
        # Weight 0 in ``total`` keeps the join from counting: only the rows matter here.
        step = Factor(names, np.stack(columns, axis=1), np.ones(len(rows[i]), dtype=np.int64), 0)
        result = joined(result, step, most)
        for v, _ in conditions[i]:
            open_[v] -= 1
            for r in meets[v]:
                linked[r] += 1
                front.add(r)
        front &= todo
        keep = [p for p, name in enumerate(result.variables) if name < shift or open_[name - shift]]
        result = Factor(tuple(result.variables[p] for p in keep), result.rows[:, keep], result.weights, 0)
    return result
