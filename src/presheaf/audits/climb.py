"""What a rung hands back: its line of the ladder, its hits on the held-out rows, and the rule itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.context import Context
from presheaf.audits.result import Kind, Rung
from presheaf.statistics.intervals import accuracy_interval

Decide = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From unit features of shape (m, d) to scores of shape (m, classes); the largest wins."""
Prompts = Callable[[Context], "Decide | None"]
"""The rule that prompts make under a model, on the halves they were chosen on; None where the model can't take them."""


@dataclass(frozen=True, eq=False)
class Climb:
    """A rung with its held-out predictions.

    Attributes
    ----------
    rung : Rung
    predicted : int array of shape (scoring rows,), or None when the rung has no rule
    correct : bool array of the same shape
    decide : the rule; None when the rung does not go by features (a prompt that a language model scores)
    positions : int array, or None
        Where only part of the scoring half was scored: which of its rows ``predicted``, ``correct`` and ``scores``
        belong to (indices into the scoring half, ascending). None: all of it.
    prompts : callable, or None
        The same prompts under another model; None for a rule that is no set of prompts.
    """

    rung: Rung
    predicted: NDArray[np.int64] | None = None
    correct: NDArray[np.bool_] | None = None
    scores: NDArray[np.float32] | None = None
    decide: Decide | None = None
    positions: NDArray[np.int64] | None = None
    prompts: Prompts | None = None


def rows_scored(climb: Climb) -> NDArray[np.int64]:
    """Which rows of the scoring half a climb's hits belong to."""
    assert climb.correct is not None
    return np.arange(len(climb.correct)) if climb.positions is None else climb.positions


def paired(first: Climb, second: Climb) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]:
    """Hits of both climbs on the rows of the scoring half that both were scored on, and those rows."""
    rows, i, j = np.intersect1d(rows_scored(first), rows_scored(second), assume_unique=True, return_indices=True)
    assert first.correct is not None
    assert second.correct is not None
    return first.correct[i], second.correct[j], rows


def measured(
    context: Context,
    name: str,
    decide: Decide,
    *,
    cost: str,
    detail: str,
    nulls: dict[str, float] | None = None,
    evidence: dict[str, Any] | None = None,
    kind: Kind = "estimate",
) -> Climb:
    """Score a rule that was fixed without the scoring half on the scoring half."""
    scores = decide(context.x_scoring)
    predicted = scores.argmax(axis=1)
    correct = predicted == context.y_scoring
    interval = accuracy_interval(correct, context.groups_scoring)
    facts = {
        "interval": interval.method,
        "effective_rows": round(interval.effective, 1),
        "balanced_accuracy": balanced_accuracy(context.y_scoring, predicted),
        **(evidence or {}),
    }
    rung = Rung(
        name, kind, interval.value, interval.low, interval.high, interval.rows, cost, detail, nulls or {}, facts
    )
    return Climb(rung, predicted, correct, scores, decide)


def absent(name: str, kind: Kind, reason: str) -> Climb:
    """A rung without a number, and why."""
    return Climb(Rung(name, kind, None, None, None, 0, "", missing=reason))


def balanced_accuracy(labels: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Mean over the classes that occur of the share of their rows that are right."""
    total = np.bincount(labels)
    hits = np.bincount(labels[labels == predicted], minlength=len(total))
    return float(np.mean(hits[total > 0] / total[total > 0])) if len(labels) else float("nan")
