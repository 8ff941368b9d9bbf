"""Which labels one prompt stands for under each of two models, and for which that changed (Theorem 1), with the rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.category_parts import ALPHA, estimate
from presheaf.audits.category_result import FitRow, Represented, TaskChange, TaskChanges
from presheaf.audits.context import Context
from presheaf.audits.why_labels import (
    CANDIDATES,
    DECIDING,
    SIDE,
    deciding_codes,
    first_of_each,
    most_common,
)
from presheaf.audits.why_result import SHUFFLES
from presheaf.audits.why_sample import MARGIN, OUTSIDE, Sample, representatives, sample_of
from presheaf.enriched.decision import decided, decision_level
from presheaf.enriched.defects import class_task
from presheaf.enriched.evidence import Criteria, Level, deviation
from presheaf.enriched.representability import representability
from presheaf.enriched.weights import between
from presheaf.statistics.intervals import Interval, paired_difference
from presheaf.statistics.paired import holm, mcnemar

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
LevelName = Literal["value", "calibrated", "decision"]

TWO, REST = 40, 20
"""Rows of either side that may be prompts in a task of two labels, and where a label is told from the rest: few enough to try
all pairs of them."""
LEAST_WRONG = 1e-3
"""Share of wrong decisions that counts as none where the target is 1: no number of rows shows that there is none at all."""
ROWS = 50
"""Most rows listed for a task."""
EXCLUDE = {"representable", "not within the candidates"}


@dataclass(frozen=True, eq=False)
class _Fit:
    """One model's prompt at one level: off and fits of shape (scoring rows,)."""

    level: Level
    null_p: float
    off: Floats
    fits: NDArray[np.bool_]


