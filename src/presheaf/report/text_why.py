"""The section "Why" of the text face: what the model's category says about the task, a line a statement."""

from __future__ import annotations

from presheaf.audits.numbers import number
from presheaf.audits.why_result import GapRow, Why
from presheaf.report.page import Page
from presheaf.report.plain import visible
from presheaf.report.why_words import (
    ceiling_sentence,
    cover_sentence,
    decision_sentence,
    density_sentence,
    gap_sentence,
    hom_sentence,
    label_sentence,
    laws_sentence,
    loss_sentence,
    short_sentence,
)

_LABELS, _ROWS, _LINES = 2, 3, 6
_LEAD = 11


def add_why(page: Page, why: Why) -> None:
    """In short, the distance, Theorem 1, prompt curve, Theorem 2, losses and Kan gap; the JSON holds the rest."""
    page.head("Why", "what the distances between rows say of the task · in radians")
    for name, said in _sentences(why):
        page.wrap(said, lead=f"  {name:<{_LEAD - 2}}", most=_LINES)
    for row in why.gap[:_ROWS]:
        page.line(f"  {row.row:>7}  {place(row)}", ("  " + page.object(row.text), "dim"))
    left = len(why.gap) - _ROWS + why.gap_left_out
    if left > 0:
        page.line((f"  {left:,} more rows in the gap", "dim"))


def place(row: GapRow) -> str:
    """``negative, contradicted: row 2073 (negative) at .663, another label at .666``."""
    return (
        f"{visible(row.label, 20)}, {row.status}: row {row.nearest} ({visible(row.nearest_label, 20)}) at "
        f"{number(row.distance)}, another label at {number(row.rival)}"
    )


def _sentences(why: Why) -> list[tuple[str, str]]:
    return [
        ("in short", short_sentence(why)),
        ("distance", hom_sentence(why)),
        ("laws", laws_sentence(why)),
        ("T1", decision_sentence(why)),
        *(("label" if i == 0 else "", f"{visible(label.label, 24)}: {label_sentence(label)}")
          for i, label in enumerate(why.labels[:_LABELS])),
        ("density", density_sentence(why)),
        ("T2", ceiling_sentence(why)),
        ("errors", loss_sentence(why)),
        ("null", cover_sentence(why)),
        ("Kan gap", gap_sentence(why)),
    ]  # fmt: skip
