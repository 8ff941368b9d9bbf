"""The sections of a page that compares two models' categories, and its card."""

from __future__ import annotations

from collections.abc import Sequence

from presheaf.audits.category_result import CategoryComparison, ChangedRow, FitRow, MergeChange, TaskChange
from presheaf.audits.category_verdict import pairs_seen, task_name
from presheaf.audits.numbers import number, signed
from presheaf.audits.result import RowGroup
from presheaf.report.folded import folded
from presheaf.report.html_audit import reading, section
from presheaf.report.html_findings import facts
from presheaf.report.limits import Limits, left_out
from presheaf.report.markup import Html, el, join, style, user
from presheaf.report.plain import cut, ids, interval, p_value, plural
from presheaf.report.text_categories import (
    by_change,
    changes,
    fit_row,
    law_line,
    merge_line,
    noise_line,
    prompts_line,
    radians,
    span,
    verdicts,
)


def categories_page(result: CategoryComparison, limits: Limits) -> Html:
    """Everything between the page's head and foot."""
    name = user(str(result.task.get("name", "table")), 80)
    models = join([user(result.before.name, 80), " → ", user(result.after.name, 80)])
    parts = [
        el("header", el("p", "presheaf compare-categories · ", name, " · ", models, class_="eyebrow"),
           user(result.verdict, limits.sentence, "h1"), facts(_summary(result), limits)),
        section("Neighbourhoods", "kept", _kept(result)),
        section("Distances", "distances", _distances(result)),
    ]  # fmt: skip
    if result.rungs:
        parts.append(section("The task", "task", _task(result)))
    if result.tasks is not None:
        parts.append(section("One prompt a label", "prompts", _prompts(result, limits)))
    parts.append(section("Rows that one of the two can't tell apart", "merges", _merges(result, limits)))
    if result.relabelled is not None:
        parts.append(section("Neighbours that vote for another label", "labels", _relabelled(result, limits)))
    if result.most_changed:
        parts.append(section("Objects most changed", "changed", _changed(result.most_changed, limits)))
    settings = [(key, result.settings[key]) for key in sorted(result.settings)]
    parts.append(section("What was done", "done", facts(settings, limits)))
    parts.append(section("How to read this", "reading", reading()))
    return join(parts)


def categories_card(result: CategoryComparison) -> str:
    """A short HTML fragment for ``_repr_html_``: the verdict, what is kept, the rungs."""
    sentence = user(cut(result.verdict, 600), 600, "p", class_="sentence")
    prompts = (
        "" if result.tasks is None else el("p", f"One prompt a label: {prompts_line(result.tasks)}.", class_="soft")
    )
    parts = [style("palette", "chart", "card"), sentence, _kept(result), _task(result), prompts]
    return el("div", join(parts), class_="presheaf card")


def _summary(result: CategoryComparison) -> list[tuple[str, object]]:
    size = f"{result.objects:,}" + (f", a random sample of {result.of:,}" if result.of > result.objects else "")
    lines: list[tuple[str, object]] = [("distinct objects", size)]
    if result.left_out:
        lines.append(("left out", f"{ids(result.left_out, 8)}, to which a model gives no direction"))
    scale = f"{result.scale:.4g}, fitted on half of the objects" if result.fitted else "none fitted"
    return [*lines, ("scale", scale), ("laws", law_line(result)), ("float noise", noise_line(result))]


def _table(heads: tuple[tuple[str, str], ...], lines: list[Html]) -> Html:
    top = el("tr", *(el("th", name, scope="col", class_=kind or None) for name, kind in heads))
    return el("div", el("table", el("thead", top), el("tbody", *lines), class_="stack"), class_="scroll")


def _line(first: Html | str, cells: list[tuple[str, str]]) -> Html:
    rest = (el("td", value, class_="num", data_name=name) for name, value in cells)
    return el("tr", el("th", first, scope="row"), *rest)


