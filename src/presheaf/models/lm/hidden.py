"""Texts as hidden states of a causal network: what a probe reads, and what makes a language model a model with k_f."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from presheaf.errors import ModelError
from presheaf.models.base import Trace
from presheaf.models.pooling import batches, finite, pool
from presheaf.models.tokens import WindowTokenizer


class HiddenStates:
    """Pooled hidden states of the network under a language model's head, in right-padded batches.

    Parameters
    ----------
    network : model of transformers, in evaluation mode
        Without the head that gives logits.
    tokens : WindowTokenizer
    layer : int or "mean"
        0 is the embedding layer, L the last of L blocks, "mean" the mean over all of them.
    pooling : "mean", "cls", "max" or "last"
    name : str
        For errors.
    """

    def __init__(
        self,
        network: Any,
        tokens: WindowTokenizer,
        *,
        layer: int | str,
        pooling: str,
        name: str,
    ) -> None:
        self._network = network
        self._tokens = tokens
        self._layer = layer
        self._pooling = pooling
        self._name = name
        self.dim = self._forward(network, ["a"]).shape[-1]
        self.layers = len(self._states(network, ["a"])[0]) - 1

    def encode(self, objects: Sequence[Any], size: int) -> NDArray[np.float32]:
        """Features of shape (n, dim), ``size`` texts a forward pass."""
        rows = [_numpy(self._forward(self._network, piece)) for piece in batches(objects, size)]
        return finite(np.concatenate(rows) if rows else np.zeros((0, self.dim), np.float32), self._name)

    def all_layers(self, objects: Sequence[Any], size: int) -> NDArray[np.float32]:
        """Pooled states of every layer, shape (layers + 1, n, dim)."""
        rows = [_numpy(self._pooled_layers(piece)) for piece in batches(objects, size)]
        return np.concatenate(rows, axis=1) if rows else np.zeros((self.layers + 1, 0, self.dim), np.float32)

    def exact(self, objects: Sequence[Any]) -> tuple[NDArray[Any], str]:
        """Features of shape (n, dim) in double precision, one text at a time; the copy of the network is kept."""
        from presheaf.models.torch_tools import one_by_one

        return one_by_one(lambda text: self._forward(self._double, [text])[0], objects, self.dim)

    def keys(self, objects: Sequence[Any]) -> list[bytes]:
        return self._tokens.keys(objects)

    def trace(self, text: str) -> Trace:
        return self._tokens.trace(text)

    @cached_property
    def _double(self) -> Any:
        from presheaf.models.torch_tools import in_double

        return in_double(self._network)

    def _states(self, network: Any, texts: Sequence[Any]) -> tuple[tuple[Any, ...], Any]:
        batch = self._tokens.batch(texts)
        fed = {key: torch.from_numpy(batch[key]).to(network.device) for key in ("input_ids", "attention_mask")}
        try:
            with torch.inference_mode():
                output = network(**fed, output_hidden_states=True, use_cache=False, return_dict=True)
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"The {network.device.type} has no memory left for {len(texts)} texts of "
                f"{fed['input_ids'].shape[1]} tokens; give a smaller batch_size or window."
            ) from error
        return output.hidden_states, fed["attention_mask"]

    def _forward(self, network: Any, texts: Sequence[Any]) -> Any:
        states, mask = self._states(network, texts)
        hidden = torch.stack(states).mean(0) if self._layer == "mean" else states[int(self._layer)]
        return pool(hidden, mask.to(hidden.dtype), self._pooling)

    def _pooled_layers(self, texts: Sequence[Any]) -> Any:
        states, mask = self._states(self._network, texts)
        return torch.stack([pool(hidden, mask.to(hidden.dtype), self._pooling) for hidden in states])


def _numpy(features: Any) -> NDArray[np.float32]:
    out: NDArray[np.float32] = features.float().cpu().numpy()
    return out
