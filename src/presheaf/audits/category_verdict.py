"""The decision and the sentence of a comparison of categories."""

from __future__ import annotations

from presheaf.audits.category_result import CategoryComparison, Decision, RungChange, TaskChange
from presheaf.audits.findings.base import plural
from presheaf.audits.numbers import number, signed

ONE_WAY = 0.95
"""Share of all change in one direction from which the verdict speaks of scale."""

NAMED = 3
"""Most tasks the verdict names whose representability changed."""


def decide(result: CategoryComparison) -> tuple[Decision, str]:
    """What was found, in one word and in two or three sentences."""
    if result.noise.same:
        return "same", _same(result)
    worse = [r for r in result.rungs if r.change == "worse"]
    better = [r for r in result.rungs if r.change == "better"]
    decision: Decision = "changed" if not result.rungs else "no loss shown"
    if worse:
        decision = "worse"
    elif better:
        decision = "better"
    parts = [_structure(result), _task(result, worse, better), _prompts(result), _merges(result)]
    return decision, " ".join(part for part in parts if part)


def exit_code(result: CategoryComparison) -> int:
    """1 when the second model is shown to be worse on a rung of the task, so that a pipeline can gate on it; else 0."""
    return 1 if result.decision == "worse" else 0


def _same(result: CategoryComparison) -> str:
    noise = result.noise
    kinds = " and ".join(dict.fromkeys(noise.precisions))
    return (
        f"No change beyond float noise: {result.after.name} relates all {plural(result.objects, 'object')} as "
        f"{result.before.name} does. The largest change of {pairs_seen(result)} is {result.either.largest or 0:.1e} rad; with "
        f"{plural(noise.objects, 'object')} encoded one at a time ({kinds}) it is {(noise.exact or 0) / 1e9:.1e} rad."
    )


def pairs_seen(result: CategoryComparison) -> str:
    """Which pairs quantiles and largest changes are of."""
    pairs = result.settings.get("pairs", 0)
    return f"all {pairs:,} ordered pairs" if result.settings.get("all_pairs") else f"{pairs:,} sampled pairs"


def _structure(result: CategoryComparison) -> str:
    kept, moved = result.kept, result.either.mean
    near = kept.neighbours
    beside = f"chance {number(kept.chance)}"
    beside += "" if kept.words is None else f", random word vectors {number(kept.words)}"
    scaled = f" after a scale of {result.scale:.3g}" if result.fitted else ""
    return (
        f"{result.after.name} keeps {_span(near.value, near.low, near.high)} of the {kept.k} nearest neighbours of "
        f"{result.before.name} ({beside}); distances change by {moved.value or 0:.3g} rad of {result.size or 0:.3g} on "
        f"average{scaled}.{_direction(result)}"
    )


def _direction(result: CategoryComparison) -> str:
    """Said where nearly all change goes one way, which a common factor between the scales can be behind."""
    nearer, farther = result.full.mean.value or 0, result.functor.mean.value or 0
    if result.fitted or max(nearer, farther) < ONE_WAY * (nearer + farther) or not nearer + farther:
        return ""
    way = "nearer together" if nearer > farther else "further apart"
    return f" Nearly all pairs that change move {way}, which may be scale alone: --calibrate takes a common factor out."


def _task(result: CategoryComparison, worse: list[RungChange], better: list[RungChange]) -> str:
    if not result.rungs:
        return ""
    told = [f"{r.rung} {_difference(r)}" for r in (worse or better)]
    if worse:
        text = f"The task gets worse: {'; '.join(told)}."
    elif better:
        text = f"The task gets better: {'; '.join(told)}."
    else:
        last = result.rungs[-1]
        text = f"No rung of the task is shown to change; {last.rung} {_difference(last)}{_at_most(last)}."
    if len(set(result.verdicts)) == 2:
        text += f" The audit's answer changes from {result.verdicts[0]!r} to {result.verdicts[1]!r}."
    return text


def _at_most(rung: RungChange) -> str:
    """A change that was not shown may be there all the same: by how much, in the worse direction."""
    low = rung.difference.low
    return "" if low is None or low >= 0 else f", so it may lose up to {number(-low)} (95 %)"


def _difference(rung: RungChange) -> str:
    d = rung.difference
    return (
        f"{number(rung.before.value or 0)} -> {number(rung.after.value or 0)} ({signed(d.value or 0)} "
        f"[{signed(d.low or 0)}, {signed(d.high or 0)}])"
    )


def _prompts(result: CategoryComparison) -> str:
    changed = () if result.tasks is None else result.tasks.changed
    if not changed:
        return ""
    more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
    return f"Representability changes: {'; '.join(map(_changed, changed[:NAMED]))}{more}."


def _changed(task: TaskChange) -> str:
    one, two = task.before, task.after
    return (
        f"{task_name(task)}, {one.verdict} -> {two.verdict} ({number(one.fits.value or 0)} -> "
        f"{number(two.fits.value or 0)} of held-out rows fit)"
    )


def task_name(task: TaskChange) -> str:
    """``the whole task (decision)`` or ``'billing' (value)``."""
    return f"{repr(task.label) if task.label else 'the whole task'} ({task.level})"


def _merges(result: CategoryComparison) -> str:
    new = sum(len(m.new) + m.new_left_out for m in result.merges)
    lost = sum(len(m.lost) + m.lost_left_out for m in result.merges)
    if not new and not lost:
        return ""
    return f"It merges {plural(new, 'group')} of rows that were told apart, and tells {plural(lost, 'merged group')} apart."


def _span(value: float | None, low: float | None, high: float | None) -> str:
    return f"{number(value or 0)} [{number(low or 0)}, {number(high or 0)}]"
