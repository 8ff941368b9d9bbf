"""FE01: rows equal in feature space, computed one by one, though their inputs differ."""

from __future__ import annotations

from presheaf.audits.findings.base import Check, Evidence, plural
from presheaf.audits.merges import LOOKED_AT
from presheaf.audits.result import Finding


def _look(check: Check, evidence: Evidence) -> Finding:
    if evidence.context.model.info.kind == "openai":
        return check.inapplicable("asking an endpoint again one by one costs money, so equality can't be proved.")
    equal = [m for m in evidence.merges.feature_merges if m.tier == "T1"]
    if not equal:
        return check.nothing("no two different inputs have equal features.")
    rows = [int(evidence.context.task.rows[p]) for m in equal for p in (m.a, m.b)]
    conflicts = [m for m in equal if m.conflict]
    precision = equal[0].precision
    groups = [
        evidence.merges.rows((m.a, m.b), "equal features", f"computed one by one in {m.precision}") for m in equal
    ]
    # Only so many pairs are encoded again, so a full count is a least count.
    least = "at least " if len(equal) >= LOOKED_AT else ""
    message = (
        f"{least}{plural(len(equal), 'pair')} of rows have the same features (computed one by one in {precision}); no prompt "
        "and no head on these features tells them apart"
    )
    if conflicts:
        message += f"; {plural(len(conflicts), 'pair')} carry different labels"
    return check.found(
        message + ".",
        severity="error" if conflicts else "info",
        remedy="another layer or pooling, fine-tuning, or another model",
        rows=rows,
        groups=groups,
        evidence={"pairs": len(equal), "conflicting_pairs": len(conflicts), "precision": precision},
    )


CHECK = Check("FE01", "Rows equal in feature space", "proof", _look)
