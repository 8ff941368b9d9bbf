"""Magnitude dimension: how fast magnitude grows with the scale, with an interval over the objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log

import numpy as np

from presheaf.enriched.hom import LIMIT, Hom
from presheaf.enriched.magnitude import Magnitude, magnitude_function
from presheaf.enriched.zeta import Floats, as_scales
from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval


@dataclass(frozen=True)
class MagnitudeDimension:
    """Slope of ln magnitude over ln t between two scales.

    Attributes
    ----------
    slope : Interval
        For samples of as many objects as there are. It says nothing of more objects: at a fixed scale magnitude, and with it
        the slope, goes on growing with n until neighbours are nearer than 1 / t.
    low, high : Magnitude
        At the two scales, all objects.
    halves : float array of shape (subsets,)
        Slopes of random halves of the objects. Their mean beside the slope shows how much n still matters.
    """

    slope: Interval
    low: Magnitude
    high: Magnitude
    halves: Floats = field(repr=False, compare=False)

    @property
    def kind(self) -> str:
        """``estimate``."""
        return "estimate"

    def __repr__(self) -> str:
        return (
            f"MagnitudeDimension({self.slope.value:.3g} [{self.slope.low:.3g}, {self.slope.high:.3g}] for t in "
            f"[{self.low.t:g}, {self.high.t:g}], {self.low.objects:,} objects; halves {self.halves.mean():.3g})"
        )


def magnitude_dimension(
    hom: Hom, low: float, high: float, subsets: int = 20, limit_bytes: int = LIMIT, level: float = 0.95, seed: int = 0
) -> MagnitudeDimension:
    """(ln |high A| - ln |low A|) / (ln high - ln low), with an interval by random halves of the objects.

    Parameters
    ----------
    hom : Hom
        At least 4 objects.
    low, high : float
        Scales, 0 < low < high, fixed beforehand.
    subsets : int
        Random halves, at least 5.
    limit_bytes : int
        For one magnitude; where not even a half can be solved directly, halves go by conjugate gradients, too.

    Raises
    ------
    InputError
        If the scales are not two, there are too few objects or halves, or a magnitude is not positive.

    Notes
    -----
    Magnitude dimension is the limit of the slope at large t for a compact space (Willerton 2009; Meckes 2015); finite sets
    end at slope 0, so the scales are part of the answer. The variance is the delete-half jackknife's (Shao and Wu 1989):
    that of slopes of random halves without replacement around their mean. It errs on the wide side (Efron and Stein 1981;
    on points on a line, where the truth is known, 1.2 to 2.6 times too wide, covering 98 to 100 %). A bootstrap with replacement would repeat
    objects, which magnitude does not count. Student's t with subsets - 1 degrees of freedom. Cost: two magnitudes of n
    and two of n / 2 a half.
    """
    from scipy.special import stdtrit

    scales = as_scales([low, high])
    if len(scales) != 2 or low > high:
        raise InputError(f"low and high must be two scales, low < high; got {low!r} and {high!r}.")
    if hom.n < 4 or subsets < 5:
        raise InputError(f"an interval needs 4 objects and 5 halves or more; got {hom.n} and {subsets}.")
    at = _both(hom, scales, limit_bytes)
    value = _slope(at)
    rng = np.random.default_rng(seed)
    halves = np.empty(subsets)
    for i in range(subsets):
        halves[i] = _slope(_both(hom.take(np.sort(rng.permutation(hom.n)[: hom.n // 2])), scales, limit_bytes))
    removed = hom.n - hom.n // 2
    variance = float(halves.var(ddof=1)) * (hom.n // 2) / removed
    half = float(stdtrit(subsets - 1, 0.5 + level / 2)) * variance**0.5
    slope = Interval(value, value - half, value + half, hom.n, float(hom.n), "delete-half jackknife over objects")
    return MagnitudeDimension(slope, at[0], at[1], halves)


def _both(hom: Hom, scales: Floats, limit_bytes: int) -> tuple[Magnitude, Magnitude]:
    first, second = magnitude_function(hom, scales, limit_bytes)
    return first, second


def _slope(at: tuple[Magnitude, Magnitude]) -> float:
    first, second = at
    if not (first.value > 0 and second.value > 0):
        raise InputError(
            f"a slope of logarithms needs positive magnitudes; got {first.value:g} at t={first.t:g} and {second.value:g} at "
            f"t={second.t:g}. Distances of this kind have no magnitude there; choose larger scales or another kernel."
        )
    return log(second.value / first.value) / log(second.t / first.t)
