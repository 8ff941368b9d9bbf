"""What counts as a word in any script."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Han, kana, Thai, Lao, Myanmar and Khmer: words are written without a space between them.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"


@lru_cache(maxsize=1)
def word_pattern() -> str:
    """Regular expression of one word: a letter, digit or underscore, then also combining marks and joiners.

    Python's own ``\\w`` breaks Hindi, Arabic with vowel signs or decomposed accents at every mark.
    Cost: some 15 ms once, to list the marks of Unicode.
    """
    marks: list[list[int]] = []
    for code in range(0x300, 0x1E950):
        if unicodedata.category(chr(code)) in ("Mn", "Mc"):
            if marks and marks[-1][1] == code - 1:
                marks[-1][1] = code
            else:
                marks.append([code, code])
    ranges = "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in marks)
    return rf"\w[\w\u200c\u200d{ranges}]*"
