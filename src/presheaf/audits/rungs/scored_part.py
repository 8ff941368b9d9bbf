"""Rungs that cost a network's passes a row: measured on the first rows of the scoring half, by content hash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.climb import Climb, balanced_accuracy, paired
from presheaf.audits.context import Context
from presheaf.audits.prompting_result import Prompting
from presheaf.audits.result import Rung
from presheaf.statistics.intervals import Interval, accuracy_interval, paired_difference


def first_rows(context: Context, rows: int, written: Climb | None = None) -> NDArray[np.int64]:
    """Indices into the scoring half: its first rows, where there is a written prompt only those that it was scored on."""
    known = np.arange(len(context.halves.scoring))
    if written is not None and written.positions is not None:
        known = np.asarray(written.positions)
    return known[:rows]


def texts_at(context: Context, positions: NDArray[np.int64]) -> list[str]:
    """Texts of rows of the task."""
    assert context.task.texts is not None
    return [context.task.texts[i] for i in positions]


def chosen_words(context: Context, prompting: Prompting) -> tuple[str, tuple[str, ...]]:
    """The chosen prompt's template, and its label words in the order of the task's classes."""
    best = next((prompt for prompt in prompting.prompts if prompt.chosen), prompting.prompts[0])
    words = dict(best.words)
    return best.template, tuple(words[name] for name in context.task.classes)


def scored(
    context: Context,
    name: str,
    positions: NDArray[np.int64],
    scores: NDArray[Any],
    *,
    cost: str,
    detail: str,
    nulls: dict[str, float] | None = None,
    evidence: dict[str, Any] | None = None,
) -> Climb:
    """A rung from its scores, shape (len(positions), classes), on these rows of the scoring half."""
    predicted = scores.argmax(axis=1)
    truth = context.y_scoring[positions]
    correct = np.asarray(predicted == truth)
    interval = accuracy_interval(correct, context.groups_scoring[positions])
    facts = {
        "interval": interval.method,
        "effective_rows": round(interval.effective, 1),
        "balanced_accuracy": balanced_accuracy(truth, predicted),
        **(evidence or {}),
    }
    rung = Rung(
        name, "estimate", interval.value, interval.low, interval.high, interval.rows, cost, detail, nulls or {}, facts
    )
    whole = len(positions) == len(context.halves.scoring)
    return Climb(rung, predicted, correct, scores.astype(np.float32), positions=None if whole else positions)


def gain(context: Context, climb: Climb, other: Climb) -> Interval | None:
    """Accuracy of one rung minus another's on the rows both were scored on; None where there are none."""
    if climb.correct is None or other.correct is None:
        return None
    first, second, rows = paired(climb, other)
    return paired_difference(first, second, context.groups_scoring[rows]) if len(rows) else None


def plain(values: Sequence[tuple[int, float]]) -> list[list[float]]:
    """A training's history for JSON, to four digits."""
    return [[step, round(loss, 4)] for step, loss in values]
