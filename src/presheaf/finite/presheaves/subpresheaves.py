"""Sub-presheaves: generated, met and joined, implied, counted, listed; images, preimages and kernel pairs of maps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Bools, Ints, frozen, starts
from presheaf.finite.columns.graph import forest, strong_components
from presheaf.finite.columns.joins import Factor, Solutions
from presheaf.finite.presheaves.limits import Cone, pullback
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.transformation import Transformation


class Subpresheaf:
    """A part of a set-valued functor that is closed under its generators.

    Parameters
    ----------
    ambient : SetFunctor, of either variance
    part : n bool arrays, which elements of each object belong to it

    Raises
    ------
    InputError
        A mask of wrong shape, or an element that a generator leads out of the part (generator and row are named).

    Notes
    -----
    Ordered by inclusion, the parts of one functor form a Heyting algebra and a co-Heyting algebra: ``&`` meet, ``|``
    join, ``>>`` implication, ``-`` subtraction, ``~`` pseudo-complement, ``<=`` inclusion. For the Heyting part see Mac
    Lane and Moerdijk, Sheaves in Geometry and Logic, I.8. Cost of each: linear in elements x generators.
    """

    def __init__(self, ambient: SetFunctor, part: Sequence[ArrayLike]) -> None:
        masks = [np.asarray(p) for p in part]
        names = ambient.category.objects
        if len(masks) != len(names):
            raise InputError(f"{len(names)} masks are needed, one for each object; got {len(masks)}.")
        for c, mask in enumerate(masks):
            if mask.shape != (int(ambient.sizes[c]),) or (mask.size and mask.dtype != np.bool_):
                raise InputError(
                    f"the mask at {names[c]} must be bool of shape ({int(ambient.sizes[c])},); got {mask.dtype}, "
                    f"{mask.shape}."
                )
        side = ambient.covariant.category
        for j, (a, b) in enumerate(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)):
            lost = np.flatnonzero(masks[a] & ~masks[b][ambient.columns[j]])
            if len(lost):
                raise InputError(
                    f"generator {side.names[j]} leads row {int(lost[0])} of {names[a]} out of the part; "
                    "``generated`` gives the smallest part that holds it."
                )
        self._set(ambient, np.concatenate([np.empty(0, dtype=bool), *(m.astype(bool) for m in masks)]))

    def _set(self, ambient: SetFunctor, inside: Bools) -> None:
        self.ambient = ambient
        self._inside = frozen(inside)

    @classmethod
    def _of(cls, ambient: SetFunctor, inside: Bools) -> Subpresheaf:
        self = cls.__new__(cls)
        self._set(ambient, inside)
        return self

    @classmethod
    def whole(cls, ambient: SetFunctor) -> Subpresheaf:
        """All elements."""
        return cls._of(ambient, np.ones(ambient.n_elements, dtype=bool))

    @classmethod
    def empty(cls, ambient: SetFunctor) -> Subpresheaf:
        """No elements."""
        return cls._of(ambient, np.zeros(ambient.n_elements, dtype=bool))

    @cached_property
    def part(self) -> tuple[Bools, ...]:
        """Which elements of each object belong to it, one bool array an object."""
        offsets = self.ambient.offsets
        return tuple(self._inside[a:b] for a, b in pairwise(offsets.tolist()))

    def __len__(self) -> int:
        return int(self._inside.sum())

    def __contains__(self, element: tuple[int, int]) -> bool:
        c, row = element
        return bool(self.part[c][row])

    def _other(self, other: Subpresheaf) -> Bools:
        if other.ambient is not self.ambient:
            raise InputError("both parts must be parts of the same functor.")
        return other._inside

    def __and__(self, other: Subpresheaf) -> Subpresheaf:
        """The meet: elements of both."""
        return self._of(self.ambient, self._inside & self._other(other))

    def __or__(self, other: Subpresheaf) -> Subpresheaf:
        """The join: elements of either."""
        return self._of(self.ambient, self._inside | self._other(other))

    def __rshift__(self, other: Subpresheaf) -> Subpresheaf:
        """Heyting implication: the largest part whose meet with this one lies in the other.

        Its elements are those from which no arrow leads into this part without leading into the other.
        """
        bad = self._inside & ~self._other(other)
        return self._of(self.ambient, ~_reached(*_backward(self.ambient), bad))

    def __sub__(self, other: Subpresheaf) -> Subpresheaf:
        """Co-Heyting subtraction: the smallest part whose join with the other holds this one."""
        return self._of(self.ambient, _reached(*self.ambient.element_graph, self._inside & ~self._other(other)))

    def __invert__(self) -> Subpresheaf:
        """The pseudo-complement: the largest part that has nothing in common with this one."""
        return self >> Subpresheaf.empty(self.ambient)

    def __le__(self, other: Subpresheaf) -> bool:
        """Whether this part lies in the other."""
        return bool((~self._inside | self._other(other)).all())

    def __lt__(self, other: Subpresheaf) -> bool:
        """Whether this part lies in the other and is smaller."""
        return self <= other and len(self) < len(other)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Subpresheaf):
            return NotImplemented
        return self.ambient is other.ambient and bool((self._inside == other._inside).all())

    def __hash__(self) -> int:
        return hash(self._inside.tobytes())

    @cached_property
    def inclusion(self) -> Transformation:
        """The part as a functor of its own, with its inclusion into the whole."""
        t = self.ambient
        side = t.covariant.category
        rows = [np.flatnonzero(p).astype(np.int32) for p in self.part]
        place = [(np.cumsum(p) - 1).astype(np.int32) for p in self.part]
        ends = zip(side.generator_dom.tolist(), side.generator_cod.tolist(), t.columns, strict=True)
        columns = [frozen(place[b][column[rows[a]]]) for a, b, column in ends]
        small = t.like(np.array([len(r) for r in rows], dtype=np.int32), columns)
        return Transformation.trusted(small, t, tuple(frozen(r) for r in rows))

    @property
    def functor(self) -> SetFunctor:
        """The part as a functor of its own."""
        return self.inclusion.source

    def __repr__(self) -> str:
        return f"Subpresheaf({len(self)} of {self.ambient.n_elements} elements of {self.ambient!r})"


def _backward(t: SetFunctor) -> tuple[np.ndarray, np.ndarray]:
    first, target = t.element_graph
    source = np.repeat(np.arange(t.n_elements, dtype=np.int32), np.diff(first))
    return starts(np.bincount(target, minlength=t.n_elements)), source[np.argsort(target, kind="stable")]


def _reached(first: np.ndarray, target: np.ndarray, inside: Bools) -> Bools:
    out = inside.copy()
    if inside.any():
        out[forest(first, target, np.flatnonzero(inside)).order] = True
    return out


def generated(t: SetFunctor, elements: Iterable[tuple[int, int]]) -> Subpresheaf:
    """The smallest sub-presheaf that holds some elements, given as pairs (object, row). Cost: one search."""
    inside = np.zeros(t.n_elements, dtype=bool)
    for c, row in elements:
        if not (0 <= c < len(t.sizes) and 0 <= row < t.sizes[c]):
            raise InputError(f"T has no element {row} at object {c}.")
        inside[t.offsets[c] + row] = True
    return Subpresheaf._of(t, _reached(*t.element_graph, inside))


def image(f: Transformation) -> Subpresheaf:
    """The elements of the target that f takes as values. Linear."""
    inside = np.zeros(f.target.n_elements, dtype=bool)
    for start, component in zip(f.target.offsets[:-1].tolist(), f.components, strict=True):
        inside[start + component] = True
    return Subpresheaf._of(f.target, inside)


def factorisation(f: Transformation) -> tuple[Transformation, Transformation]:
    """f as an epimorphism onto its image, then the image's inclusion. Linear."""
    part = image(f)
    place = [(np.cumsum(p) - 1).astype(np.int32) for p in part.part]
    onto = tuple(frozen(p[component]) for p, component in zip(place, f.components, strict=True))
    return Transformation.trusted(f.source, part.functor, onto), part.inclusion


