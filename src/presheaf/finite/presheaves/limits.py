"""Limits and colimits of set-valued functors, computed at each object, all objects at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Ints, frozen, spread, starts
from presheaf.finite.columns.graph import weak_components
from presheaf.finite.columns.joins import Factor, joined
from presheaf.finite.columns.rows import RowIndex, sorted_rows
from presheaf.finite.presheaves.flat import objects_of, split, values
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.transformation import Transformation

Map = tuple[int, int, Transformation]

_PLACE = -1
"""The variable of a join that holds the object."""


@dataclass(frozen=True)
class Cone:
    """A limit: the apex and its projections.

    Attributes
    ----------
    apex : SetFunctor
    legs : one transformation from the apex to each part
    """

    apex: SetFunctor
    legs: tuple[Transformation, ...]
    _index: RowIndex = field(repr=False)

    def factor(self, legs: Sequence[Transformation]) -> Transformation:
        """The one transformation into the apex that yields the given cone.

        Raises
        ------
        InputError
            The legs don't start at one functor, aren't as many as the parts, or don't form a cone (row is named).
        """
        if len(legs) != len(self.legs) or any(leg.source is not legs[0].source for leg in legs):
            raise InputError(f"{len(self.legs)} legs from one functor are needed.")
        source = legs[0].source
        at = np.repeat(np.arange(len(source.sizes)), source.sizes)
        wanted = np.stack([at, *(values(leg) for leg in legs)], axis=1)
        place = self._index.find(wanted)
        missing = np.flatnonzero(place < 0)
        if len(missing):
            c, row = source.element(int(missing[0]))
            name, given = source.category.objects[c], wanted[missing[0], 1:].tolist()
            raise InputError(f"row {row} of {name}: the legs give {given}, no point there.")
        return Transformation.trusted(source, self.apex, split(place - self.apex.offsets[at], source))


@dataclass(frozen=True)
class Cocone:
    """A colimit: the apex and its injections.

    Attributes
    ----------
    apex : SetFunctor
    legs : one transformation from each part to the apex
    """

    apex: SetFunctor
    legs: tuple[Transformation, ...]

    def factor(self, legs: Sequence[Transformation]) -> Transformation:
        """The one transformation out of the apex that yields the given cocone.

        Raises
        ------
        InputError
            The legs don't end at one functor, aren't as many as the parts, or don't form a cocone (row is named).
        """
        if len(legs) != len(self.legs) or any(leg.target is not legs[0].target for leg in legs):
            raise InputError(f"{len(self.legs)} legs to one functor are needed.")
        out = np.full(self.apex.n_elements, -1, dtype=np.int32)
        places = [self.apex.offsets[objects_of(leg.source)] + values(leg) for leg in self.legs]
        for place, theirs in zip(places, legs, strict=True):
            out[place] = values(theirs)
        for i, (place, theirs) in enumerate(zip(places, legs, strict=True)):
            wrong = np.flatnonzero(out[place] != values(theirs))
            if len(wrong):
                c, row = theirs.source.element(int(wrong[0]))
                name = theirs.source.category.objects[c]
                raise InputError(f"leg {i} sends row {row} of {name} elsewhere than what it is glued to.")
        return Transformation.trusted(self.apex, legs[0].target, split(out, self.apex))


def _check(parts: Sequence[SetFunctor], maps: Sequence[Map]) -> None:
    if not parts:
        raise InputError("an empty diagram: its limit is constant(category, 1), its colimit constant(category, 0).")
    for i, part in enumerate(parts):
        if part.category is not parts[0].category or part.variance != parts[0].variance:
            raise InputError(f"part {i} lives on another category, or has another variance, than part 0.")
    for number, (i, j, f) in enumerate(maps):
        if not (0 <= i < len(parts) and 0 <= j < len(parts)):
            raise InputError(f"map {number} runs from part {i} to part {j}; there are {len(parts)} parts.")
        if not (np.array_equal(f.source.sizes, parts[i].sizes) and np.array_equal(f.target.sizes, parts[j].sizes)):
            raise InputError(f"map {number} doesn't run from part {i} to part {j}: the sizes differ.")


def limit(parts: Sequence[SetFunctor], maps: Sequence[Map] = (), *, most: int = 50_000_000) -> Cone:
    """The limit of a diagram of set-valued functors, computed at each object.

    Parameters
    ----------
    parts : the functors of the diagram
    maps : triples (i, j, transformation from part i to part j); those that generate the shape are enough
    most : most rows of an intermediate table

    Raises
    ------
    InputError
        No parts, parts on different categories, a map between other parts, or more than ``most`` rows.

    Notes
    -----
    Elements are the compatible families, in lexicographic order: a natural join, one step a map, over all objects at
    once; parts that a map joins are taken together first. Cost: the rows met.
    """
    _check(parts, maps)
    at = [objects_of(part) for part in parts]
    rows = [np.arange(part.n_elements) - part.offsets[c] for part, c in zip(parts, at, strict=True)]
    result = _relation((_PLACE,), [np.arange(len(parts[0].sizes))])
    pending = [(i, j, values(f)) for i, j, f in maps]
    todo = list(range(len(parts)))
    while todo or pending:
        known = set(result.variables)
        which = next((n for n, (i, j, _) in enumerate(pending) if i in known or j in known), None)
        if which is None and todo:
            step = _relation((_PLACE, todo[0]), [at[todo[0]], rows[todo[0]]])
        else:
            i, j, image = pending.pop(which or 0)
            loop = rows[i] == image
            step = (
                _relation((_PLACE, i, j), [at[i], rows[i], image])
                if i != j
                else _relation((_PLACE, i), [at[i][loop], rows[i][loop]])
            )
        result = joined(result, step, most)
        todo = [i for i in todo if i not in result.variables]
    order = [result.variables.index(i) for i in (_PLACE, *range(len(parts)))]
    table = sorted_rows(result.rows[:, order])
    index = RowIndex(table, [len(parts[0].sizes), *(int(part.sizes.max(initial=0)) for part in parts)])
    apex = _apex(parts, table, index)
    legs = (Transformation.trusted(apex, part, split(table[:, i + 1], apex)) for i, part in enumerate(parts))
    return Cone(apex, tuple(legs), index)


def _apex(parts: Sequence[SetFunctor], table: Ints, index: RowIndex) -> SetFunctor:
    """The functor of families; row of ``table``: the object, then one row a part."""
    side = parts[0].covariant.category
    sizes = np.bincount(table[:, 0], minlength=side.n_objects)
    first = starts(sizes)
    length = sizes[side.generator_dom]
    g, row = spread(length)
    family = table[first[side.generator_dom[g]] + row]
    moved = np.empty_like(family)
    moved[:, 0] = side.generator_cod[g]
    for i, part in enumerate(parts):
        begin, entries = part.flat
        moved[:, i + 1] = entries[begin[g] + family[:, i + 1]]
    column = frozen((index.find(moved) - first[moved[:, 0]]).astype(np.int32))
    cuts = starts(length).tolist()
    return parts[0].like(sizes, [column[a:b] for a, b in pairwise(cuts)])


def _relation(variables: tuple[int, ...], columns: Sequence[NDArray[np.integer]]) -> Factor:
    # Weight 0 in ``total`` keeps the join from counting: only the rows matter here.
    rows = np.stack([column.astype(np.int32) for column in columns], axis=1)
    return Factor(variables, rows, np.ones(len(rows), dtype=np.int64), 0)


def colimit(parts: Sequence[SetFunctor], maps: Sequence[Map] = ()) -> Cocone:
    """The colimit of a diagram of set-valued functors, computed at each object.

    Parameters and errors: see ``limit``.

    Notes
    -----
    Disjoint union, then connected components, numbered by their first element. Near-linear.
    """
    _check(parts, maps)
    side = parts[0].covariant.category
    base = starts(np.array([part.n_elements for part in parts]))
    at = np.concatenate([objects_of(part) for part in parts])
    none = np.empty(0, dtype=np.int64)
    source = [base[i] + np.arange(f.source.n_elements) for i, _, f in maps]
    target = [base[j] + parts[j].offsets[objects_of(f.source)] + values(f) for _, j, f in maps]
    label = weak_components(int(base[-1]), np.concatenate([none, *source]), np.concatenate([none, *target]))
    _, chief = np.unique(label, return_index=True)
    order = np.argsort(at[chief], kind="stable")
    sizes = np.bincount(at[chief], minlength=side.n_objects)
    first = starts(sizes)
    row = np.empty(len(order), dtype=np.int64)
    row[order] = np.arange(len(order)) - first[at[chief[order]]]
    found = row[label]
    cuts = starts(sizes[side.generator_dom])
    column = np.zeros(int(cuts[-1]), dtype=np.int32)
    for i, part in enumerate(parts):
        begin, entries = part.flat
        g, x = spread(np.diff(begin))
        here = base[i] + part.offsets[side.generator_dom[g]] + x
        column[cuts[g] + found[here]] = found[base[i] + part.offsets[side.generator_cod[g]] + entries]
    apex = parts[0].like(sizes, [frozen(column)[a:b] for a, b in pairwise(cuts.tolist())])
    legs = (
        Transformation.trusted(part, apex, split(found[a:b], part))
        for part, (a, b) in zip(parts, pairwise(base.tolist()), strict=True)
    )
    return Cocone(apex, tuple(legs))


def product(*parts: SetFunctor) -> Cone:
    """The product; legs are the projections. Cost: linear in its elements, and sorting them."""
    return limit(parts)


def equalizer(f: Transformation, g: Transformation) -> Cone:
    """Where two parallel transformations agree; leg 0 is the inclusion. Cost: see ``limit``."""
    return limit([f.source, f.target], [(0, 1, f), (0, 1, g)])


def pullback(f: Transformation, g: Transformation) -> Cone:
    """Pairs with the same image under f and g; legs 0 and 1 are the projections, leg 2 goes to the common target.

    Cost: see ``limit``.
    """
    return limit([f.source, g.source, f.target], [(0, 2, f), (1, 2, g)])


def coproduct(*parts: SetFunctor) -> Cocone:
    """The disjoint union; legs are the inclusions. Near-linear."""
    return colimit(parts)


def coequalizer(f: Transformation, g: Transformation) -> Cocone:
    """The quotient that makes two parallel transformations equal; leg 1 is the quotient map. Near-linear."""
    return colimit([f.source, f.target], [(0, 1, f), (0, 1, g)])


def pushout(f: Transformation, g: Transformation) -> Cocone:
    """Two functors glued along a common source; legs 0 and 1 start at the two functors, leg 2 at the source.

    Near-linear.
    """
    return colimit([f.target, g.target, f.source], [(2, 0, f), (2, 1, g)])
