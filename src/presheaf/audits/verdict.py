"""One sentence and one decision from the ladder and the findings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.baseline import plain_of
from presheaf.audits.climb import Climb, paired, rows_scored
from presheaf.audits.findings.base import Evidence, against, plural, span
from presheaf.audits.findings.pr02 import count
from presheaf.audits.findings.st01 import HOPELESS
from presheaf.audits.numbers import number
from presheaf.audits.result import Decision, Rung, Verdict
from presheaf.statistics.intervals import paired_difference

MARGIN = 0.02
"""Without a target, the cheapest rung that is at most this far below the best one is the answer."""
_DECISIONS: dict[str, Decision] = {
    "one prompt per label": "prompt",
    "written prompt": "prompt",
    "few-shot prompt": "prompt",
    "k prompts per label": "ensemble",
    "tuned soft prompt": "soft prompt",
    "layer probe": "head",
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
    return f" {rows} proved wrong, whatever the weights are (ceiling {number(1 - bound.wrong_rows / bound.rows)} on these rows)."


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
    frozen = [climb.rung for climb in evidence.frozen]
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
        return f"Neither prompts nor a head reach {number(target)}: the best is {best.name}, {span(best)}."
    return f"No prompt and no head is shown to reach {number(target)}: the best is {best.name}, {span(best)}."


def _reached(evidence: Evidence, target: float, rung: Rung, shown: Rung | None) -> str:
    """The sentence for the cheapest rung that reaches the target; ``shown`` is the cheapest one that surely does."""
    one, majority = evidence.rung("one prompt per label"), evidence.rung("majority class")
    assert majority.accuracy is not None
    before = "" if rung is one or one.accuracy is None else f"One prompt per label reaches {span(one)}; "
    subject = rung.name if before else rung.name[0].upper() + rung.name[1:]
    if rung is shown:
        text = f"{before}{subject} is shown to reach {number(target)}: {span(rung)} with {rung.detail}."
    else:
        text = (
            f"{before}{subject} reaches {number(target)} on the held-out rows, too few to show it for new ones: "
            f"{span(rung)} with {rung.detail}."
        )
        text += "" if shown is None else f" {shown.name[0].upper()}{shown.name[1:]} is shown to: {span(shown)}."
    if majority.accuracy >= target:
        text += f" But so does always answering the most common class, {span(majority)}: this target says little."
    if not _gains(evidence, evidence.climbs[rung.name], len(evidence.frozen)):
        text += f" {rung.name[0].upper()}{rung.name[1:]} is not shown to beat always answering the most common class ({_constant(evidence)})."
    return text + _ceiling_clause(evidence)


def _missed(evidence: Evidence, target: float, frozen: list[Rung], short: str, reasons: tuple[str, ...]) -> Verdict:
    """What to do when no rung that leaves the weights alone reaches the target and nothing proves that none can."""
    tail = _ceiling_clause(evidence)
    more = evidence.forecast
    if more is not None and more.k is not None and not more.reached:
        short += f" The curve forecasts {count(more)} labelled rows per label as prompts."
    forecast, how = evidence.tuning
    where = against(forecast, target)
    if where in ("shown", "likely"):
        text = f"{short} Fine-tuning is {how} to reach {span(forecast)}.{tail}"
        return Verdict("fine-tune", text, target, True if where == "shown" else None, "estimate", reasons)
    if any(against(r, target) == "unlikely" for r in frozen) or where == "unlikely":
        near = (
            "the target lies inside an interval; more rows would settle it"
            if where != "unlikely"
            else (f"fine-tuning is {how} at {span(forecast)}, which leaves it open")
        )
        return Verdict("cannot say", f"Cannot say. {short} But {near}.{tail}", target, None, "estimate", reasons)
    plain = evidence.baseline.get("head")
    hint = ""
    if plain is not None and against(plain.rung, target) in ("shown", "likely"):
        hint = f" {_plain(evidence)} reaches {span(plain.rung)}."
    if where == "missing":
        why = forecast.missing[0].upper() + forecast.missing[1:]
        text = f"{short} {why}, so there is no forecast for fine-tuning: take another model.{hint}{tail}"
    else:
        text = (
            f"{short} Fine-tuning is {how} at {span(forecast)}, below the target too: take another model.{hint}{tail}"
        )
    return Verdict("change the model", text, target, False, "estimate", reasons)


def _proved_out(evidence: Evidence, target: float, short: str, reasons: tuple[str, ...]) -> Verdict | None:
    """What is counted on these rows first, a proof; then the upper limits for new rows, which are statistics."""
    labels, inputs = evidence.merges.label_ceiling, evidence.merges.input_ceiling
    if target > 1 - labels.wrong_rows / labels.rows:
        text = f"The labels contradict themselves: {labels.wrong_rows:,} of {labels.rows:,} rows must be wrong for any model. {short}"
        return Verdict("relabel", text, target, False, "proof", reasons)
    if inputs is not None and target > 1 - inputs.wrong_rows / inputs.rows:
        text = (
            f"Whatever its weights are, this model can't reach {number(target)} on these rows: {inputs.wrong_rows:,} of "
            f"{inputs.rows:,} must be wrong because it merges them at its input. {short}"
        )
        return Verdict("change the model", text, target, False, "proof", reasons)
    if target > labels.high:
        text = f"Identical rows agree too seldom in their labels: on new rows no model passes {number(labels.high)}. {short}"
        return Verdict("relabel", text, target, False, "estimate", reasons)
    if inputs is not None and target > inputs.high:
        text = (
            f"Rows that are one input to this model agree too seldom in their labels: on new rows no weights pass "
            f"{number(inputs.high)}. {short}"
        )
        return Verdict("change the model", text, target, False, "estimate", reasons)
    return None


def _gains(evidence: Evidence, climb: Climb, tried: int) -> bool:
    """Whether a rung is shown to beat every answer that never looks at the object, ``tried`` rungs compared at once.

    The rival is the constant that is right most often on the held-out rows themselves, be it known beforehand or not: rows
    and rival are paired, so that both are uncertain, and of many rungs one does well by luck (Bonferroni). What the rung's
    own recipe gets from shuffled labels, where that was measured, must lie below its interval too.
    """
    assert climb.correct is not None
    context = evidence.context
    rows = rows_scored(climb)
    constant = _best_constant(evidence)[rows]
    lead = paired_difference(climb.correct, constant, context.groups_scoring[rows], 1 - 0.05 / tried)
    shuffled = climb.rung.nulls.get("permuted labels", 0.0)
    return lead.low > 0 and (climb.rung.low or 0.0) > shuffled


def _best_constant(evidence: Evidence) -> NDArray[np.bool_]:
    """Held-out hits of always answering the label that most of the held-out rows carry."""
    labels = evidence.context.y_scoring
    return np.asarray(labels == np.bincount(labels).argmax())


def _constant(evidence: Evidence) -> str:
    """The majority rung in numbers, beside the constant that hindsight would take where that gets more."""
    majority, known = evidence.rung("majority class"), float(_best_constant(evidence).mean())
    beside = "" if known <= (majority.accuracy or 0.0) else f"; {number(known)} for the most common held-out one"
    return span(majority) + beside


def _plain(evidence: Evidence) -> str:
    """The baseline as the subject of a sentence."""
    plain = plain_of(evidence.context.task.media)
    doing = plain.doing[0].upper() + plain.doing[1:]
    return doing if plain.short in doing else f"{doing} ({plain.short})"


def _within(cheap: Climb, best: Climb) -> bool:
    first, second, _ = paired(best, cheap)
    return paired_difference(first, second).value <= MARGIN


def _without(evidence: Evidence) -> Verdict:
    measured = evidence.frozen
    best = max(measured, key=lambda c: c.rung.accuracy or 0.0)
    forecast, how = evidence.tuning
    tail = _ceiling_clause(evidence)
    reasons = _story(evidence)
    shown = [climb for climb in measured if _gains(evidence, climb, len(measured))]
    if not shown:
        text = (
            f"Nothing tried on this model is shown to beat always answering the most common class "
            f"({_constant(evidence)}): the best is {best.rung.name}, {span(best.rung)}.{tail}"
        )
        return Verdict("change the model", text, None, None, "estimate", reasons)
    best = max(shown, key=lambda c: c.rung.accuracy or 0.0)
    plain = evidence.baseline.get("head")
    if plain is not None and plain.correct is not None and best.correct is not None:
        counted, own, rows = paired(plain, best)
        lead = paired_difference(counted, own, evidence.context.groups_scoring[rows])
        if lead.low > 0:
            text = f"{_plain(evidence)} reaches {span(plain.rung)}, more than this model's {span(best.rung)}: take another model.{tail}"
            return Verdict("change the model", text, None, None, "estimate", reasons)
    # Within the margin of the best and yet no better than a constant answer would be no answer at all.
    answer = next(c for c in shown if _within(c, best))
    rung = answer.rung
    text = f"{rung.name[0].upper()}{rung.name[1:]} is enough: {span(rung)} with {rung.detail}"
    text += "." if answer is best else f", within {MARGIN:.2f} of the best ({best.rung.name}, {span(best.rung)})."
    if answer is not measured[0]:
        cheapest = measured[0].rung
        text = f"{cheapest.name[0].upper()}{cheapest.name[1:]} reaches {span(cheapest)}. " + text
    if forecast.accuracy is not None and forecast.accuracy > (rung.accuracy or 0) + MARGIN:
        text += f" Fine-tuning is {how} at {span(forecast)}."
    return Verdict(_DECISIONS[rung.name], text + tail, None, None, "estimate", reasons)


def exit_code(verdict: Verdict) -> int:
    """1 when a target was given and is not shown to be reached, so that a pipeline can gate on it; else 0."""
    return 1 if verdict.target is not None and not verdict.reached else 0
