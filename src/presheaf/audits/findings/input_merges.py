"""What IN01, IN02 and IN03 share: merges at the input of one kind."""

from __future__ import annotations

from typing import Any

from presheaf.audits.findings.base import Check, Evidence, plural
from presheaf.audits.result import Finding, Severity

UNSEEN = "the model's input can't be seen (an endpoint, a black box or precomputed vectors), so merges can't be proved."


def merged(
    check: Check,
    evidence: Evidence,
    *,
    what: str,
    remedy: str,
    share: float = 0.0,
    about: str = "",
    facts: dict[str, Any] | None = None,
) -> Finding:
    """The finding for all merges whose causes include ``check.code``.

    ``share`` is the share of rows concerned even where none merge (rows past the window), told by ``about``; at 1 %
    it is a finding by itself.
    """
    if evidence.context.task.objects is None or evidence.merges.cells is None:
        return check.inapplicable(UNSEEN)
    media = evidence.context.task.media
    mine = [m for m in evidence.merges.merges if check.code in m.codes]
    rows = [int(evidence.context.task.rows[p]) for m in mine for p in m.positions]
    conflicts = [m for m in mine if m.conflict]
    in_conflict = sum(len(m.positions) for m in conflicts)
    named = sorted({cause for m in mine for cause in m.named})
    facts = {
        "merges": len(mine),
        "rows": len(rows),
        "conflicting_merges": len(conflicts),
        "causes": named,
        "share_concerned": share,
        **(facts or {}),
    }
    if not mine:
        if share >= 0.01:
            return check.found(
                f"{about}; no two rows became equal by it.",
                severity="info",
                kind="proof" if len(evidence.merges.traces or ()) == len(evidence.context.task) else "estimate",
                remedy=remedy,
                evidence=facts,
            )
        return check.nothing(f"no two different {media}s became one input by {what}.")
    severity: Severity = "error" if in_conflict >= 0.01 * len(evidence.context.task) else "warning"
    message = f"{plural(len(rows), 'row')} with different {media}s are {plural(len(mine), 'input')} to this model ({', '.join(named)})"
    if conflicts:
        message += f"; {plural(in_conflict, 'row')} of them carry different labels and can't all be right, whatever the weights are"
    else:
        message += "; their labels agree, so nothing is lost on these rows"
        severity = "info"
    if about and share >= 0.01:
        message += f". {about[0].upper()}{about[1:]}"
    groups = [evidence.merges.group(m) for m in mine]
    return check.found(message + ".", severity=severity, remedy=remedy, rows=rows, groups=groups, evidence=facts)
