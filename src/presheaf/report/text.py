"""The text face: one screen for a terminal, the same numbers as JSON and HTML."""

from __future__ import annotations

from presheaf.audits.baseline import plain_of
from presheaf.audits.category_result import CategoryComparison
from presheaf.audits.numbers import number
from presheaf.audits.result import Audit, CurvePoint, Finding
from presheaf.audits.watch_result import Watch
from presheaf.report.page import Page, fit
from presheaf.report.plain import class_counts, ids, interval, most_severe, plural, prompt_name, visible
from presheaf.report.serial import Result, media_of
from presheaf.report.text_categories import add_categories
from presheaf.report.text_compare import add_comparison
from presheaf.report.text_ladder import add_ladder
from presheaf.report.text_prompting import add_prompting
from presheaf.report.text_watch import add_watch
from presheaf.report.text_why import add_why

_SEVERITY = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_PROMPTS, _LABELS, _ROWS, _ROW_IDS, _CLASSES = 3, 4, 5, 5, 4


def to_text(result: Result, *, width: int = 100, color: bool = False) -> str:
    """One screen for a terminal ``width`` columns wide (40 at least).

    ``color=True`` adds ANSI codes and changes nothing else; whether the output is a terminal is for the caller to say.
    Control characters and bidirectional overrides in user text are written as code points. Cost: linear in what is
    shown, not in the texts.
    """
    page = Page(width, color, images=media_of(result) == "image")
    if isinstance(result, Audit):
        _add_audit(page, result)
    elif isinstance(result, CategoryComparison):
        add_categories(page, result)
    elif isinstance(result, Watch):
        add_watch(page, result)
    else:
        add_comparison(page, result)
    return page.render()


def _add_audit(page: Page, audit: Audit) -> None:
    page.wrap((visible(audit.verdict.sentence, 1000), "bold"))
    if audit.interrupted:
        page.wrap(("Stopped early: " + visible(audit.interrupted, 300), "bold yellow"))
    page.gap()
    page.wrap(*_task_line(audit), lead="task   ", most=3)
    page.wrap(*_model_line(audit), lead="model  ", most=2)
    page.gap()
    add_ladder(page, audit.ladder, audit.verdict.target)
    _add_baseline(page, audit)
    _add_findings(page, audit.findings)
    if audit.prompting is not None:
        add_prompting(page, audit.prompting)
    _add_prompts(page, audit)
    _add_curve(page, audit)
    if audit.why is not None:
        add_why(page, audit.why)
    _add_rows(page, audit)


def _task_line(audit: Audit) -> list[str]:
    task = audit.task
    classes = class_counts(task)
    named = ", ".join(f"{visible(name, 24)} ({count:,})" for name, count in classes[:_CLASSES])
    more = f" and {len(classes) - _CLASSES:,} more" if len(classes) > _CLASSES else ""
    rows = task.get("rows")
    parts = [visible(str(task.get("name", "table")), 60)]
    parts += [plural(rows, "row")] if isinstance(rows, int) else []
    parts += [f"{plural(len(classes), 'class', 'classes')}: {named}{more}"] if classes else []
    skipped = task.get("skipped_rows", task.get("skipped", 0))
    count = skipped if isinstance(skipped, int) else len(skipped or ())
    parts += [plural(count, "row") + " skipped"] if count else []
    target = audit.verdict.target
    return [" · ".join([*parts, "no target" if target is None else f"target {number(target)}"])]


def _model_line(audit: Audit) -> list[str]:
    model = audit.model
    parts = [f"{visible(model.name, 60)} ({visible(model.kind, 30)})"]
    parts += [f"{model.dim:,} features"] if model.dim is not None else []
    parts += [f"window {model.window:,} tokens"] if model.window is not None else []
    parts += [visible(model.precision, 60), *(f"{k} {v}" for k, v in model.settings)]
    return [" · ".join(visible(part, 80) for part in parts)]


def _add_baseline(page: Page, audit: Audit) -> None:
    reached = [
        f"{rung.name} {number(rung.accuracy)} {interval(rung.low, rung.high)}".strip()
        for rung in audit.baseline
        if rung.accuracy is not None and rung.kind != "proof" and rung.name != "majority class"
    ]
    if reached:
        page.wrap(f"baseline {plain_of(audit.task.get('objects')).name}: " + ", ".join(reached), most=3)


