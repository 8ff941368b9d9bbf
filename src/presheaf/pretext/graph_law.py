"""What a contrastive loss is on a similarity graph: a graph Laplacian's trace, and a repulsion (the log-partition)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LaplacianIdentity:
    """The two sides of cross-entropy = trace + log-partition, in nats, summed over rows.

    Attributes
    ----------
    cross_entropy : float
        -sum_ij P(i, j) log(K(i, j) / sum_l K(i, l)).
    trace : float
        tr(Z' L Z) / tau with L the Laplacian of (P + P') / 2: what spectral clustering makes small.
    log_partition : float
        sum_i log sum_j K(i, j): what keeps features from falling together.
    entropy : float
        Of the rows of P: the least the cross-entropy can be, reached iff the rows of K agree with those of P.
    """

    cross_entropy: float
    trace: float
    log_partition: float
    entropy: float


def laplacian_identity(features: ArrayLike, pi: ArrayLike, tau: float) -> LaplacianIdentity:
    """Both sides, each computed on its own, of InfoNCE's identity for the kernel exp(-|u - v|^2 / (2 tau)).

    Parameters
    ----------
    features : array of shape (n, d)
        Z. With vectors of length 1 the kernel's row law is that of exp(cos / tau).
    pi : array of shape (n, n), >= 0
        Weights of the similarity graph; P is pi with each row divided by its sum, the diagonal left out, as K(i, i) = 0.
    tau : float
        Above 0.

    Returns
    -------
    LaplacianIdentity
        ``cross_entropy == trace + log_partition`` up to rounding.

    Raises
    ------
    InputError
        Shapes that don't fit, weights below 0, a row without weight on other objects, or fewer than two objects.

    Notes
    -----
    Tan, Zhang, Yang and Yuan 2024, "Contrastive learning is spectral clustering on similarity graph". Cost: n^2 d, in float64.
    """
    z = np.asarray(features, dtype=np.float64)
    if z.ndim != 2 or len(z) < 2 or not np.isfinite(z).all():
        raise InputError(f"'features' must be finite numbers of shape (n, d) with n at least 2; got shape {z.shape}.")
    if not (tau > 0 and np.isfinite(tau)):
        raise InputError(f"'tau' must be a positive number; got {tau!r}.")
    law = row_law(pi, len(z))
    log_k = -((z[:, None, :] - z[None, :, :]) ** 2).sum(axis=2) / (2 * tau)
    np.fill_diagonal(log_k, -np.inf)
    log_partition = np.logaddexp.reduce(log_k, axis=1)
    some = law > 0
    cross = -float((law[some] * (log_k - log_partition[:, None])[some]).sum())
    weights = (law + law.T) / 2
    laplacian = np.diag(weights.sum(axis=1)) - weights
    trace = float(np.einsum("id,ij,jd->", z, laplacian, z, optimize=True)) / tau
    return LaplacianIdentity(cross, trace, float(log_partition.sum()), row_entropy(law))


def row_law(pi: ArrayLike, n: int) -> Floats:
    """Weights of shape (n, n) as laws by which every row picks another object.

    Raises
    ------
    InputError
        Another shape, weights below 0 or not finite, or a row without weight on other objects.
    """
    weights = np.array(pi, dtype=np.float64)
    if weights.shape != (n, n) or not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise InputError(f"'pi' must be finite weights >= 0 of shape ({n}, {n}); got shape {weights.shape}.")
    np.fill_diagonal(weights, 0.0)
    total = weights.sum(axis=1, keepdims=True)
    if not (total > 0).all():
        row = int(np.argmin(total > 0))
        raise InputError(f"Every object needs a neighbour with weight above 0; object {row} has none.")
    return np.asarray(weights / total)


def row_entropy(law: Floats) -> float:
    """Sum over rows of -sum_j P(i, j) log P(i, j), in nats, 0 log 0 = 0."""
    some = law > 0
    return -float((law[some] * np.log(law[some])).sum())
