"""The rows that `Audit.why` looks at, their hom, and the two distances that are fixed before any label is seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.context import Context
from presheaf.audits.why_result import Estimate
from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import angle
from presheaf.enriched.to_anchors import anchor_blocks
from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ROWS = 1200
"""Rows of each half that are looked at: the first by hash, one for each set of copies."""
LEAST = 20
PAIRS = 200_000
OUTSIDE = 0.05
MARGIN = 0.25
"""Of ``scale``: the deviation from a task that counts as none."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Some rows of both halves, the choosing ones first.

    Attributes
    ----------
    context : Context
    rows : int array of shape (n,)
        Positions in the task.
    choosing : int
        How many of them choose.
    hom : Hom
        Angles between their features.
    scale, lam : float
        See `why_result.Setting`.
    """

    context: Context
    rows: Ints
    choosing: int
    hom: Hom
    scale: float
    lam: float

    @cached_property
    def labels(self) -> Ints:
        return self.context.task.labels[self.rows].astype(np.int64)

    @property
    def anchors(self) -> Ints:
        return np.arange(self.choosing)

    @property
    def scoring(self) -> Ints:
        return np.arange(self.choosing, len(self.rows))

    @property
    def margin(self) -> float:
        return MARGIN * self.scale

    def numbers(self, objects: Any) -> tuple[int, ...]:
        """Row numbers of the table."""
        return tuple(int(self.context.task.rows[self.rows[i]]) for i in objects)


def sample(context: Context) -> Sample | str:
    """The sample, or why there is none. Cost: linear in rows, and ROWS^2 distances."""
    return sample_of(context, *representatives(context))


def representatives(context: Context) -> tuple[Ints, Ints]:
    """Rows of the choosing and of the scoring half that are looked at."""
    return _first(context, context.halves.choosing), _first(context, context.halves.scoring)


def sample_of(context: Context, choosing: Ints, scoring: Ints) -> Sample | str:
    """The sample of given rows, or why there is none."""
    labels = context.task.labels
    if min(len(choosing), len(scoring)) < LEAST:
        return f"fewer than {LEAST} different rows in a half"
    if len(np.unique(labels[choosing])) < 2:
        return "only one class on the choosing half"
    rows = np.concatenate([choosing, scoring])
    try:
        hom = hom_from_features(context.features[rows], angle(), "angle between features")
    except InputError as error:
        return str(error)
    scale = median_distance(hom.take(np.arange(len(choosing))), context.seed)
    if scale == 0:
        return "most rows have equal features"
    return Sample(context, rows, len(choosing), hom, scale, _closeness(hom, np.arange(len(choosing))))


def with_direction(context: Context, rows: Ints) -> Ints:
    """Those rows whose features are not all zero: an angle needs a direction."""
    return np.asarray(rows[(context.features[rows] != 0).any(axis=1)])


def _first(context: Context, half: Ints) -> Ints:
    _, first = np.unique(context.halves.groups[half], return_index=True)
    ordered = half[np.sort(first)]
    # Zero rows are rare; a second helping is taken so that the sample stays full without reading all features.
    return with_direction(context, ordered[: 2 * ROWS])[:ROWS]


def median_distance(hom: Hom, seed: int) -> float:
    """Median distance of two different objects, from random pairs."""
    rng = np.random.default_rng([seed, 5])
    first = rng.integers(0, hom.n, min(PAIRS, 20 * hom.n))
    second = (first + rng.integers(1, hom.n, len(first))) % hom.n
    return float(np.median(hom.pairs(first, second)))


def _closeness(hom: Hom, anchors: Ints) -> float:
    """Median distance from an anchor to the nearest other one."""
    nearest = np.empty(len(anchors))
    for part, block in anchor_blocks(hom, anchors, anchors, "both"):
        block[np.arange(len(block)), anchors[part]] = np.inf
        nearest[part] = block.min(axis=1)
    return float(np.median(nearest))


def estimate(interval: Interval) -> Estimate:
    """An interval as plain values; what is no number becomes None."""
    value, low, high = (float(v) if np.isfinite(v) else None for v in (interval.value, interval.low, interval.high))
    return Estimate(value, low, high)


NOTHING = Estimate(None, None, None)
