"""Long lists on a page: the first items open, the others behind a line that opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from presheaf.report.limits import left_out
from presheaf.report.markup import Html, el, join
from presheaf.report.plain import plural

T = TypeVar("T")

OPEN = 5
"""Items of a list that are seen at once; the others are folded."""


def folded(items: Sequence[T], most: int, noun: str, drawn: Callable[[Sequence[T]], Html], *, more: int = 0) -> Html:
    """The first items, those up to ``most`` folded, and a line saying how many the page leaves out.

    Parameters
    ----------
    items : sequence
    most : int
        Items on the page, open and folded together.
    noun : str
        What an item is called.
    drawn : callable
        Draws some of the items; called for the open and for the folded ones.
    more : int
        Items that exist beyond ``items``.
    """
    parts = [drawn(items[:OPEN])] if items else []
    rest = items[OPEN:most]
    if rest:
        parts.append(el("details", el("summary", f"{plural(len(rest), noun)} more"), drawn(rest)))
    return join([*parts, left_out(len(items) + more, min(most, len(items)), noun)])
