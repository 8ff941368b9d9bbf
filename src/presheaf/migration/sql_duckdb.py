"""A DuckDB file or a folder of Parquet files as an instance inside DuckDB, and back, without a row in Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from presheaf.errors import InputError
from presheaf.migration.catalogue import StoredColumn, keys_of
from presheaf.migration.names import DESCRIPTION, quoted, row_key, suggest
from presheaf.migration.resolve import SHOWN, dangling, repeated, unnamed, without_value
from presheaf.migration.schema import Schema
from presheaf.migration.schema_toml import Layout, schema_toml
from presheaf.migration.sql_tables import SqlTables, checked, named_tables
from presheaf.migration.sql_warehouse import Warehouse
from presheaf.migration.store_duckdb import (
    DUCKDB_TYPES,
    catalogue_duckdb,
    create_table,
    description_duckdb,
    parents_first,
)
from presheaf.migration.store_folder import SCHEMA_FILE, file_name, folder_layout

SOURCE = "presheaf_source"
"""The name under which the input is attached."""


def attached(path: FilePath, asked: Layout, warehouse: Warehouse) -> SqlTables:
    """The input as an instance of a schema inside the warehouse, checked.

    Rows are numbered in the order in which the file holds them, as ``read_instance`` does. A foreign key that already holds
    such numbers is taken as it is; any other is joined with the column that it refers to.

    Raises
    ------
    InputError
        The input is neither a DuckDB file nor a folder of Parquet files; or it is no instance: names table, column, rows.
    """
    layout, referenced, froms = _folder(path, asked) if path.is_dir() else _file(path, asked, warehouse)
    schema, p = asked.schema, asked.schema.presentation
    ids: dict[tuple[int, str], Index] = {}
    names = []
    for j, (_, _, b) in enumerate(p.generators):
        column = referenced.get(j) or layout.primary_key(b)
        if (b, column) not in ids:
            place = f"{p.objects[b]}.{column}"
            ids[b, column] = _index(warehouse, froms[b], column, place, f"presheaf_key_{len(ids)}")
    for c, name in enumerate(p.objects):
        keys = {
            j: ids[p.generators[j][2], referenced.get(j) or layout.primary_key(p.generators[j][2])]
            for j in schema.keys_of(c)
        }
        names.append(_numbered(warehouse, schema, c, froms[c], keys))
        for j, index in keys.items():
            _refuse_dangling(warehouse, j, index, names[c], f"{name}.{schema.column(j)}", quoted(schema.column(j)))
    return checked(named_tables(schema, warehouse, names, ids=["presheaf id"] * len(names)), warehouse)


def _file(path: FilePath, asked: Layout, warehouse: Warehouse) -> tuple[Layout, dict[int, str], list[str]]:
    catalogue = catalogue_duckdb(path)
    described = description_duckdb(path) is not None
    layout, referenced = keys_of(Layout(asked.schema) if described else asked, catalogue, str(path))
    place = str(path).replace("'", "''")
    warehouse.run(f"ATTACH '{place}' AS {SOURCE} (READ_ONLY)")
    froms = []
    for c, name in enumerate(asked.schema.presentation.objects):
        _check_columns(asked.schema, c, {column.name: column for column in catalogue[name].columns}, str(path))
        _refuse_ours(asked.schema, c)
        shown = "".join(f"{column}, " for column in _needed(layout, referenced, c))
        froms.append(
            f'(SELECT {shown}ROW_NUMBER() OVER (ORDER BY rowid) - 1 AS "presheaf id" FROM {SOURCE}.main.{quoted(name)})'
        )
    return layout, referenced, froms


def _folder(path: FilePath, asked: Layout) -> tuple[Layout, dict[int, str], list[str]]:
    layout = folder_layout(path, asked)
    froms = []
    for c, name in enumerate(layout.schema.presentation.objects):
        _refuse_ours(layout.schema, c)
        file = path / file_name(name, "parquet")
        if not file.exists():
            raise InputError(f"{path} has no {file.name}; inside DuckDB a folder must hold Parquet files.")
        place = str(file).replace("'", "''")
        shown = "".join(f"{column}, " for column in _needed(layout, {}, c))
        froms.append(
            f"(SELECT {shown}file_row_number AS \"presheaf id\" FROM read_parquet('{place}', file_row_number = true))"
        )
    return layout, {}, froms


def _needed(layout: Layout, referenced: dict[int, str], c: int) -> list[str]:
    """The columns of table ``c`` to read, quoted, each once."""
    schema = layout.schema
    names = [schema.column(j) for j in schema.keys_of(c)]
    names += [schema.attributes[i].name for i in schema.attributes_of(c)]
    into = [j for j, (_, _, b) in enumerate(schema.presentation.generators) if b == c]
    names += [referenced.get(j) or layout.primary_key(c) for j in into]
    return [quoted(name) for name in dict.fromkeys(names)]


def _refuse_ours(schema: Schema, c: int) -> None:
    """Refuse names that the statements here give to columns of their own."""
    columns = [schema.column(j) for j in schema.keys_of(c)] + [
        schema.attributes[i].name for i in schema.attributes_of(c)
    ]
    for column in columns:
        if column.casefold().startswith("presheaf "):
            raise InputError(
                f"{schema.presentation.objects[c]}.{column}: inside DuckDB no column may be called 'presheaf ...'; rename it, or "
                "leave out --engine."
            )


def _check_columns(schema: Schema, c: int, have: dict[str, StoredColumn], place: str) -> None:
    """Refuse a column that is missing or of a type that is not the attribute's."""
    name = schema.presentation.objects[c]
    for j in schema.keys_of(c):
        if schema.column(j) not in have:
            raise InputError(
                f"{place}: table {name!r} has no column {schema.column(j)!r}{suggest(schema.column(j), have)}"
            )
    for i in schema.attributes_of(c):
        wanted = schema.attributes[i]
        if wanted.name not in have:
            raise InputError(f"{place}: table {name!r} has no column {wanted.name!r}{suggest(wanted.name, have)}")
        kind = have[wanted.name].type
        if kind != wanted.type and not (kind == "int64" and wanted.type in ("double", "decimal")):
            raise InputError(
                f"{place}: {name}.{wanted.name} is {have[wanted.name].declared}; expected {wanted.type}. Convert the column, "
                "or give it another type."
            )


