"""Finding the partner of an object among candidates: ranks, with the object as the unit of uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.ustatistics import bounded_interval
from presheaf.statistics.intervals import Interval, accuracy_interval

Floats = NDArray[np.float64]
Scores = Callable[[slice], NDArray[Any]]
"""Distances of shape (queries of the slice, candidates): the nearer the likelier."""

QUERIES = 512
"""Queries scored at once at most."""


@dataclass(frozen=True)
class Retrieval:
    """How well a rule finds the partner of each query among the candidates.

    Attributes
    ----------
    method : str
    candidates : int
    ranks : int64 array of shape (queries,)
        1 is found; ties count against it, candidates the target can't tell from the partner don't count.
    recall : tuple of (k, Interval)
        Share of queries whose partner is among the first k.
    reciprocal : Interval
        Mean of 1 / rank; t interval over queries.
    fitted : int
        Parameters fitted on the anchors.
    """

    method: str
    candidates: int
    ranks: NDArray[np.int64] = field(repr=False)
    recall: tuple[tuple[int, Interval], ...]
    reciprocal: Interval
    fitted: int = 0

    @property
    def median_rank(self) -> float:
        """Median over the queries."""
        return float(np.median(self.ranks))

    def __repr__(self) -> str:
        shares = ", ".join(f"recall@{k} {v.value:.3f} [{v.low:.3f}, {v.high:.3f}]" for k, v in self.recall)
        return (
            f"Retrieval({self.method}: {shares}, mean reciprocal rank {self.reciprocal.value:.3f}, median rank "
            f"{self.median_rank:g} of {self.candidates:,}, {self.fitted:,} fitted)"
        )


def ranks_of(
    scores: Scores, partner: NDArray[np.int64], same: NDArray[np.int64], at_once: int = QUERIES
) -> NDArray[np.int64]:
    """Rank of each query's partner.

    Parameters
    ----------
    scores : see `Scores`
    partner : int array of shape (queries,)
        Position of the partner among the candidates.
    same : int array of shape (candidates,)
        A number per candidate, equal for those that the target can't tell apart: the answer is only asked for up to
        isomorphism.
    at_once : int
        Queries scored at once.

    Notes
    -----
    Cost: queries x candidates comparisons; memory: two blocks of at_once x candidates.
    """
    ranks = np.empty(len(partner), dtype=np.int64)
    for start in range(0, len(partner), at_once):
        part = slice(start, min(start + at_once, len(partner)))
        block = np.asarray(scores(part))
        true = partner[part]
        own = block[np.arange(len(true)), true]
        nearer = (block <= own[:, None]) & (same[None, :] != same[true, None])
        ranks[part] = 1 + nearer.sum(axis=1)
    return ranks


def judged(method: str, ranks: NDArray[np.int64], candidates: int, ks: Sequence[int], fitted: int = 0) -> Retrieval:
    """Recall at each k and the mean reciprocal rank, with intervals."""
    recall = tuple((int(k), accuracy_interval(ranks <= k)) for k in ks if k <= candidates)
    inverse = 1 / ranks
    value = float(inverse.mean())
    ends = bounded_interval(inverse, value, 0.0, 1.0)
    reciprocal = Interval(value, *ends, len(ranks), float(len(ranks)), "t over queries")
    return Retrieval(method, candidates, ranks, recall, reciprocal, fitted)
