"""Variants of a language model as models of their own: with an adapter, pruned, or with rounded weights.

Each is written as an ordinary Hugging Face folder and loaded from there, so that its fingerprint is that of its own
weights and `compare_categories` sets it beside its base like any other model.
"""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from presheaf.errors import InputError, ModelError
from presheaf.language.lora_factors import LowRank, Matrix
from presheaf.language.lora_weights import held, read_adapter
from presheaf.models.cache import default_root
from presheaf.models.files import fingerprint, folder_digest
from presheaf.models.lm.causal import CausalLM
from presheaf.models.torch_tools import quietly

_LAYOUT = "variants"


def with_adapter(model: CausalLM, adapter: str | Path, *, folder: str | Path | None = None) -> CausalLM:
    """The model with a peft LoRA adapter merged into its weights.

    Parameters
    ----------
    model : CausalLM
        Left as it is.
    adapter : folder of the adapter
    folder : path, optional
        Where the variant is written; a folder in the user's cache by default, used again when it is there.

    Raises
    ------
    InputError
        If it is no LoRA adapter, or none of its tensors fits.
    ModelError
        If a file is damaged, a tensor has no partner in the model, or the folder can't be written.

    Notes
    -----
    Cost: a copy of the network, and its size on disk.
    """
    read = read_adapter(adapter)

    def merge(network: Any) -> None:
        tensors = network.state_dict()
        names = held(tensors)
        changes: dict[str, LowRank | Matrix] = {**read.factors, **read.replaced}
        for name, change in changes.items():
            own = names.resolve(name)
            if own is None or tuple(tensors[own].shape) != change.shape:
                raise ModelError(f"The adapter changes {name!r} of shape {change.shape}, which the model doesn't have.")
            if isinstance(change, LowRank):
                tensors[own].add_(torch.from_numpy(change.left @ change.right).to(tensors[own]))
            else:
                tensors[own].copy_(torch.from_numpy(change))

    return _variant(model, merge, f"{Path(adapter).name} merged", fingerprint(folder_digest(Path(adapter))), folder)


def pruned(model: CausalLM, share: float, *, folder: str | Path | None = None) -> CausalLM:
    """The model with the smallest ``share`` of each block's linear weights set to 0, matrix by matrix.

    Raises
    ------
    InputError
        If the share is not in [0, 1).
    """
    if not 0 <= share < 1:
        raise InputError(f"'share' must be at least 0 and below 1; got {share}.")

    def prune(network: Any) -> None:
        for weight in _linear(network):
            count = int(share * weight.numel())
            if count:
                weight.view(-1)[weight.abs().view(-1).argsort(stable=True)[:count]] = 0

    return _variant(model, prune, f"{share:.0%} pruned", f"pruned {share!r}", folder)


def rounded(model: CausalLM, bits: int = 8, *, folder: str | Path | None = None) -> CausalLM:
    """The model with each block's linear weights rounded to ``bits`` bits, symmetric, one scale an output row.

    What a weight-only quantised model computes, in the arithmetic of the base; nothing gets faster or smaller.

    Raises
    ------
    InputError
        If bits is not in 2..8.
    """
    if not 2 <= bits <= 8:
        raise InputError(f"'bits' must be from 2 to 8; got {bits}.")
    most = 2 ** (bits - 1) - 1

    def quantise(network: Any) -> None:
        for weight in _linear(network):
            scale = weight.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(weight.dtype).tiny) / most
            weight.copy_((weight / scale).round().clamp(-most, most) * scale)

    return _variant(model, quantise, f"weights of {bits} bits", f"rounded {bits}", folder)


def _linear(network: Any) -> Iterator[Any]:
    """Weights of the linear maps inside the network, the output head left out."""
    head = network.get_output_embeddings()
    for module in network.modules():
        if isinstance(module, torch.nn.Linear) and module is not head:
            yield module.weight


def _variant(
    model: CausalLM, change: Callable[[Any], None], what: str, digest: str, folder: str | Path | None
) -> CausalLM:
    target = default_root() / _LAYOUT / fingerprint(model.fingerprint, digest) if folder is None else Path(folder)
    if not (target / "config.json").is_file():
        network = copy.deepcopy(model.network)
        with torch.no_grad():
            change(network)
        _write(network, model.tokenizer, target)
    return CausalLM(str(target), window=model.window, name=f"{model.info.name}, {what}", licence=model.info.licence)


def _write(network: Any, tokenizer: Any, target: Path) -> None:
    """The folder appears complete or not at all."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    except OSError as error:
        raise ModelError(
            f"The variant can't be written to {str(target.parent)!r}: {error.strerror or error}."
        ) from error
    try:
        with quietly():
            network.save_pretrained(made)
            tokenizer.save_pretrained(made)
        os.rename(made, target)
    except OSError as error:
        if (target / "config.json").is_file():
            return  # another process was first
        raise ModelError(f"The variant can't be written to {str(target)!r}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
