"""What "Why" says, a sentence a statement, in the words that all faces share."""

from __future__ import annotations

from presheaf.audits.numbers import number
from presheaf.audits.why_result import SHUFFLES, DensityPoint, Estimate, LabelWhy, LevelSeen, LossPart, Why
from presheaf.report.plain import ids, interval, p_value

_PARTS = {
    "collision": ("near a row of another label", "the features mix these labels, so try another model or fine-tuning"),
    "indeterminacy": ("near no labelled row", "label more rows like these"),
    "estimation": ("near rows of their own label only", "another head or more training data may win these"),
}
"""Name of a part of the error, which held-out rows it speaks of, and what helps against it."""


def shown(value: Estimate) -> str:
    """``.812 [.791, .831]``; a dash where there is no number."""
    return f"{number(value.value)} {interval(value.low, value.high)}".strip()


def short_sentence(why: Why) -> str:
    """What to make of the section: whether one row a label decides, and where the errors are."""
    return f"{_decides(why)} {_helps(why)}".strip()


def _decides(why: Why) -> str:
    seen = why.decision
    if seen.verdict == "representable":
        return f"One row a label is shown to decide all but {number(why.setting.outside)} of the rows (estimate)."
    return f"The best row found for each label decides {shown(seen.share)} of the held-out rows wrongly (estimate)."


def _helps(why: Why) -> str:
    parts = sorted(why.loss, key=lambda part: -(part.error.value or 0))
    if not parts or not why.error.value:
        return ""
    first, second = parts[:2]
    where, remedy = _PARTS[first.name]
    if (first.error.low or 0) <= (second.error.high or 0):
        return f"No kind of row is shown to hold more errors of the {why.predictor} than the others."
    return (
        f"The largest part of the {why.predictor}'s errors, {number(first.error.value)} of {number(why.error.value)}, is on rows "
        f"{where}: {remedy} (heuristic)."
    )


def hom_sentence(why: Why) -> str:
    """The distance, why it is one, and the two distances that were fixed."""
    s = why.setting
    law = {True: "lawful", False: "not lawful", None: "laws measured"}[s.lawful]
    return (
        f"{s.hom} ({law}, {s.reason.partition(':')[0]}; quantale {s.quantale}), on {s.choosing:,} choosing and "
        f"{s.scoring:,} scoring rows. {number(s.scale)} apart is unrelated (the median pair), {number(s.lam)} is close (λ, "
        "the median row to its nearest); both fixed without labels."
    )


def laws_sentence(why: Why) -> str:
    """Whether a detour is ever shorter."""
    laws = why.laws
    floor = f"noise not measured: {laws.noise}"
    if laws.floor is not None:
        floor = f"noise up to {number(laws.floor)} ({laws.noise}, 99 %)"
    seen = f"{shown(laws.share)} of {laws.triples:,} triples (estimate)"
    if laws.kind == "proof":  # of the rows looked at; an interval speaks of others
        seen = f"{number(laws.share.value)} of all {laws.triples:,} triples (proof, these rows)"
    return (
        f"a detour is shorter in {seen}, by at most {number(laws.largest)}; the two directions differ by "
        f"{number(laws.symmetry.value)}; {floor}."
    )


def decision_sentence(why: Why) -> str:
    """Theorem 1 at decision level: what was shown, and what was allowed."""
    seen, allowed = why.decision, number(why.setting.outside)
    if seen.verdict == "representable":
        said = "shown to be enough"
    elif seen.verdict == "not within the candidates":
        said = "shown not to be enough, whichever candidate rows are taken"
    elif (seen.share.low or 0) > why.setting.outside:
        said = "not enough with the best rows found; other candidates are not ruled out"
    else:
        said = "can't say from so many rows"
    return f"each row to the nearest of one row a label: {said}. {_measured(seen, 'wrong')}; {allowed} is allowed."


def _measured(seen: LevelSeen, what: str) -> str:
    rows = f"; best: {ids(seen.prompts, 6)}" if seen.prompts else ""
    return f"{shown(seen.share)} {what} ({seen.kind}){_against_null(seen.null_p)}{rows}"


def _against_null(p: float | None) -> str:
    """How the number stands beside shuffled labels; a p at its least says only that no shuffle did as well."""
    if p is None:
        return ""
    if p < 1.5 / (SHUFFLES + 1):
        return f", better than all {SHUFFLES} shuffles of the labels ({p_value(p)})"
    return f", {p_value(p)} against {SHUFFLES} shuffles of the labels"


def level_answer(level: LevelSeen) -> str:
    """``no candidate``, ``yes``, ``not shown`` or ``not found`` with the measurement behind it."""
    return f"{_said(level, 'no candidate')}: {_measured(level, _miss(level))}"


