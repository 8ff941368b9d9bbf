"""Each kernel against its formula, its declared laws against random triples (theory oracles 16 and 17)."""

from __future__ import annotations

from math import inf, log, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

from presheaf.enriched import kernel as kernels
from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.kernel import Kernel
from presheaf.errors import InputError

Floats = NDArray[np.float64]


def vectors(n: int = 12, d: int = 5) -> Floats:
    return np.random.default_rng(3).standard_normal((n, d))


def distributions(n: int = 12, d: int = 5) -> Floats:
    return np.random.default_rng(4).dirichlet(np.ones(d), n)


def cosine(u: Floats, v: Floats) -> float:
    return min(1.0, float(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))


CASES = [
    (kernels.angle(), vectors(), lambda u, v: float(np.arccos(cosine(u, v)))),
    (kernels.laplacian(2.0), vectors(), lambda u, v: float(np.linalg.norm(u - v)) / 2),
    (kernels.gamma(0.5, 3.0), vectors(), lambda u, v: float(np.linalg.norm(u - v)) ** 0.5 / 3),
    (kernels.gaussian(2.0, unlawful=True), vectors(), lambda u, v: float(np.sum((u - v) ** 2)) / 2),
    (kernels.half_cosine(unlawful=True), vectors(), lambda u, v: -log((1 + cosine(u, v)) / 2)),
    (kernels.dot(30.0, 2.0, unlawful=True), vectors(), lambda u, v: (30 - float(u @ v)) / 2),
    (kernels.max_log_ratio(), distributions(), lambda p, q: max(0.0, float(np.max(np.log(p / q))))),
    (kernels.total_variation(), distributions(), lambda p, q: float(np.sum(np.abs(p - q))) / 2),
    (kernels.hellinger(), distributions(), lambda p, q: sqrt(max(0.0, 1 - float(np.sum(np.sqrt(p * q)))))),
    (kernels.jensen_shannon(), distributions(), lambda p, q: float(jensenshannon(p, q))),
    (kernels.kullback_leibler(unlawful=True), distributions(), lambda p, q: float(rel_entr(p, q).sum())),
]


@pytest.mark.parametrize(("kernel", "features", "formula"), CASES, ids=[c[0].name for c in CASES])
def test_block_and_pairs_agree_with_the_formula(kernel: Kernel, features: Floats, formula: object) -> None:
    hom = hom_from_features(features, kernel)
    n = len(features)
    expected = np.array([[formula(u, v) for v in features] for u in features])  # type: ignore[operator]
    same = np.arange(n)
    # The formulas lose half their digits between a row and itself; that distance is known.
    if kernel.name != "dot(bound=30, tau=2)":
        expected[same, same] = 0
    np.testing.assert_allclose(hom.dense(1 << 20), expected, atol=1e-9)
    np.testing.assert_allclose(hom.distances(), expected, atol=2e-6)
    x, y = (i.ravel() for i in np.indices((n, n)))
    np.testing.assert_allclose(hom.pairs(x, y), expected.ravel(), atol=1e-9)
    assert kernel.symmetric == np.allclose(expected, expected.T)
    assert (hom.lawful, hom.fitted, hom.quantale) == (kernel.lawful, 0, kernel.quantale)


@pytest.mark.parametrize(("kernel", "features"), [(k, f) for k, f, _ in CASES], ids=[c[0].name for c in CASES])
def test_declared_lawful_means_no_broken_triple(kernel: Kernel, features: Floats) -> None:
    many = np.concatenate([vectors(60), vectors(12) * 0.01]) if features[0].min() < 0 else distributions(60)
    d = hom_from_features(many, kernel).dense(1 << 20)
    around = (d[:, :, None] + d[None, :, :]).min(axis=1)
    broken = d > around + 1e-9
    assert (not broken.any() and not d.diagonal().any()) == kernel.lawful


@pytest.mark.parametrize(
    "make",
    [
        kernels.half_cosine,
        kernels.kullback_leibler,
        lambda **k: kernels.gaussian(1.0, **k),
        lambda **k: kernels.dot(1, **k),
    ],
)
def test_an_unlawful_kernel_is_refused_until_it_is_asked_for(make: object) -> None:
    with pytest.raises(InputError, match="unlawful=True"):
        make()  # type: ignore[operator]
    kernel = make(unlawful=True)  # type: ignore[operator]
    assert kernel.lawful is False
    assert "unlawful" in repr(hom_from_features(distributions(), kernel))


def test_gamma_is_lawful_up_to_exponent_one() -> None:
    assert kernels.gamma(1.0, 1.0).lawful
    with pytest.raises(InputError, match="three points on a line"):
        kernels.gamma(1.01, 1.0)
    with pytest.raises(InputError, match="tau must be a positive number"):
        kernels.laplacian(0)
    assert kernels.laplacian(0.3, fitted=1).fitted == 1


def test_small_angles_are_exact() -> None:
    angles = np.array([0.0, 1e-9, 1e-6, 1e-3, 0.5, 3.0])
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    d = hom_from_features(features, kernels.angle())
    np.testing.assert_allclose(d.row(0, "covariant"), angles, rtol=1e-6)
    # Lengths are no direction: the doubled rows are the same objects.
    doubled = hom_from_features(np.concatenate([features, 2 * features]), kernels.angle())
    np.testing.assert_array_equal(doubled.pairs(np.arange(6), np.arange(6, 12)), 0)
    single = hom_from_features(features.astype(np.float32), kernels.angle())
    np.testing.assert_allclose(single.distances([0])[0], angles, rtol=1e-3, atol=1e-7)


def test_max_log_ratio_keeps_direction_and_zeros() -> None:
    rows = np.array([[0.5, 0.5, 0.0], [0.25, 0.75, 0.0], [0.25, 0.25, 0.5]])
    d = hom_from_features(rows, kernels.max_log_ratio()).dense(1 << 10)
    # By hand: ln 2 = ln(.5 / .25) from 0 to 1, ln 1.5 back; only the third has the last continuation.
    np.testing.assert_allclose(d, [[0, log(2), log(2)], [log(1.5), 0, log(3)], [inf, inf, 0]])


def test_probability_rows_are_checked() -> None:
    with pytest.raises(InputError, match="sum 1; row 1"):
        hom_from_features([[0.5, 0.5], [0.5, 0.4]], kernels.hellinger())
    assert hom_from_features([[0.5, 0.5], [0.5, 0.4]], kernels.max_log_ratio()).lawful
    with pytest.raises(InputError, match="row 0 is zero"):
        hom_from_features([[0.0, 0.0], [0.5, 0.4]], kernels.angle())
    with pytest.raises(InputError, match="declared bound"):
        hom_from_features([[2.0], [1.0]], kernels.dot(1.0, unlawful=True)).distances()


def test_symmetric_kernels_are_positive_definite_where_they_say_so() -> None:
    for kernel, features, _ in CASES:
        if kernel.positive_definite:
            values = kernel.quantale.values(hom_from_features(features, kernel).dense(1 << 12))
            assert np.linalg.eigvalsh(values)[0] > -1e-9
            np.testing.assert_allclose(values.diagonal(), 1)
