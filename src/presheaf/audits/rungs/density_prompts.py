"""Prompts as the density theorem has them: k rows a label with weights, nearest to the label's presheaf in the sup distance.

A family of ensembles beside the random draws of rung 3. It is fitted to the task as a presheaf, not to the decision, so it
may lose; the rung takes it only where it wins on the choosing half, or does as well there with fewer prompts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.climb import Decide
from presheaf.audits.why_sample import median_distance
from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.defects import class_task
from presheaf.enriched.density import prompt_curve
from presheaf.enriched.kernel import angle

Features = NDArray[np.float32]

OBJECTS = 600
"""Rows the presheaves are fitted on."""
CANDIDATES = 80
"""Rows of a label that may be its prompts."""
MOST = 8
CLASSES = 12
"""Labels up to which the family is tried: its cost grows with them."""


@dataclass(frozen=True, eq=False)
class DensityPrompts:
    """The best ensemble of the family.

    Attributes
    ----------
    accuracy : float
        On the rows that compare ensembles.
    k : int
    tried : int
    rows : list of int arrays of shape (prompts,), one a label
        Positions among the rows that prompts are taken from.
    weights : list of float64 arrays of shape (prompts,), in radians
    """

    accuracy: float
    k: int
    tried: int
    rows: list[NDArray[np.int64]]
    weights: list[NDArray[np.float64]]

    @property
    def prompts(self) -> int:
        return sum(map(len, self.weights))


def rule(vectors: list[Features], weights: list[NDArray[np.float64]]) -> Decide:
    """The label with the least min_p (w_p + angle(x, p))."""

    def decide(features: Features) -> Features:
        scores = np.empty((len(features), len(vectors)), dtype=np.float32)
        for label, (points, added) in enumerate(zip(vectors, weights, strict=True)):
            angles = np.arccos(np.clip(features @ points.T, -1, 1))
            scores[:, label] = -(angles + added.astype(np.float32)).min(axis=1)
        return scores

    return decide


def best(
    x: Features, y: NDArray[np.int32], test: Features, truth: NDArray[np.int32], classes: int, seed: int
) -> DensityPrompts | None:
    """The k in 1..8 whose weighted prompts from (x, y) decide (test, truth) best; None where the family is not tried.

    It is not tried with more than 12 labels, with a label none of the rows has, or where most rows have equal features. The
    distance off a label is the median between rows: one number, fitted without labels.

    Notes
    -----
    Cost: for each label some hundred passes over 600 x 80 distances.
    """
    kept = np.flatnonzero((x[: 2 * OBJECTS] != 0).any(axis=1))[:OBJECTS]
    points, labels = x[kept], y[kept]
    if classes > CLASSES or len(np.unique(labels)) < classes or len(kept) < 2:
        return None
    hom = hom_from_features(points, angle())
    scale = median_distance(hom, seed)
    if scale == 0:
        return None
    curves = []
    for label in range(classes):
        members = np.flatnonzero(labels == label)[:CANDIDATES]
        task = class_task(hom, labels == label, scale)
        curves.append(prompt_curve(hom, task, "contravariant", min(MOST, len(members)), candidates=members))
    most = max(len(curve.fits) for curve in curves)
    found: DensityPrompts | None = None
    for k in range(1, most + 1):
        fits = [curve.fits[min(k, len(curve.fits)) - 1] for curve in curves]
        rows, weights = [kept[fit.prompts] for fit in fits], [fit.weights for fit in fits]
        if not all(len(fit.prompts) for fit in fits):
            continue
        accuracy = float((rule([x[r] for r in rows], weights)(test).argmax(axis=1) == truth).mean())
        if found is None or accuracy > found.accuracy:
            found = DensityPrompts(accuracy, k, most, rows, weights)
    return found
