"""A linear axis of accuracies: from numbers to places on paper, and its ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """Maps ``[start, end]`` to ``[left, right]`` (units of the drawing; right may be the smaller one)."""

    start: float
    end: float
    left: float
    right: float

    def at(self, value: float) -> float:
        """Where ``value`` stands; values outside are moved to the nearer end."""
        inside = min(max(value, self.start), self.end)
        return self.left + (inside - self.start) / (self.end - self.start) * (self.right - self.left)

    def ticks(self, most: int = 8) -> list[float]:
        """Round values inside, at most ``most`` of them: multiples of 1, 2 or 5 times a power of ten."""
        span = self.end - self.start
        decade = math.floor(math.log10(span / most))
        step = next(s for s in (m * 10.0**e for e in (decade, decade + 1) for m in (1, 2, 5)) if span / s < most - 1e-6)
        first = math.ceil(self.start / step - 1e-9)
        count = math.floor((self.end - first * step) / step + 1e-9) + 1
        return [round((first + i) * step, 6) for i in range(count)]


def accuracy_range(values: Iterable[float | None], end: float | None = None) -> tuple[float, float]:
    """Start and end of an axis that shows all values: to ``end`` if given, else a little past the highest."""
    numbers = [value for value in values if value is not None]
    lowest, highest = min(numbers, default=0.0), max(numbers, default=1.0)
    top = end if end is not None else min(1.0, highest + 0.02)
    span = max(top - lowest, 0.04)
    unit = 0.1 if span > 0.3 else 0.05 if span > 0.1 else 0.02
    start = max(int((lowest - 0.01 * (lowest > 0)) / unit + 1e-9) * unit, 0.0)
    return start, max(top, start + unit)
