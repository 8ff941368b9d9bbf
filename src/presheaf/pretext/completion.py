"""Partial and whole images as a category: an arrow from a partial image to a whole one that completes it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.construct import hom_from_distances, hom_from_features
from presheaf.enriched.forms import RowWise, as_given
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import Kernel
from presheaf.enriched.quantale import PROBABILITY
from presheaf.enriched.sources import equal_rows
from presheaf.errors import InputError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LAWFUL = (
    "proof: arrows that are no identities lead from partial to whole images, so of two that compose one is an identity"
)


def masked(images: NDArray[np.uint8], seen: Bools) -> NDArray[np.uint8]:
    """Images with a last channel that is 255 where a pixel is seen; unseen pixels are 0 everywhere.

    Parameters
    ----------
    images : uint8 array of shape (n, height, width, channels)
    seen : bool array of shape (n, height, width)
    """
    shown = np.where(seen[..., None], images, np.uint8(0))
    return np.concatenate([shown, np.where(seen[..., None], np.uint8(255), np.uint8(0))], axis=3)


def completions(objects: NDArray[np.uint8]) -> Hom:
    """hom(x, y) = the probability that y completes x, each whole image among the objects being as likely as the next.

    Parameters
    ----------
    objects : uint8 array of shape (n, height, width, channels + 1), from `masked`

    Returns
    -------
    Hom
        Directed, in PROBABILITY: from a partial image 1 / k to each of the k whole ones that agree with it wherever it is seen; 1
        between equal objects; else 0.

    Notes
    -----
    Agreement is exact, by whole numbers. Cost: three products of n x n matrices over the pixels.
    """
    n, channels = len(objects), objects.shape[3] - 1
    seen = np.repeat((objects[..., -1:] > 0).astype(np.float64), channels, axis=3).reshape(n, -1)
    pixels = objects[..., :-1].astype(np.float64).reshape(n, -1)
    whole: Bools = np.asarray(seen.all(axis=1), dtype=np.bool_)
    agrees = _gaps(seen, pixels, pixels) == 0
    equal = _equal(objects.reshape(n, -1), objects.reshape(n, -1))
    arrow = agrees & whole & ~whole[:, None]
    values = arrow / np.maximum(1, arrow.sum(axis=1))[:, None]
    values[equal] = 1.0
    return hom_from_distances(PROBABILITY.distance(values), PROBABILITY, "completions", True, LAWFUL)


def completion_kernel(sigma: float) -> Kernel:
    """exp(-|y - prediction from x|^2 / (2 sigma^2)) over the pixels that x hides, for x partial and y whole; PROBABILITY.

    Takes rows that hold in three equal parts which pixels are seen (1 or 0), the pixels, and the prediction of them. 1 between
    equal rows, 0 for other pairs. What is seen of x is not compared: that y agrees with it has to show in the
    prediction. Directed and lawful. Cost of a block: two matrix products in float64.

    Raises
    ------
    InputError
        If sigma is not a positive number; later, if rows have no three equal parts.
    """
    if not (sigma > 0 and np.isfinite(sigma)):
        raise InputError(f"'sigma' must be a positive number; got {sigma!r}.")

    def block(u: Floats, v: Floats) -> Floats:
        hidden, whole = _hidden_and_whole(u, v)
        distances = np.maximum(_gaps(hidden, _part(u, 2), _part(v, 1)), 0) / (2 * sigma**2)
        distances[~whole] = np.inf
        distances[_equal(u, v)] = 0.0
        return distances

    def pairs(u: Floats, v: Floats) -> Floats:
        hidden, partial_of = 1 - _part(u, 0), _part(v, 0).all(axis=1)
        gaps = np.einsum("ij,ij->i", hidden, (_part(u, 2) - _part(v, 1)) ** 2) / (2 * sigma**2)
        gaps[~(partial_of & hidden.any(axis=1))] = np.inf
        return np.where((u == v).all(axis=1), 0.0, gaps)

    return Kernel(
        f"completion(sigma={sigma:g})",
        PROBABILITY,
        False,
        True,
        LAWFUL,
        RowWise(_three_parts, as_given, block, pairs),
    )


def predicted_completions(features: NDArray[np.floating[Any]], kernel: Kernel) -> Hom:
    """The kernel's values of each partial image as probabilities over the whole ones among the objects.

    Parameters
    ----------
    features : float array of shape (n, d)
        As `completion_kernel` takes them.

    Notes
    -----
    Divided in logarithms, so that likelihoods far below what a float holds still have a ratio. Cost: n^2 values.
    """
    distances = hom_from_features(features, kernel).distances(dtype=np.float64)
    whole = _part(features, 0).all(axis=1)
    if whole.any() and not whole.all():
        block = -distances[np.ix_(~whole, whole)]
        top = block.max(axis=1, keepdims=True)
        total = top + np.log(np.exp(block - top).sum(axis=1, keepdims=True))
        distances[np.ix_(~whole, whole)] = np.maximum(0, total - block)
    return hom_from_distances(distances, PROBABILITY, f"{kernel.name}, rows normalised", True, LAWFUL)


def _gaps(weight: Floats, of_rows: Floats, of_columns: Floats) -> Floats:
    """Sum over pixels of weight[x] (of_rows[x] - of_columns[y])^2, shape (rows, columns)."""
    own = np.einsum("ij,ij,ij->i", weight, of_rows, of_rows)
    return np.asarray(own[:, None] - 2 * (weight * of_rows) @ of_columns.T + weight @ (of_columns**2).T)


def _part(rows: NDArray[Any], k: int) -> NDArray[Any]:
    third = rows.shape[1] // 3
    return rows[:, k * third : (k + 1) * third]


def _hidden_and_whole(u: Floats, v: Floats) -> tuple[Floats, Bools]:
    """What each u hides, and whether u is partial and v whole."""
    hidden = 1 - _part(u, 0)
    partial, whole = np.asarray(hidden.any(axis=1)), np.asarray(_part(v, 0).all(axis=1))
    return hidden, partial[:, None] & whole


def _equal(u: NDArray[Any], v: NDArray[Any]) -> Bools:
    number = equal_rows(np.concatenate([u, v]))
    return np.asarray(number[: len(u), None] == number[len(u) :])


def _three_parts(features: NDArray[Any]) -> None:
    seen = _part(features, 0)
    if features.shape[1] % 3 or not np.isin(seen, (0, 1)).all():
        raise InputError(
            f"rows must hold three equal parts: seen (0 or 1), pixels, prediction; got rows of length {features.shape[1]}."
        )
