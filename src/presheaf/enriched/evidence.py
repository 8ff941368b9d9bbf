"""What held-out objects say about a prompt that others chose: intervals, and the verdict by tests fixed beforehand.

The claim is about the objects' population: at most a share ``outside`` of it lies further than ``margin`` from the task.
Both numbers are fixed before data are seen. A supremum can't be estimated from a sample, a share can.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, isfinite, log, sqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval, clopper_pearson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Verdict = Literal["representable", "not within the candidates", "cannot say"]

ROUNDING = 1e-9
"""Deviations this little beyond a margin, on the scale of the margin or 1, are taken for rounding."""


@dataclass(frozen=True)
class Level:
    """What one level of representability comes to, for the chosen prompt, on objects that did not choose it.

    Attributes
    ----------
    name : "value", "calibrated", "decision", "ensemble" or "soft"
    prompts : tuple of int
        The chosen objects; empty for a soft prompt.
    verdict : "representable", "not within the candidates" or "cannot say"
    reason : str
        The numbers behind the verdict, in a sentence.
    share : Interval
        Of objects outside the margin. Clopper-Pearson; each end alone holds with probability 1 - alpha.
    mean, root : Interval
        Mean deviation and root of the mean squared deviation (rho^(1) and rho^(2)), of deviations cut at ``bound``.
        Empirical Bernstein; each end alone holds with probability 1 - alpha.
    bound : float
        Where deviations are cut for ``mean`` and ``root``: the largest finite one among the objects that chose, or the margin
        if that is larger.
    beyond : float
        Share of the held-out deviations that were cut; where it is not small, ``mean`` and ``root`` say too little.
    least : float
        Every candidate leaves more than this share outside, each with probability 1 - alpha; 0 says nothing.
    fitted : int
        Numbers fitted on the objects that chose, beside the choice itself.
    kind : str
        Always "estimate": the claim is about objects not seen.
    """

    name: str
    prompts: tuple[int, ...]
    verdict: Verdict
    reason: str = field(repr=False)
    share: Interval = field(repr=False)
    mean: Interval = field(repr=False)
    root: Interval = field(repr=False)
    bound: float = field(repr=False)
    beyond: float = field(repr=False)
    least: float = field(repr=False)
    fitted: int = 0
    kind: str = "estimate"


@dataclass(frozen=True)
class Criteria:
    """What is to hold, fixed before data are seen.

    Attributes
    ----------
    margin : float
        Largest deviation that counts as none, in the task's units.
    outside : float
        Largest share of objects that may lie outside the margin.
    alpha : float
        Level of each test.

    Raises
    ------
    InputError
        If margin < 0, or the others don't lie inside (0, 1).
    """

    margin: float
    outside: float = 0.05
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if not (self.margin >= 0 and isfinite(self.margin)):
            raise InputError(f"margin must be a finite number >= 0; got {self.margin!r}.")
        for name, value in (("outside", self.outside), ("alpha", self.alpha)):
            if not 0 < value < 1:
                raise InputError(f"{name} must lie inside (0, 1); got {value!r}.")

    @property
    def threshold(self) -> float:
        """The margin with room for rounding."""
        return self.margin + ROUNDING * max(1.0, self.margin)

    @property
    def least_objects(self) -> int:
        """Held-out objects needed for "representable" when none lies outside: (1 - outside)^n <= alpha."""
        return ceil(log(self.alpha) / log(1 - self.outside) - 1e-12)

    def share(self, outside: float, n: int) -> tuple[float, float]:
        """Bounds on the share outside, each at level alpha (Clopper and Pearson 1934)."""
        return clopper_pearson(outside, n, 1 - 2 * self.alpha)

    def judge(self, name: str, prompts: ArrayLike, held: Floats, bound: float, least: float, fitted: int) -> Level:
        """The verdict from the deviations of the chosen prompt on held-out objects, shape (n,).

        Parameters
        ----------
        bound : float
            Where deviations are cut for ``mean`` and ``root``; fixed without looking at the held-out objects.
        least : float
            Lower bound that the share outside keeps for every candidate (intersection-union), 0 where none is known.
        """
        n, count = len(held), int(np.count_nonzero(held > self.threshold))
        low, high = self.share(count, n)
        share = Interval(count / n if n else float("nan"), low, high, n, float(n), "Clopper-Pearson, one-sided ends")
        verdict, reason = self._verdict(count, n, high, least)
        cut = np.minimum(held, bound)
        mean, squares = bernstein(cut, bound, self.alpha), bernstein(cut**2, bound**2, self.alpha)
        root = Interval(sqrt(squares.value), sqrt(squares.low), sqrt(squares.high), n, float(n), squares.method)
        chosen = tuple(int(p) for p in np.asarray(prompts).ravel())
        beyond = float(np.mean(held > bound)) if n else float("nan")
        return Level(name, chosen, verdict, reason, share, mean, root, bound, beyond, least, fitted)

    def _verdict(self, count: int, n: int, high: float, least: float) -> tuple[Verdict, str]:
        seen = f"{count} of {n} held-out objects lie further than {self.margin:g} from the task"
        if high <= self.outside:
            return "representable", f"{seen}; at most {high:.2%} of all do, {self.outside:.2%} are allowed"
        if least > self.outside:
            return (
                "not within the candidates",
                f"{seen}; every candidate leaves more than {least:.2%} of all objects outside, {self.outside:.2%} are allowed",
            )
        if n < self.least_objects:
            return "cannot say", f"{n} held-out objects; at least {self.least_objects} are needed for a yes"
        return "cannot say", f"{seen}; up to {high:.2%} of all may, and {self.outside:.2%} are allowed"


def bernstein(values: Floats, bound: float, alpha: float) -> Interval:
    """Interval for the mean of independent values in [0, bound], each end at level alpha.

    Empirical Bernstein bound (Maurer and Pontil 2009, theorem 4): half-width sqrt(2 V ln(2/alpha) / n) +
    7 bound ln(2/alpha) / (3 (n - 1)) with the sample variance V. Holds for every n and every distribution.
    """
    n = len(values)
    if n < 2:
        return Interval(float(values.mean()) if n else float("nan"), 0.0, bound, n, float(n), "too few objects")
    value, spread, term = float(values.mean()), float(values.var(ddof=1)), log(2 / alpha)
    half = sqrt(2 * spread * term / n) + 7 * bound * term / (3 * (n - 1))
    return Interval(value, max(0.0, value - half), min(bound, value + half), n, float(n), "empirical Bernstein")


def split_objects(n: int, scoring: ArrayLike | None, seed: int = 0) -> tuple[Ints, Ints]:
    """Objects that choose and objects that score, ascending: ``scoring`` and the rest, or two random halves.

    Raises
    ------
    InputError
        If ``scoring`` is no list of distinct objects (or mask of shape (n,)), or either side would be empty.
    """
    if scoring is None:
        held = np.random.default_rng(seed).permutation(n)[n // 2 :]
    else:
        held = np.asarray(scoring)
        held = np.flatnonzero(held) if held.dtype == bool and held.shape == (n,) else held
    good = held.ndim == 1 and held.dtype.kind in "iu" and 0 < len(np.unique(held)) == len(held) < n
    if not good or held.min() < 0 or held.max() >= n:
        raise InputError(
            f"scoring must list some but not all of the {n} objects, each once, or be a mask of shape ({n},); got shape "
            f"{held.shape} of {held.dtype}."
        )
    mask = np.zeros(n, dtype=bool)
    mask[held] = True
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def candidate_objects(n: int, candidates: ArrayLike | None, default: Ints) -> Ints:
    """The objects that may be prompts, in the order given; ``default`` where none are.

    Raises
    ------
    InputError
        If they are not distinct objects, or there are none.
    """
    if candidates is None:
        return default
    chosen = np.asarray(candidates)
    good = chosen.ndim == 1 and chosen.dtype.kind in "iu" and 0 < len(np.unique(chosen)) == len(chosen)
    if not good or chosen.min() < 0 or chosen.max() >= n:
        raise InputError(
            f"candidates must list distinct objects in 0..{n - 1}; got shape {chosen.shape} of {chosen.dtype}."
        )
    return chosen.astype(np.int64)


def cut_at(deviations: Floats, margin: float) -> float:
    """Where to cut deviations: the largest finite one among those that chose, at least the margin, and never 0."""
    finite = deviations[np.isfinite(deviations)]
    return max(float(finite.max(initial=0.0)), margin) or 1.0


def deviation(first: ArrayLike, second: ArrayLike) -> NDArray[Any]:
    """|first - second| elementwise, with inf - inf = 0."""
    with np.errstate(invalid="ignore"):
        difference = np.asarray(np.asarray(first) - np.asarray(second))
    np.abs(difference, out=difference)
    return np.asarray(np.fmax(difference, 0, out=difference))


def permutation_p(as_good: int, rounds: int) -> float:
    """p value from ``rounds`` shuffles of which ``as_good`` did at least as well; nan where there was none.

    The observation counts as one of them, so the p value is valid for every number of rounds (Phipson and Smyth 2010).
    """
    return (1 + as_good) / (1 + rounds) if rounds else float("nan")
