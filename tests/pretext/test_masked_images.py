"""The masked autoencoder: what is hidden stays hidden, positions are there, completing is learnt."""

from __future__ import annotations

import numpy as np
import pytest

from presheaf.enriched.ideality import ideality
from presheaf.errors import InputError
from presheaf.pretext.completion import masked
from presheaf.pretext.data import make_data

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("safetensors")

from presheaf.models.registry import load_model  # noqa: E402
from presheaf.pretext.base import Data  # noqa: E402
from presheaf.pretext.masked_images import MaskedImages  # noqa: E402


def flat(n: int = 160) -> Data:
    """One grey a picture with a little noise: what is hidden follows from what is seen."""
    rng = np.random.default_rng(0)
    images = (rng.uniform(10, 230, (n, 1, 1)) + rng.uniform(0, 20, (n, 8, 8))).astype(np.uint8)[..., None]
    return make_data("flat", "image", images[: n // 2], images[n // 2 :])


def small(**options: float) -> MaskedImages:
    return MaskedImages(**{"dim": 32, "decoder_dim": 16, **options})


def trained(task: MaskedImages, data: Data, steps: int) -> torch.nn.Module:
    torch.manual_seed(0)
    network = task.network(data)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(steps):
        loss = task.loss(network, data, torch.randint(0, len(data.train), (32,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def test_held_out_objects_are_partial_images_and_the_same_whole() -> None:
    data = flat()
    held = small().held_out(data, 20, 3)
    assert held.objects.shape == (20, 8, 8, 2)
    partial, whole = held.objects[:10], held.objects[10:]
    assert (whole[..., 1] == 255).all()
    patches = partial[..., 1].reshape(10, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4).reshape(10, 16, 4)
    assert ((patches == 0).all(axis=2) | (patches == 255).all(axis=2)).all()
    assert ((patches == 255).all(axis=2).sum(axis=1) == 4).all()  # a quarter of 16
    shown = partial[..., 1] > 0
    np.testing.assert_array_equal(partial[..., 0], np.where(shown, whole[..., 0], 0))
    kept = {x.tobytes() for x in data.train}
    assert not any(x.tobytes() in kept for x in whole[..., :1])
    # Noise tells all images apart, so each partial one has one completion.
    values = held.hom.quantale.values(held.hom.distances())
    np.testing.assert_allclose(values, np.eye(20) + np.eye(20, k=10))


def test_the_prediction_depends_on_what_is_seen_only() -> None:
    data, task = flat(), small()
    network = trained(task, data, 1)
    held = task.held_out(data, 8, 0)
    partial = held.objects[:4]
    meddled = partial.copy()
    meddled[..., 0] = np.where(partial[..., 1] > 0, partial[..., 0], 77)
    seen, first, predicted = np.split(task.embed(network, partial), 3, axis=1)
    _, _, again = np.split(task.embed(network, meddled), 3, axis=1)
    np.testing.assert_array_equal(predicted, again)
    np.testing.assert_array_equal(seen.reshape(4, 8, 8), partial[..., 1] > 0)
    np.testing.assert_allclose(predicted[seen > 0], first[seen > 0])
    brighter = partial.copy()
    brighter[..., 0] = np.where(partial[..., 1] > 0, 255, 0)
    assert not np.array_equal(predicted, np.split(task.embed(network, brighter), 3, axis=1)[2])


def test_whole_images_are_themselves() -> None:
    data, task = flat(), small()
    features = task.embed(trained(task, data, 1), masked(data.test[:3], np.ones((3, 8, 8), dtype=bool)))
    expected = data.test[:3].reshape(3, -1) / np.float32(255)
    np.testing.assert_array_equal(features, np.concatenate([np.ones((3, 64)), expected, expected], axis=1))


def test_every_patch_has_a_position_of_its_own() -> None:
    network = small().network(flat())
    for positions in (network.vit.embeddings.position_embeddings, network.decoder.decoder_pos_embed):
        assert not positions.requires_grad
        rows = positions[0].numpy()
        assert len(np.unique(rows.round(6), axis=0)) == 17
        assert (rows[0] == 0).all()
        # Sines and cosines of column and row: moving by one patch is one turn of the plane for all patches.
        grid = rows[1:].reshape(4, 4, -1)
        column, row = np.split(grid, 2, axis=2)
        np.testing.assert_array_equal(column, np.broadcast_to(column[:1], column.shape))
        np.testing.assert_array_equal(row, np.broadcast_to(row[:, :1], row.shape))
        np.testing.assert_allclose(column[0, 3, 0], np.sin(3), rtol=1e-6)


def test_the_loss_is_the_mean_square_of_the_hidden_pixels() -> None:
    data, task = flat(), small()
    network = trained(task, data, 1).eval()
    torch.manual_seed(4)
    value = float(task.loss(network, data, torch.tensor([0, 1])).detach())
    torch.manual_seed(4)
    rank = torch.rand(2, 16).argsort(dim=1).argsort(dim=1).numpy()
    seen = (rank < 4).reshape(2, 4, 4).repeat(2, axis=1).repeat(2, axis=2)
    features = task.embed(network, masked(data.train[:2], seen))
    _, _, predicted = np.split(features, 3, axis=1)
    gaps = (predicted.reshape(2, 8, 8) - data.train[:2, ..., 0] / 255)[~seen]
    assert value == pytest.approx(4 * (gaps**2).mean(), rel=1e-4)  # pixels in [-1, 1] are twice as far apart


def test_training_brings_completions_nearer_to_the_tasks_own() -> None:
    data, task = flat(), small(sigma=0.1)
    held = task.held_out(data, 80, 0)

    def measured(steps: int) -> float:
        hom = task.model_hom(task.embed(trained(task, data, steps), held.objects))
        return ideality(hom, held.hom, task.category.variance, held.normalise, repeats=1).value.value

    # Of some 40 greys a Gaussian of 0.1 leaves about a dozen in question.
    assert measured(120) < 0.95 < measured(0)


def test_the_encoder_is_a_model_source(tmp_path) -> None:
    data, task = flat(), small()
    network = trained(task, data, 2).eval()
    source = load_model(task.save(network, data, tmp_path / "mae"))
    features = source.encode(list(data.test[:5]))
    assert features.shape == (5, 32)
    with torch.no_grad():
        pixels = 2 * (torch.tensor(data.test[:5]).permute(0, 3, 1, 2) / 255) - 1
        network.vit.config.mask_ratio = 0.0
        tokens = network.vit(pixels, noise=torch.arange(16.0).expand(5, -1)).last_hidden_state
    np.testing.assert_allclose(features, tokens[:, 1:].mean(dim=1).numpy(), rtol=1e-4, atol=1e-5)


def partly(pixels: int) -> np.ndarray:
    """An image with all but some of its first pixels hidden."""
    seen = np.zeros((1, 8, 8), dtype=bool)
    seen[0, 0, :pixels] = True
    return masked(flat().test[:1], seen)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: MaskedImages(mask_ratio=1.0), "'mask_ratio' must lie between 0 and 1"),
        (lambda: MaskedImages(dim=20), "'dim' must be a multiple of 16"),
        (lambda: MaskedImages(decoder_dim=0), "'decoder_dim' must be a multiple of 16"),
        (lambda: MaskedImages(sigma=0.0), "'sigma' must be a positive number"),
        (lambda: small(mask_ratio=0.99).network(flat()), "none or all of 16 patches"),
        (
            lambda: small().network(
                make_data("wide", "image", np.zeros((3, 8, 12, 1), np.uint8), np.ones((2, 8, 12, 1), np.uint8))
            ),
            "takes square images",
        ),
        (lambda: small().embed(small().network(flat()), partly(3)), "must show 4 of its 16 patches"),
    ],
)
def test_what_is_refused(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()
