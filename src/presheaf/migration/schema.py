"""A database schema as a presented category with attributes, and maps between schemas."""

from __future__ import annotations

from dataclasses import dataclass

from presheaf.errors import InputError
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation

TYPES = ("string", "int64", "double", "bool", "date32", "timestamp", "decimal", "binary")
"""Attribute types, named as Arrow names them; a timestamp has microseconds and no zone, a decimal 38 digits, 9 of them
after the point."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of values.

    Attributes
    ----------
    name : str, unlike every other column of its object
    object : int, number of the object (table) that has it
    type : one of ``TYPES``
    """

    name: str
    object: int
    type: str


@dataclass(frozen=True, slots=True, repr=False)
class Schema:
    """Tables as objects, foreign keys as generators, path equations as constraints, and columns of values.

    Parameters
    ----------
    presentation : Presentation
        A foreign key's name may be qualified by its table, ``"Employee.manager"``; see ``column``.
    attributes : tuple of Attribute

    Raises
    ------
    InputError
        Names the column that is given twice, or the attribute whose type or object is not there.
    """

    presentation: Presentation
    attributes: tuple[Attribute, ...] = ()

    def __post_init__(self) -> None:
        objects = self.presentation.objects
        seen: dict[tuple[int, str], str] = {}
        for j, (_, a, _) in enumerate(self.presentation.generators):
            seen[a, self.column(j)] = "a foreign key"
        for attribute in self.attributes:
            if not 0 <= attribute.object < len(objects):
                raise InputError(
                    f"attribute {attribute.name!r} belongs to object {attribute.object}; there are {len(objects)}."
                )
            place = f"attribute {objects[attribute.object]}.{attribute.name}"
            if attribute.type not in TYPES:
                raise InputError(f"{place}: type {attribute.type!r} is none of {', '.join(TYPES)}.")
            key = attribute.object, attribute.name
            if key in seen:
                raise InputError(
                    f"{place}: the table has {seen[key]} of this name already; columns need different names."
                )
            seen[key] = "an attribute"

    def column(self, generator: int) -> str:
        """The name of a foreign key's column in its table: the generator's name without a leading ``Table.``."""
        name, a, _ = self.presentation.generators[generator]
        return name.removeprefix(f"{self.presentation.objects[a]}.")

    def keys_of(self, c: int) -> tuple[int, ...]:
        """Numbers of the generators that leave object ``c``."""
        return tuple(j for j, g in enumerate(self.presentation.generators) if g[1] == c)

    def attributes_of(self, c: int) -> tuple[int, ...]:
        """Numbers of the attributes of object ``c``."""
        return tuple(i for i, a in enumerate(self.attributes) if a.object == c)

    def show(self, attribute: int) -> str:
        """An attribute as ``Table.name``."""
        given = self.attributes[attribute]
        return f"{self.presentation.objects[given.object]}.{given.name}"

    def __repr__(self) -> str:
        p = self.presentation
        return (
            f"Schema({len(p.objects)} tables, {len(p.generators)} foreign keys, {len(p.equations)} equations, "
            f"{len(self.attributes)} attributes)"
        )


@dataclass(frozen=True, slots=True, repr=False)
class SchemaMap:
    """F: C -> D on tables, foreign keys and attributes.

    Parameters
    ----------
    source, target : Schema
    mapping : PresentationMap between their presentations
    attributes : tuple, one entry an attribute of the source: (path, attribute), the value found at the end of a path of
        the target that starts at the image of the attribute's table; None for one that is left behind

    Raises
    ------
    InputError
        Names the attribute whose image does not fit.
    """

    source: Schema
    target: Schema
    mapping: PresentationMap
    attributes: tuple[tuple[Path, int] | None, ...] = ()

    def __post_init__(self) -> None:
        if self.mapping.source != self.source.presentation or self.mapping.target != self.target.presentation:
            raise InputError("the map of presentations leads between other presentations than the schemas'.")
        if len(self.attributes) != len(self.source.attributes):
            raise InputError(
                f"the source has {len(self.source.attributes)} attributes, {len(self.attributes)} images were given."
            )
        for i, (mine, image) in enumerate(zip(self.source.attributes, self.attributes, strict=True)):
            if image is None:
                continue
            path, number = image
            place = f"image of attribute {self.source.show(i)}"
            if not 0 <= number < len(self.target.attributes):
                raise InputError(
                    f"{place}: there is no attribute {number}; the target has {len(self.target.attributes)}."
                )
            theirs = self.target.attributes[number]
            self.target.presentation.check_path(path, self.mapping.objects[mine.object], theirs.object, place)
            if mine.type != theirs.type:
                raise InputError(
                    f"{place}: {mine.type} values can't become {self.target.show(number)}, a {theirs.type}."
                )

    def __repr__(self) -> str:
        return f"SchemaMap({self.source!r} -> {self.target!r})"
