"""The sections of a page that shows a watched training run, and its card."""

from __future__ import annotations

from presheaf.audits.numbers import number, signed
from presheaf.audits.watch_result import MomentRung, Watch
from presheaf.report.chart_watch import watch_chart
from presheaf.report.html_audit import section
from presheaf.report.html_findings import facts
from presheaf.report.limits import Limits, left_out
from presheaf.report.markup import Html, el, join, style, user
from presheaf.report.plain import cut, interval, p_value
from presheaf.report.text_watch import (
    SHORT,
    category_line,
    data_line,
    rank,
    rung_names,
    settings_lines,
    shown_moments,
    span,
    table_line,
)

_READING = (
    (
        "distance from the task's own hom",
        "0 means that k_f of the features is the task's hom (an ideal model); beside it the same with the task's objects "
        "shuffled. Estimate, interval over held-out objects.",
    ),
    (
        "merged, invented, lost",
        "its three parts: closeness of objects that the model can't tell apart though the task does; closeness that the task "
        "doesn't teach; closeness that the task teaches and the model lacks.",
    ),
    ("alignment", "1 - mean distance of what the task relates / mean distance of all pairs."),
    ("broken triples", "share of triples of objects that break the law of composition in the model's hom."),
    ("rank", "effective rank: about how many directions of the embedding are in use."),
    (
        "rungs",
        "accuracy on held-out rows of the labelled table with the backbone's features; no pre-training step reads labels.",
    ),
)


def watch_page(result: Watch, limits: Limits) -> Html:
    """Everything between the page's head and foot."""
    name, data = user(result.pretext["name"], 80), user(str(result.data["name"]), 80)
    summary: list[tuple[str, object]] = [("category", category_line(result)), ("data", data_line(result))]
    summary.append(("table", table_line(result)))
    summary.append(("model", result.model))
    stopped = el("p", el("b", "Stopped early"), class_="notice") if result.interrupted else ""
    header = el("header", el("p", "presheaf train · ", name, " · ", data, class_="eyebrow"), stopped,
                user(result.verdict, limits.sentence, "h1"), facts(summary, limits))  # fmt: skip
    parts = [header]
    chart = watch_chart(result)
    if chart:
        parts.append(section("While it learns", "learning", _scrolled("drawing over training steps", chart)))
    if result.changes:
        parts.append(section("What training changed", "changes", _changes(result)))
    parts.append(section("The category, checkpoint by checkpoint", "category", _category(result, limits)))
    if rung_names(result):
        parts.append(section("The ladder, checkpoint by checkpoint", "ladder", _ladder(result, limits)))
    parts.append(section("What was done", "done", facts(settings_lines(result), limits)))
    reading = [part for term, said in _READING for part in (el("dt", term), el("dd", said))]
    parts.append(section("How to read this", "reading", el("dl", *reading, class_="facts")))
    return join(parts)


def watch_card(result: Watch) -> str:
    """A short HTML fragment for ``_repr_html_``: the verdict, the drawing, what changed."""
    sentence = user(cut(result.verdict, 600), 600, "p", class_="sentence")
    parts = [style("palette", "chart", "card"), sentence, watch_chart(result, prefix="watch-card"), _changes(result)]
    return el("div", join(parts), class_="presheaf card")


def _scrolled(label: str, content: Html) -> Html:
    """Content that a narrow screen moves sideways, by keyboard too."""
    return el("div", content, class_="scroll", tabindex="0", role="region", aria_label=label)


def _table(label: str, heads: list[str], lines: list[Html]) -> Html:
    first = el("th", heads[0], scope="col")
    top = el("tr", first, *(el("th", head, scope="col", class_="num") for head in heads[1:]))
    return _scrolled(label, el("table", el("thead", top), el("tbody", *lines), class_="stack"))


def _line(heads: list[str], cells: list[str]) -> Html:
    rest = (el("td", cell, class_="num", data_name=head) for head, cell in zip(heads[1:], cells[1:], strict=True))
    return el("tr", el("th", cells[0], scope="row", data_name=heads[0]), *rest)


def _changes(result: Watch) -> Html:
    if not result.changes:
        return Html("")
    heads = ["rung", "first", "last", "difference", "95 %, all at once", "p, adjusted"]
    lines = [
        _line(heads, [c.rung, number(c.before), number(c.after), signed(c.difference.value or 0),
                      interval(c.difference.low, c.difference.high), p_value(c.p_adjusted)])
        for c in result.changes
    ]  # fmt: skip
    lead = "The last checkpoint minus the first, on the same held-out rows. McNemar's test, Holm over the rungs."
    return join([el("p", lead, class_="lead"), _table("what training changed", heads, lines)])


def _category(result: Watch, limits: Limits) -> Html:
    heads = [
        "step",
        "loss",
        "ideality",
        "shuffled",
        "merged",
        "invented",
        "lost",
        "alignment",
        "broken triples",
        "rank",
    ]
    moments = shown_moments(result, max(limits.rows, 2))
    lines = [
        _line(heads, [f"{m.step:,}", "–" if m.loss is None else f"{m.loss:.4g}", span(m.ideality), number(m.ideality_null),
                      number(m.merges), number(m.invented), number(m.lost), span(m.alignment), number(m.broken.value), rank(m)])
        for m in moments
    ]  # fmt: skip
    return join(
        [
            _table("the category, checkpoint by checkpoint", heads, lines),
            left_out(len(result.moments), len(moments), "checkpoint"),
        ]
    )


def _ladder(result: Watch, limits: Limits) -> Html:
    names = rung_names(result)
    heads = ["step", *(SHORT[name] for name in names)]
    lines = []
    for m in shown_moments(result, max(limits.rows, 2)):
        found = {rung.name: rung for rung in m.rungs}
        lines.append(_line(heads, [f"{m.step:,}", *(_cell(found.get(name)) for name in names)]))
    baseline = {rung.name: rung for m in result.moments[:1] for rung in m.baseline}
    if any(rung.accuracy.value is not None for rung in baseline.values()):
        lines.append(_line(heads, ["without a model", *(_cell(baseline.get(name)) for name in names)]))
    nulls = [rung.null for m in result.moments for rung in m.rungs if rung.null is not None]
    lead = "Accuracy on held-out rows with the backbone's features, with 95 % intervals."
    if nulls:
        lead += f" The best null (random features, permuted labels) reaches {number(max(nulls))}."
    return join([el("p", lead, class_="lead"), _table("the ladder, checkpoint by checkpoint", heads, lines)])


def _cell(rung: MomentRung | None) -> str:
    return "–" if rung is None else span(rung.accuracy)
