"""Schemas as TOML.

A file holds one table of TOML for each table of the database, and its path equations::

    [objects.Employee]
    keys = { manager = "Employee", works_in = "Department" }
    attributes = { name = "string", age = "int64" }

    [objects.Department]
    keys = { secretary = "Employee" }
    attributes = { name = "string" }

    [[equations]]
    at = "Employee"
    left = "manager works_in"
    right = "works_in"

``keys`` are foreign keys: column = the table it refers to. ``attributes`` are columns of values: column = its type, one
of ``TYPES``. A path is column names in the order in which they are followed, starting at the table ``at``; ``""`` or
``"1"`` stays where it is. Write a path as a list, ``["works in", "site"]``, where a name holds a space.
``primary_key = "emp_no"`` says which column names the rows in files; without it that is ``id``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from presheaf.errors import InputError
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.migration.names import row_key, suggest
from presheaf.migration.schema import TYPES, Attribute, Schema
from presheaf.migration.toml_text import inline, key, load, only, path_text, quote, steps, string, table


@dataclass(frozen=True, slots=True)
class Layout:
    """A schema and how its rows are named where they are stored.

    Attributes
    ----------
    schema : Schema
    primary_keys : dict, table name -> the column that names its rows; a table that is absent has ``row_key``'s
    """

    schema: Schema
    primary_keys: Mapping[str, str] = field(default_factory=dict)

    def primary_key(self, c: int) -> str:
        """The column that names the rows of table ``c``."""
        return self.primary_keys.get(self.schema.presentation.objects[c]) or row_key(self.schema, c)

    def of(self, schema: Schema) -> Layout:
        """The same primary keys beside another schema, for the tables that it has too."""
        known = schema.presentation.objects
        return Layout(schema, {name: key for name, key in self.primary_keys.items() if name in known})


def read_schema_toml(path: str | FilePath) -> Layout:
    """Read a schema from a TOML file.

    Raises
    ------
    InputError
        Names the file, the table and the entry, with the name that may have been meant.
    """
    return schema_from_dict(load(FilePath(path)), str(path))


def schema_from_dict(given: Mapping[str, Any], place: str) -> Layout:
    """A schema from parsed TOML; errors begin with ``place``."""
    only(given, ("objects", "equations"), place)
    objects = table(given.get("objects", {}), f"{place}: [objects]")
    if not objects:
        raise InputError(f"{place}: expected at least one table, such as [objects.Employee].")
    names = tuple(objects)
    generators: list[tuple[str, int, int]] = []
    attributes: list[Attribute] = []
    primary: dict[str, str] = {}
    for c, (name, entry) in enumerate(objects.items()):
        here = f"{place}: [objects.{key(name)}]"
        fields = table(entry, here)
        only(fields, ("keys", "attributes", "primary_key"), here)
        if "primary_key" in fields:
            primary[name] = string(fields["primary_key"], f"{here} primary_key")
        for column, target in table(fields.get("keys", {}), f"{here} keys").items():
            if target not in objects:
                raise InputError(
                    f"{here} keys: {column!r} refers to {target!r}, which is no table{suggest(target, names)}"
                )
            generators.append((f"{name}.{column}", c, names.index(target)))
        for column, kind in table(fields.get("attributes", {}), f"{here} attributes").items():
            if kind not in TYPES:
                raise InputError(f"{here} attributes: {column!r} has type {kind!r}{suggest(kind, TYPES)}")
            attributes.append(Attribute(column, c, kind))
    try:
        free = Schema(Presentation(names, tuple(generators)), tuple(attributes))
        equations = _equations(given.get("equations", []), free, place)
        return Layout(Schema(Presentation(names, tuple(generators), equations), tuple(attributes)), primary)
    except InputError as error:
        raise error if str(error).startswith(place) else InputError(f"{place}: {error}") from error


def follow(schema: Schema, start: int, names: list[str], place: str) -> tuple[Path, int]:
    """The foreign keys that a list of column names follows from table ``start``, and the table where it ends.

    Raises
    ------
    InputError
        Begins with ``place``; names the column and the table that lacks it.
    """
    path: list[int] = []
    for name in names:
        columns = {schema.column(j): j for j in schema.keys_of(start)}
        if name not in columns:
            at = schema.presentation.objects[start]
            raise InputError(f"{place}: {name!r} is no foreign key of {at!r}{suggest(name, columns)}")
        path.append(columns[name])
        start = schema.presentation.generators[columns[name]][2]
    return tuple(path), start


def _equations(given: object, schema: Schema, place: str) -> tuple[tuple[Path, Path], ...]:
    if not isinstance(given, list):
        raise InputError(f"{place}: equations are written [[equations]], in double brackets.")
    objects = schema.presentation.objects
    found = []
    for i, entry in enumerate(given):
        here = f"{place}: equation {i}"
        fields = table(entry, here)
        only(fields, ("at", "left", "right"), here)
        for name in ("at", "left", "right"):
            if name not in fields:
                raise InputError(f"{here}: {name!r} is missing; expected at, left and right.")
        if fields["at"] not in objects:
            raise InputError(f"{here}: at = {fields['at']!r} is no table{suggest(fields['at'], objects)}")
        start = objects.index(fields["at"])
        left, end = follow(schema, start, steps(fields["left"], f"{here} left"), f"{here} left")
        right, other = follow(schema, start, steps(fields["right"], f"{here} right"), f"{here} right")
        if end != other:
            raise InputError(f"{here}: the left side ends at {objects[end]!r}, the right side at {objects[other]!r}.")
        if left != right:
            found.append((left, right))
    return tuple(found)


def schema_toml(layout: Layout | Schema, prefix: str = "") -> str:
    """A schema as TOML that ``read_schema_toml`` reads back to an equal one.

    Parameters
    ----------
    layout : Layout or Schema
    prefix : str
        Put before every key, as ``"source."`` for a schema inside a map file.

    Notes
    -----
    Foreign keys come back called ``Table.column``, in order of their tables, and attributes in that order too.
    """
    if isinstance(layout, Schema):
        layout = Layout(layout)
    schema = layout.schema
    p = schema.presentation
    blocks = []
    for c, name in enumerate(p.objects):
        lines = [f"[{prefix}objects.{key(name)}]"]
        if name in layout.primary_keys:
            lines.append(f"primary_key = {quote(layout.primary_keys[name])}")
        keys = {schema.column(j): quote(p.objects[p.generators[j][2]]) for j in schema.keys_of(c)}
        values = {schema.attributes[i].name: quote(schema.attributes[i].type) for i in schema.attributes_of(c)}
        lines += [f"keys = {inline(keys)}"] if keys else []
        lines += [f"attributes = {inline(values)}"] if values else []
        blocks.append("\n".join(lines) + "\n")
    for i, (left, right) in enumerate(p.equations):
        sides = [path_text([schema.column(j) for j in side]) for side in (left, right)]
        at = quote(p.objects[p.equation_source(i)])
        blocks.append(f"[[{prefix}equations]]\nat = {at}\nleft = {sides[0]}\nright = {sides[1]}\n")
    return "\n".join(blocks)
