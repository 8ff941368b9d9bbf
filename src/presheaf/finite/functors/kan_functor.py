"""Kan extensions of functors between finite categories, through the pointwise formula."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Ints, Longs, frozen
from presheaf.finite.functors.functor import Functor
from presheaf.finite.functors.limits_in import LimitInCategory, weighted_colimit_in
from presheaf.finite.functors.profile import Profile, profile, sides
from presheaf.finite.presheaves.flat import objects_of
from presheaf.finite.presheaves.yoneda import representable


@dataclass(frozen=True, eq=False)
class FunctorExtension:
    """The pointwise Kan extension of G: C -> E along F: C -> D, or where it fails; true or false in a condition.

    Attributes
    ----------
    side : "left" or "right"
    extension : Functor D -> E, or None
    unit : int32 (objects of C,), for a left extension the arrow G c -> (Lan F c) of each object, for a right one the
        counit (Ran F c) -> G c; empty if there is no extension
    object : the first object of D where the colimit (limit) that the formula asks for doesn't exist; -1 if all exist
    missing : what was found there, with the witness, or None
    """

    side: str
    extension: Functor | None
    unit: Ints
    object: int
    missing: LimitInCategory | None

    def __bool__(self) -> bool:
        return self.extension is not None

    def __repr__(self) -> str:
        if self.missing is None:
            return f"FunctorExtension({self.side}: {self.extension!r})"
        why = f"at object {self.object} {self.missing.verdict.why}"
        return f"FunctorExtension(there is no {self.side} Kan extension by colimits or limits: {why})"


def left_extension_of_functor(f: Functor, g: Functor) -> FunctorExtension:
    """The pointwise left Kan extension of G: C -> E along F: C -> D.

    Raises
    ------
    InputError
        F and G start at different categories.

    Notes
    -----
    At d the colimit of G weighted by the presheaf c -> D(F c, d), which is the colimit of G over the comma category of
    F over d (Mac Lane, Categories for the Working Mathematician, X.3, Theorem 1). The arrow of v: d -> d' is the one
    that the legs determine. Cost: a weighted colimit in E for each object of D, and for each generator of D the legs
    times the arrows between two values.
    """
    if f.source is not g.source:
        raise InputError("F and G must start at the same category.")
    homs = profile(sides(f, "contravariant"))
    values = []
    for d in range(f.target.n_objects):
        weight = f.restrict(representable(f.target, d, variance="contravariant"))
        found = weighted_colimit_in(weight, g)
        if not found:
            return FunctorExtension("left", None, frozen(np.empty(0, dtype=np.int32)), d, found)
        values.append(found)
    part = homs.part
    order = np.argsort(part, kind="stable")
    first = np.searchsorted(part[order], np.arange(f.target.n_objects + 1))
    slot = np.empty(len(order), dtype=np.int64)
    slot[order] = np.arange(len(order)) - first[part[order]]
    arrows = [_induced(homs, j, order, first, slot, values, g) for j in range(len(f.target.generators))]
    extension = Functor(f.target, g.target, [value.object for value in values], arrows)
    unit = slot[homs.element(np.arange(f.source.n_objects), f.target.identity[f.objects])]
    legs = [int(values[d].legs[i]) for d, i in zip(f.objects.tolist(), unit.tolist(), strict=True)]
    return FunctorExtension("left", extension, frozen(np.array(legs, dtype=np.int32)), -1, None)


def right_extension_of_functor(f: Functor, g: Functor) -> FunctorExtension:
    """The pointwise right Kan extension of G: C -> E along F: C -> D: the left one of the opposite functors.

    Same cost.
    """
    found = left_extension_of_functor(f.opposite(), g.opposite())
    if found.extension is None:
        return FunctorExtension("right", None, found.unit, found.object, found.missing)
    back = Functor(f.target, g.target, found.extension.objects, found.extension.arrows)
    return FunctorExtension("right", back, found.unit, -1, None)


def _induced(
    homs: Profile, j: int, order: Longs, first: Longs, slot: Longs, values: list[LimitInCategory], g: Functor
) -> int:
    """The arrow between two values that takes the legs of one to those of the other, for a generator of D."""
    target = homs.sides.target.op
    a, b = int(target.generator_dom[j]), int(target.generator_cod[j])
    mine = order[first[a] : first[a + 1]]
    at = objects_of(homs.weight)[mine]
    moved = slot[homs.element(at, target.then(homs.arrow[mine], j))]
    choices = g.target.hom(values[a].object, values[b].object)
    fits = np.ones(len(choices), dtype=bool)
    for leg, image in zip(values[a].legs.tolist(), values[b].legs[moved].tolist(), strict=True):
        fits[fits] = g.target.compose(leg, choices[fits]) == image
    return int(choices[fits][0])
