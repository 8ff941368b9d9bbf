"""Instances in DuckDB files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Any

from presheaf.errors import InputError, MissingDependencyError
from presheaf.finite.presented.presentation import Presentation
from presheaf.migration.catalogue import Catalogue, StoredColumn, StoredKey, StoredTable, keys_of
from presheaf.migration.frames import arrow_tables, assemble
from presheaf.migration.instance import Instance
from presheaf.migration.names import DESCRIPTION, quoted, row_key, suggest
from presheaf.migration.schema import Schema
from presheaf.migration.schema_toml import Layout, schema_toml

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "date32": "DATE",
    "timestamp": "TIMESTAMP",
    "decimal": "DECIMAL(38, 9)",
    "binary": "BLOB",
}
_READ = {
    **dict.fromkeys(("VARCHAR", "UUID", "JSON"), "string"),
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), "int64"),
    **dict.fromkeys(("UBIGINT", "HUGEINT", "UHUGEINT", "DECIMAL"), "decimal"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "double"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "timestamp"),
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "BOOLEAN": "bool",
    "DATE": "date32",
    "BLOB": "binary",
    "ENUM": "string",
}


def catalogue_duckdb(path: FilePath) -> Catalogue:
    """The tables of a DuckDB file's schema ``main`` in the order in which they were made."""
    with _connected(path, read_only=True) as connection:
        return _catalogue(connection)


def description_duckdb(path: FilePath) -> str | None:
    """The TOML that a DuckDB file written by us holds of its schema."""
    with _connected(path, read_only=True) as connection:
        return _description(connection)


def read_duckdb(path: FilePath, asked: Layout) -> Instance:
    """An instance of a schema from a DuckDB file; rows in the order in which the file holds them.

    Raises
    ------
    InputError
        If the file is none, or a table, column or key does not fit; see ``from_frames``.
    """
    with _connected(path, read_only=True) as connection:
        catalogue = _catalogue(connection)
        described = _description(connection) is not None
        layout, referenced = keys_of(Layout(asked.schema) if described else asked, catalogue, str(path))
        schema, p = layout.schema, layout.schema.presentation
        needed = _needed(schema, {b: layout.primary_key(b) for _, _, b in p.generators}, referenced)
        tables = {}
        for c, name in enumerate(p.objects):
            have = [column.name for column in catalogue[name].columns]
            for column in needed[c]:
                if column not in have:
                    raise InputError(f"{path}: table {name!r} has no column {column!r}{suggest(column, have)}")
            shown = ", ".join(quoted(column) for column in needed[c]) or quoted(have[0])
            tables[name] = connection.sql(f"SELECT {shown} FROM main.{quoted(name)}").to_arrow_table()
    return assemble(layout, tables, referenced)


def write_duckdb(instance: Instance, path: FilePath, constraints: bool) -> None:
    """Write an instance to a new DuckDB file.

    Parameters
    ----------
    instance : Instance
    path : where no file is
    constraints : bool
        Declare primary keys and REFERENCES. DuckDB checks them with an index, about a second for a million rows of a
        foreign key; one that refers to its own table or closes a cycle can't be declared there and is not.
    """
    schema = instance.schema
    tables = arrow_tables(instance)
    with _connected(path, read_only=False) as connection:
        connection.execute("BEGIN")
        done: set[int] = set()
        for c in parents_first(schema.presentation):
            name = schema.presentation.objects[c]
            connection.execute(create_table(schema, c, done if constraints else None))
            connection.register("presheaf rows", tables[name])
            connection.execute(f'INSERT INTO {quoted(name)} SELECT * FROM "presheaf rows"')
            connection.unregister("presheaf rows")
            done.add(c)
        text = schema_toml(schema).replace("'", "''")
        connection.execute(f"CREATE VIEW {quoted(DESCRIPTION)} AS SELECT '{text}' AS toml")
        connection.execute("COMMIT")


