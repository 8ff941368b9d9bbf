"""Limits and colimits inside a category, found by representability; weighted ones too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.categories.arrows import isomorphisms
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.orders import discrete
from presheaf.finite.categories.paths import free_category
from presheaf.finite.columns.arrays import Ints, frozen, ids
from presheaf.finite.functors.functor import Answer, Functor
from presheaf.finite.presheaves.limits import Map, limit
from presheaf.finite.presheaves.presheaf import SetFunctor, Variance, constant
from presheaf.finite.presheaves.yoneda import (
    Representability,
    addresses,
    embed,
    generators,
    representability,
    representable,
)


@dataclass(frozen=True, eq=False)
class LimitInCategory:
    """The limit (or colimit) of a diagram inside a category, or why there is none.

    Attributes
    ----------
    holds : whether it exists
    object : the apex, -1 if none
    legs : int32, for each object of the shape its leg, an arrow of the category (for a weighted limit: for each element
        of the weight); empty if there is no limit
    verdict : the representability of the functor of cones, with its witness
    """

    holds: bool
    object: int
    legs: Ints
    verdict: Representability

    def __bool__(self) -> bool:
        return self.holds


def weighted_limit_in(weight: SetFunctor, diagram: Functor) -> LimitInCategory:
    """The limit of a diagram G: J -> C inside C, weighted by a copresheaf W on J.

    Parameters
    ----------
    weight : copresheaf W on J; the constant 1 gives the ordinary limit
    diagram : Functor G

    Returns
    -------
    LimitInCategory; the leg of an element w of W(j) is an arrow from the apex to G j

    Notes
    -----
    It represents the presheaf c -> Nat(W, C(c, G-)) (Kelly, Basic Concepts of Enriched Category Theory, 3.1). Such a
    family is fixed by the legs of generators of W, subject to W's relations, so the presheaf is a limit of
    representables, one for each generator and relation. Cost: the cones met, and ``representability``.
    """
    _require(weight, diagram, "covariant")
    return _universal(weight, diagram, "contravariant")


def weighted_colimit_in(weight: SetFunctor, diagram: Functor) -> LimitInCategory:
    """The colimit of a diagram G: J -> C inside C, weighted by a presheaf W on J.

    Parameters
    ----------
    weight : presheaf W on J; the constant 1 gives the ordinary colimit
    diagram : Functor G

    Returns
    -------
    LimitInCategory; the leg of an element w of W(j) is an arrow from G j to the apex

    Notes
    -----
    It represents the copresheaf c -> Nat(W, C(G-, c)). Method and cost: see ``weighted_limit_in``.
    """
    _require(weight, diagram, "contravariant")
    return _universal(weight, diagram, "covariant")


def limit_in(diagram: Functor) -> LimitInCategory:
    """The limit of a diagram J -> C inside C; legs run from the apex to the diagram's objects. Cost: the cones."""
    return weighted_limit_in(constant(diagram.source, 1, variance="covariant"), diagram)


def colimit_in(diagram: Functor) -> LimitInCategory:
    """The colimit of a diagram J -> C inside C; legs run from the diagram's objects to the apex. Cost: the cocones."""
    return weighted_colimit_in(constant(diagram.source, 1, variance="contravariant"), diagram)


def product_in(category: Category, objects: Sequence[int]) -> LimitInCategory:
    """The product of some objects; of none: the terminal object. Cost: the cones."""
    return limit_in(Functor(discrete(len(objects)), category, ids("objects", objects, category.n_objects), []))


def coproduct_in(category: Category, objects: Sequence[int]) -> LimitInCategory:
    """The coproduct of some objects; of none: the initial object. Cost: the cocones."""
    return colimit_in(Functor(discrete(len(objects)), category, ids("objects", objects, category.n_objects), []))


def equalizer_in(category: Category, f: int, g: int) -> LimitInCategory:
    """The equalizer of two parallel arrows; leg 0 is the arrow that equalizes them. Cost: the cones."""
    return limit_in(_parallel(category, f, g))


def coequalizer_in(category: Category, f: int, g: int) -> LimitInCategory:
    """The coequalizer of two parallel arrows; leg 1 is the arrow that coequalizes them. Cost: the cocones."""
    return colimit_in(_parallel(category, f, g))


def pullback_in(category: Category, f: int, g: int) -> LimitInCategory:
    """The pullback of two arrows with a common target; legs 0 and 1 go to their sources, leg 2 to the target.

    Cost: the cones.
    """
    if category.cod[f] != category.cod[g]:
        raise InputError(f"arrows {f} and {g} need a common target for a pullback.")
    ends = [category.dom[f], category.dom[g], category.cod[f]]
    return limit_in(Functor(free_category(3, [(0, 2), (1, 2)]), category, ends, [f, g]))


