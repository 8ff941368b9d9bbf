"""Rung 6: what changing the weights is expected to reach. A forecast learnt on other tasks, never a proof.

Fine-tuning is the Kan extension along Yoneda (Theorem 2): it fails only on what the category can't tell apart, but the
theorem bounds no finite training run, so this number comes from real runs on real tasks (`benchmarks/ladder_holds.py`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from math import sqrt

from presheaf.audits.baseline import TEXT, Plain
from presheaf.audits.ceiling import Ceiling
from presheaf.audits.climb import Climb, absent
from presheaf.audits.result import Rung
from presheaf.statistics.intervals import SMALL, beta_binomial, wilson

NAME = "fine-tune forecast"


@dataclass(frozen=True)
class Calibration:
    """Rule fitted to real fine-tuning: accuracy = e + gain (1 - e), with e the best accuracy measured without it.

    ``low`` and ``high`` are the 2.5 % and 97.5 % limits of what real runs reached minus the rule, each task left out
    of the fit in its turn; ``tasks`` and ``runs`` say on how much that stands.
    """

    gain: float
    low: float
    high: float
    mean_absolute_error: float
    tasks: int
    runs: int
    rows: int
    model: str


@cache
def calibration() -> Calibration:
    """The calibration that ships with the package."""
    text = files("presheaf.audits").joinpath("fine_tune_calibration.json").read_text(encoding="utf-8")
    return Calibration(**json.loads(text))


def predict(evidence: float, cap: float = 1.0) -> float:
    """The rule: part of the way from what is measured to the ceiling, never below what is measured."""
    return max(evidence, min(cap, evidence + calibration().gain * (1.0 - evidence)))


def _capped(rung: Rung, cap: float, cap_high: float) -> Rung:
    """What a rung of the baseline is worth as evidence: it sees rows apart that this model may merge at its input."""
    return replace(
        rung,
        accuracy=min(rung.accuracy or 0.0, cap),
        low=min(rung.low or 0.0, cap),
        high=min(1.0 if rung.high is None else rung.high, cap_high),
    )


def _surely(rung: Rung, tried: int) -> float:
    """Lower limit of the best of ``tried`` rungs, all compared at once (Bonferroni): of many, one does well by luck."""
    assert rung.accuracy is not None
    effective = float(rung.evidence.get("effective_rows", rung.rows))
    bounds = beta_binomial if effective < SMALL else wilson
    return bounds(rung.accuracy * effective, effective, 1 - 0.05 / tried)[0]


def climb(
    climbs: dict[str, Climb],
    baseline: dict[str, Climb],
    bounds: list[Ceiling],
    *,
    trainable: bool = True,
    plain: Plain = TEXT,
) -> Climb:
    """Forecast from the best rung measured on the held-out rows (the model's or the baseline's) and the ceilings.

    No number where the weights can't be changed, and none where nothing measured is shown to beat the most common
    class: the rule was learnt on tasks that can be learnt, and labels that are pure noise would get its gain too.
    """
    if not trainable:
        return absent(NAME, "estimate", "this model's weights can't be changed")
    if "head" not in climbs or climbs["head"].rung.accuracy is None:
        return absent(NAME, "estimate", "no head was measured to forecast from")
    cap = min([1.0, *(b.accuracy for b in bounds)])
    cap_high = min([1.0, *(b.high for b in bounds)])
    own = [(c.rung, c.rung.name) for c in climbs.values() if c.rung.accuracy is not None]
    rivals = [
        (_capped(c.rung, cap, cap_high), f"{c.rung.name} on {plain.short}")
        for c in baseline.values()
        if c.rung.accuracy is not None
    ]
    best, source = max(own + rivals, key=lambda item: item[0].accuracy or 0.0)
    assert best.accuracy is not None
    assert best.low is not None
    assert best.high is not None
    tried = sum(rung.name != "majority class" for rung, _ in own + rivals)
    if _surely(best, max(1, tried)) <= (climbs["majority class"].rung.accuracy or 0.0):
        nothing = absent(NAME, "estimate", "nothing measured is shown to beat the most common class")
        return Climb(replace(nothing.rung, evidence={"from": source, "from_accuracy": best.accuracy}))
    rule = calibration()
    value = predict(best.accuracy, max(cap, best.accuracy))
    # The rule's own error and the sampling error of its evidence are independent of each other.
    down = sqrt(min(rule.low, 0.0) ** 2 + (best.accuracy - best.low) ** 2)
    up = sqrt(max(rule.high, 0.0) ** 2 + (best.high - best.accuracy) ** 2)
    low = max(min(best.low, value), value - down)
    high = max(value, min(cap_high, value + up))
    return Climb(
        Rung(
            NAME,
            "estimate",
            value,
            low,
            high,
            best.rows,
            cost="training all weights",
            detail=f"from the best rung measured ({source}); rule of {rule.runs} runs on {rule.tasks} other tasks"
            + (" of texts" if plain is not TEXT else ""),
            evidence={
                "from": source,
                "from_accuracy": best.accuracy,
                "gain": rule.gain,
                "calibrated_on": rule.model,
                "mean_absolute_error_left_out": rule.mean_absolute_error,
            },
        )
    )
