"""A comparison of two models' categories as one screen of text."""

from __future__ import annotations

from presheaf.audits.category_result import (
    CategoryComparison,
    Change,
    ChangedRow,
    Estimate,
    FitRow,
    MergeChange,
    TaskChange,
    TaskChanges,
)
from presheaf.audits.category_verdict import pairs_seen, task_name
from presheaf.audits.numbers import number, signed
from presheaf.report.page import Page
from presheaf.report.plain import ids, interval, p_value, plural, visible

_ROWS, _MERGES, _TASKS, _FITS = 5, 3, 6, 2


def add_categories(page: Page, result: CategoryComparison) -> None:
    """Verdict, what is kept, distances, the task, merges, rows."""
    page.wrap((visible(result.verdict, 1000), "bold"))
    page.gap()
    page.wrap(_objects(result), lead="objects  ", most=3)
    _add_kept(page, result)
    _add_distances(page, result)
    _add_task(page, result)
    _add_prompts(page, result)
    _add_merges(page, result)
    _add_rows(page, result)


def span(estimate: Estimate) -> str:
    """``.812 [.790, .833]``; "–" where there is no number."""
    return f"{number(estimate.value)} {interval(estimate.low, estimate.high)}".strip()


def radians(value: float | None) -> str:
    """A change of an angle with three significant digits: ``0.00251``."""
    return "–" if value is None else f"{value:.3g}"


def radian_span(estimate: Estimate) -> str:
    """``0.00251 [0.00248, 0.00254]``."""
    return f"{radians(estimate.value)} [{radians(estimate.low)}, {radians(estimate.high)}]"


def changes(result: CategoryComparison) -> list[tuple[str, Change]]:
    """The three ways in which distances change, with their names for people."""
    return [
        ("either way", result.either),
        ("pulled together (not full)", result.full),
        ("pushed apart (not a functor)", result.functor),
    ]


def law_line(result: CategoryComparison) -> str:
    """What is known of the laws of both homs, in a line."""
    first = result.laws[0]
    if all(law.lawful for law in result.laws):
        most = max(law.broken.high or 0.0 for law in result.laws)
        return f"both homs: {first.hom}, quantale {first.quantale}, lawful (proof); triples broken at most {number(most)} (95 %)"
    return "; ".join(
        f"{visible(law.model, 60)}: {law.quantale}, {span(law.broken)} of triples broken" for law in result.laws
    )


def noise_line(result: CategoryComparison) -> str:
    """What encoding one at a time showed, in a line; empty where a model can't be asked again."""
    noise = result.noise
    if not noise.objects or noise.exact is None or noise.usual is None:
        return "no object could be encoded again, so float noise could not be told from change"
    kinds = " and ".join(dict.fromkeys(noise.precisions))
    said = "float rounding" if noise.same else "a real change, not float rounding"
    return (
        f"{plural(noise.objects, 'object')} encoded one at a time ({kinds}): largest change {noise.exact / 1e9:.1e} rad, in "
        f"batches {noise.usual / 1e9:.1e} rad: {said}"
    )


def _objects(result: CategoryComparison) -> str:
    parts = [visible(str(result.task.get("name", "table")), 60), plural(result.objects, "distinct object")]
    parts += [f"a random sample of {result.of:,}"] if result.of > result.objects else []
    parts += [f"without a direction and left out: {ids(result.left_out, 5)}"] if result.left_out else []
    parts += [f"scale {result.scale:.4g} fitted on half of them"] if result.fitted else ["no scale fitted"]
    return " · ".join(parts)


def _add_kept(page: Page, result: CategoryComparison) -> None:
    kept = result.kept
    page.head("Neighbourhoods", "by object, with 95 % intervals")
    beside = f"  chance {number(kept.chance)}"
    beside += "" if kept.words is None else f", random word vectors {number(kept.words)}"
    page.line(f"  {kept.k} nearest neighbours kept  {span(kept.neighbours)}", (beside, "dim"))
    words = "" if kept.order_words is None else f", random word vectors {number(kept.order_words)}"
    page.line(f"  order of distances kept  {span(kept.order)}", (f"  Spearman; chance .000{words}", "dim"))


def _add_distances(page: Page, result: CategoryComparison) -> None:
    page.head("Distances", f"change in radians, of {pairs_seen(result)}; mean distance {radians(result.size)}")
    page.line((f"  {'':<30}{'mean':<30}{'q95':>9}{'q99':>9}{'largest':>9}", "dim"))
    for name, change in changes(result):
        cells = "".join(f"{radians(v):>9}" for v in (change.q95.value, change.q99.value, change.largest))
        page.line(f"  {name:<30}{radian_span(change.mean):<30}{cells}")
    page.wrap((law_line(result), "dim"), lead="  ", most=2)
    page.wrap((noise_line(result), "dim"), lead="  ", most=2)


