"""GGUF files: converted once, exactly, whole or not at all."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("accelerate")
pytest.importorskip("gguf")

from small_gguf import save_gguf
from small_lm import TEXTS, by_hand, llama, save_causal

from presheaf.errors import InputError, ModelError
from presheaf.models import load_model
from presheaf.models.lm import gguf
from presheaf.models.lm.base import Question
from presheaf.models.lm.causal import CausalLM
from presheaf.models.lm.gguf import converted_folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRESHEAF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    network = save_causal(tmp_path / "hf", llama())
    save_gguf(tmp_path / "tiny.gguf", network)
    return tmp_path / "tiny.gguf"


def test_a_converted_file_gives_the_numbers_of_the_network_it_was_written_from(file: Path, cache: Path) -> None:
    network = CausalLM(str(file.parent / "hf")).network
    model = load_model(str(file))
    assert isinstance(model, CausalLM)
    assert model.info.precision.startswith("GGUF weights")
    for text in TEXTS[:3]:
        tokens = model.tokens(text)
        assert tokens == CausalLM(str(file.parent / "hf")).tokens(text)
        np.testing.assert_allclose(model.token_log_probs([tokens])[0][1:], by_hand(network, list(tokens), 1), atol=1e-4)
    assert load_model(f"gguf:{file}").fingerprint == model.fingerprint


def test_a_file_without_an_ending_is_known_by_how_it_begins(file: Path, cache: Path) -> None:
    copy = shutil.copy(file, file.with_name("0a1b2c"))
    assert load_model(f"gguf:{copy}").fingerprint == load_model(str(file)).fingerprint
    other = file.with_name("table.csv")
    other.write_text("text,label\n")
    with pytest.raises(InputError, match=r"isn't a GGUF file.*Expected one, or the folder of a causal language model"):
        load_model(f"gguf:{other}")


def test_it_is_converted_once_and_said_so(
    file: Path, cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.WARNING):
        folder = converted_folder(file)
    assert "tiny.gguf" in caplog.text
    assert folder.is_relative_to(cache)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]  # nothing half-made is left beside it
    monkeypatch.setattr(gguf, "_write", lambda *_: pytest.fail("converted twice"))
    copy = shutil.copy(file, file.with_name("copy.gguf"))
    assert converted_folder(copy) == folder  # the key is the content, not the name


@pytest.mark.parametrize(
    "damage", ["flipped byte", "cut weights", "no weights", "no receipt", "junk receipt", "a list"]
)
def test_a_damaged_conversion_is_redone(file: Path, cache: Path, damage: str) -> None:
    folder = converted_folder(file)
    weights, receipt = folder / "model.safetensors", folder / "converted.json"
    whole = weights.read_bytes()
    if damage == "flipped byte":
        weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif damage == "cut weights":
        weights.write_bytes(whole[:-10])
    elif damage == "no weights":
        weights.unlink()
    elif damage == "no receipt":
        receipt.unlink()
    else:
        receipt.write_text("{" if damage == "junk receipt" else "[1]")
    assert converted_folder(file) == folder
    assert weights.read_bytes() == whole


def test_a_conversion_that_dies_leaves_nothing(file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(path: Path, made: Path) -> None:
        (made / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gguf, "_write", dies)
        with pytest.raises(KeyboardInterrupt):
            converted_folder(file)
    assert list((cache / "gguf-1").iterdir()) == []
    assert (converted_folder(file) / "model.safetensors").is_file()


def test_another_process_that_was_first_wins(file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = gguf._write
    first = converted_folder(file)
    shutil.move(first, first.with_name("aside"))

    def slow(path: Path, made: Path) -> None:
        write(path, made)
        shutil.move(first.with_name("aside"), first)

    monkeypatch.setattr(gguf, "_write", slow)
    stamp = (first.with_name("aside") / "converted.json").stat().st_ino
    assert (converted_folder(file) / "converted.json").stat().st_ino == stamp


@pytest.mark.parametrize("kept", [0, 3, 200, 5000])
def test_a_cut_file_is_one_sentence(file: Path, cache: Path, kept: int) -> None:
    broken = file.with_name("broken.gguf")
    broken.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ModelError, match="GGUF") as caught:
        CausalLM(str(broken))
    assert "\n" not in str(caught.value)


def test_a_file_whose_last_tensor_is_cut(file: Path, cache: Path) -> None:
    broken = file.with_name("broken.gguf")
    broken.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(ModelError, match="can't be read"):
        CausalLM(str(broken))


def test_no_such_file_and_other_formats(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        load_model(f"gguf:{tmp_path / 'absent.gguf'}")
    with pytest.raises(InputError, match="no file"):
        CausalLM(str(tmp_path / "absent.gguf"))
    (tmp_path / "text.gguf").write_text("not a model")
    with pytest.raises(ModelError, match="isn't a GGUF file"):
        CausalLM(str(tmp_path / "text.gguf"))


def test_a_cache_that_can_not_be_written(file: Path, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(ModelError, match="PRESHEAF_CACHE"):
        CausalLM(str(file))


def test_options_reach_the_network(file: Path, cache: Path) -> None:
    model = load_model(f"{file}?layer=1&window=40")
    assert (model.info.window, model.info.settings[0]) == (40, ("layer", "1"))
    assert len(CausalLM(str(file)).score([Question("the", (" cat",))])) == 1
