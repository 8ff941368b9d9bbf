"""Labelled examples for a few-shot prompt: balanced whatever their number, drawn at random, in random order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def draw_examples(
    labels: Sequence[int] | NDArray[np.integer], classes: int, most: int, rng: np.random.Generator
) -> list[int]:
    """Positions of ``most`` examples of which the first k are balanced for every k.

    Classes come in rounds, each a new random order of those that have rows left, and each class gives a new random row
    in its turn: among the first k examples, no class that has rows left comes more than once more than another.

    Parameters
    ----------
    labels : int array of shape (n,)

    Returns
    -------
    list of distinct positions, as many as ``most`` or as there are
    """
    labels = np.asarray(labels)
    left = [list(rng.permutation(np.flatnonzero(labels == c))) for c in range(classes)]
    out: list[int] = []
    while len(out) < most and any(left):
        for c in rng.permutation([c for c in range(classes) if left[c]]):
            out.append(int(left[c].pop()))
    return out[:most]
