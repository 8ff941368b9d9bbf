"""Does pi(z | x) = pi(z | y) pi(y | x) hold on this model? Recomputed by separate passes, so that a bug has nowhere to hide."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.language.text_category import TextCategory, sequence_log_probs
from presheaf.language.texts import shown
from presheaf.models.lm.base import LocalLanguageModel, Tokens

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Cause = Literal["cache", "composition", "tokenizer"]

EPS = float(np.finfo(np.float32).eps)
ALLOWED = 1024
"""Roundings of float32 a token's log-probability may be off by, on the scale of the largest one or 1: 1.2e-4 nats."""
ROWS = 16
"""Prefixes whose whole next-token distributions are asked for at once."""


@dataclass(frozen=True)
class BrokenComposition:
    """Three texts, or two strings, on which composition fails.

    Attributes
    ----------
    cause : "cache", "composition" or "tokenizer"
        "cache": the pass that shares prefixes gives another probability than the text alone. "composition": the
        probability of the whole is not the product of its parts, each asked for alone. "tokenizer": a string that begins
        another one is no prefix of it in tokens, so pi is 0 where a reader expects a continuation.
    texts : tuple of str
        x, y, z as printed; for the tokenizer the shorter and the longer string.
    left, right : float
        The two values of ln pi(z | x) in nats that should agree; nan for the tokenizer.
    detail : str
    """

    cause: Cause
    texts: tuple[str, ...]
    left: float
    right: float
    detail: str


@dataclass(frozen=True)
class CompositionCheck:
    """What came of recomputing.

    Attributes
    ----------
    holds : bool
        Whether no probability is off by more than the tolerance. Strings that the tokenizer breaks don't count: the
        category of tokens is lawful without them.
    checked, chains : int
        Chains x < y < z recomputed, and how many there are next to one another in the category.
    sharing : float
        Largest difference in nats, per token, between the pass that shares prefixes and the texts alone.
    composing : float
        Largest difference in nats, per token, between ln pi(z | x) and ln pi(z | y) + ln pi(y | x).
    tolerance : float
        In nats per token, on the scale of the text's largest surprise of a token (or 1).
    broken : tuple of BrokenComposition
        Worst first.
    split : int
        Pairs of given strings of which the shorter begins the longer, but not in tokens.
    """

    holds: bool
    checked: int
    chains: int
    sharing: float
    composing: float
    tolerance: float
    broken: tuple[BrokenComposition, ...] = field(repr=False)
    split: int

    def __repr__(self) -> str:
        verdict = "holds" if self.holds else "is broken: a bug of the model source's cache or batching"
        return (
            f"CompositionCheck({verdict}; {self.checked:,} of {self.chains:,} chains, off by {self.composing:.1e} nats a token, "
            f"by sharing {self.sharing:.1e}, allowed {self.tolerance:.1e}; {self.split:,} pairs of strings split by the tokenizer)"
        )


def check_composition(
    category: TextCategory,
    *,
    strings: tuple[str, ...] = (),
    chains: int = 50,
    tolerance: float = ALLOWED * EPS,
    seed: int = 0,
) -> CompositionCheck:
    """Recompute pi along chains x < y < z by passes that share nothing, and compare.

    Parameters
    ----------
    category : TextCategory
    strings : tuple of str
        Strings to look for broken prefixes among: of which one begins another, but not in tokens.
    chains : int
        How many chains to recompute at most; drawn by ``seed`` from those of an object, the one before and the one before
        that. Where there are none, the empty text and a text cut in the middle stand in.
    tolerance : float
        Nats per token, on the scale of the largest surprise of a token in the text, or 1. The default is 1,024 float32
        roundings (1.2e-4): batches of another shape add numbers in another order, and a network of tens of layers carries
        it on. A wrong position or a stale cache moves tenths of nats.

    Raises
    ------
    InputError
        If ``chains`` or ``tolerance`` is not positive.

    Notes
    -----
    ln pi(z | x) comes from z in a call of its own; ln pi(y | x) from y in a call of its own; ln pi(z | y) from the whole
    next-token distributions after the prefixes of z. All three are different paths through the source. Cost: two passes of a
    text alone and one distribution for each token from y to z, for each chain.
    """
    if chains < 1 or not tolerance > 0:
        raise InputError(f"chains and tolerance must be positive; got {chains!r} and {tolerance!r}.")
    every = _chains(category)
    rng = np.random.default_rng(seed)
    chosen = (
        every if len(every) <= chains else [every[i] for i in sorted(rng.choice(len(every), chains, replace=False))]
    )
    shared = sequence_log_probs(category.model, [z for _, _, z in chosen])
    found = [_recompute(category.model, chain, together) for chain, together in zip(chosen, shared, strict=True)]
    broken = [failure for one in found for failure in one.failures(category.model, tolerance)]
    broken.sort(key=lambda failure: -abs(failure.left - failure.right))
    splits = split_prefixes(category.model, strings)
    return CompositionCheck(
        not broken,
        len(chosen),
        len(every),
        max((one.sharing for one in found), default=0.0),
        max((one.composing for one in found), default=0.0),
        tolerance,
        (*broken, *splits),
        len(splits),
    )