def _kept(result: CategoryComparison) -> Html:
    kept = result.kept
    texts = kept.words is not None or kept.order_words is not None  # only words have a null of random words
    heads = (("", ""), ("kept", "num"), ("95 %", "num"), ("chance", "num"), *[("random word vectors", "num")] * texts)
    each = (
        (f"{kept.k} nearest neighbours", kept.neighbours, kept.chance, kept.words),
        ("order of distances (Spearman)", kept.order, 0.0, kept.order_words),
    )
    lines = [
        _line(name, [("kept", number(seen.value)), ("95 %", interval(seen.low, seen.high)), ("chance", number(chance)),
                     *[("random word vectors", number(words))] * texts])
        for name, seen, chance, words in each
    ]  # fmt: skip
    return _table(heads, lines)


def _distances(result: CategoryComparison) -> Html:
    heads = (("change, in radians", ""), ("mean", "num"), ("95 %", "num"), ("95 % quantile", "num"),
             ("99 % quantile", "num"), ("largest seen", "num"))  # fmt: skip
    lines = [
        _line(name, [("mean", radians(c.mean.value)), ("95 %", f"[{radians(c.mean.low)}, {radians(c.mean.high)}]"),
                     ("95 % quantile", radians(c.q95.value)), ("99 % quantile", radians(c.q99.value)),
                     ("largest seen", radians(c.largest))])
        for name, c in changes(result)
    ]  # fmt: skip
    lead = (
        f"Angles between features, of {pairs_seen(result)}; the mean angle before is {radians(result.size)}. Where neither "
        "part changes, the map from one category to the other is full and faithful on these objects."
    )
    return join([el("p", lead, class_="lead"), _table(heads, lines)])


def _task(result: CategoryComparison) -> Html:
    heads = (("rung", ""), ("before", "num"), ("after", "num"), ("difference", "num"), ("95 %", "num"),
             ("same prompts", "num"), ("p, adjusted", "num"), ("", ""))  # fmt: skip
    lines = [
        _line(r.rung, [("before", number(r.before.value)), ("after", number(r.after.value)),
                       ("difference", signed(r.difference.value or 0)),
                       ("95 %", interval(r.difference.low, r.difference.high)),
                       ("same prompts", "" if r.same_prompts is None else signed(r.same_prompts.value or 0)),
                       ("p, adjusted", p_value(r.p_adjusted)),
                       ("change", "no change shown" if r.change == "not shown" else r.change)])
        for r in result.rungs
    ]  # fmt: skip
    lead = (
        "Accuracy on the same held-out rows, after minus before. Exact McNemar test, Holm over the rungs. Prompts are chosen "
        "anew for the second model; a change counts where it is also there with the first model's prompts under both."
    )
    if len(result.verdicts) == 2:
        lead += f" The audit's answer: {result.verdicts[0]} → {result.verdicts[1]}."
    return join([el("p", lead, class_="lead"), _table(heads, lines)]) if lines else Html("")


def _prompts(result: CategoryComparison, limits: Limits) -> Html:
    tasks = result.tasks
    assert tasks is not None
    first = el("p", prompts_line(tasks)[:1].upper(), prompts_line(tasks)[1:], ".")
    if tasks.missing:
        return first
    lead = (
        "Each model chooses one row as the prompt of a label, on rows of one half; the other half says how many rows it fits: "
        f"whose label is the distance to it within {tasks.margin:g} of the scale (value), a rising curve of that distance "
        f"(calibrated), or that the nearest prompt decides rightly (decision). Representable: at most {tasks.outside:g} of the "
        f"rows do not fit (decision: {tasks.wrong:g}). All verdicts hold at once with 95 %; exact McNemar test, Holm over all "
        "lines. Null p: share of shuffled labels that fit as well, before and after."
    )
    heads = (("task (level), verdict", ""), ("fits before", "num"), ("after", "num"), ("difference", "num"),
             ("p, adjusted", "num"), ("", ""))  # fmt: skip
    listed = by_change(tasks)
    table = folded(listed, len(listed), "task", lambda part: _table(heads, [_prompt(task) for task in part]))
    rows = [_fit_rows(task, limits) for task in listed if task.rows]
    return join([first, el("p", lead, class_="lead"), table, *rows])


def _prompt(task: TaskChange) -> Html:
    nulls = " → ".join(number(side.null_p) for side in (task.before, task.after))
    said = verdicts(task) + ("" if task.before.null_p is None else f"; null p {nulls}")
    return _line(
        join([user(task_name(task), 100), el("br"), el("span", said, class_="dim")]),
        [("fits before", span(task.before.fits)), ("after", span(task.after.fits)),
         ("difference", f"{signed(task.difference.value or 0)} {interval(task.difference.low, task.difference.high)}"),
         ("p, adjusted", p_value(task.p_adjusted)),
         ("change", "no change shown" if task.change == "not shown" else task.change)],
    )  # fmt: skip


