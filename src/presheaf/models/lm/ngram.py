"""An n-gram language model that the library trains itself: the honest baseline beside a neural one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, one_of
from presheaf.models.base import ModelInfo
from presheaf.models.lm.base import OnScored, Question, Tokens
from presheaf.models.lm.counts import NGramCounts, stream_of
from presheaf.models.lm.kneser_ney import KneserNey
from presheaf.models.lm.ngram_file import digest, read, write
from presheaf.models.lm.units import END, UNITS, Unit, Vocabulary, split
from presheaf.models.tokens import texts_only

_LONGEST_ORDER = 12
_TOKENS_AT_ONCE = 1 << 20


class NGramModel:
    """Interpolated Kneser-Ney with the three modified discounts of Chen and Goodman (see `kneser_ney`).

    The probability of a token depends on the ``order - 1`` tokens before it, or on the beginning of the text where
    fewer stand there. A text begins with a symbol that is never predicted and may end with one that is (`end`). Units
    that training never saw share the unknown token; it gets what the discounts leave to the uniform distribution.

    Made by `train` or `load`; immutable. The same numbers on every machine, to rounding.

    Parameters
    ----------
    vocabulary : Vocabulary
    counts : NGramCounts
        Of texts that were turned into tokens by that vocabulary.
    name : str
    """

    def __init__(self, vocabulary: Vocabulary, counts: NGramCounts, *, name: str = "n-gram") -> None:
        if counts.size != len(vocabulary):
            raise InputError(f"The counts are over {counts.size} tokens; the vocabulary has {len(vocabulary)}.")
        self._vocabulary = vocabulary
        self._smoothed = KneserNey.of(counts)
        self._name = name

    @classmethod
    def train(cls, texts: Iterable[str], order: int = 5, unit: Unit = "word", *, name: str | None = None) -> NGramModel:
        """Count and smooth.

        Parameters
        ----------
        texts : iterable of str
            Each a text of its own with a beginning and an end.
        order : int
            The n of n-gram, 1 to 12.
        unit : "word", "character" or "byte"
            Words are runs of letters and digits, single Han and kana characters, and single other visible characters;
            white space is dropped, so `text` of `tokens` joins them by one space. The others give texts back exactly.
        name : str, optional
            What reports call the model.

        Raises
        ------
        InputError
            If there is no text, or an argument is out of range.

        Notes
        -----
        Cost: ``order`` sorts of all tokens; a million words take seconds, about 40 bytes a token and order.
        """
        one_of("unit", unit, UNITS)
        if isinstance(order, bool) or not isinstance(order, int) or not 1 <= order <= _LONGEST_ORDER:
            raise InputError(f"'order' must be a whole number from 1 to {_LONGEST_ORDER}; got {order!r}.")
        if isinstance(texts, str):
            raise InputError("'texts' must be several texts; got one string. Write [text].")
        pieces = [split(text, unit) for text in texts_only(list(texts))]
        if not any(pieces):
            raise InputError(f"There is nothing to train on: {len(pieces)} texts, none with a {unit}.")
        vocabulary = Vocabulary.of(pieces, unit)
        stream = stream_of([[*vocabulary.ids(units), END] for units in pieces], len(vocabulary))
        return cls(vocabulary, NGramCounts.of(stream, order), name=name or f"{unit} {order}-gram")

    @classmethod
    def load(cls, path: str | Path, *, name: str | None = None) -> NGramModel:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If there is no such file, or a newer version of the library wrote it.
        ModelError
            If it is damaged or no n-gram model.
        """
        path = Path(path)
        vocabulary, counts = read(path)
        return cls(vocabulary, counts, name=name or path.name)

    def save(self, path: str | Path) -> Path:
        """Write one ``.npz`` file of numbers and the units' UTF-8 (nothing pickled); returns its path.

        The file appears whole or not at all.

        Raises
        ------
        InputError
            If the name does not end in .npz or the file can't be written.
        """
        return write(Path(path), self._vocabulary, self.counts)

    @property
    def counts(self) -> NGramCounts:
        return self._smoothed.counts

    @property
    def order(self) -> int:
        return self.counts.order

    @property
    def end(self) -> int:
        """The token that ends a text."""
        return END

    @property
    def info(self) -> ModelInfo:
        guessed = [str(m) for m, known in enumerate(self._smoothed.estimated, start=1) if not known]
        return ModelInfo(
            name=self._name,
            kind="ngram",
            dim=None,
            kernel="next token",
            precision="float64",
            trainable=False,
            settings=(
                ("order", str(self.order)),
                ("unit", self._vocabulary.unit),
                ("smoothing", "interpolated Kneser-Ney, modified discounts"),
                ("orders with fallback discounts", ", ".join(guessed) or "none"),
                ("n-grams", f"{sum(map(len, self.counts.keys)):,}"),
            ),
        )

    @cached_property
    def fingerprint(self) -> str:
        """Of the vocabulary and every count."""
        return digest(self._vocabulary, self.counts)

    @property
    def vocabulary(self) -> int:
        """Number of tokens: the unknown unit, the end of a text, and every unit."""
        return len(self._vocabulary)

    @property
    def window(self) -> None:
        """None: a text of any length can be asked about. What a prompt's beginning can't tell the answer, see `lost`."""
        return None

    def tokens(self, text: str) -> Tokens:
        """Token ids of a text; 0 for a unit that training never saw."""
        return tuple(self._vocabulary.encode(text))

    def text(self, tokens: Sequence[int]) -> str:
        """The text of token ids; U+FFFD for the unknown unit."""
        return self._vocabulary.decode(self._checked(tokens))

    def pieces(self, tokens: Sequence[int]) -> list[str]:
        """Each token as one would print it."""
        return self._vocabulary.pieces(self._checked(tokens))

    def count(self, text: str) -> int:
        """How many tokens the text is."""
        return len(split(texts_only([text])[0], self._vocabulary.unit))

    def lost(self, question: Question) -> int:
        """How many tokens at the beginning of the prompt no answer can depend on: all but the last ``order - 1``."""
        return max(0, self.count(question.prompt) - self.order + 1)

    def score(self, questions: Sequence[Question], on_scored: OnScored | None = None) -> list[NDArray[np.float64]]:
        """ln p(answer | prompt) in nats, one array of shape (answers,) a question; always finite.

        The same prompt or answer is read once. Cost: reading the prompts, then ``order`` binary searches a token of
        the answers.
        """
        known: dict[str, list[int]] = {}
        out: list[NDArray[np.float64]] = []
        for block in _blocks([len(q.prompt) + sum(map(len, q.answers)) for q in questions]):
            out.extend(self._scored(questions[block], known))
            if on_scored is not None:
                for position in range(block.start, block.stop):
                    on_scored(position, out[position])
            known.clear()
        return out

    def next_log_probs(self, prefixes: Sequence[Tokens]) -> NDArray[np.float32]:
        """ln p(next token | prefix), shape (n, vocabulary); each row's exponentials sum to 1. () is the empty text."""
        for prefix in prefixes:
            self._checked(prefix)
        stream = stream_of([self._tail(prefix) for prefix in prefixes], self.vocabulary)
        heads = np.flatnonzero(stream.tokens == self.vocabulary)
        last = np.append(heads[1:], len(stream.tokens)) - 1 if len(heads) else heads
        return self._smoothed.following(stream, last)

    def token_log_probs(self, sequences: Sequence[Tokens]) -> list[NDArray[np.float64]]:
        """ln p(token | tokens before it in the sequence) for every token of every sequence, in nats."""
        for sequence in sequences:
            self._checked(sequence)
        out: list[NDArray[np.float64]] = []
        for block in _blocks([len(sequence) for sequence in sequences]):
            out.extend(self._log_probs(sequences[block]))
        return out

    def _scored(self, questions: Sequence[Question], known: dict[str, list[int]]) -> list[NDArray[np.float64]]:
        joined: list[list[int]] = []
        lengths: list[int] = []
        for question in questions:
            head = self._tail(self._read(question.prompt, known))
            for answer in question.answers:
                tail = self._read(answer, known)
                joined.append([*head, *tail])
                lengths.append(len(tail))
        sums = [float(p[len(p) - n :].sum()) for p, n in zip(self._log_probs(joined), lengths, strict=True)]
        ends = np.cumsum([len(q.answers) for q in questions])[:-1]
        return np.split(np.array(sums, dtype=np.float64), ends)

    def _read(self, text: str, known: dict[str, list[int]]) -> list[int]:
        if text not in known:
            known[text] = self._vocabulary.encode(text)
        return known[text]

    def _tail(self, prefix: Sequence[int]) -> Sequence[int]:
        """All that what follows can depend on. A whole prefix keeps its beginning; a longer one has it out of reach."""
        return prefix[max(0, len(prefix) - self.order + 1) :]

    def _log_probs(self, sequences: Sequence[Sequence[int]]) -> list[NDArray[np.float64]]:
        stream = stream_of(sequences, self.vocabulary)
        values = np.log(self._smoothed.probabilities(stream))
        heads = np.flatnonzero(stream.tokens == self.vocabulary)
        return [part[1:] for part in np.split(values, heads[1:])] if len(heads) else []

    def _checked(self, tokens: Sequence[int]) -> Sequence[int]:
        wrong = [t for t in (min(tokens), max(tokens)) if not 0 <= t < self.vocabulary] if len(tokens) else []
        if wrong:
            raise InputError(f"{self._name} has tokens 0 to {self.vocabulary - 1:,}; got {wrong[0]}.")
        return tokens


def _blocks(sizes: Sequence[int]) -> list[slice]:
    """Consecutive runs of items whose sizes add up to about a million at most."""
    if not sizes:
        return []
    group = (np.cumsum(sizes) - np.asarray(sizes)) // _TOKENS_AT_ONCE
    cuts = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(sizes)]
    return [slice(a, b) for a, b in pairwise(cuts)]
