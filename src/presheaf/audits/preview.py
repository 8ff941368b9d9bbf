"""A first look while rows still come in: rough numbers from a random sample, said to be rough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.classifiers import ridge
from presheaf.statistics.intervals import Interval, accuracy_interval


@dataclass(frozen=True)
class Preview:
    """What the rows seen so far say. Accuracies are on half of them, rules chosen on the other half."""

    rows: int
    total: int
    prompt: Interval | None
    head: Interval


def preview(
    x: NDArray[np.float32],
    y: NDArray[Any],
    side: NDArray[np.bool_],
    classes: int,
    total: int,
    templates: NDArray[np.float32] | None,
) -> Preview | None:
    """A quick ladder of two rungs.

    Parameters
    ----------
    x : unit rows of shape (m, d) seen so far
    side : bool array of shape (m,), true on the choosing half
    templates : array of shape (t, classes, d), or None
        Prompts of t templates; the best on the choosing half is scored on the other.

    Returns
    -------
    Preview, or None when a half has fewer than 30 rows or one class only. Cost: one ridge regression.
    """
    if min(side.sum(), (~side).sum()) < 30 or len(np.unique(y[side])) < 2:
        return None
    fitted = ridge(x[side], y[side], classes, 0.3)
    head = accuracy_interval(fitted.decide(x[~side]).argmax(axis=1) == y[~side])
    prompt = None
    if templates is not None and len(templates):
        hits = [((x[side] @ t.T).argmax(axis=1) == y[side]).mean() for t in templates]
        best = templates[int(np.argmax(hits))]
        prompt = accuracy_interval((x[~side] @ best.T).argmax(axis=1) == y[~side])
    return Preview(len(y), total, prompt, head)
