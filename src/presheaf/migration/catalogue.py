"""What a database says of itself: its tables, columns, primary and foreign keys; and the schema that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from presheaf.errors import InputError
from presheaf.finite.presented.presentation import Presentation
from presheaf.migration.names import row_key, suggest
from presheaf.migration.schema import Attribute, Schema
from presheaf.migration.schema_toml import Layout
from presheaf.migration.toml_text import key


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """A column: ``type`` is the attribute type it can be read as, None if there is none; ``declared`` is SQL's word."""

    name: str
    type: str | None
    declared: str


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A foreign key: columns, and the table and columns that they refer to (none named: its primary key)."""

    columns: tuple[str, ...]
    table: str
    referenced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table as the database describes it."""

    name: str
    columns: tuple[StoredColumn, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[StoredKey, ...]


Catalogue = Mapping[str, StoredTable]


def layout_of(catalogue: Catalogue, place: str, keep_keys: bool = False) -> Layout:
    """The schema that a database's own keys are.

    Every table is an object, every foreign key a generator, every other column an attribute. A primary key that holds
    whole numbers only names the rows and is no attribute, unless ``keep_keys``; one of another type (a code, a date)
    says something and is kept.

    Raises
    ------
    InputError
        For a foreign key of several columns, one that refers to a table without a primary key of one column, a column
        in two foreign keys, or a column of a type that no attribute has; each says what to do.
    """
    if not catalogue:
        raise InputError(f"{place} has no tables.")
    names = tuple(catalogue)
    generators: list[tuple[str, int, int]] = []
    attributes: list[Attribute] = []
    primary: dict[str, str] = {}
    for c, table in enumerate(catalogue.values()):
        used = set()
        for declared in table.foreign_keys:
            column = _single(declared, table, catalogue, place)
            if column in used:
                raise InputError(
                    f"{place}: {table.name}.{column} is in two foreign keys; keep one, or copy the column."
                )
            used.add(column)
            generators.append((f"{table.name}.{column}", c, names.index(declared.table)))
        if len(table.primary_key) == 1:
            primary[table.name] = table.primary_key[0]
        for given in table.columns:
            surrogate = table.primary_key == (given.name,) and given.type == "int64" and not keep_keys
            if given.name in used or surrogate:
                continue
            if given.type is None:
                said = f"is a {given.declared}, which no attribute type holds" if given.declared else "has no type"
                raise InputError(
                    f"{place}: {table.name}.{given.name} {said}. Convert the column, or write a schema as TOML that leaves it "
                    "out."
                )
            attributes.append(Attribute(given.name, c, given.type))
    return Layout(Schema(Presentation(names, tuple(generators)), tuple(attributes)), primary)


def keys_of(asked: Layout, catalogue: Catalogue, place: str) -> tuple[Layout, dict[int, str]]:
    """How the rows of a given schema are named in a database: its primary keys, and what foreign keys refer to instead.

    A primary key that ``asked`` names comes before the one that the database declares.

    Raises
    ------
    InputError
        For a table that the database lacks, a primary key that is no column, and a foreign key that refers to a table in
        which nothing names the rows.
    """
    schema = asked.schema
    p = schema.presentation
    primary = {}
    for name in p.objects:
        if name not in catalogue:
            raise InputError(f"{place} has no table {name!r}{suggest(name, catalogue)} Views are not read.")
        columns = [column.name for column in catalogue[name].columns]
        if name in asked.primary_keys:
            primary[name] = asked.primary_keys[name]
            if primary[name] not in columns:
                raise InputError(
                    f"{place}: table {name!r} has no column {primary[name]!r}, its primary_key"
                    f"{suggest(primary[name], columns)}"
                )
        elif len(catalogue[name].primary_key) == 1:
            primary[name] = catalogue[name].primary_key[0]
    referenced: dict[int, str] = {}
    for j, (_, a, b) in enumerate(p.generators):
        target = p.objects[b]
        for declared in catalogue[p.objects[a]].foreign_keys:
            one = len(declared.referenced) == 1
            if declared.columns == (schema.column(j),) and declared.table == target and one:
                referenced[j] = declared.referenced[0]
        if j not in referenced and target not in primary:
            if len(catalogue[target].primary_key) > 1:
                raise InputError(_composite(f"{p.objects[a]}.{schema.column(j)}", catalogue[target], place))
            known = [column.name for column in catalogue[target].columns]
            if row_key(schema, b) not in known:
                raise InputError(_unnamed(f"{p.objects[a]}.{schema.column(j)}", target, known, place))
    return Layout(schema, primary), referenced


def _single(given: StoredKey, table: StoredTable, catalogue: Catalogue, place: str) -> str:
    """The one column of a foreign key that refers to one column."""
    here = f"{place}: {table.name}.{', '.join(given.columns)}"
    if given.table not in catalogue:
        raise InputError(f"{here} refers to {given.table!r}, which is no table{suggest(given.table, catalogue)}")
    target = catalogue[given.table]
    if len(given.columns) > 1:
        raise InputError(
            f"{here} is one foreign key of {len(given.columns)} columns; expected one column. Give {target.name!r} a primary "
            "key of one column (a row number) and refer to that."
        )
    if not given.referenced and len(target.primary_key) != 1:
        raise InputError(_composite(f"{table.name}.{given.columns[0]}", target, place))
    return given.columns[0]


def _unnamed(column: str, target: str, known: list[str], place: str) -> str:
    return (
        f"{place}: {column} refers to {target!r}, which declares no primary key; say which column names its rows: "
        f'primary_key = "..." under [objects.{key(target)}] of its schema{suggest("", known)}'
    )


def _composite(column: str, target: StoredTable, place: str) -> str:
    has = f"of {len(target.primary_key)} columns ({', '.join(target.primary_key)})" if target.primary_key else "at all"
    no = "a primary key " if target.primary_key else "no primary key "
    return (
        f"{place}: {column} refers to {target.name!r}, which has {no}{has}; expected one of a single column. Give "
        f"{target.name!r} such a column (a row number) and refer to that."
    )
