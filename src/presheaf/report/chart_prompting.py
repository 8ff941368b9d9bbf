"""The k-shot curve drawn: accuracy with k labelled examples in the prompt, raw with interval, draws, and calibrated."""

from __future__ import annotations

import math

from presheaf.audits.numbers import number
from presheaf.audits.prompting_result import Prompting, ShotPoint
from presheaf.report.axis import Axis, accuracy_range
from presheaf.report.markup import Html, el, figure, join

_LEFT, _TOP, _BOTTOM, _RIGHT = 40, 30, 42, 82


def shots_chart(prompting: Prompting, target: float | None, *, width: int = 760, prefix: str = "shots") -> Html:
    """An SVG element ``width`` units wide; empty markup with fewer than two points."""
    points = prompting.shots
    if len(points) < 2:
        return Html("")
    height = 300 if width >= 560 else 260
    values = [v for p in points for v in (p.low, p.high, p.worst, p.best, p.calibrated)]
    y = Axis(*accuracy_range([*values, target]), height - _BOTTOM, _TOP)
    x = Axis(0.0, max(_place(p.shots) for p in points), _LEFT, width - _RIGHT)
    parts = [
        el("title", "Accuracy with labelled examples in the prompt", id=f"{prefix}-title"),
        el("desc", _said(points), id=f"{prefix}-desc"),
        *(_level(y, tick, x) for tick in y.ticks(7)),
        *(el("text", str(p.shots), x=x.at(_place(p.shots)), y=y.left + 16, class_="soft small mid") for p in points),
        el("text", "labelled examples in the prompt", x=(x.left + x.right) / 2, y=height - 6, class_="soft small mid"),
        el("text", "accuracy", x=0, y=14, class_="soft small"),
    ]
    if target is not None:
        at = y.at(target)
        parts.append(el("line", x1=x.left, x2=x.right, y1=at, y2=at, class_="target"))
        parts.append(el("text", f"target {number(target)}", x=x.left + 4, y=at - 5, class_="goal small"))
    parts += [_band(points, x, y), *_lines(points, x, y), *_names(points[-1], x, y)]
    return el("svg", *parts, xmlns="http://www.w3.org/2000/svg", class_="chart", viewBox=f"0 0 {width} {height}",
              role="img", aria_labelledby=f"{prefix}-title {prefix}-desc")  # fmt: skip


def _place(shots: int) -> float:
    """Doublings are one step apart, and so are no example and one."""
    return math.log2(shots) + 1 if shots else 0.0


def _said(points: tuple[ShotPoint, ...]) -> str:
    parts = [
        f"{p.shots} examples: {number(p.accuracy)} [{number(p.low)}, {number(p.high)}], calibrated {number(p.calibrated)}"
        for p in points[:60]
    ]
    return "; ".join(parts) + "."


def _level(y: Axis, value: float, x: Axis) -> Html:
    label = f"{value:.3f}".rstrip("0").rstrip(".").removeprefix("0") or "0"
    return join(
        [
            el("line", x1=x.left, x2=x.right, y1=y.at(value), y2=y.at(value), class_="grid"),
            el("text", label, x=x.left - 8, y=y.at(value) + 4, class_="soft small end"),
        ]
    )


def _band(points: tuple[ShotPoint, ...], x: Axis, y: Axis) -> Html:
    upper = [f"{figure(x.at(_place(p.shots)))} {figure(y.at(p.high))}" for p in points]
    lower = [f"{figure(x.at(_place(p.shots)))} {figure(y.at(p.low))}" for p in points]
    return el("path", d="M" + "L".join(upper + lower[::-1]) + "Z", class_="max-band")


def _lines(points: tuple[ShotPoint, ...], x: Axis, y: Axis) -> list[Html]:
    """The mean over draws, worst and best draw as a whisker, and the calibrated mean."""
    out = []
    for kind in ("max", "mean"):
        path = [(x.at(_place(p.shots)), y.at(p.accuracy if kind == "max" else p.calibrated)) for p in points]
        out.append(el("path", d="M" + "L".join(f"{figure(a)} {figure(b)}" for a, b in path), class_=kind))
        out += [el("circle", el("title", _tip(p, kind)), cx=a, cy=b, r=3.5, class_=f"{kind}-dot")
                for p, (a, b) in zip(points, path, strict=True)]  # fmt: skip
    whiskers = [
        el("path", class_="whisker", d=f"M{figure(at)} {figure(y.at(p.worst))}V{figure(y.at(p.best))}"
           f"M{figure(at - 4)} {figure(y.at(p.worst))}h8M{figure(at - 4)} {figure(y.at(p.best))}h8")
        for p in points
        if p.draws > 1
        for at in (x.at(_place(p.shots)),)
    ]  # fmt: skip
    return [el("g", *whiskers, class_="estimate"), *out]


def _tip(point: ShotPoint, kind: str) -> str:
    if kind == "mean":
        return f"calibrated, {point.shots} examples: {number(point.calibrated)}"
    return (
        f"{point.shots} examples: {number(point.accuracy)} [{number(point.low)}, {number(point.high)}], {point.draws} draws "
        f"from {number(point.worst)} to {number(point.best)}"
    )


def _names(last: ShotPoint, x: Axis, y: Axis) -> list[Html]:
    """Names at the right end of both lines; the second one steps aside where it would cover the first."""
    first, second = y.at(last.accuracy) + 4, y.at(last.calibrated) + 4
    if abs(first - second) < 14:
        second = first + (14 if second >= first else -14)
    return [
        el("text", "as it says", x=x.right + 9, y=first, class_="max-name small"),
        el("text", "calibrated", x=x.right + 9, y=second, class_="mean-name small"),
    ]
