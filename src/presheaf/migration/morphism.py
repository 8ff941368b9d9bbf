"""Morphisms of instances: rows to rows, along foreign keys, keeping what is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import lasting
from presheaf.finite.presented.copresheaf import check_morphism
from presheaf.migration.columns import at_rows, equal_values
from presheaf.migration.instance import Instance


class InstanceMorphism:
    """A natural transformation of two instances of one schema that keeps every known value. Immutable.

    A null of the source may go to any value, a value only to itself.

    Parameters
    ----------
    source, target : Instance
    maps : int arrays, one a table: for each row of the source's table a row of the target's

    Attributes
    ----------
    source, target : Instance
    maps : tuple of int32 arrays

    Raises
    ------
    InputError
        If the schemas differ; names the table and row of a value out of range, the foreign key and row where the maps are
        not natural, or the attribute and row whose value changes.

    Notes
    -----
    Cost: two gathers for each foreign key and each attribute.
    """

    __slots__ = ("maps", "source", "target")

    source: Instance
    target: Instance
    maps: tuple[NDArray[np.int32], ...]

    def __init__(self, source: Instance, target: Instance, maps: Sequence[ArrayLike]) -> None:
        if source.schema != target.schema:
            raise InputError(f"the instances have different schemas: {source.schema!r} and {target.schema!r}.")
        schema = source.schema
        ends = (source.sizes, source.columns), (target.sizes, target.columns)
        kept = tuple(lasting(given) for given in check_morphism(schema.presentation, *ends, maps))
        for i, attribute in enumerate(schema.attributes):
            image = at_rows(target.attributes[i], kept[attribute.object])
            value = source.attributes[i]
            bad = np.flatnonzero(value.is_valid().to_numpy() & ~equal_values(value, image))
            if len(bad):
                row = int(bad[0])
                raise InputError(
                    f"{schema.show(i)}: row {row} has {value[row].as_py()!r}, the row it goes to "
                    f"{image[row].as_py()!r}; {len(bad):,} rows in all."
                )
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "target", target)
        object.__setattr__(self, "maps", kept)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("an InstanceMorphism does not change; make a new one.")

    def then(self, after: InstanceMorphism) -> InstanceMorphism:
        """This morphism, then ``after``; an InputError unless ``after`` starts where this one ends."""
        if after.source is not self.target:
            raise InputError(
                "the morphisms don't compose: the second does not start at the instance where the first ends."
            )
        return InstanceMorphism(self.source, after.target, [g[f] for f, g in zip(self.maps, after.maps, strict=True)])

    def is_isomorphism(self) -> bool:
        """Whether it has an inverse that keeps what is known: each map a bijection, no null gone to a value."""
        names = range(len(self.maps))
        if any(self.source.sizes[c] != self.target.sizes[c] for c in names):
            return False
        if any(len(np.unique(self.maps[c])) < self.source.sizes[c] for c in names):
            return False
        return all(
            a.null_count == b.null_count for a, b in zip(self.source.attributes, self.target.attributes, strict=True)
        )

    def __repr__(self) -> str:
        return f"InstanceMorphism({self.source!r} -> {self.target!r})"
