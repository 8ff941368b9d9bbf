"""IN03: rows whose words the model's vocabulary lacks."""

from __future__ import annotations

from collections import Counter

from presheaf.audits.findings.base import Check, Evidence
from presheaf.audits.findings.input_merges import merged
from presheaf.audits.result import Finding

_REMEDY = "a model whose vocabulary covers the script (multilingual or byte-level)"
_REMEDY_COUNTS = "more rows to learn the vocabulary from, or a model whose vocabulary is not learnt from the table"


def _look(check: Check, evidence: Evidence) -> Finding:
    if evidence.context.task.media == "image":
        return check.inapplicable("an image has no words.")
    traces = evidence.merges.traces or []
    share = sum(bool(t.unknown) for t in traces) / len(traces) if traces else 0.0
    common = Counter(word for t in traces for word in t.unknown).most_common(8)
    shown = ", ".join(repr(word) for word, _ in common[:5])
    about = f"{share:.1%} of the rows hold words unknown to the model ({shown})" if common else ""
    return merged(
        check,
        evidence,
        what="Unknown tokens",
        share=share,
        about=about,
        remedy=_REMEDY_COUNTS if evidence.context.model.info.kind == "tfidf" else _REMEDY,
        facts={"share_with_unknown": share, "most_common": [list(pair) for pair in common], "rows_traced": len(traces)},
    )


CHECK = Check("IN03", "Unknown tokens", "proof", _look)
