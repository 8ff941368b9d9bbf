"""How a category forms, drawn over training steps: distance from the task's own hom, and the ladder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from presheaf.audits.numbers import number
from presheaf.audits.watch_result import Measure, Watch
from presheaf.report.axis import Axis, accuracy_range
from presheaf.report.markup import Html, el, figure, join
from presheaf.report.plain import interval, visible
from presheaf.report.text_watch import SHORT

_LEFT, _TOP, _PANEL, _GAP, _BOTTOM, _RIGHT = 44, 26, 150, 46, 40, 84
_STYLES = {"head": "max", "one prompt per label": "mean", "soft prompt": "theory"}


@dataclass(frozen=True)
class _Line:
    """A named line with a band; ``style`` is a class of chart.css."""

    name: str
    style: str
    points: tuple[tuple[int, Measure], ...]


def watch_chart(result: Watch, *, width: int = 760, prefix: str = "watch") -> Html:
    """An SVG element ``width`` units wide; empty markup for fewer than two checkpoints."""
    panels = [(title, lines) for title, lines in _panels(result) if any(len(line.points) > 1 for line in lines)]
    if not panels:
        return Html("")
    height = _TOP + len(panels) * _PANEL + (len(panels) - 1) * _GAP + _BOTTOM
    x = Axis(0.0, float(max(result.moments[-1].step, 1)), _LEFT, width - _RIGHT)
    parts = [
        el("title", f"{visible(result.pretext['name'], 40)} on {visible(str(result.data['name']), 60)} over training steps",
           id=f"{prefix}-title"),
        el("desc", _said(panels), id=f"{prefix}-desc"),
    ]  # fmt: skip
    for i, (title, lines) in enumerate(panels):
        top = _TOP + i * (_PANEL + _GAP)
        parts += _panel(title, lines, x, top)
    parts += [
        el("text", f"{step:,}", x=x.at(step), y=height - _BOTTOM + 16, class_="soft small mid")
        for step in _steps(x.end)
    ]
    parts.append(el("text", "training step", x=(x.left + x.right) / 2, y=height - 6, class_="soft small mid"))
    return el("svg", *parts, xmlns="http://www.w3.org/2000/svg", class_="chart", viewBox=f"0 0 {width} {height}",
              role="img", aria_labelledby=f"{prefix}-title {prefix}-desc")  # fmt: skip


def _panels(result: Watch) -> list[tuple[str, list[_Line]]]:
    moments = result.moments
    ideal = [(m.step, m.ideality) for m in moments if m.ideality.value is not None]
    null = [(m.step, Measure(m.ideality_null, None, None)) for m in moments if m.ideality_null is not None]
    near = [(m.step, m.alignment) for m in moments if m.alignment.value is not None]
    rungs = [
        _Line(SHORT[name], style, tuple((m.step, r.accuracy) for m in moments if (r := m.rung(name)) and r.accuracy.value is not None))
        for name, style in _STYLES.items()
    ]  # fmt: skip
    return [
        ("distance from the task's own hom, 0 is ideal",
         [_Line("model", "max", tuple(ideal)), _Line("shuffled", "mean", tuple(null))]),
        ("alignment: how much nearer what the task relates lies", [_Line("model", "max", tuple(near))]),
        ("accuracy on the labelled table", [line for line in rungs if line.points]),
    ]  # fmt: skip


def _said(panels: Sequence[tuple[str, list[_Line]]]) -> str:
    parts = [
        f"{title}, {line.name}: "
        + "; ".join(f"step {step} {number(m.value)} {interval(m.low, m.high)}".strip() for step, m in line.points[:30])
        for title, lines in panels
        for line in lines
    ]
    return ". ".join(parts) + "."


def _steps(last: float) -> list[int]:
    count = min(5, int(last))
    return sorted({round(last * i / count) for i in range(count + 1)})


def _panel(title: str, lines: list[_Line], x: Axis, top: float) -> list[Html]:
    values = [v for line in lines for _, m in line.points for v in (m.value, m.low, m.high) if v is not None]
    start, end = accuracy_range(values)
    y = Axis(min(start, *values), end, top + _PANEL, top)
    parts = [el("text", title, x=0, y=top - 9, class_="soft small")]
    for tick in y.ticks(5):
        label = number(tick).rstrip("0").rstrip(".") or "0"
        parts.append(el("line", x1=x.left, x2=x.right, y1=y.at(tick), y2=y.at(tick), class_="grid"))
        parts.append(el("text", label, x=x.left - 8, y=y.at(tick) + 4, class_="soft small end"))
    taken: list[float] = []
    for line in lines:
        parts += _drawn(line, x, y)
        parts.append(_named(line, x, y, taken))
    return parts


def _drawn(line: _Line, x: Axis, y: Axis) -> list[Html]:
    places = [(x.at(step), m) for step, m in line.points]
    banded = [(at, m.low, m.high) for at, m in places if m.low is not None and m.high is not None]
    parts = []
    if len(banded) > 1:
        upper = [f"{figure(at)} {figure(y.at(high))}" for at, _, high in banded]
        lower = [f"{figure(at)} {figure(y.at(low))}" for at, low, _ in banded]
        parts.append(el("path", d="M" + "L".join(upper + lower[::-1]) + "Z", class_=f"{line.style}-band"))
    middle = [f"{figure(at)} {figure(y.at(m.value or 0))}" for at, m in places]
    parts.append(el("path", d="M" + "L".join(middle), class_=line.style))
    parts += [
        el("circle", el("title", f"{line.name}, step {step}: {number(m.value)} {interval(m.low, m.high)}".strip()),
           cx=at, cy=y.at(m.value or 0), r=3, class_=f"{line.style}-dot")
        for (at, m), (step, _) in zip(places, line.points, strict=True)
    ]  # fmt: skip
    return parts


def _named(line: _Line, x: Axis, y: Axis, taken: list[float]) -> Html:
    place = y.at(line.points[-1][1].value or 0) + 4 if line.points else y.left
    while any(abs(place - other) < 13 for other in taken):
        place += 13
    taken.append(place)
    return join([el("text", line.name, x=x.right + 9, y=place, class_=f"{line.style}-name small")])
