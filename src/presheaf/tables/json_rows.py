"""JSON: one object a line (JSONL, NDJSON) or one array of objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from presheaf.errors import InputError
from presheaf.tables.defects import Defect
from presheaf.tables.raw import Rows
from presheaf.tables.textfile import TextFile
from presheaf.tables.vectors import as_vector

_LOOKED_AT = 1000


class ObjectRows:
    """Rows that are objects (mappings from column name to cell), from a file or from memory.

    Parameters
    ----------
    objects : callable returning an iterator
        Starts a new pass over the rows; each is a mapping, or a Defect where there is none.
    hints : sequence of str
        Columns that should be there. The names are gathered from the first 1,000 rows, and from as many more as it
        takes to see every hint, since a key may be left out where there is no value.
    notes : tuple of str
    """

    def __init__(self, objects: Callable[[], Iterator[Any]], hints: Sequence[str], notes: tuple[str, ...] = ()) -> None:
        self._objects = objects
        self._notes = notes
        names: dict[str, None] = {}
        missing = set(hints)
        for number, item in enumerate(objects()):
            if number >= _LOOKED_AT and not missing:
                break
            if isinstance(item, dict):
                names.update(dict.fromkeys(name for name in item if isinstance(name, str)))
                missing.difference_update(names)
        self._names = tuple(names)

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    def read(self, wanted: Sequence[str], vectors: str | None = None) -> Rows:
        """One pass; a key that a row lacks is an empty cell. Vectors become arrays at once, to save memory."""
        cells: dict[str, list[Any]] = {name: [] for name in wanted}
        defects: list[Defect] = []
        count = 0
        for count, item in enumerate(self._objects(), start=1):
            if isinstance(item, Defect):
                defects.append(Defect(count, item.kind, item.detail))
                item = {}
            elif not isinstance(item, dict):
                defects.append(Defect(count, "row is no object", type(item).__name__))
                item = {}
            for name, column in cells.items():
                value = item.get(name)
                column.append(as_vector(value) if name == vectors else value)
        return Rows(count, dict(cells), tuple(defects), self._notes)


def json_lines(file: TextFile, hints: Sequence[str]) -> ObjectRows:
    """One JSON object a line; blank lines are passed over and not counted as rows."""

    def objects() -> Iterator[Any]:
        # Only \n ends a line: U+2028 and its like may stand inside a JSON string.
        with file.reading(_line_at), file.open(newline="\n") as text:
            for number, line in enumerate(text, start=1):
                if line.isspace():
                    continue
                try:
                    yield _parse(line.rstrip("\r\n"))
                except json.JSONDecodeError as error:
                    yield Defect(0, "invalid JSON", f"line {number}, column {error.colno}: {error.msg}")
                except (ValueError, RecursionError) as error:
                    yield Defect(0, "invalid JSON", f"line {number}: {error}")

    return ObjectRows(objects, hints, file.notes)


def json_array(file: TextFile, hints: Sequence[str]) -> ObjectRows:
    """An array of objects; it is parsed whole.

    Raises
    ------
    InputError
        If the file is not valid JSON.
    """
    try:
        with file.reading(_text_line_at), file.open() as text:
            rows = _parse(text.read())
    except json.JSONDecodeError as error:
        raise InputError(
            f"{file.path}: invalid JSON at line {error.lineno}, column {error.colno}: {error.msg}. Expected an array "
            'of objects such as [{"text": "...", "label": "..."}], or one object a line (.jsonl).'
        ) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{file.path}: invalid JSON: {error}. Expected an array of objects.") from error
    return ObjectRows(lambda: iter(rows), hints, file.notes)


def _parse(text: str) -> Any:
    return _DECODER.decode(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} occurs twice in one object")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)


def _line_at(file: TextFile, offset: int) -> str:
    # One more character stands for the undecodable byte, so that its line is never a blank one.
    lines = (file.decoded_before(offset) + "?").split("\n")
    return f"row {sum(bool(line) and not line.isspace() for line in lines)}"


def _text_line_at(file: TextFile, offset: int) -> str:
    newlines = file.decoded_before(offset).count("\n")
    return f"line {newlines + 1}"
