"""One sentence and one decision from the ladder and the findings."""

from __future__ import annotations

from presheaf.audits.climb import Climb
from presheaf.audits.findings.base import FROZEN, Evidence, against, per_cent, plural, span
from presheaf.audits.findings.pr02 import count
from presheaf.audits.findings.st01 import HOPELESS
from presheaf.audits.result import Decision, Rung, Verdict
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
    return f" {rows} proved wrong, whatever the weights are (ceiling {per_cent(1 - bound.wrong_rows / bound.rows)} on these rows)."


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
    shown = next((r for r in frozen if against(r, target) == "shown"), None)
    short = _short(frozen, target)
    # What is counted on these rows outweighs an interval that merely reaches up to the target.
    proved = _proved_out(evidence, target, short, reasons) if shown is None else None
    if proved is not None:
        return proved
    reached = next((r for r in frozen if against(r, target) in ("shown", "likely")), None)
    if reached is not None:
        text = _reached(evidence, target, reached, shown)
        # Reached on the held-out rows is not yet shown for new ones, and a pipeline must not take it for that.
        return Verdict(_DECISIONS[reached.name], text, target, True if shown else None, "estimate", reasons)
    return _missed(evidence, target, frozen, short, reasons)


def _short(frozen: list[Rung], target: float) -> str:
    best = max(frozen, key=lambda r: r.accuracy or 0.0)
    if all(against(r, target) == "below" for r in frozen):
        return f"Neither prompts nor a head reach {per_cent(target)}: the best is {best.name}, {span(best)}."
    return f"No prompt and no head is shown to reach {per_cent(target)}: the best is {best.name}, {span(best)}."


def _reached(evidence: Evidence, target: float, rung: Rung, shown: Rung | None) -> str:
    """The sentence for the cheapest rung that reaches the target; ``shown`` is the cheapest one that surely does."""
    one, majority = evidence.rung("one prompt per label"), evidence.rung("majority class")
    assert rung.low is not None
    assert majority.accuracy is not None
    before = "" if rung is one or one.accuracy is None else f"One prompt per label reaches {span(one)}; "
    subject = rung.name if before else rung.name[0].upper() + rung.name[1:]
    if rung is shown:
        text = f"{before}{subject} is shown to reach {per_cent(target)}: {span(rung)} with {rung.detail}."
    else:
        text = (
            f"{before}{subject} reaches {per_cent(target)} on the held-out rows, too few to show it for new ones: "
            f"{span(rung)} with {rung.detail}."
        )
        text += "" if shown is None else f" {shown.name[0].upper()}{shown.name[1:]} is shown to: {span(shown)}."
    if majority.accuracy >= target:
        text += f" But so does always answering the most common class, {span(majority)}: this target says little."
    if rung.low <= majority.accuracy:
        text += f" {rung.name[0].upper()}{rung.name[1:]} is not shown to beat always answering the most common class ({span(majority)})."
    return text + _ceiling_clause(evidence)


def _missed(evidence: Evidence, target: float, frozen: list[Rung], short: str, reasons: tuple[str, ...]) -> Verdict:
    """What to do when no rung that leaves the weights alone reaches the target and nothing proves that none can."""
    tail = _ceiling_clause(evidence)
    more = evidence.forecast
    if more is not None and more.k is not None and not more.reached:
        short += f" The curve forecasts {count(more)} labelled rows per label as prompts."
    forecast = evidence.rung("fine-tune forecast")
    where = against(forecast, target)
    if where in ("shown", "likely"):
        text = f"{short} Fine-tuning is forecast to reach {span(forecast)}.{tail}"
        return Verdict("fine-tune", text, target, True if where == "shown" else None, "estimate", reasons)
    if any(against(r, target) == "unlikely" for r in frozen) or where == "unlikely":
        near = (
            "the target lies inside an interval; more rows would settle it"
            if where != "unlikely"
            else (f"fine-tuning is forecast at {span(forecast)}, which leaves it open")
        )
        return Verdict("cannot say", f"Cannot say. {short} But {near}.{tail}", target, None, "estimate", reasons)
    plain = evidence.baseline.get("head")
    hint = ""
    if plain is not None and against(plain.rung, target) in ("shown", "likely"):
        hint = f" Counting words (TF-IDF) reaches {span(plain.rung)}."
    if where == "missing":
        why = forecast.missing[0].upper() + forecast.missing[1:]
        text = f"{short} {why}, so there is no forecast for fine-tuning: take another model.{hint}{tail}"
    else:
        text = f"{short} Fine-tuning is forecast at {span(forecast)}, below the target too: take another model.{hint}{tail}"
    return Verdict("change the model", text, target, False, "estimate", reasons)


