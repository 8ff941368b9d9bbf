"""Small changes of a text that a reader sees and a tokenizer may not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

Change = Callable[[str], tuple[str, str] | None]
"""Two different texts made from one, or None where it has nothing to change."""

_ACCENTED = str.maketrans("aeiouAEIOU", "áéíóúÁÉÍÓÚ")
_UNLIKELY = ("\U0001f71a", "\U0001f71b")
"""Two alchemical symbols: hardly a vocabulary holds them."""


def _case(text: str) -> tuple[str, str] | None:
    upper = text.upper()
    return _pair(text, upper if upper != text else text.lower())


def _accents(text: str) -> tuple[str, str] | None:
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return _pair(text, bare if bare != text else text.translate(_ACCENTED))


def _spaces(text: str) -> tuple[str, str] | None:
    return _pair(text, re.sub(r"(?<=\S) (?=\S)", "  ", text, count=1))


def _breaks(text: str) -> tuple[str, str] | None:
    return _pair(text, re.sub(r"(?<=\S) (?=\S)", "\n", text, count=1))


def _edges(text: str) -> tuple[str, str] | None:
    return _pair(text, f" {text} ") if text.strip() else None


def _invisible(text: str) -> tuple[str, str] | None:
    return _pair(text, f"{text[:1]}\u200b{text[1:]}") if len(text) > 1 else None


def _forms(text: str) -> tuple[str, str] | None:
    return _pair(text, re.sub("[!-~]", lambda found: chr(ord(found.group()) + 0xFEE0), text, count=1))


def _punctuation(text: str) -> tuple[str, str] | None:
    return _pair(text, text + "!") if text.strip() else None


def _order(text: str) -> tuple[str, str] | None:
    return _pair(text, " ".join(reversed(text.split())))


def _repetition(text: str) -> tuple[str, str] | None:
    return _pair(text, f"{text} {text}") if text.strip() else None


def _rare(text: str) -> tuple[str, str] | None:
    return _pair(f"{text} {_UNLIKELY[0]}", f"{text} {_UNLIKELY[1]}")


def _pair(first: str, second: str) -> tuple[str, str] | None:
    return None if first == second else (first, second)


CHANGES: dict[str, tuple[str, Change]] = {
    "case": ("case", _case),
    "accents": ("accents", _accents),
    "a second space": ("white space", _spaces),
    "a line break for a space": ("white space", _breaks),
    "spaces at the ends": ("white space", _edges),
    "an invisible character": ("invisible characters", _invisible),
    "a full-width form": ("compatibility forms", _forms),
    "a mark at the end": ("punctuation", _punctuation),
    "order of words": ("order", _order),
    "the text twice": ("repetition", _repetition),
    "one rare symbol for another": ("unknown token", _rare),
}
"""Name of the change: the cause that findings IN01 and IN03 name for such a merge, and the change."""
