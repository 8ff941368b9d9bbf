"""Columns of rows and of values moved along paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.presented.presentation import Path
from presheaf.migration.arrow_types import arrow_type

IntArray = NDArray[np.int32]


def trace(columns: Sequence[IntArray], path: Path, rows: int | IntArray) -> IntArray:
    """Rows moved along a path of foreign keys: all rows 0 to ``rows`` - 1 of a table, or given ones."""
    if isinstance(rows, int):
        if not path:
            return np.arange(rows, dtype=np.int32)
        rows, path = columns[path[0]], path[1:]
    for j in path:
        rows = columns[j][rows]
    return rows


def at_rows(values: Any, rows: NDArray[np.integer] | None) -> Any:
    """A column of values at the given rows, null where a row is -1; None stands for all rows in order."""
    import pyarrow as pa

    if rows is None:
        return values
    missing = rows < 0
    index = pa.array(rows, mask=missing) if missing.any() else pa.array(rows)
    return values.take(index)


def nulls(kind: str, size: int) -> Any:
    """A column without values."""
    import pyarrow as pa

    return pa.chunked_array([pa.nulls(size, arrow_type(kind))])


def equal_values(left: Any, right: Any) -> NDArray[np.bool_]:
    """Whether values are equal, row by row; NaN equals NaN, null equals nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    same = pc.equal(left, right)
    if pa.types.is_floating(left.type):
        same = pc.or_kleene(same, pc.and_(pc.is_nan(left), pc.is_nan(right)))
    found: NDArray[np.bool_] = pc.fill_null(same, False).to_numpy()
    return found
