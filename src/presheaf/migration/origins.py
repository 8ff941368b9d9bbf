"""Where rows come from, as text, by whole columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.presented.presentation import Path
from presheaf.migration.columns import trace
from presheaf.migration.instance import Instance
from presheaf.migration.schema import Schema

IntArray = NDArray[np.int32]


def row_names(table: str, rows: int | IntArray) -> Any:
    """``Student 0``, ``Student 1``, ...: for a number of rows or for given ones, a pyarrow string array."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pa.array(np.arange(rows, dtype=np.int32) if isinstance(rows, int) else rows).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar(table), numbers, " ")


class Words:
    """For every row of an instance the first of some given rows from which it is reached, and a shortest path.

    Parameters
    ----------
    instance : Instance on D
    images : for each table c of C the table of D that its rows lie in
    units : for each table c of C an int32 array of rows of that table

    Attributes
    ----------
    table, row : for each table of D int32 arrays: c, and the row of ``units[c]``; -1 where nothing reaches
    path : for each table of D an int32 array of numbers into ``paths``
    paths : list of paths of D

    Notes
    -----
    Breadth first; each step is one gather a generator. O(rows x generators) in all, and one step for each length.
    """

    def __init__(self, instance: Instance, images: Sequence[int], units: Sequence[IntArray]) -> None:
        self._instance = instance
        sizes = instance.sizes
        self.table, self.row, self.path = ([np.full(s, -1, dtype=np.int32) for s in sizes] for _ in range(3))
        self.paths: list[Path] = [()]
        self._longer: dict[tuple[int, int], int] = {}
        fresh: list[list[IntArray]] = [[] for _ in sizes]
        for c, (d, unit) in enumerate(zip(images, units, strict=True)):
            rows = np.arange(len(unit), dtype=np.int32)
            fresh[d].append(self._meet(d, unit, np.int32(c), rows, np.int32(0)))
        while any(len(rows) for parts in fresh for rows in parts):
            fresh = self._step([np.concatenate([np.empty(0, dtype=np.int32), *parts]) for parts in fresh])

    def _step(self, last: list[IntArray]) -> list[list[IntArray]]:
        fresh: list[list[IntArray]] = [[] for _ in last]
        for j, (_, a, b) in enumerate(self._instance.schema.presentation.generators):
            if len(last[a]):
                rows = last[a]
                path = self._appended(self.path[a][rows], j)
                fresh[b].append(
                    self._meet(b, self._instance.columns[j][rows], self.table[a][rows], self.row[a][rows], path)
                )
        return fresh

    def _meet(self, d: int, at: IntArray, table: Any, row: IntArray, path: Any) -> IntArray:
        """Record how rows ``at`` of table d are reached, where nothing is recorded; returns those that are new."""
        new = np.flatnonzero(self.table[d][at] < 0)
        # written from the last to the first, so that the first way of several stays
        back = new[::-1]
        here = at[back]
        self.row[d][here] = row[back]
        self.table[d][here] = table if np.ndim(table) == 0 else table[back]
        self.path[d][here] = path if np.ndim(path) == 0 else path[back]
        found: IntArray = np.unique(at[new])
        return found

    def _appended(self, path: IntArray, generator: int) -> IntArray:
        known, inverse = np.unique(path, return_inverse=True)
        longer = []
        for number in known.tolist():
            if (number, generator) not in self._longer:
                self._longer[number, generator] = len(self.paths)
                self.paths.append((*self.paths[number], generator))
            longer.append(self._longer[number, generator])
        return np.array(longer, dtype=np.int32)[inverse]


def word_names(source: Schema, images: Sequence[int], instance: Instance, units: Sequence[IntArray]) -> tuple[Any, ...]:
    """``Student 3 . student_is`` for each row of an instance on D that the ``units`` generate, by table of D."""
    import pyarrow as pa
    import pyarrow.compute as pc

    words, schema = Words(instance, images, units), instance.schema
    names = pa.array([*source.presentation.objects])
    ends = pa.array(["".join(f" . {schema.column(j)}" for j in path) for path in words.paths])
    found = []
    for table, row, path in zip(words.table, words.row, words.path, strict=True):
        starts = pc.binary_join_element_wise(names.take(pa.array(table)), pa.array(row).cast(pa.string()), " ")
        found.append(pc.binary_join_element_wise(starts, ends.take(pa.array(path)), ""))
    return tuple(found)


def family_names(
    source: Schema,
    images: Sequence[int],
    instance: Instance,
    counit: Sequence[IntArray],
    families: Sequence[Sequence[tuple[int, Path]]],
) -> tuple[Any, ...]:
    """``Student 3, faculty: Faculty 1`` for each row of an instance on D, by table of D.

    ``families``, for each table of D: pairs of a table c of C and a path of D from the table to F(c).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    schema = instance.schema
    found = []
    for size, family in zip(instance.sizes, families, strict=True):
        parts = []
        for c, path in family:
            rows = counit[c][trace(instance.columns, path, size)]
            way = " ".join(schema.column(j) for j in path)
            parts.append(
                row_names(f"{way}: {source.presentation.objects[c]}" if way else source.presentation.objects[c], rows)
            )
        text = pc.binary_join_element_wise(*parts, ", ") if parts else pa.array([""] * size, pa.string())
        found.append(text)
    return tuple(found)