@dataclass(frozen=True, slots=True)
class Index:
    """What foreign keys refer to.

    Attributes
    ----------
    place : ``Table.column``, for messages
    rows : how many the table has
    name : of a temporary table (key, id); "" where the keys are the ids
    """

    place: str
    rows: int
    name: str


def _index(warehouse: Warehouse, rows: str, column: str, place: str, name: str) -> Index:
    key = quoted(column)
    asked = f'SELECT COUNT(*), COUNT({key}), COUNT(DISTINCT {key}), COUNT(*) FILTER ({key} = "presheaf id")'
    if _is_whole(warehouse, rows, key):
        many, known, distinct, same = warehouse.run(f"{asked} FROM {rows}")[0]
    else:
        many, known, distinct, same = (
            *warehouse.run(f"SELECT COUNT(*), COUNT({key}), COUNT(DISTINCT {key}) FROM {rows}")[0],
            -1,
        )
    if known < many:
        empty = warehouse.run(f'SELECT "presheaf id" FROM {rows} WHERE {key} IS NULL ORDER BY 1 LIMIT {SHOWN}')
        raise InputError(unnamed(place, [row for (row,) in empty], many - known))
    if distinct < many:
        groups = f'SELECT {key} AS key, MIN("presheaf id") AS one FROM {rows} GROUP BY {key} HAVING COUNT(*) > 1'
        twice = warehouse.run(
            f'SELECT g.key, g.one, MIN(r."presheaf id") FROM ({groups} ORDER BY one LIMIT {SHOWN}) AS g JOIN {rows} AS r '
            f'ON r.{key} = g.key AND r."presheaf id" > g.one GROUP BY g.key, g.one ORDER BY g.one'
        )
        many = warehouse.run(f"SELECT COUNT(*) FROM ({groups})")[0][0]
        raise InputError(repeated(place, [(value, one, two) for value, one, two in twice], many))
    if same == many:
        return Index(place, many, "")
    warehouse.run(f'CREATE TEMPORARY TABLE {name} AS SELECT {key} AS key, "presheaf id" AS id FROM {rows}')
    return Index(place, many, name)


