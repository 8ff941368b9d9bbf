"""FT02: only changing the weights can reach the target."""

from __future__ import annotations

from presheaf.audits.findings.base import Check, Evidence, against, span
from presheaf.audits.numbers import number
from presheaf.audits.result import Finding


def _look(check: Check, evidence: Evidence) -> Finding:
    if evidence.target is None:
        return check.inapplicable("no target was given; name one with --target")
    frozen = [climb.rung for climb in evidence.frozen]
    forecast, how = evidence.tuning
    if any(against(r, evidence.target) in ("shown", "likely") for r in frozen):
        return check.nothing("a rung that leaves the weights alone reaches the target.")
    if any(against(r, evidence.target) == "unlikely" for r in frozen):
        return check.unsaid("the target lies inside the interval of a rung that leaves the weights alone.")
    if forecast.accuracy is None:
        return check.inapplicable(forecast.missing)
    if not evidence.context.model.info.trainable:
        return check.inapplicable("the weights of this model can't be changed by its user.")
    where = against(forecast, evidence.target)
    if where in ("shown", "likely"):
        return check.found(
            f"no prompt and no head tried reaches {number(evidence.target)}; fine-tuning is {how} to reach {span(forecast)}.",
            severity="warning",
            remedy="fine-tune the model, and audit it again afterwards",
        )
    if where == "unlikely":
        return check.unsaid(f"fine-tuning is {how} at {span(forecast)}; the target lies in the upper part of that.")
    return check.nothing(f"fine-tuning is {how} at {span(forecast)}, below the target too.")


CHECK = Check("FT02", "Only changing the weights can", "estimate", _look)
