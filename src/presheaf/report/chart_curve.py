"""Accuracy with k prompts per label, drawn over log2 k, with the target and where it is forecast to be met."""

from __future__ import annotations

import math

from presheaf.audits.numbers import number
from presheaf.audits.result import Audit, CurvePoint
from presheaf.report.axis import Axis, accuracy_range
from presheaf.report.markup import Html, el, figure, join
from presheaf.report.plain import visible

_LEFT, _TOP, _BOTTOM, _RIGHT = 40, 30, 42, 56
_FURTHEST = 2.0**20


def curve_chart(audit: Audit, *, width: int = 760, prefix: str = "curve") -> Html:
    """An SVG element ``width`` units wide; empty markup when the audit has no curve."""
    if not audit.curve:
        return Html("")
    height = 300 if width >= 560 else 260
    target = audit.forecast.target if audit.forecast else audit.verdict.target
    start, end = accuracy_range([v for p in audit.curve for v in (p.low, p.high)] + [target])
    y = Axis(start, end, height - _BOTTOM, _TOP)
    last = max(point.k for point in audit.curve)
    x = Axis(0.0, math.log2(max(last, 2.0, *_forecast_ends(audit))), _LEFT, width - _RIGHT)
    parts = [
        el("title", f"Accuracy of {visible(audit.model.name, 60)} with k prompts per label", id=f"{prefix}-title"),
        el("desc", _said(audit), id=f"{prefix}-desc"),
        *(_level(y, tick, x) for tick in y.ticks(7)),
        *_powers(x, y, 12 if width >= 560 else 6),
        el("text", "prompts per label, k (log scale)", x=(x.left + x.right) / 2, y=height - 6, class_="soft small mid"),
        el("text", "accuracy", x=0, y=14, class_="soft small"),
        *_forecast(audit, x, y),
    ]
    if target is not None:
        at = y.at(target)
        parts.append(el("line", x1=x.left, x2=x.right, y1=at, y2=at, class_="target"))
        parts.append(el("text", f"target {number(target)}", x=x.left + 4, y=at - 5, class_="goal small"))
    parts += _curves(audit.curve, x, y)
    return el("svg", *parts, xmlns="http://www.w3.org/2000/svg", class_="chart", viewBox=f"0 0 {width} {height}",
              role="img", aria_labelledby=f"{prefix}-title {prefix}-desc")  # fmt: skip


def _said(audit: Audit) -> str:
    parts = [f"{p.type} k = {p.k}: {number(p.accuracy)} [{number(p.low)}, {number(p.high)}]" for p in audit.curve]
    return "; ".join(parts[:60]) + "."


def _forecast_ends(audit: Audit) -> list[float]:
    f = audit.forecast
    if f is None or f.k is None:
        return [2.0]
    return [min(max(f.k * 1.3, f.high or 4 * f.k), _FURTHEST)]


def _level(y: Axis, value: float, x: Axis) -> Html:
    label = f"{value:.3f}".rstrip("0").rstrip(".").removeprefix("0") or "0"
    return join(
        [
            el("line", x1=x.left, x2=x.right, y1=y.at(value), y2=y.at(value), class_="grid"),
            el("text", label, x=x.left - 8, y=y.at(value) + 4, class_="soft small end"),
        ]
    )


def _powers(x: Axis, y: Axis, most: int) -> list[Html]:
    count = int(x.end + 1e-9) + 1
    step = -(-count // most)
    return [
        el("text", f"{2**i}", x=x.at(i), y=y.left + 16, class_="soft small mid") for i in range(0, count, step)
    ]  # fmt: skip


def _forecast(audit: Audit, x: Axis, y: Axis) -> list[Html]:
    f = audit.forecast
    if f is None or f.k is None or f.k < 1:
        return []
    low = x.at(math.log2(max(f.low or f.k, 1.0)))
    high = x.right if f.high is None else x.at(math.log2(max(f.high, 1.0)))
    at = x.at(math.log2(f.k))
    ends = f"[{f.low or f.k:,.0f}, {'…' if f.high is None else f'{f.high:,.0f}'}]"
    word = "reached at" if f.reached else "forecast"
    return [
        el("rect", x=low, y=y.right, width=max(high - low, 1), height=y.left - y.right, class_="forecast"),
        el("line", x1=at, x2=at, y1=y.right, y2=y.left, class_="later"),
        el("text", f"{word} k = {f.k:,.0f}" + ("" if f.reached else f" {ends}"), x=min(at + 60, x.right + _RIGHT),
           y=y.right - 8, class_="goal small end"),
    ]  # fmt: skip


def _curves(curve: tuple[CurvePoint, ...], x: Axis, y: Axis) -> list[Html]:
    bands, lines, names = [], [], []
    ends: list[float] = []
    for kind in ("max", "mean"):
        points = sorted((p for p in curve if p.type == kind), key=lambda p: p.k)
        if not points:
            continue
        xs = [x.at(math.log2(max(p.k, 1))) for p in points]
        upper = [f"{figure(a)} {figure(y.at(p.high))}" for a, p in zip(xs, points, strict=True)]
        lower = [f"{figure(a)} {figure(y.at(p.low))}" for a, p in zip(xs, points, strict=True)]
        middle = [f"{figure(a)} {figure(y.at(p.accuracy))}" for a, p in zip(xs, points, strict=True)]
        bands.append(el("path", d="M" + "L".join(upper + lower[::-1]) + "Z", class_=f"{kind}-band"))
        lines.append(el("path", d="M" + "L".join(middle), class_=kind))
        lines += [el("circle", el("title", f"{kind}, k = {p.k}: {number(p.accuracy)} [{number(p.low)}, "
                     f"{number(p.high)}], {p.draws} draws"), cx=a, cy=y.at(p.accuracy), r=3.5, class_=f"{kind}-dot")
                  for a, p in zip(xs, points, strict=True)]  # fmt: skip
        place = y.at(points[-1].accuracy) + 4
        # Two names at the same height would cover each other: the second one steps aside.
        if any(abs(place - other) < 14 for other in ends):
            place = ends[0] + (14 if place >= ends[0] else -14)
        ends.append(place)
        names.append(el("text", kind, x=xs[-1] + 9, y=place, class_=f"{kind}-name small"))
    return bands + lines + names
