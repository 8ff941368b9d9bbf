"""A watched training run as one screen of text: a line a checkpoint."""

from __future__ import annotations

from presheaf.audits.watch_result import Measure, Moment, RungChange, Watch
from presheaf.report.page import Page, fit
from presheaf.report.plain import interval, number, p_value, plural, signed, value_text, visible

SHORT = {
    "majority class": "majority",
    "one prompt per label": "prompt",
    "k prompts per label": "k prompts",
    "soft prompt": "soft",
    "head": "head",
}
"""Heads of the ladder's columns."""
_MOST = 24


def add_watch(page: Page, result: Watch) -> None:
    """Verdict, the task's category, a line a checkpoint, what changed, where the model is."""
    page.wrap((visible(result.verdict, 1000), "bold"))
    page.gap()
    page.wrap(category_line(result), lead="category  ", most=3)
    page.wrap(data_line(result), lead="data      ", most=2)
    if result.table:
        page.wrap(table_line(result), lead="table     ", most=2)
    _add_moments(page, result)
    if result.changes:
        page.head(
            "What training changed", "last checkpoint minus first, same held-out rows; McNemar, Holm over the rungs"
        )
        for change in result.changes:
            page.line(change_line(change))
    page.gap()
    page.line(f"model  {visible(result.model, 200)}")


def category_line(result: Watch) -> str:
    """What the task teaches about pairs, in a line."""
    p = result.pretext
    return (
        f"{p['name']}: objects {p['objects']}; hom {p['hom']}; {p['quantale']}, {p['orientation']}; k_f {p['kernel']} "
        f"({p['source']})"
    )


def data_line(result: Watch) -> str:
    """The objects, in a line."""
    d = result.data
    return f"{visible(str(d['name']), 80)}: {d['training_objects']:,} to train on, {d['held_out_objects']:,} held out"


def table_line(result: Watch) -> str:
    """The labelled table, in a line."""
    t = result.table
    return f"{visible(str(t['name']), 80)}: {plural(t['rows'], 'row')}, {plural(len(t['classes']), 'class', 'classes')}"


def span(measure: Measure) -> str:
    """``.812 [.790, .833]``; "–" where there is no number."""
    return f"{number(measure.value)} {interval(measure.low, measure.high)}".strip()


def rank(moment: Moment) -> str:
    """``12.3 of 64``."""
    value = moment.effective_rank.value
    return "–" if value is None else f"{value:.1f} of {moment.dim}"


def change_line(change: RungChange) -> str:
    """A rung before and after training."""
    d = change.difference
    return (
        f"{change.rung:<22}{number(change.before)} → {number(change.after)}   {signed(d.value or 0)} "
        f"{interval(d.low, d.high)}   {p_value(change.p_adjusted)}"
    )


def shown_moments(result: Watch, most: int) -> tuple[Moment, ...]:
    """At most ``most`` checkpoints: the first, the last, and evenly between."""
    moments = result.moments
    if len(moments) <= most:
        return moments
    picked = {round(i * (len(moments) - 1) / (most - 1)) for i in range(most)}
    return tuple(moments[i] for i in sorted(picked))


def rung_names(result: Watch) -> list[str]:
    """Rungs that some checkpoint has, in the ladder's order."""
    there = {rung.name for moment in result.moments for rung in moment.rungs}
    return [name for name in SHORT if name in there]


def _add_moments(page: Page, result: Watch) -> None:
    page.head("Checkpoints", "ideality: 0 is ideal; shuffled: the same with the task's objects permuted")
    names = rung_names(result)
    wide = page.width >= 110
    heads = ["step", "loss", "ideality", "shuffled", "aligned", "broken", "rank", *(SHORT[name] for name in names)]
    rungs = [max(len(SHORT[name]) + 2, 6) for name in names]
    widths = [6, 8, 20 if wide else 9, 9, 8, 7, 13, *rungs]
    page.line(("".join(fit(head, width, right=True) for head, width in zip(heads, widths, strict=True)), "dim"))
    moments = shown_moments(result, _MOST)
    for moment in moments:
        page.line(_cells([*_numbers(moment, wide), *_accuracies(moment, names)], widths))
    baseline = {rung.name: rung.accuracy.value for moment in result.moments[:1] for rung in moment.baseline}
    if any(value is not None for value in baseline.values()):
        cells = [number(baseline.get(name)) for name in names]
        blank = fit("without a model", sum(widths) - sum(rungs), right=True)
        page.line((blank + _cells(cells, rungs), "dim"))
    if len(moments) < len(result.moments):
        page.line((f"{plural(len(result.moments) - len(moments), 'checkpoint')} more in the JSON", "dim"))


def _numbers(moment: Moment, wide: bool) -> list[str]:
    loss = "–" if moment.loss is None else f"{moment.loss:.4g}"
    return [
        f"{moment.step:,}",
        loss,
        span(moment.ideality) if wide else number(moment.ideality.value),
        number(moment.ideality_null),
        number(moment.alignment.value),
        number(moment.broken.value),
        rank(moment),
    ]


def _accuracies(moment: Moment, names: list[str]) -> list[str]:
    found = {rung.name: rung.accuracy.value for rung in moment.rungs}
    return [number(found.get(name)) for name in names]


def _cells(cells: list[str], widths: list[int]) -> str:
    return "".join(fit(cell, width, right=True) for cell, width in zip(cells, widths, strict=True))


def settings_lines(result: Watch) -> list[tuple[str, object]]:
    """Settings of the run in the order of their names."""
    return [(key.replace("_", " "), value_text(result.settings[key])) for key in sorted(result.settings)]
