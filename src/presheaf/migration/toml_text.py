"""Reading TOML with places in the errors, and writing the few shapes of it that schemas and schema maps need."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any

from presheaf.errors import InputError
from presheaf.migration.names import suggest

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def load(path: FilePath) -> dict[str, Any]:
    """A TOML file as a dict.

    Raises
    ------
    InputError
        If it can't be read, isn't UTF-8 or isn't TOML; line and column are named.
    """
    try:
        return parse(path.read_text(encoding="utf-8-sig"), str(path))
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: {error}.") from error


def parse(text: str, place: str) -> dict[str, Any]:
    """TOML text as a dict; an InputError begins with ``place``."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{place} is not TOML: {error}.") from error


def table(value: object, place: str) -> Mapping[str, Any]:
    """The value, if it is a TOML table."""
    if not isinstance(value, dict):
        raise InputError(f"{place}: expected a table of names; got {value!r}.")
    return value


def string(value: object, place: str) -> str:
    """The value, if it is a string."""
    if not isinstance(value, str):
        raise InputError(f"{place}: expected a string; got {value!r}.")
    return value


def only(given: Mapping[str, Any], known: Iterable[str], place: str) -> None:
    """Refuse entries that nothing reads, so that a misspelt one is not passed over."""
    names = list(known)
    for name in given:
        if name not in names:
            raise InputError(f"{place}: {name!r} is not known here{suggest(name, names)}")


def steps(value: object, place: str) -> list[str]:
    """A path as column names: text set apart by spaces, or a list for names that hold spaces; "" and "1" are empty."""
    if isinstance(value, str):
        return [] if value.strip() == "1" else value.split()
    if isinstance(value, list) and all(isinstance(step, str) for step in value):
        return list(value)
    raise InputError(f"{place}: expected a path as a string such as 'manager works_in' or a list; got {value!r}.")


def quote(text: str) -> str:
    """A string as TOML writes it."""
    inside = "".join(_SHORT.get(c) or (f"\\u{ord(c):04X}" if ord(c) < 32 or ord(c) == 127 else c) for c in text)
    return f'"{inside}"'


def key(name: str) -> str:
    """A name as a TOML key, bare if it may be."""
    return name if _BARE.fullmatch(name) else quote(name)


def path_text(names: list[str]) -> str:
    """A path for ``steps`` to read again: a string where that is unambiguous, else a list."""
    if names != ["1"] and all(name and not re.search(r"\s", name) for name in names):
        return quote(" ".join(names))
    return "[" + ", ".join(quote(name) for name in names) + "]"


def inline(pairs: Mapping[str, str]) -> str:
    """An inline table of texts that are TOML already."""
    return "{ " + ", ".join(f"{key(name)} = {value}" for name, value in pairs.items()) + " }"
