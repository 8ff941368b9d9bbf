"""From label words' log-probabilities to labels: as the model says, or after the model's own leaning is taken off.

A language model prefers some words whatever the row says. Three rules, each "largest score + shift wins":

- none: no shift. Scores are ln p(words | prompt), the sum over the words' tokens. That sum is the probability; dividing
  it by the number of tokens would be no probability of anything, and what it is meant to mend (long words lose
  against short ones) is a constant for each label, which calibration takes off.
- contextual: minus the log of the mean normalised probability on content-free texts (Zhao et al. 2021).
- choosing half: a constant for each label fitted on labelled rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Calibration = Literal["none", "contextual", "choosing half"]
CALIBRATIONS: tuple[Calibration, ...] = ("none", "contextual", "choosing half")
CONTENT_FREE = ("N/A", "", "[MASK]")
"""Texts without content (Zhao et al. 2021)."""
FLOOR = -700.0
"""Stands for ln 0, in nats, near the smallest number whose exponential is not 0."""
_NEWTON = 50

Scores = NDArray[np.float64]


def floored(scores: Scores) -> Scores:
    """Scores with `FLOOR` where the model says that an answer is impossible or less likely than that."""
    return np.maximum(scores, FLOOR)


def contextual_shift(free: Scores) -> Scores:
    """Zhao et al. 2021: minus ln of the mean over content-free texts of the normalised label probabilities.

    Parameters
    ----------
    free : array of shape (content-free texts, classes)

    Returns
    -------
    array of shape (classes,)
    """
    return np.asarray(-np.log(np.maximum(_softmax(floored(free))[0].mean(axis=0), np.exp(FLOOR))))


def fitted_shift(scores: Scores, labels: NDArray[np.integer], classes: int) -> Scores:
    """A constant for each label, fitted on labelled rows.

    Two classes: the threshold on the difference of their scores that calls as large a share of rows by each name as
    carry it, the median where classes are balanced. It uses the labels only by their shares, and an outlying row does
    not move it. More classes: the constants b that minimise the mean of logsumexp(s + b) - (s + b)[label] (multinomial
    logistic regression with nothing but biases: convex), by Newton's method, each class counted one row too many so
    that a class without rows stays finite.

    Parameters
    ----------
    scores : array of shape (n, classes)
    labels : int array of shape (n,)

    Returns
    -------
    array of shape (classes,), mean 0; zeros where there is no row

    Notes
    -----
    Cost: n log n for two classes, otherwise some ten solves of size classes and passes over the scores.
    """
    if not len(labels) or classes < 2:
        return np.zeros(classes)
    scores = floored(scores)
    if classes == 2:
        margin = np.sort(scores[:, 1] - scores[:, 0])
        # The threshold lies between two rows, or beyond the last one where only one class occurs.
        margin = np.concatenate([[margin[0] - 1], margin, [margin[-1] + 1]])
        first = int(np.sum(labels == 0))
        half = float(margin[first] + margin[first + 1]) / 4
        return np.array([half, -half])
    share = (np.bincount(labels, minlength=classes) + 1.0) / (len(labels) + classes)
    return _biases(scores, share)


def _biases(scores: Scores, share: Scores) -> Scores:
    """Biases under which the mean of the predicted probabilities is ``share``, by damped Newton steps."""
    shift: Scores = np.log(share / np.maximum(_softmax(scores)[0].mean(axis=0), np.exp(FLOOR)))
    shift -= shift.mean()
    p, value = _fit(scores, share, shift)
    plain, without = _fit(scores, share, np.zeros_like(shift))
    if value > without:
        shift, p, value = np.zeros_like(shift), plain, without
    for _ in range(_NEWTON):
        gradient = p.mean(axis=0) - share
        if np.abs(gradient).max() < 1e-10:
            break
        # Adding a constant to all biases changes nothing; the small ridge picks the solution with mean 0.
        hessian = np.diag(p.mean(axis=0)) - p.T @ p / len(p) + 1e-9 * np.eye(len(share))
        step = np.linalg.solve(hessian, gradient)
        step -= step.mean()
        step /= max(1.0, float(np.abs(step).max()) / 5.0)
        size = 1.0
        p, lower = _fit(scores, share, shift - step)
        while lower > value - 1e-4 * size * float(gradient @ step):
            size /= 2
            if size < 1e-6:
                return shift
            p, lower = _fit(scores, share, shift - size * step)
        shift, value = shift - size * step, lower
    return shift


def _fit(scores: Scores, share: Scores, shift: Scores) -> tuple[Scores, float]:
    """Probabilities under the biases, and the loss whose minimum they are to reach."""
    p, log_sum = _softmax(scores + shift)
    return p, float(log_sum.mean() - share @ shift)


def _softmax(scores: Scores) -> tuple[Scores, Scores]:
    """Rows as probabilities, and the ln of the sum of each row's exponentials."""
    top = scores.max(axis=1, keepdims=True)
    raised = np.exp(scores - top)
    total = raised.sum(axis=1, keepdims=True)
    return raised / total, (top + np.log(total))[:, 0]


@dataclass(frozen=True, eq=False)
class Judged:
    """How a prompt does on the choosing half.

    Attributes
    ----------
    shifts : one array of shape (classes,) a calibration, in the order of `CALIBRATIONS`; fitted on all given rows
    accuracy : float array of shape (3,)
        Cross-fitted: the choosing half's constants are judged on folds that they were not fitted on.
    best : int
        The calibration with the highest of them, the simpler one of equals.
    """

    shifts: tuple[Scores, ...]
    accuracy: NDArray[np.float64]
    best: int

    @property
    def calibrate(self) -> Calibration:
        return CALIBRATIONS[self.best]

    def predict(self, scores: Scores, which: int | None = None) -> NDArray[np.int64]:
        """Label of each row of ``scores`` under a calibration, the best one by default."""
        shift = self.shifts[self.best if which is None else which]
        return np.asarray((floored(scores) + shift).argmax(axis=1), dtype=np.int64)


def judge(scores: Scores, labels: NDArray[np.integer], free: Scores, fold: NDArray[np.integer]) -> Judged:
    """Choose a calibration by cross-fitting and fit all three on the whole of the given rows.

    Parameters
    ----------
    scores : array of shape (n, classes)
    labels, fold : int arrays of shape (n,)
        Folds keep rows that belong together whole.
    free : array of shape (content-free texts, classes)
    """
    classes = scores.shape[1]
    context = contextual_shift(free)
    shifts = (np.zeros(classes), context, fitted_shift(scores, labels, classes))
    raw = floored(scores)
    hits = [float(np.mean((raw + shift).argmax(axis=1) == labels)) if len(labels) else 0.0 for shift in shifts[:2]]
    crossed = np.zeros(len(labels), dtype=bool)
    for f in np.unique(fold):
        out = fold == f
        shift = fitted_shift(scores[~out], labels[~out], classes)
        crossed[out] = (raw[out] + shift).argmax(axis=1) == labels[out]
    accuracy = np.array([*hits, float(crossed.mean()) if len(labels) else 0.0])
    return Judged(shifts, accuracy, int(accuracy.argmax()))


def best_prompt(judged: Sequence[Judged]) -> int:
    """The prompt with the highest cross-fitted accuracy under its own calibration, the first of equals."""
    return int(np.argmax([one.accuracy[one.best] for one in judged]))