def task_changes(before: Context, after: Context, target: float | None) -> TaskChanges:
    """Representability of the whole task and of its most common labels under both models.

    Parameters
    ----------
    before, after : Context
        Of the same task on the same halves.
    target : float or None
        Accuracy from which prompts count as deciding; .95 without one.

    Notes
    -----
    Prompts are chosen by each model on the choosing rows and scored on the same held-out rows, one for each set of copies.
    Every verdict is tested at alpha / (2 x labels and levels), so that all hold at once with 95 % (Bonferroni); changes by
    McNemar's exact test with Holm's correction. A change is one of the prompts that were chosen: other choosing rows may give
    others. Cost: independent of the rows beyond 1,200 a half; for each of at most 12
    labels some passes over 2,400 x 100 distances of either model.
    """
    halves = zip(representatives(before), representatives(after), strict=True)
    choosing, scoring = (one[np.isin(one, other)] for one, other in halves)
    first, second = (sample_of(context, choosing, scoring) for context in (before, after))
    wrong = OUTSIDE if target is None else max(1 - target, LEAST_WRONG)
    found = TaskChanges(len(choosing), len(scoring), None, None, MARGIN, OUTSIDE, wrong, (), 0)
    if isinstance(first, str) or isinstance(second, str):
        return replace(found, missing="; ".join(dict.fromkeys(s for s in (first, second) if isinstance(s, str))))
    labels, classes = most_common(first), before.task.classes
    # With two labels telling one from the rest is the whole task.
    alone = deciding_codes(first)[1] > 2
    names = ["", *(classes[label] for label in labels for _ in range(3 if alone else 2))]
    asked = _Asked(labels, alone, wrong, ALPHA / (2 * len(names)))
    return replace(
        found,
        scale_before=first.scale,
        scale_after=second.scale,
        tasks=_changes(first, names, asked.fits(first), asked.fits(second)),
        labels_left_out=len(classes) - len(labels),
    )


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is asked of either model: labels, whether each is also told from the rest, share of wrong decisions, level."""

    labels: Ints
    alone: bool
    wrong: float
    alpha: float

    def fits(self, sample: Sample) -> list[_Fit]:
        """The whole task at decision level, then each label at its levels."""
        codes, present = deciding_codes(sample)
        out = [self.decision(sample, codes, TWO if present == 2 else max(1, DECIDING // present))]
        for label in self.labels:
            members = sample.labels == label
            out += _presheaf(sample, members, self.alpha)
            out += [self.decision(sample, members.astype(np.int64), REST)] if self.alone else []
        return out

    def decision(self, sample: Sample, codes: Ints, each: int) -> _Fit:
        """One prompt for each code, and the nearest one decides."""
        found = decision_level(
            sample.hom, codes, SIDE, candidates=first_of_each(codes[sample.anchors], each), scoring=sample.scoring,
            outside=self.wrong, alpha=self.alpha, rounds=SHUFFLES, seed=sample.context.seed,
        )  # fmt: skip
        distances = between(sample.hom, sample.scoring, np.array(found.level.prompts), SIDE)
        own = np.searchsorted(np.array(found.labels), codes[sample.scoring])
        others = distances.copy()
        np.put_along_axis(others, own[:, None], np.inf, axis=1)
        off = np.take_along_axis(distances, own[:, None], axis=1)[:, 0] - others.min(axis=1)
        return _Fit(found.level, found.null_p, off, decided(distances, own))


def _presheaf(sample: Sample, members: NDArray[np.bool_], alpha: float) -> list[_Fit]:
    """Value and calibrated level of a label as a presheaf: 0 on its rows, ``scale`` elsewhere."""
    task = class_task(sample.hom, members, sample.scale)
    candidates = np.flatnonzero(members[: sample.choosing])[:CANDIDATES]
    found = representability(
        sample.hom, task, SIDE, sample.margin, candidates=candidates, scoring=sample.scoring, outside=OUTSIDE,
        alpha=alpha, rounds=SHUFFLES, seed=sample.context.seed,
    )  # fmt: skip
    threshold = Criteria(sample.margin, OUTSIDE, alpha).threshold
    out = []
    for level, null_p in ((found.value, found.null_p), (found.calibrated, float("nan"))):
        row = sample.hom.row(level.prompts[0], SIDE)[sample.scoring]
        read = row if level is found.value else found.calibration(row)
        off = np.asarray(deviation(read, task[sample.scoring]))
        out.append(_Fit(level, null_p, off, off <= threshold))
    return out


def _changes(sample: Sample, names: list[str], before: list[_Fit], after: list[_Fit]) -> tuple[TaskChange, ...]:
    raw = [mcnemar(second.fits, first.fits) for first, second in zip(before, after, strict=True)]
    level = 1 - ALPHA / len(names)
    parts = zip(names, before, after, raw, holm(raw), strict=True)
    return tuple(_change(sample, name, one, two, p, float(least), level) for name, one, two, p, least in parts)


def _change(
    sample: Sample, name: str, before: _Fit, after: _Fit, p: float, adjusted: float, level: float
) -> TaskChange:
    gap = paired_difference(after.fits, before.fits, None, level)
    shown = adjusted <= ALPHA
    verdicts = {before.level.verdict, after.level.verdict}
    changed = len(verdicts) == 2 and (shown or verdicts == EXCLUDE)
    rows = _rows(sample, before, after) if shown or changed else []
    return TaskChange(
        name,
        cast(LevelName, before.level.name),
        _represented(sample, before),
        _represented(sample, after),
        estimate(gap),
        int((before.fits & ~after.fits).sum()),
        int((after.fits & ~before.fits).sum()),
        p,
        adjusted,
        ("worse" if gap.value < 0 else "better") if shown else "not shown",
        changed,
        tuple(rows[:ROWS]),
        max(0, len(rows) - ROWS),
    )


def _represented(sample: Sample, fit: _Fit) -> Represented:
    share = fit.level.share
    fits = Interval(1 - share.value, 1 - share.high, 1 - share.low, share.rows, share.effective, share.method)
    null = float(fit.null_p) if np.isfinite(fit.null_p) else None
    return Represented(fit.level.verdict, estimate(fits), sample.numbers(fit.level.prompts), null)


def _rows(sample: Sample, before: _Fit, after: _Fit) -> list[FitRow]:
    """Rows that fit under one model only: those lost first, then by how far they moved."""
    task, lost = sample.context.task, before.fits & ~after.fits
    order = np.lexsort((-np.abs(after.off - before.off), ~lost))
    out = []
    for i in order[(before.fits != after.fits)[order]]:
        position = sample.rows[sample.choosing + i]
        out.append(
            FitRow(
                int(task.rows[position]),
                "" if task.objects is None else task.objects[position],
                task.classes[int(task.labels[position])],
                float(before.off[i]),
                float(after.off[i]),
            )
        )
    return out
