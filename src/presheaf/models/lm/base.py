"""The protocol of a language model: the log-probability of what follows, and next-token distributions where to be had."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from presheaf.models.base import ModelInfo

Tokens = tuple[int, ...]
"""Token ids without special ones. An object of the category of texts is a tuple of tokens, never a string."""

OnScored = Callable[[int, NDArray[np.float64]], object]
"""Told the position of a question and its answers' log-probabilities as soon as they are known, in any order."""


@dataclass(frozen=True)
class Question:
    """A prompt and the answers whose probability is asked for.

    Prompt and answer are turned into tokens apart and joined as tokens, so that ln p(answer | prompt) is a sum over
    the answer's tokens and composes exactly. Write the space that separates them at the start of the answer.
    """

    prompt: str
    answers: tuple[str, ...]


@runtime_checkable
class LanguageModel(Protocol):
    """Anything that can say how likely a continuation is. `presheaf.models.lm.contract.check_language_model` tests it.

    A source is a pure function: the same question gets the same numbers, whatever stands beside it (up to rounding).
    """

    @property
    def info(self) -> ModelInfo: ...

    @property
    def fingerprint(self) -> str:
        """Hex digest that changes whenever an answer could."""
        ...

    def score(self, questions: Sequence[Question], on_scored: OnScored | None = None) -> list[NDArray[np.float64]]:
        """ln p(answer | prompt) in nats, one array of shape (answers,) a question; -inf where it is impossible.

        Prefixes that questions share are run once. A prompt longer than the window loses its beginning, never the
        answer; `lost` says how much. ``on_scored`` hears of every question once, so that a caller can keep it.

        Raises
        ------
        ModelError
            If an answer can't be had (an endpoint without log-probabilities, a window smaller than an answer).
        """
        ...

    def count(self, text: str) -> int:
        """How many tokens the text is (an estimate on the high side where the tokenizer is not at hand)."""
        ...

    def lost(self, question: Question) -> int:
        """How many tokens at the beginning of the prompt would not reach the network."""
        ...


@runtime_checkable
class LocalLanguageModel(LanguageModel, Protocol):
    """A language model whose tokens and next-token distributions are at hand."""

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        ...

    @property
    def window(self) -> int | None:
        """Most tokens the network takes; None when there is no limit."""
        ...

    def tokens(self, text: str) -> Tokens:
        """Token ids of a text, no special token added; `text` of them gives the text back where the tokenizer can."""
        ...

    def text(self, tokens: Sequence[int]) -> str: ...

    def pieces(self, tokens: Sequence[int]) -> list[str]:
        """Each token as one would print it."""
        ...

    def next_log_probs(self, prefixes: Sequence[Tokens]) -> NDArray[np.float32]:
        """ln p(next token | prefix), shape (n, vocabulary); each row's exponentials sum to 1. () is the empty text.

        Cost: one pass over the distinct prefixes; n x vocabulary numbers of memory, so ask in blocks.
        """
        ...

    def token_log_probs(self, sequences: Sequence[Tokens]) -> list[NDArray[np.float64]]:
        """ln p(token | tokens before it in the sequence) for every token of every sequence.

        Sequences that share a prefix are run as one trie.
        """
        ...
