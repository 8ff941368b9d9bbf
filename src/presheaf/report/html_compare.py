"""The sections of a comparison's page."""

from __future__ import annotations

from dataclasses import replace

from presheaf.audits.numbers import number
from presheaf.audits.result import Audit, Comparison
from presheaf.report.html_audit import done, reading, section
from presheaf.report.html_findings import findings
from presheaf.report.html_ladder import charts, legend
from presheaf.report.html_prompting import prompting_section
from presheaf.report.limits import Limits, left_out
from presheaf.report.markup import Html, el, join, user
from presheaf.report.plain import p_value, plural
from presheaf.report.text_compare import columns_of, group_letters

_GROUPS = 4  # per finding of each model: the audit of one model shows more


def comparison_page(comparison: Comparison, limits: Limits) -> Html:
    """Everything between the page's head and foot."""
    task = comparison.audits[0].task if comparison.audits else {}
    name = user(str(task.get("name", "table")), 80)
    count = plural(len(comparison.audits), "model")
    target = "" if comparison.target is None else f" · target {number(comparison.target)}"
    parts = [
        el("header", el("p", "presheaf compare · ", name, f" · {count}{target}", class_="eyebrow"),
           user(comparison.verdict, limits.sentence, "h1")),
    ]  # fmt: skip
    if comparison.audits:
        parts.append(section("The models", "models", _models(comparison, limits)))
    if comparison.differences:
        parts.append(section("Differences", "differences", _differences(comparison, limits)))
    if comparison.why:
        lines = (user(reason, limits.sentence, "li") for reason in comparison.why[: limits.pairs])
        parts.append(section("Why they differ", "why", el("ul", *lines),
                             left_out(len(comparison.why), limits.pairs, "line")))  # fmt: skip
    if comparison.failed:
        parts.append(section("Could not be audited", "failed", _failed(comparison, limits)))
    if comparison.audits:
        shown = comparison.audits[: limits.models]
        limits = replace(limits, groups=min(limits.groups, _GROUPS))
        each = (_one(audit, i, limits) for i, audit in enumerate(shown))
        parts.append(section("Each model", "each", el("div", *each, class_="models"),
                             left_out(len(comparison.audits), len(shown), "model")))  # fmt: skip
        parts.append(section("What was done", "done", done(comparison.audits[0], limits)))
    parts.append(section("How to read this", "reading", reading()))
    return join(parts)


def _models(comparison: Comparison, limits: Limits) -> Html:
    letters, columns = group_letters(comparison), columns_of(comparison)
    heads = [("model", ""), ("group", ""), *((short, "num") for _, short in columns)]
    top = el("tr", *(el("th", name, scope="col", class_=kind or None) for name, kind in heads))
    lines = []
    shown = comparison.audits[: 8 * limits.models]
    for audit in shown:
        values = {rung.name: rung.accuracy for rung in audit.ladder}
        numbers = (el("td", number(values.get(name)), class_="num", data_name=short) for name, short in columns)
        group = el("td", letters.get(audit.model.name, ""), data_name="group")
        lines.append(el("tr", el("th", user(audit.model.name, 80), scope="row"), group, *numbers))
    lead = "Best first. Models of one letter can't be told apart from its first on these rows."
    table = el("table", el("thead", top), el("tbody", *lines), class_="stack")
    return join([el("p", lead, class_="lead"), el("div", table, class_="scroll"),
                 left_out(len(comparison.audits), len(shown), "model")])  # fmt: skip


def _differences(comparison: Comparison, limits: Limits) -> Html:
    heads = (("models", ""), ("difference", "num"), ("95 %", "num"), ("only the first right", "num"),
             ("only the second", "num"), ("adjusted", "num"))  # fmt: skip
    top = el("tr", *(el("th", name, scope="col", class_=kind or None) for name, kind in heads))
    lines = [
        el(
            "tr",
            el("th", user(pair.a, 80), " − ", user(pair.b, 80), scope="row"),
            el("td", ("+" if pair.accuracy >= 0 else "") + number(pair.accuracy), class_="num", data_name="difference"),
            el("td", f"[{number(pair.low)}, {number(pair.high)}]", class_="num dim", data_name="interval"),
            el("td", f"{pair.only_a:,}", class_="num", data_name="only the first right"),
            el("td", f"{pair.only_b:,}", class_="num", data_name="only the second"),
            el("td", p_value(pair.p_adjusted), class_="num"),
        )
        for pair in comparison.differences[: limits.pairs]
    ]
    lead = "Accuracy of the head of each on the same held-out rows. Exact McNemar test, Holm."
    table = el("table", el("thead", top), el("tbody", *lines), class_="stack")
    return join([el("p", lead, class_="lead"), el("div", table, class_="scroll"),
                 left_out(len(comparison.differences), limits.pairs, "pair")])  # fmt: skip


def _failed(comparison: Comparison, limits: Limits) -> Html:
    each = [part for name, reason in comparison.failed[: limits.pairs]
            for part in (el("dt", user(name, 80)), el("dd", user(reason, limits.sentence)))]  # fmt: skip
    return join([el("dl", *each, class_="facts"), left_out(len(comparison.failed), limits.pairs, "model")])


def _one(audit: Audit, index: int, limits: Limits) -> Html:
    return el(
        "details",
        el("summary", user(audit.model.name, 80)),
        user(audit.verdict.sentence, limits.sentence, "p"),
        charts(audit, f"model{index}"),
        legend(audit),
        findings(audit.findings, limits),
        _prompting(audit, index, limits),
        open="open" if index == 0 else None,
    )


def _prompting(audit: Audit, index: int, limits: Limits) -> Html:
    if audit.prompting is None:
        return Html("")
    said = prompting_section(audit.prompting, audit.verdict.target, limits, f"model{index}-shots")
    return el("details", el("summary", "Prompts scored by the model"), said)
