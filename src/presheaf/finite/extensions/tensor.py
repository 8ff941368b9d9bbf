"""The tensor product of set-valued functors, and with it the Yoneda extension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Ints, frozen
from presheaf.finite.extensions.diagram import Diagram
from presheaf.finite.presheaves.flat import values
from presheaf.finite.presheaves.glued_pairs import Coend, coend
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.transformation import Transformation


@dataclass(frozen=True, eq=False)
class Tensor:
    """The set T (x) F for a presheaf T and a copresheaf F on one category.

    Attributes
    ----------
    presheaf, copresheaf : SetFunctors T and F
    size : how many elements
    """

    presheaf: SetFunctor
    copresheaf: SetFunctor
    _coend: Coend

    @property
    def size(self) -> int:
        """How many elements."""
        return len(self._coend.first)

    def element(self, c: int, t: ArrayLike, x: ArrayLike) -> Ints:
        """The element t (x) x for rows t of T(c) and x of F(c), broadcast."""
        return self._coend.label[self._coend.pair(c, np.asarray(x), np.asarray(t))]

    def origin(self, element: int) -> tuple[int, int, int]:
        """The first pair that gives an element: object, row of T, row of F."""
        c, x, t = (int(i) for i in self._coend.unpair(self._coend.first[element]))
        return c, t, x

    def map(self, f: Transformation, g: Transformation, other: Tensor) -> Ints:
        """f (x) g: T (x) F -> T' (x) F', as an int32 array of elements of ``other``."""
        if (f.source, g.source) != (self.presheaf, self.copresheaf):
            raise InputError("f and g must start at the two functors of this tensor product.")
        if (f.target, g.target) != (other.presheaf, other.copresheaf):
            raise InputError("f and g must end at the two functors of the other tensor product.")
        c, x, t = self._coend.unpair(self._coend.first)
        t2 = values(f)[self.presheaf.offsets[c] + t]
        x2 = values(g)[self.copresheaf.offsets[c] + x]
        return frozen(other._coend.label[other._coend.pair(c, x2, t2)])

    def __repr__(self) -> str:
        return f"Tensor({self.size} elements: {self.presheaf!r} (x) {self.copresheaf!r})"


def tensor(t: SetFunctor, f: SetFunctor, *, most: int = 2**31 - 1) -> Tensor:
    """The tensor product T (x) F, the coend of T(c) x F(c).

    Parameters
    ----------
    t : presheaf on C
    f : copresheaf on C
    most : most pairs of elements

    Notes
    -----
    (t u, x) ~ (t, u x) for each arrow u: Mac Lane and Moerdijk, Sheaves in Geometry and Logic, VII.2. It is the colimit
    of F over the elements of T, and the left Kan extension of F along the Yoneda embedding, at T. Cost: near-linear in
    sum_c |T(c)| |F(c)|, times the generators at c.
    """
    if t.category is not f.category or t.variance != "contravariant" or f.variance != "covariant":
        raise InputError("a presheaf and a copresheaf on one category are needed, in this order.")
    return Tensor(t, f, coend(f, t.covariant, most=most))


@dataclass(frozen=True, eq=False)
class YonedaExtension:
    """The left Kan extension of a diagram P along the Yoneda embedding, at a presheaf T.

    Attributes
    ----------
    diagram : Diagram P on C
    presheaf : SetFunctor T on C
    extension : SetFunctor, T (x) P, on the category where P's values live
    """

    diagram: Diagram
    presheaf: SetFunctor
    extension: SetFunctor
    _coends: tuple[Coend, ...]

    def injection(self, c: int, row: int) -> Transformation:
        """The leg P(c) -> T (x) P of an element of T(c); these legs form the universal cocone."""
        if not (0 <= c < len(self.presheaf.sizes) and 0 <= row < self.presheaf.sizes[c]):
            raise InputError(f"T has no element {row} at object {c}.")
        source = self.diagram.parts[c]
        parts = []
        for glued, size in zip(self._coends, source.sizes.tolist(), strict=True):
            parts.append(frozen(glued.label[glued.pair(c, np.arange(size), row)]))
        return Transformation.trusted(source, self.extension, tuple(parts))

    def map(self, f: Transformation, other: YonedaExtension) -> Transformation:
        """f (x) P: T (x) P -> T' (x) P of f: T -> T'."""
        if f.source is not self.presheaf or f.target is not other.presheaf or other.diagram is not self.diagram:
            raise InputError("f must run from this presheaf to the other's, for the same diagram.")
        rows = values(f)
        parts = []
        for mine, theirs in zip(self._coends, other._coends, strict=True):
            c, x, t = mine.unpair(mine.first)
            parts.append(frozen(theirs.label[theirs.pair(c, x, rows[self.presheaf.offsets[c] + t])]))
        return Transformation.trusted(self.extension, other.extension, tuple(parts))

    def __repr__(self) -> str:
        return f"YonedaExtension({self.presheaf!r} to {self.extension!r})"


@overload
def yoneda_extension(f: Diagram, t: SetFunctor, *, most: int = 2**31 - 1) -> YonedaExtension: ...


@overload
def yoneda_extension(f: SetFunctor, t: SetFunctor, *, most: int = 2**31 - 1) -> Tensor: ...


def yoneda_extension(f: Diagram | SetFunctor, t: SetFunctor, *, most: int = 2**31 - 1) -> YonedaExtension | Tensor:
    """The left Kan extension of F along the Yoneda embedding of C, at a presheaf T on C.

    Parameters
    ----------
    f : a copresheaf on C (the value is a set: see ``tensor``), or a Diagram C -> set-valued functors on D
    t : presheaf on C
    most : most pairs of elements at one object of D

    Returns
    -------
    Tensor for a copresheaf, YonedaExtension for a diagram

    Notes
    -----
    Lan_y F (T) = integral^c T(c) x F(c), the one extension of F to presheaves that keeps colimits; Lan_y F (y c) = F c.
    Its right adjoint is ``nerve``. Cost: that of a tensor product for each object of D.
    """
    if isinstance(f, SetFunctor):
        return tensor(t, f, most=most)
    if t.category is not f.shape or t.variance != "contravariant":
        raise InputError("T must be a presheaf on the shape of the diagram.")
    side = f.parts[0].covariant.category
    coends = tuple(coend(f.evaluate(d), t.covariant, most=most) for d in range(side.n_objects))
    begin, whole = f.begin, f.side_by_side()
    columns = []
    for j, (d, e) in enumerate(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)):
        c, x, row = coends[d].unpair(coends[d].first)
        moved = whole.columns[j][begin[d, c] + x] - begin[e, c]
        columns.append(frozen(coends[e].label[coends[e].pair(c, moved, row)]))
    sizes = np.array([len(glued.first) for glued in coends], dtype=np.int32)
    return YonedaExtension(f, t, f.parts[0].like(sizes, columns), coends)
