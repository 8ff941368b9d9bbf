"""Quantales: the values a hom takes, how they multiply, and the distance each of them is read as."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, pi
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError

Array = NDArray[Any]
ROUNDING = 1e-6
"""Values this far outside the carrier are taken for rounding and moved onto its edge; further out is an error."""


def excess(larger: ArrayLike, smaller: ArrayLike) -> Array:
    """(larger - smaller)^+ elementwise, with inf - inf = 0: by how much one distance passes another."""
    a, b = np.asarray(larger), np.asarray(smaller)
    with np.errstate(invalid="ignore"):
        difference = np.asarray(a - b)
    # fmax takes the number where the other is nan, and only inf - inf is nan.
    return np.asarray(np.fmax(difference, 0))


def as_numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Values as a float64 array of their shape.

    Raises
    ------
    InputError
        If they are no numbers, or not of one shape.
    """
    try:
        given = np.asarray(values)
    except ValueError as failed:
        raise InputError(f"{name} must be numbers of one shape; got rows of different lengths.") from failed
    if given.dtype.kind not in "fiub":
        raise InputError(f"{name} must be numbers; got an array of {given.dtype}.")
    return given.astype(np.float64)


def _truth(values: Array) -> Array:
    return np.where(values != 0, 0.0, inf)


def _zero(distances: Array) -> Array:
    return np.asarray(distances == 0)


