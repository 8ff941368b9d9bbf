"""One sentence and one decision from the ladder and the findings."""

from __future__ import annotations

from presheaf.audits.climb import Climb
from presheaf.audits.findings.base import FROZEN, Evidence, against, per_cent, plural, span
from presheaf.audits.findings.pr02 import count
from presheaf.audits.findings.st01 import HOPELESS
from presheaf.audits.result import Decision, Verdict
from presheaf.statistics.intervals import paired_difference

MARGIN = 0.02
"""Without a target, the cheapest rung that is at most this far below the best one is the answer."""
_DECISIONS: dict[str, Decision] = {
    "one prompt per label": "prompt",
    "k prompts per label": "ensemble",
    "soft prompt": "soft prompt",
    "head": "head",
}


def _story(evidence: Evidence) -> tuple[str, ...]:
    """One clause for each rung that has a number."""
    return tuple(f"{r.name} {span(r)}" for r in (c.rung for c in evidence.climbs.values()) if r.accuracy is not None)


def _ceiling_clause(evidence: Evidence) -> str:
    bound = evidence.merges.input_ceiling or evidence.merges.label_ceiling
    if bound.wrong_rows == 0:
        return ""
    rows = "1 row is" if bound.wrong_rows == 1 else f"{bound.wrong_rows:,} rows are"
    return f" {rows} proved wrong for every adaptation (ceiling {per_cent(1 - bound.wrong_rows / bound.rows)} on these rows)."


def decide(evidence: Evidence) -> Verdict:
    """The verdict. With a target: the cheapest rung that reaches it, or what to do instead. Without: see `MARGIN`."""
    held = evidence.context.held_out
    if held < HOPELESS or evidence.climbs["head"].rung.accuracy is None:
        why = evidence.climbs["head"].rung.missing or f"only {plural(held, 'different held-out row')}"
        sentence = f"Cannot say: {why}."
        return Verdict("cannot say", sentence, evidence.target, None, "estimate", _story(evidence))
    return _with_target(evidence, evidence.target) if evidence.target is not None else _without(evidence)


def _with_target(evidence: Evidence, target: float) -> Verdict:
    reasons = _story(evidence)
    frozen = [evidence.rung(name) for name in FROZEN if evidence.rung(name).accuracy is not None]
    tail = _ceiling_clause(evidence)
    one = evidence.rung("one prompt per label")
    for rung in frozen:
        where = against(rung, target)
        if where not in ("shown", "likely"):
            continue
        decision = _DECISIONS[rung.name]
        sure = "is shown to reach" if where == "shown" else "probably reaches"
        before = (
            "" if rung is one else f"One prompt per label reaches {span(one)}; " if one.accuracy is not None else ""
        )
        subject = rung.name if before else rung.name[0].upper() + rung.name[1:]
        text = f"{before}{subject} {sure} {per_cent(target)}: {span(rung)} with {rung.detail}.{tail}"
        return Verdict(decision, text, target, True, "estimate", reasons)
    best = max(frozen, key=lambda r: r.accuracy or 0.0)
    short = f"Neither prompts nor a head reach {per_cent(target)}: the best is {best.name}, {span(best)}."
    proved = _proved_out(evidence, target, short, reasons)
    if proved is not None:
        return proved
    more = evidence.forecast
    if more is not None and more.k is not None and not more.reached:
        short += f" The curve forecasts {count(more)} labelled rows per label as prompts."
    forecast = evidence.rung("fine-tune forecast")
    where = against(forecast, target)
    trainable = evidence.context.model.info.trainable
    if where in ("shown", "likely") and trainable:
        text = f"{short} Fine-tuning is forecast to reach {span(forecast)}.{tail}"
        return Verdict("fine-tune", text, target, True, "estimate", reasons)
    if any(against(r, target) == "unlikely" for r in frozen) or where == "unlikely":
        near = (
            "the target lies inside an interval; more rows would settle it"
            if where != "unlikely"
            else (f"fine-tuning is forecast at {span(forecast)}, which leaves it open")
        )
        return Verdict("cannot say", f"Cannot say. {short} But {near}.{tail}", target, None, "estimate", reasons)
    if where in ("shown", "likely"):
        text = f"{short} Fine-tuning would be forecast to reach {span(forecast)}, but this model's weights can't be changed."
        return Verdict("change the model", text + tail, target, False, "estimate", reasons)
    plain = evidence.baseline.get("head")
    hint = ""
    if plain is not None and against(plain.rung, target) in ("shown", "likely"):
        hint = f" Counting words (TF-IDF) reaches {span(plain.rung)}."
    text = f"{short} Fine-tuning is forecast at {span(forecast)}, below the target too: take another model.{hint}{tail}"
    return Verdict("change the model", text, target, False, "estimate", reasons)


