"""Schema maps as TOML.

``source`` and ``target`` are each a schema written in place, the path of a TOML file, or the path of a database file or
folder whose own keys are the schema; paths are relative to the map file. ``[map.Table]`` says where a table goes::

    source = "old.toml"
    target = "new.duckdb"

    [map.Employee]
    to = "Person"
    keys = { manager = "boss", works_in = "desk room" }
    attributes = { name = "name", city = "works_in address city", age = false }

A foreign key goes to a path of the target, written as column names from the image of its table (``""`` or ``"1"`` stays
there). An attribute goes to a path that ends in an attribute, or to ``false``: it is left behind. What is not mentioned
goes to what has the same name: a table to the table of its name, a foreign key or attribute to the column of its name in
the image of its table. Where nothing of that name fits, the file must say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from presheaf.errors import InputError
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path
from presheaf.migration.names import suggest
from presheaf.migration.schema import Schema, SchemaMap
from presheaf.migration.schema_toml import Layout, follow, schema_from_dict, schema_toml
from presheaf.migration.toml_text import key, load, only, path_text, quote, steps, string, table

SchemaReader = Callable[[FilePath], Layout]


@dataclass(frozen=True, slots=True)
class MapFile:
    """A schema map, and how the rows of its two schemas are named where they are stored."""

    map: SchemaMap
    source: Layout
    target: Layout


def map_from_toml(path: str | FilePath, read: SchemaReader) -> MapFile:
    """Read a schema map; ``read`` reads a schema from a file that the map names.

    Raises
    ------
    InputError
        Names the file, the table and the entry that does not fit, with the name that may have been meant.
    """
    file = FilePath(path)
    given = load(file)
    only(given, ("source", "target", "map"), str(file))
    source, target = (_schema(given, side, file, read) for side in ("source", "target"))
    entries = table(given.get("map", {}), f"{file}: [map]")
    known = source.schema.presentation.objects
    for name in entries:
        if name not in known:
            raise InputError(f"{file}: [map.{key(name)}] is no table of the source{suggest(name, known)}")
    return MapFile(_Reading(source.schema, target.schema, entries, str(file)).whole(), source, target)


def _schema(given: Mapping[str, Any], side: str, file: FilePath, read: SchemaReader) -> Layout:
    if side not in given:
        raise InputError(f"{file}: {side!r} is missing; expected a schema written in place or the path of one.")
    value = given[side]
    if isinstance(value, dict):
        return schema_from_dict(value, f"{file}: {side}")
    return read(file.parent / string(value, f"{file}: {side}"))


class _Reading:
    """The entries of one map file beside the two schemas that they speak of."""

    def __init__(self, source: Schema, target: Schema, entries: Mapping[str, Any], place: str) -> None:
        self.source, self.target, self.place = source, target, place
        self.fields: list[Mapping[str, Any]] = []
        self.images: list[int] = []
        for c, name in enumerate(source.presentation.objects):
            here = f"{place}: [map.{key(name)}]"
            fields = table(entries.get(name, {}), here)
            only(fields, ("to", "keys", "attributes"), here)
            self._only_columns(fields, c, here)
            self.fields.append(fields)
            self.images.append(self._image(fields.get("to"), name, here))

    def whole(self) -> SchemaMap:
        source = self.source.presentation
        paths = tuple(self._key(j) for j in range(len(source.generators)))
        mapping = PresentationMap(source, self.target.presentation, tuple(self.images), paths)
        attributes = tuple(self._attribute(i) for i in range(len(self.source.attributes)))
        try:
            return SchemaMap(self.source, self.target, mapping, attributes)
        except InputError as error:
            raise InputError(f"{self.place}: {error}") from error

    def _only_columns(self, fields: Mapping[str, Any], c: int, here: str) -> None:
        keys = [self.source.column(j) for j in self.source.keys_of(c)]
        only(table(fields.get("keys", {}), f"{here} keys"), keys, f"{here} keys")
        values = [self.source.attributes[i].name for i in self.source.attributes_of(c)]
        only(table(fields.get("attributes", {}), f"{here} attributes"), values, f"{here} attributes")

    def _image(self, to: object, name: str, here: str) -> int:
        objects = self.target.presentation.objects
        if to is None and name not in objects:
            raise InputError(f'{here}: the target has no table of this name; say to = "..."{suggest(name, objects)}')
        image = name if to is None else string(to, f"{here} to")
        if image not in objects:
            raise InputError(f"{here}: to = {image!r} is no table of the target{suggest(image, objects)}")
        return objects.index(image)

    def _key(self, j: int) -> Path:
        _, a, b = self.source.presentation.generators[j]
        name, start, end = self.source.column(j), self.images[a], self.images[b]
        objects = self.target.presentation.objects
        here = f"{self.place}: [map.{key(self.source.presentation.objects[a])}] keys: {name!r}"
        given = self.fields[a].get("keys", {})
        if name in given:
            path, stop = follow(self.target, start, steps(given[name], here), here)
            if stop != end:
                raise InputError(f"{here}: its path ends at {objects[stop]!r}; expected {objects[end]!r}.")
            return path
        for g in self.target.keys_of(start):
            if self.target.column(g) == name and self.target.presentation.generators[g][2] == end:
                return (g,)
        raise InputError(
            f"{here} has no image, and {objects[start]!r} has no foreign key of this name to {objects[end]!r}; "
            f"give a path from {objects[start]!r} to {objects[end]!r}."
        )

    def _attribute(self, i: int) -> tuple[Path, int] | None:
        attribute = self.source.attributes[i]
        a, name, start = attribute.object, attribute.name, self.images[attribute.object]
        here = f"{self.place}: [map.{key(self.source.presentation.objects[a])}] attributes: {name!r}"
        given = self.fields[a].get("attributes", {}).get(name)
        if given is False:
            return None
        if given is not None:
            return self._value(start, steps(given, here), here)
        for k in self.target.attributes_of(start):
            if self.target.attributes[k].name == name and self.target.attributes[k].type == attribute.type:
                return (), k
        raise InputError(
            f"{here} has no image, and {self.target.presentation.objects[start]!r} has no attribute of this name and of "
            f"type {attribute.type}; give a path that ends in an attribute, or false to leave it behind."
        )

    def _value(self, start: int, names: list[str], here: str) -> tuple[Path, int]:
        if not names:
            raise InputError(f"{here}: the path is empty; expected one that ends in an attribute.")
        path, end = follow(self.target, start, names[:-1], here)
        known = {self.target.attributes[k].name: k for k in self.target.attributes_of(end)}
        if names[-1] not in known:
            at = self.target.presentation.objects[end]
            raise InputError(f"{here}: {names[-1]!r} is no attribute of {at!r}{suggest(names[-1], known)}")
        return path, known[names[-1]]


def map_toml(map: SchemaMap) -> str:
    """A schema map as TOML, both schemas written in place and nothing left to defaults."""
    source, target = map.source, map.target
    blocks = []
    for c, name in enumerate(source.presentation.objects):
        lines = [f"[map.{key(name)}]", f"to = {quote(target.presentation.objects[map.mapping.objects[c]])}"]
        for j in source.keys_of(c):
            path = path_text([target.column(g) for g in map.mapping.paths[j]])
            lines.append(f"keys.{key(source.column(j))} = {path}")
        for i in source.attributes_of(c):
            image = map.attributes[i]
            text = "false"
            if image is not None:
                text = path_text([target.column(g) for g in image[0]] + [target.attributes[image[1]].name])
            lines.append(f"attributes.{key(source.attributes[i].name)} = {text}")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join([*blocks, schema_toml(source, "source."), schema_toml(target, "target.")])
