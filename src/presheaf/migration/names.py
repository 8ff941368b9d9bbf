"""Names: what somebody may have meant, how SQL quotes one, and which two a database can't tell apart."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from presheaf.errors import InputError
from presheaf.migration.schema import Schema

DESCRIPTION = "presheaf_schema"
"""The view in which a database file that we wrote holds its own schema as TOML."""


def suggest(name: object, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` or ``; there are a, b.``, to end a sentence about a name that is not there."""
    names = list(known)
    near = [n for n in names if n.casefold() == str(name).casefold()] or get_close_matches(str(name), names, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    if not names:
        return "; there are none."
    return f"; there are {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}."


def quoted(name: str) -> str:
    """A name as an SQL identifier: in double quotes, a double quote in it doubled.

    Raises
    ------
    InputError
        For an empty name or one with a NUL character, which SQL can't hold.
    """
    if not name or "\0" in name:
        raise InputError(f"SQL can't hold a table or column called {name!r}; give it another name.")
    return '"' + name.replace('"', '""') + '"'


def row_key(schema: Schema, c: int) -> str:
    """The column that numbers a table's rows in a file: ``id``, with underscores after it if a column is called so."""
    taken = {schema.column(j).casefold() for j in schema.keys_of(c)}
    taken |= {schema.attributes[i].name.casefold() for i in schema.attributes_of(c)}
    name = "id"
    while name in taken:
        name += "_"
    return name


def check_distinct(schema: Schema, where: str) -> None:
    """Refuse names that differ in upper and lower case only, which databases and some file systems take for one."""

    def distinct(kind: str, names: Iterable[str]) -> None:
        seen: dict[str, str] = {}
        for name in names:
            other = seen.setdefault(name.casefold(), name)
            if other != name:
                raise InputError(f"{where}: {kind} {other!r} and {name!r} differ in case only; rename one of them.")

    objects = schema.presentation.objects
    distinct("tables", objects)
    for c, table in enumerate(objects):
        if table.casefold() == DESCRIPTION:
            raise InputError(f"{where}: {table!r} is the name of the view that describes the file; rename the table.")
        columns = [schema.column(j) for j in schema.keys_of(c)]
        distinct(f"columns of {table!r}", columns + [schema.attributes[i].name for i in schema.attributes_of(c)])