def _proved_out(evidence: Evidence, target: float, short: str, reasons: tuple[str, ...]) -> Verdict | None:
    labels, inputs = evidence.merges.label_ceiling, evidence.merges.input_ceiling
    if target > min(labels.high, 1 - labels.wrong_rows / labels.rows):
        text = f"The labels contradict themselves: {labels.wrong_rows:,} of {labels.rows:,} rows must be wrong for any model. {short}"
        return Verdict("relabel", text, target, False, "proof", reasons)
    if inputs is not None and target > min(inputs.high, 1 - inputs.wrong_rows / inputs.rows):
        text = (
            f"No adaptation of this model reaches {per_cent(target)} on these rows: {inputs.wrong_rows:,} of {inputs.rows:,} "
            f"must be wrong because it merges them at its input. {short}"
        )
        return Verdict("change the model", text, target, False, "proof", reasons)
    return None


def _within(cheap: Climb, best: Climb) -> bool:
    assert cheap.correct is not None
    assert best.correct is not None
    return paired_difference(best.correct, cheap.correct).value <= MARGIN


def _without(evidence: Evidence) -> Verdict:
    measured = [evidence.climbs[name] for name in FROZEN if evidence.climbs[name].correct is not None]
    best = max(measured, key=lambda c: c.rung.accuracy or 0.0)
    answer = next(c for c in measured if _within(c, best))
    rung, forecast = answer.rung, evidence.rung("fine-tune forecast")
    majority = evidence.rung("majority class")
    tail = _ceiling_clause(evidence)
    reasons = _story(evidence)
    assert best.rung.low is not None
    assert majority.accuracy is not None
    if best.rung.low <= majority.accuracy:
        text = (
            f"Nothing tried on this model is shown to beat always answering the most common class ({span(majority)}): the "
            f"best is {best.rung.name}, {span(best.rung)}.{tail}"
        )
        return Verdict("change the model", text, None, None, "estimate", reasons)
    plain = evidence.baseline.get("head")
    if plain is not None and plain.correct is not None and best.correct is not None:
        lead = paired_difference(plain.correct, best.correct, evidence.context.groups_scoring)
        if lead.low > 0:
            text = f"Counting words (TF-IDF) reaches {span(plain.rung)}, more than this model's {span(best.rung)}: take another model.{tail}"
            return Verdict("change the model", text, None, None, "estimate", reasons)
    text = f"{rung.name[0].upper()}{rung.name[1:]} is enough: {span(rung)} with {rung.detail}"
    text += "." if answer is best else f", within {MARGIN:.2f} of the best ({best.rung.name}, {span(best.rung)})."
    if answer is not measured[0]:
        cheapest = measured[0].rung
        text = f"{cheapest.name[0].upper()}{cheapest.name[1:]} reaches {span(cheapest)}. " + text
    if forecast.accuracy is not None and forecast.accuracy > (rung.accuracy or 0) + MARGIN:
        text += f" Fine-tuning is forecast at {span(forecast)}."
    return Verdict(_DECISIONS[rung.name], text + tail, None, None, "estimate", reasons)


def exit_code(verdict: Verdict) -> int:
    """0 unless a target was given and is not reached (or not shown to be): then 1, so that a pipeline can gate on it."""
    return 1 if verdict.target is not None and not verdict.reached else 0
