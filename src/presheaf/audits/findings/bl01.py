"""BL01: counting words (for images: comparing pixels) does as well as the model."""

from __future__ import annotations

from dataclasses import replace

from presheaf.audits.baseline import plain_of
from presheaf.audits.findings.base import Check, Evidence, span
from presheaf.audits.numbers import signed
from presheaf.audits.result import Finding
from presheaf.statistics.intervals import paired_difference
from presheaf.statistics.paired import mcnemar


def _look(check: Check, evidence: Evidence) -> Finding:
    media = evidence.context.task.media
    names = plain_of(media)
    if media == "image":
        check = replace(check, title="No better than comparing pixels")
    mine, plain = evidence.climbs["head"], evidence.baseline.get("head")
    if plain is None or plain.correct is None:
        return check.inapplicable(
            "there is no text to count words in and no image, or the model is the baseline itself."
        )
    if mine.correct is None:
        return check.inapplicable(mine.rung.missing)
    groups = evidence.context.groups_scoring
    difference = paired_difference(mine.correct, plain.correct, groups)
    p = mcnemar(mine.correct, plain.correct, groups)
    facts = {"difference": difference.value, "low": difference.low, "high": difference.high, "p": p}
    told = (
        f"head on the model {span(mine.rung)}, on {names.name} {span(plain.rung)}; difference {signed(difference.value)} "
        f"[{signed(difference.low)}, {signed(difference.high)}]"
    )
    if difference.low > 0:
        return check.nothing(f"the model beats the baseline: {told}.")
    if difference.high < 0:
        return check.found(
            f"the baseline beats the model: {told}.",
            severity="error",
            remedy="use the baseline, or another model",
            evidence=facts,
        )
    return check.found(
        f"the model can't be told apart from {names.doing}: {told}.",
        severity="warning",
        remedy="the baseline costs nothing to run; more rows would show whether the model adds anything",
        evidence=facts,
    )


CHECK = Check("BL01", "No better than counting words", "estimate", _look)
