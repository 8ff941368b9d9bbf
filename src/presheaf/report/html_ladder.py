"""The ladder in HTML: charts for wide and narrow screens, their legend, and the same numbers as a table."""

from __future__ import annotations

from presheaf.audits.baseline import plain_of
from presheaf.audits.numbers import number
from presheaf.audits.result import Audit, Rung
from presheaf.report.chart_curve import curve_chart
from presheaf.report.chart_ladder import NARROW, WIDE, ladder_chart
from presheaf.report.limits import Limits
from presheaf.report.markup import Html, el, join, user
from presheaf.report.plain import interval
from presheaf.report.text import forecast_sentence

KINDS = {
    "proof": "follows from equality alone, with no sample in between: no training of the stated kind gets past it",
    "estimate": "measured on rows that were not used to choose, or forecast from them; the interval covers 95 %",
    "heuristic": "a rule of thumb: evidence, no guarantee",
}


def badge(kind: str) -> Html:
    """The mark of a kind of statement."""
    return el("span", kind, class_=f"badge {kind}", title=KINDS.get(kind, ""))


def baseline_name(audit: Audit) -> str:
    """What the baseline beside the model is called."""
    return plain_of(audit.task.get("objects")).name


def charts(audit: Audit, prefix: str) -> Html:
    """The ladder drawn twice, for wide and for narrow screens (the style sheet shows one). Empty without numbers."""
    if all(rung.accuracy is None for rung in audit.ladder):
        return Html("")
    return join(
        [
            el("div", ladder_chart(audit, width=WIDE, prefix=f"{prefix}-wide"), class_="wide"),
            el("div", ladder_chart(audit, width=NARROW, prefix=f"{prefix}-narrow"), class_="narrow"),
        ]
    )


def ladder(audit: Audit, limits: Limits, prefix: str = "ladder") -> Html:
    """Charts, legend and table. ``prefix`` keeps the ids of several ladders on one page apart."""
    return join([charts(audit, prefix), legend(audit), _table(audit, limits)])


def legend(audit: Audit) -> Html:
    """What the marks of the chart mean; only those that are there."""
    kinds = {rung.kind for rung in audit.ladder if rung.accuracy is not None}
    keys = []
    if "estimate" in kinds:
        shapes = '<rect x="3" y="2" width="20" height="10" rx="2" class="band"/>'
        keys.append((_key(shapes + '<circle cx="13" cy="7" r="4" class="dot"/>', "estimate"), "estimate, 95 %"))
    if "heuristic" in kinds:
        keys.append((_key('<rect x="9" y="3" width="8" height="8" class="dot"/>', "heuristic"), "heuristic"))
    if "proof" in kinds:
        shapes = '<rect x="9" y="1" width="16" height="12" class="band"/><path d="M9 0v14" class="limit"/>'
        keys.append((_key(shapes + '<path d="M12 13L24 1M18 13L25 6" class="hatch"/>', "proof"), "proved out of reach"))
    if any(rung.nulls for rung in audit.ladder):
        keys.append((_key('<circle cx="13" cy="7" r="4" class="null"/>'), "null: reached without the model"))
    if any(rung.accuracy is not None for rung in audit.baseline):
        keys.append((_key('<path d="M13 2l5 5l-5 5l-5 -5z" class="rival"/>'), baseline_name(audit)))
    if audit.verdict.target is not None:
        keys.append((_key('<line x1="13" x2="13" y1="0" y2="14" class="target"/>'), "target"))
    return el("ul", *(el("li", mark, text) for mark, text in keys), class_="legend") if keys else Html("")


def _key(shapes: str, kind: str = "") -> Html:
    marks = el("g", Html(shapes), class_=kind or None)
    return el("svg", marks, class_="chart", viewBox="0 0 26 14", aria_hidden="true")


def _table(audit: Audit, limits: Limits) -> Html:
    rivals = {rung.name: rung for rung in audit.baseline}
    heads = [("rung", ""), ("accuracy", "num"), ("kind", ""), ("without the model", ""), ("cost", "cost")]
    if rivals:
        heads.insert(4, (baseline_name(audit), "num"))
    theorems = any(rung.theorem for rung in audit.ladder)
    if theorems:
        heads.insert(3, ("stands on", ""))
    top = el("thead", el("tr", *(el("th", text, scope="col", class_=kind or None) for text, kind in heads)))
    rows = [_row(rung, rivals, baseline_name(audit), theorems, limits) for rung in audit.ladder]
    return el("div", el("table", top, el("tbody", *rows), class_="stack rungs"), class_="scroll", tabindex="0",
              role="region", aria_label="Ladder as a table")  # fmt: skip


def _row(rung: Rung, rivals: dict[str, Rung], baseline: str, theorems: bool, limits: Limits) -> Html:
    detail = rung.detail or rung.missing
    cells = [
        el("th", user(rung.name, limits.text), el("br") if detail else "", user(detail, limits.text, class_="dim"),
           scope="row"),
        el("td", number(rung.accuracy), " ", el("span", interval(rung.low, rung.high), class_="line dim"),
           class_="num", data_name="accuracy"),
        el("td", badge(rung.kind)),
        *([el("td", user(rung.theorem, 80), class_="dim", data_name="stands on")] if theorems else []),
        el("td", *_nulls(rung), class_="dim", data_name="without the model"),
    ]  # fmt: skip
    if rivals:
        rival = rivals.get(rung.name)
        shown = number(rival.accuracy) if rival and rival.accuracy is not None else ""
        cells.append(el("td", shown, class_="num", data_name=baseline))
    cells.append(el("td", user(rung.cost, limits.text) if rung.cost else "", class_="dim cost", data_name="cost"))
    return el("tr", *cells)


def _nulls(rung: Rung) -> list[Html]:
    names = sorted(rung.nulls)[:6]
    return [el("span", user(name, 60), " ", number(rung.nulls[name]), class_="line") for name in names]


def curve(audit: Audit, limits: Limits) -> Html:
    """The prompt curve drawn, the forecast in words, and the points as a folded table."""
    points = audit.curve[: 4 * limits.rows]
    heads = ("k", "type", "accuracy", "95 % interval", "draws")
    rows = [
        el("tr", el("td", f"{p.k:,}", class_="num"), el("td", p.type), el("td", number(p.accuracy), class_="num"),
           el("td", interval(p.low, p.high), class_="num"), el("td", f"{p.draws:,}", class_="num"))
        for p in points
    ]  # fmt: skip
    kinds = ("num", "", "num", "num", "num")
    top = el("tr", *(el("th", h, scope="col", class_=k or None) for h, k in zip(heads, kinds, strict=True)))
    table = el("table", el("thead", top), el("tbody", *rows))
    said = forecast_sentence(audit)
    return join(
        [
            el("p", "The max-type takes the closest of a label's k prompts, the mean-type their average. ", said,
               class_="lead"),
            el("div", curve_chart(audit, width=760, prefix="curve-wide"), class_="wide"),
            el("div", curve_chart(audit, width=360, prefix="curve-narrow"), class_="narrow"),
            el("details", el("summary", "The points of the curve"), el("div", table, class_="scroll")),
        ]
    )  # fmt: skip
