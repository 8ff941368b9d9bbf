"""Findings in HTML: what was found with rows and remedy, and what was looked for and not found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from presheaf.audits.result import Finding, RowGroup
from presheaf.report.html_ladder import badge
from presheaf.report.limits import Limits, left_out
from presheaf.report.markup import Html, el, join, user
from presheaf.report.plain import ids, most_severe, plural, value_text

_ROW_IDS = 20


def findings(all_findings: Sequence[Finding], limits: Limits) -> Html:
    """Articles for the findings found, most severe first, and a folded table of the others."""
    found = most_severe(all_findings)
    others = [f for f in all_findings if f.status != "found"]
    parts = [_article(finding, limits) for finding in found[: limits.findings]]
    parts.append(left_out(len(found), limits.findings, "finding"))
    if not found:
        parts.append(el("p", "Nothing was found.", class_="lead"))
    if others:
        parts.append(_others(others, limits))
    return join(parts)


def facts(values: Sequence[tuple[str, Any]], limits: Limits) -> Html:
    """Names and values as a description list, cut to the limits."""
    shown = [
        part
        for name, value in values[: limits.settings]
        for part in (
            el("dt", user(str(name), limits.text)),
            el("dd", user(value_text(value, limits.text), limits.text)),
        )
    ]
    return join([el("dl", *shown, class_="facts"), left_out(len(values), limits.settings, "value")])


def _article(finding: Finding, limits: Limits) -> Html:
    severity = el("span", finding.severity, class_=f"severity {finding.severity}")
    head = el(
        "header",
        el("span", user(finding.code, 20), class_="code"),
        user(finding.title, limits.sentence, "h3"),
        el("span", severity, badge(finding.kind), class_="tags"),
    )
    parts = [head, user(finding.message, limits.sentence, "p")]
    if finding.remedy:
        remedy = user(finding.remedy, limits.sentence)
        parts.append(el("p", el("b", "What to do: "), remedy, class_="remedy"))
    if finding.rows:
        parts.append(el("p", f"{ids(finding.rows, _ROW_IDS).capitalize()}.", class_="ids"))
    if finding.groups:
        parts.append(_groups(finding, limits))
    if finding.evidence:
        values = [(name, finding.evidence[name]) for name in sorted(finding.evidence, key=str)]
        parts.append(el("details", el("summary", "Evidence"), facts(values, limits)))
    return el("article", *parts, class_="finding")


def _groups(finding: Finding, limits: Limits) -> Html:
    heads = (el("th", name, scope="col") for name in ("label", limits.media, "cause"))
    top = el("tr", el("th", "row", scope="col", class_="num"), *heads)
    shown = finding.groups[: limits.groups]
    table = el("table", el("thead", top), *(_group(group, limits) for group in shown), class_="stack")
    total = len(finding.groups) + finding.groups_left_out
    summary = f"The rows, {plural(total, 'group')}"
    return el("details", el("summary", summary), el("div", table, class_="scroll"),
              left_out(total, len(shown), "group"), open="open")  # fmt: skip


def _group(group: RowGroup, limits: Limits) -> Html:
    lines = []
    shown = min(len(group.rows), limits.members)
    for i in range(shown):
        text = group.texts[i] if i < len(group.texts) else ""
        cells = [
            el("th", str(group.rows[i]), scope="row", class_="num", data_name="row"),
            el("td", user(group.labels[i], 80) if i < len(group.labels) else ""),
            el("td", limits.object(text)),
        ]
        if i == 0:
            cells.append(_reason(group, shown, limits))
        lines.append(el("tr", *cells))
    if len(group.rows) > shown:
        more = f"{plural(len(group.rows) - shown, 'row')} more of this group in the JSON"
        lines.append(el("tr", el("td", more, colspan=4, class_="dim")))
    return el("tbody", *lines, class_="group")


def _reason(group: RowGroup, span: int, limits: Limits) -> Html:
    cause = user(group.cause, limits.text, class_="cause") if group.cause else ""
    note = user(group.note, limits.text, class_="dim") if group.note else ""
    return el("td", cause, el("br") if cause and note else "", note, rowspan=span, class_="why")


def _others(others: Sequence[Finding], limits: Limits) -> Html:
    shown = others[: limits.findings]
    rows = [
        el("tr", el("th", el("span", user(f.code, 20), class_="code"), scope="row"), el("td", f.status),
           el("td", user(f.title, limits.sentence)), el("td", user(f.message, limits.sentence), class_="dim"))
        for f in shown
    ]  # fmt: skip
    table = el("table", el("tbody", *rows), class_="stack")
    summary = f"Looked for and not found, or not to be said ({len(others)})"
    return el("details", el("summary", summary), el("div", table, class_="scroll"),
              left_out(len(others), len(shown), "finding"))  # fmt: skip
