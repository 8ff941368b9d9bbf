"""Is encode(a + b) = encode(a) encode(b)? Where a tokenizer is a functor on text, and where it is not."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from presheaf.language.token_reader import Pieces, Reader
from presheaf.statistics.intervals import Interval, accuracy_interval

EXAMPLES = 3
KINDS = (
    "before white space",
    "after white space",
    "in white space",
    "in a word",
    "beside punctuation",
    "in a character",
)
_JOINS = "\u200c\u200d"


@dataclass(frozen=True)
class BrokenSplit:
    """A text cut in two whose parts, encoded apart, are not the whole's tokens.

    Attributes
    ----------
    text, position : the first part is ``text[:position]``
    apart, together : tuple of str
        The tokens around the cut on which the two part ways.
    """

    text: str
    position: int
    apart: tuple[str, ...]
    together: tuple[str, ...]


@dataclass(frozen=True)
class Concatenation:
    """How often encode(a + b) = encode(a) encode(b) at one kind of place.

    Attributes
    ----------
    place : one of ``KINDS``
    holds : Interval
        Share of the places tried; places of one text belong together.
    tried, places : int
        Of how many in these texts.
    examples : tuple of BrokenSplit
    """

    place: str
    holds: Interval
    tried: int
    places: int
    examples: tuple[BrokenSplit, ...] = field(repr=False)


def place(text: str, position: int) -> str:
    """The kind of the place between ``text[position - 1]`` and ``text[position]``."""
    before, after = text[position - 1], text[position]
    if unicodedata.category(after)[0] == "M" or after in _JOINS or before in _JOINS:
        return "in a character"
    if after.isspace():
        return "in white space" if before.isspace() else "before white space"
    if before.isspace():
        return "after white space"
    return "in a word" if _in_word(before) and _in_word(after) else "beside punctuation"


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"


def concatenations(
    source: Reader, texts: Sequence[str], whole: Sequence[Pieces], each: int, seed: int
) -> tuple[Concatenation, ...]:
    """Cut every text at up to ``each`` places of every kind, encode the parts apart, and compare with ``whole``.

    Cost: two encodings of a part for each cut, in one batch.
    """
    cuts: list[tuple[int, int, str]] = []
    counted = dict.fromkeys(KINDS, 0)
    for number, text in enumerate(texts):
        at: dict[str, list[int]] = {}
        for position in range(1, len(text)):
            at.setdefault(place(text, position), []).append(position)
        for kind, positions in at.items():
            counted[kind] += len(positions)
            rng = np.random.default_rng((seed, number, KINDS.index(kind)))
            drawn = rng.choice(positions, min(each, len(positions)), replace=False)
            cuts += [(number, position, kind) for position in sorted(drawn.tolist())]
    parts = source.read([part for n, p, _ in cuts for part in (texts[n][:p], texts[n][p:])])
    apart = [(*parts[2 * i], *parts[2 * i + 1]) for i in range(len(cuts))]
    out = []
    for kind in KINDS:
        mine = [i for i, cut in enumerate(cuts) if cut[2] == kind]
        if not mine:
            continue
        hits = np.array([apart[i] == tuple(whole[cuts[i][0]]) for i in mine])
        groups = np.array([cuts[i][0] for i in mine])
        broken = [i for i, hit in zip(mine, hits, strict=True) if not hit]
        examples = tuple(
            _example(source, texts[cuts[i][0]], cuts[i][1], apart[i], whole[cuts[i][0]]) for i in broken[:EXAMPLES]
        )
        out.append(Concatenation(kind, accuracy_interval(hits, groups), len(mine), counted[kind], examples))
    return tuple(out)


def _example(source: Reader, text: str, position: int, apart: Pieces, together: Pieces) -> BrokenSplit:
    """Without the tokens that both begin and end with."""
    shorter = min(len(apart), len(together))
    start = next((i for i in range(shorter) if apart[i] != together[i]), shorter)
    end = next((i for i in range(shorter - start) if apart[-1 - i] != together[-1 - i]), shorter - start)
    first, second = apart[start : len(apart) - end], together[start : len(together) - end]
    return BrokenSplit(text, position, tuple(source.named(first)), tuple(source.named(second)))
