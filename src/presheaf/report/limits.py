"""How much of a result a page shows; the rest is in the JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace

from presheaf.report.markup import Html, el
from presheaf.report.pictures import Pictures, shown_object
from presheaf.report.plain import plural

WORST = 50
"""Thumbnails kept for the worst rows, which stand at the end of a page."""


@dataclass(frozen=True)
class Limits:
    """Most items of each kind on a page, and most characters of a text. All counts.

    ``thumbnails`` may be shown where the objects are images; ``pictures`` then hands them out, and is None for texts.
    """

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
    thumbnails: int
    pictures: Pictures | None = None

    @property
    def media(self) -> str:
        """What a column of objects is called."""
        return "text" if self.pictures is None else "image"

    def of(self, media: object) -> Limits:
        """The same for a page whose objects are texts or images, with all thumbnails still to be given out."""
        return replace(self, pictures=Pictures(self.thumbnails) if media == "image" else None)

    def object(self, text: str, keep: int = WORST) -> Html:
        """A row's object in a cell; ``keep`` thumbnails are left for what comes below on the page."""
        return shown_object(text, self.text, self.pictures, keep)


STEPS = (
    Limits(320, 2000, 40, 24, 6, 24, 40, 50, 60, 16, 120, 110),
    Limits(200, 800, 40, 6, 3, 10, 16, 20, 40, 10, 45, 60),
    Limits(60, 120, 12, 2, 2, 4, 6, 6, 6, 3, 15, 12),
)
"""Tried in this order until the page is small enough. The last one fits whatever the texts, rows and findings: 3 models
times 12 findings times about 1,900 characters of six bytes at most is 0.4 MB, and 12 thumbnails 0.1 MB."""


def left_out(total: int, shown: int, noun: str, nouns: str = "") -> Html:
    """A line saying how many items the page leaves out; empty when it shows all."""
    if total <= shown:
        return Html("")
    return el("p", f"{plural(total - shown, noun, nouns)} more in the JSON.", class_="ids")
