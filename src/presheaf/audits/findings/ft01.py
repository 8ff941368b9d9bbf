"""FT01: a head on the frozen features reaches the target."""

from __future__ import annotations

from presheaf.audits.findings.base import Check, Evidence, against, span
from presheaf.audits.result import Finding


def _look(check: Check, evidence: Evidence) -> Finding:
    if evidence.target is None:
        return check.inapplicable("no target was given; name one with --target")
    reached = [
        rung
        for rung in (evidence.rung("soft prompt"), evidence.rung("head"))
        if against(rung, evidence.target) in ("shown", "likely")
    ]
    head = evidence.rung("head")
    if reached:
        rung = reached[0]
        sure = "" if against(rung, evidence.target) == "shown" else "; the interval reaches below the target"
        return check.found(
            f"a {rung.name} on the frozen features reaches {span(rung)} ({rung.detail}){sure}.",
            severity="info",
            remedy="train the head; the model's weights can stay as they are",
        )
    if head.accuracy is None:
        return check.inapplicable(head.missing)
    if against(head, evidence.target) == "unlikely":
        return check.unsaid(f"the head reaches {span(head)}; the target lies inside the interval.")
    return check.nothing(f"the best head reaches {span(head)}.")


CHECK = Check("FT01", "A head reaches the target", "estimate", _look)
