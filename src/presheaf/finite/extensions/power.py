"""Power objects: the functor of sub-functors, membership, and relations as maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from presheaf.finite.columns.arrays import Bools
from presheaf.finite.extensions.exponential import Exponential, exponential
from presheaf.finite.presheaves.classifier import Classifier
from presheaf.finite.presheaves.limits import Cone
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.transformation import Transformation


@dataclass(frozen=True, eq=False)
class PowerObject:
    """The power object P(X) = Omega^X; an element at c is a sub-functor of h x X, h being the representable of c.

    Attributes
    ----------
    base : SetFunctor X
    classifier : Classifier of X's category and variance
    exponential : Exponential Omega^X
    """

    base: SetFunctor
    classifier: Classifier
    exponential: Exponential

    @property
    def power(self) -> SetFunctor:
        """P(X)."""
        return self.exponential.power

    @property
    def membership(self) -> tuple[Bools, ...]:
        """The sub-functor of P(X) x X of pairs (S, x) with x in S: a bool array an object, over ``exponential.product``."""
        return self.classifier.subobject(self.exponential.evaluation)

    def transpose(self, part: Sequence[ArrayLike], pairs: Cone) -> Transformation:
        """The one map Y -> P(X) along which a relation is pulled back from membership.

        Parameters
        ----------
        part : n bool arrays, a sub-functor of Y x X
        pairs : ``limits.product(Y, X)``

        Raises
        ------
        InputError
            The part isn't closed under a generator, or ``pairs`` is no product with X.
        """
        return self.exponential.curry(self.classifier.characteristic(pairs.apex, part), pairs)

    def relation(self, f: Transformation, pairs: Cone) -> tuple[Bools, ...]:
        """The sub-functor of Y x X that f: Y -> P(X) names; the inverse of ``transpose``."""
        return self.classifier.subobject(self.exponential.uncurry(f, pairs))

    def __repr__(self) -> str:
        return f"PowerObject({self.power!r})"


def power_object(x: SetFunctor, classifier: Classifier | None = None, *, most: int = 50_000_000) -> PowerObject:
    """The power object of X.

    Parameters
    ----------
    x : SetFunctor
    classifier : the subobject classifier of X's category and variance, if it is at hand
    most : most elements at one object, and most rows of an intermediate table

    Raises
    ------
    InputError
        More than ``most`` sub-functors; the object is named.

    Notes
    -----
    Mac Lane and Moerdijk, Sheaves in Geometry and Logic, IV.1. Cost: see ``exponential``; P(X)(c) has as many elements
    as h_c x X has sub-functors.
    """
    made = Classifier(x.category, variance=x.variance) if classifier is None else classifier
    return PowerObject(x, made, exponential(x, made.omega, most=most))