def _proved_out(evidence: Evidence, target: float, short: str, reasons: tuple[str, ...]) -> Verdict | None:
    """What is counted on these rows first, a proof; then the upper limits for new rows, which are statistics."""
    labels, inputs = evidence.merges.label_ceiling, evidence.merges.input_ceiling
    if target > 1 - labels.wrong_rows / labels.rows:
        text = f"The labels contradict themselves: {labels.wrong_rows:,} of {labels.rows:,} rows must be wrong for any model. {short}"
        return Verdict("relabel", text, target, False, "proof", reasons)
    if inputs is not None and target > 1 - inputs.wrong_rows / inputs.rows:
        text = (
            f"Whatever its weights are, this model can't reach {per_cent(target)} on these rows: {inputs.wrong_rows:,} of "
            f"{inputs.rows:,} must be wrong because it merges them at its input. {short}"
        )
        return Verdict("change the model", text, target, False, "proof", reasons)
    if target > labels.high:
        text = f"Identical rows agree too seldom in their labels: on new rows no model passes {per_cent(labels.high)}. {short}"
        return Verdict("relabel", text, target, False, "estimate", reasons)
    if inputs is not None and target > inputs.high:
        text = (
            f"Rows that are one input to this model agree too seldom in their labels: on new rows no weights pass "
            f"{per_cent(inputs.high)}. {short}"
        )
        return Verdict("change the model", text, target, False, "estimate", reasons)
    return None


def _within(cheap: Climb, best: Climb) -> bool:
    assert cheap.correct is not None
    assert best.correct is not None
    return paired_difference(best.correct, cheap.correct).value <= MARGIN


def _without(evidence: Evidence) -> Verdict:
    measured = [evidence.climbs[name] for name in FROZEN if evidence.climbs[name].correct is not None]
    best = max(measured, key=lambda c: c.rung.accuracy or 0.0)
    majority, forecast = evidence.rung("majority class"), evidence.rung("fine-tune forecast")
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
    floor = majority.accuracy
    # Within the margin of the best and yet no better than a constant answer would be no answer at all.
    answer = next(c for c in measured if _within(c, best) and (c.rung.low or 0.0) > floor)
    rung = answer.rung
    text = f"{rung.name[0].upper()}{rung.name[1:]} is enough: {span(rung)} with {rung.detail}"
    text += "." if answer is best else f", within {MARGIN:.2f} of the best ({best.rung.name}, {span(best.rung)})."
    if answer is not measured[0]:
        cheapest = measured[0].rung
        text = f"{cheapest.name[0].upper()}{cheapest.name[1:]} reaches {span(cheapest)}. " + text
    if forecast.accuracy is not None and forecast.accuracy > (rung.accuracy or 0) + MARGIN:
        text += f" Fine-tuning is forecast at {span(forecast)}."
    return Verdict(_DECISIONS[rung.name], text + tail, None, None, "estimate", reasons)


def exit_code(verdict: Verdict) -> int:
    """1 when a target was given and is not shown to be reached, so that a pipeline can gate on it; else 0."""
    return 1 if verdict.target is not None and not verdict.reached else 0
