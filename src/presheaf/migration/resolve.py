"""Foreign keys from values to row numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.migration.values import plain

_SHOWN = 5


class KeyIndex:
    """The rows of one table by the values of the column that names them.

    Parameters
    ----------
    column : pyarrow.Array or ChunkedArray
        One value a row, no two equal, none null.
    place : str
        ``Table.column``, begins the error.

    Raises
    ------
    InputError
        Names the first rows without a value, or the first values that name several rows.

    Notes
    -----
    O(rows) by hashing; a column that holds 0, 1, 2, ... in order, as files written by this package do, needs no hash.
    """

    __slots__ = ("_counts_rows", "_values", "place")

    def __init__(self, column: Any, place: str) -> None:
        self.place = place
        self._values = _comparable(column)
        if self._values.null_count:
            rows = np.flatnonzero(_nulls(self._values))
            raise InputError(f"{place} names rows, so each needs a value; {_rows(rows)} without one.")
        self._counts_rows = _counts_rows(self._values)
        if not self._counts_rows:
            self._check_distinct()

    def rows_of(self, column: Any, place: str) -> NDArray[np.int32]:
        """Row numbers, int32, of the rows that a foreign key column refers to.

        Raises
        ------
        InputError
            For nulls and for values that name no row: the table and column, how many, the first five rows with values.
        """
        import pyarrow.compute as pc

        values = _comparable(column)
        if not len(values):
            return np.empty(0, dtype=np.int32)
        if values.null_count:
            rows = np.flatnonzero(_nulls(values))
            raise InputError(
                f"{place} is a foreign key, and {_rows(rows)} without a value; every row must refer to one. Either give "
                "these rows a value (a row that stands for 'none'), or move the column to a table of its own with one "
                "row for each row that has a value."
            )
        if values.type != self._values.type and len(self._values):
            raise InputError(
                f"{place} holds {values.type}, {self.place} holds {self._values.type}; a foreign key must hold values of the "
                "column that it refers to."
            )
        if self._counts_rows and values.type == self._values.type:
            given = values.to_numpy()
            bad = np.flatnonzero((given < 0) | (given >= len(self._values)))
            found = given
        else:
            found = pc.fill_null(pc.index_in(values, value_set=self._values.cast(values.type)), -1).to_numpy()
            bad = np.flatnonzero(found < 0)
        if len(bad):
            shown = ", ".join(f"row {r} ({values[int(r)].as_py()!r})" for r in bad[:_SHOWN])
            raise InputError(
                f"{place}: {len(bad)} of {len(values)} rows refer to no row of {self.place}: {shown}"
                f"{', ...' if len(bad) > _SHOWN else ''} (rows count from 0). Add the rows that they refer to, or leave "
                "these out."
            )
        return np.ascontiguousarray(found, dtype=np.int32)

    def _check_distinct(self) -> None:
        import pyarrow.compute as pc

        distinct = pc.unique(self._values)
        if len(distinct) == len(self._values):
            return
        codes = pc.index_in(self._values, value_set=distinct).to_numpy()
        seen = np.bincount(codes)
        twice = np.flatnonzero(seen > 1)
        shown = []
        for code in twice[:_SHOWN]:
            rows = np.flatnonzero(codes == code)
            shown.append(f"{self._values[int(rows[0])].as_py()!r} in rows {rows[0]} and {rows[1]}")
        raise InputError(
            f"{self.place} names rows, but {len(twice)} values name several: {', '.join(shown)}"
            f"{', ...' if len(twice) > _SHOWN else ''} (rows count from 0). Make them differ."
        )


def _comparable(column: Any) -> Any:
    """A column in the type in which keys are compared: all whole numbers are int64."""
    import pyarrow as pa

    values = plain(column)
    if pa.types.is_integer(values.type) and values.type != pa.int64():
        return values.cast(pa.int64())
    return values


def _counts_rows(values: Any) -> bool:
    import pyarrow as pa

    if not pa.types.is_integer(values.type):
        return False
    if len(values) and (values[0].as_py() != 0 or values[-1].as_py() != len(values) - 1):
        return False
    return bool(np.array_equal(values.to_numpy(), np.arange(len(values)))) if len(values) else True


def _nulls(values: Any) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = values.is_null().to_numpy()
    return found


def _rows(rows: Sequence[int] | NDArray[np.int64]) -> str:
    """``rows 3, 7 (from 0) are`` for the first five, with the count of the rest."""
    shown = ", ".join(str(int(r)) for r in rows[:_SHOWN])
    if len(rows) == 1:
        return f"row {shown} (from 0) is"
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f"rows {shown}{more} (from 0) are"
