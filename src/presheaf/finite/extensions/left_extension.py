"""Left Kan extension of set-valued functors along a functor of finite categories, with its adjunction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Ints, frozen, starts
from presheaf.finite.functors.functor import Functor
from presheaf.finite.functors.profile import Profile, profile, sides
from presheaf.finite.presheaves.flat import split, values
from presheaf.finite.presheaves.glued_pairs import Coend, coend
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.transformation import Transformation
from presheaf.finite.presheaves.yoneda import propagate


@dataclass(frozen=True, eq=False)
class LeftExtension:
    """The left Kan extension of T along F: C -> D, the left adjoint of restriction.

    Attributes
    ----------
    along : Functor F
    base : SetFunctor T on C
    extension : SetFunctor Lan_F T on D, of the variance of T
    unit : Transformation T -> F* Lan_F T
    """

    along: Functor
    base: SetFunctor
    extension: SetFunctor
    unit: Transformation
    _profile: Profile
    _coend: Coend
    _pair: Ints
    _row: Ints

    def origin(self, d: int, row: int) -> tuple[int, int, int]:
        """A certificate of an element at d: an object c, an arrow of D and a row x of T(c) that it comes from.

        The arrow runs F c -> d, or d -> F c for presheaves; the element is its action on the unit's value at x.
        """
        if not (0 <= d < len(self.extension.sizes) and 0 <= row < self.extension.sizes[d]):
            raise InputError(f"there is no element {row} at object {d}; sizes: {self.extension.sizes.tolist()}.")
        pair = self._pair[self.extension.offsets[d] + row]
        c, w, x = (int(i) for i in self._coend.unpair(pair))
        return c, int(self._profile.arrow[self._profile.weight.offsets[c] + w]), x

    def extend(self, f: Transformation, s: SetFunctor) -> Transformation:
        """The one transformation g: Lan_F T -> S whose restriction after the unit is f: T -> F* S.

        Raises
        ------
        InputError
            f doesn't run from T to the restriction of S.
        """
        if f.source is not self.base:
            raise InputError("f must start at the functor that was extended.")
        require_restriction(f.target, self.along, s)
        at = np.repeat(self.along.objects, self.base.sizes)
        elements = self.extension.offsets[at] + values(self.unit)
        return propagate(self.extension, s, elements, values(f))

    def restrict(self, g: Transformation) -> Transformation:
        """The transformation T -> F* S that g: Lan_F T -> S restricts to; the inverse of ``extend``."""
        if g.source is not self.extension:
            raise InputError("g must start at the extension.")
        parts = [g.components[d][u] for d, u in zip(self.along.objects.tolist(), self.unit.components, strict=True)]
        return Transformation.trusted(self.base, self.along.restrict(g.target), tuple(frozen(p) for p in parts))

    def map(self, f: Transformation, other: LeftExtension) -> Transformation:
        """Lan_F f: Lan_F T -> Lan_F T' of f: T -> T', ``other`` being the extension of T' along F.

        Notes
        -----
        Reads the class of each element's certificate; linear.
        """
        if f.source is not self.base or f.target is not other.base or other.along is not self.along:
            raise InputError("f must run from this base to the other's, both extended along the same functor.")
        c, w, x = self._coend.unpair(self._pair)
        moved = values(f)[self.base.offsets[c] + x]
        image = other._row[other._coend.label[other._coend.pair(c, w, moved)]]
        return Transformation.trusted(self.extension, other.extension, split(image, self.extension))

    def __repr__(self) -> str:
        return f"LeftExtension({self.base!r} to {self.extension!r})"


def left_extension(f: Functor, t: SetFunctor, *, most: int = 2**31 - 1) -> LeftExtension:
    """The left Kan extension of T along F: C -> D, both categories finite.

    Parameters
    ----------
    f : Functor C -> D
    t : SetFunctor on C; a presheaf gives a presheaf, a copresheaf a copresheaf
    most : most pairs of an arrow of D and an element of T

    Raises
    ------
    InputError
        T lives on another category, or more than ``most`` pairs.

    Notes
    -----
    The coend Lan_F T (d) = integral^c D(F c, d) x T(c) (Mac Lane, Categories for the Working Mathematician, X.4), for
    presheaves with D(d, F c). Elements at d are numbered by their smallest pair, objects c first, then arrows, then
    rows. Cost: near-linear in sum_c |D(F c, -)| |T(c)|, times the generators at c.
    """
    if t.category is not f.source:
        raise InputError("the set-valued functor must live on the source of the functor.")
    mine = sides(f, t.variance)
    homs = profile(mine.op)
    glued = coend(homs.weight, t.covariant, most=most)
    side = mine.target
    c, w, _ = glued.unpair(glued.first)
    arrow = homs.arrow[homs.weight.offsets[c] + w]
    at = side.cod[arrow]
    order = np.argsort(at, kind="stable")
    sizes = np.bincount(at, minlength=side.n_objects)
    first = starts(sizes)
    row = np.empty(len(order), dtype=np.int32)
    row[order] = np.arange(len(order)) - first[at[order]]
    pair = glued.first[order]
    c, w, x = glued.unpair(pair)
    arrow = arrow[order]
    columns = []
    for j, d in enumerate(side.generator_dom.tolist()):
        here = slice(int(first[d]), int(first[d + 1]))
        moved = glued.pair(c[here], homs.rank[side.then(arrow[here], j)], x[here])
        columns.append(frozen(row[glued.label[moved]]))
    extension = SetFunctor.trusted(f.target, sizes, columns, variance=t.variance)
    identity = homs.rank[side.identity[f.objects]]
    parts = []
    for b, (w0, size) in enumerate(zip(identity.tolist(), t.sizes.tolist(), strict=True)):
        parts.append(frozen(row[glued.label[glued.pair(b, w0, np.arange(size))]]))
    unit = Transformation.trusted(t, f.restrict(extension), tuple(parts))
    return LeftExtension(f, t, extension, unit, homs, glued, frozen(pair), frozen(row))


def left_counit(f: Functor, s: SetFunctor, *, most: int = 2**31 - 1) -> tuple[LeftExtension, Transformation]:
    """The extension of F* S along F, and the counit Lan_F F* S -> S; ``most`` as in ``left_extension``. Same cost."""
    made = left_extension(f, f.restrict(s), most=most)
    return made, made.extend(Transformation.identity(made.base), s)


def require_restriction(t: SetFunctor, f: Functor, s: SetFunctor) -> None:
    """Refuse a T that isn't, entry by entry, the restriction of S along F."""
    if s.category is not f.target or t.category is not f.source or s.variance != t.variance:
        raise InputError("S must live on the target of the functor, with the same variance.")
    wanted = f.restrict(s)
    same = np.array_equal(wanted.sizes, t.sizes)
    if not same or not all(map(np.array_equal, wanted.columns, t.columns)):
        raise InputError("the transformation has an end that must be the restriction of S along F, and isn't.")
