"""Kernel-InfoNCE: the loss's kernel and k_f are the same, what each mixture is, and which of them are lawful."""

from __future__ import annotations

import re

import numpy as np
import pytest

from presheaf.enriched.construct import hom_from_features
from presheaf.errors import InputError
from presheaf.pretext.base import Data
from presheaf.pretext.contrastive import SimCLR
from presheaf.pretext.kernel_infonce import KernelInfoNCE
from presheaf.pretext.mixture_kernel import mixture_kernel

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")

KINDS = [
    {"gamma": 2.0},
    {"gamma": 1.0},
    {"gamma": 0.5},
    {"gamma": 1.0, "mix": "sum"},
    {"gamma": 0.5, "mix": "sum", "share": 0.2},
    {"gamma": 1.0, "mix": "concatenation"},
    {"gamma": 0.5, "mix": "concatenation", "share": 0.9},
]


def noise() -> Data:
    from presheaf.pretext.data import make_data

    pixels = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)
    return make_data("noise", "image", pixels[:12], pixels[12:])


def unit(seed: int, n: int, d: int) -> np.ndarray:
    z = np.random.default_rng(seed).standard_normal((n, d))
    return z / np.linalg.norm(z, axis=1, keepdims=True)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_k_f_is_the_kernel_of_the_loss(kind: dict[str, float]) -> None:
    task, z = KernelInfoNCE(tau=0.7, **kind), unit(0, 6, 8)
    hom = hom_from_features(z, task.kernel)
    values = hom.quantale.values(hom.dense(1 << 20))
    trained = task.log_kernel(torch.from_numpy(z), torch.from_numpy(z)).exp().numpy()
    off = ~np.eye(6, dtype=bool)
    np.testing.assert_allclose(values[off], trained[off], rtol=1e-9)
    np.testing.assert_allclose(np.diag(values), 1, atol=1e-12)
    np.testing.assert_allclose(hom.pairs([0, 1], [3, 2]), hom.dense(1 << 20)[[0, 1], [3, 2]], rtol=1e-9)
    assert np.linalg.eigvalsh(values).min() > -1e-9


def test_mixtures_by_hand() -> None:
    """Two points that differ by 0.3 in the first half and by 0.4 in the second, so by 0.5 in all."""
    z = np.array([[0.3, 0.0, 0.4, 0.0], [0.0, 0.0, 0.0, 0.0]])
    both = hom_from_features(z, mixture_kernel(1.0, 0.5, 0.25, halves=False)).pairs([0], [1])[0]
    assert np.exp(-both) == pytest.approx(0.25 * np.exp(-0.5 / 0.5) + 0.75 * np.exp(-0.25 / 0.5))
    split = hom_from_features(z, mixture_kernel(1.0, 0.5, 0.25, halves=True)).pairs([0], [1])[0]
    assert np.exp(-split) == pytest.approx(0.25 * np.exp(-0.3 / 0.5) + 0.75 * np.exp(-0.16 / 0.5))


def test_lawful_up_to_gamma_one_and_not_in_a_mixture() -> None:
    assert [KernelInfoNCE(gamma=g).kernel.lawful for g in (0.5, 1.0, 1.5, 2.0)] == [True, True, False, False]
    for kind in KINDS[3:-1]:
        kernel = KernelInfoNCE(**kind).kernel
        assert not kernel.lawful
        # The three points that the reason names do break the law, in the kernel itself.
        found = re.search(r"steps of (\S+) break the triangle law by (\S+)$", kernel.reason)
        assert found is not None
        step, excess = map(float, found.groups())
        line = np.outer([0.0, 1.0, 2.0], [step, 0.0, step if kind["mix"] == "concatenation" else 0.0, 0.0])
        d = hom_from_features(line, kernel).dense(1 << 20)
        assert d[0, 2] - d[0, 1] - d[1, 2] == pytest.approx(excess, rel=0.05)
        assert excess > 0
    assert KernelInfoNCE(**KINDS[-1]).kernel.reason.startswith("no proof")


def test_gamma_two_is_simclr_at_half_the_temperature() -> None:
    data = noise()
    ours, theirs = KernelInfoNCE(gamma=2.0, tau=0.5, dim=16), SimCLR(temperature=0.25, dim=16)
    torch.manual_seed(0)
    network = ours.network(data)
    losses = []
    for task in (ours, theirs):
        torch.manual_seed(1)
        losses.append(float(task.loss(network, data, torch.arange(8)).detach()))
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert ours.kernel.name.startswith("gamma")


def test_a_concatenation_has_twice_the_features() -> None:
    data, task = noise(), KernelInfoNCE(mix="concatenation", projection=6, dim=16)
    features = task.embed(task.network(data), data.test)
    assert features.shape == (8, 12)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    with pytest.raises(InputError, match="even length; got 5"):
        hom_from_features(np.ones((4, 5)), task.kernel)


@pytest.mark.parametrize(
    "wrong",
    [{"gamma": 0.0}, {"gamma": 2.5}, {"gamma": 2.0, "mix": "sum"}, {"mix": "product"}, {"share": 1.0}, {"tau": -1.0}],
    ids=str,
)
def test_refusals(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        KernelInfoNCE(**wrong)
