"""SQLite's values as Arrow: a column may hold values of any type there, an attribute holds one."""

from __future__ import annotations

from typing import Any

from presheaf.errors import InputError
from presheaf.migration.values import converted, parsed_column

AS_TEXT = ("date32", "timestamp", "decimal")
"""Attribute types that are stored as text."""
_NONE = type(None)
_ACCEPTED: dict[str, frozenset[type]] = {
    "string": frozenset({str, _NONE}),
    "int64": frozenset({int, _NONE}),
    "double": frozenset({float, int, _NONE}),
    "bool": frozenset({int, _NONE}),
    "binary": frozenset({bytes, _NONE}),
    "date32": frozenset({str, _NONE}),
    "timestamp": frozenset({str, _NONE}),
    "decimal": frozenset({str, int, float, _NONE}),
}


def attribute_type(declared: str) -> str | None:
    """The attribute type that a declared column type stands for.

    ``DATE``, ``DATETIME``, ``TIMESTAMP``, ``DECIMAL``, ``NUMERIC`` and ``BOOL`` are recognised by name, the rest by
    SQLite's rules of affinity ("Datatypes in SQLite", 3.1). None for a column without a type.
    """
    words = (
        (("BOOL",), "bool"),
        (("DATETIME", "TIMESTAMP"), "timestamp"),
        (("DATE",), "date32"),
        (("DECIMAL", "NUMERIC"), "decimal"),
        (("INT",), "int64"),
        (("CHAR", "CLOB", "TEXT"), "string"),
        (("BLOB",), "binary"),
        (("REAL", "FLOA", "DOUB"), "double"),
    )
    for parts, kind in words:
        if any(part in declared.upper() for part in parts):
            return kind
    return None


def stored_values(values: tuple[Any, ...], kind: str | None, place: str, first: int) -> Any:
    """One batch of a column, rows ``first``, ``first`` + 1, ..., as an Arrow array in the type in which it is stored.

    Parameters
    ----------
    values : tuple of None, int, float, str or bytes
    kind : attribute type, or None for a column of keys: whole numbers or text

    Raises
    ------
    InputError
        Names the row that holds a value of another type.
    """
    import pyarrow as pa

    goal = {"double": pa.float64(), "int64": pa.int64(), "bool": pa.int64(), "binary": pa.binary()}
    if kind is not None:
        accepted = _ACCEPTED[kind]
    elif str in map(type, values):
        kind, accepted = "text key, as others of the column are", _ACCEPTED["string"]
    elif int in map(type, values):
        kind, accepted = "whole number", _ACCEPTED["int64"]
        goal[kind] = pa.int64()
    else:
        kind, accepted = "whole number or text, as a key must be", frozenset({_NONE})
        goal[kind] = pa.null()

    def convert(part: tuple[Any, ...]) -> Any:
        if not accepted.issuperset(map(type, part)):
            raise TypeError
        if kind == "decimal":
            part = tuple(v if v is None else str(v) for v in part)
        return pa.array(part, goal.get(kind, pa.string()))

    return converted(values, convert, kind, place, first)


def finished(column: Any, kind: str, place: str) -> Any:
    """A column as stored, turned into its attribute's type.

    Raises
    ------
    InputError
        Names the row whose text is no date, timestamp or decimal, or whose number is no bool.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(column.type):
        return column
    if kind in AS_TEXT:
        return parsed_column(column, kind, place)
    if kind == "bool":
        bad = pc.index(pc.fill_null(pc.is_in(column, value_set=pa.array([0, 1, None])), True), False).as_py()
        if bad >= 0:
            raise InputError(f"{place}, row {bad} (from 0): {column[bad].as_py()} is no bool; expected 0 or 1.")
        return column.cast(pa.bool_())
    return column
