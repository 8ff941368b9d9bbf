"""The continuations that tell prompts apart: stated, or drawn from the model (meaning as trajectories)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.language.text_category import sequence_log_probs
from presheaf.language.texts import Text, as_tokens, check_window, distinct
from presheaf.models.lm.base import LocalLanguageModel, Tokens

Floats = NDArray[np.float64]

ROWS_BYTES = 1 << 28
"""Bytes that whole next-token distributions asked for at once may take, with their scratch memory: 256 MiB."""
TOKENS_AT_ONCE = 1 << 15
"""Tokens of sequences handed to the model in one call."""


@dataclass(frozen=True)
class Continuations:
    """Different continuations, each a tuple of at least one token.

    Attributes
    ----------
    tokens : tuple of token tuples
    origin : "stated" or "sampled"
    draws : int
        How many were drawn, repetitions counted; 0 where they were stated.
    seed, length : int or None
        Of the draws.
    """

    tokens: tuple[Tokens, ...] = field(repr=False)
    origin: str
    draws: int = 0
    seed: int | None = None
    length: int | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def disjoint(self) -> bool:
        """Whether none begins another, so that at most one of them happens and their probabilities add."""
        ordered = sorted(self.tokens)
        return all(after[: len(before)] != before for before, after in pairwise(ordered))

    @property
    def unseen(self) -> float:
        """With 95 % confidence at most this share of continuations drawn alike passes the largest ratio among these.

        If a share q passed it, no one of m independent draws would with probability (1 - q)^m or less. 1 where they
        were stated: a statement about these continuations says nothing about others.
        """
        return 1.0 - 0.05 ** (1 / self.draws) if self.draws else 1.0


def state_continuations(model: LocalLanguageModel, texts: Sequence[Text]) -> Continuations:
    """The continuations a user names; strings are turned into tokens, so write the space in front (" good").

    Raises
    ------
    InputError
        If there are none, or one is empty.
    """
    tokens, _ = distinct(as_tokens(model, texts, "continuations"))
    if not tokens or () in tokens:
        raise InputError(
            "continuations must be texts of at least one token; got " + ("an empty one." if tokens else "none.")
        )
    return Continuations(tokens, "stated")


def sample_continuations(
    model: LocalLanguageModel, prompts: Sequence[Text], *, count: int, length: int, seed: int = 0
) -> Continuations:
    """Draw continuations from the model itself, the same number after each prompt, and pool them.

    Parameters
    ----------
    model : LocalLanguageModel
    prompts : sequence of strings or token tuples
    count : int
        Draws after each prompt.
    length : int
        Tokens of each draw. All are of one length, so none begins another.
    seed : int

    Raises
    ------
    InputError
        If a number is below 1, there are no prompts, or prompt and draw run past the window.

    Notes
    -----
    Liu et al. 2024, "Meaning representations from trajectories in autoregressive models": what a text means is which
    continuations it makes likely. Drawn at temperature 1; a token that ends texts counts as any other. Cost: prompts x count x
    length next-token distributions, in blocks of 256 MiB.
    """
    if count < 1 or length < 1:
        raise InputError(f"count and length must be at least 1; got {count!r} and {length!r}.")
    starts = as_tokens(model, prompts, "prompts")
    if not starts:
        raise InputError("prompts must hold at least one text; got none.")
    check_window(model, max(map(len, starts)) + length, "prompts with their continuations")
    rng = np.random.default_rng(seed)
    going = [text for text in starts for _ in range(count)]
    for _ in range(length):
        chance = rng.random(len(going))
        going = [(*text, token) for text, token in zip(going, _draw(model, going, chance), strict=True)]
    drawn = [text[-length:] for text in going]
    return Continuations(distinct(drawn)[0], "sampled", len(drawn), seed, length)


def next_rows(model: LocalLanguageModel) -> int:
    """How many whole next-token distributions fit in a block."""
    return max(1, ROWS_BYTES // (32 * model.vocabulary))


def _draw(model: LocalLanguageModel, prefixes: Sequence[Tokens], chance: Floats) -> list[int]:
    """One token after each prefix by inverse distribution functions: ``chance`` decides, whatever the blocks are."""
    different, of = distinct(prefixes)
    out = np.empty(len(prefixes), dtype=np.int64)
    step = next_rows(model)
    for start in range(0, len(different), step):
        below = np.cumsum(np.exp(model.next_log_probs(different[start : start + step]).astype(np.float64)), axis=1)
        for position in np.flatnonzero((of >= start) & (of < start + step)):
            row = below[of[position] - start]
            token = np.searchsorted(row, chance[position] * row[-1], side="right")
            out[position] = min(int(token), len(row) - 1)
    return [int(token) for token in out]


def continuation_log_probs(
    model: LocalLanguageModel, prompts: Sequence[Tokens], continuations: Sequence[Tokens]
) -> Floats:
    """ln pi(c | x) in nats, shape (prompts, continuations): sums over the tokens of c after x.

    Raises
    ------
    InputError
        If a prompt with a continuation runs past the window.

    Notes
    -----
    Cost: one pass over the trie of prompt and continuations, in calls of some 32,768 tokens.
    """
    longest = max((len(c) for c in continuations), default=0)
    check_window(model, max((len(x) for x in prompts), default=0) + longest, "prompts with their continuations")
    out = np.empty((len(prompts), len(continuations)))
    each = sum(map(len, continuations))
    step = max(1, TOKENS_AT_ONCE // max(1, each))
    for start in range(0, len(prompts), step):
        block = prompts[start : start + step]
        found = sequence_log_probs(model, [(*x, *c) for x in block for c in continuations])
        sums = [
            steps[-len(c) :].sum() for steps, c in zip(found, [c for _ in block for c in continuations], strict=True)
        ]
        out[start : start + step] = np.asarray(sums).reshape(len(block), len(continuations))
    return out
