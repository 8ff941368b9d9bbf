"""A language model without features, seen through its answers: what it says of a row is all that is known of the row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.prompting_trial import PromptingOptions
from presheaf.audits.rungs.written_prompt import asks_of
from presheaf.language.calibrate import floored
from presheaf.language.grid import score_grid
from presheaf.language.score_store import ScoreStore
from presheaf.models.base import ModelInfo, Role, Trace
from presheaf.models.files import fingerprint
from presheaf.models.lm.base import LanguageModel, LocalLanguageModel, Question
from presheaf.tables.task import Task

TEMPLATES = 4
"""Templates of the grammar whose answers are features, besides all of the user's."""


def is_language_model(model: object) -> bool:
    """Whether it can say how likely a continuation is."""
    return hasattr(type(model), "score") and hasattr(type(model), "lost")


class AnswerModel:
    """Features of a text are the model's answers about it: ln p of each label's words under a few templates.

    A row of the profunctor M(x, c) = p(c | x) (theory: the hom of a language model over stated continuations), each
    template normalised over the labels and centred. Whoever fits a head on them calibrates and stacks prompts; nothing
    else of the model can be seen.

    Parameters
    ----------
    model : LanguageModel
    task : Task
        Its columns and classes give templates and label words.
    options : PromptingOptions
        The user's templates and words, and the folder in which scores are kept.
    """

    takes: Literal["text", "row"] = "text"
    needs_fit = False
    answers_only = True
    batch_size = 64

    def __init__(self, model: LanguageModel, task: Task, options: PromptingOptions) -> None:
        self.language = model
        made, origins = asks_of(model, task, options.user)
        own = [ask for ask, origin in zip(made, origins, strict=True) if origin == "user"]
        plain = [ask for ask, origin in zip(made, origins, strict=True) if origin != "user"]
        # The last of the plain frames name the columns, so they ask the most definite questions.
        self._asks = [replace(ask, word_sets=ask.word_sets[:1]) for ask in (*own, *plain[-TEMPLATES:])]
        self._classes = len(task.classes)
        self._store = ScoreStore(model.fingerprint, options.cache)

    @property
    def info(self) -> ModelInfo:
        return replace(self.language.info, dim=len(self._asks) * self._classes + 1, kernel="cosine")

    @cached_property
    def fingerprint(self) -> str:
        asked = [(ask.template.written, ask.word_sets) for ask in self._asks]
        return fingerprint("answers 2", self.language.fingerprint, str(asked))

    def fit(self, objects: Sequence[Any]) -> None:
        """Does nothing."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Answers of shape (n, templates x labels + 1), the last column constant. Cost: one question a template for texts not asked before."""
        found = score_grid(self.language, self._asks, list(objects), store=self._store)
        parts = []
        for scores in found.scores:
            row = floored(scores[:, 0])
            row = row - np.logaddexp.reduce(row, axis=1, keepdims=True)
            parts.append(row - row.mean(axis=1, keepdims=True))
        # Features are scaled to length 1: beside a constant the size of the answers stays in their direction.
        parts.append(np.full((len(objects), 1), np.sqrt(len(found.scores))))
        return np.concatenate(parts, axis=1).astype(np.float32)

    def questions(self, texts: Sequence[str]) -> Iterator[Question]:
        """What `encode` asks of these texts, equal ones once."""
        for text in dict.fromkeys(texts):
            yield from (ask.question(text) for ask in self._asks)

    def encode_exact(self, objects: Sequence[Any]) -> None:
        """None: there is no second, more precise pass."""

    def inputs(self, objects: Sequence[Any]) -> list[bytes] | None:
        """Token ids of each text where the tokenizer is at hand: equal ids are equal input in every prompt."""
        if not isinstance(self.language, LocalLanguageModel):
            return None
        return [np.array(self.language.tokens(text), dtype=np.int64).tobytes() for text in objects]

    def trace(self, text: str) -> Trace | None:
        """The tokens of the text; None where the tokenizer is not at hand."""
        if not isinstance(self.language, LocalLanguageModel):
            return None
        return Trace(tuple(self.language.pieces(self.language.tokens(text))))
