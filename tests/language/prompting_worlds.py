"""A language model small enough to know exactly: what it says of an answer is written in a dozen lines."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from presheaf.models.base import ModelInfo
from presheaf.models.lm.base import OnScored, Question


class CueModel:
    """ln p(answer | prompt) = leaning + strength x (cues for the answer in the prompt), normalised over two words.

    Answers are "good" and "bad" however they are capitalised and spaced (a capital letter is 1 nat less likely).
    Cues are the letters + and - in the part of the prompt after ``hears``; a prompt without that mark hears nothing.
    """

    def __init__(self, leaning: float = 0.0, strength: float = 1.0, hears: str = "") -> None:
        self.leaning, self.strength, self.hears = leaning, strength, hears
        self.asked = 0
        self.stop_after: int | None = None

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("cues", "lm", None)

    @property
    def fingerprint(self) -> str:
        return sha256(repr((self.leaning, self.strength, self.hears)).encode()).hexdigest()

    def one(self, prompt: str, answer: str) -> float:
        heard = prompt if self.hears in prompt else ""
        margin = self.leaning + self.strength * (heard.count("+") - heard.count("-"))
        word = answer.strip()
        signed = margin if word.lower() == "good" else -margin
        return float(-np.logaddexp(0.0, -signed)) - (1.0 if word[0].isupper() else 0.0)

    def score(self, questions: Sequence[Question], on_scored: OnScored | None = None) -> list[np.ndarray]:
        out = []
        for i, question in enumerate(questions):
            if self.stop_after is not None and self.asked >= self.stop_after:
                raise KeyboardInterrupt
            self.asked += 1
            out.append(np.array([self.one(question.prompt, answer) for answer in question.answers]))
            if on_scored is not None:
                on_scored(i, out[-1])
        return out

    def count(self, text: str) -> int:
        return len(text.split())

    def lost(self, question: Question) -> int:
        return 0
