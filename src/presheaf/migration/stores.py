"""Reading and writing instances and schemas, whatever the kind of file."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Literal

from presheaf.errors import InputError, one_of
from presheaf.migration.catalogue import layout_of
from presheaf.migration.instance import Instance
from presheaf.migration.map_toml import MapFile, map_from_toml
from presheaf.migration.names import check_distinct, quoted, suggest
from presheaf.migration.schema import Schema, SchemaMap
from presheaf.migration.schema_toml import Layout, read_schema_toml, schema_from_dict
from presheaf.migration.store_duckdb import catalogue_duckdb, description_duckdb, read_duckdb, write_duckdb
from presheaf.migration.store_folder import SCHEMA_FILE, read_folder, write_folder
from presheaf.migration.store_sqlite import catalogue_sqlite, description_sqlite, read_sqlite, write_sqlite
from presheaf.migration.toml_text import parse
from presheaf.migration.whole_files import whole

Format = Literal["duckdb", "sqlite", "parquet", "csv"]
FORMATS = ("duckdb", "sqlite", "parquet", "csv")
_SUFFIXES: dict[str, Format] = {
    ".duckdb": "duckdb",
    ".ddb": "duckdb",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
}


def read_layout(path: str | FilePath, *, keep_keys: bool = False) -> Layout:
    """``read_schema``, with the columns that name the rows of each table."""
    file = _existing(path)
    if file.is_dir():
        if not (file / SCHEMA_FILE).exists():
            raise InputError(f"{file} is a folder without {SCHEMA_FILE}; write one that describes its tables.")
        return read_schema_toml(file / SCHEMA_FILE)
    if file.suffix.lower() == ".toml":
        return read_schema_toml(file)
    duckdb = _database(file) == "duckdb"
    described = (description_duckdb if duckdb else description_sqlite)(file)
    if described is not None and not keep_keys:
        place = f"{file} (its view presheaf_schema)"
        return schema_from_dict(parse(described, place), place)
    return layout_of((catalogue_duckdb if duckdb else catalogue_sqlite)(file), str(file), keep_keys)


def read_schema(path: str | FilePath, *, keep_keys: bool = False) -> Schema:
    """The schema of a TOML file, of a folder with ``schema.toml``, or of a DuckDB or SQLite file.

    A database file that ``write_instance`` wrote holds its schema, path equations included, in a view
    ``presheaf_schema``; otherwise its own primary and foreign keys are the schema (``layout_of``), without equations.

    Parameters
    ----------
    path : str or Path
    keep_keys : bool
        Keep primary keys of whole numbers as attributes too; other primary keys are kept anyway.

    Raises
    ------
    InputError
        If there is no such file, it is none of these, or its keys are no schema; says what to do.
    """
    return read_layout(path, keep_keys=keep_keys).schema


def read_map_file(path: str | FilePath) -> MapFile:
    """``read_map``, with the columns that name the rows of each table of the two schemas."""
    return map_from_toml(_existing(path), read_layout)


def read_map(path: str | FilePath) -> SchemaMap:
    """A schema map from a TOML file; see ``presheaf.migration.map_toml`` for the format.

    Raises
    ------
    InputError
        Names the file, the table and the entry that does not fit.
    """
    return read_map_file(path).map


def read_instance(path: str | FilePath, schema: Schema | Layout | None = None) -> Instance:
    """An instance from a DuckDB or SQLite file, or from a folder of Parquet or CSV files.

    Parameters
    ----------
    path : str or Path
    schema : Schema or Layout, optional
        What to read; tables and columns that it does not name are passed over. Without it, ``read_schema(path)``. A Layout
        also says which columns name the rows; a file that ``write_instance`` wrote, and the ``schema.toml`` of a folder,
        say so themselves.

    Raises
    ------
    InputError
        Names the table, column and rows: something missing, a value of a wrong type, a key that is null, double or
        dangling, a path equation that does not hold.
    """
    file = _existing(path)
    layout = Layout(schema) if isinstance(schema, Schema) else schema
    if file.is_dir():
        return read_folder(file, layout)
    read = read_duckdb if _database(file) == "duckdb" else read_sqlite
    return read(file, layout or Layout(read_schema(file)))


def write_instance(
    instance: Instance,
    path: str | FilePath,
    *,
    format: Format | None = None,
    overwrite: bool = False,
    constraints: bool = True,
) -> None:
    """Write an instance to a DuckDB or SQLite file, or to a folder of Parquet or CSV files.

    Each table gets a column ``id`` that numbers its rows from 0 (``id_`` if it has a column ``id``), a column of such
    numbers for each foreign key, and one for each attribute.

    Parameters
    ----------
    instance : Instance
    path : str or Path
    format : "duckdb", "sqlite", "parquet" or "csv", optional
        Without it the name tells: ``.duckdb``, ``.sqlite``, or a folder of Parquet files for a name without a suffix.
    overwrite : bool
        Replace what is there.
    constraints : bool
        Declare keys in a database: PRIMARY KEY and REFERENCES. In DuckDB a large instance is written several times
        faster without.

    Raises
    ------
    InputError
        If the path can't be written, or a name or a value can't be stored there.

    Notes
    -----
    Written under another name and moved: the path holds the old or the new, never a part of it.
    """
    file = FilePath(path)
    kind = check_output(instance.schema, file, format)
    with whole(file, overwrite) as part:
        if kind == "duckdb":
            write_duckdb(instance, part, constraints)
        elif kind == "sqlite":
            write_sqlite(instance, part, constraints)
        else:
            write_folder(instance, part, "csv" if kind == "csv" else "parquet")


def check_output(schema: Schema, file: FilePath, format: Format | None = None) -> Format:
    """In which format an instance of a schema would be written to a path.

    Raises
    ------
    InputError
        If that can't be told, or a name can't be stored there.
    """
    kind = _format(file, format)
    check_distinct(schema, str(file))
    if kind in ("duckdb", "sqlite"):
        for c, name in enumerate(schema.presentation.objects):
            quoted(name)
            for i in schema.attributes_of(c):
                quoted(schema.attributes[i].name)
            for j in schema.keys_of(c):
                quoted(schema.column(j))
    return kind


def _format(file: FilePath, format: Format | None) -> Format:
    if format is not None:
        one_of("format", format, FORMATS)
        return format
    suffix = file.suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if not suffix:
        return "parquet"
    raise InputError(
        f"{file}: {suffix!r} does not tell the format; end the name in .duckdb or .sqlite, or give one without a suffix for a "
        f"folder of Parquet files (in Python also format, one of {', '.join(FORMATS)})."
    )


def _existing(path: str | FilePath) -> FilePath:
    file = FilePath(path)
    if not file.exists():
        near = [p.name for p in file.parent.iterdir()] if file.parent.is_dir() else []
        raise InputError(f"there is no file or folder {file}{suggest(file.name, near)}")
    return file


def _database(file: FilePath) -> Format:
    """Which database a file is, by its first bytes."""
    with file.open("rb") as opened:
        head = opened.read(16)
    if head[8:12] == b"DUCK":
        return "duckdb"
    if head == b"SQLite format 3\0":
        return "sqlite"
    raise InputError(f"{file} is no DuckDB or SQLite file; expected one, or a folder of Parquet or CSV files.")