def _surprise(values: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(0 - np.log(values))


def _likelihood(distances: Array) -> Array:
    return np.asarray(np.exp(-distances))


def _same(numbers: Array) -> Array:
    return numbers


def _complement(numbers: Array) -> Array:
    return np.asarray(1 - numbers)


def _ratio(a: Array, b: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(a <= b, 1.0, b / a)


def _implies(a: Array, b: Array) -> Array:
    return np.asarray((a == 0) | (b != 0))


def _angles(a: Array, b: Array, cap: float) -> Array:
    return np.asarray(np.cos(np.minimum(cap, np.arccos(a) + np.arccos(b))))


def _angle_sum(a: Array, b: Array) -> Array:
    return np.maximum(0, _angles(a, b, pi / 2))


def _sphere_sum(a: Array, b: Array) -> Array:
    return _angles(a, b, pi)


def _angle_hom(a: Array, b: Array) -> Array:
    return np.asarray(np.where(a <= b, 1.0, np.cos(excess(np.arccos(b), np.arccos(a)))))


def _both(a: Array, b: Array) -> Array:
    return np.asarray((a != 0) & (b != 0))


def _cost_hom(a: Array, b: Array) -> Array:
    return excess(b, a)


def _bounded_sum(a: Array, b: Array) -> Array:
    return np.asarray(np.maximum(0, a + b - 1))


def _bounded_hom(a: Array, b: Array) -> Array:
    return np.asarray(np.minimum(1, 1 - a + b))


def _godel_hom(a: Array, b: Array) -> Array:
    return np.where(a <= b, 1.0, b)


@dataclass(frozen=True)
class Quantale:
    """A commutative quantale on numbers, with unit = top, read as distances.

    Attributes
    ----------
    name : str
    low, high : float
        The carrier, as numbers. ``reverse`` says that the order is the opposite of the numbers' (costs: less is more).
    cap : float
        The largest distance; distances beyond it are the same as it.
    sums : bool
        Whether distances add (up to ``cap``); otherwise the larger of two is taken.

    Notes
    -----
    Lawvere 1973, "Metric spaces, generalized logic, and closed categories", is the case of costs. All operations work
    elementwise on arrays that broadcast, at linear cost.
    """

    name: str
    low: float
    high: float
    cap: float
    sums: bool
    reverse: bool = False
    to_distance: Callable[[Array], Array] = field(default=_same, repr=False)
    to_value: Callable[[Array], Array] = field(default=_same, repr=False)
    product: Callable[[Array, Array], Array] = field(default=np.minimum, repr=False)
    implication: Callable[[Array, Array], Array] = field(default=_godel_hom, repr=False)

    def __repr__(self) -> str:
        return f"Quantale({self.name})"

    @property
    def top(self) -> float:
        """The greatest value; distance 0."""
        return self.low if self.reverse else self.high

    @property
    def bottom(self) -> float:
        """The least value; distance ``cap``."""
        return self.high if self.reverse else self.low

    @property
    def unit(self) -> float:
        """The value that changes nothing in a tensor. In every quantale here it is the top."""
        return self.top

    def leq(self, a: ArrayLike, b: ArrayLike) -> NDArray[np.bool_]:
        """Whether a <= b in the order of the quantale."""
        first, second = np.asarray(a), np.asarray(b)
        return np.asarray(first >= second if self.reverse else first <= second)

    def tensor(self, a: ArrayLike, b: ArrayLike) -> Array:
        """a (x) b."""
        return self.product(np.asarray(a), np.asarray(b))

    def hom(self, a: ArrayLike, b: ArrayLike) -> Array:
        """[a, b], the greatest v with a (x) v <= b."""
        return self.implication(np.asarray(a), np.asarray(b))

    def join(self, values: ArrayLike, axis: int | None = None) -> Array:
        """The least value above all of them along ``axis``; the bottom where there is none."""
        return self._extreme(values, axis, largest=not self.reverse, empty=self.bottom)

    def meet(self, values: ArrayLike, axis: int | None = None) -> Array:
        """The greatest value below all of them along ``axis``; the top where there is none."""
        return self._extreme(values, axis, largest=self.reverse, empty=self.top)

    def _extreme(self, values: ArrayLike, axis: int | None, largest: bool, empty: float) -> Array:
        pick = np.max if largest else np.min
        return np.asarray(pick(np.asarray(values), axis=axis, initial=empty))

    def distance(self, values: ArrayLike) -> Array:
        """phi: order-reversing, the unit to 0, tensor to ``add``.

        Raises
        ------
        InputError
            If a value is not a number of the carrier.
        """
        given = np.asarray(values)
        if given.dtype.kind not in "fiub":
            raise InputError(f"values of the quantale {self.name} must be numbers; got an array of {given.dtype}.")
        numbers = given if given.dtype.kind == "f" else given.astype(np.float64)
        inside = (numbers >= self.low - ROUNDING) & (numbers <= self.high + ROUNDING)
        if self.name == "bool":
            inside &= (numbers == 0) | (numbers == 1)
        if not inside.all():
            first = numbers.ravel()[int(np.argmin(inside))]
            raise InputError(
                f"values of the quantale {self.name} must lie in [{self.low:g}, {self.high:g}]; got {first:g}. "
                "Choose the quantale these values belong to, or give distances instead."
            )
        return np.asarray(np.clip(self.to_distance(np.clip(numbers, self.low, self.high)), 0, self.cap))

    def values(self, distances: ArrayLike) -> Array:
        """The value at each distance; distances beyond ``cap`` give the bottom. In Bool only distance 0 is true."""
        return self.to_value(np.minimum(np.asarray(distances), self.cap))

    def add(self, d: ArrayLike, e: ArrayLike) -> Array:
        """The tensor on distances: sum up to ``cap``, or the larger of the two."""
        first, second = np.asarray(d), np.asarray(e)
        if not self.sums:
            return np.asarray(np.maximum(first, second))
        total = np.asarray(first + second)
        return total if self.cap == inf else np.asarray(np.minimum(total, self.cap))

    def residual(self, d: ArrayLike, e: ArrayLike) -> Array:
        """The internal hom on distances: the least r with add(d, r) >= e."""
        first, second = np.asarray(d), np.asarray(e)
        return excess(second, first) if self.sums else np.where(second <= first, 0, second)


BOOL = Quantale("bool", 0.0, 1.0, inf, False, False, _truth, _zero, _both, _implies)
"""True and false: preorders. Distance 0 or inf."""
PROBABILITY = Quantale("probability", 0.0, 1.0, inf, True, False, _surprise, _likelihood, np.multiply, _ratio)
"""[0, 1] under multiplication; distance -ln."""
COST = Quantale("cost", 0.0, inf, inf, True, True, _same, _same, np.add, _cost_hom)
"""[0, inf] under addition, less is more: Lawvere metric spaces. The distance is the value."""
ANGLE = Quantale("angle", 0.0, 1.0, pi / 2, True, False, np.arccos, np.cos, _angle_sum, _angle_hom)
"""Cosines in [0, 1] under addition of angles up to pi/2; distance arccos."""
SPHERE = Quantale("sphere", -1.0, 1.0, pi, True, False, np.arccos, np.cos, _sphere_sum, _angle_hom)
"""Cosines in [-1, 1] under addition of angles up to pi; distance arccos. For features whose cosines may be negative."""
LUKASIEWICZ = Quantale("lukasiewicz", 0.0, 1.0, 1.0, True, False, _complement, _complement, _bounded_sum, _bounded_hom)
"""[0, 1] with max(0, a + b - 1): metrics bounded by 1. Distance 1 - a."""
FUZZY_MIN = Quantale("fuzzy min", 0.0, 1.0, 1.0, False, False, _complement, _complement, np.minimum, _godel_hom)
"""[0, 1] with the smaller of two: ultrametrics. Distance 1 - a."""
QUANTALES = (BOOL, PROBABILITY, COST, ANGLE, SPHERE, LUKASIEWICZ, FUZZY_MIN)