def _fit_rows(task: TaskChange, limits: Limits) -> Html:
    """The rows that carry a change, folded."""
    heads = (("row", "num"), ("label", ""), ("deviation", "num"), (limits.media, ""))
    lines = [_fit_line(row, limits) for row in task.rows[: limits.rows]]
    total = len(task.rows) + task.rows_left_out
    summary = el("summary", f"{plural(total, 'row')} behind ", user(task_name(task), 100))
    said = f"{task.only_before:,} fit before only, {task.only_after:,} after only; deviations in radians."
    return el(
        "details", summary, el("p", said, class_="lead"), _table(heads, lines), left_out(total, len(lines), "row")
    )


def _fit_line(row: FitRow, limits: Limits) -> Html:
    return el(
        "tr",
        el("th", str(row.row), scope="row", class_="num", data_name="row"),
        el("td", user(row.label, 80), data_name="label"),
        el("td", fit_row(row), class_="num", data_name="deviation"),
        el("td", limits.object(row.text)),
    )


def _merges(result: CategoryComparison, limits: Limits) -> Html:
    return join(part for merges in result.merges for part in _merge(merges, limits))


def _merge(merges: MergeChange, limits: Limits) -> list[Html]:
    parts = [el("p", merge_line(merges), class_="lead")]
    for word, groups, more in (("new", merges.new, merges.new_left_out), ("lost", merges.lost, merges.lost_left_out)):

        def drawn(part: Sequence[RowGroup], word: str = word) -> Html:
            return join(_group(group, word, limits) for group in part)

        parts.append(folded(groups, limits.groups, f"{word} group", drawn))
        parts.append(
            el("p", f"{plural(more, f'{word} group')} more, counted only.", class_="ids") if more else Html("")
        )
    return parts


def _group(group: RowGroup, word: str, limits: Limits) -> Html:
    texts = (limits.object(text) for text in group.texts[: limits.members])
    return el("p", f"{word}: {ids(group.rows, 8)} ", *texts)


def _relabelled(result: CategoryComparison, limits: Limits) -> Html:
    again = result.relabelled
    assert again is not None
    lead = (
        f"{plural(again.objects, 'object')}, {span(again.share)} of all; right before and wrong now {again.lost:,}, wrong "
        f"before and right now {again.gained:,}."
    )
    if again.objects > len(again.rows):
        lead += f" Those {len(again.rows)} are listed whose neighbourhoods changed most, losses first."
    return join([el("p", lead, class_="lead"), _changed(again.rows, limits)])


def _changed(rows: tuple[ChangedRow, ...], limits: Limits) -> Html:
    heads = (("row", "num"), ("label", ""), ("votes", ""), ("kept", "num"), ("moved", "num"), (limits.media, ""))
    return folded(rows, limits.rows, "row", lambda part: _table(heads, [_changed_line(row, limits) for row in part]))


def _changed_line(row: ChangedRow, limits: Limits) -> Html:
    return el(
        "tr",
        el("th", str(row.row), scope="row", class_="num", data_name="row"),
        el("td", user(row.label, 80), data_name="label"),
        el("td", user(_votes(row), 160), data_name="votes"),
        el("td", number(row.kept), class_="num", data_name="kept"),
        el("td", radians(row.moved), class_="num", data_name="moved"),
        el("td", limits.object(row.text, keep=0), _nearest(row, limits)),
    )


def _votes(row: ChangedRow) -> str:
    return row.label_before if row.label_before == row.label_after else f"{row.label_before} → {row.label_after}"


def _nearest(row: ChangedRow, limits: Limits) -> Html:
    if row.nearest_before == row.nearest_after:
        return Html("")
    before = join([f" was nearest to row {row.nearest_before}: ", user(row.text_before, limits.text // 2)])
    after = join([f"; is nearest to row {row.nearest_after}: ", user(row.text_after, limits.text // 2)])
    return el("span", before, after, class_="dim")
