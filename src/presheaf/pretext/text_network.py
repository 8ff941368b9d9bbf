"""A small transformer together with the vocabulary it reads: what a checkpoint of a text task holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from presheaf.models.torch_tools import quietly
from presheaf.pretext.text_vocabulary import TextVocabulary


class TextNetwork(torch.nn.Module):  # type: ignore[misc]
    """A network of transformers with its vocabulary.

    The vocabulary is in the ``state_dict`` (as bytes), so that a run that is resumed, or looked back at, reads with the
    tokens it was trained with whatever version of `tokenizers` is installed by then.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Takes ``input_ids``; has ``config.max_position_embeddings``.
    vocabulary : TextVocabulary
    """

    def __init__(self, model: Any, vocabulary: TextVocabulary) -> None:
        super().__init__()
        self.model = model
        self.vocabulary = vocabulary

    def get_extra_state(self) -> torch.Tensor:
        """The vocabulary's JSON as bytes, uint8 of shape (length,)."""
        return torch.from_numpy(np.frombuffer(self.vocabulary.json.encode(), dtype=np.uint8).copy())

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Read with the vocabulary of these bytes from now on."""
        json = state.cpu().numpy().tobytes().decode()
        if json != self.vocabulary.json:
            self.vocabulary = TextVocabulary(json)

    @property
    def window(self) -> int:
        """Most tokens the network takes, special ones counted."""
        return int(self.model.config.max_position_embeddings)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def forward(self, ids: torch.Tensor, **options: Any) -> torch.Tensor:
        """Logits of shape (n, length, vocabulary) for token ids of shape (n, length)."""
        return self.model(input_ids=ids, return_dict=True, **options).logits

    def save(self, folder: Path) -> None:
        """Write config.json, model.safetensors and the tokenizer, as transformers does."""
        folder.mkdir(parents=True, exist_ok=True)
        with quietly():
            self.model.save_pretrained(folder)
            self.vocabulary.for_transformers(self.window).save_pretrained(folder)


@contextmanager
def evaluating(network: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; the mode before comes back."""
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(training)
