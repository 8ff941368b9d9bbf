"""Instances in SQLite files, through Python's own sqlite3.

SQLite has fewer types than an attribute may have. A bool is stored as 0 or 1; a date, a timestamp and a decimal as text
in columns declared ``DATE TEXT``, ``TIMESTAMP TEXT`` and ``DECIMAL TEXT``, ISO 8601 and plain digits, so that none
changes on the way.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path as FilePath
from typing import Any

from presheaf.errors import InputError
from presheaf.migration.catalogue import Catalogue, StoredColumn, StoredKey, StoredTable, keys_of
from presheaf.migration.frames import arrow_tables, assemble
from presheaf.migration.instance import Instance
from presheaf.migration.names import DESCRIPTION, quoted, row_key, suggest
from presheaf.migration.schema import Schema
from presheaf.migration.schema_toml import Layout, schema_toml
from presheaf.migration.sqlite_values import AS_TEXT, attribute_type, finished, stored_values

_TYPES = {
    "string": "TEXT",
    "int64": "INTEGER",
    "double": "REAL",
    "bool": "BOOLEAN",
    "date32": "DATE TEXT",
    "timestamp": "TIMESTAMP TEXT",
    "decimal": "DECIMAL TEXT",
    "binary": "BLOB",
}
_BATCH = 512
"""Rows read at a time: fewer than would make Python look for garbage, which halves the time."""
_WRITTEN = 1 << 16


def catalogue_sqlite(path: FilePath) -> Catalogue:
    """The tables of a SQLite file in the order in which they were made."""
    with _connected(path) as connection:
        return _catalogue(connection)


def description_sqlite(path: FilePath) -> str | None:
    """The TOML that a SQLite file written by us holds of its schema."""
    with _connected(path) as connection:
        return _description(connection)


def _description(connection: sqlite3.Connection) -> str | None:
    found = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'view' AND lower(name) = ?", [DESCRIPTION]
    ).fetchall()
    return str(connection.execute(f"SELECT toml FROM {quoted(DESCRIPTION)}").fetchone()[0]) if found else None


def read_sqlite(path: FilePath, asked: Layout) -> Instance:
    """An instance of a schema from a SQLite file; rows in order of ``rowid``.

    Raises
    ------
    InputError
        If the file is none, or a table, column, value or key does not fit; see ``from_frames``. SQLite lets a column hold
        values of any type: the row that holds one of another is named.
    """
    import pyarrow as pa

    with _connected(path) as connection:
        catalogue = _catalogue(connection)
        described = _description(connection) is not None
        layout, referenced = keys_of(Layout(asked.schema) if described else asked, catalogue, str(path))
        schema, p = layout.schema, layout.schema.presentation
        wanted: list[dict[str, str | None]] = [{} for _ in p.objects]
        for i, given in enumerate(schema.attributes):
            wanted[given.object][schema.attributes[i].name] = given.type
        for j, (_, a, b) in enumerate(p.generators):
            for c, column in ((a, schema.column(j)), (b, referenced.get(j) or layout.primary_key(b))):
                wanted[c].setdefault(column, None)
        tables = {}
        for c, name in enumerate(p.objects):
            have = [column.name for column in catalogue[name].columns]
            for column in wanted[c]:
                if column not in have:
                    raise InputError(f"{path}: table {name!r} has no column {column!r}{suggest(column, have)}")
            wanted[c] = wanted[c] or {have[0]: None}
            tables[name] = pa.table(_columns(connection, name, wanted[c]))
    return assemble(layout, tables, referenced)


def write_sqlite(instance: Instance, path: FilePath, constraints: bool) -> None:
    """Write an instance to a new SQLite file, with primary keys and REFERENCES declared if ``constraints``.

    Raises
    ------
    InputError
        For a NaN, which SQLite would turn into a null.
    """
    schema = instance.schema
    tables = arrow_tables(instance)
    with _connected(path, new=True) as connection:
        for c, name in enumerate(schema.presentation.objects):
            connection.execute(_create(schema, c, constraints))
            columns = tables[name].column_names
            kinds = {schema.attributes[i].name: schema.attributes[i].type for i in schema.attributes_of(c)}
            marks = ", ".join("?" * len(columns))
            rows = (_rows(batch, kinds, f"{name}") for batch in tables[name].to_batches(max_chunksize=_WRITTEN))
            connection.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", chain.from_iterable(rows))
        text = schema_toml(schema).replace("'", "''")
        connection.execute(f"CREATE VIEW {quoted(DESCRIPTION)} AS SELECT '{text}' AS toml")
        connection.commit()


def _create(schema: Schema, c: int, constraints: bool) -> str:
    objects = schema.presentation.objects
    lines = [f"{quoted(row_key(schema, c))} INTEGER{' PRIMARY KEY' if constraints else ' NOT NULL'}"]
    for j in schema.keys_of(c):
        b = schema.presentation.generators[j][2]
        refers = f" REFERENCES {quoted(objects[b])}({quoted(row_key(schema, b))})" if constraints else ""
        lines.append(f"{quoted(schema.column(j))} INTEGER NOT NULL{refers}")
    lines += [
        f"{quoted(schema.attributes[i].name)} {_TYPES[schema.attributes[i].type]}" for i in schema.attributes_of(c)
    ]
    return f"CREATE TABLE {quoted(objects[c])} ({', '.join(lines)})"


def _rows(batch: Any, kinds: dict[str, str], table: str) -> Iterator[tuple[Any, ...]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        kind = kinds.get(name)
        if kind == "double" and pc.any(pc.is_nan(column)).as_py():
            raise InputError(f"{table}.{name} holds NaN, which SQLite can't; make it null, or write another format.")
        lists.append((column.cast(pa.string()) if kind in AS_TEXT else column).to_pylist())
    return zip(*lists, strict=True)


def _columns(connection: sqlite3.Connection, table: str, wanted: dict[str, str | None]) -> dict[str, Any]:
    """The columns of a table as Arrow; ``wanted``: column -> attribute type, None for a column of keys."""
    import pyarrow as pa

    shown = ", ".join(quoted(name) for name in wanted)
    order = "" if _without_rowid(connection, table) else " ORDER BY rowid"
    cursor = connection.execute(f"SELECT {shown} FROM {quoted(table)}{order}")
    parts: dict[str, list[Any]] = {name: [] for name in wanted}
    done = 0
    while rows := cursor.fetchmany(_BATCH):
        for (name, kind), values in zip(wanted.items(), zip(*rows, strict=True), strict=True):
            parts[name].append(stored_values(values, kind, f"{table}.{name}", done))
        done += len(rows)
    found = {}
    for name, kind in wanted.items():
        place = f"{table}.{name}"
        types = {part.type for part in parts[name] if not pa.types.is_null(part.type)}
        if len(types) > 1:
            raise InputError(f"{place} holds both whole numbers and text; a key column must hold one of them.")
        goal = types.pop() if types else pa.null()
        column = pa.chunked_array([part.cast(goal) for part in parts[name]], goal)
        found[name] = column if kind is None else finished(column, kind, place)
    return found


def _without_rowid(connection: sqlite3.Connection, table: str) -> bool:
    found = connection.execute("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", [table])
    return bool(found.fetchone()[0])


def _catalogue(connection: sqlite3.Connection) -> Catalogue:
    listed = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY rowid"
    ).fetchall()
    names = {str(name).casefold(): str(name) for (name,) in listed}
    found = {}
    for name in names.values():
        columns, primary = [], {}
        for column, declared, rank in connection.execute(
            "SELECT name, type, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid", [name]
        ):
            columns.append(StoredColumn(column, attribute_type(declared), declared))
            if rank:
                primary[rank] = column
        key = tuple(primary[rank] for rank in sorted(primary))
        found[name] = StoredTable(name, tuple(columns), key, _foreign_keys(connection, name, names))
    return found


def _foreign_keys(connection: sqlite3.Connection, table: str, names: dict[str, str]) -> tuple[StoredKey, ...]:
    keys: dict[int, tuple[str, list[str], list[str]]] = {}
    for number, target, here, there in connection.execute(
        'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq', [table]
    ):
        entry = keys.setdefault(number, (names.get(target.casefold(), target), [], []))
        entry[1].append(here)
        entry[2].extend([there] if there is not None else [])
    return tuple(StoredKey(tuple(here), target, tuple(there)) for target, here, there in keys.values())


@contextmanager
def _connected(path: FilePath, new: bool = False) -> Iterator[sqlite3.Connection]:
    try:
        uri = f"{path.absolute().as_uri()}?mode={'rwc' if new else 'ro'}"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        if new:
            raise OSError(f"SQLite says: {error}") from error
        raise InputError(f"{path}: SQLite says: {error}.") from error