def pushout_in(category: Category, f: int, g: int) -> LimitInCategory:
    """The pushout of two arrows with a common source; legs 0 and 1 start at their targets, leg 2 at the source.

    Cost: the cocones.
    """
    if category.dom[f] != category.dom[g]:
        raise InputError(f"arrows {f} and {g} need a common source for a pushout.")
    ends = [category.cod[f], category.cod[g], category.dom[f]]
    return colimit_in(Functor(free_category(3, [(2, 0), (2, 1)]), category, ends, [f, g]))


def _parallel(category: Category, f: int, g: int) -> Functor:
    if category.dom[f] != category.dom[g] or category.cod[f] != category.cod[g]:
        raise InputError(f"arrows {f} and {g} aren't parallel.")
    ends = [category.dom[f], category.cod[f]]
    return Functor(free_category(2, [(0, 1), (0, 1)]), category, ends, [f, g])


def _require(weight: SetFunctor, diagram: Functor, variance: Variance) -> None:
    if weight.category is not diagram.source or weight.variance != variance:
        raise InputError(f"the weight must be a {variance} functor on the shape of the diagram.")


def _universal(weight: SetFunctor, diagram: Functor, variance: Variance) -> LimitInCategory:
    """The object that represents the cones (contravariant) or cocones (covariant) on a weighted diagram."""
    category = diagram.target
    cover = generators(weight)
    if not len(cover):
        verdict = representability(constant(category, 1, variance=variance))
        return LimitInCategory(verdict.holds, verdict.object, frozen(np.empty(0, dtype=np.int32)), verdict)
    ends = diagram.objects[cover.objects].tolist()
    parts = [representable(category, c, variance=variance) for c in ends]
    maps: list[Map] = []
    for i, f, j, g in cover.relations.tolist():
        one, two = (embed(category, int(diagram.images[h]), variance=variance) for h in (f, g))
        maps += [(i, len(parts), one), (j, len(parts), two)]
        parts.append(one.target)
    cone = limit(parts, maps)
    verdict = representability(cone.apex)
    if not verdict:
        return LimitInCategory(False, -1, frozen(np.empty(0, dtype=np.int32)), verdict)
    row, apex = verdict.row, verdict.object
    chosen = [
        int(
            (category.hom(apex, c) if variance == "contravariant" else category.hom(c, apex))[leg.components[apex][row]]
        )
        for c, leg in zip(ends, cone.legs, strict=False)
    ]
    roots = weight.offsets[cover.objects] + cover.rows
    root, arrow = addresses(weight, roots)
    legs, moved = np.array(chosen, dtype=np.int32)[root], diagram.images[arrow]
    both = category.compose(legs, moved) if variance == "contravariant" else category.compose(moved, legs)
    return LimitInCategory(True, apex, frozen(both), verdict)


def preserves_limit(functor: Functor, diagram: Functor) -> Answer:
    """Whether a functor takes the limit of a diagram in its source to the limit of the image diagram.

    Returns
    -------
    Answer; no if the image diagram has no limit, or if the comparison arrow (the witness) isn't an isomorphism. Yes
    if there is no limit to preserve

    Notes
    -----
    Cost: two limits, and a search among the arrows between the two apexes.
    """
    mine, theirs = limit_in(diagram), limit_in(diagram.then(functor))
    if not mine:
        return Answer(True, "the diagram has no limit to preserve.")
    if not theirs:
        return Answer(False, f"the image of the diagram has no limit: {theirs.verdict.why}")
    target = functor.target
    arrows = target.hom(int(functor.objects[mine.object]), theirs.object)
    for leg, image in zip(theirs.legs.tolist(), functor.images[mine.legs].tolist(), strict=True):
        arrows = arrows[target.compose(arrows, leg) == image]
    comparison = int(arrows[0])
    if isomorphisms(target)[comparison]:
        return Answer(True, "the comparison arrow is an isomorphism.", (comparison,))
    return Answer(False, f"the comparison arrow {target.name(comparison)} is no isomorphism.", (comparison,))


def preserves_colimit(functor: Functor, diagram: Functor) -> Answer:
    """Whether a functor takes the colimit of a diagram to the colimit of the image; see ``preserves_limit``.

    Same cost.
    """
    return preserves_limit(functor.opposite(), diagram.opposite())
