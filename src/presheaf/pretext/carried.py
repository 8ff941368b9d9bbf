"""Theorem 3, measured: what a two-sided model trained on part of the pairs does with objects it has not seen in any pair.

The functor known on pairs carries the structure of one side to the other; unseen partners are found, and found worse the more the
map between the sides distorts distances (Yuan 2022, On the power of foundation models, structural learning).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.distortion import Distortion, distortion
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import angle
from presheaf.enriched.retrieval import Retrieval
from presheaf.enriched.transfer import Transfer, transfer
from presheaf.enriched.ustatistics import bounded_interval
from presheaf.errors import InputError
from presheaf.pretext.base import Data, len_of
from presheaf.pretext.featured import first_pairs
from presheaf.pretext.pair_retrieval import Side, ridge_retrieval, two_sided_retrieval
from presheaf.pretext.plan import Plan
from presheaf.pretext.two_sided import TwoSided
from presheaf.statistics.intervals import Interval, paired_difference

if TYPE_CHECKING:
    from torch.nn import Module

PLAN = Plan(steps=150, batch_size=256, weight_decay=0.01, checkpoint_every=150)
"""Chosen on pairs that were neither trained on nor scored."""


@dataclass(frozen=True, eq=False)
class CarriedRun:
    """One training on some of the pairs, asked for the partners of held-out objects.

    Attributes
    ----------
    pairs, seed : int
        Pairs trained on; which they are.
    model, ridge, shuffled : Retrieval
        By the trained two-sided model; by ridge regression on the same pairs; by a two-sided model trained on the same
        objects paired at random (the null).
    distortion, by_chance : Distortion
        Between the two sides' held-out objects as the trained model has them: angles of left objects against angles of
        their partners; and of the partners shuffled.
    changes, changes_shuffled : float64 array of shape (held-out objects,)
        Mean change of each held-out object's own distances to the others, radians, in the trained model; in the null.
    loss : float
        Of the last step, nats.
    """

    pairs: int
    seed: int
    model: Retrieval
    ridge: Retrieval
    shuffled: Retrieval
    distortion: Distortion
    by_chance: Distortion
    changes: NDArray[np.float64]
    changes_shuffled: NDArray[np.float64]
    loss: float

    @property
    def lost(self) -> float:
        """Mean change of distances, by that for shuffled partners: 0 is an isometry, 1 keeps nothing.

        Vectors without any relation are all about a right angle apart, so that distances alone change little; hence the ratio.
        """
        return self.distortion.either.mean.value / self.by_chance.either.mean.value

    def lead(self, over: str = "ridge") -> Interval:
        """Recall@1 of the model minus that of "ridge" or "shuffled", on the same queries."""
        return paired_difference(self.model.ranks == 1, getattr(self, over).ranks == 1)


@dataclass(frozen=True, eq=False)
class Carried:
    """Runs over several numbers of pairs and several seeds.

    Attributes
    ----------
    runs : tuple of CarriedRun
        By number of pairs, then by seed.
    asked : "left" or "right"
    """

    runs: tuple[CarriedRun, ...]
    asked: Side

    @property
    def in_proportion(self) -> Interval:
        """Rank correlation of distortion and mean reciprocal rank over numbers of pairs; see `rank_correlation`. Below 0: worse as
        distances change more."""
        return self._correlation(lambda run: run.seed)

    @property
    def at_one_size(self) -> Interval:
        """The same over seeds with the number of pairs held: what is left once both follow from the number of pairs."""
        return self._correlation(lambda run: run.pairs)

    @property
    def by_object(self) -> Interval:
        """Rank correlation, within a run, of each held-out object's own `CarriedRun.changes` and its reciprocal rank; mean over the
        runs, jackknife over held-out objects. Below 0: the objects whose distances change more are the ones not found."""
        return mean_correlation(
            np.stack([run.changes for run in self.runs]), np.stack([1 / run.model.ranks for run in self.runs])
        )

    @property
    def by_object_shuffled(self) -> Interval:
        """`by_object` of the models trained on shuffled pairs: the null."""
        return mean_correlation(
            np.stack([run.changes_shuffled for run in self.runs]),
            np.stack([1 / run.shuffled.ranks for run in self.runs]),
        )

    def _correlation(self, group: Callable[[CarriedRun], int]) -> Interval:
        groups = np.array([group(run) for run in self.runs])
        lost = np.array([run.lost for run in self.runs])
        return rank_correlation(lost, np.array([run.model.reciprocal.value for run in self.runs]), groups)


def carried_to_unseen(
    data: Data,
    sizes: Sequence[int],
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    task: TwoSided | None = None,
    plan: Plan = PLAN,
    asked: Side = "left",
    progress: Callable[[int, int], object] | None = None,
) -> Carried:
    """Train two-sided models on parts of the pairs, and let held-out objects find their partners.

    Parameters
    ----------
    data : Data
        Pairs as features (`presheaf.pretext.featured`); the held-out ones are queries and candidates of every run.
    sizes : ints
        Numbers of pairs to train on.
    seeds : ints
        Each draws the pairs and the weights anew; smaller parts lie within larger ones of the same seed.
    task, plan : TwoSided, Plan
        A batch larger than the part becomes the part.
    asked : "left" or "right"
        The side of the queries.
    progress : callable, optional
        ``progress(done, of)`` after each run.

    Raises
    ------
    InputError
        If there are fewer pairs than asked for, or fewer than 4.

    Notes
    -----
    Intervals of one run speak of further held-out objects; those of correlations of further draws of the pairs. Cost: two trainings
    and one ridge regression a run (seconds for some hundred pairs of features), and the held-out objects squared.
    """
    total = len_of(data.train)
    if not sizes or min(sizes) < 4 or max(sizes) > total:
        raise InputError(f"sizes must lie in 4..{total:,}, the pairs there are to train on; got {list(sizes)}.")
    task = task or TwoSided()
    runs = []
    for size in sizes:
        for seed in seeds:
            runs.append(_run(task, data, size, seed, plan, asked))
            if progress is not None:
                progress(len(runs), len(sizes) * len(seeds))
    return Carried(tuple(runs), asked)


def transfer_from_anchors(
    network: Module, data: Data, anchors: NDArray[np.int64], draws: int = 39, seed: int = 0
) -> Transfer:
    """The canonical extension F_! from anchors between the two sides of a trained model, in place of its common space.

    Parameters
    ----------
    network : TwoTowers
    data : Data
    anchors : int array of shape (k,)
        Pairs of ``data.train`` that are known; the held-out pairs are carried: F_!(h_x), then the nearest h_b. A hundred are
        enough to see.
    draws, seed : int
        Of the null of shuffled anchors.

    Notes
    -----
    Homs are the angles of each side in the trained space, on one scale as they are. See `presheaf.enriched.transfer.transfer`.
    """
    sides = []
    for name, train, test in zip(("left", "right"), data.train, data.test, strict=True):
        objects = np.concatenate([train[anchors], test])
        sides.append(hom_from_features(network.of(name, objects), angle()))
    every, known = np.arange(sides[0].n), np.arange(len(anchors))
    pairs = np.stack([every, every], axis=1)
    return transfer(sides[0], sides[1], pairs, known, "contravariant", draws=draws, seed=seed)


def rank_correlation(
    x: NDArray[np.float64], y: NDArray[np.float64], groups: NDArray[np.int64], level: float = 0.95
) -> Interval:
    """Spearman's rank correlation within each group, averaged over the groups; t interval over groups, cut to [-1, 1].

    Groups in which one of the two doesn't vary say nothing and are left out; nan where none is left.

    Parameters
    ----------
    x, y : float array of shape (n,)
    groups : int array of shape (n,)
    """
    from scipy.stats import spearmanr

    within = []
    for group in np.unique(groups):
        a, b = x[groups == group], y[groups == group]
        if len(a) > 2 and np.ptp(a) > 0 and np.ptp(b) > 0:
            within.append(float(spearmanr(a, b).statistic))
    if not within:
        return Interval(float("nan"), -1.0, 1.0, len(x), 0.0, "no group varies")
    value = float(np.mean(within))
    low, high = bounded_interval(np.array(within), value, -1.0, 1.0, level)
    return Interval(value, low, high, len(x), float(len(within)), "t over groups")


def mean_correlation(x: NDArray[np.float64], y: NDArray[np.float64], level: float = 0.95) -> Interval:
    """Spearman's rank correlation over objects, averaged over runs on the same objects; delete-one jackknife over objects.

    Parameters
    ----------
    x, y : float array of shape (runs, n)
        A run in which one of the two doesn't vary is left out; nan where none is left.

    Notes
    -----
    Leaving an object out moves the ranks of the others by at most one, which is left aside: the correlation of the ranks is
    jackknifed. Cost: n log n a run.
    """
    from scipy.special import stdtrit
    from scipy.stats import rankdata

    varies = (np.ptp(x, axis=1) > 0) & (np.ptp(y, axis=1) > 0)
    n = x.shape[1]
    if n < 4 or not varies.any():
        return Interval(float("nan"), -1.0, 1.0, n, 0.0, "nothing varies")
    a, b = (rankdata(part[varies], axis=1) for part in (x, y))
    a, b = (part - part.mean(axis=1, keepdims=True) for part in (a, b))
    value = float(_without(a, b, 0.0).mean())
    each = _without(a, b, 1.0).mean(axis=0)
    half = float(stdtrit(n - 1, 0.5 + level / 2) * np.sqrt((n - 1) / n * np.sum((each - each.mean()) ** 2)))
    return Interval(value, max(-1.0, value - half), min(1.0, value + half), n, float(n), "jackknife over objects")


def _without(a: NDArray[np.float64], b: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Correlation of centred rows of shape (runs, n) with each object left out in turn (``weight`` 1) or none (0)."""
    rest = a.shape[1] - weight

    def cross(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
        # Rows sum to 0, so the sum of the others is -u_i.
        total = np.sum(u * v, axis=1, keepdims=True)
        return np.asarray(total - weight * u * v - (weight * u) * (weight * v) / rest)

    return np.asarray(cross(a, b) / np.sqrt(cross(a, a) * cross(b, b)))


def _homs(network: Module, data: Data) -> tuple[Hom, Hom]:
    """Angles between the held-out objects of each side, as a trained `TwoTowers` has them."""
    left, right = (network.of(side, objects) for side, objects in zip(("left", "right"), data.test, strict=True))
    return hom_from_features(left, angle()), hom_from_features(right, angle())


def _changes(left: Hom, right: Hom) -> NDArray[np.float64]:
    """Mean of |D(x, y) - D(Fx, Fy)| over y other than x, for each x; blocks of rows."""
    both = zip(left.blocks(dtype=np.float64), right.blocks(dtype=np.float64), strict=True)
    return np.concatenate([np.abs(one - two).sum(axis=1) for (_, one), (_, two) in both]) / (left.n - 1)


def _run(task: TwoSided, data: Data, size: int, seed: int, plan: Plan, asked: Side) -> CarriedRun:
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len_of(data.train))[:size]
    part, wrong = first_pairs(data, rows), first_pairs(data, rows, np.roll(rows, max(1, ceil(size / 2))))
    network, loss = _trained(task, part, plan, seed)
    null, _ = _trained(task, wrong, plan, seed)
    (left, right), of_null = _homs(network, data), _homs(null, data)
    return CarriedRun(
        size,
        seed,
        two_sided_retrieval(network, part, asked),
        ridge_retrieval(part, asked),
        two_sided_retrieval(null, part, asked),
        distortion(left, right, seed=seed),
        distortion(left, right.take(rng.permutation(right.n)), seed=seed),
        _changes(left, right),
        _changes(*of_null),
        loss,
    )


def _trained(task: TwoSided, data: Data, plan: Plan, seed: int) -> tuple[Module, float]:
    """The trained network and its last loss; the run's folder is not kept."""
    from presheaf.pretext.trainer import train

    sized = replace(plan, seed=seed, batch_size=min(plan.batch_size, len_of(data.train)))
    with TemporaryDirectory() as folder:
        run = train(task, data, Path(folder), sized)
    return run.network, float(run.losses[-1])