def kernel_pair(f: Transformation) -> Cone:
    """The pairs of elements with the same image: the pullback of f along itself; legs 0 and 1 are the projections.

    Cost: linear in the pairs, and sorting them.
    """
    return pullback(f, f)


def preimage(f: Transformation, part: Subpresheaf) -> Subpresheaf:
    """The elements that f takes into a sub-presheaf of its target. Linear."""
    if part.ambient is not f.target:
        raise InputError("the part must be one of the transformation's target.")
    masks = [np.empty(0, dtype=bool), *(p[component] for p, component in zip(part.part, f.components, strict=True))]
    return Subpresheaf._of(f.source, np.concatenate(masks))


@dataclass(frozen=True, eq=False)
class Subpresheaves:
    """All sub-presheaves of a functor, counted without being listed, iterated lazily in a fixed order.

    Parameters
    ----------
    ambient : SetFunctor
    limit : most rows of an intermediate table

    Notes
    -----
    Elements that yield each other belong to a part together, so a part is an up-set of the order on strongly connected
    components of the graph of elements: one yes-or-no variable a component and one condition an edge. They are counted
    by bucket elimination (``joins.eliminate``), which is polynomial where the order has bounded tree width; in general
    the number of up-sets is #P-complete (Provan and Ball, SIAM J. Comput. 12, 1983).
    """

    ambient: SetFunctor
    limit: int = 10_000_000

    @cached_property
    def _label(self) -> Ints:
        if not self.ambient.n_elements:
            return np.empty(0, dtype=np.int32)
        return strong_components(*self.ambient.element_graph)

    @cached_property
    def _solutions(self) -> Solutions:
        first, target = self.ambient.element_graph
        label = self._label
        one = np.repeat(label, np.diff(first))
        edges = np.unique(np.stack([one, label[target]], axis=1), axis=0)
        edges = edges[edges[:, 0] != edges[:, 1]]
        free = np.array([[0], [1]], dtype=np.int32)
        implies = np.array([[0, 0], [0, 1], [1, 1]], dtype=np.int32)
        factors = [_relation((v,), free) for v in range(int(label.max(initial=-1)) + 1)]
        factors += [_relation((a, b), implies) for a, b in edges.tolist()]
        return Solutions.of(factors, self.limit)

    def count(self) -> int:
        """How many there are, exact."""
        return self._solutions.total

    def __iter__(self) -> Iterator[Subpresheaf]:
        for known in self._solutions.iterate():
            chosen = np.zeros(len(known), dtype=bool)
            chosen[list(known)] = list(known.values())
            yield Subpresheaf._of(self.ambient, chosen[self._label])

    def __repr__(self) -> str:
        return f"Subpresheaves({self.ambient!r})"


def _relation(variables: tuple[int, ...], rows: Ints) -> Factor:
    return Factor(variables, rows, np.ones(len(rows), dtype=np.int64), len(rows))


def subpresheaves(t: SetFunctor, *, limit: int = 10_000_000) -> Subpresheaves:
    """All sub-presheaves of T; see ``Subpresheaves``. Cost: see there."""
    return Subpresheaves(t, limit)
