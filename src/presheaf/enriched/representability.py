"""Is a task one prompt? Representability of a presheaf at value and calibrated level (Theorem 1), with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.concave import Concave, contradictions, fit_concave, fit_kinked, screen
from presheaf.enriched.defects import Defects, sup_distances
from presheaf.enriched.evidence import (
    Criteria,
    Level,
    candidate_objects,
    cut_at,
    deviation,
    permutation_p,
    split_objects,
)
from presheaf.enriched.functor import as_task
from presheaf.enriched.hom import LIMIT, Hom, Variance
from presheaf.enriched.weights import between, candidate_parts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SCREENED = 1000
"""Choosing objects that screen candidates for the calibrated level; a shortlist is fitted on all of them."""
SHORTLIST = 32
"""Candidates that are."""
PERMUTED = 1 << 20
"""Distances a permutation null is made on, but at least ``FEWEST`` objects."""
FEWEST = 64
CALIBRATED_ROUNDS = 19
"""Shuffled tasks of the null of the calibrated level at most: each is screened and fitted anew."""
CALIBRATED_ROWS, CALIBRATED_SHORTLIST = 400, 4
"""Objects of either side, and candidates fitted, in that null: fewer than for the level itself."""


@dataclass(frozen=True)
class Representability:
    """Whether one object represents a task, with the evidence.

    Attributes
    ----------
    hom, quantale : str
    lawful : bool or None
        Of the hom; where not True, the statements are about a hom that may be no category.
    variance : str
    objects, candidates : int
    defects : Defects
        Sup distances on the objects given: proof for these, no estimate for others.
    value, calibrated : Level
        Verdicts on held-out objects: T = h_p, and T = g(h_p) for a rising concave g with g(0) = 0.
    calibration : Concave
        The fitted g.
    null_p : float
        Share of shuffled tasks that a chosen prompt meets as well on held-out objects (value level); nan if not asked for.
    calibrated_null_p : float
        The same for a chosen prompt with a fitted g, from at most 19 shuffles of at most 800 objects.
    """

    hom: str
    quantale: str
    lawful: bool | None
    variance: Variance
    objects: int
    candidates: int
    criteria: Criteria
    defects: Defects = field(repr=False)
    value: Level
    calibrated: Level
    calibration: Concave = field(repr=False)
    null_p: float
    calibrated_null_p: float

    def __repr__(self) -> str:
        value, calibrated = (f"{level.verdict}, prompt {level.prompts[0]}" for level in (self.value, self.calibrated))
        return (
            f"Representability(value: {value}; calibrated: {calibrated}; {self.candidates} candidates, "
            f"margin {self.criteria.margin:g}, null p {self.null_p:.3g})"
        )


def representability(
    hom: Hom,
    task: ArrayLike,
    variance: Variance,
    margin: float,
    *,
    candidates: ArrayLike | None = None,
    scoring: ArrayLike | None = None,
    outside: float = 0.05,
    alpha: float = 0.05,
    rounds: int = 99,
    seed: int = 0,
    limit_bytes: int = LIMIT,
) -> Representability:
    """Whether one object represents a task, up to a margin fixed beforehand.

    Parameters
    ----------
    hom : Hom
    task : float array of shape (n,)
        T in distances of the hom's quantale, 0 where the task holds fully; see ``class_task`` for labels.
    variance : "contravariant" for d(x, p) = hom(x, p), "covariant" for hom(p, x)
    margin : float
        Equivalence margin, in distances: the deviation |T(x) - d(x, p)| that counts as none.
    candidates : int array of shape (m,), optional
        Objects that may be the prompt; default those that choose.
    scoring : int array or bool mask, optional
        Objects that score; the others choose. Default a random half. Objects that belong together must be on one side.
    outside : float
        Largest share of objects that may lie outside the margin.
    alpha : float
        Level of each test.
    rounds : int
        Shuffled tasks for the null; 0 for none.

    Returns
    -------
    Representability

    Notes
    -----
    "Representable": the prompt with the fewest choosing objects outside the margin (then the least mean deviation) leaves at
    most ``outside`` of all objects there, by the upper Clopper-Pearson bound on the scoring objects. "Not within the
    candidates": an intersection-union test, every candidate's lower bound exceeds ``outside``; that needs no correction
    for their number (Berger 1982). At the calibrated level the lower bound is half that on the share of random pairs of
    scoring objects which contradict every g. Otherwise "cannot say". Cost: n m distances in float64 blocks, twice.
    """
    values, criteria = as_task(hom, task), Criteria(margin, outside, alpha)
    choosing, held = split_objects(hom.n, scoring, seed)
    chosen = candidate_objects(hom.n, candidates, choosing)
    rng = np.random.default_rng(seed)
    tally = _tally(hom, values, variance, chosen, choosing, held, criteria, rng, limit_bytes)
    value = _value_level(hom, values, variance, tally, choosing, held, criteria)
    calibrated, calibration = _calibrated_level(hom, values, variance, tally, choosing, held, criteria)
    null = _null(hom, values, variance, chosen, choosing, held, criteria, rounds, rng, limit_bytes)
    calibrated_null = _calibrated_null(hom, values, variance, chosen, choosing, held, criteria, rounds, rng)
    return Representability(
        hom.name,
        hom.quantale.name,
        hom.lawful,
        variance,
        hom.n,
        len(chosen),
        criteria,
        Defects(chosen, values[chosen], tally.beyond, tally.within, tally.functor, len(chosen) == hom.n),
        value,
        calibrated,
        calibration,
        null,
        calibrated_null,
    )


@dataclass(eq=False)
class _Tally:
    """What one pass over the candidates collects; arrays of shape (m,)."""

    candidates: Ints
    beyond: Floats
    within: Floats
    functor: float
    outside: Ints
    infinite: Ints
    mean: Floats
    held_outside: Ints
    impossible: Ints
    squares: Floats
    contradicted: Ints
    pairs: int

    @property
    def value_choice(self) -> int:
        return int(self.candidates[np.lexsort((self.mean, self.infinite, self.outside))[0]])

    @property
    def shortlist(self) -> Ints:
        return self.candidates[np.lexsort((self.squares, self.impossible))[:SHORTLIST]]


def _tally(
    hom: Hom,
    task: Floats,
    variance: Variance,
    candidates: Ints,
    choosing: Ints,
    held: Ints,
    criteria: Criteria,
    rng: np.random.Generator,
    limit_bytes: int,
) -> _Tally:
    m, split, paired = len(candidates), len(choosing), len(held) // 2 * 2
    # In random order on either side, so that every sample taken below is a run of rows.
    order = np.concatenate([rng.permutation(choosing), rng.permutation(held)])
    place = np.argsort(order)
    values = task[order]
    counts = (np.zeros(m, dtype=np.int64) for _ in range(5))
    outside, infinite, held_outside, impossible, contradicted = counts
    beyond, within, mean, squares = (np.zeros(m) for _ in range(4))
    functor = 0.0
    for part in candidate_parts(hom.n, m, limit_bytes):
        points = candidates[part]
        # Copying the block costs less than gathering the features of all objects in another order.
        distances = between(hom, None, points, variance)[order]
        beyond[part], within[part], delta = sup_distances(distances, values, task[points], hom.quantale)
        functor = max(functor, delta)
        impossible[part], squares[part] = screen(distances[:split][:SCREENED], values[:split][:SCREENED])
        pairs = distances[split:][:paired], values[split:][:paired]
        contradicted[part] = contradictions(
            pairs[0][::2], pairs[0][1::2], pairs[1][::2], pairs[1][1::2], criteria.threshold
        )
        off = deviation(distances, values[:, None])
        outside[part], infinite[part], mean[part] = choice_key(off[:split], criteria.threshold)
        # A prompt says nothing about itself; counting it as inside only makes "not" harder.
        off[place[points], np.arange(len(points))] = 0.0
        held_outside[part] = np.count_nonzero(off[split:] > criteria.threshold, axis=0)
    return _Tally(
        candidates,
        beyond,
        within,
        functor,
        outside,
        infinite,
        mean,
        held_outside,
        impossible,
        squares,
        contradicted,
        paired // 2,
    )


def choice_key(off: Floats, threshold: float) -> tuple[Ints, Ints, Floats]:
    """What prompts are chosen by, in this order, from deviations of shape (objects, candidates).

    Objects outside the threshold, objects infinitely far, and the mean deviation of the others. Shapes (candidates,).
    """
    outside = np.asarray(np.count_nonzero(off > threshold, axis=0))
    total = off.sum(axis=0)
    if np.isfinite(total).all():
        return outside, np.zeros(len(total), dtype=np.int64), total / max(1, len(off))
    infinite = np.isinf(off)
    count = infinite.sum(axis=0)
    return outside, count, np.where(infinite, 0.0, off).sum(axis=0) / np.maximum(1, len(off) - count)


def _value_level(
    hom: Hom, task: Floats, variance: Variance, tally: _Tally, choosing: Ints, held: Ints, criteria: Criteria
) -> Level:
    prompt = tally.value_choice
    off = deviation(hom.row(prompt, variance), task)
    least, _ = criteria.share(int(tally.held_outside.min()), len(held))
    bound = cut_at(off[choosing], criteria.margin)
    return criteria.judge("value", prompt, off[held[held != prompt]], bound, least, 0)


def _calibrated_level(
    hom: Hom, task: Floats, variance: Variance, tally: _Tally, choosing: Ints, held: Ints, criteria: Criteria
) -> tuple[Level, Concave]:
    shortlist = np.unique(np.append(tally.shortlist, tally.value_choice))
    columns = between(hom, choosing, shortlist, variance)
    place, calibration = _best_reading(columns, task[choosing], criteria.threshold)
    prompt = int(shortlist[place])
    row = hom.row(prompt, variance)
    off = deviation(calibration(row), task)
    # Of a contradicted pair one object lies outside, so the share outside is at least half the share of such pairs.
    pairs, _ = criteria.share(int(tally.contradicted.min()), tally.pairs)
    bound = cut_at(off[choosing], criteria.margin)
    level = criteria.judge("calibrated", prompt, off[held[held != prompt]], bound, pairs / 2, calibration.fitted)
    return level, calibration


def _best_reading(columns: Floats, task: Floats, threshold: float) -> tuple[int, Concave]:
    """The column and the g that leave the fewest objects outside, by what prompts are chosen by (`choice_key`).

    Two g a column: nearest in least squares, and with the fewest outside among those with one kink or none. The second takes
    in g(t) = t, so that on these objects no fewer lie outside at the value level.
    """
    readings = [
        (i, g)
        for i, column in enumerate(columns.T)
        for g in (fit_concave(column, task), fit_kinked(column, task, threshold))
    ]
    off = np.stack([deviation(g(columns[:, i]), task) for i, g in readings], axis=1)
    return readings[int(np.lexsort(choice_key(off, threshold)[::-1])[0])]


def _null(
    hom: Hom,
    task: Floats,
    variance: Variance,
    candidates: Ints,
    choosing: Ints,
    held: Ints,
    criteria: Criteria,
    rounds: int,
    rng: np.random.Generator,
    limit_bytes: int,
) -> float:
    """Permutation p of the value level: choose and score on shuffled tasks as on the true one."""
    if rounds < 1:
        return float("nan")
    half = max(FEWEST, PERMUTED // len(candidates)) // 2
    first, second = (np.sort(rng.permutation(side)[:half]) for side in (choosing, held))
    objects = np.concatenate([first, second])
    tasks = task[np.stack([objects] + [rng.permutation(objects) for _ in range(rounds)])]
    best: list[tuple[float, ...]] = [(np.inf,)] * len(tasks)
    scores: list[tuple[float, ...]] = [()] * len(tasks)
    for part in candidate_parts(len(objects), len(candidates), limit_bytes):
        distances = between(hom, objects, candidates[part], variance)
        for i, shuffled in enumerate(tasks):
            off = deviation(distances, shuffled[:, None])
            keys = choice_key(off[: len(first)], criteria.threshold)
            p = int(np.lexsort(keys[::-1])[0])
            key = tuple(float(k[p]) for k in keys)
            if key < best[i]:
                best[i] = key
                scores[i] = tuple(float(k[0]) for k in choice_key(off[len(first) :, p : p + 1], criteria.threshold))
    return permutation_p(sum(score <= scores[0] for score in scores[1:]), rounds)


def _calibrated_null(
    hom: Hom,
    task: Floats,
    variance: Variance,
    candidates: Ints,
    choosing: Ints,
    held: Ints,
    criteria: Criteria,
    rounds: int,
    rng: np.random.Generator,
) -> float:
    """Permutation p of the calibrated level; the true task is chosen for, fitted and scored as the shuffled ones are."""
    if rounds < 1:
        return float("nan")
    first, second = (np.sort(rng.permutation(side)[:CALIBRATED_ROWS]) for side in (choosing, held))
    objects, split = np.concatenate([first, second]), len(first)
    distances = between(hom, objects, candidates[:CALIBRATED_ROWS], variance)
    scores: list[tuple[float, ...]] = []
    for r in range(1 + min(rounds, CALIBRATED_ROUNDS)):
        values = task[rng.permutation(objects) if r else objects]
        impossible, squares = screen(distances[:split], values[:split])
        shortlist = np.lexsort((squares, impossible))[:CALIBRATED_SHORTLIST]
        place, g = _best_reading(distances[:split, shortlist], values[:split], criteria.threshold)
        off = deviation(g(distances[split:, shortlist[place]]), values[split:])[:, None]
        scores.append(tuple(float(k[0]) for k in choice_key(off, criteria.threshold)))
    return permutation_p(sum(score <= scores[0] for score in scores[1:]), len(scores) - 1)
