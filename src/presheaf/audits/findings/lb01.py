"""LB01: identical raw rows with different labels. No model is to blame."""

from __future__ import annotations

from presheaf.audits.findings.base import Check, Evidence, plural
from presheaf.audits.numbers import number
from presheaf.audits.result import Finding


def _look(check: Check, evidence: Evidence) -> Finding:
    media = evidence.context.task.media
    if evidence.context.task.objects is None:
        return check.inapplicable("the table has no text and no images, so identical rows can't be seen.")
    groups = evidence.merges.contradictions
    if not groups:
        return check.nothing(f"no two identical {media}s carry different labels.")
    bound = evidence.merges.label_ceiling
    rows = [int(evidence.context.task.rows[p]) for g in groups for p in g]
    return check.found(
        f"{plural(len(rows), 'row')} hold {plural(len(groups), media)} with contradictory labels; at least "
        f"{plural(bound.wrong_rows, 'row')} must be wrong for any model (ceiling {number(bound.accuracy)} "
        f"[{number(bound.low)}, {number(bound.high)}] on new rows).",
        severity="error" if bound.wrong_rows >= 0.01 * bound.rows else "warning",
        remedy="relabel these rows, or add the context that decides the label",
        rows=rows,
        groups=[evidence.merges.rows(g, "Contradictory labels") for g in groups],
        evidence={f"{media}s": len(groups), "wrong_rows": bound.wrong_rows, "ceiling": bound.accuracy},
    )


CHECK = Check("LB01", "Contradictory labels", "proof", _look)
