"""Two drawings for "Why": the prompt curve of theory beside the measured one, and the ceilings over lambda."""

from __future__ import annotations

import math
from collections.abc import Sequence

from presheaf.audits.numbers import number
from presheaf.audits.why_result import Estimate, Why
from presheaf.report.axis import Axis, accuracy_range
from presheaf.report.markup import Html, el, figure, join
from presheaf.report.plain import interval

MOST = 1.5
"""Largest end of the prompt curve's axis, as a share of unrelated."""
_LEFT, _TOP, _BOTTOM, _RIGHT = 40, 30, 42, 92
Line = tuple[str, str, list[tuple[float, float]]]
"""Name, class of the style sheet, and points (x, y) in units of the axes."""


def prompt_chart(why: Why, *, width: int, prefix: str) -> Html:
    """rho_k (as a share of the distance off a label, left axis) and held-out accuracies, over log2 k."""
    scale, points = why.setting.scale, why.curve
    if not points:
        return Html("")
    # rho may pass the scale many times; what is larger than the axis is drawn at its top, so that accuracies keep their room.
    lines: list[Line] = [
        ("ρ, at most", "theory", [(math.log2(p.k), p.rho_high / scale) for p in points]),
        ("ρ, at least", "theory-low", [(math.log2(p.k), p.rho_low / scale) for p in points]),
        ("chosen", "max", _known([(math.log2(p.k), p.density) for p in points])),
        ("random", "mean", _known([(math.log2(p.k), p.drawn) for p in points])),
    ]
    said = "; ".join(
        f"k = {p.k}: rho {number(p.rho_low)} to {number(p.rho_high)}, density {_said(p.density)}, random {_said(p.drawn)}"
        for p in points
    )
    ticks = [(float(i), str(2**i)) for i in range(int(math.log2(points[-1].k)) + 1)]
    end = min(MOST, max(1.0, *(y for _, _, line in lines for _, y in line)))
    return _chart(lines, ticks, (0.0, end), "Prompt curve: theory and measurement", said, "prompts per label, k (log scale)",
                  "accuracy; ρ as a share of unrelated", width, prefix)  # fmt: skip


def ceiling_chart(why: Why, *, width: int, prefix: str) -> Html:
    """Strict and margin ceilings, those of shuffled labels, and the share of rows with a neighbour, over lambda."""
    points = why.ceilings
    if len(points) < 2:
        return Html("")
    lines: list[Line] = [
        ("pairs", "max", [(p.lam, p.margin) for p in points]),
        ("chains", "mean", [(p.lam, p.strict) for p in points]),
        ("shuffled", "theory-low", [(p.lam, p.shuffled) for p in points]),
        ("near another", "theory", [(p.lam, p.neighbours) for p in points]),
    ]
    said = "; ".join(
        f"lambda {number(p.lam)}: chains (strict) {number(p.strict)}, pairs (margin) {number(p.margin)}, shuffled {number(p.shuffled)}, "
        f"with a neighbour {number(p.neighbours)}"
        for p in points
    )
    ticks = [(points[i].lam, number(points[i].lam)) for i in range(0, len(points), 2)]
    low, high = accuracy_range([y for _, _, line in lines for _, y in line], end=1.0)
    return _chart(lines, ticks, (low, high), "Ceilings over lambda", said, "λ, in radians", "share of the rows", width,
                  prefix)  # fmt: skip


def _known(points: Sequence[tuple[float, Estimate]]) -> list[tuple[float, float]]:
    return [(x, e.value) for x, e in points if e.value is not None]


def _said(value: Estimate) -> str:
    return f"{number(value.value)} {interval(value.low, value.high)}".strip()


def _chart(
    lines: list[Line], ticks: list[tuple[float, str]], span: tuple[float, float], title: str, said: str, below: str,
    beside: str, width: int, prefix: str,
) -> Html:  # fmt: skip
    height = 280 if width >= 560 else 250
    y = Axis(*span, height - _BOTTOM, _TOP)
    start, end = min(x for x, _ in ticks), max(x for _, _, line in lines for x, _ in line)
    x = Axis(start, max(end, start + 1e-9), _LEFT, width - _RIGHT)
    drawn = [line for line in lines if line[2]]
    parts = [
        el("title", title, id=f"{prefix}-title"),
        el("desc", said[:4000], id=f"{prefix}-desc"),
        *(_level(y, tick, x) for tick in y.ticks(7)),
        *(el("text", text, x=x.at(at), y=y.left + 16, class_="soft small mid") for at, text in ticks),
        el("text", below, x=(x.left + x.right) / 2, y=height - 6, class_="soft small mid"),
        el("text", beside, x=0, y=14, class_="soft small"),
        *(_path(line, x, y) for line in drawn),
        *_names(drawn, x, y),
    ]
    return el("svg", *parts, xmlns="http://www.w3.org/2000/svg", class_="chart", viewBox=f"0 0 {width} {height}",
              role="img", aria_labelledby=f"{prefix}-title {prefix}-desc")  # fmt: skip


def _level(y: Axis, value: float, x: Axis) -> Html:
    label = f"{value:.3f}".rstrip("0").rstrip(".").removeprefix("0") or "0"
    return join(
        [
            el("line", x1=x.left, x2=x.right, y1=y.at(value), y2=y.at(value), class_="grid"),
            el("text", label, x=x.left - 8, y=y.at(value) + 4, class_="soft small end"),
        ]
    )


def _path(line: Line, x: Axis, y: Axis) -> Html:
    name, kind, points = line
    path = "L".join(f"{figure(x.at(a))} {figure(y.at(b))}" for a, b in points)
    dots = [el("circle", el("title", f"{name}: {number(b)}"), cx=x.at(a), cy=y.at(b), r=3, class_=f"{kind}-dot")
            for a, b in points]  # fmt: skip
    return el("g", el("path", d="M" + path, class_=kind), *dots)


def _names(lines: list[Line], x: Axis, y: Axis) -> list[Html]:
    """Names at the right end of the lines, from top to bottom, pushed apart where they would cover each other."""
    out: list[Html] = []
    last = -math.inf
    for name, kind, points in sorted(lines, key=lambda line: y.at(line[2][-1][1])):
        place = max(y.at(points[-1][1]) + 4, last + 14)
        out.append(el("text", name, x=x.right + 9, y=place, class_=f"{kind}-name small"))
        last = place
    return out
