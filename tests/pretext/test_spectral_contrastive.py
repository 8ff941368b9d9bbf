"""The spectral contrastive loss: by hand, its gradient, its optimum by an eigenvalue decomposition, and its inner product."""

from __future__ import annotations

import numpy as np
import pytest

from presheaf.enriched.construct import hom_from_features
from presheaf.errors import InputError
from presheaf.pretext.base import Data
from presheaf.pretext.spectral_contrastive import SpectralContrastive, inner_product, spectral_loss

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")


def noise() -> Data:
    from presheaf.pretext.data import make_data

    pixels = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)
    return make_data("noise", "image", pixels[:12], pixels[12:])


def test_by_hand() -> None:
    """f = (1, 0), (0, 2); g = (3, 1), (1, 1): f'g = [[3, 1], [2, 2]]. -2 (3 + 2) / 2 + (1 + 4) / 2 = -2.5."""
    f = torch.tensor([[1.0, 0], [0, 2]])
    g = torch.tensor([[3.0, 1], [1, 1]])
    assert float(spectral_loss(f, g)) == pytest.approx(-2.5)


def test_gradient() -> None:
    rng = np.random.default_rng(0)
    f, g = (torch.from_numpy(rng.standard_normal((4, 3))).requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(spectral_loss, (f, g))


def test_the_optimum_is_the_density_ratio() -> None:
    """The population loss on a graph of 2 x 3 views, by gradient descent, against the best low rank by numpy.

    Three objects stand for views: 0 and 1 are views of one image, 2 and 3 of another. With two features the ratio
    pi(x, y) / (pi(x) pi(y)), 2 inside an image and 0 across, is reached exactly.
    """
    joint = np.kron(np.eye(2), np.ones((2, 2))) / 8
    marginal = joint.sum(axis=1)
    torch.manual_seed(0)
    f = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([f], lr=0.05)
    both, alone = torch.from_numpy(joint), torch.from_numpy(marginal)
    for _ in range(600):
        optimizer.zero_grad()
        k = f @ f.T
        loss = -2 * (both * k).sum() + (alone[:, None] * alone * k**2).sum()
        loss.backward()
        optimizer.step()
    found = (f @ f.T).detach().numpy()
    np.testing.assert_allclose(found, joint / np.outer(marginal, marginal), atol=1e-3)
    np.testing.assert_allclose(found, np.kron(np.eye(2), 2 * np.ones((2, 2))), atol=1e-3)


def test_features_stay_in_their_ball_and_short_ones_as_they_are() -> None:
    data, task = noise(), SpectralContrastive(dim=16, projection=4, bound=0.01)
    network = task.network(data)
    wide = SpectralContrastive(dim=16, projection=4, bound=1e6)
    free, held = wide.embed(network, data.test), task.embed(network, data.test)
    assert np.linalg.norm(free, axis=1).max() > 0.1
    scale = np.minimum(1, 0.1 / np.linalg.norm(free, axis=1))[:, None]
    np.testing.assert_allclose(held, free * scale, rtol=1e-4)


def test_the_inner_product_is_read_in_01_and_is_not_lawful() -> None:
    z = np.array([[1.0, 0.0], [0.5, 0.5], [-1.0, 0.0], [0.0, 0.0]])
    hom = hom_from_features(z, inner_product(2.0))
    values = hom.quantale.values(hom.dense(1 << 20))
    np.testing.assert_allclose(values, np.maximum(z @ z.T, 0) / 2)
    assert hom.lawful is False
    assert values[0, 0] == pytest.approx(0.5)
    np.testing.assert_allclose(hom.pairs([0, 0], [1, 2]), [np.log(4), np.inf])
    task = SpectralContrastive(bound=3.0)
    assert task.kernel.name == "inner product(bound=3)"
    assert "pi(x, y) / (pi(x) pi(y))" in task.category.hom


def test_refusals() -> None:
    data, task = noise(), SpectralContrastive(dim=16)
    with pytest.raises(InputError, match="at least 2; got 1"):
        task.loss(task.network(data), data, torch.arange(1))
    with pytest.raises(InputError, match="bound"):
        SpectralContrastive(bound=0.0)
