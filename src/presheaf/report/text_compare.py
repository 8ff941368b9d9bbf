"""A comparison of models as one screen of text."""

from __future__ import annotations

from itertools import accumulate

from presheaf.audits.numbers import number
from presheaf.audits.result import Comparison
from presheaf.images import shown
from presheaf.report.page import Page, fit
from presheaf.report.plain import p_value, plural, visible
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
_NAME, _LONGEST = 16, 400
"""Least columns for a model's name, of which a long one keeps its end, and most characters that are read of it."""
_BESIDE = 9
"""Columns beside the name and the rungs: margin, gap, group."""


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
    longest = max(cell_len(visible(a.model.name, _LONGEST)) for a in comparison.audits)
    columns = columns_of(comparison)
    widths = [9, *[10] * (len(columns) - 1)]
    if longest + _BESIDE + sum(widths) > page.width:
        widths = [max(len(short), 5) + 1 for _, short in columns]
    names = min(longest, max(page.width - _BESIDE - sum(widths), _NAME))
    room = sum(total <= page.width - _BESIDE - names for total in accumulate(widths))
    columns = columns[: max(room, 1)]
    letters = group_letters(comparison)
    heads = "".join(fit(short, width, right=True) for (_, short), width in zip(columns, widths, strict=False))
    page.line(("  " + fit("model", names) + "  group" + heads, "dim"))
    for audit in comparison.audits[:_MODELS]:
        values = {rung.name: rung.accuracy for rung in audit.ladder}
        cells = (
            fit(number(values.get(name)), width, right=True) for (name, _), width in zip(columns, widths, strict=False)
        )
        page.line(
            (f"  {fit(shown(visible(audit.model.name, _LONGEST), names), names)}", "bold"),
            f"  {fit(letters.get(audit.model.name, ''), 5)}",
            "".join(cells),
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
