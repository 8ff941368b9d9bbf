"""Limits and colimits: pointwise for set-valued functors, by representability inside a category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.arrays import Ints, frozen, starts
from presheaf.finite.functor import Functor
from presheaf.finite.graph import weak_components
from presheaf.finite.joins import Factor, joined
from presheaf.finite.natural import Transformation
from presheaf.finite.presheaf import SetFunctor, constant
from presheaf.finite.yoneda import Representability, embed, representability, representable

Map = tuple[int, int, Transformation]


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
    _families: tuple[Ints, ...] = field(repr=False)

    def factor(self, legs: Sequence[Transformation]) -> Transformation:
        """The one transformation into the apex that yields the given cone.

        Raises
        ------
        InputError
            The legs don't start at one functor, aren't as many as the parts, or don't form a cone (row is named).
        """
        if len(legs) != len(self.legs) or any(leg.source is not legs[0].source for leg in legs):
            raise InputError(f"{len(self.legs)} legs from one functor are needed.")
        parts = []
        for c, families in enumerate(self._families):
            wanted = np.stack([leg.components[c] for leg in legs], axis=1)
            place, missing = _find(families, wanted)
            if missing >= 0:
                name = self.apex.category.objects[c]
                raise InputError(f"row {missing} of {name}: the legs give {wanted[missing].tolist()}, no point there.")
            parts.append(place)
        return Transformation.trusted(legs[0].source, self.apex, tuple(parts))


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
        parts = []
        for c, size in enumerate(self.apex.sizes.tolist()):
            out = np.full(size, -1, dtype=np.int32)
            for mine, theirs in zip(self.legs, legs, strict=True):
                out[mine.components[c]] = theirs.components[c]
            for i, (mine, theirs) in enumerate(zip(self.legs, legs, strict=True)):
                wrong = np.flatnonzero(out[mine.components[c]] != theirs.components[c])
                if len(wrong):
                    name = self.apex.category.objects[c]
                    raise InputError(f"leg {i} sends row {int(wrong[0])} of {name} elsewhere than what it is glued to.")
            parts.append(frozen(out))
        return Transformation.trusted(self.apex, legs[0].target, tuple(parts))


def _find(table: Ints, wanted: Ints) -> tuple[Ints, int]:
    """Row number in ``table`` (rows all different) of each wanted row, and the first wanted row not there, or -1."""
    both = np.concatenate([table, wanted])
    _, code = np.unique(both, axis=0, return_inverse=True)
    code = code.reshape(-1)
    row = np.full(int(code.max(initial=-1)) + 1, -1, dtype=np.int32)
    row[code[: len(table)]] = np.arange(len(table))
    place = row[code[len(table) :]]
    missing = np.flatnonzero(place < 0)
    return frozen(place), int(missing[0]) if len(missing) else -1


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
    Elements are the compatible families, in lexicographic order: a natural join, one step a map, parts that a map joins
    being taken together first. Cost: the rows met.
    """
    _check(parts, maps)
    category = parts[0].category
    families = []
    for c in range(category.n_objects):
        result = Factor((), np.zeros((1, 0), dtype=np.int32), np.ones(1, dtype=np.int64), 1)
        pending = [(i, j, f.components[c]) for i, j, f in maps]
        todo = list(range(len(parts)))
        while todo or pending:
            known = set(result.variables)
            at = next((n for n, (i, j, _) in enumerate(pending) if i in known or j in known), None)
            if at is None and todo:
                i = todo[0]
                step = _relation((i,), np.arange(int(parts[i].sizes[c]), dtype=np.int32)[:, None])
            else:
                i, j, values = pending.pop(at or 0)
                rows = np.stack([np.arange(len(values), dtype=np.int32), values], axis=1)
                step = _relation((i, j), rows) if i != j else _relation((i,), rows[rows[:, 0] == rows[:, 1], :1])
            result = joined(result, step, most)
            todo = [i for i in todo if i not in result.variables]
        table = result.rows[:, [result.variables.index(i) for i in range(len(parts))]]
        families.append(frozen(table[np.lexsort(table.T[::-1])]))
    columns = []
    side = parts[0].covariant.category
    for g, (a, b) in enumerate(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)):
        moved = np.stack([part.columns[g][families[a][:, i]] for i, part in enumerate(parts)], axis=1)
        columns.append(_find(families[b], moved)[0])
    apex = parts[0].like(np.array([len(f) for f in families], dtype=np.int32), columns)
    legs = tuple(
        Transformation.trusted(apex, part, tuple(frozen(f[:, i].copy()) for f in families))
        for i, part in enumerate(parts)
    )
    return Cone(apex, legs, tuple(families))


def _relation(variables: tuple[int, ...], rows: Ints) -> Factor:
    # Weight 0 in ``total`` keeps the join from counting: only the rows matter here.
    return Factor(variables, rows, np.ones(len(rows), dtype=np.int64), 0)


