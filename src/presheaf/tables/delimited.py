"""CSV and TSV: a header line, then one record a row, fields separated by a comma, semicolon, tab or bar."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING, TextIO

from presheaf.errors import InputError
from presheaf.tables.defects import Defect
from presheaf.tables.raw import Cells, Rows
from presheaf.tables.textfile import TextFile

if TYPE_CHECKING:
    from _csv import Reader

_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar (|)"}
_REASONS = {f"'{d}' expected after '\"'": "text after a closing double quote" for d in _DELIMITERS}
_CELL_LIMIT = 2**31 - 1  # the most the csv module takes on every platform
_LOOKED_AT = 100


class Delimited:
    """A CSV or TSV file. Quoting is RFC 4180's: a field in double quotes may hold anything, a quote is doubled.

    Parameters
    ----------
    file : TextFile
    hints : sequence of str
        Column names that are known to be there; they settle which delimiter it is.
    tabs : bool
        Whether the file name promises tabs (.tsv, .tab).
    """

    def __init__(self, file: TextFile, hints: Sequence[str], tabs: bool) -> None:
        self._file = file
        self._tabs = tabs
        with _any_cell_size():
            self._delimiter = _sniff(file.sample(), hints, tabs)
            try:
                with file.reading(_row_at(self._delimiter)), file.open() as text:
                    header = next((record for record in _reader(text, self._delimiter) if record), None)
            except csv.Error as error:
                raise InputError(f"{file.path}: the header (first line) is malformed: {error}.") from error
        if header is None:
            raise InputError(f"{file.path} holds only blank lines: expected a header and at least two labelled rows.")
        self._names = tuple(header)

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    def read(self, wanted: Sequence[str], vectors: str | None = None) -> Rows:
        """One pass over the file; only the wanted cells are kept.

        Raises
        ------
        InputError
            If a quote is opened and never closed, or a byte can't be decoded.
        """
        if vectors is not None:
            raise InputError(
                f"{self._file.path}: column {vectors!r} can't hold vectors, since a CSV or TSV cell is text; "
                "put them in Parquet, Arrow or JSONL, or pass them as a model (.npy, .npz)."
            )
        with self._file.reading(_row_at(self._delimiter)), _any_cell_size():
            rows, never_closed = self._pass(wanted, quoted=True)
            if self._tabs and self._delimiter == "\t" and (rows.defects or never_closed):
                plain, _ = self._pass(wanted, quoted=False)
                if not plain.defects:
                    note = "double quotes are read as plain characters: they don't pair up as quoting in this file"
                    return Rows(plain.count, plain.columns, (), (*plain.notes, note))
        if never_closed:
            raise InputError(
                f"{self._file.path}: a double quote opened {never_closed} is never closed, so that the rest of the "
                "file became one cell. Close it, or double it where it is part of the text."
            )
        return rows

    def _pass(self, wanted: Sequence[str], quoted: bool) -> tuple[Rows, str]:
        """The rows under one quoting rule, and where a quote was left open ("" when none was)."""
        width = len(self._names)
        positions = [self._names.index(name) for name in wanted]
        cells: list[list[str | None]] = [[] for _ in wanted]
        keep = list(zip(positions, [column.append for column in cells], strict=True))
        defects: list[Defect] = []
        count = blank = 0
        never_closed = ""
        with self._file.open() as text:
            lines = _Lines(text)
            reader = _reader(lines, self._delimiter, quoted)
            next(record for record in reader if record)  # the header, read before
            while True:
                line = reader.line_num + 1
                reason = ""
                try:
                    record = next(reader)
                except StopIteration:
                    break
                except csv.Error as error:
                    if lines.ended:
                        never_closed = f"in row {count + 1} (line {line})"
                        break
                    record, reason = [], f"line {line}: {_REASONS.get(str(error), error)}"
                else:
                    if not record:
                        blank += 1
                        continue
                    if len(record) != width:
                        reason = f"line {line}: {_fields(len(record))}, the header has {width}"
                count += 1
                if reason:
                    defects.append(Defect(count, "malformed line", reason))
                    for _, append in keep:
                        append(None)
                else:
                    for position, append in keep:
                        append(record[position])
        notes = [*self._file.notes, f"fields separated by {_DELIMITERS[self._delimiter]}"]
        if blank:
            notes.append(f"{blank:,} blank line{'s' if blank > 1 else ''} passed over")
        columns: dict[str, Cells] = dict(zip(wanted, cells, strict=True))
        return Rows(count, columns, tuple(defects), tuple(notes)), never_closed


class _Lines:
    """The lines of a text, and whether all were handed out."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        yield from self._text
        self.ended = True


def _reader(lines: Iterable[str], delimiter: str, quoted: bool = True, strict: bool = True) -> Reader:
    # strict: otherwise the module drops the quotes of a malformed field and closes an open one at the end of the file.
    if not quoted:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=strict)
    return csv.reader(lines, delimiter=delimiter, strict=strict)


@contextmanager
def _any_cell_size() -> Iterator[None]:
    """Lift the csv module's limit of 128 KB a cell; it belongs to the process, so it is put back."""
    before = csv.field_size_limit(_CELL_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _sniff(sample: str, hints: Sequence[str], tabs: bool) -> str:
    """The delimiter under which the header has the hinted names and most records have as many fields as the header."""
    best, best_score = "\t" if tabs else ",", (-1.0, -1.0, -1.0, -1.0)
    for delimiter in _DELIMITERS:
        records = [r for r in islice(_reader(StringIO(sample, newline=""), delimiter, strict=False), _LOOKED_AT) if r]
        if not records or len(records[0]) < 2:
            continue
        header, width = records[0], len(records[0])
        agree = sum(len(r) == width for r in records) / len(records)
        score = (float(sum(h in header for h in hints)), float(tabs and delimiter == "\t"), agree, float(width))
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _fields(count: int) -> str:
    return f"{count} field{'' if count == 1 else 's'}"


def _row_at(delimiter: str) -> Callable[[TextFile, int], str]:
    """How to name the row that holds a byte: the records before it are counted again."""

    def where(file: TextFile, offset: int) -> str:
        # One more character stands for the undecodable byte, so that its record is there to be counted.
        text = StringIO(file.decoded_before(offset) + "?", newline="")
        with _any_cell_size():
            row = sum(1 for record in _reader(text, delimiter, strict=False) if record) - 1
        return f"row {row}" if row else "in the header"

    return where
