"""Values of rows that became one: the one that is known, or a refusal that names both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.migration.columns import at_rows, equal_values
from presheaf.migration.schema import Schema

IntArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Values that an attribute of the source gives to rows of a table of the target.

    ``rows`` int32 (r,): for each row of the source the row it gives its value to; ``values``: pyarrow.ChunkedArray (r,).
    """

    schema: Schema
    attribute: int
    rows: IntArray
    values: Any

    def show(self, row: int) -> str:
        """``Student 3: 'Ada'``, with the attribute's name."""
        a = self.schema.attributes[self.attribute]
        table = self.schema.presentation.objects[a.object]
        return f"row {row} of {table!r} says {a.name} = {self.values[row].as_py()!r}"


def merged(target: Schema, k: int, size: int, given: Sequence[Given]) -> Any:
    """The column of attribute k: for each row the value that is given to it, null where none is.

    Raises
    ------
    InputError
        If a row is given two different values; both source rows are named. Rows count from 0.

    Notes
    -----
    O(values), by gathers; values that are given to all rows in order are shared, not copied. NaN equals NaN here.
    """
    import pyarrow as pa

    if len(given) == 1 and len(given[0].rows) == size and np.array_equal(given[0].rows, np.arange(size)):
        return given[0].values
    values = pa.chunked_array([chunk for g in given for chunk in g.values.chunks], given[0].values.type)
    rows = np.concatenate([g.rows for g in given])
    known = np.flatnonzero(values.is_valid().to_numpy()) if values.null_count else np.arange(len(rows))
    first = np.full(size, -1, dtype=np.int64)
    first[rows[known][::-1]] = known[::-1]
    chosen = first[rows[known]]
    more = chosen != known
    mine, other = known[more], chosen[more]
    bad = np.flatnonzero(~equal_values(at_rows(values, mine), at_rows(values, other)))
    if len(bad):
        ends = np.cumsum([len(g.rows) for g in given])

        def shown(place: int) -> str:
            at = int(np.searchsorted(ends, place, side="right"))
            return given[at].show(place - (int(ends[at - 1]) if at else 0))

        row = int(rows[mine[bad[0]]])
        raise InputError(
            f"{target.show(k)}: {shown(int(other[bad[0]]))}, {shown(int(mine[bad[0]]))}, and both become row {row} "
            f"({len(np.unique(rows[mine[bad]]))} such rows; rows count from 0). Mend the values, leave one "
            "attribute behind (false in the map), or look at what makes the rows one: an equation, or a foreign key mapped to ''."
        )
    return at_rows(values, first)
