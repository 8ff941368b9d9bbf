"""Residuals of labels outside a span, on nodes that fitted nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import Ridge

from presheaf.errors import InputError
from presheaf.pretext.netmf import netmf
from presheaf.pretext.unlearnable import PENALTIES, unlearnable

Floats = NDArray[np.float64]


def spanned(n: int = 400, d: int = 6, seed: int = 0) -> Floats:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n, d)))[0]


def test_a_label_in_the_span_is_learned_and_a_coin_is_not() -> None:
    basis = spanned()
    rng = np.random.default_rng(1)
    inside = basis[:, 2] > 0
    coin = rng.random(400) < 0.5
    rare = rng.random(400) < 0.03
    found = unlearnable(np.column_stack([inside, coin, rare]), basis, ["inside", "coin", "rare"], repeats=199)
    assert found.unlearnable() == ("coin", "rare")
    assert found.share[0].high < 0.6
    # The best linear answer to the sign of a Gaussian explains 2 / pi of it.
    assert found.share[0].value == pytest.approx(1 - 2 / np.pi, abs=0.08)
    assert all(one.low < 1.05 and one.value > 0.95 for one in found.share[1:])
    assert (found.dim, found.fitted, found.held_out, found.null.shape) == (6, 200, 200, (199, 3))


def test_dimensions_of_noise_do_not_lower_it() -> None:
    basis = spanned(300, 2)
    label = (basis[:, :1] + 0.02 * np.random.default_rng(3).standard_normal((300, 1))) > 0
    noise = np.random.default_rng(4).standard_normal((300, 120)) / 17
    few = unlearnable(label, basis, repeats=19).share[0].value
    many = unlearnable(label, np.hstack([basis, noise]), repeats=19).share[0].value
    inside = np.hstack([np.ones((300, 1)), basis, noise])
    plain = np.linalg.lstsq(inside, label.astype(float), rcond=None)[1][0] / (300 * label.mean() * (1 - label.mean()))
    assert many > few - 0.05
    assert plain < few


def test_the_fit_is_ridge_with_the_penalty_of_least_leave_one_out_error() -> None:
    """Against scikit-learn, leaving nodes out one by one."""
    basis = spanned(40, 5)
    label = (basis[:, 0] + 0.1 * np.random.default_rng(0).standard_normal(40)) > 0
    found = unlearnable(label[:, None], basis, repeats=1, seed=7)
    order = np.random.default_rng(7).permutation(40)
    fit, score = np.sort(order[:20]), np.sort(order[20:])
    centred = basis[fit] - basis[fit].mean(axis=0)
    scale = (np.linalg.svd(centred, compute_uv=False) ** 2).mean()

    def left_out(penalty: float) -> float:
        errors = []
        for i in fit:
            rest = fit[fit != i]
            # Leaving a node out keeps the mean of the others, as an intercept does.
            model = Ridge(penalty * scale).fit(basis[rest], label[rest].astype(float))
            errors.append((model.predict(basis[[i]])[0] - label[i]) ** 2)
        return float(np.mean(errors))

    best = min(PENALTIES, key=left_out)
    answer = Ridge(best * scale).fit(basis[fit], label[fit].astype(float)).predict(basis[score])
    mean = label[fit].mean()
    expected = ((label[score] - answer) ** 2).sum() / ((label[score] - mean) ** 2).sum()
    assert found.share[0].value == pytest.approx(expected, rel=1e-6)


def test_a_false_alarm_is_as_rare_as_its_level() -> None:
    """Forty coins, one test each: at level 0.05 over all, learned coins are less than one in twenty runs."""
    basis = spanned(100, 4)
    wrong = 0
    for seed in range(20):
        coins = np.random.default_rng(seed).random((100, 2)) < 0.5
        wrong += len(unlearnable(coins, basis, repeats=99, seed=seed).unlearnable()) < 2
    # Binomial(20, 0.05) exceeds 4 with probability 0.003.
    assert wrong <= 4


def test_four_blocks_need_four_dimensions() -> None:
    """One direction leaves at least 4 - 4/3 of the four blocks' shares: centred indicators share 4 in three directions."""
    rng = np.random.default_rng(0)
    block = np.arange(240) % 4
    chance = np.where(block[:, None] == block, 0.3, 0.02)
    upper = np.triu(rng.random((240, 240)) < chance, 1).astype(float)
    graph = csr_array(upper + upper.T)
    one = unlearnable(np.eye(4)[block], netmf(graph, 1, 5).basis, repeats=199)
    four = unlearnable(np.eye(4)[block], netmf(graph, 4, 5).basis, repeats=199)
    assert sum(share.value for share in one.share) > 4 - 4 / 3 - 0.2
    assert four.unlearnable() == ()
    assert max(share.high for share in four.share) < 0.3


def test_a_basis_of_zeros_learns_nothing() -> None:
    found = unlearnable(np.arange(20)[:, None] % 2, np.zeros((20, 3)), repeats=19)
    assert found.share[0].value >= 0.99
    assert found.unlearnable() == ("label 1",)


def test_what_can_not_be_judged_is_refused() -> None:
    basis = spanned(20, 2)
    with pytest.raises(InputError, match="'all' is the same on all 20 nodes"):
        unlearnable(np.ones((20, 1)), basis, ["all"])
    with pytest.raises(InputError, match="same 8 or more nodes"):
        unlearnable(np.eye(7), np.eye(7))
    with pytest.raises(InputError, match="same 8 or more nodes"):
        unlearnable(np.ones((19, 1)), basis)
    with pytest.raises(InputError, match="2 labels need as many names"):
        unlearnable(np.eye(20)[:, :2], basis, ["one"])
