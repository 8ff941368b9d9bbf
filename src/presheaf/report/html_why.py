"""The section "Why" of an audit's page: statements, labels, the two drawings, and the rows inside the Kan gap."""

from __future__ import annotations

from collections.abc import Sequence

from presheaf.audits.numbers import number
from presheaf.audits.why_result import GapRow, LabelWhy, Why
from presheaf.report.chart_why import ceiling_chart, prompt_chart
from presheaf.report.folded import folded
from presheaf.report.limits import Limits, left_out
from presheaf.report.markup import Html, el, join, user
from presheaf.report.why_words import (
    ceiling_sentence,
    cover_sentence,
    decision_sentence,
    density_sentence,
    gap_sentence,
    hom_sentence,
    laws_sentence,
    level_answer,
    loss_sentence,
    part_meaning,
    prompts_needed,
    short_sentence,
    shown,
)

_LEAD = (
    "The ladder measures; this looks at the distances between rows that the model sees, to say why it came out so. A label "
    "is written as a distance too: nothing on its own rows, unrelated elsewhere. Theorem 1 asks whether that is the distance to "
    "one row, the density theorem to how many, Theorem 2 what a rule must get wrong that treats close rows alike. "
    "Distances are in radians."
)
_ASKED = "Is the label the distance to one row (value), a rising curve of it (calibrated), or a direction in feature space (soft)?"
_TERMS = (
    (
        "off",
        "The share of held-out rows further from the label than the margin, at value and calibrated level alike. The curve is "
        "fitted on the choosing rows to leave few off, so it does worse than the distance itself by chance only.",
    ),
    ("wrong", "Held-out rows on the wrong side of the direction."),
    ("p", "Where it is not small, the number may come of how common the label is: shuffled labels do as well."),
    (
        "prompts needed",
        "Weighted rows that bring every choosing row within the margin. One row out of place is enough to refuse any number.",
    ),
    (
        "Kan bounds",
        "Least and greatest value that the choosing rows allow. Where shuffled labels fit as well, they say nothing.",
    ),
)
_CURVE = (
    "How near k weighted rows come to the label that is worst off (ρ, proof on the choosing rows); beside it what "
    "these rows, and as many random rows, get right on held-out rows (estimates)."
)


def why_section(why: Why, limits: Limits, prefix: str = "why") -> Html:
    """Everything below the heading. ``prefix`` keeps ids of several sections on one page apart."""
    said = (("distance", hom_sentence(why)), ("laws", laws_sentence(why)), ("Theorem 1", decision_sentence(why)))
    facts = [part for name, text in said for part in (el("dt", name), el("dd", text))]
    return join(
        [
            el("p", _LEAD, class_="lead"),
            el("p", el("strong", "In short. "), short_sentence(why)),
            el("dl", *facts, class_="facts"),
            el("h3", "Is a label one prompt? (Theorem 1)"),
            el("p", _ASKED, class_="lead"),
            el("dl", *(part for name, text in _TERMS for part in (el("dt", name), el("dd", text))), class_="facts"),
            _labels(why, limits),
            el("h3", "How many prompts (density)"),
            el("p", _CURVE, class_="lead"),
            _both(prompt_chart(why, width=760, prefix=f"{prefix}-prompts-wide"),
                  prompt_chart(why, width=360, prefix=f"{prefix}-prompts-narrow")),
            el("p", density_sentence(why)),
            el("h3", "What rules that treat close rows alike can't pass (Theorem 2)"),
            el("p", _begun(ceiling_sentence(why)), class_="lead"),
            _both(ceiling_chart(why, width=760, prefix=f"{prefix}-ceiling-wide"),
                  ceiling_chart(why, width=360, prefix=f"{prefix}-ceiling-narrow")),
            el("h3", "Where errors come from"),
            el("p", _begun(loss_sentence(why))),
            _losses(why),
            el("p", _begun(cover_sentence(why))),
            el("h3", "Rows that the choosing rows leave open (Kan gap)"),
            el("p", _begun(gap_sentence(why)), class_="lead"),
            _gap(why, limits),
        ]
    )  # fmt: skip


def _begun(sentence: str) -> str:
    """A sentence that stands alone, where the text face puts it behind a name."""
    return sentence[:1].upper() + sentence[1:]


def _both(wide: Html, narrow: Html) -> Html:
    return join([el("div", wide, class_="wide"), el("div", narrow, class_="narrow")]) if wide else Html("")


def _table(heads: tuple[tuple[str, str], ...], rows: list[Html], name: str) -> Html:
    top = el("thead", el("tr", *(el("th", text, scope="col", class_=kind or None) for text, kind in heads)))
    return el("div", el("table", top, el("tbody", *rows), class_="stack"), class_="scroll", tabindex="0", role="region",
              aria_label=name)  # fmt: skip


def _labels(why: Why, limits: Limits) -> Html:
    heads = (("label", ""), ("value", ""), ("calibrated", ""), ("soft", ""), ("prompts needed", ""),
             ("within Kan bounds", ""), ("labels shuffled", ""))  # fmt: skip
    listed = why.labels[: limits.labels]
    rows = [_label(label) for label in listed]
    more = left_out(len(why.labels) + why.labels_left_out, len(listed), "label")
    return join([_table(heads, rows, "Labels as presheaves"), more])


def _label(label: LabelWhy) -> Html:
    cells = [el("td", level_answer(level), data_name=level.level) for level in label.levels]
    return el(
        "tr",
        el("th", user(label.label, 80), scope="row"),
        *cells,
        el("td", prompts_needed(label), data_name="prompts needed"),
        el("td", shown(label.coverage), data_name="within Kan bounds"),
        el("td", shown(label.shuffled), data_name="labels shuffled"),
    )


def _losses(why: Why) -> Html:
    if not why.loss:
        return Html("")
    heads = (
        ("part", ""),
        ("error", "num"),
        ("rows", "num"),
        ("rows, labels shuffled", "num"),
        ("rows, and what may help (heuristic)", ""),
    )
    rows = [
        el("tr", el("th", part.name, scope="row"), el("td", shown(part.error), class_="num", data_name="error"),
           el("td", shown(part.rows), class_="num", data_name="rows"),
           el("td", shown(part.shuffled), class_="num", data_name="rows, labels shuffled"),
           el("td", part_meaning(part), data_name="what may help"))
        for part in why.loss
    ]  # fmt: skip
    return _table(heads, rows, "Parts of the error")


def _gap(why: Why, limits: Limits) -> Html:
    heads = (("row", "num"), ("label", ""), ("status", ""), ("nearest", "num"), ("its label", ""), ("distance", "num"),
             ("another label at", "num"), (limits.media, ""))  # fmt: skip

    def drawn(part: Sequence[GapRow]) -> Html:
        return _table(heads, [_gap_line(row, limits) for row in part], "Rows inside the Kan gap")

    if not why.gap:
        return el("p", "None of the held-out rows looked at.")
    return folded(why.gap, limits.rows, "row", drawn, more=why.gap_left_out)


def _gap_line(row: GapRow, limits: Limits) -> Html:
    return el(
        "tr",
        el("th", str(row.row), scope="row", class_="num", data_name="row"),
        el("td", user(row.label, 80), data_name="label"),
        el("td", row.status, data_name="status"),
        el("td", str(row.nearest), class_="num", data_name="nearest"),
        el("td", user(row.nearest_label, 80), data_name="its label"),
        el("td", number(row.distance), class_="num", data_name="distance"),
        el("td", number(row.rival), class_="num", data_name="another label at"),
        el("td", limits.object(row.text)),
    )
