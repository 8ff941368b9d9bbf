"""Weights from wherever they are, one tensor at a time: safetensors folders, state dicts, networks, peft adapters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from presheaf.errors import InputError, ModelError
from presheaf.language.lora_factors import LowRank, Matrix
from presheaf.models.files import read_json
from presheaf.models.optional import need

CONFIG, FACTORS = "adapter_config.json", "adapter_model.safetensors"
_WRAPPED = "base_model.model."
_PART = re.compile(r"(?P<module>.+)\.lora_(?P<embedding>embedding_)?(?P<factor>[AB])(?:\.weight)?$")


class Weights:
    """Named tensors, read when they are asked for, in double precision."""

    def __init__(self, read: Mapping[str, Callable[[], Any]]) -> None:
        self._read = dict(read)

    def __contains__(self, name: object) -> bool:
        return name in self._read

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)

    def raw(self, name: str) -> Any:
        """The tensor as it is stored, or a LowRank."""
        return self._read[name]()

    def get(self, name: str) -> Matrix:
        """The tensor as a float64 array of its own shape.

        Raises
        ------
        ModelError
            If the file that holds it is damaged.
        """
        value = self.raw(name)
        if hasattr(value, "detach"):
            value = value.detach().cpu().double().numpy()
        return np.asarray(value, dtype=np.float64)

    def resolve(self, name: str) -> str | None:
        """The name here of a tensor called ``name`` elsewhere: the same, or the only one that differs by a prefix."""
        if name in self._read:
            return name
        longer = [own for own in self._read if own.endswith("." + name)]
        shorter = [own for own in self._read if name.endswith("." + own)]
        found = longer or shorter
        return found[0] if len(found) == 1 else None


def open_weights(source: Any, role: str) -> Weights:
    """Weights of a folder of safetensors, a network or a model that has one, a state dict, or a single matrix.

    Parameters
    ----------
    source : str, Path, mapping of names to arrays, torch module, model with a ``network``, or array of shape (out, in)
    role : str
        What it stands for, for messages.

    Raises
    ------
    InputError
        If it is none of these, or the folder holds no safetensors.
    ModelError
        If a file is damaged.
    """
    if isinstance(source, str | Path):
        return _from_folder(Path(source), role)
    if isinstance(source, LowRank) or (hasattr(source, "ndim") and source.ndim == 2):
        return held({"weight": source})
    network = getattr(source, "network", source)
    tensors = (
        source if isinstance(source, Mapping) else network.state_dict() if hasattr(network, "state_dict") else None
    )
    if tensors is None:
        raise InputError(
            f"{role!r} must be a folder of safetensors, a state dict, a network, a model or a matrix; got "
            f"{type(source).__name__}."
        )
    return held(tensors)


def held(tensors: Mapping[str, Any]) -> Weights:
    """Tensors that are in memory already."""
    return Weights({str(name): partial(_same, value) for name, value in tensors.items()})


def _same(value: Any) -> Any:
    return value


def _from_folder(folder: Path, role: str) -> Weights:
    files = sorted(folder.glob("*.safetensors")) if folder.is_dir() else [folder] * folder.is_file()
    files = [path for path in files if path.suffix == ".safetensors" and path.name != FACTORS]
    if not files:
        raise InputError(
            f"{role!r} must name a folder with *.safetensors; {str(folder)!r} has none (pickles aren't read)."
        )
    return Weights({name: read for path in files for name, read in _tensors(path).items()})


def _tensors(path: Path) -> dict[str, Callable[[], Any]]:
    """Readers of the tensors in one safetensors file, by name."""
    need("torch", "torch", "Reading safetensors")
    safetensors = need("safetensors", "torch", "Reading safetensors")

    def read(name: str) -> Any:
        try:
            with safetensors.safe_open(path, framework="pt") as stream:
                return stream.get_tensor(name)
        except (OSError, safetensors.SafetensorError) as error:
            raise ModelError(f"The weights in {str(path)!r} can't be read: {error}. Fetch the file again.") from error

    try:
        with safetensors.safe_open(path, framework="pt") as stream:
            names = list(stream.keys())
    except (OSError, safetensors.SafetensorError) as error:
        raise ModelError(f"The weights in {str(path)!r} can't be read: {error}. Fetch the file again.") from error
    return {name: partial(read, name) for name in names}


@dataclass(frozen=True, eq=False)
class Adapter:
    """What an adapter does to which tensor of its base.

    Attributes
    ----------
    factors : dict of tensor name to LowRank
        Scale multiplied in, turned the way the base stores the tensor.
    replaced : dict of tensor name to array
        Tensors that the adapter replaces as a whole (peft's ``modules_to_save``).
    """

    factors: dict[str, LowRank]
    replaced: dict[str, Matrix]


def is_adapter(source: Any) -> bool:
    """Whether this is a folder with a peft adapter."""
    return isinstance(source, str | Path) and (Path(source) / CONFIG).is_file()


def read_adapter(folder: str | Path) -> Adapter:
    """A LoRA adapter as peft writes it (``adapter_config.json`` and ``adapter_model.safetensors``).

    The scale is alpha / r, or alpha / sqrt(r) with ``use_rslora``; ``alpha_pattern`` is followed.

    Raises
    ------
    InputError
        If it is no LoRA adapter, or one that is more than a sum of products (DoRA).
    ModelError
        If a file is missing or damaged, or a factor lacks its partner.
    """
    folder = Path(folder)
    settings = read_json(folder / CONFIG)
    if settings.get("peft_type") != "LORA":
        raise InputError(f"{CONFIG} must say 'peft_type': 'LORA'; {str(folder)!r} says {settings.get('peft_type')!r}.")
    if settings.get("use_dora"):
        raise InputError(
            f"{str(folder)!r} is a DoRA adapter: it rescales whole weights besides adding a product. Merge it into its "
            "base and give the merged folder instead."
        )
    path = folder / FACTORS
    if not path.is_file():
        raise ModelError(f"{str(folder)!r} has no {FACTORS} (adapters in pickles aren't read).")
    stored = Weights(_tensors(path))
    parts: dict[tuple[str, bool], dict[str, Matrix]] = {}
    replaced = {}
    for name in stored:
        match = _PART.fullmatch(name)
        if match:
            key = (match["module"].removeprefix(_WRAPPED), bool(match["embedding"]))
            parts.setdefault(key, {})[match["factor"]] = stored.get(name)
        elif not name.endswith((".lora_B.bias", ".lora_magnitude_vector")):
            replaced[name.removeprefix(_WRAPPED)] = stored.get(name)
    factors = {}
    for (module, embedding), pair in parts.items():
        if set(pair) != {"A", "B"}:
            raise ModelError(f"{str(path)!r} holds only one factor of {module!r}; both lora_A and lora_B are needed.")
        product = LowRank(pair["B"] * _scale(settings, module, pair["A"].shape[0]), pair["A"])
        turned = embedding or settings.get("fan_in_fan_out", False)
        factors[f"{module}.weight"] = LowRank(product.right.T, product.left.T) if turned else product
    return Adapter(factors, replaced)


def _scale(settings: dict[str, Any], module: str, rank: int) -> float:
    patterns = settings.get("alpha_pattern") or {}
    special = [value for pattern, value in patterns.items() if re.match(rf"(.*\.)?({pattern})$", module)]
    alpha = float(special[0] if special else settings.get("lora_alpha", 8))
    return alpha / (sqrt(rank) if settings.get("use_rslora") else rank)


def write_adapter(folder: str | Path, factors: Mapping[str, LowRank], base_name: str = "") -> None:
    """Write low-rank changes as a peft adapter, so that other programs can load it. Alpha equals the rank: scale 1.

    Parameters
    ----------
    factors : mapping of tensor name (ending ".weight") to LowRank, all of one rank
    """
    numpy = need("safetensors.numpy", "torch", "Writing an adapter")
    ranks = {change.left.shape[1] for change in factors.values()}
    if len(ranks) != 1:
        raise InputError(f"'factors' must hold changes of one rank; got ranks {sorted(ranks)}.")
    modules = [name.removesuffix(".weight") for name in factors]
    tensors = {}
    for module, change in zip(modules, factors.values(), strict=True):
        tensors[f"{_WRAPPED}{module}.lora_A.weight"] = np.ascontiguousarray(change.right, dtype=np.float32)
        tensors[f"{_WRAPPED}{module}.lora_B.weight"] = np.ascontiguousarray(change.left, dtype=np.float32)
    settings = {
        "peft_type": "LORA",
        "base_model_name_or_path": base_name,
        "r": min(ranks),
        "lora_alpha": min(ranks),
        "target_modules": sorted(modules),
        "task_type": "CAUSAL_LM",
    }
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    numpy.save_file(tensors, target / FACTORS)
    (target / CONFIG).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
