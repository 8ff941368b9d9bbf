"""Rung 3: k prompts per label, a colimit of representables, and how many the target takes.

max-type: the label's score is its best prompt's (the colimit in a quantale); mean-type: the mean of its prompts'
(the colimit in vector spaces; for cosine, the nearest class mean); density-type: few prompts with weights, chosen as the
density theorem has it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.climb import Climb, Decide, Prompts, absent, measured
from presheaf.audits.context import CURVE_ROWS, Context
from presheaf.audits.numbers import number
from presheaf.audits.result import CurvePoint, Forecast
from presheaf.audits.rungs import density_prompts
from presheaf.statistics.curves import reach
from presheaf.statistics.intervals import Interval, wilson

NAME = "k prompts per label"
DRAWS = 10
COLUMNS = 2048
"""Most prompts in one draw, over all labels."""
FAR = 16
"""A power law is not read off further out than this many times the largest k that was seen."""
Type = Literal["max", "mean"]
TYPES: tuple[Type, Type] = ("mean", "max")


def sizes(counts: NDArray[np.int64]) -> list[int]:
    """1, 2, 4, ... up to what (nearly) every class has and memory allows."""
    most = int(min(np.quantile(counts, 0.1), COLUMNS / len(counts)))
    return [2**i for i in range(max(most, 1).bit_length()) if 2**i <= max(most, 1)]


@dataclass(frozen=True, eq=False)
class Draws:
    """Hits of random draws. accuracy: shape (types, sizes, draws); orders[r][label] lists row positions by draw."""

    sizes: list[int]
    accuracy: NDArray[np.float64]
    orders: list[list[NDArray[np.int64]]]


def _draw(
    x: NDArray[np.float32],
    y: NDArray[np.int32],
    test: NDArray[np.float32],
    truth: NDArray[np.int32],
    classes: int,
    k: list[int],
    draws: int,
    seed: int,
) -> Draws:
    """Score ``draws`` nested random draws of prompts from (x, y) on (test, truth)."""
    accuracy = np.full((2, len(k), draws), np.nan)
    orders = []
    members = [np.flatnonzero(y == label) for label in range(classes)]
    for r in range(draws):
        rng = np.random.default_rng([seed, r])
        order = [rng.permutation(m)[: k[-1]] for m in members]
        orders.append(order)
        best = np.full((len(k), len(test), classes), -np.inf, dtype=np.float32)
        mean = np.full((len(k), len(test), classes), -np.inf, dtype=np.float32)
        for label, rows in enumerate(order):
            near = test @ x[rows].T
            top = np.maximum.accumulate(near, axis=1)
            total = np.cumsum(near, axis=1)
            for i, size in enumerate(k):
                last = min(size, len(rows)) - 1
                best[i, :, label] = top[:, last]
                mean[i, :, label] = total[:, last] / (last + 1)
        for t, scores in enumerate((mean, best)):
            accuracy[t, :, r] = (scores.argmax(axis=2) == truth).mean(axis=1)
    return Draws(k, accuracy, orders)


def _rule(vectors: list[NDArray[np.float32]], kind: Type) -> Decide:
    if kind == "mean":
        centres = np.stack([v.mean(axis=0) for v in vectors]).T

        def mean(features: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.asarray(features @ centres)

        return mean
    stacked = np.concatenate(vectors)
    starts = np.concatenate([[0], np.cumsum([len(v) for v in vectors])[:-1]])

    def best(features: NDArray[np.float32]) -> NDArray[np.float32]:
        block = max(1, 8_000_000 // len(stacked))
        parts = [
            np.maximum.reduceat(features[i : i + block] @ stacked.T, starts, axis=1)
            for i in range(0, len(features), block)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, len(starts)), dtype=np.float32)

    return best


def curve_point(k: int, kind: Type, draws: NDArray[np.float64], rows: int) -> CurvePoint:
    """Mean over draws; the interval is for a fresh draw and fresh rows (both variances, normal)."""
    mean = float(np.mean(draws))
    low, high = wilson(mean * rows, rows)
    rowwise = (high - low) / 3.92
    half = 1.96 * sqrt(float(np.var(draws, ddof=1)) * (1 + 1 / len(draws)) + rowwise**2)
    return CurvePoint(k, kind, mean, max(0.0, mean - half), min(1.0, mean + half), len(draws))


def climb(context: Context, target: float | None) -> tuple[Climb, tuple[CurvePoint, ...], Forecast | None]:
    """The curve of random labelled rows as prompts, the best ensemble found, and the k that reaches the target.

    The curve draws from the choosing half and is scored on the other. The rung's own number belongs to one ensemble:
    k, type and draw are chosen inside the choosing half.

    Notes
    -----
    Cost: draws x (scored rows <= 4,000) x (prompts <= 2,048) x d, twice.
    """
    counts = np.bincount(context.y_choosing, minlength=context.classes)
    if counts.min() < 2:
        lonely = context.task.classes[int(counts.argmin())]
        return absent(NAME, "estimate", f"class {lonely!r} has fewer than 2 rows on the choosing half"), (), None
    draws = DRAWS if context.classes <= 100 else 5
    test, truth = context.x_scoring[:CURVE_ROWS], context.y_scoring[:CURVE_ROWS]
    drawn = _draw(
        context.x_choosing, context.y_choosing, test, truth, context.classes, sizes(counts), draws, context.seed
    )
    distinct = len(np.unique(context.groups_scoring[:CURVE_ROWS]))
    points = tuple(
        curve_point(k, kind, drawn.accuracy[t, i], distinct)
        for t, kind in enumerate(TYPES)
        for i, k in enumerate(drawn.sizes)
    )
    climbed = _best(context, draws)
    forecast = None
    if target is not None:
        forecast = _forecast(context, drawn, target, distinct)
    return climbed, points, forecast


def _best(context: Context, draws: int) -> Climb:
    first, second = context.inner
    x, y = context.x_choosing[first], context.y_choosing[first]
    inner_counts = np.bincount(y, minlength=context.classes)
    if inner_counts.min() < 1:
        return absent(NAME, "estimate", "a class has too few rows on the choosing half to choose k")
    held = second[:CURVE_ROWS]
    inner = _draw(
        x,
        y,
        context.x_choosing[held],
        context.y_choosing[held],
        context.classes,
        sizes(inner_counts),
        draws,
        context.seed + 1,
    )
    t, i, r = np.unravel_index(int(inner.accuracy.argmax()), inner.accuracy.shape)
    best, kind, k = float(inner.accuracy[t, i, r]), TYPES[int(t)], inner.sizes[int(i)]
    members = [first[rows[:k]] for rows in inner.orders[int(r)]]
    everything = _rule([x[y == label] for label in range(context.classes)], "mean")
    choosing = float((everything(context.x_choosing[held]).argmax(axis=1) == context.y_choosing[held]).mean())
    if choosing >= best:
        # The mean over all rows wins: then it may use the whole choosing half.
        labels = context.y_choosing
        members = [np.flatnonzero(labels == label) for label in range(context.classes)]
        kind, k, best = "mean", int(np.bincount(labels).max()), choosing
    tried = int(np.isfinite(inner.accuracy).sum()) + 1
    dense = density_prompts.best(
        x, y, context.x_choosing[held], context.y_choosing[held], context.classes, context.seed
    )
    evidence = {"k": k, "type": str(kind), "tried": tried, "choosing_accuracy": best}
    if dense is None:
        return _rung(context, _prompts(members, kind), sum(map(len, members)), evidence)
    evidence["tried"] = tried + dense.tried
    # As many right with fewer prompts is a win too.
    if (dense.accuracy, -dense.prompts) > (best, -sum(map(len, members))):
        evidence |= {"k": dense.k, "type": "density", "choosing_accuracy": dense.accuracy, "without_density": best}
        return _rung(context, _weighted([first[rows] for rows in dense.rows], dense.weights), dense.prompts, evidence)
    beside = f"; the density theorem's k = {dense.k} does no better: {number(dense.accuracy)} against {number(best)} where chosen"
    evidence |= {"density_k": dense.k, "density_choosing_accuracy": dense.accuracy}
    return _rung(context, _prompts(members, kind), sum(map(len, members)), evidence, beside)


def _prompts(members: list[NDArray[np.int64]], kind: Type) -> Prompts:
    """These rows of the choosing half as prompts, label by label, whoever the model is."""
    return lambda context: _rule([context.x_choosing[rows] for rows in members], kind)


def _weighted(members: list[NDArray[np.int64]], weights: list[NDArray[np.float64]]) -> Prompts:
    return lambda context: density_prompts.rule([context.x_choosing[rows] for rows in members], weights)


def _rung(context: Context, chosen: Prompts, prompts: int, evidence: dict[str, Any], beside: str = "") -> Climb:
    decide = chosen(context)
    assert decide is not None
    said = f"{evidence['type']}-type, k = {evidence['k']:,} (best of {evidence['tried']} ensembles tried){beside}"
    cost = f"{prompts:,} labelled rows as prompts"
    return replace(measured(context, NAME, decide, cost=cost, detail=said, evidence=evidence), prompts=chosen)


def _forecast(context: Context, drawn: Draws, target: float, rows: int) -> Forecast:
    """First k of the curve that reaches the target, otherwise read off the fitted power law."""
    mean = drawn.accuracy.mean(axis=2)
    t = int(mean[:, -1].argmax())
    kind, k = TYPES[t], np.array(drawn.sizes, dtype=float)
    noise = Interval(0, *wilson(float(mean[t, -1]) * rows, rows), rows, rows, "").half_width / 1.96
    found = reach(k, drawn.accuracy[t], target, context.seed, row_noise=noise)
    inside = np.flatnonzero(mean[t] >= target)
    if len(inside):
        first = float(k[inside[0]])
        low = min(first, found.low) if found.low is not None else 1.0
        high = None if found.high is None else max(first, found.high)
        return Forecast(target, first, low, high, True, f"{kind}-type, within the rows at hand")
    most = drawn.sizes[-1]
    where = f"{kind}-type, power law beyond the k = {most:,} at hand"
    if found.k is not None and found.k <= most:
        # The curve itself shows that more than what was drawn is needed.
        high = None if found.high is None else max(found.high, 2.0 * most)
        found = replace(found, k=2.0 * most, low=float(most), high=high)
    elif found.k is None:
        where = f"{kind}-type, the fitted curve levels off below the target"
    elif found.k > FAR * most:
        found = replace(found, k=None)
        where = f"{kind}-type, more than {FAR} times the k = {most:,} at hand: too far to forecast"
    return Forecast(target, found.k, found.low, found.high, False, where)