def _said(level: LevelSeen, no: str) -> str:
    """A verdict in a word or two. A soft prompt that was not found may still be there: no search goes through all of them."""
    unsaid = "not found" if level.level == "soft" else "not shown"
    return {"representable": "yes", "not within the candidates": no, "cannot say": unsaid}[level.verdict]


def _miss(level: LevelSeen) -> str:
    """What a row is that a level misses: further from the task than the margin, or on the wrong side."""
    return "wrong" if level.level == "soft" else "off"


def prompts_needed(label: LabelWhy) -> str:
    """The least number of prompts in words, with the number shown to be enough for new rows."""
    enough = "" if label.enough is None else f"; {label.enough} shown to be enough for new rows (estimate)"
    if label.number_high is None:
        return f"no number of those tried, all together miss a row by {number(label.number_least)}{enough}"
    if label.number_low == label.number_high:
        return f"{label.number_low} (proof, choosing rows){enough}"
    return f"{label.number_low} to {label.number_high} (proof, choosing rows){enough}"


def label_sentence(label: LabelWhy) -> str:
    """A label: whether it is one prompt, how many it takes, and whether the Kan bounds hold it."""
    names = {"value": "the distance to one row", "calibrated": "a rising curve of it", "soft": "a soft prompt"}
    levels = "; ".join(
        f"{names[level.level]}? {_said(level, 'no')}, {shown(level.share)} of rows {_miss(level)}{_as_shuffled(level)}"
        for level in label.levels
    )
    return (
        f"{levels} (estimates). Weighted rows it takes: {prompts_needed(label)}. Between its Kan bounds: "
        f"{shown(label.coverage)} of the rows, {shown(label.shuffled)} if shuffled."
    )


def _as_shuffled(level: LevelSeen) -> str:
    """Said where the number may come of how common the label is: shuffled labels are missed as seldom."""
    return "" if level.null_p is None or level.null_p <= 0.05 else f", like shuffled labels ({p_value(level.null_p)})"


def density_sentence(why: Why) -> str:
    """The ends of the prompt curve: bounds on rho_k, accuracy of its prompts, accuracy of as many random rows."""
    ends = [p for p in why.curve if p.k in (1, 2, 4, 8)]
    return "; ".join(map(_density, dict.fromkeys([*ends[:1], *ends[-1:]]))) + (
        f" (ρ: how far k weighted rows stay off the worst label, proof on choosing rows; {number(why.setting.margin)} "
        "counts as none)."
    )


def _density(p: DensityPoint) -> str:
    rho = (
        number(p.rho_high)
        if number(p.rho_low) == number(p.rho_high)
        else f"{number(p.rho_low)} to {number(p.rho_high)}"
    )
    drawn = "" if p.drawn.value is None else f", random rows {shown(p.drawn)}"
    return f"k={p.k}: ρ {rho}, right {shown(p.density)}{drawn}"


def ceiling_sentence(why: Why) -> str:
    """lambda*, and both ceilings where the curve ends, with those whom they bind."""
    last = why.ceilings[-1]
    star = f"beyond {number(last.lam)}" if why.nearest_conflict is None else f"at {number(why.nearest_conflict)}"
    return (
        f"a rule that gives rows within {number(last.lam)} of each other one label gets at most {number(last.margin)} of these "
        f"{why.ceiling_rows:,} rows right, {number(last.strict)} along chains (proof; labels shuffled {number(last.shuffled)}). "
        f"No bound for rules that tell close rows apart, nor for fine-tuning. {number(last.neighbours)} of the rows have one "
        f"so close; the first conflict is {star} (λ*)."
    )


def gap_sentence(why: Why) -> str:
    """Shares of held-out rows that the choosing rows leave open or contradict."""
    return (
        f"within λ = {number(why.setting.lam)}, {shown(why.open)} of the held-out rows have no choosing row (open) and "
        f"{shown(why.contradicted)} have some of different labels (contradicted) (estimate)."
    )


def loss_sentence(why: Why) -> str:
    """The error of the predictor as a sum of its parts."""
    if not why.loss:
        return f"the {why.predictor} has no rule, so its error can't be taken apart."
    return f"error of the {why.predictor} {shown(why.error)} = {' + '.join(map(_part, why.loss))} (estimate)."


def _part(part: LossPart) -> str:
    return f"{shown(part.error)} {_PARTS[part.name][0]} ({part.name}, {number(part.rows.value)} of all rows)"


def part_meaning(part: LossPart) -> str:
    """Which rows a part speaks of, and what helps against it."""
    where, remedy = _PARTS[part.name]
    return f"{where}: {remedy}"


def cover_sentence(why: Why) -> str:
    """Cover's count for soft prompts."""
    chance = "below .001" if why.cover < 0.001 else number(why.cover)
    return (
        f"a soft prompt in {why.cover_dimensions:,} dimensions fits random labels of {why.cover_rows:,} choosing rows without "
        f"error with probability {chance} (Cover's count, for rows in general position)."
    )
