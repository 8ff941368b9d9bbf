"""F_!: a presheaf on one category carried along a map of objects into another."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.closure import minplus
from presheaf.enriched.hom import VARIANCES, Hom, Variance
from presheaf.enriched.quantale import as_numbers
from presheaf.errors import InputError, one_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
End = Literal["from", "to"]


def pushforward(
    target: Hom, images: ArrayLike, values: ArrayLike, variance: Variance, objects: ArrayLike | None = None
) -> Floats:
    """F_! T, the left Kan extension of a presheaf along F followed by the Yoneda embedding of the target.

    Contravariant: F_! T (b) = min_a T(a) (+) D_B(b, Fa). Covariant: min_a T(a) (+) D_B(Fa, b).

    Parameters
    ----------
    target : Hom
    images : int array of shape (k,)
        Fa for the objects a on which T is known.
    values : array of shape (k,) or (m, k)
        T(a), or m presheaves at once, in distances. F_! h_x has T(a) = D_C(a, x) (contravariant) or D_C(x, a).
    objects : int array, optional
        The b that are wanted; all by default.

    Returns
    -------
    float64 array of shape (objects,) or (m, objects)

    Raises
    ------
    InputError
        If there is not one value for each image.

    Notes
    -----
    With all objects of C for the a, F_! h_x = h_Fx where F is an isometric embedding, and then homs between presheaves
    are kept. With anchors only it is the extension from what is known there, never below the true one. Cost: m k objects
    additions; memory: the result and k distances an object.
    """
    one_of("variance", variance, VARIANCES)
    chosen, given = np.asarray(images), as_numbers(values, "values")
    if given.ndim not in (1, 2) or given.shape[-1] != len(chosen):
        raise InputError(f"values must have one distance for each of {len(chosen)} images; got shape {given.shape}.")
    wanted = np.arange(target.n) if objects is None else np.asarray(objects)
    steps = seen(target, wanted, chosen, "to" if variance == "contravariant" else "from")
    carried = minplus(np.atleast_2d(given), steps.T, target.quantale)
    return np.asarray(carried[0] if given.ndim == 1 else carried)


def seen(hom: Hom, objects: ArrayLike, anchors: ArrayLike, end: End) -> Floats:
    """Distances of shape (objects, anchors): hom(x, a) where ``end`` is "to", hom(a, x) where it is "from". Float64."""
    x, a = np.asarray(objects), np.asarray(anchors)
    if end == "to" or hom.symmetric:
        return np.asarray(hom.distances(x, a, np.float64))
    return np.asarray(hom.distances(a, x, np.float64).T)
