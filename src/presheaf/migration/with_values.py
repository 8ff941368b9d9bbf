"""Attributes as foreign keys into tables of values, so that a right extension joins on them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.budget import Budget
from presheaf.finite.presented.kan_left import hom_from
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.migration.columns import trace
from presheaf.migration.instance import Instance
from presheaf.migration.schema import SchemaMap

IntArray = NDArray[np.int32]
Equation = tuple[Path, Path]
ARROW_LIMIT = 100_000
"""Most arrows of D out of one table that are listed to see where attributes agree."""


class WithValues:
    """A schema map and an instance with one more table for each attribute of D that something is moved to.

    The new table V_k holds the values of all attributes of C that go to attribute k, each once, and a row for each null.
    In C each of these attributes becomes a foreign key into V_k. In D, if one of them goes to k by the empty path, k
    itself becomes a foreign key d -> V_k. Otherwise each attribute i gets its own, F(c_i) -> V_k, and the equations say
    that two of them agree wherever their ways to k are the same arrow of D; that leaves out exactly the values that
    nothing determines.

    Attributes
    ----------
    mapping : PresentationMap
        The map so extended; what is new comes after what was there.
    sizes, columns : the instance on its source
    values : for each attribute of D a pyarrow.ChunkedArray, the values by row of V_k, or None
    ways : for each attribute of D a path of the extended target from its table to V_k, or None where nothing determines it

    Raises
    ------
    InputError
        If an attribute is only reached by paths and the arrows of D are too many to list.
    """

    def __init__(self, map: SchemaMap, instance: Instance) -> None:
        self._map = map
        source, target = map.source.presentation, map.target.presentation
        goes: list[list[int]] = [[] for _ in map.target.attributes]
        for i, image in enumerate(map.attributes):
            if image is not None:
                goes[image[1]].append(i)
        self._domains = {k: n for n, k in enumerate(k for k, found in enumerate(goes) if found)}
        self.values: list[Any] = [None] * len(goes)
        self.ways: list[Path | None] = [None] * len(goes)
        self._source_keys = list(source.generators)
        self._target_keys = list(target.generators)
        self._equations: list[Equation] = list(target.equations)
        self._paths = list(map.mapping.paths)
        self.columns: list[IntArray] = list(instance.columns)
        self.sizes = list(instance.sizes)
        for k in self._domains:
            self._add(k, goes[k], [instance.attributes[i] for i in goes[k]])
        self.mapping = self._extended()

    def domain(self, k: int) -> int:
        """The object of the extended source that holds the values of attribute k."""
        return len(self._map.source.presentation.objects) + self._domains[k]

    def _add(self, k: int, moved: list[int], columns: list[Any]) -> None:
        codes, self.values[k] = encoded(columns)
        self.sizes.append(len(self.values[k]))
        self.columns += codes
        schema, images = self._map.source, self._map.attributes
        direct = any(image is not None and not image[0] for image in (images[i] for i in moved))
        letters = self._direct(k, moved) if direct else self._indirect(k, moved)
        for i, path in zip(moved, letters, strict=True):
            self._source_keys.append((f"value {i} {schema.show(i)}", schema.attributes[i].object, self.domain(k)))
            self._paths.append(path)

    def _direct(self, k: int, moved: list[int]) -> list[Path]:
        """k as a foreign key of D; the image of each attribute moved."""
        attribute = self._map.target.attributes[k]
        letter = self._letter(f"value {k} {self._map.target.show(k)}", attribute.object, k)
        self.ways[k] = (letter,)
        return [(*self._path(i), letter) for i in moved]

    def _indirect(self, k: int, moved: list[int]) -> list[Path]:
        """One foreign key of D for each attribute moved, equal where their ways to k are."""
        mapping, schema = self._map.mapping, self._map.source
        target, end = mapping.target, self._map.target.attributes[k].object
        starts = [mapping.objects[schema.attributes[i].object] for i in moved]
        letters = [self._letter(f"value {k} {schema.show(i)}", d, k) for i, d in zip(moved, starts, strict=True)]
        for e, name in enumerate(target.objects):
            arrows = hom_from(target, e, budget=Budget(rows=ARROW_LIMIT))
            if not arrows.complete:
                raise InputError(
                    f"pi: the paths of foreign keys out of {name!r} are infinitely many, or more than {ARROW_LIMIT}, so that "
                    f"where they give values to {self._map.target.show(k)} can't be listed; map an attribute onto it directly."
                )
            first: dict[int, Path] = {}
            for i, d, letter in zip(moved, starts, letters, strict=True):
                ends = trace(arrows.columns, self._path(i), int(arrows.sizes[d]))
                for h, x in enumerate(ends.tolist()):
                    way = (*arrows.word(d, h)[2], letter)
                    if first.setdefault(x, way) != way:
                        self._equations.append((first[x], way))
            if e == end:
                self.ways[k] = first.get(int(arrows.unit[0][0]))
        return [(letter,) for letter in letters]

    def _path(self, i: int) -> Path:
        image = self._map.attributes[i]
        return image[0] if image is not None else ()

    def _letter(self, name: str, d: int, k: int) -> int:
        self._target_keys.append((name, d, len(self._map.target.presentation.objects) + self._domains[k]))
        return len(self._target_keys) - 1

    def _extended(self) -> PresentationMap:
        source, target = self._map.source.presentation, self._map.target.presentation
        named = tuple(f"values of {self._map.target.show(k)}" for k in self._domains)
        many, more = len(target.objects), len(named)
        return PresentationMap(
            Presentation((*source.objects, *named), tuple(self._source_keys), source.equations),
            Presentation((*target.objects, *named), tuple(self._target_keys), tuple(self._equations)),
            (*self._map.mapping.objects, *range(many, many + more)),
            tuple(self._paths),
        )


def encoded(columns: list[Any]) -> tuple[list[IntArray], Any]:
    """Columns of values as numbers: equal values get equal numbers, every null one of its own.

    Returns
    -------
    codes : int32 arrays, as long as the columns
    values : pyarrow.ChunkedArray, the value that each number stands for
    """
    import pyarrow as pa

    whole = pa.chunked_array([chunk for column in columns for chunk in column.chunks], columns[0].type)
    found = whole.combine_chunks().dictionary_encode()
    found = found if isinstance(found, pa.DictionaryArray) else found.combine_chunks()
    distinct = len(found.dictionary)
    codes = found.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    empty = np.flatnonzero(codes < 0)
    codes[empty] = distinct + np.arange(len(empty), dtype=np.int32)
    values = pa.chunked_array([found.dictionary, pa.nulls(len(empty), columns[0].type)])
    return np.split(codes, np.cumsum([len(column) for column in columns])[:-1]), values
