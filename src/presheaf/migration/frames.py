"""Instances from and to tables in memory: Arrow, pandas or polars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, one_of
from presheaf.migration.instance import Instance
from presheaf.migration.names import row_key, suggest
from presheaf.migration.resolve import KeyIndex
from presheaf.migration.schema import Schema
from presheaf.migration.schema_toml import Layout
from presheaf.migration.values import attribute_column

Kind = Literal["arrow", "pandas", "polars"]
Convert = Callable[[Any, str, str], Any]


def from_frames(schema: Schema, frames: Mapping[str, Any], primary_keys: Mapping[str, str] | None = None) -> Instance:
    """An instance from one table in memory for each table of the schema.

    Parameters
    ----------
    schema : Schema
    frames : dict, table name -> pyarrow.Table, pandas.DataFrame or polars.DataFrame
        A foreign key column holds values of the primary key of the table it refers to. Columns that the schema does not
        name are passed over.
    primary_keys : dict, optional
        Table name -> the column that names its rows. Without it, ``id`` (``id_`` where the schema has a column ``id``);
        needed only where a foreign key refers to the table.

    Raises
    ------
    InputError
        Names the table, column and rows: a column that is missing, of a wrong type, a key that is null, double or
        dangling, a path equation that does not hold.
    """
    layout = Layout(schema, primary_keys or {})
    known = schema.presentation.objects
    for name in [*frames, *layout.primary_keys]:
        if name not in known:
            raise InputError(f"{name!r} is no table of the schema{suggest(name, known)}")
    tables = {}
    for name in known:
        if name not in frames:
            raise InputError(f"table {name!r} is missing{suggest(name, frames)}")
        tables[name] = _arrow(frames[name], name)
    return assemble(layout, tables)


def assemble(
    layout: Layout,
    tables: Mapping[str, Any],
    referenced: Mapping[int, str] | None = None,
    convert: Convert = attribute_column,
) -> Instance:
    """An instance from Arrow tables as they were stored.

    Parameters
    ----------
    layout : Layout
    tables : dict, table name -> pyarrow.Table
    referenced : dict, optional
        Generator -> the column that it refers to, where that is not the primary key.
    convert : callable
        How a stored column becomes an attribute's, given its type and its place.
    """
    schema = layout.schema
    p = schema.presentation
    indices: dict[tuple[int, str], KeyIndex] = {}
    columns: list[NDArray[np.int32]] = []
    for j, (_, a, b) in enumerate(p.generators):
        name = (referenced or {}).get(j) or layout.primary_key(b)
        if (b, name) not in indices:
            indices[b, name] = KeyIndex(_column(tables, p.objects[b], name, "primary key"), f"{p.objects[b]}.{name}")
        values = _column(tables, p.objects[a], schema.column(j), "foreign key")
        columns.append(indices[b, name].rows_of(values, f"{p.objects[a]}.{schema.column(j)}"))
    attributes = [
        convert(_column(tables, p.objects[given.object], given.name, "attribute"), given.type, schema.show(i))
        for i, given in enumerate(schema.attributes)
    ]
    return Instance(schema, [tables[name].num_rows for name in p.objects], columns, attributes)


def arrow_tables(instance: Instance) -> dict[str, Any]:
    """One pyarrow.Table a table: ``row_key`` (int32, 0 to rows - 1), foreign keys (int32 row numbers), attributes."""
    import pyarrow as pa

    schema = instance.schema
    found = {}
    for c, name in enumerate(schema.presentation.objects):
        columns = {row_key(schema, c): pa.array(np.arange(instance.sizes[c], dtype=np.int32))}
        columns |= {schema.column(j): pa.array(instance.columns[j]) for j in schema.keys_of(c)}
        columns |= {schema.attributes[i].name: instance.attributes[i] for i in schema.attributes_of(c)}
        found[name] = pa.table(columns)
    return found


def to_frames(instance: Instance, kind: Kind = "arrow") -> dict[str, Any]:
    """The tables of an instance by name, as ``from_frames`` reads them.

    Parameters
    ----------
    instance : Instance
    kind : "arrow", "pandas" or "polars"

    Returns
    -------
    dict, table name -> pyarrow.Table, pandas.DataFrame (Arrow-backed columns, so that nulls stay nulls) or
    polars.DataFrame
    """
    one_of("kind", kind, ("arrow", "pandas", "polars"))
    tables = arrow_tables(instance)
    if kind == "pandas":
        import pandas as pd

        return {name: table.to_pandas(types_mapper=pd.ArrowDtype) for name, table in tables.items()}
    if kind == "polars":
        import polars as pl

        return {name: pl.from_arrow(table) for name, table in tables.items()}
    return tables


def _arrow(frame: Any, name: str) -> Any:
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    module = type(frame).__module__.partition(".")[0]
    try:
        if module == "pandas":
            return pa.Table.from_pandas(frame, preserve_index=False)
        if module == "polars":
            return frame.to_arrow()
    except pa.ArrowException as error:
        raise InputError(f"table {name!r} can't be read as Arrow: {error}.") from error
    raise InputError(f"table {name!r}: expected a pyarrow, pandas or polars table; got {type(frame).__name__}.")


def _column(tables: Mapping[str, Any], name: str, column: str, role: str) -> Any:
    names = tables[name].column_names
    if column not in names and role == "primary key":
        raise InputError(
            f"table {name!r} has no column {column!r} to name its rows, which foreign keys refer to; say which column does, "
            f'by primary_key = "..." in its schema (primary_keys in Python){suggest(column, names)}'
        )
    if column not in names:
        raise InputError(f"table {name!r} has no column {column!r} (its {role}){suggest(column, names)}")
    if names.count(column) > 1:
        raise InputError(f"table {name!r} has {names.count(column)} columns called {column!r}; names must differ.")
    return tables[name].column(column)
