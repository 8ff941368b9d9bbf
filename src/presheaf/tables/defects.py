"""Rows that can't be used, gathered and told in a few lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from presheaf.tables.task import BadRow

SHOWN = 10
"""Rows named in a message before it says how many more there are."""

_DETAIL = 80


@dataclass(frozen=True)
class Defect:
    """What is wrong with one row: a kind shared by many rows ("empty text") and a detail of this one."""

    row: int
    kind: str
    detail: str = ""

    def as_bad_row(self) -> BadRow:
        """The same as part of a task."""
        return BadRow(self.row, f"{self.kind} ({self.detail})" if self.detail else self.kind)


def shorten(text: str, limit: int = _DETAIL) -> str:
    """``text`` cut to ``limit`` characters, the cut marked by an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def quote(text: str, limit: int = 40) -> str:
    """``text`` in quotes with control characters and lone surrogates escaped, short enough for a message."""
    return ascii_safe(repr(shorten(text, limit)))


def ascii_safe(text: str) -> str:
    """``text`` with lone surrogates escaped, so that it can be printed."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def row_list(rows: Sequence[int]) -> str:
    """ "row 3", "rows 3, 5", "rows 1, ..., 10 and 7 more"."""
    head = ", ".join(str(r) for r in rows[:SHOWN])
    more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
    return f"row{'s' if len(rows) > 1 else ''} {head}{more}"


def describe(defects: Iterable[Defect]) -> list[str]:
    """One line for each kind of defect: the kind and its rows, the first ten with their details."""
    kinds: dict[str, list[Defect]] = {}
    for defect in sorted(defects, key=lambda d: d.row):
        kinds.setdefault(defect.kind, []).append(defect)
    lines = []
    for kind, found in kinds.items():
        if any(d.detail for d in found):
            shown = ", ".join(f"row {d.row}" + (f" ({shorten(d.detail)})" if d.detail else "") for d in found[:SHOWN])
            more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
            lines.append(f"{kind}: {shown}{more}")
        else:
            lines.append(f"{kind}: {row_list([d.row for d in found])}")
    return lines
