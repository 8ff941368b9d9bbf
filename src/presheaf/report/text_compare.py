"""A comparison of models as one screen of text."""

from __future__ import annotations

from presheaf.audits.result import Comparison
from presheaf.report.page import Page, fit
from presheaf.report.plain import number, p_value, plural, visible
from presheaf.report.text_ladder import add_ladder

COLUMNS = (
    ("one prompt per label", "prompt"),
    ("k prompts per label", "k prompts"),
    ("soft prompt", "soft"),
    ("head", "head"),
    ("fine-tune forecast", "fine-tune"),
    ("input ceiling", "ceiling"),
)
LANGUAGE_COLUMNS = (("written prompt", "written"), ("few-shot prompt", "few-shot"))
"""Shown, before the head, where a model of the comparison has such a rung."""
_PAIRS, _WHY, _MODELS = 8, 6, 20


def add_comparison(page: Page, comparison: Comparison) -> None:
    """Verdict, models by rung with their group, paired differences, why, what failed, and the best model's ladder."""
    page.wrap((visible(comparison.verdict, 1000), "bold"))
    if comparison.target is not None:
        page.line((f"target {number(comparison.target)}", "dim"))
    _add_models(page, comparison)
    _add_pairs(page, comparison)
    if comparison.why:
        page.head("Why")
        for reason in comparison.why[:_WHY]:
            page.wrap(visible(reason, 400), lead="  ", most=2)
    if comparison.failed:
        page.head("Could not be audited")
        for name, reason in comparison.failed:
            page.wrap((visible(name, 60), "bold red"), ": " + visible(reason, 400), lead="  ", most=3)
    if comparison.audits:
        best = comparison.audits[0]
        page.head(f"Ladder of {visible(best.model.name, 40)}", "best first; the others are in the JSON")
        add_ladder(page, best.ladder, comparison.target)


def columns_of(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """Rungs that a comparison sets side by side, each with its short name."""
    there = {rung.name for audit in comparison.audits for rung in audit.ladder if rung.accuracy is not None}
    more = tuple(column for column in LANGUAGE_COLUMNS if column[0] in there)
    return (*COLUMNS[:1], *more, *COLUMNS[1:])


def group_letters(comparison: Comparison) -> dict[str, str]:
    """The groups a model belongs to, as letters: models of one letter can't be told apart from its first."""
    letters: dict[str, str] = {}
    for i, names in enumerate(comparison.groups):
        for name in names:
            letters[name] = letters.get(name, "") + (chr(ord("a") + i) if i < 26 else f"+{i}")
    return letters


def _add_models(page: Page, comparison: Comparison) -> None:
    from rich.cells import cell_len

    if not comparison.audits:
        return
    page.head("Models", "best first; those of one letter can't be told apart from its first")
    names = min(max(cell_len(visible(a.model.name, 60)) for a in comparison.audits), max(page.width - 54, 14))
    columns = columns_of(comparison)
    room = max((page.width - names - 10) // 7, 1)
    columns = columns[:room] if page.width < names + 10 + 9 * len(columns) else columns
    letters = group_letters(comparison)
    heads = "".join(fit(short, 9, right=True) + " " for _, short in columns)
    page.line(("  " + fit("model", names) + "  group" + heads, "dim"))
    for audit in comparison.audits[:_MODELS]:
        values = {rung.name: rung.accuracy for rung in audit.ladder}
        cells = "".join(fit(number(values.get(name)), 9, right=True) + " " for name, _ in columns)
        page.line(
            (f"  {fit(visible(audit.model.name, 60), names)}", "bold"),
            f"  {fit(letters.get(audit.model.name, ''), 5)}",
            cells,
        )
    if len(comparison.audits) > _MODELS:
        page.line((f"  {plural(len(comparison.audits) - _MODELS, 'model')} more in the JSON", "dim"))


def _add_pairs(page: Page, comparison: Comparison) -> None:
    if not comparison.differences:
        return
    page.head("Differences", "heads on the same held-out rows; McNemar's test, Holm over all pairs")
    for pair in comparison.differences[:_PAIRS]:
        sign = "+" if pair.accuracy >= 0 else ""
        ends = f"[{number(pair.low)}, {number(pair.high)}]"
        page.wrap(
            (f"{visible(pair.a, 40)} − {visible(pair.b, 40)}", "bold"),
            f"  {sign}{number(pair.accuracy)} {ends}  {p_value(pair.p_adjusted)}",
            (f"  only {visible(pair.a, 40)} right {pair.only_a:,}, only {visible(pair.b, 40)} {pair.only_b:,}", "dim"),
            lead="  ",
        )
    if len(comparison.differences) > _PAIRS:
        page.line((f"  {plural(len(comparison.differences) - _PAIRS, 'pair')} more in the JSON", "dim"))
