"""A common scale for two homs, fitted on anchors and counted."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.distortion import as_pairs
from presheaf.enriched.hom import Hom
from presheaf.enriched.quantale import COST
from presheaf.enriched.sources import Through
from presheaf.enriched.ustatistics import disjoint_tuples
from presheaf.errors import InputError

PAIRS = 400_000
"""About how many pairs of anchors a scale is fitted on at most."""


def fit_scale(source: Hom, target: Hom, anchors: ArrayLike | None = None, seed: int = 0) -> float:
    """The factor s > 0 that makes mean |D_B(Fx, Fy) - s D_C(x, y)| least over pairs of anchors.

    Parameters
    ----------
    source, target : Hom
        Quantales whose distances add.
    anchors : int array of shape (m, 2), optional
        (x, Fx) for the anchors: the only objects looked at. Left out, all objects of two homs on the same ones.

    Raises
    ------
    InputError
        If distances don't add, or most of them are 0 or infinite.

    Notes
    -----
    The weighted median of the ratios D_B / D_C with weights D_C. One fitted parameter. Cost: linear in the pairs: all of
    them up to some 600 anchors, beyond that a sample of 400,000.
    """
    for hom in (source, target):
        _adds(hom)
    given = as_pairs(source, target, anchors)
    sample = _pairs(len(given), seed)
    x, y = given[sample[:, 0]], given[sample[:, 1]]
    before, after = source.pairs(x[:, 0], y[:, 0]), target.pairs(x[:, 1], y[:, 1])
    used = np.isfinite(before) & np.isfinite(after) & (before > 0)
    factor = _weighted_median(after[used] / before[used], before[used]) if used.any() else 0.0
    if factor == 0:
        raise InputError("no scale can be fitted: half of the anchors' distances or more are 0 or infinite.")
    return factor


def _pairs(m: int, seed: int) -> NDArray[np.int64]:
    """All ordered pairs of m objects where they are few enough, else a sample in random partitions."""
    if m * (m - 1) > PAIRS:
        return disjoint_tuples(m, 2, PAIRS // (m // 2), np.random.default_rng(seed))
    return np.argwhere(~np.eye(m, dtype=bool))


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def rescaled(hom: Hom, factor: float, fitted: int) -> Hom:
    """The hom with all distances times ``factor``, in the quantale COST; ``fitted`` parameters are added to its count.

    What is lawful stays lawful: a sum that a cap cuts is at most the sum. Cost: none, distances are
    multiplied when they are asked for.

    Raises
    ------
    InputError
        If distances don't add in the hom's quantale, or the factor is not a positive number.
    """
    _adds(hom)
    if not (factor > 0 and np.isfinite(factor)):
        raise InputError(f"a scale must be a positive number; got {factor!r}.")
    source = hom.source if factor == 1 else Through(hom.source, partial(np.multiply, factor))
    name = hom.name if factor == 1 else f"{factor:g} x {hom.name}"
    return replace(hom, source=source, name=name, quantale=COST, fitted=hom.fitted + fitted, positive_definite=None)


def on_one_scale(source: Hom, target: Hom, anchors: ArrayLike | None = None, seed: int = 0) -> tuple[Hom, Hom, float]:
    """Both homs in COST, the source times the factor fitted on ``anchors``. Cost: that of ``fit_scale``."""
    factor = fit_scale(source, target, anchors, seed)
    return rescaled(source, factor, 1), rescaled(target, 1.0, 0), factor


def _adds(hom: Hom) -> None:
    if not hom.quantale.sums:
        raise InputError(
            f"distances of {hom.quantale.name} don't add, so a factor has no meaning there; compare homs of one quantale."
        )
