"""Kernels: a distance for a pair of feature vectors, with the quantale it lives in and whether it keeps the laws there.

A kernel that is not lawful in its quantale is refused unless ``unlawful=True`` is said; then it is carried as unlawful and
every hom made from it says so. ``fitted`` counts the parameters that were chosen by looking at the data: 0 means
data-oblivious.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from math import inf, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched import forms
from presheaf.enriched.forms import Euclidean, RowWise
from presheaf.enriched.quantale import COST, LUKASIEWICZ, PROBABILITY, SPHERE, Quantale
from presheaf.errors import InputError

Array = NDArray[Any]


@dataclass(frozen=True)
class Kernel:
    """A hom between feature vectors, fixed before data are seen but for ``fitted`` parameters.

    Attributes
    ----------
    name : str
    quantale : Quantale
    symmetric : bool
    lawful : bool
        Whether hom(x, x) is the unit and hom(x, y) (x) hom(y, z) <= hom(x, z) for all feature vectors.
    reason : str
        Why, in a sentence.
    fitted : int
    positive_definite : bool
        Whether the values are known to form a positive semidefinite matrix with unit diagonal.
    """

    name: str
    quantale: Quantale
    symmetric: bool
    lawful: bool
    reason: str
    form: Euclidean | RowWise = field(repr=False)
    fitted: int = 0
    positive_definite: bool = False


def _allow(name: str, why: str, instead: str, unlawful: bool) -> None:
    if not unlawful:
        raise InputError(
            f"{name} does not keep the laws of a category: {why}. Use {instead}, or say unlawful=True to go on with results "
            "marked as unlawful."
        )


def _positive(name: str, value: float) -> float:
    if not (value > 0 and np.isfinite(value)):
        raise InputError(f"{name} must be a positive number; got {value!r}.")
    return float(value)


def _arc(squares: Array) -> Array:
    return np.asarray(2 * np.arcsin(np.minimum(np.sqrt(squares) / 2, 1)))


def _chord(angles: Array) -> Array:
    return np.where(angles >= pi, inf, (2 * np.sin(np.minimum(angles, pi) / 2)) ** 2)


def angle() -> Kernel:
    """The angle arccos(cos(u, v)) in [0, pi], in radians; quantale SPHERE.

    Lawful: geodesic distance on the unit sphere. Computed from the chord, so that small angles are exact. Where no cosine
    is negative the hom also lies in ANGLE (``dataclasses.replace(angle(), quantale=ANGLE)``). Cost of a block: one matrix product.
    """
    reason = "proof: the angle between vectors is the geodesic distance on the unit sphere, so the triangle law holds"
    return Kernel(
        "angle", SPHERE, True, True, reason, Euclidean(forms.directed, forms.unit_rows, _arc, _chord), 0, True
    )


def _power(squares: Array, exponent: float, tau: float) -> Array:
    return np.asarray(squares ** (exponent / 2) / tau)


def _unpower(distances: Array, exponent: float, tau: float) -> Array:
    return np.asarray((distances * tau) ** (2 / exponent))


def gamma(exponent: float, tau: float, fitted: int = 0, unlawful: bool = False) -> Kernel:
    """exp(-|u - v|^exponent / tau) with the Euclidean norm; quantale PROBABILITY, distance |u - v|^exponent / tau.

    Lawful iff exponent <= 1: then t -> t^exponent is concave with 0 at 0, and keeps a metric a metric; above 1 it
    fails for three points on a line. Cost of a block: one matrix product.

    Raises
    ------
    InputError
        If a number is not positive, or the exponent is above 1 and ``unlawful`` is not said.
    """
    _positive("tau", tau)
    _positive("exponent", exponent)
    name = f"gamma(exponent={exponent:g}, tau={tau:g})"
    if exponent <= 1:
        lawful, reason = True, "proof: |u - v| is a metric, and so is its power with an exponent in (0, 1]"
    else:
        why = f"|u - v|^{exponent:g} breaks the triangle law for three points on a line"
        _allow(name, why, "laplacian(tau), or the angle of its values (repair.change_quantale)", unlawful)
        lawful, reason = False, why
    form = Euclidean(
        forms.anything,
        forms.as_given,
        partial(_power, exponent=exponent, tau=tau),
        partial(_unpower, exponent=exponent, tau=tau),
    )
    # Schoenberg 1938: exp(-|u|^p) is positive definite on Euclidean space iff 0 < p <= 2.
    return Kernel(name, PROBABILITY, True, lawful, reason, form, fitted, exponent <= 2)


def laplacian(tau: float, fitted: int = 0) -> Kernel:
    """exp(-|u - v| / tau); quantale PROBABILITY, distance |u - v| / tau. Lawful: the Euclidean norm gives a metric.

    Cost of a block: one matrix product.
    """
    return _renamed(gamma(1.0, tau, fitted), f"laplacian(tau={tau:g})")


def gaussian(tau: float, fitted: int = 0, unlawful: bool = False) -> Kernel:
    """exp(-|u - v|^2 / tau); quantale PROBABILITY, in which it is not lawful. Cost of a block: one matrix product.

    Raises
    ------
    InputError
        Unless ``unlawful`` is said.
    """
    if not unlawful:
        why = "squared distances break the triangle law for three points on a line"
        _allow("the Gaussian kernel in [0, 1] under multiplication", why, "laplacian(tau) or angle()", unlawful)
    return _renamed(gamma(2.0, tau, fitted, unlawful=True), f"gaussian(tau={tau:g})")


def _renamed(kernel: Kernel, name: str) -> Kernel:
    return replace(kernel, name=name)


def _half_cosine(squares: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(0 - np.log1p(-np.minimum(squares / 4, 1)))


def _unhalf(distances: Array) -> Array:
    return np.asarray(-4 * np.expm1(-distances))


def half_cosine(unlawful: bool = False) -> Kernel:
    """(1 + cos) / 2 in PROBABILITY: often used as a similarity, and not lawful. Cost of a block: one matrix product.

    Raises
    ------
    InputError
        Unless ``unlawful`` is said.
    """
    why = "a product of two values can exceed the third (for about a quarter of the triples on a sphere)"
    _allow("(1 + cos) / 2 in [0, 1] under multiplication", why, "angle()", unlawful)
    form = Euclidean(forms.directed, forms.unit_rows, _half_cosine, _unhalf)
    return Kernel("half cosine", PROBABILITY, True, False, why, form, 0, True)


def _dot_block(u: Array, v: Array, bound: float, tau: float) -> Array:
    return _above(bound - u @ v.T, bound) / tau


def _dot_pairs(u: Array, v: Array, bound: float, tau: float) -> Array:
    return _above(bound - np.einsum("ij,ij->i", u, v), bound) / tau


def _above(gaps: Array, bound: float) -> Array:
    if gaps.size and gaps.min() < -1e-9 * max(1.0, abs(bound)):
        raise InputError(
            f"dot products must not exceed the declared bound {bound:g}; got {bound - gaps.min():g}. Declare a larger bound."
        )
    return np.maximum(gaps, 0)


def dot(bound: float, tau: float = 1.0, fitted: int = 0, unlawful: bool = False) -> Kernel:
    """exp((<u, v> - bound) / tau) in PROBABILITY, for products declared to stay below ``bound``. Not lawful.

    Cost of a block: one matrix product in float64.

    Raises
    ------
    InputError
        Unless ``unlawful`` is said; later, if a product exceeds the bound.
    """
    _positive("tau", tau)
    why = "hom(x, x) is below 1 wherever <x, x> < bound, and products do not compose"
    _allow("a dot product", why, "angle()", unlawful)
    form = RowWise(
        forms.anything,
        forms.as_given,
        partial(_dot_block, bound=bound, tau=tau),
        partial(_dot_pairs, bound=bound, tau=tau),
    )
    return Kernel(f"dot(bound={bound:g}, tau={tau:g})", PROBABILITY, True, False, why, form, fitted)


def max_log_ratio() -> Kernel:
    """D_inf(p || q) = max_c (ln p_c - ln q_c)^+ between rows of probabilities over stated continuations; PROBABILITY.

    Directed and lawful: it is inf_c [p_c, q_c], the hom induced by the rows. Over all continuations it is the Renyi
    divergence of order infinity; rows over a subset may sum to less than 1. A zero that is not shared gives inf.
    Cost: a pass over the continuations for each pair, in float64; no matrix product helps.
    """
    reason = (
        "proof: ln p/r = ln p/q + ln q/r for every continuation, and a maximum of sums is at most the sum of maxima"
    )
    form = RowWise(forms.partial_rows, forms.log_rows, forms.log_ratio_block, forms.log_ratio_pairs)
    return Kernel("max log ratio", PROBABILITY, False, True, reason, form)


def total_variation() -> Kernel:
    """Half the sum of |p - q|, in [0, 1]; quantale LUKASIEWICZ. Lawful and symmetric.

    Cost: a pass over the continuations for each pair, in float64.
    """
    reason = "proof: half a sum of absolute differences is a metric with values in [0, 1]"
    form = RowWise(forms.whole_rows, forms.as_given, forms.variation_block, forms.variation_pairs)
    # 1 - TV = sum of min(p, q), and min is a positive definite kernel on [0, inf).
    return Kernel("total variation", LUKASIEWICZ, True, True, reason, form, 0, True)


def _hellinger(squares: Array) -> Array:
    return np.asarray(np.minimum(np.sqrt(squares / 2), 1))


def _unhellinger(distances: Array) -> Array:
    return np.where(distances >= 1, inf, 2 * distances**2)


def hellinger() -> Kernel:
    """|sqrt p - sqrt q| / sqrt 2, in [0, 1]; quantale LUKASIEWICZ. Lawful and symmetric.

    Cost of a block: one matrix product.
    """
    reason = "proof: a Euclidean distance between square roots, with values in [0, 1]"
    form = Euclidean(forms.whole_rows, forms.root_rows, _hellinger, _unhellinger)
    return Kernel("hellinger", LUKASIEWICZ, True, True, reason, form)


def jensen_shannon() -> Kernel:
    """Square root of the Jensen-Shannon divergence, in [0, sqrt(ln 2)]; quantale COST. Lawful and symmetric.

    Cost: two logarithms for each pair and continuation, in float64.
    """
    reason = "proof: the root of the Jensen-Shannon divergence is a metric (Endres and Schindelin 2003)"
    form = RowWise(forms.whole_rows, forms.as_given, forms.shannon_block, forms.shannon_pairs)
    return Kernel("root Jensen-Shannon", COST, True, True, reason, form)


def kullback_leibler(unlawful: bool = False) -> Kernel:
    """Kullback-Leibler divergence in nats; quantale COST, in which it is not lawful. Directed.

    Cost of a block: two matrix products in float64.

    Raises
    ------
    InputError
        Unless ``unlawful`` is said.
    """
    why = "the divergence of order 1 breaks the triangle law"
    _allow("the Kullback-Leibler divergence", why, "max_log_ratio() or jensen_shannon()", unlawful)
    form = RowWise(forms.whole_rows, forms.as_given, forms.entropy_block, forms.entropy_pairs)
    return Kernel("Kullback-Leibler", COST, False, False, why, form)
