"""What a long computation may use, and what it says on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from presheaf.errors import InputError

Status = Literal["complete", "budget exceeded", "infinite", "cancelled"]

ROW_LIMIT = 2**31 - 2
"""Rows are numbered in 32 bits."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most a computation may use. ``None`` sets no limit, except for rows: there are never more than 2^31 - 2.

    Parameters
    ----------
    rows : int, optional
        Rows of the working table held at one time, those that turned out equal to others and wait to be reclaimed
        included. A step that might pass the limit is not begun.
    seconds : float, optional
        Wall time, looked at between steps.
    bytes : int, optional
        Memory of the working table (the input and the result come on top).

    Raises
    ------
    InputError
        For a limit that is not positive.
    """

    rows: int | None = None
    seconds: float | None = None
    bytes: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("rows", self.rows), ("seconds", self.seconds), ("bytes", self.bytes)):
            if value is not None and not value > 0:
                raise InputError(f"budget: {name!r} must be positive or None; got {value!r}.")

    @property
    def max_rows(self) -> int:
        return min(self.rows or ROW_LIMIT, ROW_LIMIT)

    @property
    def max_bytes(self) -> int:
        return self.bytes or 2**62


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a completion stands: rows held, rows that live, rows looked at, rows made so far, seconds, bytes."""

    held: int
    living: int
    done: int
    made: int
    seconds: float
    bytes: int


ProgressCallback = Callable[[Progress], None]
CancelCallback = Callable[[], bool]
