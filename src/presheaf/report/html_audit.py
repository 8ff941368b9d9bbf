"""The sections of an audit's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from presheaf.audits.numbers import number
from presheaf.audits.result import Audit, PromptChoice, WorstRow
from presheaf.report.folded import folded
from presheaf.report.html_findings import facts, findings
from presheaf.report.html_ladder import KINDS, badge, curve, ladder
from presheaf.report.html_prompting import prompting_section
from presheaf.report.html_why import why_section
from presheaf.report.limits import Limits, left_out
from presheaf.report.markup import Html, el, join, user
from presheaf.report.plain import class_counts, interval, plural, prompt_name

_REASONS = 4  # more than these are folded, so that the ladder stays in sight
_LADDER = "What each kind of adaptation reaches on rows held out."


def audit_page(audit: Audit, limits: Limits) -> Html:
    """Everything between the page's head and foot."""
    return join([_opening(audit, limits), *sections(audit, limits)])


def section(title: str, anchor: str, *children: str) -> Html:
    """A section with its heading."""
    return el("section", el("h2", title, id=anchor), *children, aria_labelledby=anchor)


def sections(audit: Audit, limits: Limits) -> list[Html]:
    """Ladder, findings, prompts, curve, rows, and how the numbers were made."""
    parts = [
        section("The ladder", "ladder", el("p", _LADDER, class_="lead"), ladder(audit, limits)),
        section("Findings", "findings", findings(audit.findings, limits)),
    ]
    if audit.prompting is not None:
        said = prompting_section(audit.prompting, audit.verdict.target, limits)
        parts.append(section("Prompts scored by the model", "prompting", said))
    if audit.prompts:
        parts.append(section("Prompts", "prompts", _prompts(audit, limits)))
    if audit.curve:
        parts.append(section("More prompts per label", "curve", curve(audit, limits)))
    if audit.why is not None:
        parts.append(section("Why", "why", why_section(audit.why, limits)))
    if audit.rows:
        parts.append(section("Worst rows", "rows", _rows(audit, limits)))
    parts.append(section("What was done", "done", done(audit, limits)))
    parts.append(section("How to read this", "reading", reading()))
    return parts


def _opening(audit: Audit, limits: Limits) -> Html:
    task, model = audit.task, audit.model
    name = str(task.get("name", "table"))
    parts = [
        el("p", "presheaf audit · ", user(name, 80), " · ", user(model.name, 80), class_="eyebrow"),
        el("p", el("b", "Stopped early: "), user(audit.interrupted, limits.sentence), class_="notice")
        if audit.interrupted
        else "",
        user(audit.verdict.sentence, limits.sentence, "h1"),
    ]
    if audit.verdict.reasons:
        parts.append(_reasons(audit.verdict.reasons, limits))
    parts.append(facts(_summary(audit), limits))
    return el("header", *parts)


def _reasons(reasons: tuple[str, ...], limits: Limits) -> Html:
    lines = el("ul", *(user(reason, limits.sentence, "li") for reason in reasons[: limits.settings]), class_="reasons")
    return lines if len(reasons) <= _REASONS else el("details", el("summary", "Reasons"), lines)


def _summary(audit: Audit) -> list[tuple[str, str]]:
    task, verdict, model = audit.task, audit.verdict, audit.model
    classes = class_counts(task)
    named = ", ".join(f"{name[:40]} ({count:,})" for name, count in classes[:12])
    more = f" and {len(classes) - 12:,} more" if len(classes) > 12 else ""
    rows = task.get("rows")
    size = plural(rows, "row") + ", " if isinstance(rows, int) else ""
    values = [
        ("verdict", f"{verdict.decision} ({verdict.kind})"),
        ("target", _goal(audit)),
        ("task", f"{size}{plural(len(classes), 'class', 'classes')}: {named}{more}"),
        ("model", f"{model.name[:80]}, {model.kind}" + (f", {model.dim:,} features" if model.dim is not None else "")),
    ]
    return values


def _goal(audit: Audit) -> str:
    if audit.verdict.target is None:
        return "none given"
    said = {True: "reached", False: "not reached", None: "not shown either way"}[audit.verdict.reached]
    return f"{number(audit.verdict.target)}, {said}"


