"""What an n-gram model counts: words, characters or bytes, and the numbers they get."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Literal, get_args

from presheaf.errors import one_of
from presheaf.models.tokens import texts_only

Unit = Literal["word", "character", "byte"]
UNITS: tuple[Unit, ...] = get_args(Unit)

UNKNOWN = 0
END = 1
SPECIAL = ("<unk>", "</s>")
"""The printed forms of the unknown unit and of the end of a text, the first two tokens of every vocabulary."""

_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"


@cache
def _word_pattern() -> re.Pattern[str]:
    """One Han or kana character; or a run of letters, digits and combining marks; or any other visible character."""
    marks = (c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in ("Mn", "Mc"))
    inside = f"(?:(?![{_HAN}])[\\w{''.join(marks)}])"
    return re.compile(f"[{_HAN}]|{inside}+(?:['’]{inside}+)*|[^\\w\\s]")


def split(text: str, unit: Unit) -> list[str]:
    """The units of a text in order. Words drop white space; characters and bytes give the text back when joined.

    A byte is written as the character of its number (latin-1).
    """
    if unit == "word":
        return _word_pattern().findall(text)
    return list(text if unit == "character" else text.encode().decode("latin-1"))


@dataclass(frozen=True)
class Vocabulary:
    """Units and their token ids. Id 0 is every unknown unit, id 1 the end of a text; the others follow ``units``.

    Attributes
    ----------
    unit : "word", "character" or "byte"
    units : tuple of str
        Distinct. All 256 bytes where the unit is the byte.
    """

    unit: Unit
    units: tuple[str, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        one_of("unit", self.unit, UNITS)
        object.__setattr__(self, "_ids", {unit: i for i, unit in enumerate(self.units, len(SPECIAL))})

    @classmethod
    def of(cls, texts: Iterable[list[str]], unit: Unit) -> Vocabulary:
        """Every unit of the split texts, the most frequent first (ties in the order of code points)."""
        if unit == "byte":
            return cls(unit, tuple(map(chr, range(256))))
        seen = Counter(chain.from_iterable(texts))
        return cls(unit, tuple(sorted(seen, key=lambda u: (-seen[u], u))))

    def __len__(self) -> int:
        return len(SPECIAL) + len(self.units)

    def ids(self, units: Sequence[str]) -> list[int]:
        """Token ids of units; 0 for those that are not in the vocabulary."""
        known = self._ids
        return [known.get(unit, UNKNOWN) for unit in units]

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, no symbol added."""
        return self.ids(split(texts_only([text])[0], self.unit))

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of token ids; U+FFFD for an unknown unit, nothing for the end. Words are joined by one space."""
        if self.unit == "byte":
            return bytes(t - len(SPECIAL) for t in tokens if t >= len(SPECIAL)).decode(errors="replace")
        shown = ["\ufffd" if t == UNKNOWN else self.units[t - len(SPECIAL)] for t in tokens if t != END]
        return (" " if self.unit == "word" else "").join(shown)

    def pieces(self, tokens: Sequence[int]) -> list[str]:
        """Each token as one would print it; a byte outside ASCII as <0xE9>."""
        return [self._piece(t) for t in tokens]

    def _piece(self, token: int) -> str:
        if token < len(SPECIAL):
            return SPECIAL[token]
        unit = self.units[token - len(SPECIAL)]
        return f"<0x{ord(unit):02X}>" if self.unit == "byte" and not unit.isascii() else unit
