"""The ladder as a table of a terminal, with a bar for every rung."""

from __future__ import annotations

from collections.abc import Sequence

from presheaf.audits.numbers import number
from presheaf.audits.result import Rung
from presheaf.report.page import Page, fit
from presheaf.report.plain import interval, visible

STYLES = {"proof": "magenta", "estimate": "cyan", "heuristic": "yellow"}
_NUMBER, _INTERVAL, _KIND, _NULL, _THEOREM = 8, 14, 9, 4, 4
_LEAST_BAR, _GOOD_BAR, _MOST_BAR = 8, 16, 28


def axis_start(rungs: Sequence[Rung], target: float | None) -> float:
    """Where the axis of a chart begins: a tenth below or at the lowest number shown, at most .9."""
    values = [v for r in rungs for v in (r.accuracy, r.low, *r.nulls.values()) if v is not None]
    lowest = min([*values, 1.0 if target is None else target], default=0.0)
    return min(max(int(lowest * 10 + 1e-9), 0), 9) / 10


def best_null(rung: Rung) -> float | None:
    """The most that was reached without the model."""
    return max(rung.nulls.values(), default=None)


def add_ladder(page: Page, ladder: Sequence[Rung], target: float | None) -> None:
    """Rung, accuracy, 95 % interval, bar, kind, theorem, best null and cost, as far as the width allows."""
    from rich.cells import cell_len

    names = min(max((cell_len(r.name) for r in ladder), default=4), 24)
    numbered = any(r.accuracy is not None for r in ladder)
    left = page.width - names - (_NUMBER + 1) - (_INTERVAL + 2) - (_KIND + 2)
    nulls = numbered and left >= _LEAST_BAR + 2 + _NULL + 2 and any(r.nulls for r in ladder)
    left -= _NULL + 2 if nulls else 0
    theorems = left >= _GOOD_BAR + 2 + _THEOREM + 2 and any(r.theorem for r in ladder)
    left -= _THEOREM + 2 if theorems else 0
    costs = min(max((cell_len(r.cost) for r in ladder), default=0), left - (_GOOD_BAR + 2) - 2)
    costs = costs if costs >= 10 else 0
    bar = min(left - (costs + 2 if costs else 0) - 2, _MOST_BAR)
    bar = bar if bar >= _LEAST_BAR and numbered else 0
    start = axis_start(ladder, target)

    page.line(
        (fit("rung", names) + fit("accuracy", _NUMBER + 1, right=True) + "  " + fit("95 % interval", _INTERVAL), "dim"),
        ("  " + _scale(start, target, bar) if bar else "", "dim"),
        ("  " + fit("kind", _KIND), "dim"),
        ("  " + fit("on", _THEOREM) if theorems else "", "dim"),
        ("  " + fit("null", _NULL) if nulls else "", "dim"),
        ("  cost" if costs else "", "dim"),
    )
    for rung in ladder:
        name = fit(visible(rung.name, 60), names)
        if rung.accuracy is None:
            page.line(name, "  " + fit("–", _NUMBER - 1, right=True), ("  " + visible(rung.missing, 300), "dim"))
            continue
        page.line(
            name,
            (fit(number(rung.accuracy), _NUMBER + 1, right=True), "bold"),
            "  " + fit(interval(rung.low, rung.high), _INTERVAL),
            ("  " + _bar(rung, start, target, bar) if bar else "", STYLES[rung.kind]),
            ("  " + fit(rung.kind, _KIND), STYLES[rung.kind]),
            ("  " + fit(rung.theorem.partition(",")[0], _THEOREM) if theorems else "", "dim"),
            ("  " + fit(number(best_null(rung)) if rung.nulls else "", _NULL) if nulls else "", "dim"),
            ("  " + fit(visible(rung.cost, 80), costs) if costs else "", "dim"),
        )
    keys = "█ to low, ▓ to accuracy, ░ to high, ╱ proved out of reach" if bar else ""
    keys += ", │ target" if bar and target is not None else ""
    keys += "; on: theorem it stands on" if theorems else ""
    keys += "; null: best without the model" if nulls else ""
    if keys:
        page.wrap((keys, "dim"))


def _scale(start: float, target: float | None, cells: int) -> str:
    left, right = number(start).replace("00", "") or "0", "1"
    line = list(left + " " * (cells - len(left) - len(right)) + right)
    if target is not None:
        line[_cell(target, start, cells)] = "▼"
    return "".join(line)


def _cell(value: float, start: float, cells: int) -> int:
    return min(max(int((value - start) / (1 - start) * cells), 0), cells - 1)


def _bar(rung: Rung, start: float, target: float | None, cells: int) -> str:
    accuracy = rung.accuracy or 0.0
    low = accuracy if rung.low is None else rung.low
    high = accuracy if rung.high is None else rung.high
    middles = [start + (i + 0.5) / cells * (1 - start) for i in range(cells)]
    if rung.kind == "proof":
        line = ["─" if x <= low else "╌" if x <= high else "╱" for x in middles]
    else:
        line = ["█" if x <= low else "▓" if x <= accuracy else "░" if x <= high else " " for x in middles]
    if target is not None:
        line[_cell(target, start, cells)] = "│"
    return "".join(line)
