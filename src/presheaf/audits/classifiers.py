"""Functions of frozen features: the few classifiers that soft prompts and heads are chosen from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

LANDMARKS = 500
REFERENCES = 6_000
"""Most rows that neighbours are looked for among."""
MANY = 120
"""From this many classes on, the logistic regression gives way to ridge regression, whose cost does not grow so."""


class Classifier(Protocol):
    """Fitted function of features; ``decide`` gives one score a class, largest wins."""

    def decide(self, x: NDArray[np.float32]) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class Linear:
    """Scores x W + b after centring and scaling, folded into one matrix. Shapes (d, classes), (classes,)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def decide(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(x @ self.weight + self.bias, dtype=np.float32)


def _scale(x: NDArray[np.float32]) -> tuple[NDArray[np.float32], np.float32]:
    """Mean row, and one factor that makes the mean variance 1: a rotation of the features changes no answer."""
    mean = x.mean(axis=0, dtype=np.float64)
    variance = float(x.var(axis=0, dtype=np.float64).mean())
    return mean.astype(np.float32), np.float32(1 / np.sqrt(variance) if variance > 1e-18 else 0)


def _expand(weight: NDArray[Any], bias: NDArray[Any], present: NDArray[Any], classes: int) -> tuple[Any, Any]:
    """Put the columns of the classes that were seen where they belong; the others never win."""
    full = np.zeros((weight.shape[0], classes))
    full_bias = np.full(classes, -1e9)
    full[:, present], full_bias[present] = weight, bias
    return full, full_bias


def logistic(x: NDArray[np.float32], y: NDArray[Any], classes: int, strength: float) -> Linear:
    """Multinomial logistic regression on centred features of mean variance 1, C = ``strength`` (L-BFGS, at most 200 steps).

    Cost: some dozens of passes over n x d x classes.
    """
    from sklearn.linear_model import LogisticRegression

    mean, scale = _scale(x)
    present = np.unique(y)
    if len(present) == 1:
        return Linear(
            *(a.astype(np.float32) for a in _expand(np.zeros((x.shape[1], 1)), np.zeros(1), present, classes))
        )
    model = LogisticRegression(C=strength, max_iter=200, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # stopping early is a choice here, not a problem to report
        model.fit((x - mean) * scale, y)
    weight, bias = model.coef_.T, model.intercept_
    if len(present) == 2:
        weight, bias = np.hstack([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    weight, bias = _expand(weight * scale, bias - (mean * scale) @ weight, present, classes)
    return Linear(weight.astype(np.float32), bias.astype(np.float32))


def ridge(x: NDArray[np.float32], y: NDArray[Any], classes: int, strength: float) -> Linear:
    """Ridge regression onto centred class indicators, penalty ``strength`` times n on centred features of mean variance 1.

    Cost: n d^2 + d^3, whatever the number of classes.
    """
    return ridges(x, [y], classes, strength)[0]


def ridges(x: NDArray[np.float32], ys: Sequence[NDArray[Any]], classes: int, strength: float) -> list[Linear]:
    """Several ridge regressions on the same features, one for each labelling, for the cost of one."""
    from scipy.linalg import cho_factor, cho_solve

    mean, scale = _scale(x)
    z = (x - mean) * scale
    target = np.zeros((len(x), len(ys), classes), dtype=np.float32)
    for i, y in enumerate(ys):
        target[np.arange(len(x)), i, y] = 1
    centre = target.mean(axis=0)
    gram = (z.T @ z).astype(np.float64)
    gram[np.diag_indices_from(gram)] += strength * len(x)
    sides = z.T @ (target - centre).reshape(len(x), -1)
    weight = cho_solve(cho_factor(gram), sides.astype(np.float64)).reshape(x.shape[1], len(ys), classes)
    return [
        Linear((w * scale).astype(np.float32), (c - (mean * scale) @ w).astype(np.float32))
        for w, c in zip(np.moveaxis(weight, 1, 0), centre, strict=True)
    ]


@dataclass(frozen=True)
class Neighbours:
    """Share of each class among the k nearest by cosine. Memory: blocks of rows x references."""

    reference: NDArray[np.float32]
    labels: NDArray[Any]
    classes: int
    k: int

    def decide(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        k = min(self.k, len(self.labels))
        out = np.empty((len(x), self.classes), dtype=np.float32)
        block = max(1, 4_000_000 // max(len(self.labels), 1))
        for start in range(0, len(x), block):
            near = x[start : start + block] @ self.reference.T
            top = np.argpartition(-near, k - 1, axis=1)[:, :k]
            closeness = np.take_along_axis(near, top, axis=1) + 1e-3
            votes = np.zeros((len(near), self.classes), dtype=np.float32)
            np.add.at(votes, (np.arange(len(near))[:, None], self.labels[top]), np.maximum(closeness, 1e-6))
            out[start : start + block] = votes / votes.sum(axis=1, keepdims=True)
        return out


@dataclass(frozen=True)
class Smooth:
    """Ridge regression on Gaussian bumps at landmarks (Nystroem): a smooth function that need not be linear.

    Landmarks are kept relative to ``centre``, their mean: where all rows are nearly one, the difference of their squares would
    be rounding.
    """

    centre: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    mix: NDArray[np.float32]
    gamma: float
    head: Linear

    def features(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        x = x - self.centre
        distance = (
            (x * x).sum(axis=1)[:, None] + (self.landmarks * self.landmarks).sum(axis=1) - 2 * (x @ self.landmarks.T)
        )
        return np.asarray(np.exp(-self.gamma * np.maximum(distance, 0)) @ self.mix, dtype=np.float32)

    def decide(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        block = 16384
        parts = [self.head.decide(self.features(x[i : i + block])) for i in range(0, len(x), block)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.head.bias)), dtype=np.float32)


def smooth(x: NDArray[np.float32], y: NDArray[Any], classes: int, strength: float) -> Smooth:
    """Fit `Smooth` with up to 500 landmarks (evenly spaced rows) and the median distance as width.

    Cost: n x 500 x (d + 500).
    """
    from scipy.linalg import cholesky, solve_triangular

    chosen = x[np.linspace(0, len(x) - 1, min(len(x), LANDMARKS)).astype(int)]
    centre = chosen.mean(axis=0)
    landmarks = chosen - centre
    exact = landmarks.astype(np.float64)
    squared = (exact * exact).sum(axis=1)
    distance = np.maximum(squared[:, None] + squared - 2 * exact @ exact.T, 0)
    positive = distance[distance > 1e-9 * distance.max(initial=0)]
    gamma = 1.0 / float(np.median(positive)) if len(positive) else 1.0
    kernel = np.exp(-gamma * distance)
    # Equal landmarks make the kernel singular; the jitter is far below what float32 features resolve.
    kernel[np.diag_indices_from(kernel)] += 1e-4
    mix = solve_triangular(cholesky(kernel, lower=True), np.eye(len(kernel)), lower=True).T.astype(np.float32)
    fitted = Smooth(centre, landmarks, mix, gamma, Linear(np.zeros((0, 0), np.float32), np.zeros(0, np.float32)))
    block = 16384
    features = np.concatenate([fitted.features(x[i : i + block]) for i in range(0, len(x), block)])
    return Smooth(centre, landmarks, mix, gamma, ridge(features, y, classes, strength))


@dataclass(frozen=True)
class Recipe:
    """A way to fit a classifier, with its name as printed."""

    name: str
    family: str
    value: float

    def fit(self, x: NDArray[np.float32], y: NDArray[Any], classes: int) -> Classifier:
        if self.family == "logistic":
            return logistic(x, y, classes, self.value)
        if self.family == "ridge":
            return ridge(x, y, classes, self.value)
        if self.family == "smooth":
            return smooth(x, y, classes, self.value)
        return Neighbours(x[:REFERENCES], y[:REFERENCES], classes, int(self.value))


def linear_recipes(classes: int) -> list[Recipe]:
    """Candidates for a free vector a label (a soft prompt under a bilinear k_f)."""
    if classes > MANY:
        return [Recipe(f"ridge, penalty {v:g}", "ridge", v) for v in (0.03, 0.1, 0.3, 1.0)]
    recipes = [Recipe(f"logistic regression, C = {v:g}", "logistic", v) for v in (0.001, 0.01, 0.1)]
    return [*recipes, *(Recipe(f"ridge, penalty {v:g}", "ridge", v) for v in (0.1, 0.3, 1.0))]


def head_recipes() -> list[Recipe]:
    """Candidates that a head may be besides the linear ones."""
    return [
        Recipe("5 nearest neighbours", "neighbours", 5),
        Recipe("20 nearest neighbours", "neighbours", 20),
        Recipe("smooth (Gaussian kernel), penalty 0.003", "smooth", 0.003),
        Recipe("smooth (Gaussian kernel), penalty 0.03", "smooth", 0.03),
    ]


def select(
    recipes: Sequence[Recipe], x: NDArray[np.float32], y: NDArray[Any], fold: NDArray[Any], classes: int
) -> tuple[Recipe, dict[str, float]]:
    """The recipe with the best cross-validated accuracy (the first one on ties), and every recipe's accuracy.

    Cost: len(recipes) x folds fits.
    """
    accuracy: dict[str, float] = {}
    for recipe in recipes:
        hits = np.zeros(len(y), dtype=bool)
        for f in np.unique(fold):
            test = fold == f
            fitted = recipe.fit(x[~test], y[~test], classes)
            hits[test] = fitted.decide(x[test]).argmax(axis=1) == y[test]
        accuracy[recipe.name] = float(hits.mean())
    best = max(recipes, key=lambda r: accuracy[r.name])
    return best, accuracy
