"""How far two changes of one weight matrix are apart, whatever gauge they are written in."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.language.lora_factors import Change, LowRank, Matrix, gauge_fixed, principal_angles


@dataclass(frozen=True, eq=False)
class ChangeDistance:
    """Two changes of the same matrix compared as arrows.

    Attributes
    ----------
    distance : float
        Frobenius norm of their difference.
    relative : float
        The same divided by sqrt(||first||^2 + ||second||^2): 0 for equal, 1 for orthogonal, sqrt(2) for opposite ones.
    cosine : float
        Their cosine as vectors of out x in numbers; NaN when one of them is no change.
    chance : float
        Standard deviation of the cosine when one of them is turned at random on both sides: 1 / sqrt(out x in).
    outputs, inputs : arrays of shape (min of the ranks,)
        Principal angles in radians between what they write to, and between what they read from.
    """

    distance: float
    relative: float
    cosine: float
    chance: float
    outputs: NDArray[np.float64]
    inputs: NDArray[np.float64]


def change_distance(first: LowRank | Change | Matrix, second: LowRank | Change | Matrix) -> ChangeDistance:
    """Compare two changes of one matrix. The answer is the same for (B, A) and (BG, G^-1 A).

    Raises
    ------
    InputError
        If they are not of one shape.

    Notes
    -----
    Cost: (out + in)(k + l)^2 for ranks k and l; out x in numbers are never held for products.
    """
    one = first if isinstance(first, Change) else gauge_fixed(first)
    two = second if isinstance(second, Change) else gauge_fixed(second)
    if one.shape != two.shape:
        raise InputError(f"Two changes of one matrix must have one shape; got {one.shape} and {two.shape}.")
    apart = gauge_fixed(
        LowRank(np.hstack([one.left * one.values, -two.left * two.values]), np.hstack([one.right, two.right]).T)
    ).norm
    inner = float(np.sum((one.left.T @ two.left) * (one.right.T @ two.right) * np.outer(one.values, two.values)))
    both = one.norm * two.norm
    total = sqrt(one.norm**2 + two.norm**2)
    return ChangeDistance(
        apart,
        apart / total if total else 0.0,
        inner / both if both else float("nan"),
        1 / sqrt(one.shape[0] * one.shape[1]),
        principal_angles(one.left, two.left),
        principal_angles(one.right, two.right),
    )
