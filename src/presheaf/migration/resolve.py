"""Foreign keys from values to row numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.migration.values import plain

SHOWN = 5
"""Most rows or values that an error lists."""


def unnamed(place: str, rows: Sequence[int], many: int) -> str:
    """The sentence about ``many`` rows, of which the first are given, without a value in the column that names rows."""
    return f"{place} names rows, so each needs a value; {_rows(rows, many)} without one."


def repeated(place: str, shown: Sequence[tuple[object, int, int]], many: int) -> str:
    """The sentence about ``many`` values that name several rows; the first are given, each with two of its rows."""
    listed = ", ".join(f"{value!r} in rows {one} and {two}" for value, one, two in shown)
    return (
        f"{place} names rows, but {many} values name several: {listed}{', ...' if many > len(shown) else ''} (rows count "
        "from 0). Make them differ, or drop the rows that are there twice."
    )


def without_value(place: str, rows: Sequence[int], many: int) -> str:
    """The sentence about ``many`` rows, of which the first are given, whose foreign key is null."""
    return (
        f"{place} is a foreign key, and {_rows(rows, many)} without a value; every row must refer to one. Either give these "
        "rows a value (a row that stands for 'none'), or move the column to a table of its own with one row for each row that "
        "has a value."
    )


def dangling(place: str, target: str, shown: Sequence[tuple[int, object]], many: int, of: int) -> str:
    """The sentence about ``many`` of ``of`` rows whose foreign key leads nowhere; the first are given with their values."""
    listed = ", ".join(f"row {row} ({value!r})" for row, value in shown)
    return (
        f"{place}: {many} of {of} rows refer to no row of {target}: {listed}{', ...' if many > len(shown) else ''} (rows "
        "count from 0). Add the rows that they refer to, or leave these out."
    )


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
            raise InputError(unnamed(place, rows[:SHOWN].tolist(), len(rows)))
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
            raise InputError(without_value(place, rows[:SHOWN].tolist(), len(rows)))
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
            shown = [(int(r), values[int(r)].as_py()) for r in bad[:SHOWN]]
            raise InputError(dangling(place, self.place, shown, len(bad), len(values)))
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
        for code in twice[:SHOWN]:
            rows = np.flatnonzero(codes == code)
            shown.append((self._values[int(rows[0])].as_py(), int(rows[0]), int(rows[1])))
        raise InputError(repeated(self.place, shown, len(twice)))


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


def _rows(rows: Sequence[int], many: int) -> str:
    """``rows 3, 7 (from 0) are`` for the first of them, with the count of the rest."""
    shown = ", ".join(map(str, rows))
    if many == 1:
        return f"row {shown} (from 0) is"
    more = f" and {many - len(rows)} more" if many > len(rows) else ""
    return f"rows {shown}{more} (from 0) are"
