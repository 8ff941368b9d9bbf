"""A linear probe on every layer of a network: what its features hold, layer by layer, beside what prompting gets out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval, accuracy_interval
from presheaf.statistics.splits import folds

PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
"""Ridge penalties per row on standardised features, tried on every layer."""
FOLDS = 3
NULLS = 10
"""Permutations of the labels, each taken through the whole choice of layer and penalty."""
BLOCK = 256
"""Texts whose hidden states are asked for at once."""


class LayeredModel(Protocol):
    """A model that shows the hidden states of all its layers."""

    def hidden_layers(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (layers + 1, n, d); 0 is the embedding layer."""
        ...


@dataclass(frozen=True, eq=False)
class LayerScore:
    """A layer's probe: accuracy inside the choosing half, and on the held-out rows."""

    layer: int
    penalty: float
    choosing: float
    held_out: Interval


@dataclass(frozen=True, eq=False)
class LayerProbe:
    """Probes on all layers, and the one that was chosen.

    Attributes
    ----------
    layers : tuple of LayerScore
        The curve. Only the chosen layer's held-out accuracy is a fair number; the best of the others is chosen by hindsight.
    chosen : int
        Layer with the best cross-validated accuracy inside the choosing half (the first one on ties).
    scores : float32 array of shape (held-out rows, classes)
        What the chosen probe says of the held-out rows.
    null : float
        Mean held-out accuracy after the same choice on permuted labels.
    tried : int
        Layers times penalties.
    """

    layers: tuple[LayerScore, ...]
    chosen: int
    scores: NDArray[np.float32]
    null: float
    tried: int

    @property
    def best(self) -> LayerScore:
        """The chosen layer's."""
        return self.layers[self.chosen]


def probe_layers(
    model: LayeredModel,
    texts: Sequence[str],
    labels: NDArray[np.integer[Any]],
    held_out: Sequence[str],
    truth: NDArray[np.integer[Any]],
    classes: int,
    *,
    groups: NDArray[np.integer[Any]] | None = None,
    groups_held_out: NDArray[np.integer[Any]] | None = None,
    seed: int = 0,
    progress: Callable[[int, int], object] | None = None,
) -> LayerProbe:
    """Choose layer and penalty by cross-validation on some rows, score on others.

    Parameters
    ----------
    model : LayeredModel
    texts, labels : the choosing half, n strings and an int array of shape (n,)
    held_out, truth : the scoring half, m strings and an int array of shape (m,)
    groups, groups_held_out : int arrays, optional
        Rows of one group stay in one fold, and count together in the interval.

    Raises
    ------
    InputError
        If a half is empty or the choosing half has one class only.

    Notes
    -----
    Cost: one forward pass a text; for each layer four eigendecompositions of a d x d matrix. Memory (layers + 1) x
    (n + m) x d numbers in float32.
    """
    y, target = np.asarray(labels, dtype=np.int64), np.asarray(truth, dtype=np.int64)
    if not len(held_out) or len(np.unique(y)) < 2:
        raise InputError("A probe needs rows of two classes to choose by and rows to score on.")
    hidden = read_layers(model, [*texts, *held_out], progress)
    together = np.arange(len(y)) if groups is None else np.asarray(groups, dtype=np.int64)
    fold = folds(together, y, FOLDS, seed)
    rng = np.random.default_rng([seed, 4])
    labelings = np.stack([y, *(rng.permutation(y) for _ in range(NULLS))])
    inside = np.empty((len(hidden), NULLS + 1))
    outside = np.empty_like(inside)
    curve, kept = [], []
    for layer, states in enumerate(hidden):
        x, test = states[: len(y)], states[len(y) :]
        picked, inside[layer] = _penalties(x, labelings, fold, classes)
        said = _fit(x, labelings, classes, [PENALTIES[p] for p in picked], test)
        outside[layer] = (said.argmax(axis=-1) == target).mean(axis=1)
        interval = accuracy_interval(said[0].argmax(axis=-1) == target, groups_held_out)
        curve.append(LayerScore(layer, PENALTIES[picked[0]], float(inside[layer, 0]), interval))
        kept.append(said[0].astype(np.float32))
    best = inside.argmax(axis=0)
    null = float(outside[best[1:], np.arange(1, NULLS + 1)].mean())
    return LayerProbe(tuple(curve), int(best[0]), kept[best[0]], null, len(hidden) * len(PENALTIES))


def read_layers(
    model: LayeredModel, texts: Sequence[str], progress: Callable[[int, int], object] | None = None
) -> NDArray[np.float32]:
    """Hidden states of all layers, asked for in blocks. Shape (layers + 1, n, d)."""
    out: NDArray[np.float32] | None = None
    for start in range(0, len(texts), BLOCK):
        block = model.hidden_layers(texts[start : start + BLOCK])
        if out is None:
            out = np.empty((block.shape[0], len(texts), block.shape[2]), dtype=np.float32)
        out[:, start : start + BLOCK] = block
        if progress is not None:
            progress(min(start + BLOCK, len(texts)), len(texts))
    assert out is not None
    return out


def _penalties(
    x: NDArray[np.float32], labelings: NDArray[np.int64], fold: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each labelling the penalty with the best cross-validated accuracy, and that accuracy."""
    hits = np.zeros((len(PENALTIES), len(labelings)))
    for part in range(FOLDS):
        learn, test = fold != part, fold == part
        ridge = _Ridge(x[learn], labelings[:, learn], classes)
        for p, penalty in enumerate(PENALTIES):
            hits[p] += (ridge.decide(x[test], penalty).argmax(axis=-1) == labelings[:, test]).sum(axis=1)
    return hits.argmax(axis=0), hits.max(axis=0) / x.shape[0]


def _fit(
    x: NDArray[np.float32],
    labelings: NDArray[np.int64],
    classes: int,
    penalties: Sequence[float],
    test: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Scores of the test rows, each labelling with its own penalty. Shape (labelings, rows, classes)."""
    ridge = _Ridge(x, labelings, classes)
    return np.stack([ridge.decide(test, penalty, [i])[0] for i, penalty in enumerate(penalties)])


class _Ridge:
    """Ridge regression onto class indicators for several labellings and all penalties from one eigendecomposition."""

    def __init__(self, x: NDArray[np.float32], labelings: NDArray[np.int64], classes: int) -> None:
        self.mean = x.mean(axis=0, dtype=np.float64)
        spread = x.std(axis=0, dtype=np.float64)
        self.scale = np.where(spread > 1e-9, 1 / np.maximum(spread, 1e-9), 0.0)
        z = (x - self.mean) * self.scale
        self.rows, self.classes = len(x), classes
        targets = np.eye(classes)[labelings]
        self.centre = targets.mean(axis=1)
        self.values, self.vectors = np.linalg.eigh(z.T @ z)
        sides = np.einsum("nd,lnc->ldc", z, targets - self.centre[:, None], optimize=True)
        self.sides = self.vectors.T @ sides

    def decide(self, x: NDArray[np.float32], penalty: float, which: Sequence[int] | None = None) -> NDArray[np.float64]:
        """Scores of shape (labelings, rows, classes)."""
        chosen = slice(None) if which is None else list(which)
        shrink = 1 / (np.maximum(self.values, 0) + penalty * self.rows)
        weight = self.vectors @ (shrink[:, None] * self.sides[chosen])
        z = (x - self.mean) * self.scale
        return np.asarray(z @ weight + self.centre[chosen][:, None])
