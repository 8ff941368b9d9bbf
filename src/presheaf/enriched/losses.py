"""Where a predictor's errors come from: labels that collide, structure that is silent, or training that fell short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.answers import DETERMINED, OPEN, Answers, answer_by_anchors
from presheaf.enriched.hom import LIMIT, Hom
from presheaf.enriched.label_category import Discrete, encode_labels
from presheaf.enriched.to_anchors import separate
from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval, clopper_pearson

Array = NDArray[Any]

PARTS = ("collision", "indeterminacy", "estimation")


@dataclass(frozen=True)
class LossPart:
    """One part of the error, as shares of all held-out objects.

    Attributes
    ----------
    error : Interval
        Objects of this part that the predictor gets wrong. The parts' errors sum to the total.
    objects : Interval
        All objects of this part, right or wrong: what the errors are to be compared with.
    shuffled : Interval
        Objects of this part if the anchors' labels are shuffled.
    """

    error: Interval
    objects: Interval
    shuffled: Interval


@dataclass(frozen=True)
class LossDecomposition:
    """The total error of a predictor on held-out objects, by what the anchors say of each at lambda.

    Attributes
    ----------
    lam : float
    total : Interval
    collision : LossPart
        An anchor within lambda carries another label than the object: Theorem 2's part. Of two such objects a rule that
        respects lambda misses one, not necessarily this one.
    indeterminacy : LossPart
        No anchor within lambda: the structure says nothing, more labels would.
    estimation : LossPart
        All anchors within lambda carry the object's own label: the structure gives the answer and the predictor misses it.
    """

    lam: float
    total: Interval
    collision: LossPart
    indeterminacy: LossPart
    estimation: LossPart

    @property
    def kind(self) -> str:
        return "estimate"

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {getattr(self, name).error.value:.3g}" for name in PARTS)
        return f"LossDecomposition(error {self.total.value:.3g} at lambda {self.lam:g}: {parts})"


def decompose_error(
    hom: Hom,
    labels: ArrayLike,
    predicted: ArrayLike,
    anchors: ArrayLike,
    held_out: ArrayLike,
    category: Discrete,
    lam: float,
    level: float = 0.95,
    seed: int = 0,
    limit_bytes: int = LIMIT,
) -> LossDecomposition:
    """total error = collision + indeterminacy + estimation.

    Parameters
    ----------
    hom : Hom
    labels : array of shape (n,)
        Of all objects; only those of anchors and held-out objects are used.
    predicted : array of shape (m,)
        Labels that a predictor gives the held-out objects. It should have learned from the anchors.
    anchors, held_out : int arrays, disjoint, the second of shape (m,)
    category : Discrete
    lam : float
        Fixed beforehand, not chosen on these held-out objects.

    Notes
    -----
    Every held-out object is in one part, decided without its prediction, so the errors sum exactly. Clopper-Pearson
    intervals over held-out objects, given the anchors. Cost: twice held-out x anchors distances.
    """
    given, guess = np.asarray(labels), np.asarray(predicted)
    near, judged = separate(hom, anchors, held_out)
    if given.shape != (hom.n,) or guess.shape != judged.shape:
        raise InputError(
            f"labels must be one for each of {hom.n} objects and predicted one for each of {len(judged)} held-out objects; "
            f"got shapes {given.shape} and {guess.shape}."
        )
    codes, _ = encode_labels(np.concatenate([given[near], given[judged], guess]))
    known, truth, guess = np.split(codes, [len(near), len(near) + len(judged)])
    wrong = guess != truth

    def parts(codes_of_anchors: Array) -> Array:
        found = answer_by_anchors(hom, near, codes_of_anchors, category, judged, limit_bytes)
        return _part(found, truth, lam)

    real = parts(known)
    null = parts(np.random.default_rng(seed).permutation(known))

    def part(number: int) -> LossPart:
        mine = real == number
        return LossPart(_share(mine & wrong, level), _share(mine, level), _share(null == number, level))

    return LossDecomposition(float(lam), _share(wrong, level), part(0), part(1), part(2))


def _part(found: Answers, truth: Array, lam: float) -> Array:
    """Number in PARTS of every held-out object."""
    status = found.status(lam)
    agrees = (status == DETERMINED) & (found.classes[found.label] == truth)
    return np.where(status == OPEN, 1, np.where(agrees, 2, 0))


def _share(hits: Array, level: float) -> Interval:
    count, n = int(hits.sum()), len(hits)
    return Interval(count / n, *clopper_pearson(count, n, level), n, float(n), "Clopper-Pearson")
