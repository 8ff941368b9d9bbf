"""Learning curves: accuracy against the number of examples, and what it takes to reach a target."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Reach:
    """Number of examples at which a curve meets a target; None where the curve never does."""

    k: float | None
    low: float | None
    high: float | None


def _fit(k: NDArray[Any], accuracy: NDArray[Any]) -> tuple[float, float, float]:
    """Least squares for accuracy = a - b k^-c with c on a grid and b >= 0 (linear in a, b for each c)."""
    best = (float("inf"), float(accuracy[-1]), 0.0, 1.0)
    for c in np.geomspace(0.05, 2.5, 40):
        basis = -(k**-c)
        centred = basis - basis.mean()
        scale = float(centred @ centred)
        b = max(0.0, float(centred @ (accuracy - accuracy.mean())) / scale) if scale > 0 else 0.0
        a = min(1.0, float(accuracy.mean() - b * basis.mean()))
        error = float(np.sum((accuracy - a - b * basis) ** 2))
        if error < best[0] - 1e-15:
            best = (error, a, b, float(c))
    return best[1:]


def _solve(a: float, b: float, c: float, target: float) -> float:
    if a <= target:
        return float("inf")
    # Through logarithms, because the power itself may be more than a float holds.
    exponent = log(b / (a - target)) / c if b > 0 else 0.0
    return exp(max(0.0, exponent)) if exponent < 700 else float("inf")


def reach(
    k: NDArray[Any], draws: NDArray[Any], target: float, seed: int = 0, repeats: int = 200, row_noise: float = 0.0
) -> Reach:
    """Number of examples at which the mean of a power law a - b k^-c fitted to a curve meets ``target``.

    Parameters
    ----------
    k : array of shape (m,), ascending
    draws : array of shape (m, r)
        Accuracy of r independent draws of k examples; NaN where a draw is missing.
    row_noise : float
        Standard error that all points share because they are scored on the same rows.

    Returns
    -------
    Reach
        95 % interval by resampling the draws of every point and shifting the curve by the shared noise and by how far
        the curve is from any power law; ``high`` is None when more than 2.5 % of the resampled curves stay below the
        target for ever.
    """
    rng = np.random.default_rng(seed)
    mean = np.nanmean(draws, axis=1)
    if len(k) < 3:
        inside = np.flatnonzero(mean >= target)
        return Reach(float(k[inside[0]]) if len(inside) else None, None, None)
    a, b, c = _fit(k, mean)
    centre = _solve(a, b, c, target)
    misfit = float(np.sum((mean - a + b * k**-c) ** 2)) / max(1, len(k) - 3)
    shift = sqrt(row_noise**2 + misfit)
    solved = np.empty(repeats)
    width = draws.shape[1]
    for i in range(repeats):
        again = np.nanmean(np.take_along_axis(draws, rng.integers(0, width, draws.shape), axis=1), axis=1)
        missing = np.isnan(again)
        again[missing] = mean[missing]
        solved[i] = _solve(*_fit(k, again + shift * float(rng.standard_normal())), target)
    solved.sort()
    low, high = solved[int(0.025 * repeats)], solved[int(0.975 * repeats) - 1]

    def finite(value: float) -> float | None:
        return float(value) if np.isfinite(value) and value < 1e9 else None

    return Reach(finite(centre), finite(low), finite(high))
