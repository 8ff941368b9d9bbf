"""Labels as presheaves: how far prompts represent them (Theorem 1), and how many prompts they need (density)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.result import CurvePoint
from presheaf.audits.why_result import SHUFFLES, DensityPoint, Estimate, LabelWhy, LevelSeen
from presheaf.audits.why_sample import NOTHING, OUTSIDE, Sample, estimate
from presheaf.enriched.decision import decided, decision_level
from presheaf.enriched.defects import class_task
from presheaf.enriched.density import prompt_number
from presheaf.enriched.ensembles import Ensembles, ensembles
from presheaf.enriched.evidence import Level
from presheaf.enriched.hom import Variance
from presheaf.enriched.representability import representability
from presheaf.enriched.sandwich import Coverage, coverage, kan_sandwich, trimmed_anchors
from presheaf.enriched.soft import soft_prompt
from presheaf.enriched.weights import ensemble
from presheaf.statistics.intervals import accuracy_interval

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LABELS = 12
"""Labels looked at one by one, the most common first."""
CANDIDATES = 100
"""Rows of a label that may be its prompts."""
DECIDING = 300
"""Rows of all labels together that may be prompts where they decide."""
MOST = 8
"""Prompts a label in the curve."""
SIDE: Variance = "contravariant"
"""The angle is symmetric, so both variances agree."""


def level_seen(sample: Sample, level: Level, null_p: float) -> LevelSeen:
    """A level as plain values, its prompts as row numbers."""
    p = float(null_p) if np.isfinite(null_p) else None
    return LevelSeen(
        level.name, "estimate", level.verdict, level.reason, sample.numbers(level.prompts), estimate(level.share), p
    )


def decision(sample: Sample) -> LevelSeen:
    """Theorem 1 at decision level, over all labels of the choosing rows."""
    codes, present = deciding_codes(sample)
    candidates = first_of_each(codes[sample.anchors], max(1, DECIDING // present))
    found = decision_level(
        sample.hom,
        codes,
        SIDE,
        candidates=candidates,
        scoring=sample.scoring,
        outside=OUTSIDE,
        rounds=SHUFFLES,
        seed=sample.context.seed,
    )
    return level_seen(sample, found.level, found.null_p)


def deciding_codes(sample: Sample) -> tuple[Ints, int]:
    """A number for each row's label, and how many labels the choosing rows have."""
    present = np.unique(sample.labels[sample.anchors])
    seen = np.isin(sample.labels, present)
    # A label that no choosing row has can't be decided; its rows count as wrong, under a label without candidates.
    return np.where(seen, sample.labels, present[-1] + 1), len(present)


def first_of_each(codes: Ints, each: int) -> Ints:
    """The first ``each`` positions of every code, codes ascending."""
    return np.concatenate([np.flatnonzero(codes == code)[:each] for code in np.unique(codes)])


def most_common(sample: Sample) -> Ints:
    """Labels looked at one by one, ascending: the most common ones of the choosing rows."""
    count = np.bincount(sample.labels[sample.anchors], minlength=len(sample.context.task.classes))
    order = np.lexsort((np.arange(len(count)), -count))
    return np.sort(order[count[order] > 0][:LABELS])


def per_label(
    sample: Sample, drawn: tuple[CurvePoint, ...]
) -> tuple[tuple[LabelWhy, ...], int, tuple[DensityPoint, ...]]:
    """The most common labels, how many more there are, and the prompt curve.

    Notes
    -----
    Cost: for each of at most 12 labels some passes over 1,200 x 100 distances and a linear fit.
    """
    chosen = most_common(sample)
    seen = [_label(sample, int(label)) for label in chosen]
    left_out = len(sample.context.task.classes) - len(chosen)
    fits = {int(label): found for label, (_, found) in zip(chosen, seen, strict=True)}
    return tuple(why for why, _ in seen), left_out, _curve(sample, fits, left_out == 0, drawn)


