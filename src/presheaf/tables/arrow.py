"""Arrow tables, and the cells of their columns as plain values. What Parquet, IPC, polars and saved data sets share."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.tables.defects import Defect
from presheaf.tables.raw import Cells, Rows
from presheaf.tables.vectors import MISSING, RAGGED, usual_length


class ArrowRows:
    """A table behind an Arrow schema, read by column.

    Parameters
    ----------
    schema : pyarrow.Schema
    load : callable
        Given column names, the pyarrow Table of these columns.
    where : str
        The source, for messages.
    notes : tuple of str
    """

    def __init__(self, schema: Any, load: Callable[[list[str]], Any], where: str, notes: tuple[str, ...] = ()) -> None:
        self._schema = schema
        self._load = load
        self._where = where
        with arrow_errors(where):
            self._names = tuple(schema.names)
        self._notes = notes

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    def read(self, wanted: Sequence[str], vectors: str | None = None) -> Rows:
        """Reads the wanted columns only. Cost: what the strings take in Python; vectors are copied once as floats."""
        with arrow_errors(self._where):
            table = self._load(list(wanted))
        class_names = _class_names(self._schema)
        columns: dict[str, Cells] = {}
        defects: list[Defect] = []
        notes = list(self._notes)
        for name in wanted:
            column = table.column(name)
            with arrow_errors(f"{self._where}: column {name!r}"):
                # Reading a damaged IPC file otherwise follows offsets out of the buffer. Checks UTF-8 too.
                column.validate(full=True)
            if name == vectors:
                columns[name], found = _matrix(column, name)
                defects += found
                continue
            values = cells(column)
            if name in class_names:
                columns[name] = _named(values, class_names[name])
                notes.append(f"the numbers of column {name!r} are read as the class names stored with it")
            else:
                columns[name] = values
        return Rows(table.num_rows, columns, tuple(defects), tuple(notes))


@contextmanager
def arrow_errors(where: str) -> Iterator[None]:
    """Turn what pyarrow raises for a damaged source into an InputError."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{where} can't be read; it is damaged, cut off or in another format: {reason}") from error


def cells(column: Any) -> list[Any]:
    """The values of a pyarrow ChunkedArray as plain Python values, None for null. Cost: linear."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        values: list[Any] = column.to_numpy().tolist()  # many times faster than to_pylist
        return values
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_float64(kind) or pa.types.is_float32(kind):
        # Few distinct values are usual here: make each Python object once.
        coded = column.dictionary_encode().unify_dictionaries().combine_chunks()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.chunk(0) if coded.num_chunks else pa.array([], kind).dictionary_encode()
        distinct = [*coded.dictionary.to_pylist(), None]
        codes = pc.fill_null(coded.indices, len(distinct) - 1).to_pylist()
        return [distinct[code] for code in codes]
    plain: list[Any] = column.to_pylist()
    return plain


def _class_names(schema: Any) -> dict[str, list[str]]:
    """Class names that the `datasets` library keeps in the schema for columns of label numbers."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            name: [str(n) for n in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
        }
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def _named(values: list[Any], names: list[str]) -> list[Any]:
    """Label numbers as class names. -1 is how that library writes a missing label."""
    lookup: dict[Any, Any] = {None: None, -1: None, **dict(enumerate(names))}
    return [lookup.get(value, value) for value in values]


def _matrix(column: Any, name: str) -> tuple[NDArray[Any], list[Defect]]:
    """A list column as a float array of shape (n, d), NaN in the rows named in the defects."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    number = getattr(kind, "value_type", None)
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not is_list or not (pa.types.is_floating(number) or pa.types.is_integer(number)):
        raise InputError(f"column {name!r} holds {kind}; expected lists of numbers, one vector a row.")
    dtype = np.float32 if pa.types.is_float32(number) or pa.types.is_float16(number) else np.float64
    lengths = pc.fill_null(pc.list_value_length(column), -1).to_numpy()
    d = usual_length(Counter(lengths[lengths >= 0].tolist()), name)
    usable = lengths == d
    matrix = np.full((len(lengths), d), np.nan, dtype=dtype)
    start = 0
    for chunk in column.chunks:
        part = usable[start : start + len(chunk)]
        flat = chunk.filter(pa.array(part)).flatten()
        matrix[start : start + len(chunk)][part] = flat.to_numpy(zero_copy_only=False).reshape(-1, d)
        start += len(chunk)
    defects = [
        Defect(row + 1, MISSING) if length < 0 else Defect(row + 1, RAGGED, f"{length} numbers, most have {d}")
        for row, length in zip(np.flatnonzero(~usable).tolist(), lengths[~usable].tolist(), strict=True)
    ]
    return matrix, defects
