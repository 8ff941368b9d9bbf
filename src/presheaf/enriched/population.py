"""Statements about new objects: from pairs known to be close, and from held-out nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.hom import LIMIT, Hom, Variance
from presheaf.enriched.label_category import encode_labels
from presheaf.enriched.to_anchors import anchor_blocks, separate
from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval, accuracy_interval, clopper_pearson

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PairBound:
    """Error that every rule constant on close pairs makes on new objects.

    Attributes
    ----------
    disagreement : Interval
        P(F(X) != F(X')) with its exact interval.
    error : Interval
        Half of it: a lower bound on the error. What is claimed, at the level's confidence, is ``error.low``.
    """

    disagreement: Interval
    error: Interval

    @property
    def kind(self) -> str:
        return "estimate"

    @property
    def ceiling(self) -> Interval:
        """1 - error: no such rule is right more often than ``ceiling.high``, at the level's confidence."""
        e = self.error
        return Interval(1 - e.value, 1 - e.high, 1 - e.low, e.rows, e.effective, e.method)

    def __repr__(self) -> str:
        return (
            f"PairBound(error at least {self.error.value:.3g} [{self.error.low:.3g}, {self.error.high:.3g}] from "
            f"{self.error.rows:,} pairs)"
        )


def pair_bound(labels: ArrayLike, partners: ArrayLike, level: float = 0.95) -> PairBound:
    """error >= 1/2 P(F(X) != F(X')) for every rule that is the same on X and X'.

    Parameters
    ----------
    labels, partners : arrays of shape (m,)
        Labels of X and X' for m independent pairs, no object in two of them, each within lambda, and both X and X'
        distributed like the objects the claim is about (two augmentations of one source are such a pair).
    level : float

    Notes
    -----
    Where the labels differ the rule misses at least one of the two; take expectations (theory 4.5). Clopper-Pearson. It holds
    for every lambda-invariant rule; pairs chosen as nearest neighbours don't have the distribution asked for. Cost: sorting
    the labels.
    """
    codes, _ = encode_labels(np.concatenate([np.asarray(labels), np.asarray(partners)]))
    m = len(np.asarray(labels))
    if len(codes) != 2 * m or m == 0:
        raise InputError(f"labels and partners must be of one length above 0; got {m} and {len(codes) - m}.")
    apart = int((codes[:m] != codes[m:]).sum())
    low, high = clopper_pearson(apart, m, level)
    whole = Interval(apart / m, low, high, m, float(m), "Clopper-Pearson")
    return PairBound(whole, Interval(whole.value / 2, low / 2, high / 2, m, float(m), "half of Clopper-Pearson"))


@dataclass(frozen=True)
class NeighbourBracket:
    """Between which errors the best rule on these features lies, from held-out 1-nearest-neighbour error.

    Attributes
    ----------
    neighbour : Interval
        Held-out error R of the nearest labelled object.
    low, high : float
        low <= R* <= high from R alone.
    low_end, high_end : float
        The same from the ends of R's interval.
    classes : int
    """

    neighbour: Interval
    low: float
    high: float
    low_end: float
    high_end: float
    classes: int

    @property
    def kind(self) -> str:
        """``heuristic``: the bracket is about the limit of many labelled objects, and R was measured with few."""
        return "heuristic"


def bayes_bracket(
    hom: Hom,
    labels: ArrayLike,
    anchors: ArrayLike,
    held_out: ArrayLike,
    variance: Variance,
    level: float = 0.95,
    limit_bytes: int = LIMIT,
) -> NeighbourBracket:
    """Cover and Hart's bracket for the Bayes error of the features.

    Parameters
    ----------
    hom : Hom
    labels : array of shape (n,)
    anchors, held_out : int arrays, disjoint
        Objects that may be neighbours, and objects that are judged.
    variance : "contravariant" for D[x, anchor], "covariant" for D[anchor, x]

    Notes
    -----
    (k-1)/k (1 - sqrt(1 - k R / (k-1))) <= R* <= R for the error R of the nearest neighbour among infinitely many (Cover and
    Hart 1967); for two labels (1 - sqrt(1 - 2R)) / 2. Ties go to the first anchor. Cost: held_out x anchors distances in
    float64 blocks.
    """
    codes, classes = encode_labels(labels)
    if len(codes) != hom.n or len(classes) < 2:
        raise InputError(f"labels must be one for each of {hom.n} objects, at least two different ones.")
    near, judged = separate(hom, anchors, held_out)
    answer = np.empty(len(judged), dtype=np.int64)
    for part, block in anchor_blocks(hom, judged, near, variance, limit_bytes):
        answer[part] = codes[near[block.argmin(axis=1)]]
    right = accuracy_interval(answer == codes[judged], level=level)
    error = Interval(1 - right.value, 1 - right.high, 1 - right.low, right.rows, right.effective, right.method)
    k = len(classes)

    def least(rate: float) -> float:
        return (k - 1) / k * (1 - sqrt(max(0.0, 1 - k * rate / (k - 1))))

    return NeighbourBracket(error, least(error.value), error.value, least(error.low), error.high, k)
