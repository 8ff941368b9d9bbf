"""Everything the rungs, bounds and findings look at: features, labels, halves, and what the model's input was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from presheaf.models.base import Model
from presheaf.statistics.splits import connected_groups, digest, folds, halves
from presheaf.tables.task import Task

LEVEL = 0.95
SELECTION_ROWS = 6000
"""Rows of the choosing half that selection by cross-validation looks at; the chosen recipe is fitted on all of it."""
CURVE_ROWS = 4000
"""Held-out rows on which curves and nulls are scored."""


def normal_form(text: str) -> str:
    """Text up to case, compatibility forms and white space: rows that agree in it never sit on both sides."""
    return " ".join(normalize("NFKC", text).casefold().split())


def canonical_order(task: Task, seed: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Positions sorted by a hash of the content, and the hashes: an audit does not depend on the order of rows."""
    contents = task.contents
    if contents is not None:
        marks = [digest(content, seed) for content in contents]
    else:
        marks = [digest(str(row), seed) for row in task.rows]
        contents = ("",) * len(task)
    hashes = np.array(marks, dtype=np.uint64)
    order = sorted(range(len(task)), key=lambda i: (hashes[i], contents[i], task.labels[i], task.rows[i]))
    return np.array(order, dtype=np.int64), hashes[order]


@dataclass(frozen=True)
class Halves:
    """The choosing and the scoring half (positions) and the groups (shape (n,)) that no split cuts."""

    choosing: NDArray[np.int64]
    scoring: NDArray[np.int64]
    groups: NDArray[np.int64]


def split(task: Task, hashes: NDArray[np.uint64], keys: Sequence[Sequence[bytes]]) -> Halves:
    """Halves of a task in canonical order; rows that agree in normal form or in one of the ``keys`` stay together."""
    forms: Sequence[Any] = range(len(task)) if task.contents is None else task.contents
    if task.texts is not None:
        forms = list(map(normal_form, task.texts))
    groups = connected_groups(forms, *keys)
    choosing, scoring = halves(groups, task.labels, hashes)
    return Halves(choosing, scoring, groups)


@dataclass(frozen=True, eq=False)
class Context:
    """One model on one task, rows in canonical order.

    Attributes
    ----------
    features : float32 array of shape (n, d), unit rows
    encode_prompts : callable from texts to unit rows of shape (m, d), or None when the model takes no text
    keys : one bytes a row, or None
        What reaches the weights (`Model.inputs`).
    """

    model: Model
    task: Task
    features: NDArray[np.float32]
    halves: Halves
    keys: Sequence[bytes] | None
    encode_prompts: Callable[[Sequence[str]], NDArray[np.float32]] | None
    seed: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        return len(self.task.classes)

    @cached_property
    def x_choosing(self) -> NDArray[np.float32]:
        return self.features[self.halves.choosing]

    @cached_property
    def y_choosing(self) -> NDArray[np.int32]:
        return self.task.labels[self.halves.choosing]

    @cached_property
    def x_scoring(self) -> NDArray[np.float32]:
        return self.features[self.halves.scoring]

    @cached_property
    def y_scoring(self) -> NDArray[np.int32]:
        return self.task.labels[self.halves.scoring]

    @cached_property
    def groups_scoring(self) -> NDArray[np.int64]:
        return self.halves.groups[self.halves.scoring]

    @cached_property
    def held_out(self) -> int:
        """Groups on the scoring half: rows that are copies of each other count once."""
        return len(np.unique(self.groups_scoring))

    @cached_property
    def pick(self) -> NDArray[np.int64]:
        """Positions within the choosing half that selection looks at: the first ones by hash."""
        return np.arange(min(len(self.halves.choosing), SELECTION_ROWS))

    @cached_property
    def fold(self) -> NDArray[np.int64]:
        """Fold of each picked row, three in all, groups whole."""
        return folds(self.halves.groups[self.halves.choosing][self.pick], self.y_choosing[self.pick], 3, self.seed)

    @cached_property
    def inner(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Two parts of the choosing half: prompts are searched on the first and compared on the second."""
        part = folds(self.halves.groups[self.halves.choosing], self.y_choosing, 2, self.seed + 1)
        return np.flatnonzero(part == 0), np.flatnonzero(part == 1)
