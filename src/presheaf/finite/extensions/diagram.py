"""Functors from a category to set-valued functors: the Yoneda embedding and others, checked, composed, evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import Longs, frozen
from presheaf.finite.presheaves.limits import Cocone, Cone, colimit, limit
from presheaf.finite.presheaves.presheaf import SetFunctor, Variance
from presheaf.finite.presheaves.transformation import Transformation
from presheaf.finite.presheaves.yoneda import embed, representable


class Diagram:
    """A (covariant) functor P from a category to the set-valued functors on another category.

    Parameters
    ----------
    shape : Category C
    parts : n SetFunctors on one category, of one variance: P(c) for each object c
    maps : k Transformations, P(u): P(a) -> P(b) for each generator u: a -> b of C

    Raises
    ------
    InputError
        Parts on different categories, a map with other ends (the generator is named), or a relation of C that breaks
        (it is written out).

    Notes
    -----
    Cost of the check: elements of the parts x length of the relations.
    """

    def __init__(self, shape: Category, parts: Sequence[SetFunctor], maps: Sequence[Transformation]) -> None:
        if len(parts) != shape.n_objects or len(maps) != len(shape.generators):
            raise InputError(
                f"{shape.n_objects} parts and {len(shape.generators)} maps are needed; got {len(parts)} and {len(maps)}."
            )
        if not parts:
            raise InputError("a diagram of no parts doesn't say on which category its values live.")
        self.shape, self.parts, self.maps = shape, tuple(parts), tuple(maps)
        for c, part in enumerate(parts):
            if part.category is not parts[0].category or part.variance != parts[0].variance:
                raise InputError(f"part {shape.objects[c]} lives on another category, or has another variance.")
        for j, f in enumerate(maps):
            a, b = int(shape.generator_dom[j]), int(shape.generator_cod[j])
            if f.source is not parts[a] or f.target is not parts[b]:
                raise InputError(
                    f"the map of generator {shape.names[j]} doesn't run from the part of {shape.objects[a]} to that of "
                    f"{shape.objects[b]}."
                )
        for x, j, y in zip(*(column.tolist() for column in shape.relations), strict=True):
            if self.at(x).then(self.maps[j]) != self.at(y):
                left = ";".join(shape.names[i] for i in (*shape.word(x), j))
                raise InputError(f"the equation {left} = {shape.name(y)} breaks: its sides are different maps.")

    @classmethod
    def trusted(cls, shape: Category, parts: Sequence[SetFunctor], maps: Sequence[Transformation]) -> Diagram:
        """A diagram that its maker knows to be one."""
        self = cls.__new__(cls)
        self.shape, self.parts, self.maps = shape, tuple(parts), tuple(maps)
        return self

    @property
    def category(self) -> Category:
        """The category on which the values live."""
        return self.parts[0].category

    @property
    def variance(self) -> Variance:
        """The variance of the values."""
        return self.parts[0].variance

    def at(self, arrow: int) -> Transformation:
        """P(f): P(a) -> P(b) for an arrow f: a -> b of the shape."""
        out = Transformation.identity(self.parts[int(self.shape.dom[arrow])])
        for j in self.shape.word(arrow):
            out = out.then(self.maps[j])
        return out

    def evaluate(self, d: int) -> SetFunctor:
        """The copresheaf c -> P(c)(d) on the shape."""
        sizes = np.array([part.sizes[d] for part in self.parts])
        return SetFunctor.trusted(self.shape, sizes, [f.components[d] for f in self.maps], variance="covariant")

    def _ends(self) -> list[tuple[int, int, Transformation]]:
        ends = zip(self.shape.generator_dom.tolist(), self.shape.generator_cod.tolist(), self.maps, strict=True)
        return list(ends)

    def limit(self, *, most: int = 50_000_000) -> Cone:
        """The limit of the diagram, computed at each object; leg c goes to part c."""
        return limit(self.parts, self._ends(), most=most)

    def colimit(self) -> Cocone:
        """The colimit of the diagram, computed at each object; leg c starts at part c."""
        return colimit(self.parts, self._ends())

    @cached_property
    def begin(self) -> Longs:
        """Where the rows of each part start when all parts are put side by side, int64 (objects, parts + 1)."""
        out = np.zeros((self.category.n_objects, len(self.parts) + 1), dtype=np.int64)
        for c, part in enumerate(self.parts):
            out[:, c + 1] = out[:, c] + part.sizes
        return frozen(out)

    def side_by_side(self) -> SetFunctor:
        """The disjoint union of all parts as a covariant functor: at each object part after part, see ``begin``."""
        begin, side = self.begin, self.parts[0].covariant.category
        columns = []
        for j, e in enumerate(side.generator_cod.tolist()):
            moved = [part.columns[j] + np.int32(begin[e, c]) for c, part in enumerate(self.parts)]
            columns.append(frozen(np.concatenate(moved)))
        return SetFunctor.trusted(side, begin[:, -1], columns, variance="covariant")

    def __repr__(self) -> str:
        what = "presheaves" if self.variance == "contravariant" else "copresheaves"
        many = sum(part.n_elements for part in self.parts)
        return f"Diagram({self.shape!r} to {what} on {self.category!r}, {many} elements)"


def yoneda_embedding(category: Category, *, variance: Variance = "contravariant") -> Diagram:
    """The Yoneda embedding as a functor.

    Returns
    -------
    Diagram on the category, c -> Hom(-, c) (contravariant), or on its opposite, c -> Hom(c, -) (covariant)

    Notes
    -----
    Cost: one row for each arrow, and one step for each arrow and generator that meet.
    """
    shape = category if variance == "contravariant" else category.op
    parts = [representable(category, c, variance=variance) for c in range(category.n_objects)]
    maps = []
    for j, (a, b) in enumerate(zip(shape.generator_dom.tolist(), shape.generator_cod.tolist(), strict=True)):
        plain = embed(category, int(shape.generators[j]), variance=variance)
        maps.append(Transformation.trusted(parts[a], parts[b], plain.components))
    return Diagram.trusted(shape, parts, maps)