def _add_task(page: Page, result: CategoryComparison) -> None:
    if not result.rungs:
        return
    page.head("Task", "before → after on the same held-out rows; McNemar's test, Holm over the rungs")
    for rung in result.rungs:
        style = {"worse": "bold red", "better": "green", "not shown": ""}[rung.change]
        page.line(
            f"  {rung.rung:<21}{number(rung.before.value)} → {number(rung.after.value)}  ",
            f"{signed(rung.difference.value or 0)} {interval(rung.difference.low, rung.difference.high):<14}  ",
            (f"{rung.change:<9}", style),
            (f"  {p_value(rung.p_adjusted):<9}  {rung.only_before:,} lost, {rung.only_after:,} won", "dim"),
        )
        if (same := rung.same_prompts) is not None:
            said = f"{signed(same.value or 0)} {interval(same.low, same.high)}"
            page.line((f"    with the first model's prompts under both {said}", "dim"))
    if len(result.verdicts) == 2:
        page.line((f"  the audit's answer: {result.verdicts[0]} → {result.verdicts[1]}", "dim"))


def prompts_line(tasks: TaskChanges) -> str:
    """How many labels' representability changed, in a line."""
    if tasks.missing:
        return tasks.missing
    changed, shown = len(tasks.changed), sum(task.change != "not shown" for task in tasks.tasks)
    verdicts = f"{plural(changed, 'verdict')} changed" if changed else "no verdict is shown to change"
    return f"{verdicts}; {shown} of {plural(len(tasks.tasks), 'test')} show that prompts fit more or fewer rows"


def by_change(tasks: TaskChanges) -> list[TaskChange]:
    """Changed verdicts first, then changed fits, then the others."""
    return sorted(tasks.tasks, key=lambda task: (not task.verdict_changed, task.change == "not shown"))


def verdicts(task: TaskChange) -> str:
    """``representable → cannot say``, or the one word for both."""
    one, two = task.before.verdict, task.after.verdict
    return f"{one} → {two}" if one != two else one


def fit_row(row: FitRow) -> str:
    """``deviation 0.12 → 0.55``."""
    return f"{radians(row.before)} → {radians(row.after)}"


def _add_prompts(page: Page, result: CategoryComparison) -> None:
    if result.tasks is None:
        return
    page.head("One prompt a label (Theorem 1)", "share of held-out rows that it fits, before → after")
    page.line((f"  {prompts_line(result.tasks)}", "dim"))
    for task in by_change(result.tasks)[:_TASKS]:
        style = {"worse": "bold red", "better": "green", "not shown": ""}[task.change]
        page.line(
            f"  {visible(task_name(task), 26):<26}{number(task.before.fits.value)} → {number(task.after.fits.value)}  ",
            f"{signed(task.difference.value or 0)} {interval(task.difference.low, task.difference.high):<14}  ",
            (f"{task.change:<9}", style),
            ("" if task.verdict_changed else f"  {verdicts(task)}", "dim"),
        )
        if task.verdict_changed:
            page.line((f"    {verdicts(task)}", style))
        for row in task.rows[:_FITS]:
            page.line((f"    {row.row:>6}  {fit_row(row):<18}  {page.object(row.text)}", "dim"))
    if len(result.tasks.tasks) > _TASKS:
        page.line((f"  {len(result.tasks.tasks) - _TASKS} more in the JSON", "dim"))


def merge_line(merges: MergeChange) -> str:
    """How many groups of rows only one of the models merges, in a line."""
    kind = {"T0": "equal input, whatever the weights (proof)", "T1": "equal features one at a time (proof)"}[
        merges.tier
    ]
    if merges.missing:
        return f"{merges.tier} {kind}: {visible(merges.missing, 200)}"
    new, lost = len(merges.new) + merges.new_left_out, len(merges.lost) + merges.lost_left_out
    return f"{merges.tier} {kind}: {new:,} new, {lost:,} lost"


def _add_merges(page: Page, result: CategoryComparison) -> None:
    page.head("Rows that one of the two can't tell apart")
    for merges in result.merges:
        page.line(f"  {merge_line(merges)}")
        for word, groups in (("new ", merges.new), ("lost", merges.lost)):
            for group in groups[:_MERGES]:
                texts = " | ".join(page.object(text, 60) for text in group.texts[:3])
                page.line((f"    {word} {ids(group.rows, 4)}: ", ""), (texts, "dim"))


def _add_rows(page: Page, result: CategoryComparison) -> None:
    again = result.relabelled
    if again is not None:
        page.head(
            "Objects whose neighbours vote for another label", f"{plural(again.objects, 'object')}, {span(again.share)}"
        )
        page.line((f"  right before, wrong now: {again.lost:,}; wrong before, right now: {again.gained:,}", "dim"))
        for row in again.rows[:_ROWS]:
            vote = f"{visible(row.label_before, 20)} → {visible(row.label_after, 20)} (is {visible(row.label, 20)})"
            page.line(f"  {row.row:>6}  {vote}", ("  " + page.object(row.text), "dim"))
    if result.most_changed:
        page.head("Objects most changed", "fewest neighbours kept first")
        for row in result.most_changed[:_ROWS]:
            _add_changed(page, row, result.kept.k)


def _add_changed(page: Page, row: ChangedRow, k: int) -> None:
    page.line(
        f"  {row.row:>6}  keeps {round(row.kept * k)} of {k}, distances move {radians(row.moved)}",
        ("  " + page.object(row.text), "dim"),
    )
    if row.nearest_before != row.nearest_after:
        for word, at, text in (
            ("was near", row.nearest_before, row.text_before),
            ("is near ", row.nearest_after, row.text_after),
        ):
            page.line((f"          {word} {at:>6}  {page.object(text)}", "dim"))
