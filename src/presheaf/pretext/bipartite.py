"""A profunctor between two sides as a hom on their union, and what the symmetric contrastive loss says of it.

The union of the sides has hom [[0, pi], [pi', 0]], with the identities on the diagonal: objects of one side are related through
pairs only.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.construct import hom_from_distances
from presheaf.enriched.hom import Hom
from presheaf.enriched.quantale import Quantale
from presheaf.errors import InputError

Floats = NDArray[np.float64]


def pair_relation(left: Sequence[Hashable], right: Sequence[Hashable]) -> NDArray[np.bool_]:
    """pi[i, j]: whether (left_i, right_j) is one of the pairs (left_k, right_k), for m pairs given in two aligned lists.

    Equal objects are one object: the partner of one is a partner of all. Returns a bool array of shape (m, m). Cost: m^2.
    """
    if len(left) != len(right):
        raise InputError(f"pairs need as many left as right objects; got {len(left)} and {len(right)}.")
    rows, columns = numbered(left), numbered(right)
    relation = np.zeros((rows.max(initial=-1) + 1, columns.max(initial=-1) + 1), dtype=bool)
    relation[rows, columns] = True
    return relation[np.ix_(rows, columns)]


def keys_of(objects: Any) -> list[Hashable]:
    """Something to compare objects by: an array's rows as bytes, texts as they are."""
    return [one.tobytes() if isinstance(one, np.ndarray) else one for one in objects]


def union_hom(between: ArrayLike, quantale: Quantale, name: str, lawful: bool, reason: str) -> Hom:
    """The hom on m left and then k right objects that is known between the sides only.

    Parameters
    ----------
    between : float array of shape (m, k)
        Distances from left to right, the same back.
    quantale : Quantale
        One whose distances may be infinite. Within a side different objects are infinitely apart, every object is at distance 0
        of itself.
    name, reason : str
    lawful : bool

    Returns
    -------
    Hom
        Of m + k objects. Memory: 8 (m + k)^2 bytes.

    Raises
    ------
    InputError
        If ``between`` is no matrix.
    """
    given = np.asarray(between, dtype=np.float64)
    if given.ndim != 2:
        raise InputError(f"distances between two sides have shape (left, right); got {given.shape}.")
    m, k = given.shape
    whole = np.full((m + k, m + k), quantale.cap)
    whole[:m, m:], whole[m:, :m] = given, given.T
    np.fill_diagonal(whole, 0.0)
    return hom_from_distances(whole, quantale, name, lawful, reason)


def pair_loss_parts(
    left: NDArray[Any], right: NDArray[Any], relation: NDArray[Any], temperature: float
) -> tuple[float, float, float]:
    """The symmetric InfoNCE of pairs as cross-entropy, and as Laplacian trace + log-partition of the bipartite graph.

    Parameters
    ----------
    left, right : array of shape (m, d), (k, d)
        Z, stacked.
    relation : array of shape (m, k), >= 0
        pi; every row and column has some weight.
    temperature : float
        tau.

    Returns
    -------
    tuple of float
        (cross-entropy, trace, log-partition) in nats, summed over the m + k objects; the first is the sum of the others.

    Raises
    ------
    InputError
        If an object has no partner.

    Notes
    -----
    With P the row-normalised [[0, pi], [pi', 0]] and K_ij = exp(-|z_i - z_j|^2 / (2 tau)) between the sides, 0 within:
    -sum P_ij log(K_ij / sum_l K_il) = tr(Z' L Z) / tau + sum_i log sum_j K_ij, L the Laplacian of (P + P') / 2 (Tan, Zhang, Yang and
    Yuan, Contrastive learning is spectral clustering on similarity graph, ICLR 2024, for CLIP's graph). On unit vectors K is exp(cos / tau)
    up to a factor, and the cross-entropy is CLIP's loss times the number of objects. Cost: (m + k)^2 d, in float64.
    """
    z = np.concatenate([left, right]).astype(np.float64)
    m, n = len(left), len(z)
    law = np.zeros((n, n))
    law[:m, m:], law[m:, :m] = relation, np.asarray(relation).T
    weight = law.sum(axis=1, keepdims=True)
    if not (weight > 0).all():
        raise InputError(f"every object needs a partner; object {int(np.argmin(weight))} of the union has none.")
    law /= weight
    energy = ((z[:, None] - z[None]) ** 2).sum(axis=2) / (2 * temperature)
    partition = np.log(np.concatenate([np.exp(-energy[:m, m:]).sum(axis=1), np.exp(-energy[m:, :m]).sum(axis=1)]))
    cross_entropy = float((law * (energy + partition[:, None])).sum())
    both = (law + law.T) / 2
    laplacian = np.diag(both.sum(axis=1)) - both
    return cross_entropy, float(np.trace(z.T @ laplacian @ z)) / temperature, float(partition.sum())


def numbered(keys: Sequence[Hashable]) -> NDArray[np.int64]:
    """A number from 0 for each key, equal for equal ones; shape (n,)."""
    known: dict[Hashable, int] = {}
    return np.fromiter((known.setdefault(key, len(known)) for key in keys), dtype=np.int64, count=len(keys))
