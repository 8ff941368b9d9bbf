"""Worlds whose answer is known: a model with planted features, and tasks made from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.models.base import ModelInfo, Role, Trace
from presheaf.models.vectors import VectorModel
from presheaf.statistics.splits import digest
from presheaf.tables.task import Task

DIM = 32


class Planted:
    """Texts it was given have the planted features; every other text a random direction of its own.

    ``sees`` is what reaches the weights of a text: texts that agree in it get the features of the first of them.
    """

    takes: Literal["text", "row"] = "text"
    needs_fit = False
    batch_size = 64

    def __init__(
        self, features: dict[str, NDArray[Any]], dim: int = DIM, sees: Callable[[str], str] = str, name: str = "planted"
    ) -> None:
        self.sees = sees
        self.features: dict[str, NDArray[Any]] = {}
        for text, vector in features.items():
            self.features.setdefault(sees(text), np.asarray(vector, dtype=np.float64))
        self.info = ModelInfo(name, "planted", dim)
        mark = blake2b(repr((name, dim)).encode())
        for text in sorted(self.features):
            mark.update(text.encode() + self.features[text].tobytes())
        self.fingerprint = mark.hexdigest()

    def fit(self, objects: Sequence[Any]) -> None:
        pass

    def _one(self, text: str) -> NDArray[np.float64]:
        seen = self.sees(text)
        if seen in self.features:
            return self.features[seen]
        assert self.info.dim is not None
        return np.random.default_rng(digest(seen)).standard_normal(self.info.dim)

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        assert self.info.dim is not None
        rows = [self._one(text) for text in objects]
        return np.array(rows, dtype=np.float32).reshape(len(rows), self.info.dim)

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[Any], str]:
        assert self.info.dim is not None
        return np.array([self._one(text) for text in objects]).reshape(len(objects), self.info.dim), "float64"

    def inputs(self, objects: Sequence[Any]) -> list[bytes]:
        return [self.sees(text).encode("utf-8", "surrogatepass") for text in objects]

    def trace(self, text: str) -> Trace:
        return Trace(tuple(self.sees(text).split()))


def task_of(texts: Sequence[str] | None, labels: Sequence[Any] | NDArray[Any], **more: Any) -> Task:
    """A task with classes in sorted order and rows numbered from 1."""
    classes = tuple(sorted({str(label) for label in labels}))
    index = np.array([classes.index(str(label)) for label in labels], dtype=np.int32)
    return Task(None if texts is None else tuple(texts), index, classes, np.arange(1, len(index) + 1), **more)


def names(n: int) -> list[str]:
    return [f"point {i}" for i in range(n)]


def of_vectors(x: NDArray[Any], y: Sequence[Any] | NDArray[Any], name: str = "vectors") -> tuple[VectorModel, Task]:
    """A task without texts and its precomputed vectors."""
    return VectorModel(np.asarray(x, dtype=np.float32), name=name), task_of(None, y)


def of_texts(x: NDArray[Any], y: Sequence[Any] | NDArray[Any], prompts: dict[str, NDArray[Any]] | None = None,
             ) -> tuple[Planted, Task]:  # fmt: skip
    """A task with texts that say nothing, and a model that has their features."""
    texts = names(len(x))
    return Planted({**dict(zip(texts, x, strict=True)), **(prompts or {})}, x.shape[1]), task_of(texts, y)


def two_prompts(n: int = 400, noise: float = 0.0, seed: int = 0) -> tuple[Planted, Task]:
    """The class of a point is the nearer of two planted prompts, "north" and "south"; labels wrong with ``noise``."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, DIM))
    prompt = rng.standard_normal((2, DIM))
    prompt /= np.linalg.norm(prompt, axis=1, keepdims=True)
    nearest = (x @ prompt.T).argmax(axis=1) ^ (rng.random(n) < noise)
    return of_texts(x, np.array(["north", "south"])[nearest], {"north": prompt[0], "south": prompt[1]})


def ring(n: int = 600, seed: int = 0) -> tuple[VectorModel, Task]:
    """Six clusters around a circle, of two classes in turn: each class is a union of three far clusters.

    A prompt a label, or any linear rule, cuts the circle by a line and gets 4 of 6 clusters right at best.
    """
    rng = np.random.default_rng(seed)
    cluster = np.arange(n) % 6
    angle = cluster * np.pi / 3 + 0.1 * rng.standard_normal(n)
    return of_vectors(np.stack([np.cos(angle), np.sin(angle)], axis=1), cluster % 2)


def exclusive_or(n: int = 500, seed: int = 0) -> tuple[VectorModel, Task]:
    """Two coordinates near +-1; the class says whether their signs agree."""
    rng = np.random.default_rng(seed)
    sign = rng.choice([-1, 1], (n, 2))
    return of_vectors(sign + 0.2 * rng.standard_normal((n, 2)), sign.prod(axis=1))


def random_labels(n: int = 500, seed: int = 0) -> tuple[Planted, Task]:
    """Features that know nothing of the labels."""
    rng = np.random.default_rng(seed)
    return of_texts(rng.standard_normal((n, DIM)), rng.integers(0, 2, n))


def case_decides(n: int = 400, seed: int = 0) -> tuple[Planted, Task]:
    """Pairs of texts that differ in case only and are labelled apart; the model lower-cases."""
    rng = np.random.default_rng(seed)
    lower = names(n // 2)
    texts = [*lower, *(t.capitalize() for t in lower)]
    x = rng.standard_normal((n, DIM))
    model = Planted(dict(zip(texts, x, strict=True)), DIM, str.lower)
    return model, task_of(texts, ["common"] * (n // 2) + ["name"] * (n // 2))


def contradictions(n: int = 400, share: float = 0.5, seed: int = 0) -> tuple[Planted, Task]:
    """A perfect prompt, but this share of the rows is there again with the other label."""
    model, task = two_prompts(n, seed=seed)
    assert task.texts is not None
    again = int(share * n)
    other = [task.classes[1 - i] for i in task.labels[:again]]
    return model, task_of([*task.texts, *task.texts[:again]], [*task.label_names, *other])
