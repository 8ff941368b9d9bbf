"""The hom-sets D(d, F c) of a functor F as one set-valued functor, all objects d at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import Ints, Longs, frozen, spread, starts
from presheaf.finite.functors.functor import Functor
from presheaf.finite.presheaves.presheaf import SetFunctor, Variance


@dataclass(frozen=True)
class Sides:
    """A functor on the categories where set-valued functors of one variance are covariant, or on their opposites.

    Attributes
    ----------
    source, target : Category
    objects : int32 (n,), images of objects
    arrows : int32 (k,), images of generators
    """

    source: Category
    target: Category
    objects: Ints
    arrows: Ints

    @property
    def op(self) -> Sides:
        """The same functor between the opposite categories."""
        return Sides(self.source.op, self.target.op, self.objects, self.arrows)


def sides(functor: Functor, variance: Variance) -> Sides:
    """The functor as it acts on covariant data: itself, or its opposite for presheaves."""
    both = Sides(functor.source, functor.target, functor.objects, functor.arrows)
    return both if variance == "covariant" else both.op


@dataclass(frozen=True)
class Profile:
    """The functor c -> all arrows into F c, a disjoint union over their sources d.

    Attributes
    ----------
    weight : covariant SetFunctor on the source of F; its part over d is D(d, F-)
    arrow : int32 (elements,), the arrow that each element is
    rank : int32 (arrows of D,), the row of an arrow among the arrows into its target, sorted by source, then number
    """

    sides: Sides
    weight: SetFunctor
    arrow: Ints
    rank: Ints

    @property
    def part(self) -> Ints:
        """The source d of each element, int32 (elements,)."""
        part: Ints = self.sides.target.dom[self.arrow]
        return part

    def element(self, c: NDArray[np.integer] | int, arrow: NDArray[np.integer]) -> Longs:
        """The number of an arrow into F c as an element at c."""
        number: Longs = self.weight.offsets[c] + self.rank[arrow]
        return number


def profile(f: Sides) -> Profile:
    """All D(d, F-) as one functor. Cost: sum over generators u: a -> b of the arrows into F a, x word length of F u."""
    c, d = f.source, f.target
    order, first = _by_target(d)
    rank = np.empty(d.n_arrows, dtype=np.int32)
    rank[order] = np.arange(d.n_arrows) - first[d.cod[order]]
    size = np.diff(first)
    owner, row = spread(size[f.objects])
    arrow = order[first[f.objects[owner]] + row]
    begin = f.objects[c.generator_dom]
    owner, row = spread(size[begin])
    moved = rank[d.compose(order[first[begin[owner]] + row], f.arrows[owner])]
    cuts = starts(size[begin])
    columns = [frozen(moved[a:b]) for a, b in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)]
    weight = SetFunctor.trusted(c, size[f.objects], columns, variance="covariant")
    return Profile(f, weight, frozen(arrow), frozen(rank))


def _by_target(category: Category) -> tuple[Ints, Longs]:
    """Arrows sorted by target, then source, then number, and where each target starts."""
    order = np.lexsort((category.dom, category.cod)).astype(np.int32)
    return order, starts(np.bincount(category.cod, minlength=category.n_objects))
