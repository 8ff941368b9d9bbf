"""The protocol every model source keeps: f (features), k_f (the kernel), and what can be seen of its input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Role = Literal["object", "prompt"]
Takes = Literal["text", "row", "image"]


@dataclass(frozen=True)
class ModelInfo:
    """What a report says about a model. All values are plain and may be printed.

    Attributes
    ----------
    name : str
        The name the user asked for.
    kind : str
        The source: "onnx", "transformers", "static", "tfidf", "vectors", "openai", "efficientnet-lite", "pixels", ...
    dim : int or None
        Feature dimension; None before it is known.
    kernel : "cosine"
        k_f. Cosine of the two feature vectors.
    window : int or None
        Most tokens (special ones counted) that reach the network; None when nothing is cut off or it is not known.
    precision : str
        Of the weights and of the arithmetic, e.g. "float32", "int8 weights, float32 arithmetic".
    trainable : bool
        Whether somebody could change the weights (false for an endpoint and for precomputed vectors).
    licence : str
    settings : tuple of (str, str)
        Layer, pooling, prefix, ...: part of the model, so part of the report. A model of images says under "input" what
        reaches its weights: "224 x 224 pixels, colour".
    """

    name: str
    kind: str
    dim: int | None
    kernel: str = "cosine"
    window: int | None = None
    precision: str = "float32"
    trainable: bool = True
    licence: str = ""
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Trace:
    """What happens to one text on its way into the network.

    Attributes
    ----------
    tokens : tuple of str
        The tokens that reach the network, in order, without special ones.
    cut : int
        Tokens past the window that do not reach it.
    unknown : tuple of str
        Surface forms that became the unknown token or were dropped because the vocabulary lacks them.
    ordered : bool
        False when the network sees only how often each token occurs (mean-pooled static vectors, bags of words).
    """

    tokens: tuple[str, ...]
    cut: int = 0
    unknown: tuple[str, ...] = ()
    ordered: bool = True


@runtime_checkable
class Model(Protocol):
    """f with its kernel. `presheaf.models.contract.check_model_source` tests everything said here.

    A source is a pure function of its weights and its input: the same object always gets the same features,
    whatever else is in the batch (up to rounding), and nothing is written anywhere.
    """

    needs_fit: bool
    """True for a source that learns from unlabelled texts first (TF-IDF). `fit` must come before `encode`."""

    batch_size: int
    """How many objects `encode` likes at once."""

    @property
    def takes(self) -> Takes:
        """What `encode` takes: "text", strings; "image", paths of image files and uint8 arrays of shape (h, w, channels);
        "row", 1-based row numbers of the table (precomputed vectors).
        """
        ...

    @property
    def info(self) -> ModelInfo: ...

    @property
    def fingerprint(self) -> str:
        """Hex digest that changes whenever features could: weights, tokenizer, layer, pooling, prefix, fit."""
        ...

    def fit(self, objects: Sequence[Any]) -> None:
        """Learn from unlabelled objects; does nothing when `needs_fit` is false."""
        ...

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Features of shape (n, dim), finite, in the order given. One batch; callers sort and split.

        ``role="prompt"`` is the side of k_f on which a prompt stands (E5's "query: "); most models ignore it.
        """
        ...

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[Any], str] | None:
        """Features computed one object at a time in the best precision to be had, and that precision's name.

        "float64" when the weights can be run in double precision, else e.g. "float32". None when asking again costs
        money (an endpoint). Cost: one forward pass an object, no batching.
        """
        ...

    def inputs(self, objects: Sequence[Any]) -> list[bytes] | None:
        """For each object a key of what reaches the weights: equal keys mean equal input, for every weight (T0).

        For a sequence model the token ids after truncation; for a model that only counts tokens, their counts up to
        a common factor (a mean doesn't see it); for a model of images the prepared pixels. None when the input can't be
        seen (an endpoint, vectors).
        """
        ...

    def trace(self, text: str) -> Trace | None:
        """What `inputs` saw in one text, for explaining a merge; None when it can't be seen, or the object is no text."""
        ...
