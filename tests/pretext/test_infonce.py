"""InfoNCE by hand, by a plain double loop, and its gradients."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError

torch = pytest.importorskip("torch")

from presheaf.pretext.infonce import (  # noqa: E402
    log_gamma,
    log_sum,
    nt_xent,
    similarity_graph_loss,
    with_negatives,
)

seeds = st.integers(0, 10**6)
Log = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]


def gamma(exponent: float, tau: float) -> Log:
    return lambda u, v: log_gamma(u, v, exponent, tau)


def unit(seed: int, n: int, d: int) -> torch.Tensor:
    z = np.random.default_rng(seed).standard_normal((n, d))
    return torch.from_numpy(z / np.linalg.norm(z, axis=1, keepdims=True))


def test_three_points_on_a_line_in_closed_form() -> None:
    """0, 1, 2 with neighbours joined: K is e^-1 between neighbours and e^-4 between the ends."""
    z = torch.tensor([[0.0], [1.0], [2.0]], dtype=torch.float64)
    pi = torch.tensor([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=torch.float64)
    expected = (2 * math.log(1 + math.exp(-3)) + math.log(2)) / 3
    assert float(similarity_graph_loss(z, pi, gamma(2, 1.0))) == pytest.approx(expected, abs=1e-14)
    laplacian = (2 * math.log(1 + math.exp(-1)) + math.log(2)) / 3
    assert float(similarity_graph_loss(z, pi, gamma(1, 1.0))) == pytest.approx(laplacian, abs=1e-14)


def plain_nt_xent(first: np.ndarray, second: np.ndarray, temperature: float) -> float:
    """Chen et al. 2020, equation 1 and algorithm 1, with loops and cosines."""
    z = np.concatenate([first, second])
    n, total = len(first), 0.0
    for i in range(2 * n):
        below = 0.0
        for k in range(2 * n):
            if k != i:
                cosine = z[i] @ z[k] / math.sqrt((z[i] @ z[i]) * (z[k] @ z[k]))
                below += math.exp(cosine / temperature)
                if k == (i + n) % (2 * n):
                    above = math.exp(cosine / temperature)
        total -= math.log(above / below)
    return total / (2 * n)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(2, 6), st.floats(0.1, 2.0))
def test_oracle_20_the_gaussian_of_tau_is_nt_xent_at_half_of_it(seed: int, n: int, tau: float) -> None:
    first, second = unit(seed, n, 5), unit(seed + 1, n, 5)
    found = float(nt_xent(first, second, gamma(2, tau)))
    assert found == pytest.approx(plain_nt_xent(first.numpy(), second.numpy(), tau / 2), rel=1e-10)


@settings(max_examples=20, deadline=None)
@given(seeds, st.sampled_from([0.5, 1.0, 2.0]))
def test_nt_xent_is_the_graph_loss_of_a_perfect_matching(seed: int, exponent: float) -> None:
    first, second = unit(seed, 4, 3), unit(seed + 1, 4, 3)
    pi = torch.eye(8, dtype=torch.float64).roll(4, dims=1)
    whole = similarity_graph_loss(torch.cat([first, second]), pi, gamma(exponent, 0.3))
    assert float(nt_xent(first, second, gamma(exponent, 0.3))) == pytest.approx(float(whole), rel=1e-12)


def test_equal_features_know_nothing() -> None:
    same = torch.ones(5, 3, dtype=torch.float64)
    for exponent in (0.5, 1.0, 2.0):
        assert float(nt_xent(same, same, gamma(exponent, 0.1))) == pytest.approx(math.log(9))
    assert float(with_negatives(same, same, torch.ones(7, 3, dtype=torch.float64), gamma(2, 1))) == pytest.approx(
        math.log(8)
    )


def test_the_least_is_the_entropy_and_is_reached_where_the_laws_agree() -> None:
    """Corners of a regular simplex are all as far from one another, so their row law is uniform."""
    corners = torch.eye(5, dtype=torch.float64)
    found = similarity_graph_loss(corners, torch.ones(5, 5, dtype=torch.float64), gamma(1, 0.2))
    assert float(found) == pytest.approx(math.log(4), abs=1e-12)
    pi = torch.from_numpy(np.random.default_rng(0).random((5, 5))).fill_diagonal_(0)
    law = pi / pi.sum(dim=1, keepdim=True)
    entropy = -float(torch.where(law > 0, law * law.log(), 0).sum(dim=1).mean())
    assert float(similarity_graph_loss(corners, pi, gamma(1, 0.2))) > entropy + 1e-3
    # Any law is reached by a kernel that has it for its values.
    assert float(similarity_graph_loss(corners, pi, lambda u, v: pi.log())) == pytest.approx(entropy, abs=1e-12)


def test_moco_loss_by_hand() -> None:
    """Cosines 0.6 with its own key, 1 and 0 with the negatives, at temperature 0.5: -1.2 + ln(e^1.2 + e^2 + 1)."""
    query = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    key = torch.tensor([[0.6, 0.8]], dtype=torch.float64)
    negatives = torch.eye(2, dtype=torch.float64)
    expected = -1.2 + math.log(math.exp(1.2) + math.exp(2) + 1)
    assert float(with_negatives(query, key, negatives, gamma(2, 1.0))) == pytest.approx(expected, rel=1e-12)


LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor, Log], torch.Tensor]] = {
    "nt_xent": nt_xent,
    "queue": lambda u, v, k: with_negatives(u, v, unit(9, 5, 4), k),
    "graph": lambda u, v, k: similarity_graph_loss(
        torch.cat([u, v]), torch.from_numpy(np.random.default_rng(1).random((6, 6))), k
    ),
}
KERNELS: dict[str, Log] = {
    "gaussian": gamma(2, 0.5),
    "laplacian": gamma(1, 0.5),
    "half": gamma(0.5, 0.5),
    "sum": lambda u, v: log_sum(log_gamma(u, v, 1, 0.5), log_gamma(u, v, 2, 0.5), 0.3),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kernel", KERNELS)
def test_gradients(loss: str, kernel: str) -> None:
    u, v = unit(3, 3, 4).requires_grad_(), unit(4, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: LOSSES[loss](a, b, KERNELS[kernel]), (u, v))


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_gradients_stay_finite_where_two_views_agree(exponent: float) -> None:
    u = unit(3, 4, 3).float().requires_grad_()
    nt_xent(u, u, gamma(exponent, 0.1)).backward()
    assert bool(torch.isfinite(u.grad).all())


def test_a_sum_of_kernels() -> None:
    u, v = unit(0, 3, 4), unit(1, 5, 4)
    far = torch.cdist(u, v)
    mixed = log_sum(log_gamma(u, v, 1, 0.7), log_gamma(u, v, 2, 0.7), 0.2).exp()
    torch.testing.assert_close(mixed, 0.2 * (-far / 0.7).exp() + 0.8 * (-(far**2) / 0.7).exp())


def test_refusals() -> None:
    one = unit(0, 1, 3)
    with pytest.raises(InputError, match="at least 2; got 1"):
        nt_xent(one, one, gamma(2, 1))
    z = unit(0, 3, 3)
    with pytest.raises(InputError, match=r"shape \(3, 3\)"):
        similarity_graph_loss(z, torch.ones(2, 2), gamma(2, 1))
    with pytest.raises(InputError, match=">= 0"):
        similarity_graph_loss(z, -torch.ones(3, 3), gamma(2, 1))
    lonely = torch.ones(3, 3)
    lonely[1] = torch.tensor([0.0, 5.0, 0.0])
    with pytest.raises(InputError, match="object 1 has none"):
        similarity_graph_loss(z, lonely, gamma(2, 1))
