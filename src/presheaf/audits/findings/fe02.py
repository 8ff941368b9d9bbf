"""FE02: rows with different labels that are nearly equal in feature space. Evidence, never a proof."""

from __future__ import annotations

from presheaf.audits.findings.base import Check, Evidence, plural
from presheaf.audits.merges import NEAR
from presheaf.audits.result import Finding


def _look(check: Check, evidence: Evidence) -> Finding:
    threshold = evidence.merges.near
    near = sorted(
        (m for m in evidence.merges.feature_merges if m.tier == "T2" and m.conflict), key=lambda m: m.distance
    )
    if not near:
        return check.nothing(
            f"no two rows with different labels are closer than 1 - cosine = {threshold:.2g}, {NEAR} of the mean pair's."
        )
    rows = [int(evidence.context.task.rows[p]) for m in near for p in (m.a, m.b)]
    groups = [evidence.merges.rows((m.a, m.b), "near", f"1 - cosine = {m.distance:.2g}") for m in near]
    return check.found(
        f"{plural(len(near), 'pair')} of rows with different labels {'is' if len(near) == 1 else 'are'} nearly the same to the "
        f"model (1 - cosine at most {threshold:.2g}, {NEAR} of the mean pair's). A head or fine-tuning can still tell them "
        "apart.",
        severity="warning" if len(set(rows)) >= 0.01 * len(evidence.context.task) else "info",
        remedy="check these labels first; then a model that separates them, or fine-tuning",
        rows=rows,
        groups=groups,
        evidence={"pairs": len(near), "threshold": threshold},
    )


CHECK = Check("FE02", "Near-merges with different labels", "heuristic", _look)
