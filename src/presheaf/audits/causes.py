"""Why two different texts are one input: the smallest set of differences that the model does not see."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations
from unicodedata import category, combining, normalize

from presheaf.audits.image_causes import IMAGES
from presheaf.models.base import Trace

IN01 = (
    "case",
    "accents",
    "white space",
    "order",
    "repetition",
    "compatibility forms",
    "punctuation",
    "invisible characters",
)
"""Causes that `IN01` covers; "truncation" is `IN02`, "unknown token" is `IN03`, anything else is "tokenizer"."""


def _accents(text: str) -> str:
    return normalize("NFC", "".join(c for c in normalize("NFD", text) if not combining(c)))


def _invisible(text: str) -> str:
    return "".join(c for c in text if category(c) not in ("Cc", "Cf") or c in "\t\n\r")


def _punctuation(text: str) -> str:
    return " ".join("".join(" " if category(c)[0] in "PS" and category(c) != "So" else c for c in text).split())


def _pictures(text: str) -> str:
    """Without emoji and other pictures: a tokenizer that passes over them does not know them."""
    return " ".join("".join(" " if category(c) == "So" else c for c in text).split())


_PARTS = re.compile(r"\w+|[^\w\s]")

# From the mildest to the strongest: the first that explains a pair names it.
_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("white space", lambda t: " ".join(t.split())),
    ("case", str.casefold),
    ("accents", _accents),
    ("invisible characters", _invisible),
    ("compatibility forms", lambda t: normalize("NFKC", t)),
    ("white space", lambda t: "".join(t.split())),
    ("punctuation", _punctuation),
    ("unknown token", _pictures),
)
_BAG: tuple[tuple[str, Callable[[list[str]], object]], ...] = (
    ("order", sorted),
    ("repetition", lambda words: sorted(set(words))),
)


def _explains(chosen: tuple[int, ...], bag: Callable[[list[str]], object] | None, a: str, b: str) -> bool:
    for i in chosen:
        a, b = _STEPS[i][1](a), _STEPS[i][1](b)
    if bag is None:
        return a == b
    return bag(_PARTS.findall(a)) == bag(_PARTS.findall(b))


def causes(a: str, b: str, first: Trace | None, second: Trace | None) -> tuple[str, ...]:
    """Names of the differences between two texts that reach the model as the same input.

    Parameters
    ----------
    a, b : str
        Different texts with equal input.
    first, second : Trace or None
        What the model saw of each.

    Returns
    -------
    tuple of str
        E.g. ("case",), ("accents", "case"), ("truncation",), ("unknown token",), ("tokenizer",).

    Notes
    -----
    At most 4 of the differences are combined; cost: some hundred comparisons of the two texts.
    """
    if first is not None and second is not None and _unknown(first) != _unknown(second):
        return ("truncation", "unknown token") if first.cut or second.cut else ("unknown token",)
    bags = _BAG if first is not None and not first.ordered else ()
    for count in range(1, 5):
        for bag in (None, *bags):
            for chosen in combinations(range(len(_STEPS)), count - (bag is not None)):
                if _explains(chosen, bag[1] if bag is not None else None, a, b):
                    named = [_STEPS[i][0] for i in chosen]
                    return tuple(dict.fromkeys([*named, bag[0]] if bag is not None else named))
    if first is not None and second is not None and (first.cut or second.cut):
        return ("truncation",)
    return ("tokenizer",)


def _unknown(trace: Trace) -> list[str]:
    """Unknown words up to what other causes change, so that "Résumé" and "resume" are one and the same."""
    return sorted(_accents(normalize("NFKC", word).casefold()) for word in trace.unknown)


def code_of(named: tuple[str, ...]) -> tuple[str, ...]:
    """The findings a set of causes belongs to."""
    codes = []
    if "truncation" in named:
        codes.append("IN02")
    if "unknown token" in named:
        codes.append("IN03")
    if any(c in IN01 or c in IMAGES or c == "tokenizer" for c in named):
        codes.append("IN01")
    return tuple(codes)
