"""A text file, plain or gzip-compressed, whose characters are decoded exactly or not at all."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, BytesIO, TextIOWrapper
from pathlib import Path
from typing import TextIO

from presheaf.errors import InputError

GZIP_MAGIC = b"\x1f\x8b"
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its first two bytes are the same
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b")
_SAMPLE = 1 << 16
_CHUNK = 1 << 20


@dataclass(frozen=True)
class TextFile:
    """A file and how its bytes become characters.

    Attributes
    ----------
    path : Path
    encoding : str
        A Python codec; errors are strict, so that no character is ever replaced.
    compressed : bool
        Whether the bytes are gzip-compressed.
    notes : tuple of str
        What a user should know: a byte order mark that was followed, an encoding that was asked for.
    """

    path: Path
    encoding: str
    compressed: bool
    notes: tuple[str, ...] = ()

    @contextmanager
    def open(self, newline: str = "") -> Iterator[TextIO]:
        """The decoded text; ``newline`` as in the built-in open. Decoding errors surface while it is read."""
        with _open_bytes(self.path, self.compressed) as raw:
            yield TextIOWrapper(raw, encoding=self.encoding, errors="strict", newline=newline)

    @contextmanager
    def reading(self, row_at: Callable[[TextFile, int], str]) -> Iterator[None]:
        """Turn what can go wrong while the file is read into an InputError.

        ``row_at(file, offset)`` says in words which row the byte at ``offset`` (after decompression) belongs to; it is
        asked only after a decoding error.
        """
        try:
            yield
        except UnicodeError as error:
            offset = self._bad_offset()
            raise InputError(self._bad_byte(offset, row_at(self, offset))) from error
        except (OSError, EOFError, zlib.error) as error:
            what = "damaged or cut-off gzip data" if self.compressed else "it can't be read"
            raise InputError(f"{self.path}: {what} ({error}).") from error

    def decoded_before(self, offset: int) -> str:
        """The text in front of the byte at ``offset``. Only for the error path: all of it is held in memory."""
        with _open_bytes(self.path, self.compressed) as raw:
            return raw.read(offset).decode(self.encoding)

    def sample(self) -> str:
        """The first 64 KB, decoded for a look; what can't be decoded is left out here, and found when it is read."""
        with _open_bytes(self.path, self.compressed) as raw:
            data = raw.read(_SAMPLE)
        try:
            return codecs.getincrementaldecoder(self.encoding)("ignore").decode(data)
        except UnicodeError as error:
            hint = "; without that mark, name the byte order (utf-16-le or utf-16-be)" if "BOM" in str(error) else ""
            raise InputError(f"{self.path} can't be decoded as {_told(self.encoding)}: {error}{hint}.") from error

    def _bad_offset(self) -> int:
        decoder = codecs.getincrementaldecoder(self.encoding)("strict")
        offset = pending = 0
        with _open_bytes(self.path, self.compressed) as raw:
            while True:
                chunk = raw.read(_CHUNK)
                try:
                    decoder.decode(chunk, final=not chunk)
                except UnicodeDecodeError as error:
                    return offset - pending + error.start
                except UnicodeError:
                    return offset - pending
                if not chunk:
                    return offset
                offset += len(chunk)
                pending = len(decoder.getstate()[0])

    def _bad_byte(self, offset: int, where: str) -> str:
        with _open_bytes(self.path, self.compressed) as raw:
            raw.read(offset)
            byte = raw.read(1)
        what = f"the byte 0x{byte.hex()}" if byte else "the end of the file"
        return (
            f"{self.path}: {what} at byte offset {offset} ({where}) is not valid {_told(self.encoding)}. No character "
            "is replaced silently: name the encoding the file was written in, e.g. --encoding cp1252 "
            '(encoding="cp1252"), or save it as UTF-8.'
        )


def open_text(path: Path, encoding: str | None) -> TextFile:
    """Find out how ``path`` is compressed and encoded: by ``encoding``, else by its byte order mark, else UTF-8.

    Raises
    ------
    InputError
        If the file is empty, is no text, can't be read, or ``encoding`` is unknown.
    """
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == GZIP_MAGIC
        with _open_bytes(path, compressed) as raw:
            head = raw.read(_SAMPLE)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} can't be read: {error}.") from error
    if not head:
        raise InputError(f"{path} is empty (0 bytes): expected a header and at least two labelled rows.")
    marked = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if encoding is not None:
        chosen = _known(encoding)
        if chosen == "utf-8":
            chosen = "utf-8-sig"  # the same characters; a byte order mark must not become part of a column name
        elif marked is not None and chosen.startswith(marked):
            chosen = marked
        return TextFile(path, chosen, compressed, (f"decoded as {encoding}, as asked",))
    if marked is None:
        _refuse_binary(path, head)
        return TextFile(path, "utf-8", compressed)
    return TextFile(path, marked, compressed, (f"decoded as {_told(marked)} (byte order mark)",))


def _told(encoding: str) -> str:
    return encoding.removesuffix("-sig").upper() if encoding.startswith("utf") else encoding


def _open_bytes(path: Path, compressed: bool) -> BufferedReader:
    # Buffered, since TextIOWrapper reads through it, and BufferedReader gives the same type for both.
    return BufferedReader(gzip.GzipFile(path, "rb")) if compressed else path.open("rb")


def _known(encoding: str) -> str:
    try:
        TextIOWrapper(BytesIO(), encoding=encoding)  # refuses codecs that do not make text, such as base64
        name = codecs.lookup(encoding).name
        if name in ("idna", "punycode"):
            raise LookupError(f"{name} is for host names")
        return name
    except (LookupError, ValueError) as error:
        raise InputError(
            f"encoding {encoding!r} is not known; expected a codec such as utf-8, utf-16, cp1252, latin-1, gb18030 "
            "or shift_jis."
        ) from error


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_binary(path: Path, head: bytes) -> None:
    line = head.split(b"\n", 1)[0]
    odd = sum(byte in _CONTROL for byte in line)
    if not odd:
        odd = sum(byte in _CONTROL for byte in head)
        if odd * 50 > len(head) and not _is_utf8(head):
            raise InputError(f"{path} is not a text file: {odd} of its first {len(head)} bytes are control characters.")
        return
    if line.count(0) * 3 >= len(line) and odd == line.count(0):
        codec = "utf-16-le" if line[:1] != b"\0" else "utf-16-be"
        raise InputError(
            f"{path} looks like UTF-16 without a byte order mark: pass --encoding {codec} (encoding={codec!r})."
        )
    raise InputError(
        f"{path} is not a text file: its first line holds {odd} control characters. Expected CSV, TSV or JSON text, "
        "Parquet or Arrow."
    )
