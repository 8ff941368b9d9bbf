"""Which prompt entails which, beside what unrelated prompts show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.language.prompt_hom import PromptCategory
from presheaf.language.texts import Text, shown
from presheaf.statistics.paired import holm

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Entailment:
    """How nearly x <= y: whatever follows x follows y, at most exp(``distance``) times less likely.

    Attributes
    ----------
    x, y : str
    distance : float
        D_inf(x, y) in nats over the category's continuations: a fact about these. 0 is x <= y.
    back : float
        D_inf(y, x).
    p : float
        Share of all ordered pairs that share x or y, this pair counted among them, that are as near. The null is "x and y
        have nothing more to do with each other than with the other prompts".
    adjusted : float
        p by Holm's rule over all pairs tried; 1 where all pairs were searched.
    unseen : float
        With 95 % confidence at most this share of further continuations, drawn as these were, pass ``distance``; 0 where all
        single next tokens were compared, 1 where the continuations were stated (nothing is said of others).
    because : str
        The continuation that keeps x from entailing y most.
    """

    x: str
    y: str
    distance: float
    back: float
    p: float
    adjusted: float
    unseen: float
    because: str

    def __repr__(self) -> str:
        return (
            f"Entailment({shown(self.x)} <= {shown(self.y)} within {self.distance:.3g} nats, back {self.back:.3g}; p = "
            f"{self.p:.3g}, {self.adjusted:.3g} over all tried; most against it: {self.because!r})"
        )


def entailments(
    category: PromptCategory,
    claims: Sequence[tuple[Text, Text]] | None = None,
    *,
    within: float | None = None,
    count: int = 20,
) -> tuple[Entailment, ...]:
    """The ordered pairs of prompts of which the first most nearly entails the second, nearest first.

    Parameters
    ----------
    category : PromptCategory
    claims : sequence of (x, y), optional
        Pairs that were to entail each other before anything was looked at; only these are tested and returned. Default:
        all ordered pairs of different prompts.
    within : float, optional
        Nats; only pairs at most so far apart. Default: no limit.
    count : int
        Most pairs to return. Holm's rule counts all that were tried, returned or not.

    Raises
    ------
    InputError
        If there are fewer than three prompts (nothing is there to compare a pair with), or a claim names none of them.

    Notes
    -----
    Over full distributions D_inf = 0 in one direction only is impossible (both rows sum to 1), so what tells directions apart
    is by how much. p can't fall below 1 / (2 n - 3), so a search through all n (n - 1) pairs never comes out as more than
    chance: it gives the order to look at, and ``adjusted`` is 1. A few claims made beforehand can. Cost: n^2 log n beside
    the distances.
    """
    n = len(category)
    if n < 3:
        raise InputError(f"entailments need at least three prompts, to compare a pair with others; got {n}.")
    distances = category.hom.dense(8 * n * n)
    first, second = _pairs(category, claims)
    found = distances[first, second]
    p = _share(distances, first, second)
    adjusted = holm(p.tolist())
    order = np.argsort(found, kind="stable")
    if within is not None:
        order = order[found[order] <= within]
    unseen = 0.0 if category.continuations is None else category.continuations.unseen
    out = []
    for k in order[:count].tolist():
        x, y = int(first[k]), int(second[k])
        ((because, _),) = category.why(x, y, 1)
        names = category.names[x], category.names[y]
        values = float(found[k]), float(distances[y, x]), float(p[k]), float(adjusted[k])
        out.append(Entailment(*names, *values, unseen, because))
    return tuple(out)


def _pairs(
    category: PromptCategory, claims: Sequence[tuple[Text, Text]] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if claims is None:
        first, second = np.nonzero(~np.eye(len(category), dtype=bool))
        return first, second
    named = np.array([(category.find(x), category.find(y)) for x, y in claims], dtype=np.int64).reshape(-1, 2)
    if (named[:, 0] == named[:, 1]).any():
        raise InputError("a claim needs two different prompts: every prompt entails itself.")
    return named[:, 0], named[:, 1]


def _share(distances: Floats, first: NDArray[np.int64], second: NDArray[np.int64]) -> Floats:
    """For each pair (x, y) the share of pairs (x, v) and (u, y), itself once, with no larger distance."""
    n = len(distances)
    others = np.where(np.eye(n, dtype=bool), np.inf, distances)
    by_row, by_column = np.sort(others, axis=1)[:, : n - 1], np.sort(others, axis=0)[: n - 1]
    out = np.empty(len(first))
    for k, (x, y) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        value = distances[x, y]
        nearer = np.searchsorted(by_row[x], value, side="right") + np.searchsorted(by_column[:, y], value, side="right")
        out[k] = (nearer - 1) / (2 * (n - 1) - 1)
    return out
