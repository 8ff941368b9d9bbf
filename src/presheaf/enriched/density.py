"""How many prompts does a task need? The prompt curve rho_k and the prompt number N_eps (density theorem).

rho_k(T) is the least sup error |T - T_{A,w}| over k prompts A among the candidates and weights w >= 0. All statements here
are about the objects given, with proof from both sides; ``presheaf.enriched.ensembles`` judges on held-out objects.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.cover import (
    NODES,
    error_of,
    exact_choice,
    farthest_first,
    greedy_cover,
    least_cover,
    packing_bounds,
)
from presheaf.enriched.evidence import ROUNDING, candidate_objects
from presheaf.enriched.functor import as_task
from presheaf.enriched.hom import LIMIT, Hom, Variance
from presheaf.enriched.quantale import excess
from presheaf.enriched.weights import PromptWeights, all_between, cover_costs, weights_from
from presheaf.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HALVINGS = 12
"""Errors tried for each k by the greedy covers."""


@dataclass(frozen=True, eq=False)
class PromptCurve:
    """rho_k for k = 1..most, from both sides.

    Attributes
    ----------
    low : float64 array of shape (most,)
        No k prompts among the candidates do better (proof, on these objects).
    high : float64 array of shape (most,)
        What ``fits[k - 1]`` reaches (proof, on these objects). Non-increasing.
    fits : tuple of PromptWeights
        At most k prompts each, with their weights.
    objects, candidates : int
    guarantee : str
        What is known of ``high`` beyond ``low``.
    kind : str
        Always "proof": both sides are statements about the objects and candidates given.
    """

    low: Floats = field(repr=False)
    high: Floats
    fits: tuple[PromptWeights, ...] = field(repr=False)
    objects: int
    candidates: int
    guarantee: str = field(repr=False)
    kind: str = "proof"

    @property
    def exact(self) -> NDArray[np.bool_]:
        """Where both sides meet, up to rounding. Shape (most,)."""
        return _met(self.low, self.high)


@dataclass(frozen=True)
class PromptNumber:
    """N_eps: the fewest prompts that come within a margin of a task.

    Attributes
    ----------
    margin : float
    low, high : int or None
        N_eps lies between them (proof, on these objects). None for high: no number of candidates comes that near.
    least : float
        The sup error that all candidates together reach, so the least of any number of them (proof, on these objects).
    fit : PromptWeights or None
        ``high`` prompts and the weights with which they do.
    kind : str
    """

    margin: float
    low: int
    high: int | None
    least: float
    fit: PromptWeights | None = field(repr=False)
    kind: str = "proof"

    @property
    def exact(self) -> bool:
        """Whether the number is known: both ends agree, or no number of candidates will do."""
        return self.high is None or self.low == self.high


@dataclass(frozen=True, eq=False)
class Covering:
    """A task as a problem of covering; see ``presheaf.enriched.cover``."""

    distances: Floats
    costs: Floats
    free: Floats
    task: Floats
    points: Ints
    hom: Hom

    def fit(self, columns: Ints) -> PromptWeights:
        """Prompts of these columns with their best weights."""
        return weights_from(self.distances[:, columns], self.task, self.points[columns], self.hom.quantale)


def covering(
    hom: Hom,
    task: ArrayLike,
    variance: Variance,
    candidates: ArrayLike | None,
    objects: ArrayLike | None,
    limit_bytes: int,
) -> Covering:
    """The covering problem of a task on some objects (default all) with some candidates (default the objects)."""
    values = as_task(hom, task)
    rows = candidate_objects(hom.n, objects, np.arange(hom.n))
    points = candidate_objects(hom.n, candidates, rows)
    # The costs take as much again as the distances.
    distances = all_between(hom, rows, points, variance, limit_bytes // 2)
    held = values[rows]
    costs = cover_costs(distances, held, hom.quantale)
    return Covering(distances, costs, excess(hom.quantale.cap, held), held, points, hom)


def prompt_curve(
    hom: Hom,
    task: ArrayLike,
    variance: Variance,
    most: int,
    *,
    candidates: ArrayLike | None = None,
    objects: ArrayLike | None = None,
    exact: bool = False,
    nodes: int = NODES,
    limit_bytes: int = LIMIT,
) -> PromptCurve:
    """rho_1, ..., rho_most of a task: how near k weighted prompts come, at best.

    Parameters
    ----------
    hom : Hom
    task : float array of shape (n,)
        In distances.
    variance : "contravariant" or "covariant"
    most : int
    candidates : int array, optional
        Objects that may be prompts; default those fitted on.
    objects : int array, optional
        Objects to fit on; default all.
    exact : bool
        Search until both sides meet (branch and bound within ``nodes`` for each error tried). For some hundred objects.
    nodes : int

    Returns
    -------
    PromptCurve

    Raises
    ------
    InputError
        If the distances don't fit ``limit_bytes``, or ``most`` < 1.

    Notes
    -----
    ``high`` takes the better of farthest-first traversal and of greedy covers at errors between the bounds. For T = 0, a
    lawful symmetric hom and all objects as candidates it is at most twice the least (k-center; Gonzalez 1985); otherwise
    heuristic, with ``low`` beside it. rho_1 is always exact. Memory: 64 bytes x objects x candidates at most. Cost: about
    12 most^2 passes over that matrix.
    """
    if most < 1:
        raise InputError(f"most must be at least 1; got {most!r}.")
    problem = covering(hom, task, variance, candidates, objects, limit_bytes)
    costs, free = problem.costs, problem.free
    columns = farthest_first(costs, free, most)
    low = packing_bounds(costs, free, most)
    choices: list[Ints] = []
    best = np.zeros(0, dtype=np.int64)
    for k in range(1, most + 1):
        options = [best, columns[:k]]
        error = min(error_of(costs, free, option) for option in options)
        options.append(_greedy_choice(costs, free, k, low[k - 1], error))
        best = min(options, key=lambda option: error_of(costs, free, option))
        if exact:
            best, low[k - 1] = exact_choice(costs, free, k, low[k - 1], best, nodes)
        choices.append(best)
    fits = tuple(problem.fit(choice) if len(choice) else _bare(problem) for choice in choices)
    high = np.minimum.accumulate(np.array([fit.error for fit in fits]))
    low = np.minimum(np.maximum.accumulate(low[::-1])[::-1], high)
    guarantee = _guarantee(hom, problem, exact and bool(_met(low, high).all()))
    return PromptCurve(low, high, fits, len(problem.task), len(problem.points), guarantee)


def _met(low: Floats, high: Floats) -> NDArray[np.bool_]:
    """Whether two bounds meet, up to rounding; inf meets inf."""
    return np.asarray(excess(high, low) <= ROUNDING * np.maximum(1, low))


def _guarantee(hom: Hom, problem: Covering, exact: bool) -> str:
    if exact:
        return "exact: branch and bound came to its end for every k"
    central = not problem.task.any() and hom.symmetric and hom.lawful is True and problem.costs.shape[0] == hom.n
    if central and problem.costs.shape[1] == hom.n:
        return "at most twice the least error: T = 0 is the k-center problem (Gonzalez 1985)"
    return "heuristic; the lower bounds say how far from the least it can be"


def _bare(problem: Covering) -> PromptWeights:
    """No prompt at all: T_{A,w} is the cap everywhere."""
    error = float(problem.free.max(initial=0.0))
    return PromptWeights(np.zeros(0, dtype=np.int64), np.zeros(0), error, error)


def _greedy_choice(costs: Floats, free: Floats, k: int, low: float, high: float) -> Ints:
    """At most k columns with a small error between the bounds, by greedy covers at halved errors."""
    best = np.zeros(0, dtype=np.int64)
    finite = costs[np.isfinite(costs)]
    top = min(high, float(finite.max(initial=0.0)))
    for _ in range(HALVINGS):
        if not low < top:
            break
        middle = (low + top) / 2
        found = greedy_cover(costs[free > middle] <= middle, k)
        if found is None:
            low = middle
        else:
            best, top = found, min(middle, error_of(costs, free, found))
    return best


def prompt_number(
    hom: Hom,
    task: ArrayLike,
    variance: Variance,
    margin: float,
    *,
    candidates: ArrayLike | None = None,
    objects: ArrayLike | None = None,
    nodes: int = NODES,
    limit_bytes: int = LIMIT,
) -> PromptNumber:
    """N_eps: the fewest weighted prompts within ``margin`` of a task on the objects given.

    Parameters as for ``prompt_curve``; ``nodes`` = 0 leaves out the search.

    Notes
    -----
    The greedy cover has at most 1 + ln(objects) times the least number of prompts (Chvatal 1979); branch and bound closes the
    gap where it ends within ``nodes``. N_0 = 1 says that T is representable up to a weight. Memory: as
    ``prompt_curve``. Cost: a pass over that matrix for each prompt, and the search, exponential at worst.
    """
    if not margin >= 0:
        raise InputError(f"margin must be a number >= 0; got {margin!r}.")
    problem = covering(hom, task, variance, candidates, objects, limit_bytes)
    threshold = margin + ROUNDING * max(1.0, margin)
    least = error_of(problem.costs, problem.free, np.arange(problem.costs.shape[1]))
    cover = least_cover(problem.costs[problem.free > threshold] <= threshold, nodes)
    if cover.columns is None:
        return PromptNumber(margin, cover.least, None, least, None)
    fit = problem.fit(cover.columns) if len(cover.columns) else _bare(problem)
    return PromptNumber(margin, cover.least, len(cover.columns), least, fit)
