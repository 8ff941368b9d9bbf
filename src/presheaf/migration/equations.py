"""Path equations on data: which rows break one, of a schema or of the source of a schema map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.finite.presented.presentation import Path
from presheaf.migration.columns import trace
from presheaf.migration.schema import Schema

_SHOWN = 5


def check_equations(schema: Schema, sizes: Sequence[int], columns: Sequence[NDArray[np.int32]]) -> None:
    """Refuse columns that break a path equation of their schema.

    Raises
    ------
    InputError
        Names the equation, the table and the first five rows, with what the two sides come to.

    Notes
    -----
    O(rows x length of the equations), by gathers.
    """
    p = schema.presentation
    for i, (u, v) in enumerate(p.equations):
        d = p.equation_source(i)
        bad = failing_rows(columns, (u, v), sizes[d], p.objects[d])
        if bad:
            raise InputError(f"path equation {i} ({p.equation(i)}) fails at {bad}.")


def failing_rows(columns: Sequence[NDArray[np.int32]], sides: tuple[Path, Path], size: int, table: str) -> str:
    """The rows of a table at which two paths lead to different rows, in words; "" if there are none."""
    if sides[0] == sides[1]:
        return ""
    one, two = (trace(columns, side, size) for side in sides)
    bad = np.flatnonzero(one != two)
    if not len(bad):
        return ""
    shown = ", ".join(f"row {r} (row {one[r]} on the left, row {two[r]} on the right)" for r in bad[:_SHOWN])
    more = ", ..." if len(bad) > _SHOWN else ""
    return f"{len(bad):,} of {size:,} rows of {table!r}: {shown}{more} (rows count from 0)"
