"""The density theorem: every set-valued functor is the colimit of representables over its elements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from presheaf.finite.extensions.left_extension import LeftExtension, left_extension
from presheaf.finite.functors.elements import Elements, elements
from presheaf.finite.presheaves.flat import split
from presheaf.finite.presheaves.presheaf import SetFunctor, constant
from presheaf.finite.presheaves.transformation import Transformation
from presheaf.finite.presheaves.yoneda import from_element


@dataclass(frozen=True, eq=False)
class Density:
    """T as the canonical colimit of representables.

    Attributes
    ----------
    functor : SetFunctor T
    elements : Elements, the category of elements with its projection, which is the diagram of representables
    colimit : SetFunctor, the colimit over the elements (c, x) of the representables of c
    comparison : Transformation from the colimit to T, the element x on the identity of leg (c, x); an isomorphism
    """

    functor: SetFunctor
    elements: Elements
    colimit: SetFunctor
    comparison: Transformation
    _extension: LeftExtension

    def leg(self, c: int, row: int) -> Transformation:
        """The leg of an element: from the representable of c to the colimit."""
        element = int(self.functor.offsets[c]) + row
        return from_element(self.colimit, c, int(self._extension.unit.components[element][0]))

    def __repr__(self) -> str:
        return f"Density({self.functor!r}, a colimit of {self.functor.n_elements} representables)"


def density(t: SetFunctor, *, most: int = 2**31 - 1) -> Density:
    """T as the colimit of representables over its category of elements, with the comparison isomorphism.

    Parameters
    ----------
    t : SetFunctor
    most : most pairs of an element and an arrow that acts on it

    Notes
    -----
    The colimit over El(T) of the representables is the left Kan extension of the constant functor 1 along the
    projection El(T) -> C (Mac Lane, Categories for the Working Mathematician, III.7 and X.3), and is computed as such,
    without knowledge of T's values. Cost: near-linear in elements x arrows that act on them.
    """
    el = elements(t)
    point = constant(el.category, 1, variance=t.variance)
    made = left_extension(el.projection, point, most=most)
    over = el.projection.restrict(t)
    rows = np.arange(t.n_elements, dtype=np.int32) - t.offsets[el.projection.objects].astype(np.int32)
    comparison = made.extend(Transformation.trusted(point, over, split(rows, point)), t)
    return Density(t, el, made.extension, comparison, made)
