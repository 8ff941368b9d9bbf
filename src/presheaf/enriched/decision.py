"""Do prompts decide? One prompt per label, and the label whose prompt is nearest: Theorem 1 at decision level."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.evidence import Criteria, Level, candidate_objects, permutation_p, split_objects
from presheaf.enriched.hom import LIMIT, Hom, Variance
from presheaf.enriched.weights import all_between, between, candidate_parts, thinned
from presheaf.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EXACT = 1 << 27
"""Comparisons up to which all choices of prompts are tried."""
BLOCK = 1 << 22
"""Distances gathered at once while they are."""
SWEEPS = 20
"""Rounds of coordinate descent at most; each goes on only where it lowers the error."""
NULL_NUMBERS = 1 << 21
"""Distances times labels a null is made on."""


@dataclass(frozen=True)
class Decision:
    """One prompt per label, and how often the nearest one belongs to the right label.

    Attributes
    ----------
    labels : tuple
        Ascending; ``level.prompts`` holds the prompt of each.
    level : Level
        Verdict on held-out objects; its deviations are 0 (right) and 1 (wrong, or tied with another label's prompt).
    error : float
        Share of the choosing objects decided wrongly by these prompts.
    least_error : float or None
        Least share that any choice of prompts among the candidates decides wrongly on the choosing objects (proof, on
        these); None where there were too many to try.
    majority : float
        Share of held-out objects without the choosing objects' most common label: the error of deciding blindly.
    null_p : float
        Share of shuffled labels whose prompts, chosen the same way, decide as well on held-out objects.
    candidates : int
    choosing : int
        Objects that chose: as many, at random, as fit the limit with their distances to all candidates.
    """

    labels: tuple[Any, ...]
    level: Level
    error: float = field(repr=False)
    least_error: float | None = field(repr=False)
    majority: float
    null_p: float
    candidates: int
    choosing: int = field(repr=False)


def decision_level(
    hom: Hom,
    labels: ArrayLike,
    variance: Variance,
    *,
    candidates: ArrayLike | None = None,
    scoring: ArrayLike | None = None,
    outside: float = 0.05,
    alpha: float = 0.05,
    rounds: int = 99,
    seed: int = 0,
    limit_bytes: int = LIMIT,
) -> Decision:
    """The least error of argmin_c d(x, p_c) over one prompt per label, with a verdict on held-out objects.

    Parameters
    ----------
    hom : Hom
    labels : array of shape (n,)
    variance : "contravariant" for d(x, p) = hom(x, p), "covariant" for hom(p, x)
    candidates : int array, optional
        Objects that may be a prompt, of whatever label; default those that choose.
    scoring : int array or bool mask, optional
        Objects that score; the others choose. Default a random half.
    outside : float
        The error that counts as none.
    alpha : float
        Level of each test.
    rounds : int
        Shuffled labels for the null; 0 for none.

    Raises
    ------
    InputError
        If there are fewer than two labels among the choosing objects, or not even a few of these fit ``limit_bytes``.

    Notes
    -----
    Ties between labels count as errors: the prompts don't decide. Where labels and candidates are few, all choices are tried,
    and "not within the candidates" means that each leaves more than ``outside`` wrong at level alpha (intersection-union).
    Otherwise coordinate descent, one label's prompt at a time from two starts: heuristic, never worse than its starts, and no
    ground for "not". Cost: labels x objects x candidates a sweep.
    """
    given = np.asarray(labels)
    if given.shape != (hom.n,):
        raise InputError(f"labels must be one for each of {hom.n} objects; got shape {given.shape}.")
    criteria = Criteria(0.0, outside, alpha)
    choosing, held = split_objects(hom.n, scoring, seed)
    points = candidate_objects(hom.n, candidates, choosing)
    names, code = np.unique(given, return_inverse=True)
    if len(np.unique(code[choosing])) < 2:
        raise InputError("decisions need at least two labels among the choosing objects; give more objects or labels.")
    rng = np.random.default_rng(seed)
    choosing = thinned(choosing, len(points), rng, limit_bytes)
    distances = all_between(hom, choosing, points, variance, limit_bytes)
    count = len(names)
    exact = prod([len(points)] * count) * hom.n * count <= EXACT
    if exact:
        unseen = all_between(hom, held, points, variance, limit_bytes)
        prompts, wrong, least_held = _try_all(distances, code[choosing], unseen, code[held], count)
        # A prompt says nothing about itself; counting it as right only makes "not" harder.
        own = count if len(np.intersect1d(points, held)) else 0
        least, _ = criteria.share(max(0, least_held - own), len(held))
    else:
        prompts, wrong = _descend(distances, code[choosing], count)
        least = 0.0
    others = np.setdiff1d(held, points[prompts])
    parts = candidate_parts(count, len(others), limit_bytes)
    right = [decided(between(hom, others[part], points[prompts], variance), code[others[part]]) for part in parts]
    off = (~np.concatenate(right)).astype(np.float64)
    common = int(np.argmax(np.bincount(code[choosing], minlength=count)))
    return Decision(
        tuple(names.tolist()),
        criteria.judge("decision", points[prompts], off, 1.0, least, 0),
        wrong / len(choosing),
        wrong / len(choosing) if exact else None,
        float(np.mean(code[held] != common)),
        _null(hom, code, variance, choosing, held, points, rounds, rng),
        len(points),
        len(choosing),
    )


def decided(distances: Floats, code: Ints) -> NDArray[np.bool_]:
    """Whether the right label's prompt is strictly nearest. distances: (n, labels); code: (n,). Shape (n,)."""
    own = np.take_along_axis(distances, code[:, None], axis=1)[:, 0]
    others = distances.copy()
    np.put_along_axis(others, code[:, None], np.inf, axis=1)
    # An object that no prompt reaches is not decided, nor is one at inf from its own.
    return np.asarray(own < others.min(axis=1))


def _try_all(distances: Floats, code: Ints, unseen: Floats, unseen_code: Ints, count: int) -> tuple[Ints, int, int]:
    """The choice with fewest errors, that number, and the fewest errors of any choice on the unseen objects."""
    m = distances.shape[1]
    step = max(1, BLOCK // (max(len(code), len(unseen_code)) * count))
    best, least, least_unseen = 0, len(code) + 1, len(unseen_code)
    for start in range(0, m**count, step):
        number = np.arange(start, min(start + step, m**count))
        choice = np.stack(np.unravel_index(number, (m,) * count), axis=1)
        errors = _errors(distances, code, choice)
        first = int(np.argmin(errors))
        if errors[first] < least:
            least, best = int(errors[first]), int(number[first])
        least_unseen = min(least_unseen, int(_errors(unseen, unseen_code, choice).min()))
    return np.array(np.unravel_index(best, (m,) * count), dtype=np.int64), least, least_unseen


def _errors(distances: Floats, code: Ints, choice: Ints) -> Ints:
    """Objects decided wrongly by each choice of prompts, shape (choices,)."""
    gathered = distances[:, choice]
    own = np.take_along_axis(gathered, code[:, None, None], axis=2)
    np.put_along_axis(gathered, code[:, None, None], np.inf, axis=2)
    return np.asarray(np.count_nonzero(own[:, :, 0] >= gathered.min(axis=2), axis=0))


def _descend(distances: Floats, code: Ints, count: int) -> tuple[Ints, int]:
    """Coordinate descent from two starts: nearest on average to the label, and nearest compared with the others."""
    member = np.zeros((count, len(code)))
    member[code, np.arange(len(code))] = 1
    size = np.maximum(member.sum(axis=1), 1)[:, None]
    # Infinite distances count as further than any finite one.
    finite = distances[np.isfinite(distances)]
    capped = np.minimum(distances, 2 * finite.max(initial=0.5))
    inside = member @ capped / size
    outside = (capped.sum(axis=0) - inside * size) / np.maximum(1, len(code) - size)
    results = [_sweeps(distances, code, start.argmin(axis=1)) for start in (inside, inside - outside)]
    return min(results, key=lambda result: result[1])


def _sweeps(distances: Floats, code: Ints, prompts: Ints) -> tuple[Ints, int]:
    count = len(prompts)
    right = int(decided(distances[:, prompts], code).sum())
    for _ in range(SWEEPS):
        before = right
        for label in range(count):
            counts = _right_with(distances, code, prompts, label)
            if counts.max() > right:
                right = int(counts.max())
                prompts = np.where(np.arange(count) == label, int(counts.argmax()), prompts)
        if right == before:
            break
    return prompts, len(code) - right


def _right_with(distances: Floats, code: Ints, prompts: Ints, label: int) -> Ints:
    """Objects decided rightly when one label's prompt is each candidate and the others stay, shape (candidates,)."""
    others = distances[:, prompts]
    others[:, label] = np.inf
    mine = code == label
    own = np.take_along_axis(others, code[:, None], axis=1)[:, 0]
    rivals = others.copy()
    np.put_along_axis(rivals, code[:, None], np.inf, axis=1)
    # Others' objects that are right already among the others stay so where the candidate is further than their own prompt.
    safe = ~mine & (own < rivals.min(axis=1))
    gained = np.count_nonzero(distances[mine] < rivals[mine].min(axis=1)[:, None], axis=0)
    return np.asarray(gained + np.count_nonzero(distances[safe] > own[safe, None], axis=0))


def _null(
    hom: Hom,
    code: Ints,
    variance: Variance,
    choosing: Ints,
    held: Ints,
    points: Ints,
    rounds: int,
    rng: np.random.Generator,
) -> float:
    """Permutation p: prompts chosen by descent and scored on shuffled labels as on the true ones, on a sample."""
    if rounds < 1:
        return float("nan")
    count = int(code.max()) + 1
    some = np.sort(rng.permutation(points)[: max(count, int(np.sqrt(NULL_NUMBERS / count)) // 2)])
    half = max(1, NULL_NUMBERS // (2 * count * len(some)))
    first, second = (np.sort(rng.permutation(side)[:half]) for side in (choosing, held))
    distances = between(hom, np.concatenate([first, second]), some, variance)
    labels = code[np.concatenate([first, second])]
    right = []
    for shuffled in [labels] + [rng.permutation(labels) for _ in range(rounds)]:
        prompts, _ = _descend(distances[: len(first)], shuffled[: len(first)], count)
        right.append(int(decided(distances[len(first) :, prompts], shuffled[len(first) :]).sum()))
    return permutation_p(sum(r >= right[0] for r in right[1:]), rounds)
