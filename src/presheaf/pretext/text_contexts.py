"""Contexts of one and two tokens with what follows them, and how often it does on held-out text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.construct import hom_from_values
from presheaf.enriched.hom import Hom
from presheaf.enriched.quantale import PROBABILITY
from presheaf.errors import InputError

Ints = NDArray[np.int64]
Tokens = tuple[int, ...]

LEAST = 10
"""Times a context must occur in the held-out text."""
_ORDERS = (1, 2)
_POOL = 4
"""Contexts are drawn from so many times as many, the most frequent ones in training."""
_COMMON = 50
"""Tokens that other continuations are drawn from, the most frequent ones in training."""
_COMPARED = 12


def branching(size: int) -> int:
    """How many one-step continuations a context gets among about ``size`` objects: 2 to 8.

    Only contexts have a row, and ideality's null compares rows of shuffled objects: with a share s = 1 / (1 + branching) of
    contexts about s^2 size rows are left, so the share is chosen to leave a dozen.
    """
    return min(8, max(2, int((size / _COMPARED) ** 0.5) - 1))


def contexts_and_followers(train: Ints, test: Ints, size: int, seed: int) -> tuple[Tokens, ...]:
    """About ``size`` objects: contexts of one and of two tokens, and continuations of each by a token.

    Half of the continuations are the most frequent ones, the others end with a common token drawn at random: a model has to
    know what does not follow, too.

    Parameters
    ----------
    train, test : int64 arrays of token ids
        Read as circles. Objects are chosen by their counts in ``train``; ``test`` only has a say in which contexts occur
        often enough (`LEAST`).
    size, seed : int

    Raises
    ------
    InputError
        If no context occurs often enough, or fewer than 4 objects are found.

    Notes
    -----
    Cost: sorting the tokens twice.
    """
    rng = np.random.default_rng(seed)
    followers = branching(size)
    each = max(1, size // (len(_ORDERS) * (1 + followers)))
    common = [token for (token,) in _counted(train, 1, 1)][:_COMMON]
    found: dict[Tokens, None] = {}
    for order in _ORDERS:
        often = set(_counted(test, order, LEAST))
        pool = [context for context in _counted(train, order, 1) if context in often][: _POOL * each]
        chosen = [pool[i] for i in rng.choice(len(pool), min(each, len(pool)), replace=False)]
        follow: dict[Tokens, list[Tokens]] = {context: [] for context in chosen}
        for extension in _counted(train, order + 1, 1):
            listed = follow.get(extension[:-1])
            if listed is not None and len(listed) < followers - followers // 2:
                listed.append(extension)
        for context, listed in follow.items():
            others = [(*context, common[i]) for i in rng.permutation(len(common))]
            listed += [one for one in others if one not in listed][: followers - len(listed)]
            found |= dict.fromkeys([context, *listed])
    if len(found) < 4:
        raise InputError(
            f"No context of 1 or 2 tokens occurs {LEAST} times in the {len(test):,} held-out tokens. Hold more text out."
        )
    return tuple(found)


def continuation_hom(objects: tuple[Tokens, ...], test: Ints) -> Hom:
    """hom(x, y) = N(y) / N(x) where the tokens of y begin with those of x: the continuation frequency in a circle of tokens.

    Lawful: the counts cancel along prefixes. The name says how rare the rarest object with a continuation is.
    Cost: sorting the tokens three times, and n^2 numbers.
    """
    longest = max(map(len, objects))
    counts: dict[Tokens, int] = {}
    for order in range(1, longest + 1):
        counts |= _counted(test, order, 1)
    number = {tokens: i for i, tokens in enumerate(objects)}
    values, least = np.eye(len(objects)), len(test)
    for tokens, column in number.items():
        for end in range(1, len(tokens)):
            row = number.get(tokens[:end])
            if row is not None and counts.get(tokens[:end]):
                least = min(least, counts[tokens[:end]])
                values[row, column] = counts.get(tokens, 0) / counts[tokens[:end]]
    hom = hom_from_values(values, PROBABILITY, f"continuation frequency, contexts seen {least:,} times or more")
    return replace(hom, lawful=True, reason="proof: N(z) / N(y) N(y) / N(x) = N(z) / N(x), and N(x) / N(x) = 1")


def _counted(stream: Ints, order: int, least: int) -> dict[Tokens, int]:
    """How often each run of ``order`` tokens occurs in the circle, the most frequent first (ties by tokens)."""
    base = int(stream.max(initial=0)) + 1
    codes = np.zeros(len(stream), dtype=np.int64)
    for ahead in range(order):
        codes = codes * base + np.roll(stream, -ahead)
    values, counts = np.unique(codes, return_counts=True)
    values, counts = values[counts >= least], counts[counts >= least]
    ranked = np.lexsort((values, -counts))
    digits = [values[ranked] // base**place % base for place in range(order - 1, -1, -1)]
    runs = zip(*(column.tolist() for column in digits), strict=True)
    return dict(zip(runs, counts[ranked].tolist(), strict=True))
