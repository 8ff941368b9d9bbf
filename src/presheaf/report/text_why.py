"""The section "Why" of the text face: what the model's category says about the task, a line a statement."""

from __future__ import annotations

from presheaf.audits.why_result import Estimate, LabelWhy, LevelSeen, Why
from presheaf.report.page import Page
from presheaf.report.plain import interval, number, p_value, plural, visible

_LABELS, _ROWS, _LINES = 2, 3, 3
_LEAD = 10
_SHORT = {"representable": "yes", "not within the candidates": "no", "cannot say": "can't say"}


def add_why(page: Page, why: Why) -> None:
    """Laws, Theorem 1, prompt curve, Theorem 2, Kan gap and losses; the JSON holds the rest."""
    page.head("Why", "what the model's category says · distances in radians")
    for name, said in sentences(why):
        page.wrap(said, lead=f"  {name:<{_LEAD - 2}}", most=_LINES)
    for row in why.gap[:_ROWS]:
        start = f"  {row.row:>6}  {visible(row.label, 20)}, {row.status}: nearest is row {row.nearest}, "
        page.line(start, f"{visible(row.nearest_label, 20)}, at {number(row.distance)}",
                  ("  " + visible(row.text, page.width), "dim"))  # fmt: skip
    left = len(why.gap) - _ROWS + why.gap_left_out
    if left > 0:
        page.line((f"  {left:,} more rows in the gap", "dim"))


def sentences(why: Why) -> list[tuple[str, str]]:
    """(name, sentence) for each statement, shared by the faces."""
    return [
        ("hom", _hom(why)),
        ("laws", _laws(why)),
        ("T1", f"deciding by one row a label: {level_sentence(why.decision)}."),
        *(("label" if i == 0 else "", _label(label)) for i, label in enumerate(why.labels[:_LABELS])),
        ("density", density_sentence(why)),
        ("T2", ceiling_sentence(why)),
        ("Kan gap", gap_sentence(why)),
        ("loss", loss_sentence(why)),
        ("null", cover_sentence(why)),
    ]


def shown(value: Estimate) -> str:
    """``.812 [.791, .831]``; a dash where there is no number."""
    return f"{number(value.value)} {interval(value.low, value.high)}".strip()


def _hom(why: Why) -> str:
    s = why.setting
    law = {True: "lawful", False: "not lawful", None: "laws measured"}[s.lawful]
    return (
        f"{s.hom}, quantale {s.quantale}, {law} ({s.reason.partition(':')[0]}); {s.choosing:,} choosing and {s.scoring:,} "
        f"scoring rows; unrelated from {number(s.scale)}, close up to λ = {number(s.lam)} (fixed without labels)."
    )


def _laws(why: Why) -> str:
    laws = why.laws
    floor = "not measured (needs a second encoding)" if laws.floor is None else number(laws.floor)
    return (
        f"triangle law broken in {shown(laws.share)} of {laws.triples:,} triples ({laws.kind}), at most by "
        f"{number(laws.largest)}; symmetry defect {number(laws.symmetry.value)}; noise floor {floor}."
    )


def level_sentence(level: LevelSeen) -> str:
    """The verdict of a level with the share of held-out rows outside, its null and its prompts."""
    outside = "wrong" if level.level == "decision" else "outside the margin"
    null = "" if level.null_p is None else f", null {p_value(level.null_p)}"
    rows = f", row{'s' if len(level.prompts) > 1 else ''} {', '.join(map(str, level.prompts[:6]))}"
    return f"{level.verdict}, {shown(level.share)} {outside}{null}{rows if level.prompts else ''} ({level.kind})"


def prompt_number(label: LabelWhy) -> str:
    """N_eps in words: ``3 prompts``, ``12 to 14 prompts``, ``more than the candidates can do``."""
    if label.number_high is None:
        return "more than the candidates can do"
    if label.number_low == label.number_high:
        return plural(label.number_low, "prompt")
    return f"{label.number_low} to {label.number_high} prompts"


def _label(label: LabelWhy) -> str:
    levels = ", ".join(f"{_SHORT[level.verdict]} at {level.level} level ({number(level.share.value)} out)"
                       for level in label.levels)  # fmt: skip
    enough = "" if label.enough is None else f" ({label.enough} hold for new rows)"
    return (
        f"{visible(label.label, 24)}: one prompt? {levels}; takes {prompt_number(label)}{enough}; Kan bounds cover "
        f"{number(label.coverage.value)}, shuffled {number(label.shuffled.value)}."
    )


def density_sentence(why: Why) -> str:
    """The prompt curve: bounds on rho_k, accuracy of its prompts, accuracy of as many random rows."""
    points = []
    for p in [p for p in why.curve if p.k in (1, 2, 4, 8)]:
        drawn = "" if p.drawn.value is None else f", random rows {number(p.drawn.value)}"
        points.append(
            f"k={p.k} ρ {number(p.rho_low)} to {number(p.rho_high)}, decides {number(p.density.value)}{drawn}"
        )
    return "; ".join(points) + "."


def ceiling_sentence(why: Why) -> str:
    """lambda*, and both ceilings where the curve ends."""
    last = why.ceilings[-1]
    star = f"beyond {number(last.lam)}" if why.nearest_conflict is None else number(why.nearest_conflict)
    return (
        f"rules that respect closeness: at λ = {number(last.lam)} at most {number(last.strict)} (strict) and "
        f"{number(last.margin)} (margin; shuffled labels {number(last.shuffled)}) of {why.ceiling_rows:,} rows can be right (proof, "
        f"these rows); {number(last.neighbours)} of them have a neighbour; nearest conflict λ* {star}."
    )


def gap_sentence(why: Why) -> str:
    """Shares of held-out rows that the choosing rows leave open or contradict."""
    return (
        f"at λ = {number(why.setting.lam)} the choosing rows leave {shown(why.open)} of the held-out rows open and contradict "
        f"themselves about {shown(why.contradicted)} (estimate)."
    )


def loss_sentence(why: Why) -> str:
    """The error of the predictor as a sum of its parts."""
    if not why.loss:
        return f"the {why.predictor} has no rule, so its error can't be taken apart."
    parts = " + ".join(f"{part.name} {number(part.error.value)} (of {number(part.rows.value)})" for part in why.loss)
    return f"error of the {why.predictor} {shown(why.error)} = {parts} (estimate)."


def cover_sentence(why: Why) -> str:
    """Cover's count for soft prompts."""
    chance = "below .001" if why.cover < 0.001 else number(why.cover)
    return (
        f"random labels of {why.cover_rows:,} rows are separated by a soft prompt in {why.cover_dimensions:,} dimensions with "
        f"probability {chance} (Cover's count)."
    )
