"""What fine-tuning can't pass and what stays open (Theorem 2): ceilings over lambda, the Kan gap, where errors come from."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.climb import Climb
from presheaf.audits.context import Context
from presheaf.audits.why_result import CeilingPoint, Estimate, GapRow, LossPart
from presheaf.audits.why_sample import NOTHING, Sample, estimate, with_direction
from presheaf.enriched.answers import CONTRADICTED, DETERMINED, OPEN, STATUSES, answer_by_anchors
from presheaf.enriched.ceiling import CeilingCurve, ceiling_curve, ceiling_null
from presheaf.enriched.conflicts import close_pairs
from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import angle
from presheaf.enriched.label_category import Discrete
from presheaf.enriched.losses import PARTS, decompose_error
from presheaf.statistics.intervals import accuracy_interval

Ints = NDArray[np.int64]

CEILING_ROWS = 6000
"""Rows of both halves that ceilings are computed on, copies included."""
CLOSE = 60_000
"""Pairs of close rows that are looked for."""
PROBES = 300
"""Rows whose distances to all others say how many pairs are close."""
STEPS = 9
SHUFFLES = 3
LISTED = 40
"""Rows of the Kan gap that are listed."""
LABELS = Discrete("isomorphisms")
"""Labels have no relations between them, so a task must be constant on objects that are the same up to lambda."""


@dataclass(frozen=True)
class Ceilings:
    """Curves, the rows they stand on, and lambda*."""

    points: tuple[CeilingPoint, ...]
    rows: int
    nearest_conflict: float | None


def ceilings(sample: Sample) -> Ceilings:
    """Strict and margin ceilings on rows of both halves, beside those of shuffled labels.

    Notes
    -----
    lambda runs up to the distance within which about 60,000 pairs lie, at most half of ``scale``; where that many are equal,
    fewer rows are taken. No label plays a part in this. Cost: one search of 6,000 rows for near pairs, 36 matchings.
    """
    context = sample.context
    rows = with_direction(context, _spread(context, 2 * CEILING_ROWS))[:CEILING_ROWS]
    hom = hom_from_features(context.features[rows], angle())
    radius, size = _radius(hom, sample.scale)
    hom, labels = hom.take(np.arange(size)), context.task.labels[rows[:size]]
    grid = np.linspace(0, radius, STEPS) if radius > 0 else np.zeros(1)
    pairs = close_pairs(hom, radius, LABELS.reading)
    curve = ceiling_curve(pairs, labels, LABELS, grid, seed=context.seed)
    null = ceiling_null(pairs, labels, LABELS, grid, SHUFFLES, context.seed)
    return Ceilings(_points(curve, null.margin.mean(axis=0)), size, curve.nearest_conflict)


def _spread(context: Context, count: int) -> Ints:
    """The first rows of both halves, in the order of the task, which is one by hash."""
    return np.sort(np.concatenate([context.halves.choosing, context.halves.scoring]))[:count]


def _radius(hom: Hom, scale: float) -> tuple[float, int]:
    some = np.arange(min(hom.n, PROBES))
    block = hom.distances(some, None, np.float64)
    distances = np.sort(block[some[:, None] != np.arange(hom.n)])
    share = min(1.0, CLOSE / (hom.n * (hom.n - 1) / 2))
    radius = min(float(distances[min(len(distances) - 1, int(share * len(distances)))]), scale / 2)
    within = max(1, int(np.searchsorted(distances, radius, side="right"))) / len(distances)
    # Twice the pairs wanted are let pass, so that a tie by rounding costs no rows.
    return radius, min(hom.n, max(2, int(sqrt(4 * CLOSE / within))))


def _points(curve: CeilingCurve, shuffled: NDArray[np.float64]) -> tuple[CeilingPoint, ...]:
    assert curve.strict is not None  # labels are discrete here
    return tuple(
        CeilingPoint(
            float(curve.lambdas[i]),
            float(curve.strict[i]),
            float(curve.margin[i]),
            estimate(curve.leave_one_out[i]),
            float(curve.evidence[i]),
            float(shuffled[i]),
        )
        for i in range(len(curve.lambdas))
    )


@dataclass(frozen=True)
class Gap:
    """Held-out rows that the choosing rows leave open or contradict."""

    open: Estimate
    contradicted: Estimate
    rows: tuple[GapRow, ...]
    left_out: int


def gap(sample: Sample) -> Gap:
    """The Kan gap at ``sample.lam``: rows where a classifier that abstains is exactly justified."""
    near, labels = sample.anchors, sample.labels
    found = answer_by_anchors(sample.hom, near, labels[near], LABELS, sample.scoring)
    status = found.status(sample.lam)
    inside = np.flatnonzero(status != DETERMINED)
    # Contradictions first, the closest conflict first; of the open ones those furthest from all that is labelled.
    key = np.where(status == CONTRADICTED, found.rival, -found.nearest)
    numbers = np.array(sample.numbers(sample.scoring))
    order = inside[np.lexsort((numbers[inside], key[inside], status[inside] == OPEN))]
    listed = order[:LISTED]
    closest = sample.hom.distances(sample.scoring[listed], near, np.float64).argmin(axis=1) if len(listed) else listed
    task = sample.context.task
    rows = tuple(
        GapRow(
            int(numbers[i]),
            task.classes[labels[sample.scoring[i]]],
            "open" if STATUSES[status[i]] == "open" else "contradicted",
            sample.numbers([p])[0],
            task.classes[labels[p]],
            float(found.nearest[i]),
            float(found.rival[i]),
            "" if task.objects is None else task.objects[sample.rows[sample.scoring[i]]],
        )
        for i, p in zip(listed, closest, strict=True)
    )
    unsaid, contradicted = (estimate(accuracy_interval(status == s)) for s in (OPEN, CONTRADICTED))
    return Gap(unsaid, contradicted, rows, len(order) - len(listed))


def loss(sample: Sample, climb: Climb) -> tuple[Estimate, tuple[LossPart, ...]]:
    """The held-out error of a rung, taken apart at ``sample.lam``; empty where the rung has no rule."""
    if climb.predicted is None:
        return NOTHING, ()
    context = sample.context
    place = np.searchsorted(context.halves.scoring, sample.rows[sample.choosing :])
    found = decompose_error(
        sample.hom,
        sample.labels,
        climb.predicted[place],
        sample.anchors,
        sample.scoring,
        LABELS,
        sample.lam,
        seed=context.seed,
    )
    parts = [(name, getattr(found, name)) for name in PARTS]
    return estimate(found.total), tuple(
        LossPart(name, estimate(part.error), estimate(part.objects), estimate(part.shuffled)) for name, part in parts
    )