def _prompts(audit: Audit, limits: Limits) -> Html:
    shown = sorted(audit.prompts, key=lambda choice: not choice.chosen)[: limits.prompts]
    heads = (("prompt", ""), ("from", ""), ("choosing", "num"), ("scoring", "num"), ("95 %", "num"))
    top = el("tr", *(el("th", name, scope="col", class_=kind or None) for name, kind in heads))
    table = el("table", el("thead", top), el("tbody", *(_choice(c, limits) for c in shown)), class_="stack")
    return join(
        [
            el("p", "Chosen by the accuracy on one half of the rows, scored on the other. Best first.", class_="lead"),
            *(_copyable(choice, limits) for choice in shown if choice.chosen),
            el("div", table, class_="scroll"),
            left_out(len(audit.prompts), len(shown), "prompt"),
        ]
    )


def _copyable(choice: PromptChoice, limits: Limits) -> Html:
    each = [
        part
        for label, prompt in choice.prompts[: limits.labels]
        for part in (el("dt", user(label, 80)), el("dd", limits.object(prompt)))
    ]
    return join([el("dl", *each, class_="facts"), left_out(len(choice.prompts), limits.labels, "label")])


def _choice(choice: PromptChoice, limits: Limits) -> Html:
    mark = [el("span", "chosen ", class_="mark")] if choice.chosen else []
    return el(
        "tr",
        el("th", *mark, user(prompt_name(choice, limits.text), limits.text), scope="row"),
        el("td", user(choice.origin, 40), class_="dim"),
        el("td", number(choice.choosing), class_="num", data_name="choosing"),
        el("td", number(choice.accuracy), class_="num", data_name="scoring"),
        el("td", interval(choice.low, choice.high), class_="num dim", data_name="interval"),
        class_="chosen" if choice.chosen else None,
    )


def _rows(audit: Audit, limits: Limits) -> Html:
    heads = (("row", "num"), ("label", ""), ("predicted", ""), ("wrong rungs", "num"), ("confidence", "num"),
             (limits.media, ""))  # fmt: skip
    top = el("tr", *(el("th", name, scope="col", class_=kind or None) for name, kind in heads))

    def drawn(rows: Sequence[WorstRow]) -> Html:
        lines = [_row(row, limits) for row in rows]
        return el("div", el("table", el("thead", top), el("tbody", *lines), class_="stack"), class_="scroll")

    lead = (
        "Held-out rows that most of the frozen rungs get wrong, the most confident errors first. Some are limits of the "
        "model, some are mistakes in the labels."
    )
    return join([el("p", lead, class_="lead"), folded(audit.rows, limits.rows, "row", drawn)])


def _row(row: WorstRow, limits: Limits) -> Html:
    return el(
        "tr",
        el("th", str(row.row), scope="row", class_="num", data_name="row"),
        el("td", user(row.label, 80), data_name="label"),
        el("td", user(row.predicted, 80), data_name="predicted"),
        el("td", f"{row.wrong_rungs} of {row.rungs}", class_="num", data_name="wrong rungs"),
        el("td", number(row.confidence), class_="num", data_name="confidence"),
        el("td", limits.object(row.text, keep=0),
           join([" ", user(row.cause, 80, class_="cause")]) if row.cause else ""),
    )  # fmt: skip


def done(audit: Audit, limits: Limits) -> Html:
    """Task, model and settings: what it takes to get the same numbers again."""
    task: list[tuple[str, Any]] = [
        (f"task: {key.replace('_', ' ')}", audit.task[key]) for key in sorted(audit.task) if key != "classes"
    ]
    info = audit.model
    model: list[tuple[str, Any]] = [
        ("model", info.name),
        ("source", info.kind),
        ("kernel", info.kernel),
        ("features", info.dim),
        ("window", "not cut off, or not known" if info.window is None else f"{info.window:,} tokens"),
        ("precision", info.precision),
        ("licence", info.licence or "not stated"),
        *info.settings,
    ]
    settings = [(key, audit.settings[key]) for key in sorted(audit.settings)]
    return join(
        [
            el("p", "The same table, model and settings give the same numbers on the same machine.", class_="lead"),
            facts(settings, limits),
            facts(model, limits),
            facts(task, limits),
        ]
    )


def reading() -> Html:
    """What the badges mean."""
    each = [part for kind, meaning in KINDS.items() for part in (el("dt", badge(kind)), el("dd", meaning))]
    return el("dl", *each, class_="facts")
