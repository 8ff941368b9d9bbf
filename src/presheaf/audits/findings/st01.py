"""ST01: too few rows to say."""

from __future__ import annotations

import numpy as np

from presheaf.audits.findings.base import Check, Evidence, plural
from presheaf.audits.result import Finding

ROWS = 100
"""Held-out rows below which an accuracy near one half is known to no better than plus or minus .10."""
PER_CLASS = 5
HOPELESS = 20
"""Held-out rows below which no decision is printed at all."""


def _look(check: Check, evidence: Evidence) -> Finding:
    context = evidence.context
    held = context.held_out
    fewest = min(
        int(np.bincount(y, minlength=context.classes).min()) if len(y) else 0
        for y in (context.y_choosing, context.y_scoring)
    )
    facts = {"different_held_out_rows": held, "rows_of_rarest_class_in_a_half": fewest}
    if held >= ROWS and fewest >= PER_CLASS:
        return check.nothing(f"{held:,} different held-out rows, at least {fewest} of every class.")
    why = []
    if held < ROWS:
        why.append(
            f"only {plural(held, 'different held-out row')} (an accuracy is then known to about "
            f"±{0.98 / max(held, 1) ** 0.5:.2f})"
        )
    if fewest < PER_CLASS:
        counts = np.bincount(context.task.labels, minlength=context.classes)
        rare = [context.task.classes[i] for i in np.argsort(counts, kind="stable")[:3] if counts[i] < 2 * PER_CLASS + 2]
        why.append(f"fewer than {PER_CLASS} rows of a class in one half ({', '.join(map(repr, rare))})")
    return check.found(
        "; ".join(why) + ".",
        severity="error" if held < HOPELESS else "warning",
        remedy="label more rows, or merge rare classes",
        evidence=facts,
    )


CHECK = Check("ST01", "Too few rows to say", "estimate", _look)
