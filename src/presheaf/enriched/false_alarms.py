"""How often a task that has nothing to do with the hom is called representable: the error of the verdicts, counted."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from presheaf.enriched.evidence import candidate_objects
from presheaf.enriched.functor import as_task
from presheaf.enriched.hom import LIMIT, Hom, Variance
from presheaf.enriched.representability import representability
from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval, clopper_pearson


@dataclass(frozen=True)
class FalseAlarms:
    """Shares of shuffled tasks with each wrong verdict, with Clopper-Pearson intervals at 95 %.

    Attributes
    ----------
    trials : int
    alpha : float
        What the verdicts promise: neither share of "representable" exceeds it but by chance.
    value, calibrated : Interval
        Called "representable" at value and at calibrated level.
    """

    trials: int = field(repr=False)
    alpha: float
    value: Interval
    calibrated: Interval


def false_representable_rate(
    hom: Hom,
    task: ArrayLike,
    variance: Variance,
    margin: float,
    trials: int,
    *,
    candidates: ArrayLike | None = None,
    outside: float = 0.05,
    alpha: float = 0.05,
    seed: int = 0,
    limit_bytes: int = LIMIT,
) -> FalseAlarms:
    """Shuffle a task over the objects again and again, and count how often it is called representable.

    Parameters as for ``representability``; each trial makes its own split. A task that is nearly constant stays representable
    however it is shuffled, so its values must vary by more than twice the margin.

    Raises
    ------
    InputError
        If they don't, or ``trials`` < 1.

    Notes
    -----
    Cost: ``trials`` times that of ``representability`` without its null.
    """
    values = as_task(hom, task)
    points = None if candidates is None else candidate_objects(hom.n, candidates, np.arange(hom.n))
    if trials < 1:
        raise InputError(f"trials must be at least 1; got {trials!r}.")
    if values.max() <= values.min() + 2 * margin:
        raise InputError(
            f"a task within {values.min():g}..{values.max():g} is near constant for the margin {margin:g}; give one that "
            "varies, or a smaller margin."
        )
    rng = np.random.default_rng(seed)
    found = np.zeros(2)
    for trial in range(trials):
        result = representability(
            hom,
            rng.permutation(values),
            variance,
            margin,
            candidates=points,
            outside=outside,
            alpha=alpha,
            rounds=0,
            seed=seed + trial,
            limit_bytes=limit_bytes,
        )
        found += [level.verdict == "representable" for level in (result.value, result.calibrated)]
    value, calibrated = (
        Interval(count / trials, *clopper_pearson(count, trials), trials, float(trials), "Clopper-Pearson")
        for count in found.tolist()
    )
    return FalseAlarms(trials, alpha, value, calibrated)