def _label(sample: Sample, label: int) -> tuple[LabelWhy, Ensembles]:
    hom, seed = sample.hom, sample.context.seed
    members = sample.labels == label
    task = class_task(hom, members, sample.scale)
    candidates = np.flatnonzero(members[: sample.choosing])[:CANDIDATES]
    one = representability(
        hom, task, SIDE, sample.margin, candidates=candidates, scoring=sample.scoring, outside=OUTSIDE,
        rounds=SHUFFLES, seed=seed,
    )  # fmt: skip
    several = ensembles(
        hom, task, SIDE, sample.margin, min(MOST, len(candidates)), candidates=candidates, scoring=sample.scoring,
        outside=OUTSIDE, seed=seed,
    )  # fmt: skip
    number = prompt_number(
        hom, task, SIDE, sample.margin, candidates=candidates, objects=sample.anchors, nodes=0
    )  # fmt: skip
    within = _coverage(sample, members)
    levels = (
        level_seen(sample, one.value, one.null_p),
        level_seen(sample, one.calibrated, one.calibrated_null_p),
        _soft(sample, members),
    )
    why = LabelWhy(
        sample.context.task.classes[label],
        int(members.sum()),
        levels,
        number.low,
        number.high,
        number.least,
        several.enough,
        estimate(within.inside),
        estimate(within.shuffled),
    )
    return why, several


def _soft(sample: Sample, members: NDArray[np.bool_]) -> LevelSeen:
    """A point of feature space, with an offset, for labels +1 and -1: right by sign within a deviation of 1."""
    features = sample.context.features[sample.rows]
    found = soft_prompt(
        np.hstack([features, np.ones((len(features), 1), dtype=features.dtype)]),
        np.where(members, 1.0, -1.0),
        1.0,
        scoring=sample.scoring,
        outside=OUTSIDE,
        rounds=SHUFFLES,
        seed=sample.context.seed,
    )
    return level_seen(sample, found.level, found.null_p)


def _coverage(sample: Sample, members: NDArray[np.bool_]) -> Coverage:
    """Kan extensions of the label from the choosing rows, those that contradict each other left out."""
    truth = np.where(members, 0.0, sample.lam)
    anchors = sample.anchors
    kept = trimmed_anchors(sample.hom, anchors, truth[anchors], SIDE, seed=sample.context.seed)
    found = kan_sandwich(sample.hom, anchors[kept], truth[anchors[kept]], SIDE, sample.scoring)
    return coverage(found, truth[sample.scoring], seed=sample.context.seed)


def _curve(
    sample: Sample, fits: dict[int, Ensembles], complete: bool, drawn: tuple[CurvePoint, ...]
) -> tuple[DensityPoint, ...]:
    """rho_k of the label that is worst off, and held-out accuracy of deciding by the ensembles of all labels."""
    measured = {p.k: Estimate(p.accuracy, p.low, p.high) for p in drawn if p.type == "max"}
    points = []
    for k in range(1, MOST + 1):
        at = [min(k, len(found.curve.high)) - 1 for found in fits.values()]
        pairs = list(zip(fits.values(), at, strict=True))
        low, high = (max(float(getattr(found.curve, end)[i]) for found, i in pairs) for end in ("low", "high"))
        accuracy = _decided(sample, fits, k) if complete else NOTHING
        points.append(DensityPoint(k, low, high, accuracy, measured.get(k, NOTHING)))
    return tuple(points)


def _decided(sample: Sample, fits: dict[int, Ensembles], k: int) -> Estimate:
    columns = []
    for found in fits.values():
        fit = found.curve.fits[min(k, len(found.curve.fits)) - 1]
        columns.append(ensemble(sample.hom, fit.prompts, fit.weights, SIDE)[sample.scoring])
    code = np.searchsorted(list(fits), sample.labels[sample.scoring])
    return estimate(accuracy_interval(decided(np.stack(columns, axis=1), code)))
