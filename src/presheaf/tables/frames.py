"""Tables that are in memory already: data frames, Arrow tables, a list of dicts, a dict of columns."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from presheaf.errors import InputError
from presheaf.tables.arrow import ArrowRows
from presheaf.tables.json_rows import ObjectRows
from presheaf.tables.raw import Cells, RawTable, Rows


class ColumnRows:
    """Columns of equal length under their names (pandas frames, dicts of columns). Row numbers count from 1."""

    def __init__(self, names: Sequence[str], columns: Sequence[Any], count: int) -> None:
        self._names = tuple(names)
        self._columns = columns
        self._count = count

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    def read(self, wanted: Sequence[str], vectors: str | None = None) -> Rows:
        """The wanted columns as lists of plain values; a column of vectors that is a float matrix stays one."""
        found: dict[str, Cells] = {}
        for name in wanted:
            column = self._columns[self._names.index(name)]
            matrix = name == vectors and isinstance(column, np.ndarray) and column.ndim == 2
            found[name] = column.tolist() if hasattr(column, "tolist") and not matrix else column
        return Rows(self._count, found)


def in_memory(source: object, hints: Sequence[str]) -> tuple[RawTable, str]:
    """The table behind ``source`` and what kind of thing it is, in words.

    Raises
    ------
    InputError
        If it is nothing this library reads.
    """
    # A frame can only come from a library that was imported, so that none has to be imported here to tell.
    pandas, polars, pyarrow = (sys.modules.get(name) for name in ("pandas", "polars", "pyarrow"))
    if pandas is not None and isinstance(source, pandas.DataFrame):
        return _pandas(source), "pandas DataFrame"
    if polars is not None and isinstance(source, polars.DataFrame):
        return _polars(source), "polars DataFrame"
    if pyarrow is not None and isinstance(source, pyarrow.Table):
        return ArrowRows(source.schema, source.select, "pyarrow Table"), "pyarrow Table"
    if isinstance(source, Mapping):
        return _columns(source), "dict of columns"
    if isinstance(source, list | tuple):
        return ObjectRows(lambda: iter(source), hints), "list of dicts"
    raise InputError(
        "expected a path, a pandas or polars DataFrame, a pyarrow Table, a list of dicts or a dict of columns; "
        f"got a {type(source).__module__}.{type(source).__qualname__}."
    )


def _pandas(frame: Any) -> ColumnRows:
    class Lazy(Sequence[Any]):
        """Columns turned into objects only when they are asked for."""

        def __len__(self) -> int:
            return int(frame.shape[1])

        def __getitem__(self, i: Any) -> Any:
            column = frame.iloc[:, i]
            return column.astype(object).where(column.notna(), None)

    return ColumnRows([str(name) for name in frame.columns], Lazy(), len(frame))


def _polars(frame: Any) -> ArrowRows:
    empty = frame.clear().to_arrow()
    return ArrowRows(empty.schema, lambda names: frame.select(names).to_arrow(), "polars DataFrame")


def _columns(source: Mapping[Any, Any]) -> ColumnRows:
    lengths = {}
    for name, column in source.items():
        if isinstance(column, str | bytes) or not hasattr(column, "__len__") or not hasattr(column, "__getitem__"):
            raise InputError(f"column {str(name)!r} must be a list or an array; got a {type(column).__name__}.")
        lengths[str(name)] = len(column)
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name}: {length}" for name, length in list(lengths.items())[:10])
        raise InputError(f"the columns must have equal lengths; got {told}.")
    return ColumnRows([str(name) for name in source], list(source.values()), next(iter(lengths.values()), 0))
