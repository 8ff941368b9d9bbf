"""Does the round-trip law help? Maps with it and without it, on the same few pairs, scored on names that neither saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.retrieval import Retrieval
from presheaf.enriched.ustatistics import bounded_interval
from presheaf.errors import InputError
from presheaf.pretext.base import Data, len_of
from presheaf.pretext.dual import DualMaps, DualPlan, Law, round_trip_defect, share_home, train_dual
from presheaf.pretext.pair_retrieval import find_partners, unit_rows
from presheaf.statistics.intervals import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ARMS = ("none", "vectors", "objects", "objects, scrambled", "objects, shuffled pairs")
"""No law; the law as vectors; through objects; its null on free objects whose coordinates are shuffled (the other side's law still
holds for no translation); and with the pairs shuffled."""
WEIGHTS = (0.03, 0.3)


@dataclass(frozen=True, eq=False)
class DualRun:
    """One training, scored on held-out pairs.

    Attributes
    ----------
    pairs, seed : int
    arm : str
        One of `ARMS`.
    weight : float
        Of the law, chosen on pairs apart from those scored; 0 without a law.
    there, back : Retrieval
        Held-out left objects find their partners, and the reverse.
    defect : Interval
        `round_trip_defect` of left held-out objects, radians.
    home : Interval
        `share_home` of left held-out objects through the right ones.
    """

    pairs: int
    seed: int
    arm: str
    weight: float
    there: Retrieval
    back: Retrieval
    defect: Interval
    home: Interval

    @property
    def reciprocal(self) -> float:
        """Mean reciprocal rank, both ways averaged."""
        return (self.there.reciprocal.value + self.back.reciprocal.value) / 2

    @property
    def recall(self) -> float:
        """Recall@1, both ways averaged."""
        return float(np.mean([np.mean(self.there.ranks == 1), np.mean(self.back.ranks == 1)]))


@dataclass(frozen=True, eq=False)
class DualStudy:
    """All runs, and what the law brings.

    Attributes
    ----------
    runs : tuple of DualRun
    identity : Retrieval or None
        Left objects find partners without any map, where both sides have features of one length: what is aligned before training.
    """

    runs: tuple[DualRun, ...]
    identity: Retrieval | None

    def of(self, pairs: int, arm: str) -> tuple[DualRun, ...]:
        """The runs of an arm with so many pairs, by seed."""
        return tuple(run for run in self.runs if run.pairs == pairs and run.arm == arm)

    def gain(self, pairs: int, arm: str, over: str = "none") -> Interval:
        """Recall@1 (both ways averaged) of an arm minus that of another with the same pairs; t interval over seeds.

        Speaks of further draws of the pairs and of the free objects; the held-out objects are the same throughout.
        """
        a, b = self.of(pairs, arm), self.of(pairs, over)
        if not a or [run.seed for run in a] != [run.seed for run in b]:
            raise InputError(f"no runs with {pairs} pairs of both {arm!r} and {over!r}.")
        apart = np.array([one.recall - other.recall for one, other in zip(a, b, strict=True)])
        value = float(apart.mean())
        return Interval(
            value, *bounded_interval(apart, value, -1.0, 1.0), len(apart), float(len(apart)), "t over seeds"
        )


def dual_study(
    data: Data,
    counts: Sequence[int] = (25, 50, 100, 200),
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    free: int = 300,
    dims: int | None = 64,
    weights: Sequence[float] = WEIGHTS,
    arms: Sequence[str] = ARMS,
    plan: DualPlan | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> DualStudy:
    """Train maps both ways with and without the round-trip law.

    Parameters
    ----------
    data : Data
        Pairs as features (`presheaf.pretext.featured`). Half of the held-out pairs choose the weight of the law, the other half score.
    counts : ints
        Numbers of pairs trained on.
    seeds : ints
        Each draws pairs and free objects anew.
    free : int
        Objects of each side in training without their partners; they are those of other pairs, in an order of their own on each side.
    dims : int or None
        Principal components that are kept of each side's features (fitted on the objects to train on); None keeps all.
    weights : floats
        Of the law, to choose from. 0 is not among them, so that what a law does harm by is seen.
    arms : names in `ARMS`
    plan : DualPlan
        Temperature, steps and rate.

    Raises
    ------
    InputError
        If there are fewer objects than ``counts`` and ``free`` ask for, or an arm is unknown.

    Notes
    -----
    Cost: for each count and seed one training without a law, and one for each law and weight; with the law through objects
    (free + count)^2 (2 dims) a step.
    """
    total = len_of(data.train)
    if max(counts) + free > total or not set(arms) <= set(ARMS):
        raise InputError(
            f"{max(counts)} pairs and {free} free objects of {total:,} to train on, arms of {', '.join(ARMS)}; got arms {list(arms)}."
        )
    train, test = _reduced(data, dims)
    half = np.random.default_rng(0).permutation(len(test[0]))
    apart, scored = (tuple(side[part] for side in test) for part in np.array_split(half, 2))
    runs: list[DualRun] = []
    for count in counts:
        for seed in seeds:
            rows = np.random.default_rng(seed).permutation(total)
            for arm in arms:
                runs.append(
                    _run(arm, train, rows[:count], rows[count : count + free], apart, scored, weights, plan, seed)
                )
                if progress is not None:
                    progress(len(runs), len(counts) * len(seeds) * len(arms))
    same = train[0].shape[1] == train[1].shape[1] and data.train[0].shape[1] == data.train[1].shape[1]
    chosen = half[len(half) - len(scored[0]) :]
    identity = find_partners("no map", *(side[chosen] for side in data.test)) if same else None
    return DualStudy(tuple(runs), identity)


def _run(
    arm: str,
    train: tuple[Floats, Floats],
    paired: Ints,
    free: Ints,
    apart: tuple[Floats, ...],
    scored: tuple[Floats, ...],
    weights: Sequence[float],
    plan: DualPlan | None,
    seed: int,
) -> DualRun:
    rng = np.random.default_rng([seed, 1])
    left, right = train
    partners = np.roll(paired, max(1, len(paired) // 2)) if arm.endswith("shuffled pairs") else paired
    ends = left[free], right[rng.permutation(free)]
    if arm.endswith("scrambled"):
        ends = rng.permuted(ends[0], axis=0), rng.permuted(ends[1], axis=0)
    law: Law = "none" if arm == "none" else "vectors" if arm == "vectors" else "objects"
    tried = []
    for weight in (0.0,) if law == "none" else weights:
        maps = train_dual(left[paired], right[partners], *ends, replace(plan or DualPlan(), law=law, weight=weight))
        there, back = _both(maps, *apart)
        tried.append((there.reciprocal.value + back.reciprocal.value, weight, maps))
    _, weight, maps = max(tried, key=lambda one: one[:2])
    x, y = scored
    return DualRun(
        len(paired),
        seed,
        arm,
        weight,
        *_both(maps, x, y),
        round_trip_defect(maps.forward, maps.backward, x),
        share_home(maps.forward, maps.backward, x, y),
    )


def _both(maps: DualMaps, left: Floats, right: Floats) -> tuple[Retrieval, Retrieval]:
    return find_partners("there", maps.forward(left), right), find_partners("back", maps.backward(right), left)


def _reduced(data: Data, dims: int | None) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Centred unit rows of both sides in the leading principal components of the objects to train on."""
    parts = []
    for train, test in zip(data.train, data.test, strict=True):
        if not isinstance(train, np.ndarray) or train.ndim != 2:
            raise InputError("Dual learning needs features on both sides; see presheaf.pretext.featured.")
        rows, others = unit_rows(train), unit_rows(test)
        mean = rows.mean(axis=0)
        rows, others = rows - mean, others - mean
        if dims is not None and dims < rows.shape[1]:
            axes = np.linalg.svd(rows, full_matrices=False)[2][:dims]
            rows, others = rows @ axes.T, others @ axes.T
        parts.append((unit_rows(rows), unit_rows(others)))
    return (parts[0][0], parts[1][0]), (parts[0][1], parts[1][1])
