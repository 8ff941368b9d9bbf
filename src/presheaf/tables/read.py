"""The public verb of this folder: any common table becomes a task."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, one_of
from presheaf.tables.columns import Chosen, choose_columns
from presheaf.tables.defects import Defect, ascii_safe, describe, quote
from presheaf.tables.image_folder import IMAGE, LABEL, ImageFolder, image_defects, in_folder
from presheaf.tables.labels import Labels, broken_text, looks_continuous, read_labels
from presheaf.tables.raw import Cells, Rows
from presheaf.tables.source import open_table
from presheaf.tables.task import Task
from presheaf.tables.vectors import as_matrix

MAX_CLASSES = 1000
_SEEN_ONCE = "label seen once, so it can't be both learnt and tested"
_NO_ROWS = "there are no data rows; expected at least two labelled rows of each of two classes."


def read_task(
    source: Any,
    *,
    text: str | None = None,
    image: str | None = None,
    label: str | None = None,
    vectors: str | None = None,
    on_bad_row: Literal["error", "skip"] = "error",
    encoding: str | None = None,
    name: str | None = None,
) -> Task:
    """Read labelled objects from a table.

    Parameters
    ----------
    source : path, pandas or polars DataFrame, pyarrow Table, list of dicts, or dict of columns
        A path leads to CSV, TSV, JSONL/NDJSON or JSON (each may be gzip-compressed), Parquet, Arrow IPC/Feather, or a
        folder written by ``save_to_disk`` of the `datasets` library (``folder#split`` where it holds several splits), or
        a folder of images with a sub-folder for each class.
    text, label : str, optional
        Column names. Left out, they are chosen where the names make it obvious, and a note says so.
    image : str, optional
        Column of paths of image files (PNG, JPEG, GIF, BMP, TIFF, WebP, PPM), relative to the table's folder: the objects
        are images.
    vectors : str, optional
        Column of precomputed vectors (lists of numbers; not in CSV). The task then needs no text.
    on_bad_row : "error" or "skip"
        What becomes of rows that can't be used: blank text, no label, a label seen once, a malformed line, a vector
        that is missing, ragged or not finite, an image that is missing, damaged or too large. "error" names all of them
        and stops; "skip" puts them in ``Task.bad_rows``.
    encoding : str, optional
        Of a text file. By default its byte order mark decides, and without one it must be UTF-8.
    name : str, optional
        Short name for headings; by default the file name without its suffix.

    Returns
    -------
    Task
        With at least two and at most 1,000 classes, each of at least two rows. Duplicated rows are kept.

    Raises
    ------
    InputError
        If the source, a column or a row can't be used; the message says which and how to mend it.
    MissingDependencyError
        If the objects are images and Pillow is not installed.

    Notes
    -----
    Cost is linear in the rows; every image is decoded once, to see that it can be. Only the columns in use are kept in
    memory; Parquet and Arrow read no others.
    """
    one_of("on_bad_row", on_bad_row, ("error", "skip"))
    for option, value in (
        ("text", text),
        ("image", image),
        ("label", label),
        ("vectors", vectors),
        ("encoding", encoding),
    ):
        if value is not None and not isinstance(value, str):
            raise InputError(f"{option} must be a string or None; got {value!r}.")
    hints = [column for column in (text, image, label, vectors) if column is not None]
    where = os.fspath(source) if isinstance(source, str | os.PathLike) else "the table"
    with _said_of(str(where)):
        opened = open_table(source, hints, encoding)
        names = opened.table.names
        if not names:  # no rows, or none that can be read
            nothing = opened.table.read([])
            raise _cannot_use(nothing.count, nothing.defects) if nothing.defects else InputError(_NO_ROWS)
        if isinstance(opened.table, ImageFolder):
            image, label = _of_folder(text, image, label, vectors)
        chosen = choose_columns(names, text, label, vectors, image)
        rows = opened.table.read(chosen.all, chosen.vectors)
        if chosen.image is not None and not isinstance(opened.table, ImageFolder):
            rows.columns[chosen.image] = in_folder(rows.columns[chosen.image], opened.folder)
        if rows.count == 0:
            raise InputError(_NO_ROWS)
        judged = _judge(rows, chosen)
        if judged.defects and on_bad_row == "error":
            raise _cannot_use(rows.count, list(judged.defects.values()), judged.labels)
        keep, used = _usable(judged, rows.count)
    labels, defects, matrix = judged.labels, judged.defects, judged.matrix
    objects = None if chosen.objects is None else rows.columns[chosen.objects]
    codes = np.searchsorted(used, labels.codes[keep])
    notes = [*chosen.notes, *rows.notes, *labels.notes]
    if defects:
        told = "; ".join(describe(defects.values()))
        notes.append(f"{len(defects):,} of {rows.count:,} rows left out: {told}")
    kept = None
    if objects is not None:
        kept = tuple(map(str, objects)) if not defects else tuple(str(objects[i]) for i in keep.tolist())
    contents = None if judged.contents is None else tuple(judged.contents[i] for i in keep.tolist())
    repeated = _repeated(matrix if kept is None else kept if contents is None else contents, keep, codes)
    if repeated:
        subject = "1 row repeats" if repeated == 1 else f"{repeated:,} rows repeat"
        notes.append(f"{subject} an earlier row (same object, same label); duplicates are kept")
    return Task(
        objects=kept,
        labels=codes.astype(np.int32),
        classes=tuple(labels.classes[i] for i in used.tolist()),
        rows=keep + 1,
        name=ascii_safe(name if name is not None else opened.name),
        source=ascii_safe(opened.source),
        text_column=chosen.objects,
        label_column=chosen.label,
        bad_rows=tuple(defects[row].as_bad_row() for row in sorted(defects)),
        notes=tuple(dict.fromkeys(notes)),
        vectors=matrix,
        media="text" if chosen.image is None else "image",
        digests=contents,
    )


@dataclass(frozen=True)
class _Judged:
    """What was made of the cells, and by row number what is wrong with them."""

    labels: Labels
    matrix: NDArray[Any] | None
    defects: dict[int, Defect]
    contents: list[str] | None = None


def _judge(rows: Rows, chosen: Chosen) -> _Judged:
    """Interpret the cells and find every bad row; a row that is bad twice is told once.

    Raises
    ------
    InputError
        If a column as a whole can't be used.
    """
    labels = read_labels(list(rows.columns[chosen.label]))
    matrix = None
    vector_defects: list[Defect] = []
    if chosen.vectors is not None:
        matrix, vector_defects = as_matrix(rows.columns[chosen.vectors], chosen.vectors)
    texts = None if chosen.text is None else rows.columns[chosen.text]
    image_faults, contents = ([], None) if chosen.image is None else image_defects(list(rows.columns[chosen.image]))
    defects: dict[int, Defect] = {}
    for defect in (*rows.defects, *_text_defects(texts), *image_faults, *labels.defects, *vector_defects):
        defects.setdefault(defect.row, defect)
    _check_classes(labels, chosen.label, defects)
    return _Judged(labels, matrix, defects | _seen_once(labels, defects), contents)


def _of_folder(text: str | None, image: str | None, label: str | None, vectors: str | None) -> tuple[str, str]:
    """The columns of a folder of images; InputError where others are named."""
    if text is not None or vectors is not None or image not in (None, IMAGE) or label not in (None, LABEL):
        raise InputError("a folder of images has no columns to name: its sub-folders are the classes.")
    return IMAGE, LABEL


def _usable(judged: _Judged, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the rows without a defect, and the codes of their classes, both ascending.

    Raises
    ------
    InputError
        If fewer than two classes are left.
    """
    usable = np.ones(count, dtype=bool)
    usable[_positions(judged.defects)] = False
    keep = np.flatnonzero(usable)
    used = np.flatnonzero(np.bincount(judged.labels.codes[keep], minlength=len(judged.labels.classes)))
    if len(used) < 2:
        left = f"{len(used)} class{'' if len(used) == 1 else 'es'} with two usable rows or more left"
        raise InputError(_with_rows(f"{left}; a task needs at least two classes.", list(judged.defects.values())))
    return keep, used


@contextmanager
def _said_of(where: str) -> Iterator[None]:
    """Put the source in front of every message that does not name it, and make the message printable."""
    try:
        yield
    except InputError as error:
        message = str(error) if where in str(error) else f"{where}: {error}"
        raise InputError(ascii_safe(message)) from error


def _text_defects(texts: Cells | None) -> Iterator[Defect]:
    if texts is None:
        return
    # isascii is one look at a flag, so that most texts need no scan for surrogates.
    odd = [i for i, t in enumerate(texts) if type(t) is not str or not t or t.isspace() or not t.isascii()]
    for i in odd:
        cell = texts[i]
        if cell is None or (isinstance(cell, float) and cell != cell):
            yield Defect(i + 1, "empty text")
        elif not isinstance(cell, str):
            yield Defect(i + 1, "text is no string", type(cell).__name__)
        elif not cell or cell.isspace():
            yield Defect(i + 1, "empty text")
        elif broken := broken_text(cell):
            yield Defect(i + 1, "text is not valid Unicode", f"half a surrogate pair, {broken}")


def _check_classes(labels: Labels, column: str, defects: dict[int, Defect]) -> None:
    """Refuse a column that can't be one of labels, whatever is done with single rows."""
    classes = labels.classes
    labelled = int((labels.codes >= 0).sum())
    if looks_continuous(classes, labelled):
        shown = ", ".join(classes[:3])
        raise InputError(
            f"column {column!r} looks like a quantity to predict (regression), not classes: {len(classes):,} different "
            f"numbers with fractions such as {shown} in {labelled:,} rows. Name a column of classes, or sort the "
            "numbers into a few named bins."
        )
    if len(classes) > MAX_CLASSES:
        shown = ", ".join(quote(name) for name in classes[:3])
        raise InputError(
            f"column {column!r} has {len(classes):,} different labels, e.g. {shown}; at most {MAX_CLASSES:,} classes "
            "are possible. It looks like free text, an id or a quantity (regression): name another column, or join "
            "rare labels."
        )
    if len(classes) == 1:
        message = f"column {column!r} has one class only, {quote(classes[0])}; a task needs at least two."
        raise InputError(_with_rows(message, list(defects.values())))


def _positions(defects: dict[int, Defect]) -> NDArray[np.int64]:
    return np.array(list(defects), dtype=np.int64) - 1


def _seen_once(labels: Labels, defects: dict[int, Defect]) -> dict[int, Defect]:
    """Rows whose label no other usable row has."""
    codes = labels.codes.copy()
    codes[_positions(defects)] = -1
    counts = np.bincount(codes[codes >= 0], minlength=len(labels.classes))
    alone = [row for row in np.flatnonzero(codes >= 0).tolist() if counts[codes[row]] == 1] if 1 in counts else []
    return {row + 1: Defect(row + 1, _SEEN_ONCE, quote(labels.classes[codes[row]])) for row in alone}


def _cannot_use(count: int, defects: Sequence[Defect], labels: Labels | None = None) -> InputError:
    message = f"{len(defects):,} of {count:,} rows can't be used:"
    mend = 'Mend them, or leave them out with --on-bad-row skip (on_bad_row="skip").'
    once = sum(defect.kind == _SEEN_ONCE for defect in defects)
    if labels is not None and once > 2 and once == len(labels.classes):
        mend = "No label is repeated: the label column looks like free text or an id. Name a column of classes."
    return InputError(f"{_with_rows(message, defects)}\n{mend}")


def _with_rows(message: str, defects: Sequence[Defect]) -> str:
    return "\n".join([message, *(f"  {line}" for line in describe(defects))])


def _repeated(objects: tuple[str, ...] | NDArray[Any] | None, keep: NDArray[np.int64], codes: NDArray[Any]) -> int:
    """How many rows have the object and the label of an earlier one; ``objects`` are texts, contents or all source vectors."""
    if isinstance(objects, np.ndarray):
        vectors = objects
        keys: Sequence[Any] = [hashlib.blake2b(vectors[i].tobytes(), digest_size=16).digest() for i in keep]
    else:
        keys = objects or ()
    if len(set(keys)) == len(keys):
        return 0
    return len(keep) - len(set(zip(keys, codes.tolist(), strict=True)))
