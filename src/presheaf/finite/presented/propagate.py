"""A natural transformation from its values on elements that generate its source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from presheaf.finite.presented.copresheaf import IntArray
from presheaf.finite.presented.presentation import Presentation
from presheaf.finite.presented.strata import strata


def propagate(
    presentation: Presentation,
    source: Sequence[IntArray],
    target: Sequence[IntArray],
    seeds: list[IntArray],
) -> None:
    """Fill in a transformation between two covariant functors in place.

    Parameters
    ----------
    source, target : the functors' columns
    seeds : int32, one array an object; -1 where the value is not known yet

    Notes
    -----
    The known values must generate the source and extend to a transformation; neither is checked. Forward along paths
    between strongly connected parts, breadth first within them: O(elements x generators) by gathers.
    """
    parts = strata(presentation)
    label = {s: i for i, part in enumerate(parts) for s in part}
    inner: dict[int, list[tuple[int, int, int]]] = {}
    entering: dict[int, list[tuple[int, int, int]]] = {}
    for j, (_, a, b) in enumerate(presentation.generators):
        kind = inner if label[a] == label[b] else entering
        kind.setdefault(label[b], []).append((a, b, j))
    for i, part in enumerate(parts):
        for a, b, j in entering.get(i, ()):
            seeds[b][source[j]] = target[j][seeds[a]]
        if i in inner:
            _spread(part, inner[i], source, target, seeds)


def _spread(
    part: Sequence[int],
    arrows: list[tuple[int, int, int]],
    source: Sequence[IntArray],
    target: Sequence[IntArray],
    values: list[IntArray],
) -> None:
    front = {s: np.flatnonzero(values[s] >= 0) for s in part}
    while any(map(len, front.values())):
        fresh: dict[int, list[IntArray]] = {s: [] for s in part}
        for a, b, j in arrows:
            here = front[a]
            end = source[j][here]
            new = values[b][end] < 0
            values[b][end[new]] = target[j][values[a][here[new]]]
            fresh[b].append(end[new])
        front = {s: np.unique(np.concatenate(ends)) if ends else front[s][:0] for s, ends in fresh.items()}
