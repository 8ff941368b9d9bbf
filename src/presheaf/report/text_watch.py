"""A watched training run as one screen of text: a line a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from presheaf.audits.numbers import number, signed
from presheaf.audits.watch_result import Measure, Moment, RungChange, Watch
from presheaf.report.page import Page, fit
from presheaf.report.plain import interval, p_value, plural, value_text, visible

SHORT = {
    "majority class": "majority",
    "one prompt per label": "prompt",
    "k prompts per label": "k prompts",
    "soft prompt": "soft",
    "head": "head",
}
"""Heads of the ladder's columns."""
_CATEGORY = ("name", "objects", "hom", "quantale", "orientation", "kernel", "source")
_MOST = 24
_FIRST_TO_GO = ("rank", "broken", "majority", "k prompts", "aligned", "loss", "shuffled")


def add_watch(page: Page, result: Watch) -> None:
    """Verdict, the task's category, a line a checkpoint, what changed, where the model is."""
    page.wrap((visible(result.verdict, 1000), "bold"))
    page.gap()
    page.wrap(category_line(result), lead="category  ", most=3)
    page.wrap(data_line(result), lead="data      ", most=2)
    page.wrap(table_line(result), lead="table     ", most=2)
    _add_moments(page, result)
    if result.changes:
        page.head(
            "What training changed", "last checkpoint minus first, same held-out rows; McNemar, Holm over the rungs"
        )
        for change in result.changes:
            page.line(change_line(change, page.width < 70))
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
    if not t:
        return "none, so there is no ladder; --watch names a labelled table"
    return f"{visible(str(t['name']), 80)}: {plural(t['rows'], 'row')}, {plural(len(t['classes']), 'class', 'classes')}"


def span(measure: Measure) -> str:
    """``.812 [.790, .833]``; "–" where there is no number."""
    return f"{number(measure.value)} {interval(measure.low, measure.high)}".strip()


def rank(moment: Moment) -> str:
    """``12.3 of 64``."""
    value = moment.effective_rank.value
    return "–" if value is None else f"{value:.1f} of {moment.dim}"


def change_line(change: RungChange, narrow: bool = False) -> str:
    """A rung before and after training."""
    d = change.difference
    name = f"{SHORT.get(change.rung, change.rung):<11}" if narrow else f"{change.rung:<22}"
    return (
        f"{name}{number(change.before)} → {number(change.after)}   {signed(d.value or 0)} "
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


@dataclass(frozen=True)
class _Column:
    """A column of the checkpoints' table; ``rung`` names the ladder's rung that it holds."""

    head: str
    width: int
    cell: Callable[[Moment], str]
    rung: str = ""


def _add_moments(page: Page, result: Watch) -> None:
    page.head("Checkpoints", "ideality: 0 is ideal; shuffled: the same with the task's objects permuted")
    columns = _fitting(_columns(result, page.width >= 110), page.width)
    page.line(("".join(fit(column.head, column.width, right=True) for column in columns), "dim"))
    moments = shown_moments(result, _MOST)
    for moment in moments:
        page.line("".join(fit(column.cell(moment), column.width, right=True) for column in columns))
    baseline = {rung.name: rung.accuracy.value for moment in result.moments[:1] for rung in moment.baseline}
    if any(value is not None for value in baseline.values()):
        blank = fit("without a model", sum(column.width for column in columns if not column.rung), right=True)
        cells = [fit(number(baseline.get(column.rung)), column.width, right=True) for column in columns if column.rung]
        page.line((blank + "".join(cells), "dim"))
    if len(moments) < len(result.moments):
        page.line((f"{plural(len(result.moments) - len(moments), 'checkpoint')} more in the JSON", "dim"))


def _columns(result: Watch, wide: bool) -> list[_Column]:
    first = [
        _Column("step", 6, lambda m: f"{m.step:,}"),
        _Column("loss", 8, lambda m: "–" if m.loss is None else f"{m.loss:.4g}"),
        _Column("ideality", 20 if wide else 9, lambda m: span(m.ideality) if wide else number(m.ideality.value)),
        _Column("shuffled", 9, lambda m: number(m.ideality_null)),
        _Column("aligned", 8, lambda m: number(m.alignment.value)),
        _Column("broken", 7, lambda m: number(m.broken.value)),
        _Column("rank", 12, rank),
    ]
    return first + [_of_rung(name) for name in rung_names(result)]


def _of_rung(name: str) -> _Column:
    def cell(moment: Moment) -> str:
        rung = moment.rung(name)
        return number(None if rung is None else rung.accuracy.value)

    return _Column(SHORT[name], max(len(SHORT[name]) + 1, 5), cell, name)


def _fitting(columns: list[_Column], width: int) -> list[_Column]:
    """As many columns as a line holds; what a reader misses least goes first."""
    kept = list(columns)
    for head in _FIRST_TO_GO:
        if sum(column.width for column in kept) > width:
            kept = [column for column in kept if column.head != head]
    return kept


def settings_lines(result: Watch) -> list[tuple[str, object]]:
    """Settings of the run and options of the task in the order of their names."""
    options = {key: value for key, value in result.pretext.items() if key not in _CATEGORY}
    lines = {**{f"{result.pretext['name']}, {key}": options[key] for key in options}, **result.settings}
    return [(key.replace("_", " "), value_text(lines[key])) for key in sorted(lines)]
