"""What a model makes of a task's rows: the inputs that reach its weights, and their features, as far as they were read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.context import Halves
from presheaf.audits.preview import Preview, preview
from presheaf.audits.prompts import UserPrompts, templates_for
from presheaf.models.base import Model
from presheaf.models.cache import FeatureCache
from presheaf.models.features import encode_all, encode_chunks, unit
from presheaf.models.lm.base import LocalLanguageModel
from presheaf.tables.task import Task

Encoder = Callable[[Sequence[str]], NDArray[np.float32]]
Watch = Callable[[NDArray[np.float32], NDArray[np.int64]], None]
"""Given all features and the positions that have them."""

LEAST = 40
"""Rows that must have been encoded before an interrupted run still gives an audit."""
_LONG_KEY = 1 << 14  # bytes
MOST_CLASSES = 60
"""Classes up to which templates are tried while rows come in."""


def inputs(model: Model, task: Task) -> list[bytes] | None:
    """What reaches the weights, for every row; None when it can't be seen.

    A language model reads a row in prompts besides, which keep the end of a text where features keep its beginning: rows
    are one input to it only where both agree.
    """
    keys = _encoded(model, task)
    if keys is None or task.texts is None or not isinstance(model, LocalLanguageModel):
        return keys
    ends = {text: _end(model, text) for text in dict.fromkeys(task.texts)}
    return [key + ends[text] for key, text in zip(keys, task.texts, strict=True)]


def _encoded(model: Model, task: Task) -> list[bytes] | None:
    """What features are made of, for every row; None when it can't be seen. Equal objects are asked once.

    A model that learns its vocabulary is fitted on all rows for this: what is proved then does not hang on the words that
    one half happens to hold.
    """
    contents, objects = task.contents, task.objects
    if model.takes == "row" or contents is None or objects is None:
        return None
    if model.needs_fit:
        model.fit(objects)
    unique = dict(zip(contents, objects, strict=True))
    names = list(unique)
    found: dict[str, bytes] = {}
    for start in range(0, len(names), 4096):
        part = names[start : start + 4096]
        keys = model.inputs([unique[name] for name in part])
        if keys is None:
            return None
        # The pixels of many images would fill the memory.
        found.update(zip(part, map(_short, keys), strict=True))
    return [found[content] for content in contents]


def _short(key: bytes) -> bytes:
    """A long key by its digest; keys of texts are as short as their texts."""
    return key if len(key) <= _LONG_KEY else b"digest:" + blake2b(key, digest_size=32).digest()


def _end(model: LocalLanguageModel, text: str) -> bytes:
    """The last tokens of a text that may pass the window; nothing of one that surely doesn't."""
    if model.window is None:
        return b""
    tokens = model.tokens(text)
    return np.array(tokens[-model.window :], dtype="<i8").tobytes() if len(tokens) >= model.window else b""


def same_input(model: Model, task: Task) -> list[bytes] | None:
    """A key a row that is equal where the model can't tell rows apart: its input, or for vectors the vector itself."""
    if model.takes != "row":
        return _encoded(model, task)
    keys: list[bytes] = []
    for start in range(0, len(task), 65536):
        block = np.ascontiguousarray(model.encode([int(row) for row in task.rows[start : start + 65536]]))
        keys += [blake2b(vector, digest_size=16).digest() for vector in block]
    return keys


def objects_of(model: Model, task: Task) -> Sequence[Any]:
    """What `encode` takes for every row of the task."""
    if model.takes == "row":
        return [int(row) for row in task.rows]
    assert task.objects is not None
    return task.objects


def restrict(task: Task, halves: Halves, seen: NDArray[np.int64]) -> tuple[Task, Halves]:
    """The task and its halves on the positions that were read."""
    place = np.full(len(task), -1)
    place[seen] = np.arange(len(seen))
    choosing, scoring = place[halves.choosing], place[halves.scoring]
    return task.take(seen), Halves(choosing[choosing >= 0], scoring[scoring >= 0], halves.groups[seen])


def prompt_encoder(model: Model, cache: FeatureCache | None) -> Encoder | None:
    """Turns prompts into unit features; None for a model that reads no text or shows no features of it."""
    if model.takes != "text" or getattr(model, "answers_only", False):
        return None
    return lambda texts: unit(encode_all(model, list(texts), role="prompt", cache=cache))


def read_features(
    model: Model,
    task: Task,
    *,
    cache: FeatureCache | None,
    progress: Callable[[int, int], object] | None,
    watch: Watch | None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit features and the positions that have them: all, unless the run was stopped with at least 40 of them.

    ``watch`` is shown what there is after each part that leaves rows to be read.
    """
    n = len(task)
    features: NDArray[np.float32] | None = None
    done = np.zeros(n, dtype=bool)
    try:
        for positions, part in encode_chunks(model, objects_of(model, task), cache=cache, progress=progress):
            if features is None:
                features = np.zeros((n, part.shape[1]), dtype=np.float32)
            features[positions] = unit(part)
            done[positions] = True
            if watch is not None and not done.all():
                watch(features, np.flatnonzero(done))
    except KeyboardInterrupt:
        if features is None or done.sum() < LEAST:
            raise
    assert features is not None
    return features, np.flatnonzero(done)


def previews(
    task: Task, halves: Halves, user: UserPrompts, encode_prompts: Encoder | None, told: Callable[[Preview], object]
) -> Watch:
    """Tells rough numbers of the rows read so far; templates are encoded when they are first needed."""
    side = np.zeros(len(task), dtype=bool)
    side[halves.choosing] = True
    classes = len(task.classes)

    @lru_cache(maxsize=1)
    def templates() -> NDArray[np.float32] | None:
        if encode_prompts is None or classes > MOST_CLASSES:
            return None
        sets = [texts for _, texts in templates_for(task.classes, user)]
        return encode_prompts([text for texts in sets for text in texts]).reshape(len(sets), classes, -1)

    def watch(features: NDArray[np.float32], seen: NDArray[np.int64]) -> None:
        found = preview(features[seen], task.labels[seen], side[seen], classes, len(task), templates())
        if found is not None:
            told(found)

    return watch
