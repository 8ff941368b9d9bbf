"""Rows x prompts x label words, scored by a language model in chunks; what was scored is never asked again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import ModelError
from presheaf.language.score_store import ScoreStore, question_key
from presheaf.language.templates import Template
from presheaf.models.lm.base import LanguageModel, Question

QUESTIONS_AT_ONCE = 1024
"""A source sorts and packs what it is given at once: more share more, fewer take less memory."""
OnProgress = Callable[[int, int], object]


@dataclass(frozen=True)
class Ask:
    """A template, the choices of label words to try with it, and the labelled examples shown first.

    Attributes
    ----------
    template : Template
    word_sets : tuple of label words, each in the order of the classes
    examples : tuple of (text, label words)
    """

    template: Template
    word_sets: tuple[tuple[str, ...], ...]
    examples: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """Every label word once: the prompt is the same for all of them, so they are asked together."""
        return tuple(dict.fromkeys(word for words in self.word_sets for word in words))

    @property
    def places(self) -> NDArray[np.int64]:
        """Where among `words` each label of each choice stands. Shape (choices, classes)."""
        place = {word: i for i, word in enumerate(self.words)}
        return np.array([[place[word] for word in words] for words in self.word_sets], dtype=np.int64)

    def question(self, text: str) -> Question:
        return self.template.question(text, self.words, self.examples)


@dataclass(frozen=True, eq=False)
class Answers:
    """What a grid gave.

    Attributes
    ----------
    scores : one float64 array of shape (rows, choices of words, classes) an ask
        ln p(label words | prompt), in nats.
    asked, kept : int
        Distinct questions that the model was asked now, and that were kept from before.
    seconds : float
        Wall time.
    """

    scores: tuple[NDArray[np.float64], ...]
    asked: int
    kept: int
    seconds: float


def score_grid(
    model: LanguageModel,
    asks: Sequence[Ask],
    texts: Sequence[str],
    *,
    store: ScoreStore | None = None,
    progress: OnProgress | None = None,
) -> Answers:
    """Score every ask on every text.

    All asks of a text are asked together, so that a source runs what they share once. Equal questions are asked once.
    Whatever ends the run (Ctrl-C, an error of the model), what was scored is in the store.

    Parameters
    ----------
    model : LanguageModel
    asks : sequence of Ask
    texts : sequence of str
    store : ScoreStore, optional
    progress : function of (done, total), optional
        Told numbers of distinct questions.

    Raises
    ------
    ModelError
        As `LanguageModel.score` does, or if it gives something else than a number for each answer.

    Notes
    -----
    Cost: that of the model. Memory: the scores, and one chunk of about 1,024 questions at a time.
    """
    started = time.monotonic()
    keys = [[question_key(ask.question(text)) for ask in asks] for text in texts]
    wanted = dict.fromkeys(key for row in keys for key in row)
    known = {} if store is None else store.read(wanted)
    kept = len(known)
    if progress is not None:
        progress(kept, len(wanted))
    rows_at_once = max(1, QUESTIONS_AT_ONCE // max(1, len(asks)))
    try:
        for start in range(0, len(texts), rows_at_once):
            part: dict[bytes, Question] = {}
            for text, row in zip(texts[start : start + rows_at_once], keys[start : start + rows_at_once], strict=True):
                part |= {key: ask.question(text) for ask, key in zip(asks, row, strict=True) if key not in known}
            if part:
                _ask(model, part, known, store, len(wanted), progress)
    finally:
        if store is not None:
            store.flush()
    scores = tuple(
        np.stack([known[row[i]][ask.places] for row in keys])
        if len(texts)
        else np.zeros((0, len(ask.word_sets), len(ask.word_sets[0])))
        for i, ask in enumerate(asks)
    )
    return Answers(scores, len(wanted) - kept, kept, time.monotonic() - started)


def _ask(
    model: LanguageModel,
    part: dict[bytes, Question],
    known: dict[bytes, NDArray[np.float64]],
    store: ScoreStore | None,
    total: int,
    progress: OnProgress | None,
) -> None:
    """Ask the questions of a chunk; each goes into ``known`` and the store as soon as it is answered."""
    order = list(part)

    def hear(position: int, values: NDArray[np.float64]) -> None:
        key = order[position]
        numbers = np.asarray(values, dtype=np.float64)
        if numbers.shape != (len(part[key].answers),) or np.isnan(numbers).any():
            raise ModelError(
                f"{model.info.name} answered a question with numbers of shape {numbers.shape}, or nan among them, for "
                f"{len(part[key].answers)} answers. Expected ln p of each."
            )
        known[key] = numbers
        if store is not None:
            store.put(key, known[key])
        if progress is not None:
            progress(len(known), total)

    model.score(list(part.values()), hear)
