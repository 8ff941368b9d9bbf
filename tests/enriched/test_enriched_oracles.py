"""Oracles of theory.md 3.2 in the forms that the tests of single functions leave out: 7 and 10 in values, 12, 16, and 20."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from presheaf.enriched.closure import close_distances
from presheaf.enriched.construct import hom_from_distances, hom_from_features, hom_from_values
from presheaf.enriched.hom import Hom, Variance
from presheaf.enriched.kernel import gaussian, laplacian
from presheaf.enriched.laws import laws
from presheaf.enriched.nucleus import presheaf_distances
from presheaf.enriched.pushforward import pushforward
from presheaf.enriched.quantale import ANGLE, COST, LUKASIEWICZ, PROBABILITY, QUANTALES, Quantale
from presheaf.enriched.repair import change_quantale
from presheaf.enriched.sandwich import kan_sandwich
from presheaf.enriched.weights import ensemble

Floats = NDArray[np.float64]
VARIANCES: tuple[Variance, ...] = ("contravariant", "covariant")
seeds = st.integers(0, 10**6)


def lawful(seed: int, n: int, quantale: Quantale) -> Hom:
    d = np.random.default_rng(seed).random((n, n)) * min(quantale.cap, 3.0)
    return hom_from_distances(close_distances(d, quantale), quantale, lawful=True)


def presheaf(hom: Hom, seed: int, variance: Variance) -> Floats:
    """A minimum of three weighted representables."""
    weights = np.random.default_rng(seed + 1).random(3) * min(hom.quantale.cap, 2.0)
    return ensemble(hom, [0, 2, 4], weights, variance)


@settings(max_examples=60, deadline=None)
@given(seeds, st.sampled_from(QUANTALES), st.sampled_from(VARIANCES))
def test_oracle_7_yoneda_and_density_in_values(seed: int, quantale: Quantale, variance: Variance) -> None:
    """inf_x [C(x, p), T(x)] = T(p) and sup_y C(x, y) (x) T(y) = T(x): for [0, 1] under times, divisions and products."""
    hom = lawful(seed, 7, quantale)
    task = quantale.values(presheaf(hom, seed, variance))
    values = quantale.values(hom.dense(10**6) if variance == "contravariant" else hom.dense(10**6).T)
    np.testing.assert_allclose(quantale.meet(quantale.hom(values, task[:, None]), axis=0), task, atol=1e-9)
    np.testing.assert_allclose(quantale.join(quantale.tensor(values, task), axis=1), task, atol=1e-9)
    if quantale is PROBABILITY:
        with np.errstate(divide="ignore"):
            quotients = np.minimum(1, task[:, None] / values)
        np.testing.assert_allclose(quotients.min(axis=0), task, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(seeds, st.sampled_from([PROBABILITY, LUKASIEWICZ, ANGLE]), st.sampled_from(VARIANCES))
def test_oracle_10_the_sandwich_is_reversed_in_values(seed: int, quantale: Quantale, variance: Variance) -> None:
    hom = lawful(seed, 8, quantale)
    truth, anchors = presheaf(hom, seed, variance), np.array([1, 5, 6])
    found = kan_sandwich(hom, anchors, truth[anchors], variance)
    lan, ran, task = (quantale.values(d) for d in (found.upper, found.lower, truth))
    assert (lan <= task + 1e-9).all()
    assert (task <= ran + 1e-9).all()
    values = quantale.values(hom.dense(10**6) if variance == "contravariant" else hom.dense(10**6).T)
    # Lan in values is the join of products, Ran the meet of internal homs.
    np.testing.assert_allclose(
        lan, quantale.join(quantale.tensor(values[:, anchors], task[anchors]), axis=1), atol=1e-9
    )
    np.testing.assert_allclose(ran, quantale.meet(quantale.hom(values[anchors].T, task[anchors]), axis=1), atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_oracle_12_homs_between_carried_representables_are_the_homs(seed: int) -> None:
    large = close_distances(np.random.default_rng(seed).uniform(0.2, 2, (10, 10)), COST)
    images = np.random.default_rng(seed).permutation(10)[:6]
    small, target = hom_from_distances(large[np.ix_(images, images)], COST), hom_from_distances(large, COST)
    representables = small.columns(range(6), "contravariant", np.float64)
    carried = pushforward(target, images, representables.T, "contravariant").T
    np.testing.assert_allclose(presheaf_distances(carried, carried), small.dense(10**4), atol=1e-12)


@pytest.mark.parametrize("dimension", [2, 10])
def test_oracle_16_no_angle_of_a_gaussian_or_laplacian_breaks_a_triple(dimension: int) -> None:
    """Kernels of the library, and the same values by hand, for all triples of 120 points."""
    points = np.random.default_rng(dimension).standard_normal((120, dimension))
    squares = ((points[:, None] - points) ** 2).sum(axis=2)
    for kernel, values in (
        (gaussian(3.0, unlawful=True), np.exp(-squares / 3)),
        (laplacian(3.0), np.exp(-np.sqrt(squares) / 3)),
    ):
        for found in (
            laws(change_quantale(hom_from_features(points, kernel)).hom),
            laws(hom_from_values(values, ANGLE)),
        ):
            assert found.exact
            assert (found.share.value, found.kept) == (0, True)


def contrastive(values: Floats, pairs: int) -> float:
    """Mean of -ln(k(z, z') / sum of k(z, w) over w other than z), z and z' the two views of one object."""
    n = 2 * pairs
    partner = (np.arange(n) + pairs) % n
    others = np.where(np.eye(n, dtype=bool), 0, values)
    return float(-np.log(values[np.arange(n), partner] / others.sum(axis=1)).mean())


@pytest.mark.parametrize("tau", [0.1, 0.5, 1.0])
def test_oracle_20_the_loss_of_a_gaussian_is_nt_xent_at_half_the_temperature(tau: float) -> None:
    """On unit vectors |u - v|^2 = 2 - 2 cos, so exp(-|u - v|^2 / tau) is exp(cos / (tau / 2)) times a constant."""
    z = np.random.default_rng(0).standard_normal((48, 16))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    hom = hom_from_features(z, gaussian(tau, unlawful=True))
    kernel_loss = contrastive(hom.quantale.values(hom.dense(1 << 20)), 24)
    logits = z @ z.T / (tau / 2)
    np.fill_diagonal(logits, -np.inf)
    partner = (np.arange(48) + 24) % 48
    nt_xent = float((np.logaddexp.reduce(logits, axis=1) - logits[np.arange(48), partner]).mean())
    assert kernel_loss == pytest.approx(nt_xent, rel=1e-9)
    # Twice the temperature is another loss.
    assert abs(kernel_loss - contrastive(np.exp(z @ z.T / tau), 24)) > 0.01
