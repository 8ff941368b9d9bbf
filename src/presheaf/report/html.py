"""The HTML face: one file that needs nothing else and stays under a megabyte."""

from __future__ import annotations

from presheaf.audits.category_result import CategoryComparison
from presheaf.audits.result import Audit
from presheaf.audits.watch_result import Watch
from presheaf.report.html_audit import audit_page
from presheaf.report.html_categories import categories_page
from presheaf.report.html_compare import comparison_page
from presheaf.report.html_watch import watch_page
from presheaf.report.limits import STEPS, Limits
from presheaf.report.markup import Html, el, join, style
from presheaf.report.plain import visible
from presheaf.report.serial import Result, media_of, version

MOST_BYTES = 900_000
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def to_html(result: Result) -> str:
    """One self-contained page: no script, no outside request, light and dark, made for print as well.

    All text is escaped. Lists and texts are cut so that the file stays under 900 kB whatever the rows and findings,
    and the page says how much more the JSON holds. The same result gives the same bytes; where objects are images, as long as
    their files stay as they are (thumbnails of those that are no longer there are left out).
    """
    page = ""
    for limits in STEPS:
        page = _document(_title(result), _body(result, limits.of(media_of(result))))
        if len(page.encode("utf-8")) <= MOST_BYTES:
            break
    return page


def _body(result: Result, limits: Limits) -> Html:
    if isinstance(result, CategoryComparison):
        return categories_page(result, limits)
    if isinstance(result, Watch):
        return watch_page(result, limits)
    return audit_page(result, limits) if isinstance(result, Audit) else comparison_page(result, limits)


def _title(result: Result) -> str:
    if isinstance(result, CategoryComparison):
        return f"{visible(result.before.name, 60)} → {visible(result.after.name, 60)}"
    if isinstance(result, Watch):
        return f"{visible(result.pretext['name'], 60)} × {visible(str(result.data['name']), 60)}"
    if isinstance(result, Audit):
        return f"{visible(str(result.task.get('name', 'table')), 60)} × {visible(result.model.name, 60)}"
    return f"Comparison of {len(result.audits)} models"


def _document(title: str, body: Html) -> str:
    head = [
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="generator", content=f"presheaf {version()}"),
        el("title", f"{title} · presheaf"),
        style("palette", "chart", "page"),
    ]
    said = f"Written by presheaf {version()}. The JSON file of the same run holds every number and every row."
    page = el("html", el("head", *head), el("body", el("main", body, el("footer", said)), class_="presheaf"), lang="en")
    return "<!DOCTYPE html>\n" + join([page]) + "\n"
