"""Mixtures of two exponential kernels, on the same features or each on a half of them (Kernel-InfoNCE's k_f)."""

from __future__ import annotations

from functools import partial
from math import log

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched import forms
from presheaf.enriched.forms import RowWise
from presheaf.enriched.kernel import Kernel
from presheaf.enriched.quantale import PROBABILITY
from presheaf.errors import InputError

Floats = NDArray[np.float64]


def mixture_kernel(exponent: float, tau: float, share: float, halves: bool) -> Kernel:
    """share exp(-|u - v|^exponent / tau) + (1 - share) exp(-|u - v|^2 / tau) in PROBABILITY.

    Parameters
    ----------
    exponent : float
        In (0, 2).
    tau : float
        Above 0.
    share : float
        In (0, 1), the first kernel's.
    halves : bool
        False: both kernels of all features (Simple Sum). True: the first of the first half of the features, the Gaussian of
        the second half (Concatenation Sum).

    Returns
    -------
    Kernel
        Carried as unlawful: ``reason`` names three points on a line for which the triangle law fails, where such are
        found. Positive definite, as both parts are.

    Raises
    ------
    InputError
        A number out of its range; later, if halves are asked of features of odd length.

    Notes
    -----
    Tan, Zhang, Yang and Yuan 2024, "Contrastive learning is spectral clustering on similarity graph". Cost of a block: its pairs
    times the features' length, in float64.
    """
    if not (0 < exponent < 2 and tau > 0 and 0 < share < 1):
        raise InputError(
            "A mixture takes an exponent in (0, 2), tau above 0 and a share in (0, 1); got "
            f"{exponent!r}, {tau!r} and {share!r}."
        )
    both = "on halves" if halves else "sum"
    name = f"mixture {both}(exponent={exponent:g}, tau={tau:g}, share={share:g})"
    distance = partial(_distance, exponent=exponent, tau=tau, share=share)
    form = RowWise(
        _even if halves else forms.anything,
        forms.as_given,
        partial(_block, distance=distance, halves=halves),
        partial(_pairs, distance=distance, halves=halves),
    )
    return Kernel(name, PROBABILITY, True, False, _reason(distance), form, 0, True)


def _distance(first: Floats, second: Floats, exponent: float, tau: float, share: float) -> Floats:
    """-log of the mixture from squared distances under each part."""
    mixed = np.logaddexp(log(share) - first ** (exponent / 2) / tau, log(1 - share) - second / tau)
    # Rounding can take the sum of the shares above 1.
    return np.asarray(np.maximum(-mixed, 0))


def _reason(distance: partial[Floats]) -> str:
    steps = np.geomspace(1e-3, 1e3, 601)
    excess = distance(4 * steps**2, 4 * steps**2) - 2 * distance(steps**2, steps**2)
    worst = int(np.argmax(excess))
    if excess[worst] <= 1e-12:
        return "no proof of the triangle law, which its Gaussian part breaks"
    return f"three points on a line at steps of {steps[worst]:.3g} break the triangle law by {excess[worst]:.3g}"


def _block(u: Floats, v: Floats, distance: partial[Floats], halves: bool) -> Floats:
    from scipy.spatial.distance import cdist

    if not halves:
        squares = cdist(u, v, "sqeuclidean")
        return distance(squares, squares)
    half = u.shape[1] // 2
    return distance(cdist(u[:, :half], v[:, :half], "sqeuclidean"), cdist(u[:, half:], v[:, half:], "sqeuclidean"))


def _pairs(u: Floats, v: Floats, distance: partial[Floats], halves: bool) -> Floats:
    squares = (u - v) ** 2
    if not halves:
        total = squares.sum(axis=1)
        return distance(total, total)
    half = u.shape[1] // 2
    return distance(squares[:, :half].sum(axis=1), squares[:, half:].sum(axis=1))


def _even(features: NDArray[np.floating]) -> None:
    if features.shape[1] % 2:
        raise InputError(f"A mixture on halves needs features of even length; got {features.shape[1]}.")
    forms.anything(features)
