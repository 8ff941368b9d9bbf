"""Rung 1: always answer the most common class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.climb import Climb, measured
from presheaf.audits.context import Context

NAME = "majority class"


def climb(context: Context) -> Climb:
    """The class most common on the choosing half, scored on the other."""
    counts = np.bincount(context.y_choosing, minlength=context.classes)
    scores = counts.astype(np.float32)
    best = context.task.classes[int(counts.argmax())]

    def decide(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.broadcast_to(scores, (len(x), len(scores)))

    return measured(context, NAME, decide, cost="nothing", detail=f"always {best!r}")
