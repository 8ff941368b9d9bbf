"""SimCLR and what it shares with its family: category, held-out views, embeddings, and learning on a tiny set."""

from __future__ import annotations

import numpy as np
import pytest

from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.ideality import ideality
from presheaf.enriched.kernel import gaussian
from presheaf.errors import InputError
from presheaf.pretext.base import Data, Pretext
from presheaf.pretext.contrastive import SimCLR
from presheaf.pretext.two_views import hom_of_views

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")


def blobs() -> Data:
    """One bright blob on each image, at a place of its own."""
    from presheaf.pretext.data import make_data

    rng = np.random.default_rng(0)
    y, x = np.mgrid[:8, :8]
    at = rng.uniform(1, 7, (60, 2))
    images = 255 * np.exp(-((y - at[:, :1, None]) ** 2 + (x - at[:, 1:, None]) ** 2) / 3)
    pixels = images.astype(np.uint8)[..., None]
    return make_data("blobs", "image", pixels[:40], pixels[40:])


SMALL = {"dim": 16, "projection": 8, "crop": 0.8, "jitter": 0.2}


def test_the_loss_is_nt_xent_on_the_views_that_are_drawn() -> None:
    """The embedding of the same draws, in the plain form of Chen et al. 2020."""
    data, task = blobs(), SimCLR(**SMALL)
    torch.manual_seed(0)
    network = task.network(data)
    rows = torch.arange(6)
    torch.manual_seed(1)
    found = float(task.loss(network, data, rows).detach())
    torch.manual_seed(1)
    images = torch.from_numpy(data.train[:6].copy()).permute(0, 3, 1, 2).float() / 255
    z = network(task.views.of(torch.cat([images, images]))).detach().double().numpy()
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    similar = np.exp(z @ z.T / task.temperature)
    np.fill_diagonal(similar, 0)
    partner = (np.arange(12) + 6) % 12
    expected = -np.mean(np.log(similar[np.arange(12), partner] / similar.sum(axis=1)))
    assert found == pytest.approx(expected, rel=1e-4)


def test_kernel_has_the_row_law_of_the_loss() -> None:
    """k_f divided by its row sum, self left out, is the softmax of cosines over the temperature."""
    task = SimCLR(temperature=0.3)
    z = np.random.default_rng(0).standard_normal((6, 4))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    hom = task.model_hom(z.astype(np.float32))
    k = hom.quantale.values(hom.dense(1 << 20))
    soft = np.exp(z @ z.T / 0.3)
    for values in (k, soft):
        np.fill_diagonal(values, 0)
        values /= values.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(k, soft, rtol=1e-5)
    assert hom.lawful is False
    assert hom.fitted == 0


def test_held_out_views_are_of_held_out_images_and_lawful() -> None:
    data, task = blobs(), SimCLR(**SMALL)
    held = task.held_out(data, 24, 5)
    assert held.objects.shape == (24, 8, 8, 1)
    assert held.objects.dtype == np.uint8
    assert held.normalise == "rows"
    values = held.hom.quantale.values(held.hom.dense(1 << 20))
    np.testing.assert_array_equal(values, np.kron(np.eye(6), np.ones((4, 4))))
    assert held.hom.lawful is True
    assert np.array_equal(task.held_out(data, 24, 5).objects, held.objects)
    assert not np.array_equal(task.held_out(data, 24, 6).objects, held.objects)
    # Views that change nothing are the images themselves, and all of them held out.
    plain = SimCLR(crop=1.0, jitter=0.0).held_out(data, 24, 5).objects[::4]
    inside = {image.tobytes() for image in data.test}
    assert all(image.tobytes() in inside for image in plain)


def test_features_that_tell_images_and_nothing_else_are_ideal() -> None:
    image = np.repeat(np.arange(6), 4)
    external = hom_of_views(image)
    features = np.eye(6, dtype=np.float32)[image]
    found = ideality(hom_from_features(features, gaussian(0.1, unlawful=True)), external, "covariant", "rows")
    assert found.value.value < 1e-6
    assert found.merged.value == 0
    assert found.null.min() > 0.5
    mixed = features[np.random.default_rng(0).permutation(24)]
    assert (
        ideality(hom_from_features(mixed, gaussian(0.1, unlawful=True)), external, "covariant", "rows").value.value
        > 0.5
    )


def test_training_moves_the_category_towards_the_task(tmp_path: object) -> None:
    from presheaf.pretext.trainer import Plan, train

    data, task = blobs(), SimCLR(**SMALL)
    values = []

    def look(step: int, network: object, loss: float) -> None:
        held = task.held_out(data, 80, 0)
        model = task.model_hom(task.embed(network, held.objects))
        values.append(ideality(model, held.hom, task.category.variance, held.normalise, repeats=1).value)

    run = train(task, data, tmp_path, Plan(60, 32, 3e-3, checkpoint_every=60), on_checkpoint=look)
    assert np.mean(run.losses[-10:]) < np.mean(run.losses[:10]) - 0.3
    assert values[-1].high < values[0].low


def test_embeddings_have_length_one_and_no_companions() -> None:
    data, task = blobs(), SimCLR(**SMALL)
    network = task.network(data)
    features = task.embed(network, data.test)
    assert features.shape == (20, 8)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(task.embed(network, data.test[3:4])[0], features[3], atol=1e-5)
    assert network.training


def test_options_make_the_task_again() -> None:
    task = SimCLR(encoder="vit", temperature=0.7, flip=True)
    assert SimCLR(**task.options) == task
    assert isinstance(task, Pretext)
    assert task.options["temperature"] == 0.7


def test_refusals() -> None:
    data, task = blobs(), SimCLR(**SMALL)
    with pytest.raises(InputError, match="at least 2; got 1"):
        task.loss(task.network(data), data, torch.arange(1))
    with pytest.raises(InputError, match="temperature"):
        SimCLR(temperature=0)
    with pytest.raises(InputError, match="encoder"):
        SimCLR(encoder="resnet")
    with pytest.raises(InputError, match="crop"):
        SimCLR(crop=0)
    with pytest.raises(InputError, match="projection"):
        SimCLR(projection=1)
