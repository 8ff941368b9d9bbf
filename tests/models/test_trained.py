"""Small image networks, and what was trained as a model source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from presheaf.errors import InputError, ModelError
from presheaf.models import check_model_source, load_model

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("PIL")

from presheaf.models.nets import ImageNetwork, image_network, network_of, save_network  # noqa: E402


def network(kind: str = "conv", seed: int = 0, **sizes: Any) -> ImageNetwork:
    torch.manual_seed(seed)
    return image_network(kind, **{"height": 8, "width": 8, "channels": 1, "dim": 32, **sizes})


def images(n: int = 6, height: int = 8, width: int = 8, channels: int = 1) -> list[Any]:
    return list(np.random.default_rng(0).integers(0, 256, (n, height, width, channels), dtype=np.uint8))


@pytest.mark.parametrize("kind", ["conv", "vit"])
@pytest.mark.parametrize(("height", "width", "channels"), [(8, 8, 1), (28, 28, 1), (32, 32, 3), (12, 16, 3)])
def test_features_and_projection(kind: str, height: int, width: int, channels: int) -> None:
    built = network(kind, height=height, width=width, channels=channels, projection=5)
    x = torch.rand(3, channels, height, width)
    assert built.features(x).shape == (3, 32)
    assert built(x).shape == (3, 5)
    plain = network(kind, height=height, width=width, channels=channels)
    assert torch.equal(plain(x), plain.features(x))


@pytest.mark.parametrize("kind", ["conv", "vit"])
def test_features_do_not_depend_on_the_batch(kind: str) -> None:
    built = network(kind).double()
    x = torch.rand(5, 1, 8, 8, dtype=torch.float64)
    for mode in (True, False):
        built.train(mode)
        torch.testing.assert_close(built.features(x)[2:3], built.features(x[2:3]), rtol=1e-9, atol=1e-12)


def test_a_patch_moves_one_token_only_before_the_layers() -> None:
    built = network("vit").backbone
    x = torch.rand(1, 1, 8, 8)
    y = x.clone()
    y[0, 0, 2:4, 4:6] = 0
    changed = (built.patches(x) != built.patches(y)).flatten(2).any(dim=1)[0]
    assert changed.nonzero().flatten().tolist() == [1 * 4 + 2]


def test_layers_of_the_transformer_begin_apart() -> None:
    first, second, *_ = network("vit").backbone.layers.layers
    assert not torch.equal(first.linear1.weight, second.linear1.weight)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "mlp"}, "'kind' must be one of conv, vit"),
        ({"channels": 2}, "'channels' must be 1"),
        ({"dim": 20}, "multiple of 16"),
        ({"height": 3}, "'height' must be at least 4"),
        ({"kind": "vit", "height": 9}, "patches of 2 x 2 pixels; 9 x 8 is not divided"),
    ],
)
def test_numbers_out_of_range(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(**change)


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(InputError, match=r"takes images of shape \(n, 1, 8, 8\); got \(2, 1, 9, 8\)"):
        network()(torch.zeros(2, 1, 9, 8))


def test_the_settings_build_it_again() -> None:
    built = network("vit", projection=7)
    twin = network_of(json.loads(json.dumps(built.config)))
    twin.load_state_dict(built.state_dict())
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(built.eval()(x), twin.eval()(x))
    with pytest.raises(InputError, match="missing: dim"):
        network_of({name: value for name, value in built.config.items() if name != "dim"})


@pytest.mark.parametrize("kind", ["conv", "vit"])
def test_a_saved_network_is_a_model_source(kind: str, tmp_path: Path) -> None:
    built = network(kind, projection=9)
    save_network(built, tmp_path)
    model = load_model(f"trained:{tmp_path}")
    other = load_model(f"trained:{tmp_path}?layer=embedding")
    check_model_source(model, images(), other=other)
    check_model_source(other, images())
    assert (model.info.dim, other.info.dim) == (32, 9)
    x = torch.from_numpy(np.stack(images())).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        np.testing.assert_allclose(model.encode(images()), built.eval().features(x).numpy(), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(other.encode(images()), built.eval()(x).numpy(), rtol=1e-4, atol=1e-5)


def test_paths_arrays_and_sizes(tmp_path: Path) -> None:
    from PIL import Image

    save_network(network(), tmp_path / "model")
    model = load_model(str(tmp_path / "model"))  # its kind is recognised
    small = images()[0]
    Image.fromarray(small[:, :, 0]).save(tmp_path / "small.png")
    Image.fromarray(small[:, :, 0]).convert("RGB").save(tmp_path / "colour.png")
    large = small.repeat(3, axis=0).repeat(3, axis=1)
    objects = [small, str(tmp_path / "small.png"), str(tmp_path / "colour.png"), large]
    keys = model.inputs(objects)
    assert keys is not None
    assert keys[0] == keys[1] == keys[2]  # one input: the network can't tell them apart
    features = model.encode(objects)
    assert (features[0] == features[1]).all()
    assert model.inputs([large]) != model.inputs([255 - large])


def test_folders_that_hold_something_else(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="isn't the folder of an image network"):
        load_model(f"trained:{tmp_path}")
    save_network(network(), tmp_path)
    weights = tmp_path / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-50])
    with pytest.raises(ModelError, match="can't be read as the weights"):
        load_model(f"trained:{tmp_path}")
    weights.unlink()
    with pytest.raises(ModelError, match="can't be read"):
        load_model(f"trained:{tmp_path}")
    save_network(network(dim=48), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "dim": 32}))
    with pytest.raises(ModelError, match="can't be read as the weights"):
        load_model(f"trained:{tmp_path}")


def test_other_weights_have_another_fingerprint(tmp_path: Path) -> None:
    for seed in (0, 1):
        save_network(network(seed=seed), tmp_path / str(seed))
    save_network(network(), tmp_path / "again")
    prints = [load_model(f"trained:{tmp_path / name}").fingerprint for name in ("0", "1", "again")]
    assert prints[0] != prints[1]
    assert prints[0] == prints[2]


def test_networks_of_two_runs_have_two_names(tmp_path: Path) -> None:
    specs = []
    for run in ("first", "second"):
        save_network(network(projection=9), tmp_path / run / "model")
        specs += [f"trained:{tmp_path / run / 'model'}{layer}" for layer in ("", "?layer=embedding")]
    assert [load_model(spec).info.name for spec in specs] == specs  # else they can't be compared with one another


def test_a_folder_that_is_not_there_and_the_folder_of_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_model(f"trained:{tmp_path / 'nothing'}")
    save_network(network(), tmp_path / "run" / "model")
    with pytest.raises(InputError, match=r"It holds one: trained:.*run.model"):
        load_model(f"trained:{tmp_path / 'run'}")
