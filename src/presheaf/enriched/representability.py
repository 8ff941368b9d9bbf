"""Is a task one prompt? Representability of a presheaf at value and calibrated level (Theorem 1), with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.calibration import Calibration, contradictions, fit_calibration, screen
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
from presheaf.enriched.quantale import Quantale, excess
from presheaf.enriched.weights import between, candidate_parts
from presheaf.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SCREENED = 1000
"""Choosing objects that screen candidates for the calibrated level; the chosen one is fitted on all of them."""
PERMUTED = 2000
"""Objects a permutation null is made on."""


@dataclass(frozen=True, eq=False)
class Defects:
    """How far a task is from each candidate's representable, in the sup distance over all objects given.

    Attributes
    ----------
    candidates : int64 array of shape (m,)
    own : float64 array of shape (m,)
        a(p) = T(p): how much p fails its own task.
    beyond : float64 array of shape (m,)
        b(p) = sup_x (d(x, p) - T(x))^+: T holds where p does not reach.
    within : float64 array of shape (m,)
        sup_x (T(x) - d(x, p))^+; equal to ``own`` where T is a presheaf and hom(p, p) the unit (Yoneda).
    functor : float
        delta = sup (T(x) - d(x, p) (+) T(p))^+ over objects x and candidates p: by how much T misses being a presheaf.
    complete : bool
        Whether every object is a candidate, so that ``functor`` is the functor defect itself and not a lower bound.
    kind : str
        "proof": a statement about these objects and candidates, up to float64 rounding.
    """

    candidates: Ints = field(repr=False)
    own: Floats = field(repr=False)
    beyond: Floats = field(repr=False)
    within: Floats = field(repr=False)
    functor: float
    complete: bool
    kind: str = "proof"

    @property
    def rho(self) -> Floats:
        """rho_p = sup_x |T(x) - d(x, p)| for each candidate, shape (m,); max(own, beyond) where T is a presheaf."""
        return np.asarray(np.maximum(self.within, self.beyond))

    @property
    def best(self) -> int:
        """The candidate with the least rho_p; the first of several."""
        return int(self.candidates[int(np.argmin(self.rho))])

    @property
    def least(self) -> float:
        """rho_1 over the candidates."""
        return float(self.rho.min())

    def __repr__(self) -> str:
        return f"Defects(rho {self.least:.4g} at object {self.best}, functor defect {self.functor:.4g})"


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
    calibration : Calibration
        The fitted g.
    null_p : float
        Share of shuffled tasks that a chosen prompt meets as well on held-out objects (value level); nan if not asked for.
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
    calibration: Calibration = field(repr=False)
    null_p: float

    def __repr__(self) -> str:
        return (
            f"Representability(value: {self.value.verdict}, calibrated: {self.calibrated.verdict}, "
            f"prompt {self.value.prompts[0]} of {self.candidates}, margin {self.criteria.margin:g}, null p {self.null_p:.3g})"
        )


def class_task(hom: Hom, members: ArrayLike, off: float) -> Floats:
    """The task of a label: distance 0 on its objects and ``off`` elsewhere. Float64, shape (n,).

    Parameters
    ----------
    members : bool array of shape (n,)
    off : float
        Distance off the class: ``hom.quantale.cap`` (inf where it is) for "not at all", or a finite distance from which on
        objects count as unrelated. With inf a prompt must not reach any object off the class at all, so real models need
        a finite one.

    Raises
    ------
    InputError
        If members are no mask, or ``off`` is no distance above 0.
    """
    mask = np.asarray(members)
    if mask.shape != (hom.n,) or mask.dtype != bool:
        raise InputError(f"members must be a bool array of shape ({hom.n},); got shape {mask.shape} of {mask.dtype}.")
    if not 0 < off <= hom.quantale.cap:
        raise InputError(f"off must be a distance in (0, {hom.quantale.cap:g}] of {hom.quantale.name}; got {off!r}.")
    return np.where(mask, 0.0, off)


def representability_defects(
    hom: Hom,
    task: ArrayLike,
    variance: Variance,
    candidates: ArrayLike | None = None,
    limit_bytes: int = LIMIT,
) -> Defects:
    """rho_p = sup_x |T(x) - d(x, p)| with its parts, for every candidate, over all objects given.

    Parameters
    ----------
    hom : Hom
    task : float array of shape (n,)
        T in distances of the hom's quantale, 0 where the task holds fully; see ``class_task`` for labels.
    variance : "contravariant" for d(x, p) = hom(x, p), "covariant" for hom(p, x)
    candidates : int array of shape (m,), optional
        Objects that may be the prompt; default all.

    Notes
    -----
    For an exact category given whole this is the answer: T is representable within eps iff ``least`` <= eps. Cost: n m
    distances in float64 blocks within ``limit_bytes``.
    """
    values = as_task(hom, task)
    chosen = candidate_objects(hom.n, candidates, np.arange(hom.n))
    beyond, within, functor = np.zeros(len(chosen)), np.zeros(len(chosen)), 0.0
    everything = np.arange(hom.n)
    for part in candidate_parts(hom.n, len(chosen), limit_bytes):
        distances = between(hom, everything, chosen[part], variance)
        beyond[part], within[part], delta = _sups(distances, values, values[chosen[part]], hom.quantale)
        functor = max(functor, delta)
    return Defects(chosen, values[chosen], beyond, within, functor, len(chosen) == hom.n)


def _sups(distances: Floats, task: Floats, own: Floats, quantale: Quantale) -> tuple[Floats, Floats, float]:
    """sup (d - T)^+ and sup (T - d)^+ for each candidate, and the largest functor defect among them."""
    with np.errstate(invalid="ignore"):
        difference = distances - task[:, None]
    # fmax and fmin pass over inf - inf.
    beyond = np.fmax.reduce(difference, axis=0, initial=0.0)
    within = -np.fmin.reduce(difference, axis=0, initial=0.0)
    if quantale.sums:
        # (T(x) - min(d + T(p), cap))^+ = ((T(x) - d)^+ - T(p))^+, as T keeps within the cap.
        functor = excess(within, own)
    else:
        functor = excess(task[:, None], quantale.add(distances, own))
    return beyond, within, float(functor.max(initial=0.0))


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
    def calibrated_choice(self) -> int:
        return int(self.candidates[np.lexsort((self.squares, self.impossible))[0]])


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
    m, everything = len(candidates), np.arange(hom.n)
    screening = np.sort(rng.permutation(choosing)[:SCREENED])
    pairs = rng.permutation(held)[: len(held) // 2 * 2].reshape(-1, 2).T
    counts = (np.zeros(m, dtype=np.int64) for _ in range(5))
    outside, infinite, held_outside, impossible, contradicted = counts
    beyond, within, mean, squares = (np.zeros(m) for _ in range(4))
    functor = 0.0
    for part in candidate_parts(hom.n, m, limit_bytes):
        points = candidates[part]
        distances = between(hom, everything, points, variance)
        beyond[part], within[part], delta = _sups(distances, task, task[points], hom.quantale)
        functor = max(functor, delta)
        off = deviation(distances, task[:, None])
        outside[part], infinite[part], mean[part] = choice_key(off[choosing], criteria.threshold)
        # A prompt says nothing about itself; counting it as inside only makes "not" harder.
        off[points, np.arange(len(points))] = 0.0
        held_outside[part] = np.count_nonzero(off[held] > criteria.threshold, axis=0)
        impossible[part], squares[part] = screen(distances[screening], task[screening])
        contradicted[part] = contradictions(
            distances[pairs[0]], distances[pairs[1]], task[pairs[0]], task[pairs[1]], criteria.threshold
        )
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
        pairs.shape[1],
    )


def choice_key(off: Floats, threshold: float) -> tuple[Ints, Ints, Floats]:
    """What prompts are chosen by, in this order, from deviations of shape (objects, candidates).

    Objects outside the threshold, objects infinitely far, and the mean deviation of the others. Shapes (candidates,).
    """
    infinite = np.isinf(off)
    finite = np.where(infinite, 0.0, off).sum(axis=0) / np.maximum(1, len(off) - infinite.sum(axis=0))
    return np.count_nonzero(off > threshold, axis=0), infinite.sum(axis=0), finite


def _value_level(
    hom: Hom, task: Floats, variance: Variance, tally: _Tally, choosing: Ints, held: Ints, criteria: Criteria
) -> Level:
    prompt = tally.value_choice
    off = deviation(hom.row(prompt, variance), task)
    least, _ = criteria.share(int(tally.held_outside.min()), len(held))
    bound = cut_at(off[choosing], hom.quantale.cap)
    return criteria.judge("value", prompt, off[held[held != prompt]], bound, least, 0)


def _calibrated_level(
    hom: Hom, task: Floats, variance: Variance, tally: _Tally, choosing: Ints, held: Ints, criteria: Criteria
) -> tuple[Level, Calibration]:
    prompt = tally.calibrated_choice
    row = hom.row(prompt, variance)
    calibration = fit_calibration(row[choosing], task[choosing])
    off = deviation(calibration(row), task)
    # Of a contradicted pair one object lies outside, so the share outside is at least half the share of such pairs.
    pairs, _ = criteria.share(int(tally.contradicted.min()), tally.pairs)
    bound = cut_at(off[choosing], hom.quantale.cap)
    level = criteria.judge("calibrated", prompt, off[held[held != prompt]], bound, pairs / 2, calibration.fitted)
    return level, calibration


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
    half = PERMUTED // 2
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
    return permutation_p(0.0, np.array([0.0 if score <= scores[0] else 1.0 for score in scores[1:]]))
