"""How distances between feature vectors are computed: by squared Euclidean distance, or row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError

Array = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Euclidean:
    """A distance that grows with the squared Euclidean distance of prepared features.

    ``shape`` takes squared distances to distances and ``inverse`` back (the largest square at a distance, inf where
    every square is within it). ``check`` refuses features that can't be prepared. A matrix product gives the squares, so
    blocks are fast and searches prune.
    """

    check: Callable[[Array], None]
    prepare: Callable[[Array], Array]
    shape: Callable[[Array], Array]
    inverse: Callable[[Array], Array]

    def squares(self, u: Array, v: Array) -> Array:
        """Squared distances (len(u), len(v)) by the cancelling formula: small ones are inexact."""
        block = np.asarray(u @ v.T)
        block *= -2
        block += np.einsum("ij,ij->i", u, u)[:, None]
        block += np.einsum("ij,ij->i", v, v)
        return np.asarray(np.maximum(block, 0, out=block))


@dataclass(frozen=True)
class RowWise:
    """A distance computed in float64 by ``block`` for all pairs and by ``pairs`` for listed pairs of prepared rows."""

    check: Callable[[Array], None]
    prepare: Callable[[Array], Array]
    block: Callable[[Floats, Floats], Floats]
    pairs: Callable[[Floats, Floats], Floats]


def anything(features: Array) -> None:
    """Refuse features whose squared distances leave float32; any others will do."""
    largest = max(float(features.max(initial=0.0)), -float(features.min(initial=0.0)))
    allowed = (float(np.finfo(np.float32).max) / (8 * max(1, features.shape[1]))) ** 0.5
    if largest > allowed:
        raise InputError(
            f"features of length {features.shape[1]} must lie within +-{allowed:.1g} for their squares to be computed; got "
            f"{largest:.1g}. Scale them, and tau with them, or use angle()."
        )


def directed(features: Array) -> None:
    """Refuse features with a zero row: it has no direction."""
    some = (features != 0).any(axis=1)
    if not some.all():
        raise InputError(
            f"an angle needs features with a direction; row {int(np.argmin(some))} is zero. Leave such objects out, or use a "
            "kernel of differences (laplacian)."
        )


def partial_rows(features: Array) -> None:
    """Refuse rows that are no probabilities over some continuations: each >= 0, sum at most 1."""
    _rows(features, whole=False)


def whole_rows(features: Array) -> None:
    """Refuse rows that are no probabilities over all continuations: each >= 0, sum 1."""
    _rows(features, whole=True)


def _rows(features: Array, whole: bool) -> None:
    total = features.sum(axis=1, dtype=np.float64)
    bad = (features < 0).any(axis=1) | (total > 1 + 1e-4)
    if whole:
        bad |= total < 1 - 1e-4
    if bad.any():
        row = int(np.argmax(bad))
        expected = "1" if whole else "at most 1"
        raise InputError(
            f"rows must be probabilities >= 0 with sum {expected}; row {row} has least entry {features[row].min():g} and "
            f"sum {total[row]:g}. Normalise the rows, or add a column for what is left over."
        )


def as_given(features: Array) -> Array:
    """The features themselves."""
    return features


def unit_rows(features: Array) -> Array:
    """Rows scaled to length 1."""
    # Scaling by the largest entry first keeps squares from overflowing or vanishing.
    scaled = features / np.maximum(features.max(axis=1), -features.min(axis=1))[:, None]
    scaled /= np.sqrt(np.einsum("ij,ij->i", scaled, scaled))[:, None]
    return np.asarray(scaled)


def root_rows(features: Array) -> Array:
    """Square roots of rows of probabilities."""
    return np.asarray(np.sqrt(features))


def log_rows(features: Array) -> Array:
    """Logarithms of rows of probabilities, -inf at 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(features))


def log_ratio_block(u: Floats, v: Floats) -> Floats:
    """max_c (u_c - v_c)^+ for all pairs of rows of logarithms. Cost: rows x columns x continuations."""
    out = np.zeros((len(u), len(v)))
    with np.errstate(invalid="ignore"):
        for left, right in zip(u.T, v.T, strict=True):
            # A continuation impossible under both is no evidence: fmax passes over -inf - -inf.
            np.fmax(out, left[:, None] - right, out=out)
    return out


def log_ratio_pairs(u: Floats, v: Floats) -> Floats:
    """max_c (u_c - v_c)^+ for listed pairs."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.fmax.reduce(u - v, axis=1, initial=0.0))


def variation_block(u: Floats, v: Floats) -> Floats:
    """Total variation, half the sum of absolute differences, of all pairs."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(u, v, "cityblock") / 2)


def variation_pairs(u: Floats, v: Floats) -> Floats:
    """Total variation of listed pairs."""
    return np.asarray(np.abs(u - v).sum(axis=1) / 2)


def entropy_block(u: Floats, v: Floats) -> Floats:
    """Kullback-Leibler divergence of all pairs, in nats; inf where the second lacks what the first has."""
    with np.errstate(divide="ignore"):
        logs = np.log(v)
    own = np.sum(u * np.log(np.where(u > 0, u, 1)), axis=1)
    cross = u @ np.where(v > 0, logs, 0).T
    missing = (u > 0).astype(np.float64) @ (v == 0).T.astype(np.float64)
    return np.where(missing > 0, np.inf, np.maximum(own[:, None] - cross, 0))


def entropy_pairs(u: Floats, v: Floats) -> Floats:
    """Kullback-Leibler divergence of listed pairs, in nats."""
    from scipy.special import rel_entr

    return np.asarray(np.maximum(rel_entr(u, v).sum(axis=1), 0))


def shannon_block(u: Floats, v: Floats) -> Floats:
    """Square root of the Jensen-Shannon divergence of all pairs, in root nats."""
    from scipy.spatial.distance import cdist

    # Rounding can take the divergence of equal rows below 0, whose root is nan.
    return np.asarray(np.nan_to_num(cdist(u, v, "jensenshannon"), nan=0.0))


def shannon_pairs(u: Floats, v: Floats) -> Floats:
    """Square root of the Jensen-Shannon divergence of listed pairs, in root nats."""
    middle = (u + v) / 2
    return np.asarray(np.sqrt((entropy_pairs(u, middle) + entropy_pairs(v, middle)) / 2))
