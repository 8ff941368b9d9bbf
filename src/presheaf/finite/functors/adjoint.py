"""Adjoint functors between finite categories, found by testing all hom-functors for representability at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from presheaf.finite.columns.arrays import Ints, frozen
from presheaf.finite.columns.graph import sources
from presheaf.finite.functors.functor import Functor
from presheaf.finite.functors.profile import Profile, profile, sides
from presheaf.finite.presheaves.flat import objects_of
from presheaf.finite.presheaves.yoneda import Representability, addresses, representability, representable


@dataclass(frozen=True, eq=False)
class Adjunction:
    """An adjunction: left L: C -> D, right R: D -> C.

    Attributes
    ----------
    left, right : Functor
    unit : int32 (objects of C,), the arrow c -> R L c of each object
    counit : int32 (objects of D,), the arrow L R d -> d of each object
    """

    left: Functor
    right: Functor
    unit: Ints
    counit: Ints

    def transpose(self, c: ArrayLike, f: ArrayLike) -> Ints:
        """The arrows c -> R d of C that belong to arrows f: L c -> d of D."""
        return self.left.source.compose(self.unit[np.asarray(c)], self.right.images[np.asarray(f)])

    def untranspose(self, d: ArrayLike, g: ArrayLike) -> Ints:
        """The arrows L c -> d of D that belong to arrows g: c -> R d of C; the inverse of ``transpose``."""
        return self.left.target.compose(self.left.images[np.asarray(g)], self.counit[np.asarray(d)])

    def __repr__(self) -> str:
        return f"Adjunction(left {self.left!r}, right {self.right!r})"


@dataclass(frozen=True, eq=False)
class Adjoint:
    """The answer to whether a functor has an adjoint; true or false in a condition.

    Attributes
    ----------
    adjunction : Adjunction, or None
    object : the first object of the target where the universal arrow is missing; -1 if there is none such
    verdict : the representability of the functor of arrows there, with its witness, or None
    """

    adjunction: Adjunction | None
    object: int
    verdict: Representability | None

    def __bool__(self) -> bool:
        return self.adjunction is not None

    def __repr__(self) -> str:
        if self.verdict is None:
            return f"Adjoint({self.adjunction!r})"
        return f"Adjoint(there is no adjoint: at object {self.object} of the target {self.verdict.why})"


def right_adjoint(f: Functor) -> Adjoint:
    """The right adjoint of F: C -> D, or the object of D where it fails.

    Notes
    -----
    It exists iff the presheaf c -> D(F c, d) is representable for each d (Mac Lane, Categories for the Working
    Mathematician, IV.1, Theorem 2). All these presheaves are tested at once: one that a single element yields is represented by
    it iff it has as many elements as the representable. The value R d is the smallest object that represents. Cost:
    near-linear in the size of D(F-, -), times the generators at the objects of C.
    """
    homs = profile(sides(f, "contravariant"))
    chosen, missing = _universal(homs)
    if missing >= 0:
        verdict = representability(f.restrict(representable(f.target, missing, variance="contravariant")))
        return Adjoint(None, missing, verdict)
    c, d = f.source, f.target
    _, arrow = addresses(homs.weight, chosen)
    objects = objects_of(homs.weight)[chosen]
    counit = homs.arrow[chosen]
    number = np.arange(len(d.generators))
    moved = homs.element(objects[d.generator_dom], d.then(counit[d.generator_dom], number))
    right = Functor(d, c, objects, arrow[moved])
    every = np.arange(c.n_objects)
    unit = arrow[homs.element(every, d.identity[f.objects])]
    return Adjoint(Adjunction(f, right, frozen(unit), frozen(counit)), -1, None)


def left_adjoint(f: Functor) -> Adjoint:
    """The left adjoint of F: C -> D, or the object d of D where it fails: c -> D(d, F c) isn't representable there.

    Notes
    -----
    The right adjoint of the opposite functor, at its cost; see ``right_adjoint``.
    """
    found = right_adjoint(f.opposite())
    if found.adjunction is None:
        verdict = representability(f.restrict(representable(f.target, found.object, variance="covariant")))
        return Adjoint(None, found.object, verdict)
    other = found.adjunction
    left = Functor(f.target, f.source, other.right.objects, other.right.arrows)
    return Adjoint(Adjunction(left, f, other.counit, other.unit), -1, None)


def _universal(homs: Profile) -> tuple[Ints, int]:
    """A universal element of each part, and the first part that has none, or -1."""
    parts = homs.sides.target.n_objects
    nodes, component = sources(*homs.weight.element_graph)
    part = homs.part
    over = part[nodes]
    _, first = np.unique(component, return_index=True)
    many = np.bincount(over[first], minlength=parts)
    side = homs.sides.source
    size = np.bincount(side.dom, minlength=side.n_objects)
    total = np.bincount(part, minlength=parts)
    good = nodes[size[objects_of(homs.weight)[nodes]] == total[over]]
    chosen = np.full(parts, -1, dtype=np.int32)
    chosen[part[good][::-1]] = good[::-1]
    missing = np.flatnonzero((many != 1) | (chosen < 0))
    return chosen, int(missing[0]) if len(missing) else -1
