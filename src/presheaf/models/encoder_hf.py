"""A Hugging Face encoder: any folder `AutoModel` reads, with the choice of layer and pooling."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError, one_of
from presheaf.models.base import ModelInfo, Role, Trace
from presheaf.models.files import (
    fingerprint,
    first_line,
    folder_digest,
    model_folder,
    smallest,
    stored_window,
)
from presheaf.models.hf_folder import check_layer, load_network, load_tokenizer
from presheaf.models.optional import need
from presheaf.models.pooling import POOLINGS, batches, check_batch_size, finite, pool, stored_pooling
from presheaf.models.tokens import WindowTokenizer


class HfEncoder:
    """Features of a transformer encoder read from safetensors, run in float32 by torch. Features aren't normalised.

    Parameters
    ----------
    folder_or_name : str
        Folder of the model, or its name on the hub (fetched once; with HF_HUB_OFFLINE=1 only from the local cache).
    layer : int, "mean" or None
        Which hidden state: 0 is the embedding layer, L the last of L blocks, negative counts from the end, "mean" the
        mean over all of them (0 to L). None: the model's own output, which for most is layer L.
    pooling : "mean", "cls", "max", "last" or None
        None: what a sentence-transformers folder stores, else "mean".
    window : int or None
        Most tokens, special ones counted. None: the smallest of what the tokenizer, the position embeddings and a
        sentence-transformers folder allow.
    prefix, prompt_prefix : str
        Written before every object, and before every prompt.
    device : str or None
        None: the GPU where there is one, else the CPU.
    seed : int or None
        Not None: the same architecture with random weights from this seed instead of the stored ones, as a control.
    batch_size : int
        Texts per forward pass.
    name : str or None
        Name in reports. None: ``folder_or_name``.
    licence : str

    Raises
    ------
    InputError
        An option is out of range, or the folder is missing or empty.
    ModelError
        The weights are damaged, incomplete, or not in safetensors; the tokenizer is missing; the name isn't cached.
    MissingDependencyError
        torch or transformers isn't installed.
    """

    takes: Literal["text", "row"] = "text"
    needs_fit = False

    def __init__(
        self,
        folder_or_name: str,
        *,
        layer: int | str | None = None,
        pooling: str | None = None,
        window: int | None = None,
        prefix: str = "",
        prompt_prefix: str = "",
        device: str | None = None,
        seed: int | None = None,
        batch_size: int = 32,
        name: str | None = None,
        licence: str = "",
    ) -> None:
        need("torch", "torch", "A Hugging Face encoder")
        need("transformers", "torch", "A Hugging Face encoder")
        from presheaf.models.torch_tools import pick_device

        name = name or folder_or_name
        self._folder = model_folder(folder_or_name, "a Hugging Face encoder")
        self.batch_size = check_batch_size(batch_size)
        self._pooling = one_of("pooling", pooling or stored_pooling(self._folder) or "mean", POOLINGS)
        self._device = pick_device(device)
        self._seed = seed
        tokenizer = load_tokenizer(self._folder)
        self._network = _load_network(self._folder, seed).to(self._device)
        self._layer = check_layer(layer, getattr(self._network.config, "num_hidden_layers", None))
        longest = smallest((_positions(self._network), tokenizer.model_max_length))
        if window is not None and longest is not None and isinstance(window, int) and window > longest:
            raise InputError(f"'window' must be at most {longest}, which is what {name} was built for; got {window}.")
        self._tokens = WindowTokenizer(
            tokenizer.backend_tokenizer,
            window=smallest((longest, stored_window(self._folder))) if window is None else window,
            prefix=prefix,
            prompt_prefix=prompt_prefix,
            side=tokenizer.truncation_side,
            pad=tokenizer.pad_token_id or 0,
        )
        self._fields = {"input_ids", "attention_mask", *tokenizer.model_input_names}
        self._dim = self._probe()
        stated = {
            "layer": "" if self._layer is None else self._layer,
            "pooling": self._pooling,
            "prefix": prefix,
            "prompt_prefix": prompt_prefix,
            "random weights from seed": "" if seed is None else seed,
        }
        self.info = ModelInfo(
            name=name,
            kind="transformers",
            dim=self._dim,
            window=self._tokens.window,
            licence=licence,
            settings=tuple((key, str(value)) for key, value in stated.items() if value != ""),
        )

    @cached_property
    def fingerprint(self) -> str:
        """Digest of weights, tokenizer, configuration and settings. Reads the weights once a process."""
        from presheaf.models.torch_tools import weights_digest

        weights = folder_digest(self._folder) if self._seed is None else weights_digest(self._network)
        return fingerprint("transformers", weights, self._tokens.digest, self.info.settings)

    def fit(self, objects: Sequence[Any]) -> None:
        """Does nothing: the weights are given."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Features of shape (n, dim) in float32, ``batch_size`` texts at a time, padded to the longest of them."""
        rows = [self._forward(self._network, piece, role).cpu().numpy() for piece in batches(objects, self.batch_size)]
        features = np.concatenate(rows) if rows else np.zeros((0, self._dim))
        return finite(features.astype(np.float32, copy=False), self.info.name)

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[Any], str]:
        """Features of shape (n, dim) in float64, one text at a time, by a copy of the network in double precision.

        The copy is made at the first call and kept: twice the memory of the weights.
        """
        from presheaf.models.torch_tools import one_by_one

        double = self._double
        return one_by_one(lambda text: self._forward(double, [text], "object")[0], objects, self._dim)

    def inputs(self, objects: Sequence[Any]) -> list[bytes]:
        """The token ids of each text after truncation, special tokens included, as int32 bytes."""
        return self._tokens.keys(objects)

    def trace(self, text: str) -> Trace:
        """The tokens that reach the network, how many were cut off, what was unknown."""
        return self._tokens.trace(text)

    @cached_property
    def _double(self) -> Any:
        from presheaf.models.torch_tools import in_double

        return in_double(self._network)

    def _probe(self) -> int:
        try:
            return int(self._forward(self._network, ["a"], "object").shape[1])
        except (AttributeError, TypeError, ValueError, RuntimeError) as error:
            architecture = type(self._network).__name__
            raise ModelError(
                f"The {architecture} in {str(self._folder)!r} doesn't turn token ids into hidden states "
                f"({first_line(error)}); expected a text encoder."
            ) from error

    def _forward(self, network: Any, texts: Sequence[Any], role: Role) -> Any:
        import torch

        batch = self._tokens.batch(texts, role)
        fed = {key: torch.from_numpy(value).to(network.device) for key, value in batch.items() if key in self._fields}
        try:
            with torch.inference_mode():
                output = network(**fed, output_hidden_states=self._layer is not None, return_dict=True)
                if self._layer is None:
                    hidden = output.last_hidden_state
                elif self._layer == "mean":
                    hidden = torch.stack(output.hidden_states).mean(0)
                else:
                    hidden = output.hidden_states[self._layer]
                return pool(hidden, fed["attention_mask"].to(hidden.dtype), self._pooling)
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"The {self._device.type} has no memory left for {len(texts)} texts of "
                f"{batch['input_ids'].shape[1]} tokens; give a smaller batch_size or window."
            ) from error


def _load_network(folder: Path, seed: int | None) -> Any:
    """The encoder in float32 with "eager" attention: plain arithmetic that every architecture has on every device."""
    network = load_network(folder, "AutoModel", seed, attention="eager")
    if getattr(network.config, "is_encoder_decoder", False):
        network = network.get_encoder()
    return network


def _positions(network: Any) -> int | None:
    """How many tokens the position embeddings reach; None when positions are relative or can't be told."""
    import torch

    for name, module in network.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            # RoBERTa's positions start after the padding index.
            return int(module.num_embeddings) - (0 if module.padding_idx is None else int(module.padding_idx) + 1)
    return smallest((getattr(network.config, "max_position_embeddings", None),))
