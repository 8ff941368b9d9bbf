"""How much of a result a page shows; the rest is in the JSON."""

from __future__ import annotations

from dataclasses import dataclass

from presheaf.report.markup import Html, el
from presheaf.report.plain import plural


@dataclass(frozen=True)
class Limits:
    """Most items of each kind on a page, and most characters of a text. All counts."""

    text: int
    sentence: int
    findings: int
    groups: int
    members: int
    prompts: int
    labels: int
    rows: int
    settings: int
    models: int
    pairs: int


STEPS = (
    Limits(320, 2000, 40, 24, 6, 24, 40, 50, 60, 16, 120),
    Limits(200, 800, 40, 6, 3, 10, 16, 20, 40, 10, 45),
    Limits(60, 120, 12, 2, 2, 4, 6, 6, 6, 3, 15),
)
"""Tried in this order until the page is small enough. The last one fits whatever the texts, rows and findings: 3 models
times 12 findings times about 1,900 characters of six bytes at most is 0.4 MB."""


def left_out(total: int, shown: int, noun: str, nouns: str = "") -> Html:
    """A line saying how many items the page leaves out; empty when it shows all."""
    if total <= shown:
        return Html("")
    return el("p", f"{plural(total - shown, noun, nouns)} more in the JSON.", class_="ids")