def create_table(schema: Schema, c: int, declared: set[int] | None) -> str:
    """The statement that creates table ``c``; ``declared``: tables that it may refer to, None to declare no keys."""
    objects = schema.presentation.objects
    lines = [f"{quoted(row_key(schema, c))} INTEGER{' NOT NULL' if declared is None else ' PRIMARY KEY'}"]
    for j in schema.keys_of(c):
        b = schema.presentation.generators[j][2]
        line = f"{quoted(schema.column(j))} INTEGER NOT NULL"
        if declared is not None and b in declared:
            line += f" REFERENCES {quoted(objects[b])}({quoted(row_key(schema, b))})"
        lines.append(line)
    lines += [
        f"{quoted(schema.attributes[i].name)} {DUCKDB_TYPES[schema.attributes[i].type]}"
        for i in schema.attributes_of(c)
    ]
    return f"CREATE TABLE {quoted(objects[c])} ({', '.join(lines)})"


def parents_first(presentation: Presentation) -> list[int]:
    """Objects so that what a foreign key refers to stands before its table, wherever there is no cycle."""
    order: list[int] = []
    left = list(range(len(presentation.objects)))
    waits = {c: {b for _, a, b in presentation.generators if a == c and b != c} for c in left}
    while left:
        ready = next((c for c in left if waits[c] <= set(order)), left[0])
        order.append(ready)
        left.remove(ready)
    return order


def _needed(schema: Schema, primary: dict[int, str], referenced: dict[int, str]) -> list[list[str]]:
    """For each table the columns to read, each once."""
    p = schema.presentation
    found: list[dict[str, None]] = [{} for _ in p.objects]
    for j, (_, a, b) in enumerate(p.generators):
        found[a][schema.column(j)] = None
        found[b][referenced.get(j) or primary[b]] = None
    for attribute in schema.attributes:
        found[attribute.object][attribute.name] = None
    return [list(columns) for columns in found]


def _catalogue(connection: Any) -> Catalogue:
    where = "database_name = current_database() AND schema_name = 'main'"
    columns: dict[str, list[StoredColumn]] = {}
    listed = connection.execute(
        f"SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE {where} AND table_name IN "
        f"(SELECT table_name FROM duckdb_tables() WHERE {where} AND NOT internal) ORDER BY table_oid, column_index"
    ).fetchall()
    for table, column, declared in listed:
        columns.setdefault(table, []).append(StoredColumn(column, _type(declared), declared))
    primary: dict[str, tuple[str, ...]] = {}
    foreign: dict[str, list[StoredKey]] = {}
    for table, kind, here, target, there in connection.execute(
        "SELECT table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names "
        f"FROM duckdb_constraints() WHERE {where} AND constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY') "
        "ORDER BY table_oid, constraint_index"
    ).fetchall():
        if kind == "PRIMARY KEY":
            primary[table] = tuple(here)
        else:
            foreign.setdefault(table, []).append(StoredKey(tuple(here), target, tuple(there)))
    return {
        name: StoredTable(name, tuple(found), primary.get(name, ()), tuple(foreign.get(name, ())))
        for name, found in columns.items()
    }


def _type(declared: str) -> str | None:
    if declared.endswith("]"):
        return None
    return _READ.get(re.sub(r"\(.*", "", declared))


def _description(connection: Any) -> str | None:
    found = connection.execute(
        "SELECT 1 FROM duckdb_views() WHERE view_name = ? AND schema_name = 'main'", [DESCRIPTION]
    ).fetchall()
    if not found:
        return None
    return str(connection.execute(f"SELECT toml FROM main.{quoted(DESCRIPTION)}").fetchall()[0][0])


def interrupted(error: Exception) -> bool:
    """Whether an error is DuckDB's answer to Ctrl-C, which comes in several types."""
    return str(error).endswith("Query interrupted") or type(error).__name__ == "InterruptException"


@contextmanager
def _connected(path: FilePath, read_only: bool) -> Iterator[Any]:
    try:
        import duckdb
    except ImportError as error:
        raise MissingDependencyError(
            f"{path} needs the package 'duckdb'. To install it: pip install \"presheaf[migrate]\""
        ) from error
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
        try:
            yield connection
        finally:
            connection.close()
    except (duckdb.Error, RuntimeError) as error:
        if interrupted(error):
            raise KeyboardInterrupt from error
        if not isinstance(error, duckdb.Error):
            raise
        if not read_only:
            raise OSError(f"DuckDB says: {str(error).splitlines()[0]}") from error
        raise InputError(f"{path}: DuckDB says: {str(error).splitlines()[0]}") from error