def colimit(parts: Sequence[SetFunctor], maps: Sequence[Map] = ()) -> Cocone:
    """The colimit of a diagram of set-valued functors, computed at each object.

    Parameters and errors: see ``limit``.

    Notes
    -----
    Disjoint union, then connected components, numbered by their first element. Near-linear.
    """
    _check(parts, maps)
    category = parts[0].category
    labels, sizes, shifts = [], [], []
    for c in range(category.n_objects):
        first = starts(np.array([int(p.sizes[c]) for p in parts]))
        source = [first[i] + np.arange(len(f.components[c])) for i, _, f in maps]
        target = [first[j] + f.components[c] for _, j, f in maps]
        none = np.empty(0, dtype=np.int64)
        label = weak_components(int(first[-1]), np.concatenate([none, *source]), np.concatenate([none, *target]))
        labels.append(label)
        shifts.append(first)
        sizes.append(int(label.max(initial=-1)) + 1)
    columns = []
    side = parts[0].covariant.category
    for g, (a, b) in enumerate(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)):
        column = np.zeros(sizes[a], dtype=np.int32)
        moved = [shifts[b][i] + part.columns[g] for i, part in enumerate(parts)]
        column[labels[a]] = labels[b][np.concatenate(moved)]
        columns.append(frozen(column))
    apex = parts[0].like(np.array(sizes, dtype=np.int32), columns)
    legs = tuple(
        Transformation.trusted(
            part,
            apex,
            tuple(frozen(labels[c][shifts[c][i] : shifts[c][i + 1]]) for c in range(category.n_objects)),
        )
        for i, part in enumerate(parts)
    )
    return Cocone(apex, legs)


def product(*parts: SetFunctor) -> Cone:
    """The product; legs are the projections."""
    return limit(parts)


def equalizer(f: Transformation, g: Transformation) -> Cone:
    """Where two parallel transformations agree; leg 0 is the inclusion."""
    return limit([f.source, f.target], [(0, 1, f), (0, 1, g)])


def pullback(f: Transformation, g: Transformation) -> Cone:
    """Pairs with the same image under f and g; legs 0 and 1 are the projections, leg 2 goes to the common target."""
    return limit([f.source, g.source, f.target], [(0, 2, f), (1, 2, g)])


def coproduct(*parts: SetFunctor) -> Cocone:
    """The disjoint union; legs are the inclusions."""
    return colimit(parts)


def coequalizer(f: Transformation, g: Transformation) -> Cocone:
    """The quotient that makes two parallel transformations equal; leg 1 is the quotient map."""
    return colimit([f.source, f.target], [(0, 1, f), (0, 1, g)])


def pushout(f: Transformation, g: Transformation) -> Cocone:
    """Two functors glued along a common source; legs 0 and 1 start at the two functors, leg 2 at the source."""
    return colimit([f.target, g.target, f.source], [(2, 0, f), (2, 1, g)])


@dataclass(frozen=True)
class LimitInCategory:
    """The limit (or colimit) of a diagram inside a category, or why there is none.

    Attributes
    ----------
    holds : whether it exists
    object : the apex, -1 if none
    legs : int32, for each object of the shape its leg, an arrow of the category; empty if there is no limit
    verdict : the representability of the functor of cones, with its witness
    """

    holds: bool
    object: int
    legs: Ints
    verdict: Representability

    def __bool__(self) -> bool:
        return self.holds


def limit_in(diagram: Functor) -> LimitInCategory:
    """The limit of a diagram F: J -> C inside C.

    Notes
    -----
    A limit represents the presheaf of cones, which at c holds the compatible families of arrows c -> F(j): a limit of
    representables. Cost: all cones in C, and ``representability``.
    """
    shape, category = diagram.source, diagram.target
    none = np.empty(0, dtype=np.int32)
    if not shape.n_objects:
        verdict = representability(constant(category, 1, variance="contravariant"))
        return LimitInCategory(verdict.holds, verdict.object, none, verdict)
    parts = [representable(category, c, variance="contravariant") for c in diagram.objects.tolist()]
    ends = zip(shape.generator_dom.tolist(), shape.generator_cod.tolist(), diagram.arrows.tolist(), strict=True)
    cone = limit(parts, [(a, b, embed(category, f, variance="contravariant")) for a, b, f in ends])
    verdict = representability(cone.apex)
    if not verdict:
        return LimitInCategory(False, -1, none, verdict)
    row, apex = verdict.row, verdict.object
    legs = [
        int(category.hom(apex, c)[leg.components[apex][row]])
        for c, leg in zip(diagram.objects.tolist(), cone.legs, strict=True)
    ]
    return LimitInCategory(True, apex, frozen(np.array(legs, dtype=np.int32)), verdict)


def colimit_in(diagram: Functor) -> LimitInCategory:
    """The colimit of a diagram F: J -> C inside C; legs are arrows F(j) -> apex. The limit in the opposite category."""
    return limit_in(diagram.opposite())
