"""What a long computation may use, and what it says on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from presheaf.errors import InputError

Status = Literal["complete", "budget exceeded", "infinite", "cancelled"]

ROW_LIMIT = 2**31 - 2
"""Rows are numbered in 32 bits."""

BYTE_LIMIT = 2**62
"""Beyond what any machine holds, and within 64 bits."""


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
        For a limit that is not positive, or rows or bytes that are no whole number.
    """

    rows: int | None = None
    seconds: float | None = None
    bytes: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("rows", self.rows), ("seconds", self.seconds), ("bytes", self.bytes)):
            if value is None:
                continue
            if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
                raise InputError(f"budget: {name!r} must be a positive number or None; got {value!r}.")
            if not value > 0:
                raise InputError(f"budget: {name!r} must be positive or None; got {value!r}.")
            if name != "seconds" and not isinstance(value, (int, np.integer)):
                raise InputError(
                    f"budget: {name!r} must be a whole number or None; got {value!r}. Write int({value!r})."
                )

    @property
    def max_rows(self) -> int:
        return min(int(self.rows or ROW_LIMIT), ROW_LIMIT)

    @property
    def max_bytes(self) -> int:
        return min(int(self.bytes or BYTE_LIMIT), BYTE_LIMIT)


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


class Stopped(Exception):
    """A computation ends before it is done. Never leaves the engine: results carry its fields.

    Attributes
    ----------
    status : "infinite", "budget exceeded" or "cancelled"
    limit : what ran out, or None
    why : a sentence without a full stop, or ""
    """

    def __init__(self, status: Status, limit: str | None = None, why: str = "") -> None:
        super().__init__(why or status)
        self.status: Status = status
        self.limit = limit
        self.why = why

    @property
    def ending(self) -> str:
        """How the computation ended, in words: what ran out, and why."""
        what = f"{self.status} ({self.limit})" if self.limit else self.status
        return f"{what}: {self.why}" if self.why else what


class Meter:
    """Counts what a computation uses, between its steps, against a budget.

    Attributes
    ----------
    rows : rows held
    made : rows made so far
    bytes : peak of the bytes that steps said they hold
    """

    def __init__(
        self,
        budget: Budget | None = None,
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> None:
        self.budget = budget or Budget()
        self.progress = progress
        self.cancel = cancel
        self.rows = self.made = self.bytes = 0
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._start

    def left(self) -> Budget:
        """What is left of the budget for a part of the computation that keeps its own account."""
        limits = self.budget
        return Budget(
            max(1, limits.max_rows - self.rows),
            None if limits.seconds is None else max(1e-9, limits.seconds - self.seconds),
            None if limits.bytes is None else max(1, limits.bytes - self.bytes),
        )

    def check(self, more: int = 0, held: int = 0, why: str = "") -> None:
        """Raise ``Stopped`` unless a step may begin that makes ``more`` rows while ``held`` bytes are in use."""
        self.bytes = max(self.bytes, held)
        if self.rows + more > self.budget.max_rows:
            raise Stopped("budget exceeded", "rows", why)
        if self.bytes > self.budget.max_bytes:
            raise Stopped("budget exceeded", "bytes", why)
        if self.budget.seconds is not None and self.seconds > self.budget.seconds:
            raise Stopped("budget exceeded", "seconds", f"{self.budget.seconds:g} s are over")
        if self.cancel is not None and self.cancel():
            raise Stopped("cancelled")

    def step(self, rows: int, made: int) -> None:
        """A step is done: it keeps ``rows`` rows of the ``made`` ones it made."""
        self.rows += rows
        self.made += made
        if self.progress is not None:
            self.progress(Progress(self.rows, self.rows, self.rows, self.made, self.seconds, self.bytes))