def split_prefixes(model: LocalLanguageModel, strings: tuple[str, ...]) -> list[BrokenComposition]:
    """Pairs of strings of which the shorter begins the longer, while its tokens don't begin the longer's tokens.

    Each string is compared with the longest other one that begins it. Cost: sorting, and one call of the tokenizer a string.
    """
    out, open_ones = [], list[str]()
    # In alphabetical order all strings that begin with s follow s directly.
    for text in sorted(set(strings)):
        while open_ones and not text.startswith(open_ones[-1]):
            open_ones.pop()
        if open_ones:
            short, long = model.tokens(open_ones[-1]), model.tokens(text)
            if long[: len(short)] != short:
                at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(long))
                detail = f"tokens part at {at}: {model.pieces(short[at:])} against {model.pieces(long[at : at + 3])}"
                nan = float("nan")
                out.append(BrokenComposition("tokenizer", (open_ones[-1], text), nan, nan, detail))
        open_ones.append(text)
    return out


@dataclass(frozen=True)
class _Recomputed:
    chain: tuple[Tokens, Tokens, Tokens]
    shared: float
    alone: float
    parts: float
    sharing: float
    composing: float

    def failures(self, model: LocalLanguageModel, tolerance: float) -> list[BrokenComposition]:
        names = tuple(shown(model.text(text)) for text in self.chain)
        out = []
        if self.sharing > tolerance:
            detail = "the pass that shares prefixes against the text alone"
            out.append(BrokenComposition("cache", names, self.shared, self.alone, detail))
        if self.composing > tolerance:
            detail = "the whole against the product of its parts, each asked for alone"
            out.append(BrokenComposition("composition", names, self.alone, self.parts, detail))
        return out


def _recompute(model: LocalLanguageModel, chain: tuple[Tokens, Tokens, Tokens], together: Floats) -> _Recomputed:
    x, y, z = chain
    (whole,) = sequence_log_probs(model, [z])
    (first,) = sequence_log_probs(model, [y])
    rest = _by_distributions(model, z, len(y))
    parts = np.concatenate([first[len(x) :], rest])
    alone = whole[len(x) :]
    possible = alone[np.isfinite(alone)]
    scale = max(1.0, -float(possible.min(initial=0.0)))
    return _Recomputed(
        chain,
        float(together[len(x) :].sum()),
        float(alone.sum()),
        float(parts.sum()),
        _apart(together, whole) / scale,
        _apart(alone, parts) / scale,
    )


def _apart(first: Floats, second: Floats) -> float:
    """Largest difference, where both being impossible is agreement."""
    return float(np.where(first == second, 0.0, np.abs(np.nan_to_num(first - second, nan=0.0))).max(initial=0.0))


def _by_distributions(model: LocalLanguageModel, text: Tokens, start: int) -> Floats:
    """ln p of each token from ``start`` on, read off the whole distribution after the tokens before it."""
    ends = range(start, len(text))
    out = []
    for at in range(start, len(text), ROWS):
        block = ends[at - start : at - start + ROWS]
        rows = model.next_log_probs([text[:end] for end in block])
        out += [float(row[text[end]]) for row, end in zip(rows, block, strict=True)]
    return np.asarray(out, dtype=np.float64)


def _chains(category: TextCategory) -> list[tuple[Tokens, Tokens, Tokens]]:
    parent, texts = category.parent, category.texts
    above = np.where(parent >= 0, parent[parent], -1)
    chains = [(texts[above[z]], texts[parent[z]], texts[z]) for z in np.flatnonzero(above >= 0).tolist()]
    if chains:
        return chains
    return [((), text[: len(text) // 2], text) for text in texts if len(text) > 1]
