"""Classes from labelled anchors: answer where the sandwich leaves one label, abstain where it leaves more or none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.conflicts import close_pairs, conflicts
from presheaf.enriched.hom import LIMIT, Hom
from presheaf.enriched.label_category import Discrete, encode_labels
from presheaf.enriched.to_anchors import Side, anchor_blocks, as_objects
from presheaf.errors import InputError

Array = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DETERMINED, OPEN, CONTRADICTED = 0, 1, 2
STATUSES = ("determined", "open", "contradicted")
"""Names of the numbers in ``Answers.status``."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What anchors say about objects, for every lambda at once.

    Label c has one presheaf T_c, 0 on its objects and above lambda on all others. At x label c is possible iff Ran_c(x) = 0,
    which says that no anchor of another label is within lambda. One label within reach is the answer (``determined``); with
    no anchor in reach all labels are possible and with two labels in reach none is: then the rule abstains (``open``,
    ``contradicted``).

    Attributes
    ----------
    objects : int64 array of shape (m,)
    label : int64 array of shape (m,)
        Number in ``classes`` of the nearest anchor's label.
    nearest : float64 array of shape (m,)
        Distance of that anchor.
    rival : float64 array of shape (m,)
        Distance of the nearest anchor with another label.
    classes : array of shape (k,)
    """

    objects: Ints = field(repr=False)
    label: Ints = field(repr=False)
    nearest: Floats = field(repr=False)
    rival: Floats = field(repr=False)
    classes: Array

    def status(self, lam: float) -> NDArray[np.int8]:
        """0 determined, 1 open, 2 contradicted, at lambda >= 0. Shape (m,)."""
        if not lam >= 0:
            raise InputError(f"lambda must be a number >= 0; got {lam!r}.")
        return np.where(self.rival <= lam, CONTRADICTED, np.where(self.nearest <= lam, DETERMINED, OPEN)).astype(
            np.int8
        )

    def answer(self, lam: float) -> Ints:
        """Number of the determined label, -1 where the rule abstains. Shape (m,)."""
        return np.where(self.status(lam) == DETERMINED, self.label, -1)


def answer_by_anchors(
    hom: Hom,
    anchors: ArrayLike,
    labels: ArrayLike,
    category: Discrete,
    objects: ArrayLike | None = None,
    limit_bytes: int = LIMIT,
) -> Answers:
    """Extend labels from anchors to objects.

    Parameters
    ----------
    hom : Hom
    anchors : int array of shape (a,)
    labels : array of shape (a,)
        Of the anchors.
    category : Discrete
        COMPONENTS takes the smaller direction of the hom as the distance, ISOMORPHISM_CLASSES the larger.
    objects : int array of shape (m,), optional
        Default: all.

    Notes
    -----
    Cost: m x a distances in float64 blocks (twice where the hom is directed). Nothing is learned, so the rule is constant on
    objects with the same anchors in reach.
    """
    chosen, codes, classes = _labelled(hom, anchors, labels)
    targets = as_objects(hom, objects, "objects")
    label = np.empty(len(targets), dtype=np.int64)
    nearest, rival = np.empty(len(targets)), np.empty(len(targets))
    order = np.argsort(codes, kind="stable")
    side: Side = "either" if category.arrows == "any" else "both"
    for part, block in anchor_blocks(hom, targets, chosen[order], side, limit_bytes):
        label[part], nearest[part], rival[part] = _two_nearest(block, codes[order])
    return Answers(targets, label, nearest, rival, classes)


def _two_nearest(block: Floats, codes: Ints) -> tuple[Ints, Floats, Floats]:
    """Nearest label, its distance, and that of the next label, for columns sorted by label."""
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    best = np.minimum.reduceat(block, starts, axis=1)
    first = best.argmin(axis=1)
    rows = np.arange(len(best))
    nearest = best[rows, first]
    best[rows, first] = np.inf
    return codes[starts][first], nearest, best.min(axis=1)


def bagged_answers(
    hom: Hom,
    anchors: ArrayLike,
    labels: ArrayLike,
    category: Discrete,
    lam: float,
    objects: ArrayLike | None = None,
    bags: int = 25,
    share: float = 0.5,
    seed: int = 0,
    limit_bytes: int = LIMIT,
) -> tuple[Array, Floats]:
    """Answers at lambda that most random subsets of the anchors agree on: a heuristic against wrong labels.

    Parameters
    ----------
    lam : float
    bags : int
    share : float
        Of the anchors in each bag, in (0, 1).

    Other parameters as for ``answer_by_anchors``.

    Returns
    -------
    label : int64 array of shape (m,)
        Number of the label most often determined, in the sorted labels of the anchors; -1 where no more than half of the bags
        that reach the object determine it, or none does.
    support : float64 array of shape (m,)
        Share of the bags that reach the object which determine that label; nan where none reaches it.

    Notes
    -----
    Cost: as ``answer_by_anchors`` times bags x share. Memory: bags x m numbers.
    """
    chosen, codes, _ = _labelled(hom, anchors, labels)
    if bags < 1 or not 0 < share < 1:
        raise InputError(f"bagging needs at least 1 bag and a share in (0, 1); got {bags!r} and {share!r}.")
    targets = as_objects(hom, objects, "objects")
    rng = np.random.default_rng(seed)
    size = max(1, round(share * len(chosen)))
    votes = np.empty((bags, len(targets)), dtype=np.int64)
    reached = np.zeros(len(targets), dtype=np.int64)
    for bag in range(bags):
        kept = rng.permutation(len(chosen))[:size]
        found = answer_by_anchors(hom, chosen[kept], codes[kept], category, targets, limit_bytes)
        answer = found.answer(lam)
        votes[bag] = np.where(answer >= 0, found.classes[answer], -1)
        reached += found.status(lam) != OPEN
    label, count = _mode(votes)
    with np.errstate(invalid="ignore", divide="ignore"):
        support = count / reached
    return np.where(support > 0.5, label, -1), support


def _mode(votes: Ints) -> tuple[Ints, Ints]:
    """The most common vote >= 0 of every column and its count, ties to the smallest number."""
    ranked = np.sort(votes, axis=0)
    run = np.where(ranked >= 0, 1, 0)
    for i in range(1, len(ranked)):
        same = (ranked[i] == ranked[i - 1]) & (ranked[i] >= 0)
        run[i] = np.where(same, run[i - 1] + 1, run[i])
    where = run.argmax(axis=0)
    columns = np.arange(votes.shape[1])
    return ranked[where, columns], run[where, columns]


def consistent_anchors(
    hom: Hom,
    anchors: ArrayLike,
    labels: ArrayLike,
    category: Discrete,
    lam: float,
    limit_bytes: int = LIMIT,
    seed: int = 0,
) -> NDArray[np.bool_]:
    """Which anchors to keep so that no two within lambda carry different labels: a small vertex cover is removed.

    Returns
    -------
    bool array of shape (a,)

    Notes
    -----
    Cost: one search among the anchors and one matching. An object may still be in reach of two labels.
    """
    chosen, codes, _ = _labelled(hom, anchors, labels)
    pairs = close_pairs(hom.take(chosen), lam, category.reading, limit_bytes)
    return ~conflicts(pairs, codes, category).cover(lam, seed).members


def _labelled(hom: Hom, anchors: ArrayLike, labels: ArrayLike) -> tuple[Ints, Ints, Array]:
    chosen = as_objects(hom, anchors, "anchors")
    codes, classes = encode_labels(labels)
    if len(codes) != len(chosen):
        raise InputError(f"labels must be one for each of {len(chosen)} anchors; got {len(codes)}.")
    return chosen, codes, classes
