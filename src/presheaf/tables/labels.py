"""Labels of any plain type become class names and their indices."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.tables.defects import Defect, quote, row_list

MISSING = "missing label"
_PLAIN = frozenset({str, bool, int, float, Decimal, type(None)})
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"([+-]?\d+)(?:\.0+)?", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Labels:
    """Class names and, for each row, which one it has.

    Attributes
    ----------
    codes : int32 array of shape (n,)
        Index into ``classes``; -1 in the rows of ``defects``.
    classes : tuple of str
        Sorted: by value when all are numbers, else by code point.
    defects : tuple of Defect
        Rows without a label, or with one that is no string, number or boolean.
    notes : tuple of str
    """

    codes: NDArray[np.int32]
    classes: tuple[str, ...]
    defects: tuple[Defect, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Wrong:
    """Stands for a cell that is no label, with the kind of defect and its detail."""

    kind: str
    detail: str = ""


def read_labels(cells: Sequence[Any]) -> Labels:
    """Name the classes.

    Strings lose white space at both ends. Booleans become "True" and "False". Whole numbers lose their fraction ("3",
    not "3.0"), also as strings, since a CSV file can't tell the two apart; where there are fractions among the labels
    ("3.5") it stays.

    Parameters
    ----------
    cells : n values: str, bool, int, float, Decimal, or None (also NaN, an empty or a blank string) where it is missing

    Cost: linear in n; the work with strings only once for each distinct label.
    """
    distinct, which = _distinct(cells)
    # Among fractions 4 is called "4.0", which is what a text format holds for it.
    whole = "{}.0" if any(map(_has_fraction, distinct)) else "{}"
    names = [_class_name(value, whole) for value in distinct]
    notes = []
    trimmed = [i for i, value in enumerate(distinct) if isinstance(value, str) and names[i] == value.strip() != value]
    if trimmed:
        rows = (np.flatnonzero(np.isin(which, trimmed)) + 1).tolist()
        notes.append(f"white space around the label trimmed in {row_list(rows)}")
    good = [name for name in names if isinstance(name, str)]
    if any("." in name for name in good) and all(_WHOLE.fullmatch(name) for name in good):
        names = [_WHOLE.sub(r"\1", name) if isinstance(name, str) else name for name in names]
        notes.append("labels are whole numbers, so they are written without a fraction (3, not 3.0)")
    kinds = {_kind(value) for value, name in zip(distinct, names, strict=True) if isinstance(name, str)}
    if len(kinds) > 1:
        told = ", ".join(sorted(kinds))
        notes.append(f"labels of several types ({told}); equal names are one class")
    classes = sort_classes({name for name in names if isinstance(name, str)})
    index = {name: i for i, name in enumerate(classes)}
    lookup = np.array([index[name] if isinstance(name, str) else -1 for name in names], dtype=np.int32)
    codes = lookup[which] if len(lookup) else np.zeros(0, np.int32)
    defects = []
    for row in np.flatnonzero(codes < 0).tolist():
        wrong = names[which[row]]
        assert isinstance(wrong, _Wrong)
        defects.append(Defect(row + 1, wrong.kind, wrong.detail))
    return Labels(codes, classes, tuple(defects), tuple(notes))


def sort_classes(names: set[str]) -> tuple[str, ...]:
    """Numeric order when all names are numbers, else the order of code points."""
    if all(_NUMBER.fullmatch(name) for name in names):
        return tuple(sorted(names, key=lambda name: (Decimal(name), name)))
    return tuple(sorted(names))


def looks_continuous(classes: Sequence[str], labelled: int) -> bool:
    """Whether the class names are numbers to predict, not classes: fractions, and many or hardly repeated values.

    Half-star ratings (ten values, each many times) are classes; a column of measurements is not.
    """
    if not all(_NUMBER.fullmatch(name) for name in classes) or all(_WHOLE.fullmatch(name) for name in classes):
        return False
    return len(classes) > 20 or 2 * len(classes) > labelled


def broken_text(text: str) -> str:
    """Where ``text`` holds half of a surrogate pair, which is no character and can't be encoded; "" if nowhere."""
    if text.isascii():
        return ""
    found = _SURROGATE.search(text)
    return f"U+{ord(found.group()):04X} at character {found.start() + 1}" if found else ""


def _distinct(cells: Sequence[Any]) -> tuple[list[Any], NDArray[np.intp]]:
    """The distinct cells, told apart by type too (True is not 1), and for each row which one it is."""
    types = set(map(type, cells))
    if not types <= _PLAIN:
        cells = [cell if type(cell) in _PLAIN else _plain(cell) for cell in cells]
        types = set(map(type, cells))
    keys: Sequence[Any] = cells if len(types - {type(None)}) <= 1 else list(zip(map(type, cells), cells, strict=True))
    index = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    which = np.fromiter(map(index.__getitem__, keys), dtype=np.intp, count=len(cells))
    values = list(index) if keys is cells else [value for _, value in index]
    return values, which


def _plain(cell: Any) -> Any:
    if isinstance(cell, np.generic):
        cell = cell.item()
    if type(cell) in _PLAIN:
        return cell
    if isinstance(cell, str):
        return str(cell)
    return _Wrong("label is no string, number or boolean", type(cell).__name__)


def _kind(value: Any) -> str:
    return "string" if isinstance(value, str) else "boolean" if isinstance(value, bool) else "number"


def _has_fraction(value: Any) -> bool:
    return isinstance(value, float | Decimal) and math.isfinite(value) and value != int(value)


def _class_name(value: Any, whole: str) -> str | _Wrong:
    if isinstance(value, _Wrong):
        return value
    if value is None or value != value:
        return _Wrong(MISSING)
    if isinstance(value, str):
        name = value.strip()
        if not name:
            return _Wrong(MISSING)
        broken = broken_text(name)
        return _Wrong("label is not valid Unicode", f"half a surrogate pair, {broken}") if broken else name
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return _Wrong("label is infinite", quote(str(value)))
    if isinstance(value, bool) or _has_fraction(value):
        return str(value)
    return whole.format(int(value))
