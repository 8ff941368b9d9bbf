"""Prompts on trial: which rows they are tried on, what the model said of them, and how each is judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.climb import Climb, balanced_accuracy
from presheaf.audits.context import Halves
from presheaf.audits.defaults import PROMPT_ROWS, SHOTS
from presheaf.audits.prompting_result import Score
from presheaf.audits.prompts import UserPrompts, user_words
from presheaf.audits.result import Rung
from presheaf.errors import InputError
from presheaf.language.calibrate import CONTENT_FREE, Judged, best_prompt, floored, judge
from presheaf.language.grid import Ask, score_grid
from presheaf.language.score_store import ScoreStore
from presheaf.language.templates import Template
from presheaf.models.lm.base import LanguageModel
from presheaf.statistics.intervals import accuracy_interval
from presheaf.statistics.splits import folds
from presheaf.tables.task import Task

OnProgress = Callable[[str, int, int], object]
"""Called with what is being done, how much of it is done, and how much there is."""
Origin = Literal["user", "grammar"]

MOST_SCORED = 1000
"""Rows of the scoring half that the chosen prompt is scored on, at most; more only where all prompts are tried on more."""
FOLDS = 3
NULL_DRAWS = 20


@dataclass(frozen=True, eq=False)
class PromptingOptions:
    """How prompts are tried.

    Attributes
    ----------
    user : UserPrompts
        ``language`` (templates with ``{text}``), ``words`` (label words).
    shots : tuple of int
        Numbers of labelled examples before the row; 0 stands for the zero-shot prompts, which are always tried.
    rows : int
        Most rows of each half that all prompts are tried on; at least 1.
    seed : int
    cache : path or None
        Folder in which scores are kept, so that a run that was stopped goes on where it was; the user's by default.
    progress : callable, optional
    tune : bool
        Whether a caller may have a soft prompt tuned by gradient besides; nothing here depends on it.
    """

    user: UserPrompts = field(default_factory=UserPrompts)
    shots: tuple[int, ...] = SHOTS
    rows: int = PROMPT_ROWS
    seed: int = 0
    cache: Path | None = None
    progress: OnProgress | None = None
    tune: bool = True

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise InputError(f"'rows' must be at least 1; got {self.rows}.")
        if any(k < 0 for k in self.shots):
            raise InputError(f"'shots' must be whole numbers from 0 on; got {', '.join(map(str, self.shots))}.")


@dataclass(frozen=True, eq=False)
class Candidate:
    """A prompt with what the model said.

    Attributes
    ----------
    template, words, examples : what is asked; ``words`` in the order of the classes
    origin : "user" or "grammar"
    on_choosing, on_scoring : arrays of shape (rows, classes)
        ln p(label words | prompt) in nats, on the rows of each half that prompts are tried on.
    free : array of shape (content-free texts, classes)
    judged : Judged
        From the choosing rows and the content-free texts alone.
    """

    template: Template
    words: tuple[str, ...]
    examples: tuple[tuple[str, str], ...]
    origin: Origin
    on_choosing: NDArray[np.float64]
    free: NDArray[np.float64]
    on_scoring: NDArray[np.float64]
    judged: Judged

    @property
    def choosing_accuracy(self) -> float:
        """Cross-fitted accuracy on the choosing half under the preferred calibration."""
        return float(self.judged.accuracy[self.judged.best])

    @property
    def ask(self) -> Ask:
        return Ask(self.template, (self.words,), self.examples)


class Trial:
    """One language model on one task's halves: the rows that prompts are tried on, and the scores, kept on disk.

    Parameters
    ----------
    model : LanguageModel
    task : Task
        With texts; rows in the order that ``halves`` refers to.
    halves : Halves
    options : PromptingOptions

    Raises
    ------
    InputError
        If the task has no texts or a half has no rows.
    """

    def __init__(self, model: LanguageModel, task: Task, halves: Halves, options: PromptingOptions) -> None:
        if task.texts is None:
            raise InputError("a language model is prompted with texts and the task has none; name the text column.")
        if not len(halves.choosing) or not len(halves.scoring):
            raise InputError("prompts are chosen on some rows and scored on others; one of the two halves has no row.")
        self.model, self.task, self.halves, self.options = model, task, halves, options
        self.texts = task.texts
        self.choosing = halves.choosing[: options.rows]
        self.scoring = halves.scoring[: options.rows]
        self.whole = halves.scoring[: max(MOST_SCORED, options.rows)]
        self.store = ScoreStore(model.fingerprint, options.cache)
        self.seconds = 0.0
        self.tokens = self.tokens_plain = 0

    @property
    def classes(self) -> int:
        return len(self.task.classes)

    @cached_property
    def y_choosing(self) -> NDArray[np.int32]:
        return self.task.labels[self.choosing]

    @cached_property
    def y_scoring(self) -> NDArray[np.int32]:
        return self.task.labels[self.scoring]

    def ask(self, stage: str, asks: Sequence[Ask], texts: Sequence[str]) -> tuple[NDArray[np.float64], ...]:
        """Scores of shape (texts, choices of words, classes) for every ask; what it took is added up."""
        progress = self.options.progress
        told = None if progress is None else (lambda done, total: progress(stage, done, total))
        before = tokens_so_far(self.model)
        answers = score_grid(self.model, asks, texts, store=self.store, progress=told)
        after = tokens_so_far(self.model)
        self.seconds += answers.seconds
        self.tokens += after[0] - before[0]
        self.tokens_plain += after[1] - before[1]
        return answers.scores

    def candidates(
        self, stage: str, asks: Sequence[Ask], origins: Sequence[Origin], choosing: NDArray[np.int64] | None = None
    ) -> list[Candidate]:
        """Every template with every choice of words, judged on the choosing rows (or on those given)."""
        choosing = self.choosing if choosing is None else choosing
        labels = self.task.labels[choosing]
        fold = folds(self.halves.groups[choosing], labels, FOLDS, self.options.seed)
        rows = [self.texts[i] for i in (*choosing, *self.scoring)]
        a, b = len(choosing), len(rows)
        theirs = set(user_words(self.task.classes, self.options.user))
        out: list[Candidate] = []
        for ask, origin, scores in zip(asks, origins, self.ask(stage, asks, [*rows, *CONTENT_FREE]), strict=True):
            for j, words in enumerate(ask.word_sets):
                on_choosing, on_scoring, free = scores[:a, j], scores[a:b, j], scores[b:, j]
                judged = judge(on_choosing, labels, free, fold)
                own: Origin = "user" if words in theirs else origin
                out.append(Candidate(ask.template, words, ask.examples, own, on_choosing, free, on_scoring, judged))
        return out

    def score(self, hits: NDArray[np.bool_]) -> Score:
        """Accuracy on the scoring rows that prompts are tried on."""
        interval = accuracy_interval(hits, self.halves.groups[self.scoring])
        return Score(interval.value, interval.low, interval.high)

    def hits(self, candidate: Candidate, which: int | None = None) -> NDArray[np.bool_]:
        """Which of the scoring rows a prompt gets right, under its preferred calibration or the given one."""
        return np.asarray(candidate.judged.predict(candidate.on_scoring, which) == self.y_scoring)

    def permuted(self, candidates: Sequence[Candidate], choosing: NDArray[np.int64] | None = None) -> float:
        """Mean accuracy of the same choice, prompt and calibration, when all labels are permuted: what choosing gets.

        Cost: 20 draws x prompts x 4 calibrations.
        """
        choosing = self.choosing if choosing is None else choosing
        rng = np.random.default_rng([self.options.seed, 43])
        hits = []
        for _ in range(NULL_DRAWS):
            labels = rng.permutation(self.task.labels[choosing])
            fold = folds(self.halves.groups[choosing], labels, FOLDS, self.options.seed)
            judged = [judge(c.on_choosing, labels, c.free, fold) for c in candidates]
            best = best_prompt(judged)
            predicted = judged[best].predict(candidates[best].on_scoring)
            hits.append(float((predicted == rng.permutation(self.y_scoring)).mean()))
        return float(np.mean(hits))

    def climb(self, stage: str, name: str, candidate: Candidate, rung: Rung) -> Climb:
        """The chosen prompt on the whole scoring half (its first 1,000 rows where it is larger).

        ``rung`` gives cost, detail, nulls and evidence; the numbers are put in here.
        """
        rest = self.whole[len(self.scoring) :]
        more = self.ask(stage, [candidate.ask], [self.texts[i] for i in rest])[0][:, 0]
        scores = np.concatenate([candidate.on_scoring, more])
        labels = self.task.labels[self.whole]
        predicted = candidate.judged.predict(scores)
        correct = np.asarray(predicted == labels)
        interval = accuracy_interval(correct, self.halves.groups[self.whole])
        facts = {
            "interval": interval.method,
            "effective_rows": round(interval.effective, 1),
            "balanced_accuracy": balanced_accuracy(labels, predicted),
            **rung.evidence,
        }
        measured = replace(
            rung,
            name=name,
            accuracy=interval.value,
            low=interval.low,
            high=interval.high,
            rows=interval.rows,
            evidence=facts,
        )
        part = None if len(self.whole) == len(self.halves.scoring) else np.arange(len(self.whole))
        shifted = (floored(scores) + candidate.judged.shifts[candidate.judged.best]).astype(np.float32)
        return Climb(measured, predicted, correct, shifted, positions=part)

    def cut(self, ask: Ask, positions: NDArray[np.int64]) -> int:
        """How many of the rows make a prompt longer than the window, so that its beginning is lost."""
        return sum(self.model.lost(ask.question(self.texts[i])) > 0 for i in positions)


def tokens_so_far(model: LanguageModel) -> tuple[int, int]:
    """Tokens that went through the network, and that the plain loop would have run; zeros where nobody counts them."""
    work = getattr(model, "work", None)
    return (0, 0) if work is None else (int(work.tokens), int(work.tokens_plain))
