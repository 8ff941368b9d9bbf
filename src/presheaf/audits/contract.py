"""Contracts that every rung and every bound keeps, in the manner of `presheaf.models.contract`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.ceiling import Ceiling
from presheaf.audits.climb import Climb
from presheaf.audits.context import Context
from presheaf.audits.prompts import UserPrompts
from presheaf.audits.rungs import head, k_prompts, majority, one_prompt, soft_prompt

RUNGS: dict[str, Callable[[Context], Climb]] = {
    majority.NAME: majority.climb,
    one_prompt.NAME: lambda context: one_prompt.climb(context, UserPrompts())[0],
    k_prompts.NAME: lambda context: k_prompts.climb(context, None)[0],
    soft_prompt.NAME: soft_prompt.climb,
    head.NAME: lambda context: head.climb(context, soft_prompt.climb(context)),
}
"""Every measured rung as a function of the context alone."""


def _demand(holds: bool, clause: str) -> None:
    if not holds:
        raise AssertionError(clause)


def check_rung(climb: Callable[[Context], Climb], context: Context) -> None:
    """Check a measured rung on a context in which it has a number.

    Raises
    ------
    AssertionError
        Naming the clause that is broken: an interval that does not hold its number, hits that are not those of the
        rule, another answer the second time, or a rule that depends on the labels or the features of the scoring half.
    """
    result = climb(context)
    rung = result.rung
    _demand(result.decide is not None and result.correct is not None, f"{rung.name}: has no rule here ({rung.missing})")
    assert result.decide is not None
    assert result.correct is not None
    assert rung.accuracy is not None
    assert rung.low is not None
    assert rung.high is not None
    _demand(0 <= rung.low <= rung.accuracy <= rung.high <= 1, f"{rung.name}: the interval does not hold the accuracy")
    _demand(rung.kind == "estimate", f"{rung.name}: a measured accuracy is an estimate, not a {rung.kind}")
    _demand(bool(rung.cost), f"{rung.name}: says nothing of its cost")
    _demand(rung.rows == len(context.y_scoring), f"{rung.name}: was not scored on the whole scoring half")
    answers = result.decide(context.x_scoring).argmax(axis=1)
    _demand(np.array_equal(answers == context.y_scoring, result.correct), f"{rung.name}: its hits are not its rule's")
    _demand(abs(float(result.correct.mean()) - rung.accuracy) < 1e-12, f"{rung.name}: the accuracy is not its hits'")
    again = climb(_copy(context, context.task.labels, context.features))
    _demand(again.rung == rung, f"{rung.name}: answers differently the second time")
    _demand(
        _same(climb, context, answers, _other_labels(context), context.features), f"{rung.name}: reads scoring labels"
    )
    _demand(
        _same(climb, context, answers, context.task.labels, _noise(context)), f"{rung.name}: reads scoring features"
    )


def _copy(context: Context, labels: NDArray[Any], features: NDArray[np.float32]) -> Context:
    return replace(context, task=replace(context.task, labels=labels), features=features)


def _same(
    climb: Callable[[Context], Climb],
    context: Context,
    answers: NDArray[Any],
    labels: NDArray[Any],
    features: NDArray[np.float32],
) -> bool:
    changed = climb(_copy(context, labels, features))
    return changed.decide is not None and np.array_equal(changed.decide(context.x_scoring).argmax(axis=1), answers)


def _other_labels(context: Context) -> NDArray[Any]:
    labels = context.task.labels.copy()
    labels[context.halves.scoring] = np.roll(labels[context.halves.scoring], 1)
    return labels


def _noise(context: Context) -> NDArray[np.float32]:
    features = context.features.copy()
    noise = np.random.default_rng(3).standard_normal(context.x_scoring.shape, dtype=np.float32)
    features[context.halves.scoring] = noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return features


def check_bound(bound: Callable[[NDArray[Any], NDArray[Any], int], Ceiling], seed: int = 0) -> None:
    """Check a bound, a function of (cells, labels, classes), on random worlds.

    Raises
    ------
    AssertionError
        Naming the clause that is broken: an interval that does not hold its number, a count of wrong rows that is not
        the least possible, a rule of the cells that does better, or a coarser partition with fewer wrong rows.
    """
    rng = np.random.default_rng(seed)
    for _ in range(40):
        n, classes = int(rng.integers(1, 60)), int(rng.integers(2, 6))
        cells, labels = rng.integers(0, max(1, n // 2), n), rng.integers(0, classes, n)
        got = bound(cells, labels, classes)
        _demand(0 <= got.low <= got.accuracy <= got.high <= 1, "the interval does not hold the bound")
        least = sum(int((cells == c).sum() - np.bincount(labels[cells == c]).max()) for c in np.unique(cells))
        _demand(got.wrong_rows == least, f"{got.wrong_rows} rows called wrong where the least is {least}")
        for _ in range(20):
            rule = rng.integers(0, classes, int(cells.max()) + 1)
            _demand(int((rule[cells] == labels).sum()) <= n - got.wrong_rows, "a rule of the cells does better")
        _demand(
            bound(cells // 2, labels, classes).wrong_rows >= got.wrong_rows, "a coarser partition has fewer wrong rows"
        )
    alone = np.arange(30)
    single = bound(alone, rng.integers(0, 2, 30), 2)
    _demand((single.accuracy, single.wrong_rows) == (1.0, 0), "rows without a twin are bounded below 1")