def _is_whole(warehouse: Warehouse, rows: str, key: str) -> bool:
    kind = str(
        warehouse.run(f"SELECT COALESCE(ANY_VALUE(TYPEOF({key})), 'INTEGER') FROM (SELECT {key} FROM {rows} LIMIT 1)")[
            0
        ][0]
    )
    return kind.endswith("INT") or kind == "INTEGER"


def _numbered(warehouse: Warehouse, schema: Schema, c: int, rows: str, keys: dict[int, Index]) -> str:
    """Store table ``c`` with its ids and with foreign keys as ids; beside each the value as it stood, for messages."""
    columns, joins = ['t."presheaf id"'], []
    for j, index in keys.items():
        column = quoted(schema.column(j))
        if index.name:
            joins.append(f"LEFT JOIN {index.name} AS i{j} ON t.{column} = i{j}.key")
            columns.append(f"i{j}.id AS {column}")
            columns.append(f"t.{column} AS {quoted(f'presheaf given {j}')}")
        else:
            columns.append(f"CAST(t.{column} AS BIGINT) AS {column}")
            columns.append(f"t.{column} AS {quoted(f'presheaf given {j}')}")
    for i in schema.attributes_of(c):
        column = quoted(schema.attributes[i].name)
        columns.append(f"CAST(t.{column} AS {DUCKDB_TYPES[schema.attributes[i].type]}) AS {column}")
    name = f"presheaf_in_{c}"
    warehouse.run(f"CREATE TEMPORARY TABLE {name} AS SELECT {', '.join(columns)} FROM {rows} AS t {' '.join(joins)}")
    return name


def _refuse_dangling(warehouse: Warehouse, j: int, index: Index, stored: str, place: str, column: str) -> None:
    given = quoted(f"presheaf given {j}")
    wrong = f"{column} IS NULL OR {column} < 0 OR {column} >= {index.rows}"
    of, empty, lost = warehouse.run(
        f"SELECT COUNT(*), COUNT(*) FILTER ({given} IS NULL), COUNT(*) FILTER ({wrong}) FROM {stored}"
    )[0]
    if not lost:
        return
    asked = f"{given} IS NULL" if empty else wrong
    bad = warehouse.run(f'SELECT "presheaf id", {given} FROM {stored} WHERE {asked} ORDER BY 1 LIMIT {SHOWN}')
    if empty:
        raise InputError(without_value(place, [row for row, _ in bad], empty))
    raise InputError(dangling(place, index.place, [(row, value) for row, value in bad], lost, of))


def write_file(result: SqlTables, warehouse: Warehouse) -> None:
    """Write the result into the DuckDB file that the warehouse is connected to, as ``write_instance`` does."""
    schema = result.schema
    done: set[int] = set()
    for c in parents_first(schema.presentation):
        name = quoted(schema.presentation.objects[c])
        warehouse.run(create_table(schema, c, done))
        warehouse.run(f"INSERT INTO {name} SELECT * FROM ({warehouse.sql(_shown(result, c))}) ORDER BY 1")
        done.add(c)
    text = schema_toml(schema).replace("'", "''")
    warehouse.run(f"CREATE VIEW {quoted(DESCRIPTION)} AS SELECT '{text}' AS toml")


def write_parquet(result: SqlTables, warehouse: Warehouse, path: FilePath) -> None:
    """Write the result as a new folder of Parquet files with its ``schema.toml``."""
    schema = result.schema
    path.mkdir()
    primary = {name: row_key(schema, c) for c, name in enumerate(schema.presentation.objects)}
    text = schema_toml(Layout(schema, primary))
    (path / SCHEMA_FILE).write_text(text, encoding="utf-8", newline="\n")
    for c, name in enumerate(schema.presentation.objects):
        place = str(path / file_name(name, "parquet")).replace("'", "''")
        warehouse.run(
            f"COPY (SELECT * FROM ({warehouse.sql(_shown(result, c))}) ORDER BY 1) TO '{place}' (FORMAT parquet)"
        )


def _shown(result: SqlTables, c: int) -> Any:
    """Table ``c`` under the names that files have: the key, foreign keys, attributes."""
    schema, table = result.schema, result.tables[c]
    columns = {row_key(schema, c): table.id.cast("int32")}
    columns |= {schema.column(j): table[f"k{j}"].cast("int32") for j in schema.keys_of(c)}
    columns |= {schema.attributes[i].name: table[f"a{i}"] for i in schema.attributes_of(c)}
    return table.select(**columns)
