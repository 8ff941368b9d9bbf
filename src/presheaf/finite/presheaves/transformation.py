"""Natural transformations of set-valued functors: checked, composed, inverted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Ints, frozen, ids
from presheaf.finite.presheaves.presheaf import SetFunctor


def alike(one: SetFunctor, two: SetFunctor) -> None:
    """Raise an InputError unless both functors live on the same category object with the same variance."""
    if one.category is not two.category or one.variance != two.variance:
        raise InputError("both functors must live on the same category with the same variance.")


class Transformation:
    """A natural transformation between set-valued functors.

    Parameters
    ----------
    source, target : SetFunctor on the same category, of the same variance
    components : n int arrays; component c has ``source.sizes[c]`` entries below ``target.sizes[c]``

    Raises
    ------
    InputError
        A component of wrong shape or range, or a naturality square that doesn't commute (generator and row are named).

    Notes
    -----
    Cost: two gathers a generator.
    """

    def __init__(self, source: SetFunctor, target: SetFunctor, components: Sequence[ArrayLike]) -> None:
        alike(source, target)
        category = source.category
        if len(components) != category.n_objects:
            raise InputError(f"{category.n_objects} components are needed; got {len(components)}.")
        parts = tuple(
            ids(f"component at {name}", part, int(target.sizes[c]), (int(source.sizes[c]),))
            for c, (name, part) in enumerate(zip(category.objects, components, strict=True))
        )
        side = source.covariant.category
        for j, (a, b) in enumerate(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)):
            one, two = parts[b][source.columns[j]], target.columns[j][parts[a]]
            wrong = np.flatnonzero(one != two)
            if len(wrong):
                raise InputError(
                    f"not natural at generator {category.names[j]}, row {int(wrong[0])} of {category.objects[a]}: "
                    f"{int(one[wrong[0]])} one way, {int(two[wrong[0]])} the other."
                )
        self._set(source, target, parts)

    def _set(self, source: SetFunctor, target: SetFunctor, components: tuple[Ints, ...]) -> None:
        self.source, self.target, self.components = source, target, components

    @classmethod
    def trusted(cls, source: SetFunctor, target: SetFunctor, components: tuple[Ints, ...]) -> Transformation:
        """A transformation that its maker knows to be natural."""
        self = cls.__new__(cls)
        self._set(source, target, components)
        return self

    @classmethod
    def identity(cls, t: SetFunctor) -> Transformation:
        """The identity of T."""
        return cls.trusted(t, t, tuple(frozen(np.arange(s, dtype=np.int32)) for s in t.sizes.tolist()))

    def then(self, other: Transformation) -> Transformation:
        """This transformation, then the other (vertical composition)."""
        if other.source is not self.target:
            raise InputError("the second transformation must start at the functor where the first ends.")
        parts = tuple(frozen(g[f]) for f, g in zip(self.components, other.components, strict=True))
        return Transformation.trusted(self.source, other.target, parts)

    @cached_property
    def is_mono(self) -> bool:
        """Whether every component is injective."""
        return all(len(np.unique(part)) == len(part) for part in self.components)

    @cached_property
    def is_epi(self) -> bool:
        """Whether every component is surjective."""
        sizes = self.target.sizes.tolist()
        return all(len(np.unique(part)) == s for part, s in zip(self.components, sizes, strict=True))

    @property
    def is_iso(self) -> bool:
        """Whether every component is a bijection."""
        return self.is_mono and self.is_epi

    def inverse(self) -> Transformation:
        """The inverse of an isomorphism.

        Raises
        ------
        InputError
            Not an isomorphism.
        """
        if not self.is_iso:
            raise InputError("the transformation is no isomorphism.")
        parts = tuple(frozen(np.argsort(part).astype(np.int32)) for part in self.components)
        return Transformation.trusted(self.target, self.source, parts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Transformation):
            return NotImplemented
        same = self.source is other.source and self.target is other.target
        return same and all(np.array_equal(a, b) for a, b in zip(self.components, other.components, strict=True))

    def __hash__(self) -> int:
        return hash(b"".join(part.tobytes() for part in self.components))

    def __repr__(self) -> str:
        kind = "iso" if self.is_iso else "mono" if self.is_mono else "epi" if self.is_epi else "neither mono nor epi"
        if self.source.n_elements > 24:
            return f"Transformation({self.source.n_elements} -> {self.target.n_elements} elements, {kind})"
        names = self.source.category.objects
        parts = ", ".join(f"{c}: {part.tolist()}" for c, part in zip(names, self.components, strict=True))
        return f"Transformation({parts}; {kind})"
