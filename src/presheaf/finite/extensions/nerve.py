"""Maps out of the parts of a diagram, as a presheaf on its shape: the right adjoint of the Yoneda extension."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import frozen, spread
from presheaf.finite.extensions.diagram import Diagram
from presheaf.finite.presheaves.families import Families, families
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.transformation import Transformation


@dataclass(frozen=True, eq=False)
class Nerve:
    """The presheaf c -> Nat(P(c), T) on the shape of a diagram P.

    Attributes
    ----------
    diagram : Diagram P
    target : SetFunctor T
    presheaf : SetFunctor on the shape of P
    """

    diagram: Diagram
    target: SetFunctor
    presheaf: SetFunctor
    _families: Families

    def element(self, c: int, row: int) -> Transformation:
        """An element at c as the transformation P(c) -> T that it is."""
        if not (0 <= c < len(self.presheaf.sizes) and 0 <= row < self.presheaf.sizes[c]):
            raise InputError(f"there is no element {row} at object {c}; sizes: {self.presheaf.sizes.tolist()}.")
        source, offsets = self.diagram.parts[c], self._families.weight.offsets
        parts = []
        for d, size in enumerate(source.sizes.tolist()):
            elements = offsets[d] + self.diagram.begin[d, c] + np.arange(size)
            parts.append(frozen(self._families.value(c, row, elements)))
        return Transformation.trusted(source, self.target, tuple(parts))

    def __repr__(self) -> str:
        return f"Nerve({self.presheaf!r})"


def nerve(diagram: Diagram, t: SetFunctor, *, most: int = 50_000_000) -> Nerve:
    """The nerve of T along a diagram P: c -> Nat(P(c), T), arrows acting by composition.

    Parameters
    ----------
    diagram : Diagram P on C, with values where T lives
    t : SetFunctor
    most : most elements at one object, and most rows of an intermediate table

    Raises
    ------
    InputError
        T lives elsewhere than P's values, or more than ``most`` rows; the object is named.

    Notes
    -----
    Right adjoint to S -> S (x) P (``yoneda_extension``): Nat(S (x) P, T) = Nat(S, nerve(P, T)). Cost: see ``families``.
    """
    if t.category is not diagram.category or t.variance != diagram.variance:
        raise InputError("T must live on the category of the diagram's values, with their variance.")
    shape, whole = diagram.shape, diagram.side_by_side()
    begin = diagram.begin
    owner, _ = spread(np.diff(begin, axis=1).ravel())
    part = (owner % len(diagram.parts)).astype(np.int32)
    fam = families(whole, part, shape.objects, t.covariant, most=most)
    at = np.searchsorted(whole.offsets, fam.roots, side="right") - 1
    columns = []
    for f, a, b in zip(diagram.maps, shape.generator_dom.tolist(), shape.generator_cod.tolist(), strict=True):
        # The families on part b act on part a through f: part a -> part b.
        here = slice(int(fam.first[a]), int(fam.first[a + 1]))
        moved = []
        for root, d in zip(fam.roots[here].tolist(), at[here].tolist(), strict=True):
            row = root - whole.offsets[d] - begin[d, a]
            moved.append(whole.offsets[d] + begin[d, b] + f.components[d][row])
        columns.append(fam.column(b, a, np.array(moved, dtype=np.int64)))
    sizes = np.array([len(table) for table in fam.tables], dtype=np.int64)
    made = SetFunctor.trusted(shape, sizes, columns, variance="contravariant")
    return Nerve(diagram, t, made, fam)
