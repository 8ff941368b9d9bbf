"""IN02: rows cut off at the model's window."""

from __future__ import annotations

from presheaf.audits.findings.base import Check, Evidence
from presheaf.audits.findings.input_merges import merged
from presheaf.audits.result import Finding


def _look(check: Check, evidence: Evidence) -> Finding:
    if evidence.context.task.media == "image":
        return check.inapplicable("an image has no tokens; parts that the model crops away are IN01.")
    window = evidence.context.model.info.window
    if window is None and evidence.merges.cells is not None:
        return check.inapplicable("this model has no window: it reads texts of any length.")
    traces = evidence.merges.traces or []
    share = sum(t.cut > 0 for t in traces) / len(traces) if traces else 0.0
    lost = sum(t.cut for t in traces) / max(1, sum(t.cut + len(t.tokens) for t in traces))
    about = f"{share:.1%} of the rows run past the window of {window} tokens and lose {lost:.1%} of all tokens"
    return merged(
        check,
        evidence,
        what="truncation",
        share=share,
        about=about,
        remedy="a longer window where the model has one (option window=...), a model with a longer one, or split the texts and pool the parts",
        facts={"window": window, "share_past_window": share, "share_of_tokens_lost": lost, "rows_traced": len(traces)},
    )


CHECK = Check("IN02", "Rows cut off at the window", "proof", _look)
