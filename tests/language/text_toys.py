"""Small language models whose every probability is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from presheaf.models.base import ModelInfo
from presheaf.models.lm.base import OnScored, Question, Tokens

A, END = 0, 1


class TableModel:
    """p(next | prefix) looked up by the longest ending of the prefix that the table holds; () must be in it.

    Its tokens are ``letters``, one a character; text it does not know raises KeyError.
    """

    def __init__(self, letters: str, table: Mapping[Tokens, Sequence[float]], window: int | None = None) -> None:
        self.letters, self.table, self._window = letters, dict(table), window
        self.calls: list[int] = []

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("table", "table", None)

    @property
    def fingerprint(self) -> str:
        return repr((self.letters, sorted(self.table.items())))

    @property
    def vocabulary(self) -> int:
        return len(self.letters)

    @property
    def window(self) -> int | None:
        return self._window

    def tokens(self, text: str) -> Tokens:
        return tuple(self.letters.index(c) for c in text)

    def text(self, tokens: Sequence[int]) -> str:
        return "".join(self.letters[t] for t in tokens)

    def pieces(self, tokens: Sequence[int]) -> list[str]:
        return [self.letters[t] for t in tokens]

    def count(self, text: str) -> int:
        return len(text)

    def lost(self, question: Question) -> int:
        return 0

    def row(self, prefix: Tokens) -> NDArray[np.float64]:
        start = next(i for i in range(len(prefix) + 1) if prefix[i:] in self.table)
        return np.asarray(self.table[prefix[start:]], dtype=np.float64)

    def next_log_probs(self, prefixes: Sequence[Tokens]) -> NDArray[np.float32]:
        self.calls.append(len(prefixes))
        with np.errstate(divide="ignore"):
            return np.log(np.array([self.row(p) for p in prefixes])).astype(np.float32)

    def token_log_probs(self, sequences: Sequence[Tokens]) -> list[NDArray[np.float64]]:
        self.calls.append(len(sequences))
        with np.errstate(divide="ignore"):
            return [np.log([self.row(s[:i])[s[i]] for i in range(len(s))]) for s in sequences]

    def score(self, questions: Sequence[Question], on_scored: OnScored | None = None) -> list[NDArray[np.float64]]:
        out = []
        for position, question in enumerate(questions):
            start = self.tokens(question.prompt)
            found = self.token_log_probs([start + self.tokens(answer) for answer in question.answers])
            out.append(np.array([steps[len(start) :].sum() for steps in found]))
            if on_scored is not None:
                on_scored(position, out[-1])
        return out


class StaleCache(TableModel):
    """Bug on purpose: sequences run together read the second token as if the first were that of the first sequence."""

    def token_log_probs(self, sequences: Sequence[Tokens]) -> list[NDArray[np.float64]]:
        wrong = [
            np.log([self.row((*sequences[0][:1], *s[1:i]) if i else ())[s[i]] for i in range(len(s))])
            for s in sequences
        ]
        return wrong if len(sequences) > 1 else super().token_log_probs(sequences)


class WrongPosition(TableModel):
    """Bug on purpose: whole distributions are those of the prefix without its last token."""

    def next_log_probs(self, prefixes: Sequence[Tokens]) -> NDArray[np.float32]:
        return super().next_log_probs([p[:-1] for p in prefixes])


class PairTokens(TableModel):
    """The letters "a", "b" and the pair "ab" as a token of its own: longest match first, as byte-pair encodings do."""

    def tokens(self, text: str) -> Tokens:
        out: list[int] = []
        while text:
            size = 2 if text.startswith("ab") else 1
            out.append(2 if size == 2 else "ab".index(text[0]))
            text = text[size:]
        return tuple(out)

    def text(self, tokens: Sequence[int]) -> str:
        return "".join(("a", "b", "ab")[t] for t in tokens)

    def pieces(self, tokens: Sequence[int]) -> list[str]:
        return [("a", "b", "ab")[t] for t in tokens]


def two_letter_model() -> TableModel:
    """The language model of theory's oracle 19: p(a | start) = .6, p(end | start) = .4, p(a | a) = .3, p(end | a) = .7."""
    return TableModel("a.", {(): (0.6, 0.4), (A,): (0.3, 0.7)})


def uniform_model(k: int) -> TableModel:
    """Every one of k letters with probability 1 / k."""
    return TableModel("abcdefghij"[:k], {(): (1 / k,) * k})


def random_model(letters: int, depth: int, seed: int, zeros: bool = False) -> TableModel:
    """Random distributions after every context of fewer than ``depth`` letters."""
    rng = np.random.default_rng(seed)
    contexts: list[Tokens] = [()]
    for context in contexts:
        if len(context) < depth - 1:
            contexts += [(*context, letter) for letter in range(letters)]
    rows = rng.dirichlet(np.ones(letters), size=len(contexts))
    if zeros:
        rows[rows < 0.15] = 0.0
        rows[rows.sum(axis=1) == 0] = 1.0
        rows /= rows.sum(axis=1, keepdims=True)
    return TableModel("abcdefghij"[:letters], {c: tuple(row) for c, row in zip(contexts, rows, strict=True)})


def probability(model: TableModel, x: Tokens, y: Tokens) -> float:
    """pi(y | x) by hand: a product along y, 0 where x is no prefix."""
    if y[: len(x)] != x:
        return 0.0
    out = 1.0
    for i in range(len(x), len(y)):
        out *= float(model.row(y[:i])[y[i]])
    return out


def all_texts(k: int, depth: int, stop: Callable[[Tokens], bool] = lambda text: False) -> list[Tokens]:
    """The full tree of token tuples up to ``depth``; none goes on after one for which ``stop`` holds."""
    out: list[Tokens] = [()]
    for text in out:
        if len(text) < depth and not stop(text):
            out += [(*text, token) for token in range(k)]
    return out
