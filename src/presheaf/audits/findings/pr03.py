"""PR03: no prompt found, within the set tried."""

from __future__ import annotations

from presheaf.audits.findings.base import Check, Evidence, against, span
from presheaf.audits.numbers import number
from presheaf.audits.result import Finding


def _look(check: Check, evidence: Evidence) -> Finding:
    rung = evidence.rung("one prompt per label")
    if evidence.target is None:
        return check.inapplicable("no target was given; name one with --target")
    where = against(rung, evidence.target)
    if where == "missing":
        return check.inapplicable(rung.missing)
    tried = rung.evidence.get("tried", 0)
    if where == "below":
        return check.found(
            f"the best of {tried:,} sets of prompts reaches {span(rung)}, below {number(evidence.target)}. This speaks of "
            "the prompts tried, not of every prompt there is.",
            severity="warning",
            remedy="add prompts of your own with --prompts FILE, or take several per label",
            evidence={"tried": tried},
        )
    if where == "unlikely":
        return check.unsaid(f"the target lies inside the interval {span(rung)}.")
    return check.nothing("a prompt was found.")


CHECK = Check("PR03", "No prompt found", "estimate", _look)
