"""The section of the text face on prompts that a language model scored."""

from __future__ import annotations

from presheaf.audits.numbers import number, signed
from presheaf.audits.prompting_result import Prompting
from presheaf.report.page import Page, fit
from presheaf.report.plain import interval, visible
from presheaf.report.prompting_words import (
    cost_sentence,
    landmarks,
    one_more_sentence,
    prompt_line,
    shown_score,
    spread_sentence,
    three,
    tried_sentence,
    tuned_sentence,
)

_ROWS, _WORDS, _COPY = 3, 4, 16


def add_prompting(page: Page, prompting: Prompting) -> None:
    """Landmarks among the prompts, k-shot curve, the prompt to copy, disagreements, words, soft prompt, cost."""
    page.head("Prompts scored by the model", "on held-out rows · * calibration preferred by the choosing half")
    page.wrap(tried_sentence(prompting), lead="  ", most=3)
    for name, prompt in landmarks(prompting):
        scores = "   ".join(
            f"{'*' if own else ''}{column} {shown_score(score)}" for column, score, own in three(prompt)
        )
        page.wrap((f"{name}: ", "bold"), prompt_line(prompt, 160), lead="  ", most=2)
        page.wrap(scores, lead="      ", most=3)
    if prompting.prompts:
        page.wrap(spread_sentence(prompting), lead="  ", most=3)
    _add_shots(page, prompting)
    _add_copy(page, prompting)
    _add_rows(page, prompting)
    if prompting.words:
        said = " · ".join(
            f"{visible(w.label, 20)} as “{visible(w.words, 24)}” {signed(w.effect)}" for w in prompting.words[:_WORDS]
        )
        page.wrap(f"beside the median word: {said}", lead="  label words that carry most, ", most=3)
    if prompting.tuned is not None:
        page.wrap(tuned_sentence(prompting.tuned), lead="  soft prompt  ", most=4)
    page.wrap(cost_sentence(prompting), lead="  cost  ", most=3)
    if prompting.missing:
        page.wrap((f"left out: {visible(prompting.missing, 600)}", "dim"), lead="  ", most=4)


def _add_shots(page: Page, prompting: Prompting) -> None:
    if not prompting.shots:
        return
    points = "   ".join(
        f"k={p.shots}\u00a0{number(p.accuracy)}\u00a0{interval(p.low, p.high)}" for p in prompting.shots
    )
    page.wrap(points, lead="  labelled examples in the prompt  ", most=3)
    if said := one_more_sentence(prompting):
        page.wrap(said, lead="    ", most=2)


def _add_copy(page: Page, prompting: Prompting) -> None:
    if not prompting.copy:
        return
    lines = prompting.copy.split("\n")
    page.line(("  the prompt to copy ({text} is the row)", "bold"))
    for line in lines[:_COPY]:
        page.wrap(visible(line, 400), lead="    │ ", most=4)
    if len(lines) > _COPY:
        page.line((f"    {len(lines) - _COPY:,} more lines in the JSON", "dim"))


def _add_rows(page: Page, prompting: Prompting) -> None:
    if not prompting.disagreements:
        return
    page.line(("  rows on which prompts disagree most", "bold"))
    for row in prompting.disagreements[:_ROWS]:
        votes = ", ".join(f"{visible(name, 20)} {count}" for name, count in row.votes[:4])
        page.line(f"  {row.row:>7}  {fit(visible(row.label, 20), 10)}  said {votes}", ("  " + visible(row.text, page.width), "dim"))  # fmt: skip
