"""Exponentials of set-valued functors: the functor of maps, evaluation, and the two transposes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Ints, Longs, frozen
from presheaf.finite.functors.profile import Profile, Sides, profile
from presheaf.finite.presheaves.families import Families, families
from presheaf.finite.presheaves.limits import Cone, product
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.transformation import Transformation


@dataclass(frozen=True, eq=False)
class Exponential:
    """The exponential Z^Y with its evaluation.

    Attributes
    ----------
    base : SetFunctor Y
    target : SetFunctor Z
    power : SetFunctor Z^Y; an element at c is a transformation from h x Y to Z, h being the representable of c
    product : Cone, the product Z^Y x Y
    evaluation : Transformation Z^Y x Y -> Z
    """

    base: SetFunctor
    target: SetFunctor
    power: SetFunctor
    product: Cone
    evaluation: Transformation
    _homs: Profile
    _families: Families

    def curry(self, f: Transformation, pairs: Cone) -> Transformation:
        """The one transformation X -> Z^Y that gives f: X x Y -> Z when evaluated.

        Parameters
        ----------
        f : Transformation from ``pairs.apex`` to Z
        pairs : ``limits.product(X, Y)``

        Raises
        ------
        InputError
            ``pairs`` is no product with Y, or f doesn't run from it to Z.
        """
        if len(pairs.legs) != 2 or pairs.legs[1].target is not self.base:
            raise InputError("pairs must be product(X, Y), Y being the base of the exponential.")
        if f.source is not pairs.apex or f.target is not self.target:
            raise InputError("f must run from the apex of pairs to the target of the exponential.")
        x, y = pairs.legs[0].target, self.base
        fam, homs = self._families, self._homs
        parts = []
        for c, size in enumerate(x.sizes.tolist()):
            roots = fam.roots[fam.first[c] : fam.first[c + 1]]
            images = np.zeros((size, len(roots)), dtype=np.int32)
            triples = (part.tolist() for part in _triples(homs, y, fam.weight, roots))
            for i, (d, arrow, row) in enumerate(zip(*triples, strict=True)):
                images[:, i] = f.components[d][x.apply(arrow, np.arange(size)) * y.sizes[d] + row]
            parts.append(frozen(fam.find(c, images)))
        return Transformation.trusted(x, self.power, tuple(parts))

    def uncurry(self, g: Transformation, pairs: Cone) -> Transformation:
        """The transformation X x Y -> Z, (x, y) to g(x)(y), of g: X -> Z^Y; the inverse of ``curry``."""
        if len(pairs.legs) != 2 or pairs.legs[0].target is not g.source or pairs.legs[1].target is not self.base:
            raise InputError("pairs must be product(X, Y), X being the source of g and Y the base of the exponential.")
        if g.target is not self.power:
            raise InputError("g must end at the power of the exponential.")
        legs = zip(pairs.legs[0].components, pairs.legs[1].components, strict=True)
        parts = []
        for c, (x, y) in enumerate(legs):
            pair = g.components[c][x].astype(np.int64) * self.base.sizes[c] + y
            parts.append(frozen(self.evaluation.components[c][pair]))
        return Transformation.trusted(pairs.apex, self.target, tuple(parts))

    def __repr__(self) -> str:
        return f"Exponential({self.power!r})"


def exponential(y: SetFunctor, z: SetFunctor, *, most: int = 50_000_000) -> Exponential:
    """The exponential Z^Y in the category of set-valued functors of one variance on one category.

    Parameters
    ----------
    y, z : SetFunctor
    most : most elements at one object, and most rows of an intermediate table

    Raises
    ------
    InputError
        Functors on different categories, or more than ``most`` rows; the object is named.

    Notes
    -----
    Z^Y(c) = Nat(h_c x Y, Z) by the Yoneda lemma (Mac Lane and Moerdijk, Sheaves in Geometry and Logic, I.6); all
    h_c x Y are laid out as one functor. Cost: arrows x rows of Y x generators, plus what ``families`` costs; besides, one
    step of Python an object (about a tenth of a millisecond).
    """
    if y.category is not z.category or y.variance != z.variance:
        raise InputError("both functors must live on the same category with the same variance.")
    cov = y.covariant
    side = cov.category
    homs = profile(Sides(side, side, np.arange(side.n_objects, dtype=np.int32), side.generators))
    weight, part = _pairs(homs, cov)
    fam = families(weight, part, side.objects, z.covariant, most=most)
    columns = []
    at, arrow, row = _triples(homs, y, weight, fam.roots)
    for j, (a, b) in enumerate(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)):
        mine = slice(int(fam.first[b]), int(fam.first[b + 1]))
        moved = homs.rank[side.after(arrow[mine], j)].astype(np.int64)
        columns.append(fam.column(a, b, weight.offsets[at[mine]] + moved * y.sizes[at[mine]] + row[mine]))
    power = z.like(np.array([len(table) for table in fam.tables], dtype=np.int64), columns)
    both = product(power, y)
    values = tuple(_evaluate(homs, fam, y, c) for c in range(len(y.sizes)))
    evaluation = Transformation.trusted(both.apex, z, values)
    return Exponential(y, z, power, both, evaluation, homs, fam)


def _pairs(homs: Profile, y: SetFunctor) -> tuple[SetFunctor, Ints]:
    """All products h_c x Y side by side: at d the pairs of an arrow into d and a row of Y(d); and the part c of each."""
    h = homs.weight
    columns = []
    for j, b in enumerate(y.category.generator_cod.tolist()):
        moved = h.columns[j].astype(np.int64)[:, None] * int(y.sizes[b]) + y.columns[j][None, :]
        columns.append(frozen(moved.ravel().astype(np.int32)))
    sizes = h.sizes.astype(np.int64) * y.sizes
    if int(sizes.sum()) >= 2**31:
        raise InputError(f"{int(sizes.sum())} pairs of an arrow and an element don't fit int32 ids.")
    part = np.repeat(homs.part, np.repeat(y.sizes, h.sizes))
    return SetFunctor.trusted(y.category, sizes, columns, variance="covariant"), part


def _triples(homs: Profile, y: SetFunctor, weight: SetFunctor, elements: Longs) -> tuple[Longs, Ints, Longs]:
    """Object d, arrow into d and row of Y(d) of elements of the products."""
    d = np.searchsorted(weight.offsets, elements, side="right") - 1
    rest, size = elements - weight.offsets[d], y.sizes[d]
    return d, homs.arrow[homs.weight.offsets[d] + rest // size], rest % size


def _evaluate(homs: Profile, fam: Families, y: SetFunctor, c: int) -> Ints:
    """(f, y) to f(identity, y) at object c."""
    size = int(y.sizes[c])
    first = int(fam.weight.offsets[c]) + int(homs.rank[homs.sides.target.identity[c]]) * size
    values = [fam.values(c, first + row) for row in range(size)]
    return frozen(np.stack(values, axis=1).ravel() if size else np.empty(0, dtype=np.int32))
