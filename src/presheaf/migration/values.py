"""Columns from files and data frames as attribute columns: which type may become which, and the row that can't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from presheaf.errors import InputError
from presheaf.migration.arrow_types import arrow_type


def plain(column: Any) -> Any:
    """An Arrow array or chunked array as a chunked array without dictionary encoding and without wide or view types."""
    import pyarrow as pa
    import pyarrow.types as pt

    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    if pt.is_dictionary(chunked.type):
        chunked = chunked.cast(chunked.type.value_type)
    if pt.is_large_string(chunked.type) or pt.is_string_view(chunked.type):
        return chunked.cast(pa.string())
    if pt.is_large_binary(chunked.type) or pt.is_binary_view(chunked.type) or pt.is_fixed_size_binary(chunked.type):
        return chunked.cast(pa.binary())
    return chunked


def attribute_column(column: Any, wanted: str, place: str) -> Any:
    """A typed Arrow column as an attribute's: widened where nothing is lost, refused otherwise.

    Parameters
    ----------
    column : pyarrow.Array or ChunkedArray
    wanted : one of ``TYPES``
    place : str, begins the error

    Returns
    -------
    pyarrow.ChunkedArray of type ``arrow_type(wanted)``

    Raises
    ------
    InputError
        Names the row and the value that the type can't hold, or the type that can't become the wanted one.

    Notes
    -----
    Whole numbers become int64, double or decimal; a timestamp with a zone becomes UTC; nulls stay nulls.
    """
    import pyarrow as pa

    given, goal = plain(column), arrow_type(wanted)
    if given.type == goal:
        return given
    if not _may_become(given.type, wanted):
        raise InputError(f"{place} holds {given.type}; expected {wanted}. Convert the column, or give it another type.")
    if pa.types.is_timestamp(given.type) and given.type.tz is not None:
        given = given.cast(pa.timestamp(given.type.unit, "UTC")).cast(pa.timestamp(given.type.unit))
    return converted(given, lambda part: part.cast(goal), wanted, place)


def parsed_column(column: Any, wanted: str, place: str) -> Any:
    """A column of text as an attribute's: numbers, ``true``/``false``, ISO dates and times, bytes in hexadecimal.

    Raises
    ------
    InputError
        Names the first row whose text is no such value.
    """
    goal = arrow_type(wanted)
    if wanted == "string":
        return column
    if wanted == "binary":
        return converted(column, _from_hex, wanted, place)
    return converted(column, lambda part: part.cast(goal), wanted, place)


def hexadecimal(column: Any) -> Any:
    """A binary column as text for ``parsed_column``."""
    import pyarrow as pa

    return pa.chunked_array([pa.array([None if v is None else v.hex() for v in column.to_pylist()], pa.string())])


def converted(column: Any, convert: Callable[[Any], Any], wanted: str, place: str, first: int = 0) -> Any:
    """``convert(column)``; where that fails, an InputError with the first row that does not convert, found by halving.

    ``column`` is a sequence or Arrow array whose entries are rows ``first``, ``first`` + 1, ...; ``convert`` fails on a
    part exactly if it fails on some row of it.
    """
    import pyarrow as pa

    try:
        return convert(column)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            convert(column[low:middle])
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            high = middle
        else:
            low = middle
    value = column[low]
    shown = repr(value.as_py() if hasattr(value, "as_py") else value)
    raise InputError(f"{place}, row {first + low} (from 0): {shown[:80]} is no {wanted}.")


def _from_hex(column: Any) -> Any:
    import pyarrow as pa

    values = [None if v is None else bytes.fromhex(v) for v in column.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.binary())])


def _may_become(given: Any, wanted: str) -> bool:
    import pyarrow.types as pt

    kinds = {
        "string": (pt.is_string,),
        "int64": (pt.is_integer,),
        "double": (pt.is_floating, pt.is_integer),
        "bool": (pt.is_boolean,),
        "date32": (pt.is_date,),
        "timestamp": (pt.is_timestamp,),
        "decimal": (pt.is_decimal, pt.is_integer),
        "binary": (pt.is_binary,),
    }
    return bool(pt.is_null(given)) or any(kind(given) for kind in kinds[wanted])
