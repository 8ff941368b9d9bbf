"""Numbers and user text as every face of a report writes them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from presheaf.audits.numbers import number
from presheaf.audits.result import Finding, PromptChoice

_JOINERS = "\u200c\u200d"  # Persian and emoji need them to look right
_ONE_LINE = {"\n": "↵", "\r": "", "\t": "⇥"}


def interval(low: float | None, high: float | None) -> str:
    """``[.784, .838]``; empty when an end is missing."""
    return "" if low is None or high is None else f"[{number(low)}, {number(high)}]"


def p_value(p: float) -> str:
    """``p = .013`` or ``p < .001``."""
    return "p < .001" if p < 0.001 else f"p = {number(p)}"


def plural(n: int, noun: str, nouns: str = "") -> str:
    """``1 row``, ``2,000 rows``, ``3 classes``."""
    return f"{n:,} {noun if n == 1 else nouns or noun + 's'}"


def ids(rows: Sequence[int], limit: int) -> str:
    """``row 3`` or ``rows 3, 17, 22 and 12 more``."""
    shown = ", ".join(str(row) for row in rows[:limit])
    left = f" and {len(rows) - limit:,} more" if len(rows) > limit else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{left}"


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters, the last an ellipsis where something was cut off."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def visible(text: str, limit: int, *, one_line: bool = True) -> str:
    """User text that is safe to show: cut to ``limit`` characters, what can't be seen written as its code point.

    Control characters could move a cursor, bidirectional overrides could reorder the line, and an invisible character
    is often the very reason of a merge. ``one_line`` also turns line breaks and tabs into signs. Cost: linear in
    ``limit``, whatever the length of the text.
    """
    short = cut(text, limit)
    if short.isprintable():
        return short
    return cut("".join(_shown(char, one_line) for char in short), limit)


def _shown(char: str, one_line: bool) -> str:
    if char in _ONE_LINE:
        return _ONE_LINE[char] if one_line else char
    code = ord(char)
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in _JOINERS
    if hidden or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return f"‹U+{code:04X}›"
    return char


def value_text(value: Any, limit: int = 300) -> str:
    """A setting or a piece of evidence on one line."""
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif value is None:
        text = "none"
    elif isinstance(value, float):
        text = f"{value:.6g}"
    elif isinstance(value, Mapping):
        text = ", ".join(f"{key}: {value_text(item, limit)}" for key, item in list(value.items())[:limit])
    elif isinstance(value, Iterable) and not isinstance(value, str):
        text = ", ".join(value_text(item, limit) for item in list(value)[:limit])
    else:
        text = str(value)
    return visible(text, limit)


def most_severe(findings: Iterable[Finding]) -> list[Finding]:
    """The findings found: errors, then warnings, then the rest, each in the order of their codes."""
    order = ("error", "warning", "info")
    return sorted((f for f in findings if f.status == "found"), key=lambda f: order.index(f.severity))


def prompt_name(choice: PromptChoice, limit: int) -> str:
    """The template; where each label has a text of its own, those texts."""
    if choice.template:
        return visible(choice.template, limit)
    each = max(limit // max(len(choice.prompts), 1), 24)
    return visible(" · ".join(cut(prompt, each) for _, prompt in choice.prompts), limit)


def class_counts(task: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Classes with their counts, in the order of the task: numeric when all names are numbers, else alphabetical."""
    classes = dict(task.get("classes") or {})
    try:
        order = sorted(classes, key=float)
    except ValueError:
        order = sorted(classes)
    return [(name, classes[name]) for name in order]
