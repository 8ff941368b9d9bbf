"""Reads word vectors from the text format of GloVe, word2vec and fastText."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError

_BLOCK = 1 << 23


@dataclass(frozen=True)
class WordVectors:
    """Words with their vectors.

    Attributes
    ----------
    words : dict of str to int
        Row of each word.
    vectors : float32 array of shape (len(words), dim)
    duplicates : int
        Lines left out because an earlier line has the same word.
    capitals : int
        Words that lower-casing would change.
    """

    words: dict[str, int]
    vectors: NDArray[np.float32]
    duplicates: int
    capitals: int


def read_word_vectors(path: str | Path, *, limit: int | None = None) -> WordVectors:
    """Read a text file of one word and its numbers a line, with or without a "count dimension" line at the top.

    The file may be gzipped. Numbers are parted by spaces or tabs; a word may itself contain spaces. Bytes that are no
    UTF-8 become U+FFFD in the word. Of two lines with the same word the first is kept.

    Parameters
    ----------
    path : str or Path
    limit : int, optional
        Read only the first ``limit`` lines (files are sorted by frequency).

    Raises
    ------
    InputError
        If there is no such file, or ``limit`` is not positive.
    ModelError
        If a line is ragged, not numeric or not finite (its number is named), if the file ends before the number of
        words its first line promises, or if it is no text.

    Cost: linear in the file, some 20 million numbers a second on one core; peak memory is twice the array returned.
    """
    path = Path(path)
    if limit is not None and limit < 1:
        raise InputError(f"'limit' must be a positive number of words; got {limit}.")
    if not path.is_file():
        raise InputError(f"There is no word-vector file {str(path)!r}.")
    try:
        with path.open("rb") as probe:
            zipped = probe.read(2) == b"\x1f\x8b"
        with gzip.open(path) if zipped else path.open("rb") as stream:
            return _read(cast(BinaryIO, stream), path.name, limit)
    except (OSError, EOFError, zlib.error) as error:
        raise ModelError(f"{path.name} can't be read ({error}). Is the download complete?") from error


def _read(stream: BinaryIO, name: str, limit: int | None) -> WordVectors:
    promised, dim, lines = _first_line(stream, name)
    words: dict[str, int] = {}
    blocks: list[NDArray[np.float32]] = []
    seen = duplicates = 0
    for start, block in _blocks(stream, lines, first=1 if promised is None else 2):
        if limit is not None:
            block = block[: limit - seen]
        names, numbers = _parse(block, dim, name, start)
        seen += len(names)
        keep = []
        for i, word in enumerate(names):
            if word in words:
                duplicates += 1
            else:
                words[word] = len(words)
                keep.append(i)
        blocks.append(numbers if len(keep) == len(names) else numbers[keep])
        if limit is not None and seen >= limit:
            break
    if promised is not None and seen != promised and (limit is None or seen < limit):
        raise ModelError(f"{name} promises {promised:,} words in its first line but holds {seen:,}; was it cut short?")
    capitals = sum(word.lower() != word for word in words)
    return WordVectors(words, np.concatenate(blocks), duplicates, capitals)


def _first_line(stream: BinaryIO, name: str) -> tuple[int | None, int, list[bytes]]:
    """The number of words promised (None without a header), the dimension, and the lines read that hold words."""
    line = stream.readline(_BLOCK)
    fields = line.split()
    if b"\0" in line:
        raise ModelError(f"{name} is no text file. Convert binary word vectors to the text format of word2vec first.")
    if len(fields) == 2 and all(field.isdigit() for field in fields):
        following = stream.readline(_BLOCK)
        if b"\0" in following:
            raise ModelError(f"{name} is in word2vec's binary format. Convert it to the text format first.")
        if int(fields[1]) < 1:
            raise ModelError(f"{name} says in its first line that its vectors have no dimension.")
        return int(fields[0]), int(fields[1]), [following]
    if len(fields) < 2:
        what = "is empty" if not line.strip() else f"starts with {line[:40].decode('utf-8', 'replace').strip()!r}"
        raise ModelError(f"{name} {what}; expected lines of a word and its numbers.")
    return None, len(fields) - 1, [line]


def _blocks(stream: BinaryIO, lines: list[bytes], first: int) -> Iterator[tuple[int, list[bytes]]]:
    """Lists of whole lines with the 1-based number of their first line in the file."""
    while True:
        lines += stream.readlines(_BLOCK)
        if not lines:
            return
        yield first, lines
        first += len(lines)
        lines = []


def _parse(lines: list[bytes], dim: int, name: str, start: int) -> tuple[list[str], NDArray[np.float32]]:
    """Words and numbers of whole lines; ``start`` is the number of the first one."""
    words: list[str] = []
    cells: list[bytes] = []
    numbers: list[int] = []
    for number, line in enumerate(lines, start):
        word, _, rest = line.rstrip().partition(b" ")
        if not word and not rest:
            continue
        if rest.count(b" ") != dim - 1 or not word:
            word, rest = _uncommon(line, dim, name, number)
        words.append(word.decode("utf-8", "replace"))
        cells.append(rest)
        numbers.append(number)
    table = _numbers(cells, dim)
    if table is None:
        bad = _first_bad(cells, dim)
        raise ModelError(f"{name}, line {numbers[bad]}: expected {dim} numbers; got {_short(cells[bad])!r}.")
    finite = np.isfinite(table).all(axis=1)
    if not finite.all():
        number = numbers[int(np.argmin(finite))]
        raise ModelError(f"{name}, line {number}: a number is NaN, infinite or too large for float32.")
    return words, table


def _uncommon(line: bytes, dim: int, name: str, number: int) -> tuple[bytes, bytes]:
    """Word and numbers of a line with tabs, doubled spaces or spaces inside its word."""
    fields = line.split()
    words, numbers = fields[: len(fields) - dim], fields[len(fields) - dim :]
    if len(fields) <= dim or (len(words) > 1 and _numbers([words[-1]], 1) is not None):
        raise ModelError(
            f"{name}, line {number}: expected a word and {dim} numbers; got {len(fields)} fields ({_short(line)!r})."
        )
    return b" ".join(words), b" ".join(numbers)


def _numbers(lines: list[bytes], dim: int) -> NDArray[np.float32] | None:
    """The table of space-separated numbers; None when some cell is no number. pyarrow's parser is 4 times numpy's."""
    import pyarrow as pa
    from pyarrow import csv

    if not lines:
        return np.empty((0, dim), dtype=np.float32)
    data = b"\n".join(lines)
    columns = [str(i) for i in range(dim)]
    try:
        table = csv.read_csv(
            pa.py_buffer(data),
            read_options=csv.ReadOptions(use_threads=False, column_names=columns, block_size=len(data) + 1),
            parse_options=csv.ParseOptions(delimiter=" ", quote_char=False),
            convert_options=csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.float32()), null_values=[]),
        )
    except pa.ArrowInvalid:
        return None
    return np.column_stack([column.to_numpy() for column in table.columns])


def _first_bad(lines: list[bytes], dim: int) -> int:
    """Position of the first line that `_numbers` refuses, by halving."""
    low, high = 0, len(lines)
    while high - low > 1:
        middle = (low + high) // 2
        if _numbers(lines[low:middle], dim) is None:
            high = middle
        else:
            low = middle
    return low


def _short(text: bytes) -> str:
    decoded = text.decode("utf-8", "replace").strip()
    return decoded if len(decoded) <= 60 else decoded[:57] + "..."
