"""PR02: k prompts per label are needed, and how many."""

from __future__ import annotations

from presheaf.audits.findings.base import Check, Evidence, against, span
from presheaf.audits.numbers import number
from presheaf.audits.result import Finding, Forecast


def count(forecast: Forecast) -> str:
    """ "16 [8, 64]", with "more" where the interval is open."""
    if forecast.k is None:
        return "no number of"
    low = "1" if forecast.low is None else f"{forecast.low:,.0f}"
    high = "more" if forecast.high is None else f"{forecast.high:,.0f}"
    return f"about {forecast.k:,.0f} [{low}, {high}]"


def _look(check: Check, evidence: Evidence) -> Finding:
    one, many = evidence.rung("one prompt per label"), evidence.rung("k prompts per label")
    if evidence.target is None:
        return check.inapplicable("no target was given; name one with --target")
    if many.accuracy is None:
        return check.inapplicable(many.missing)
    if against(one, evidence.target) in ("shown", "likely"):
        return check.nothing("one prompt per label is enough.")
    facts = {}
    if evidence.forecast is not None:
        facts = {"k": evidence.forecast.k, "low": evidence.forecast.low, "high": evidence.forecast.high}
    if against(many, evidence.target) in ("shown", "likely"):
        return check.found(
            f"one prompt per label reaches {span(one)}, several reach {span(many)} ({many.detail}).",
            severity="info",
            remedy="use labelled rows as prompts, as many per label as the curve says",
            evidence=facts,
        )
    if evidence.forecast is not None and evidence.forecast.k is not None:
        return check.found(
            f"the rows at hand don't reach {number(evidence.target)} ({span(many)}); the curve forecasts "
            f"{count(evidence.forecast)} rows per label.",
            severity="warning",
            remedy="label more rows, or climb to the next rung",
            evidence=facts,
        )
    return check.nothing(f"no number of prompts is forecast to reach the target; the rows at hand reach {span(many)}.")


CHECK = Check("PR02", "Several prompts per label needed", "estimate", _look)
