"""The sections of a page that compares two models' categories, and its card."""

from __future__ import annotations

from presheaf.audits.category_result import CategoryComparison, ChangedRow, MergeChange
from presheaf.report.html_audit import reading, section
from presheaf.report.html_findings import facts
from presheaf.report.limits import Limits, left_out
from presheaf.report.markup import Html, el, join, style, user
from presheaf.report.plain import cut, ids, interval, number, p_value, plural
from presheaf.report.text_categories import changes, law_line, merge_line, noise_line, radians, span


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
    return el(
        "div", join([style("palette", "chart", "card"), sentence, _kept(result), _task(result)]), class_="presheaf card"
    )


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
    heads = (("", ""), ("kept", "num"), ("95 %", "num"), ("chance", "num"), ("random word vectors", "num"))
    each = (
        (f"{kept.k} nearest neighbours", kept.neighbours, kept.chance, kept.words),
        ("order of distances (Spearman)", kept.order, 0.0, kept.order_words),
    )
    lines = [
        _line(name, [("kept", number(seen.value)), ("95 %", interval(seen.low, seen.high)), ("chance", number(chance)),
                     ("random word vectors", number(words))])
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
        f"Angles between features; the mean angle before is {radians(result.size)}. Where neither part changes, the map from "
        "one category to the other is full and faithful on these objects."
    )
    return join([el("p", lead, class_="lead"), _table(heads, lines)])


def _task(result: CategoryComparison) -> Html:
    heads = (("rung", ""), ("before", "num"), ("after", "num"), ("difference", "num"), ("95 %", "num"),
             ("adjusted", "num"), ("", ""))  # fmt: skip
    lines = [
        _line(r.rung, [("before", number(r.before.value)), ("after", number(r.after.value)),
                       ("difference", f"{r.difference.value or 0:+.3f}"),
                       ("95 %", interval(r.difference.low, r.difference.high)), ("adjusted", p_value(r.p_adjusted)),
                       ("change", "no change shown" if r.change == "not shown" else r.change)])
        for r in result.rungs
    ]  # fmt: skip
    lead = "Accuracy on the same held-out rows. Exact McNemar test, Holm over the rungs."
    if len(result.verdicts) == 2:
        lead += f" The audit's answer: {result.verdicts[0]} → {result.verdicts[1]}."
    return join([el("p", lead, class_="lead"), _table(heads, lines)]) if lines else Html("")


def _merges(result: CategoryComparison, limits: Limits) -> Html:
    return join(part for merges in result.merges for part in _merge(merges, limits))


def _merge(merges: MergeChange, limits: Limits) -> list[Html]:
    parts = [el("p", merge_line(merges), class_="lead")]
    for word, groups in (("new", merges.new), ("lost", merges.lost)):
        for group in groups[: limits.groups]:
            texts = (user(text, limits.text, "span", class_="text") for text in group.texts[: limits.members])
            parts.append(el("p", f"{word}: {ids(group.rows, 8)} ", *texts))
        parts.append(left_out(len(groups), limits.groups, f"{word} group"))
    return parts


def _relabelled(result: CategoryComparison, limits: Limits) -> Html:
    again = result.relabelled
    assert again is not None
    lead = (
        f"{plural(again.objects, 'object')}, {span(again.share)} of all; right before and wrong now {again.lost:,}, wrong "
        f"before and right now {again.gained:,}."
    )
    return join([el("p", lead, class_="lead"), _changed(again.rows, limits)])


def _changed(rows: tuple[ChangedRow, ...], limits: Limits) -> Html:
    heads = (("row", "num"), ("label", ""), ("votes", ""), ("kept", "num"), ("moved", "num"), ("text", ""))
    lines = [
        el(
            "tr",
            el("th", str(row.row), scope="row", class_="num", data_name="row"),
            el("td", user(row.label, 80), data_name="label"),
            el("td", user(_votes(row), 160), data_name="votes"),
            el("td", number(row.kept), class_="num", data_name="kept"),
            el("td", radians(row.moved), class_="num", data_name="moved"),
            el("td", user(row.text, limits.text, "span", class_="text"), _nearest(row, limits)),
        )
        for row in rows[: limits.rows]
    ]
    return join([_table(heads, lines), left_out(len(rows), limits.rows, "row")])


def _votes(row: ChangedRow) -> str:
    return row.label_before if row.label_before == row.label_after else f"{row.label_before} → {row.label_after}"


def _nearest(row: ChangedRow, limits: Limits) -> Html:
    if row.nearest_before == row.nearest_after:
        return Html("")
    before = join([f" was nearest to row {row.nearest_before}: ", user(row.text_before, limits.text // 2)])
    after = join([f"; is nearest to row {row.nearest_after}: ", user(row.text_after, limits.text // 2)])
    return el("span", before, after, class_="dim")
