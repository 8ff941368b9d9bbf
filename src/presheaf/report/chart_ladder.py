"""The ladder drawn: a line a rung, with interval, nulls, the baseline, the target and what is proved out of reach."""

from __future__ import annotations

from presheaf.audits.baseline import plain_of
from presheaf.audits.numbers import number
from presheaf.audits.result import Audit, Rung
from presheaf.report.axis import Axis, accuracy_range
from presheaf.report.markup import Html, el, figure
from presheaf.report.plain import interval, visible

WIDE, NARROW = 760, 360
_TOP, _BOTTOM = 26, 24


def ladder_chart(audit: Audit, *, width: int = WIDE, prefix: str = "ladder") -> Html:
    """An SVG element ``width`` units wide; below 560 the names stand above the bars. ``prefix`` makes ids unique."""
    wide = width >= 560
    step = 32 if wide else 50
    height = _TOP + step * len(audit.ladder) + _BOTTOM
    target = audit.verdict.target
    values = [v for r in audit.ladder for v in (r.accuracy, r.low, *r.nulls.values())]
    rivals = {r.name: r.accuracy for r in audit.baseline}
    named = plain_of(audit.task.get("objects")).name
    start, end = accuracy_range([*values, *rivals.values(), target], end=1.0)
    axis = Axis(start, end, 172 if wide else 8, width - 158 if wide else width - 8)
    base = height - _BOTTOM
    parts = [
        el("title", f"Ladder of {visible(audit.model.name, 60)}", id=f"{prefix}-title"),
        el("desc", _said(audit), id=f"{prefix}-desc"),
        _hatching(prefix),
        *(_tick_label(axis, tick, base) for tick in axis.ticks()),
    ]
    if target is not None:
        x = min(max(axis.at(target), axis.left + 36), axis.right - 36)
        parts.append(el("text", f"target {number(target)}", x=x, y=_TOP - 10, class_="goal small mid"))
    if wide:
        parts += _verticals(axis, target, _TOP - 4, base)
    for i, rung in enumerate(audit.ladder):
        y = _TOP + step * i + (step / 2 if wide else 34)
        # On a narrow chart the words stand between the bars, so that a line from top to bottom would cross them.
        if not wide and rung.accuracy is not None:
            parts += _verticals(axis, target, y - 11, y + 11)
        parts.append(_rung(rung, rivals.get(rung.name), named, axis, y, width, wide, prefix))
    return el("svg", *parts, xmlns="http://www.w3.org/2000/svg", class_="chart", viewBox=f"0 0 {width} {height}",
              role="img", aria_labelledby=f"{prefix}-title {prefix}-desc")  # fmt: skip


def _said(audit: Audit) -> str:
    target = audit.verdict.target
    parts = [f"{r.name} {number(r.accuracy)} {interval(r.low, r.high)} ({r.kind})" for r in audit.ladder if r.accuracy]
    return "Accuracy by rung: " + "; ".join(parts) + ("." if target is None else f". Target {number(target)}.")


def _hatching(prefix: str) -> Html:
    line = el("path", d="M0 6L6 0", class_="hatch")
    pattern = el("pattern", line, id=f"{prefix}-hatch", width=6, height=6, patternUnits="userSpaceOnUse")
    return el("defs", pattern)


def _tick_label(axis: Axis, value: float, base: float) -> Html:
    label = f"{value:.3f}".rstrip("0").rstrip(".").removeprefix("0") or "0"
    return el("text", label, x=axis.at(value), y=base + 16, class_="soft small mid")


def _verticals(axis: Axis, target: float | None, top: float, bottom: float) -> list[Html]:
    places = [(axis.at(tick), "grid") for tick in axis.ticks()]
    places += [] if target is None else [(axis.at(target), "target")]
    return [el("line", x1=x, x2=x, y1=top, y2=bottom, class_=kind) for x, kind in places]


def _rung(
    rung: Rung, rival: float | None, named: str, axis: Axis, y: float, width: int, wide: bool, prefix: str
) -> Html:
    line = y + 4.5 if wide else y - 15
    name = el("text", visible(rung.name, 24), x=0 if wide else axis.left, y=line)
    if rung.accuracy is None:
        place = axis.left + 6 if wide else axis.left
        limit = 84 if wide else 50
        why = el("text", visible(rung.missing, limit), x=place, y=line if wide else y + 4,
                 class_="soft small")  # fmt: skip
        return el("g", el("title", visible(rung.missing, 400)), name, why)
    ends = interval(rung.low, rung.high)
    right = width if wide else axis.right
    numbers = [
        el("text", number(rung.accuracy), x=right - (98 if ends else 0), y=line, class_="strong end"),
        el("text", ends, x=right, y=line, class_="soft end"),
    ]
    marks = _ceiling(rung, axis, y, prefix) if rung.kind == "proof" else _estimate(rung, axis, y)
    others = [el("circle", el("title", f"{visible(name_, 60)}: {number(value)}"), cx=axis.at(value), cy=y, r=4,
                 class_="null") for name_, value in sorted(rung.nulls.items())]  # fmt: skip
    if rival is not None:
        x = axis.at(rival)
        others.append(el("path", el("title", f"{named}: {number(rival)}"), class_="rival",
                         d=f"M{figure(x)} {figure(y - 5)}l5 5l-5 5l-5 -5z"))  # fmt: skip
    tip = el("title", f"{rung.name} {number(rung.accuracy)} {ends} ({rung.kind}) {visible(rung.detail, 200)}".strip())
    return el("g", tip, name, *numbers, *others, *marks, class_=rung.kind)


def _estimate(rung: Rung, axis: Axis, y: float) -> list[Html]:
    x = axis.at(rung.accuracy or 0.0)
    marks = [el("line", x1=axis.left, x2=x, y1=y, y2=y, class_="guide")]
    if rung.low is not None and rung.high is not None:
        low, high = axis.at(rung.low), axis.at(rung.high)
        marks.append(el("rect", x=low, y=y - 6, width=max(high - low, 0.5), height=12, rx=2, class_="band"))
        marks.append(el("path", class_="whisker", d=f"M{figure(low)} {figure(y)}H{figure(high)}"
                        f"M{figure(low)} {figure(y - 5)}v10M{figure(high)} {figure(y - 5)}v10"))  # fmt: skip
    if rung.kind == "heuristic":
        return [*marks, el("rect", x=x - 4, y=y - 4, width=8, height=8, class_="dot")]
    return [*marks, el("circle", cx=x, cy=y, r=4.5, class_="dot")]


def _ceiling(rung: Rung, axis: Axis, y: float, prefix: str) -> list[Html]:
    x, right = axis.at(rung.accuracy or 0.0), axis.right
    marks = [
        el("rect", x=x, y=y - 9, width=max(right - x, 0), height=18, class_="band"),
        el("rect", x=x, y=y - 9, width=max(right - x, 0), height=18, fill=f"url(#{prefix}-hatch)"),
        el("line", x1=x, x2=x, y1=y - 11, y2=y + 11, class_="limit"),
    ]
    if rung.low is not None and rung.high is not None:
        low, high = axis.at(rung.low), axis.at(rung.high)
        marks.append(el("path", class_="whisker", d=f"M{figure(low)} {figure(y)}H{figure(high)}"
                        f"M{figure(low)} {figure(y - 4)}v8M{figure(high)} {figure(y - 4)}v8"))  # fmt: skip
    return marks
