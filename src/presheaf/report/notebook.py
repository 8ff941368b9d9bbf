"""What a notebook shows: a card, a drawing, a data frame."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from presheaf.audits.numbers import number
from presheaf.audits.result import VIEWS, Audit, Comparison
from presheaf.errors import InputError, MissingDependencyError
from presheaf.report.chart_curve import curve_chart
from presheaf.report.chart_ladder import ladder_chart
from presheaf.report.chart_prompting import shots_chart
from presheaf.report.files import write
from presheaf.report.html_categories import categories_card
from presheaf.report.html_prompting import prompt_to_copy
from presheaf.report.html_watch import watch_card
from presheaf.report.markup import Html, el, join, style, user
from presheaf.report.plain import cut, ids, most_severe
from presheaf.report.text_compare import columns_of

if TYPE_CHECKING:
    import pandas

_FINDINGS = 6
_COPY = 6000


@dataclass(frozen=True)
class Display:
    """A drawing that a notebook shows by itself.

    Attributes
    ----------
    svg : str
        A whole SVG document with its own style sheet, light and dark.
    """

    svg: str = field(repr=False)

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the drawing to a file ending in ``.svg``, in one step.

        Raises
        ------
        InputError
            Another ending, or a folder that does not exist.
        """
        if not os.fspath(path).lower().endswith(".svg"):
            raise InputError(f"A drawing is saved as SVG, so the file name must end in .svg; got {os.fspath(path)!r}.")
        write(path, self.svg + "\n")


def plot(audit: Audit) -> Display:
    """The ladder with intervals and target, and below it the curves of prompts and of examples where they are there."""
    charts = [ladder_chart(audit), curve_chart(audit)]
    if audit.prompting is not None:
        charts.append(shots_chart(audit.prompting, audit.verdict.target))
    charts = [chart for chart in charts if chart]
    height = sum(_height(chart) + 24 for chart in charts) - 24
    parts = [style("palette", "chart"), el("rect", width=780, height=height + 20, class_="paper")]
    for i, chart in enumerate(charts):
        parts.append(_placed(chart, 10 + sum(_height(above) + 24 for above in charts[:i])))
    inner = el("g", *parts, class_="chart")
    return Display(el("svg", inner, xmlns="http://www.w3.org/2000/svg", class_="presheaf", width=780,
                      height=height + 20, viewBox=f"0 0 780 {height + 20}"))  # fmt: skip


def _height(chart: Html) -> int:
    return int(chart.split('viewBox="0 0 760 ', 1)[1].split('"', 1)[0])


def _placed(chart: Html, y: int) -> Html:
    """The chart at a place of a larger drawing; the style's ``width: 100%`` is for pages, so sizes are said here."""
    sizes = f'x="10" y="{y}" style="width:760px;height:{_height(chart)}px" width="760" height="{_height(chart)}" '
    return Html(chart.replace("<svg ", f"<svg {sizes}", 1))


def card(audit: Audit) -> str:
    """A short HTML fragment for ``_repr_html_``: the verdict, the ladder, and the findings found.

    Every style rule is bound to the fragment's own class, so that nothing else in the notebook changes.
    """
    found = most_severe(audit.findings)
    lines = [
        el("p", el("span", user(f.code, 20), class_="code"), " ", user(f.title, 160),
           el("span", f" · {f.severity}, {f.kind}" + (f" · {ids(f.rows, 5)}" if f.rows else ""), class_="soft"))
        for f in found[:_FINDINGS]
    ]  # fmt: skip
    if len(found) > _FINDINGS:
        lines.append(el("p", f"and {len(found) - _FINDINGS} findings more", class_="soft"))
    target = "no target" if audit.verdict.target is None else f"target {number(audit.verdict.target)}"
    name = str(audit.task.get("name", "table"))
    about = el("p", user(name, 60), " · ", user(audit.model.name, 60), f" · {target}", class_="soft")
    stopped = el("p", "Stopped early: ", user(audit.interrupted, 200), class_="soft") if audit.interrupted else ""
    sentence = user(cut(audit.verdict.sentence, 600), 600, "p", class_="sentence")
    if audit.prompting is not None and audit.prompting.copy:
        lines.append(el("details", el("summary", "Prompt to copy"), prompt_to_copy(audit.prompting, _COPY)))
    parts = [style("palette", "chart", "card"), about, sentence, stopped, ladder_chart(audit, prefix="card"), *lines]
    return el("div", join(parts), class_="presheaf card")


def to_frame(result: Audit | Comparison) -> pandas.DataFrame:
    """The ladder as a data frame: a row a rung (and a model), nulls as columns ``null: NAME``.

    Columns: model, rung, kind, accuracy, low, high, rows, cost, detail, missing, then the nulls; shares in [0, 1].

    Raises
    ------
    MissingDependencyError
        pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise MissingDependencyError('A data frame needs pandas: pip install "presheaf[frames]".') from None
    audits = (result,) if isinstance(result, Audit) else result.audits
    fixed = ["model", "rung", "kind", "accuracy", "low", "high", "rows", "cost", "detail", "missing"]
    nulls = sorted({f"null: {name}" for audit in audits for rung in audit.ladder for name in rung.nulls})
    lines = []
    for audit in audits:
        for r in audit.ladder:
            values = (audit.model.name, r.name, r.kind, r.accuracy, r.low, r.high, r.rows, r.cost, r.detail, r.missing)
            line = dict(zip(fixed, values, strict=True))
            lines.append({**line, **{f"null: {name}": value for name, value in r.nulls.items()}})
    frame = pandas.DataFrame(lines, columns=fixed + nulls)
    numbers = ["accuracy", "low", "high", *nulls]
    return frame.astype(dict.fromkeys(numbers, "float64"))


def comparison_card(comparison: Comparison) -> str:
    """A short HTML fragment for ``_repr_html_``: the verdict and a line a model, best first."""
    columns = columns_of(comparison)
    lines = []
    for audit in comparison.audits[:12]:
        values = {rung.name: rung.accuracy for rung in audit.ladder}
        lines.append(
            el(
                "tr",
                el("th", user(audit.model.name, 60), scope="row"),
                *(el("td", number(values.get(n)), class_="num") for n, _ in columns),
            )
        )
    top = el(
        "tr", el("th", "model", scope="col"), *(el("th", short, scope="col", class_="num") for _, short in columns)
    )
    table = el("div", el("table", top, *lines), class_="scroll")
    sentence = user(cut(comparison.verdict, 600), 600, "p", class_="sentence")
    return el("div", join([style("palette", "chart", "card"), sentence, table]), class_="presheaf card")


def _card(result: Audit | Comparison) -> str:
    return card(result) if isinstance(result, Audit) else comparison_card(result)


VIEWS.update(
    {"card": _card, "plot": plot, "frame": to_frame, "categories card": categories_card, "watch card": watch_card}
)
