"""Repairs of a hom that breaks the laws, in the order to try them: another quantale, a power of the distance, closure.

Each gives a new hom beside the old; report every later number under both.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.closure import closure
from presheaf.enriched.hom import LIMIT, Hom
from presheaf.enriched.laws import TRIPLES, Laws, laws
from presheaf.enriched.quantale import ANGLE, SPHERE, Quantale
from presheaf.enriched.sources import Through
from presheaf.enriched.ustatistics import disjoint_tuples
from presheaf.errors import InputError

Array = NDArray[Any]
Floats = NDArray[np.float64]

EIGEN = 2000
"""Objects up to which a matrix of values is checked to be positive semidefinite."""
STEPS = 50
"""Halvings in the search for an exponent."""


@dataclass(frozen=True)
class Repair:
    """A repaired hom with the defects before and after.

    Attributes
    ----------
    kind : "quantale", "snowflake" or "closure"
    hom : Hom
    before, after : Laws
        Measured on the same objects. For a snowflake these are the objects that did not choose the exponent.
    detail : str
        What was done, with numbers.
    exponent : float
        Of a snowflake; 1 otherwise.
    """

    kind: str
    hom: Hom
    before: Laws = field(repr=False)
    after: Laws = field(repr=False)
    detail: str
    exponent: float = 1.0


def _requantale(distances: Array, old: Quantale, new: Quantale) -> Array:
    return new.distance(old.values(distances))


def change_quantale(hom: Hom, quantale: Quantale = ANGLE, tolerance: float = 1e-6, seed: int = 0) -> Repair:
    """The same values read in another quantale: the first repair, costing nothing.

    A positive semidefinite matrix of values with unit diagonal is lawful in ANGLE (values >= 0) and SPHERE: values are
    inner products of unit vectors, and angles between them obey the triangle law.

    Parameters
    ----------
    hom : Hom
        Its values must lie in the carrier of ``quantale``.

    Notes
    -----
    Lawful is claimed where the kernel is known to be positive definite, or, for up to 2,000 objects, the smallest eigenvalue
    of the values shows it (cost n^3); otherwise it is left to be measured. Cost: that, and ``laws`` of both homs.
    """
    source = Through(hom.source, partial(_requantale, old=hom.quantale, new=quantale))
    lawful, reason = None, "not known: the values were not shown to be positive semidefinite"
    definite = hom.positive_definite
    if quantale in (ANGLE, SPHERE):
        if definite is not True and hom.symmetric and 0 < hom.n <= EIGEN:
            definite = _is_definite(hom)
        if definite:
            lawful, reason = True, "proof: values are inner products of unit vectors, and angles obey the triangle law"
    name = f"{hom.name} read in {quantale.name}"
    new = replace(
        hom, source=source, name=name, quantale=quantale, lawful=lawful, reason=reason, positive_definite=definite
    )
    detail = f"values read in {quantale.name} instead of {hom.quantale.name}"
    return Repair("quantale", new, laws(hom, tolerance, seed=seed), laws(new, tolerance, seed=seed), detail)


def _is_definite(hom: Hom) -> bool:
    values = hom.quantale.values(hom.dense(hom.n**2 * 8)).astype(np.float64)
    if not (np.isfinite(values).all() and np.allclose(values.diagonal(), 1, atol=1e-9)):
        return False
    return bool(np.linalg.eigvalsh(values)[0] >= -1e-9 * hom.n)


def _raise(distances: Array, exponent: float) -> Array:
    return np.asarray(distances**exponent)


def snowflake(hom: Hom, share: float = 0.99, tolerance: float = 1e-6, triples: int = TRIPLES, seed: int = 0) -> Repair:
    """D^s with the largest s in (0, 1] for which this share of triples keeps the triangle law.

    Then that quantile of the composition defect is 0. The exponent is chosen on one random half of the objects and the laws
    are measured on the other; it counts as one fitted parameter.

    Raises
    ------
    InputError
        If distances of the quantale don't add (powers change nothing there), or more than 1 - share of the triples have
        two objects at distance 0 and a third apart: no power mends those.

    Notes
    -----
    A triple with direct distance c above max(a, b) keeps the law up to the s with (a/c)^s + (b/c)^s = 1, and others always;
    s is a quantile of these. Cost: linear in ``triples``. A single violation may remain, so the result is to be measured, not
    lawful by proof.
    """
    if not hom.quantale.sums:
        raise InputError(f"distances of {hom.quantale.name} don't add, so a power changes no triple. Use closure.")
    if hom.n < 6:
        raise InputError(f"a snowflake needs at least 6 objects, 3 to choose and 3 to measure; got {hom.n}.")
    rng = np.random.default_rng(seed)
    order = rng.permutation(hom.n)
    choosing, scoring = np.sort(order[: hom.n // 2]), np.sort(order[hom.n // 2 :])
    rounds = max(1, triples // (len(choosing) // 3))
    limits = _exponents(hom, choosing[disjoint_tuples(len(choosing), 3, rounds, rng)], tolerance)
    exponent = float(np.quantile(limits, 1 - share, method="inverted_cdf"))
    if exponent <= 0:
        raise InputError(
            f"for more than {1 - share:.0%} of the triples hom(x, y) and hom(y, z) are units and hom(x, z) is not; no power of "
            "the distance mends that. Use closure."
        )
    new = replace(
        hom,
        source=Through(hom.source, partial(_raise, exponent=exponent)),
        name=f"{hom.name} to the power {exponent:.3g}",
        lawful=hom.lawful or None,
        reason=hom.reason
        if hom.lawful
        else f"not known: {share:.0%} of the triples that chose the exponent keep the law",
        fitted=hom.fitted + (exponent < 1),
        positive_definite=None,
    )
    before, after = (laws(h.take(scoring), tolerance, seed=seed) for h in (hom, new))
    detail = f"exponent {exponent:.4g}, chosen on {len(choosing):,} objects and measured on {len(scoring):,} others"
    return Repair("snowflake", new, before, after, detail, exponent)


def _exponents(hom: Hom, triples: NDArray[np.int64], tolerance: float) -> Floats:
    """For each triple the largest exponent in [0, 1] that keeps the triangle law. Shape (m,)."""
    x, y, z = triples.T
    a, b, c = hom.pairs(x, y), hom.pairs(y, z), hom.pairs(x, z)
    broken = hom.quantale.add(a, b) + tolerance < c
    out = np.ones(len(c))
    with np.errstate(invalid="ignore", divide="ignore"):
        left, right = a[broken] / c[broken], b[broken] / c[broken]
    low, high = np.zeros(len(left)), np.ones(len(left))
    for _ in range(STEPS):
        middle = (low + high) / 2
        fine = left**middle + right**middle >= 1
        low, high = np.where(fine, middle, low), np.where(fine, high, middle)
    # Where both legs are 0 no exponent above 0 helps, and 0^0 = 1 must not hide it.
    out[broken] = np.where((left == 0) & (right == 0), 0.0, low)
    return out


def close(hom: Hom, limit_bytes: int = LIMIT, tolerance: float = 1e-6, seed: int = 0) -> Repair:
    """All-pairs shortest paths in the quantale: the last repair, and biased down by noise. See ``closure``.

    Cost: one ``closure``, and ``laws`` of both homs.
    """
    result = closure(hom, limit_bytes)
    detail = f"{result.moved:.2%} of the pairs moved, by {result.mean:.3g} on average over all pairs and {result.largest:.3g} at most"
    before, after = (laws(h, tolerance, seed=seed) for h in (hom, result.hom))
    return Repair("closure", result.hom, before, after, detail)
