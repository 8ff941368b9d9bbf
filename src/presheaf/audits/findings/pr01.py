"""PR01: one prompt per label solves the task."""

from __future__ import annotations

from presheaf.audits.findings.base import Check, Evidence, against, span
from presheaf.audits.numbers import number
from presheaf.audits.result import Finding

RUNG = "one prompt per label"


def _look(check: Check, evidence: Evidence) -> Finding:
    rung = evidence.rung(RUNG)
    if evidence.target is None:
        return check.inapplicable("no target was given; name one with --target")
    where = against(rung, evidence.target)
    if where == "missing":
        return check.inapplicable(rung.missing)
    if where in ("shown", "likely"):
        sure = "" if where == "shown" else "; the interval reaches below the target, so more rows would settle it"
        return check.found(
            f"one prompt per label reaches {span(rung)} against a target of {number(evidence.target)}{sure}.",
            severity="info",
            remedy="copy the prompts printed under 'prompts'; nothing needs training",
        )
    if where == "unlikely":
        return check.unsaid(f"the best of the prompts tried reaches {span(rung)}; the target lies inside the interval.")
    return check.nothing(f"the best of the prompts tried reaches {span(rung)}.")


CHECK = Check("PR01", "One prompt solves it", "estimate", _look)
