"""How many tokens a script or a language costs."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from presheaf.models.words import word_pattern
from presheaf.statistics.intervals import Interval

MOST = 0.8
"""Share of a text's letters that must be of one script for the text to count as written in it."""
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "MYANMAR", "KHMER")


@dataclass(frozen=True)
class TokenRate:
    """Tokens spent on the texts of one script or language.

    Attributes
    ----------
    group : str
    by : "script" or "language"
    texts, tokens : int
    per_character, per_byte : Interval
        Total tokens over total characters (code points), and over bytes of UTF-8.
    per_word : Interval or None
        None where words are not set apart by spaces.
    """

    group: str
    by: str
    texts: int
    tokens: int
    per_character: Interval
    per_byte: Interval
    per_word: Interval | None


@lru_cache(maxsize=65536)
def _script(character: str) -> str:
    """First word of a letter's name in Unicode: LATIN, CYRILLIC, CJK, HANGUL; "" for what is no letter."""
    return unicodedata.name(character, "").split(" ")[0].split("-")[0] if character.isalpha() else ""


def script(text: str) -> str:
    """The script of a text: of at least 80 % of its letters; "mixed" or "none" otherwise.

    Scripts are told by the first word of the letters' names in Unicode; Japanese counts as JAPANESE where it holds kana.
    """
    letters = Counter(map(_script, text))
    del letters[""]
    if not letters:
        return "none"
    if letters["HIRAGANA"] or letters["KATAKANA"]:
        kana = sum(letters.pop(name, 0) for name in ("HIRAGANA", "KATAKANA", "CJK"))
        letters["JAPANESE"] = kana
    name, most = letters.most_common(1)[0]
    return name if most >= MOST * letters.total() else "mixed"


def token_rates(texts: Sequence[str], tokens: Sequence[int], languages: Sequence[str] | None) -> tuple[TokenRate, ...]:
    """Rates by script, and by language where one is named for each text; groups with most texts first.

    Cost: a look at every character.
    """
    word = re.compile(word_pattern())
    sizes = np.array(
        [(len(t), len(t.encode("utf-8", "replace")), len(word.findall(t))) for t in texts], dtype=np.float64
    )
    counts = np.asarray(tokens, dtype=np.float64)
    out = []
    scripts = [script(text) for text in texts]
    for by, groups in (("script", scripts), ("language", languages)):
        for group, _ in Counter(groups or ()).most_common():
            rows = np.flatnonzero(np.asarray(groups) == group)
            spaced = not any(scripts[i] in (*_UNSPACED, "JAPANESE") for i in rows)
            characters, size, words = sizes[rows].T
            out.append(
                TokenRate(
                    group,
                    by,
                    len(rows),
                    int(counts[rows].sum()),
                    ratio_interval(counts[rows], characters),
                    ratio_interval(counts[rows], size),
                    ratio_interval(counts[rows], words) if spaced and words.sum() else None,
                )
            )
    return tuple(out)


def ratio_interval(above: NDArray[np.float64], below: NDArray[np.float64], level: float = 0.95) -> Interval:
    """Total over total, with an interval for other texts alike: linearised variance, t quantile (Cochran 1977, chapter 6).

    One text gives no interval: (0, inf).
    """
    from scipy.special import stdtrit

    n, total = len(above), float(below.sum())
    if total == 0:
        return Interval(float("nan"), 0.0, float("inf"), n, float(n), "no rows")
    value = float(above.sum()) / total
    if n < 2:
        return Interval(value, 0.0, float("inf"), n, float(n), "one text")
    error = float(np.sqrt(np.sum((above - value * below) ** 2) * n / (n - 1))) / total
    half = float(stdtrit(n - 1, 0.5 + level / 2)) * error
    return Interval(value, max(0.0, value - half), value + half, n, float(n), "linearised ratio")
