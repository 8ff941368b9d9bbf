"""The label category B: which labels two close objects may carry. It has to be declared, because the claim changes with it.

A task is a functor F from the objects' category C to B. What F must respect depends on the arrows of B (Theorem 2, "up to
symmetry"), so each class here says when a pair of labels conflicts and, in a sentence, what is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError, one_of

Array = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Reading = Literal["either", "both", "forward"]

READINGS = ("either", "both", "forward")
"""What makes a pair close at lambda: an arrow in either direction (the smaller distance), in both (the larger), or the
arrow from the first to the second."""


class LabelCategory(Protocol):
    """What a declared label category answers."""

    @property
    def reading(self) -> Reading:
        """How the two directions of the hom are read."""
        ...

    @property
    def constant(self) -> bool:
        """Whether F must be constant on close objects, so that the strict ceiling has a meaning."""
        ...

    @property
    def claim(self) -> str:
        """What a conflict means, in a sentence."""
        ...

    def encode(self, labels: ArrayLike) -> Array:
        """Labels as numbers of shape (n,)."""
        ...

    def conflicts(self, first: Array, second: Array, distances: Floats) -> Bools:
        """Whether encoded labels of listed close pairs exclude each other, shape (m,)."""
        ...


@dataclass(frozen=True)
class Discrete:
    """B has identities only: close objects must carry the same label.

    Parameters
    ----------
    arrows : "any" or "isomorphisms"
        Whether F is a functor on all of C (constant on connected components; two objects are close when an arrow of
        either direction is) or on its isomorphisms only (constant on isomorphism classes; both directions are needed).
        The second is the reading of "up to symmetry". Where the hom is symmetric they agree.
    """

    arrows: Literal["any", "isomorphisms"]

    def __post_init__(self) -> None:
        one_of("arrows", self.arrows, ("any", "isomorphisms"))

    @property
    def reading(self) -> Reading:
        return "either" if self.arrows == "any" else "both"

    @property
    def constant(self) -> bool:
        return True

    @property
    def claim(self) -> str:
        if self.arrows == "any":
            return "labels are discrete and every arrow counts: objects joined by an arrow carry one label"
        return "labels are discrete and only isomorphisms count: isomorphic objects carry one label"

    def encode(self, labels: ArrayLike) -> Ints:
        return encode_labels(labels)[0]

    def conflicts(self, first: Array, second: Array, distances: Floats) -> Bools:
        return np.asarray(first != second)


COMPONENTS = Discrete("any")
"""Discrete labels, all arrows of C: F is constant on connected components."""
ISOMORPHISM_CLASSES = Discrete("isomorphisms")
"""Discrete labels, isomorphisms of C only: F is constant on isomorphism classes."""


@dataclass(frozen=True, eq=False)
class Ordered:
    """B is a preorder: an arrow x -> y asks for F(x) <= F(y), so F is monotone.

    Parameters
    ----------
    order : bool array of shape (k, k), optional
        ``order[a, b]`` says a <= b, reflexive and transitive; labels are then numbers 0..k-1. By default labels are numbers
        in their own order.

    Notes
    -----
    With a symmetric hom every arrow comes with its reverse, and a total order then asks for equal labels.
    """

    order: Array | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.order is None:
            return
        order = _square(self.order, "order").astype(bool)
        steps = order.astype(np.float64)
        if not (order.diagonal().all() and (order | ~(steps @ steps > 0)).all()):
            raise InputError("order must be reflexive and transitive; add what follows from what it holds.")
        object.__setattr__(self, "order", order)

    @property
    def reading(self) -> Reading:
        return "forward"

    @property
    def constant(self) -> bool:
        return False

    @property
    def claim(self) -> str:
        return "labels are ordered: an arrow from x to y asks that the label of x is at most that of y"

    def encode(self, labels: ArrayLike) -> Array:
        return _numbers(labels) if self.order is None else _codes(labels, len(self.order))

    def conflicts(self, first: Array, second: Array, distances: Floats) -> Bools:
        if self.order is None:
            return np.asarray(first > second)
        return ~np.asarray(self.order[first, second], dtype=bool)


@dataclass(frozen=True, eq=False)
class Metric:
    """B is a metric space: labels may differ by at most ``slope`` times the distance of their objects.

    Parameters
    ----------
    slope : float
        Label distance a unit of the hom's distance pays for, > 0.
    distances : float array of shape (k, k), optional
        Between labels, which are then numbers 0..k-1. By default labels are real numbers and their distance is |a - b|.

    Notes
    -----
    A pair further apart than the largest label distance over ``slope`` can't conflict, so a search to that radius is
    complete; a smaller one leaves the ceiling valid but higher.
    """

    slope: float
    distances: Array | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not (self.slope > 0 and np.isfinite(self.slope)):
            raise InputError(f"slope must be a positive number; got {self.slope!r}.")
        if self.distances is not None:
            table = _square(self.distances, "distances").astype(np.float64)
            if not ((table >= 0).all() and (table.diagonal() == 0).all() and np.array_equal(table, table.T)):
                raise InputError("label distances must be >= 0, symmetric, and 0 from a label to itself.")
            object.__setattr__(self, "distances", table)

    @property
    def reading(self) -> Reading:
        return "either"

    @property
    def constant(self) -> bool:
        return False

    @property
    def claim(self) -> str:
        return f"labels have distances: they differ by at most {self.slope:g} times the distance of their objects"

    def encode(self, labels: ArrayLike) -> Array:
        return _numbers(labels) if self.distances is None else _codes(labels, len(self.distances))

    def conflicts(self, first: Array, second: Array, distances: Floats) -> Bools:
        apart = np.abs(first - second) if self.distances is None else self.distances[first, second]
        return np.asarray(apart > self.slope * distances)


def encode_labels(labels: ArrayLike) -> tuple[Ints, Array]:
    """Labels of any kind as numbers 0..k-1 of shape (n,), and the k labels in order.

    Raises
    ------
    InputError
        If they are not a list of one label an object.
    """
    given = np.asarray(labels)
    if given.ndim != 1:
        raise InputError(f"labels must be one for each object, shape (n,); got shape {given.shape}.")
    if given.dtype.kind == "f" and np.isnan(given).any():
        raise InputError(f"labels must not be missing; object {int(np.argmax(np.isnan(given)))} has nan. Leave it out.")
    classes, codes = np.unique(given, return_inverse=True)
    return codes.astype(np.int64), classes


def _numbers(labels: ArrayLike) -> Array:
    given = np.asarray(labels)
    if given.ndim != 1 or given.dtype.kind not in "fiub":
        raise InputError(f"labels must be numbers of shape (n,); got shape {given.shape} of {given.dtype}.")
    numbers = given.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise InputError(f"labels must be finite; object {int(np.argmin(np.isfinite(numbers)))} has {numbers.min():g}.")
    return numbers


def _codes(labels: ArrayLike, k: int) -> Array:
    given = np.asarray(labels)
    if given.ndim != 1 or given.dtype.kind not in "iu" or (given.size and (given.min() < 0 or given.max() >= k)):
        raise InputError(f"labels must be whole numbers 0..{k - 1} of shape (n,), rows of the declared table.")
    return given.astype(np.int64)


def _square(table: ArrayLike, name: str) -> Array:
    array = np.asarray(table)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.dtype.kind not in "fiub":
        raise InputError(f"{name} must be a table of shape (k, k); got shape {array.shape} of {array.dtype}.")
    return array
