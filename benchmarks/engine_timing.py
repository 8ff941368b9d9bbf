"""The clock of benchmarks/engine.py, and what a measured task returns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Measured:
    """Seconds of the slowest case, the size found, and every case where a task has several."""

    seconds: float
    size: int
    cases: dict[str, float] = field(default_factory=dict)


class Wrong(Exception):
    """An answer that isn't the known one."""


def clock(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of wall time that a call takes, and its result."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def expect(what: str, found: object, known: object) -> None:
    """Refuse an answer that isn't the known one: it gets no number."""
    if found != known:
        raise Wrong(f"{what}: found {found}, expected {known}")


def worst(cases: dict[str, float], size: int) -> Measured:
    """The slowest case stands for the task."""
    return Measured(max(cases.values()), size, cases)
