"""Instances as folders: one Parquet or CSV file a table, and ``schema.toml`` beside them.

In CSV a field that is empty and not in double quotes is null, ``""`` is an empty text; bytes are hexadecimal; dates and
times are ISO 8601. The file of a table is called after it; characters that a file system may not take are written as
``%`` and their code in hexadecimal.
"""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from typing import Any, Literal

from presheaf.errors import InputError
from presheaf.migration.frames import arrow_tables, assemble
from presheaf.migration.instance import Instance
from presheaf.migration.names import row_key, suggest
from presheaf.migration.schema_toml import Layout, read_schema_toml, schema_toml
from presheaf.migration.values import attribute_column, hexadecimal, parsed_column

Form = Literal["parquet", "csv"]
FORMS: tuple[Form, ...] = ("parquet", "csv")
SCHEMA_FILE = "schema.toml"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|%]|^\.|[. ]$')


def file_name(table: str, form: Form) -> str:
    """The name of a table's file."""
    return _UNSAFE.sub(lambda found: f"%{ord(found.group()):02X}", table) + f".{form}"


def read_folder(path: FilePath, asked: Layout | None = None) -> Instance:
    """An instance from a folder; the schema is ``schema.toml``'s unless one is given.

    Raises
    ------
    InputError
        If a file is missing, there twice (Parquet and CSV), damaged, or holds what does not fit; see ``from_frames``.
    """
    layout = folder_layout(path, asked)
    schema = layout.schema
    p = schema.presentation
    tables: dict[str, Any] = {}
    texts: set[str] = set()
    for name in p.objects:
        found = [form for form in FORMS if (path / file_name(name, form)).exists()]
        if len(found) != 1:
            files = [file_name(name, form) for form in FORMS]
            if found:
                raise InputError(f"{path} holds both {files[0]} and {files[1]}; expected one file for table {name!r}.")
            have = [file.name for file in path.iterdir() if file.suffix in (".parquet", ".csv")]
            raise InputError(
                f"{path} holds neither {files[0]} nor {files[1]} for table {name!r}{suggest(files[0], have)}"
            )
        form = found[0]
        file = path / file_name(name, form)
        tables[name] = _read_csv(file) if form == "csv" else _read_parquet(file)
        if form == "csv":
            texts |= {schema.show(i) for i in schema.attributes_of(p.objects.index(name))}

    def convert(column: Any, kind: str, place: str) -> Any:
        return parsed_column(column, kind, place) if place in texts else attribute_column(column, kind, place)

    return assemble(layout, tables, convert=convert)


def write_folder(instance: Instance, path: FilePath, form: Form) -> None:
    """Write an instance to a new folder."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    path.mkdir()
    schema = instance.schema
    primary = {name: row_key(schema, c) for c, name in enumerate(schema.presentation.objects)}
    text = schema_toml(Layout(schema, primary))
    (path / SCHEMA_FILE).write_text(text, encoding="utf-8", newline="\n")
    for name, table in arrow_tables(instance).items():
        file = path / file_name(name, form)
        if form == "parquet":
            pq.write_table(table, file)
            continue
        for i, field in enumerate(table.schema):
            if pa.types.is_binary(field.type):
                table = table.set_column(i, field.name, hexadecimal(table.column(i)))
            elif not pa.types.is_integer(field.type) and not pa.types.is_string(field.type):
                table = table.set_column(i, field.name, table.column(i).cast(pa.string()))
        pa.csv.write_csv(table, file)


def folder_layout(path: FilePath, asked: Layout | None) -> Layout:
    """The schema that is asked for, or the folder's own; the folder's ``schema.toml`` says what names its rows, if it is there.

    Raises
    ------
    InputError
        If neither is there.
    """
    file = path / SCHEMA_FILE
    if file.exists():
        stored = read_schema_toml(file)
        return stored if asked is None else stored.of(asked.schema)
    if asked is None:
        raise InputError(f"{path} has no {SCHEMA_FILE}; write one that describes its tables, or give a schema.")
    return asked


def _read_parquet(file: FilePath) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as opened:
            return opened.read()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file} can't be read as Parquet: {error}.") from error


def _read_csv(file: FilePath) -> Any:
    """All columns as text; a line with too many or too few fields is named."""
    import pyarrow as pa
    import pyarrow.csv

    ragged: list[str] = []

    def refuse(row: Any) -> str:
        ragged.append(f"line {row.number} has {row.actual_columns} fields, the header has {row.expected_columns}")
        return "error"

    def parse(handler: Any) -> Any:
        return pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=handler)

    try:
        header = pa.csv.open_csv(file, parse_options=parse(lambda row: "skip")).schema.names
        return pa.csv.read_csv(
            file,
            read_options=pa.csv.ReadOptions(use_threads=False),
            parse_options=parse(refuse),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file} can't be read as CSV: {ragged[0] if ragged else error}.") from error