def _add_findings(page: Page, findings: tuple[Finding, ...]) -> None:
    page.head("Findings")
    for finding in most_severe(findings):
        lead = f"  {fit(finding.code, 5)} "
        page.wrap(
            (f"{finding.severity} ", _SEVERITY[finding.severity]),
            (f"({finding.kind}) ", "dim"),
            visible(finding.message or finding.title, 600),
            (f" {ids(finding.rows, _ROW_IDS).capitalize()}." if finding.rows else "", "dim"),
            lead=lead,
            most=5,
        )
        if finding.remedy:
            page.wrap(visible(finding.remedy, 300), lead=" " * len(lead) + "→ ", most=2)
    others = []
    for status in ("not found", "not applicable", "cannot say"):
        codes = ", ".join(f.code for f in findings if f.status == status)
        others += [f"{status}: {codes}"] if codes else []
    if others:
        page.wrap((" · ".join(others), "dim"), lead="  ")


def _add_prompts(page: Page, audit: Audit) -> None:
    if not audit.prompts:
        return
    page.head("Prompts", "accuracy choosing, scoring · the chosen one is marked")
    best = sorted(audit.prompts, key=lambda choice: not choice.chosen)[:_PROMPTS]
    for choice in best:
        numbers = f"{number(choice.choosing)}  {number(choice.accuracy)} {interval(choice.low, choice.high)}"
        mark = "*" if choice.chosen else " "
        page.line((f"  {mark} {numbers}", "bold" if choice.chosen else ""), f"  {prompt_name(choice, 100)}",
                  (f"  {choice.origin}", "dim"))  # fmt: skip
        if choice.chosen:
            each = [f"{visible(label, 24)}: {visible(prompt, 120)}" for label, prompt in choice.prompts[:_LABELS]]
            page.wrap(" · ".join(each), lead="      ", most=4)
            if len(choice.prompts) > _LABELS:
                page.line((f"      {len(choice.prompts) - _LABELS:,} more labels in the JSON", "dim"))


def _add_curve(page: Page, audit: Audit) -> None:
    if not audit.curve:
        return
    page.head("k prompts per label")
    for kind in ("max", "mean"):
        points: list[CurvePoint] = [point for point in audit.curve if point.type == kind]
        if points:
            page.wrap(
                "   ".join(f"k={point.k}\u00a0{number(point.accuracy)}" for point in points),
                lead=f"  {kind:<5} ",
                most=2,
            )
    if audit.forecast:
        page.wrap(forecast_sentence(audit), lead="  ", most=3)


def forecast_sentence(audit: Audit) -> str:
    """How many prompts per label the target takes, in words; empty without a forecast."""
    forecast = audit.forecast
    if forecast is None:
        return ""
    if forecast.k is None:
        said = "is not within reach of the curve"
    elif forecast.reached:
        said = f"is reached at k = {forecast.k:.0f}"
    else:
        high = "no upper end" if forecast.high is None else f"{forecast.high:.0f}"
        low = forecast.k if forecast.low is None else forecast.low
        said = f"is forecast at k = {forecast.k:.0f} [{low:.0f}, {high}] prompts per label (estimate)"
    detail = f"; {visible(forecast.detail, 200)}" if forecast.detail else ""
    return f"Target {number(forecast.target)} {said}{detail}."


def _add_rows(page: Page, audit: Audit) -> None:
    if not audit.rows:
        return
    page.head("Worst rows", "held-out rows that most frozen rungs get wrong")
    for row in audit.rows[:_ROWS]:
        start = f"  {row.row:>6}  {visible(row.label, 20)} → {visible(row.predicted, 20)}"
        start += f"  {row.wrong_rungs}/{row.rungs} rungs  {number(row.confidence)}"
        cause = f"  {visible(row.cause, 30)}" if row.cause else ""
        page.line(start, (cause, "yellow"), ("  " + page.object(row.text), "dim"))
    if len(audit.rows) > _ROWS:
        page.line((f"  {plural(len(audit.rows) - _ROWS, 'row')} more in the JSON", "dim"))
