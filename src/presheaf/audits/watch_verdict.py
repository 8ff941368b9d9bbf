"""What training did to the category, in numbers and in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from presheaf.audits.numbers import number
from presheaf.audits.watch_result import Measure, Moment, MomentRung, RungChange
from presheaf.pretext.base import Data, Pretext
from presheaf.statistics.intervals import paired_difference
from presheaf.statistics.paired import holm, mcnemar

COMPARED = ("one prompt per label", "k prompts per label", "soft prompt", "head")


def changes_of(moments: Sequence[Moment]) -> tuple[RungChange, ...]:
    """Last checkpoint minus first, rung by rung, on the held-out rows that both were scored on."""
    if len(moments) < 2:
        return ()
    pairs = [(moments[0].rung(name), moments[-1].rung(name)) for name in COMPARED]
    found = [(first, last) for first, last in pairs if first is not None and last is not None]
    hits = [_hits(first, last) for first, last in found]
    usable = [(pair, hit) for pair, hit in zip(found, hits, strict=True) if len(hit[0])]
    adjusted = holm([mcnemar(before, after) for _, (before, after) in usable])
    level = 1 - 0.05 / max(1, len(usable))
    out = []
    for ((_, last), (before, after)), p in zip(usable, adjusted, strict=True):
        d = paired_difference(after, before, None, level)
        out.append(
            RungChange(last.name, float(before.mean()), float(after.mean()), Measure(d.value, d.low, d.high), float(p))
        )
    return tuple(out)


def _hits(first: MomentRung, last: MomentRung) -> tuple[np.ndarray, np.ndarray]:
    rows = np.intersect1d(first.rows, last.rows)
    return np.isin(rows, first.right), np.isin(rows, last.right)


def sentence(
    task: Pretext,
    data: Data,
    moments: Sequence[Moment],
    changes: Sequence[RungChange],
    interrupted: bool,
    steps: int,
) -> str:
    """One or two sentences: how ideal the model became, and what that did to prompts and heads."""
    first, last = moments[0], moments[-1]
    stopped = f"Stopped before step {steps:,}; last measured at step {last.step:,}. " if interrupted else ""
    if len(moments) < 2:
        return f"{stopped}Only step {last.step:,} was seen, so nothing can be said of training."
    return f"{stopped}{_formed(task, data, first, last)}{_gained(changes, first)}"


def _formed(task: Pretext, data: Data, first: Moment, last: Moment) -> str:
    where = f"{task.name} on {data.name}, {last.step - first.step:,} steps"
    before, after = first.ideality, last.ideality
    if before.value is None or after.value is None:
        return f"{where}: ideality can't be said."
    told = f"{number(before.value)} to {number(after.value)}"
    null = _against_null(last)
    if after.high is not None and before.low is not None and after.high < before.low:
        return f"{where}: the category forms; the distance from the task's own hom falls from {told}{null}."
    if after.low is not None and before.high is not None and after.low > before.high:
        return (
            f"{where}: the distance from the task's own hom grows from {told}{null}: the model learns something else."
        )
    return f"{where}: the distance from the task's own hom is not shown to change, {told}{null}."


def _against_null(last: Moment) -> str:
    """The null in parentheses; said aloud where the model is not shown to be any nearer than it."""
    if last.ideality_null is None:
        return ""
    shuffled = number(last.ideality_null)
    nearer = last.ideality.high is not None and last.ideality.high < last.ideality_null
    return (
        f" (shuffled {shuffled})"
        if nearer
        else f", not shown to be less than with the task's objects shuffled ({shuffled})"
    )


def _gained(changes: Sequence[RungChange], first: Moment) -> str:
    plain = {rung.name: rung.accuracy.value for rung in first.baseline}
    parts = []
    for change in changes:
        if change.rung not in ("one prompt per label", "head"):
            continue
        shown = change.p_adjusted < 0.05
        kind = "rises" if change.after > change.before else "falls"
        told = f"{number(change.before)} to {number(change.after)}"
        told = f"{kind} from {told}" if shown else f"is not shown to change, {told}"
        reached = plain.get(change.rung)
        beside = "" if reached is None else f" ({number(reached)} without a model)"
        parts.append(f"{change.rung} {told}{beside}")
    return f" On the labelled table {' and '.join(parts)}." if parts else ""
