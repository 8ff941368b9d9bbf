"""A sentence-transformers model: folder or name, run by that library with its own prompts and pooling."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError
from presheaf.models.base import ModelInfo, Role, Trace
from presheaf.models.files import fingerprint, first_line, folder_digest, model_folder, smallest
from presheaf.models.optional import need
from presheaf.models.pooling import batches, check_batch_size, finite
from presheaf.models.tokens import WindowTokenizer, texts_only

_PROMPT_NAMES: dict[Role, tuple[str, ...]] = {"object": ("passage", "document"), "prompt": ("query",)}


class SentenceTransformerModel:
    """Features of a sentence-transformers model, before its final normalisation (cosine doesn't see that).

    Parameters
    ----------
    folder_or_name : str
        Folder with a modules.json, or a name on the hub (with HF_HUB_OFFLINE=1 only from the local cache).
    window : int or None
        Most tokens, special ones counted. None: the model's own max_seq_length.
    prefix, prompt_prefix : str or None
        Written before every object, and before every prompt. None: the prompts stored with the model: "passage" or
        "document" for objects, "query" for prompts, else its default prompt.
    device : str or None
        None: the GPU where there is one, else the CPU.
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
        The folder can't be loaded, or the name isn't cached.
    MissingDependencyError
        sentence-transformers isn't installed.
    """

    takes: Literal["text", "row"] = "text"
    needs_fit = False

    def __init__(
        self,
        folder_or_name: str,
        *,
        window: int | None = None,
        prefix: str | None = None,
        prompt_prefix: str | None = None,
        device: str | None = None,
        batch_size: int = 32,
        name: str | None = None,
        licence: str = "",
    ) -> None:
        need("torch", "torch", "A sentence-transformers model")
        need("sentence_transformers", "torch", "A sentence-transformers model")
        from presheaf.models.torch_tools import pick_device

        name = name or folder_or_name
        self._folder = model_folder(folder_or_name, "a sentence-transformers model")
        self._network = _load(str(self._folder), pick_device(device))
        self.batch_size = check_batch_size(batch_size)
        for option, value in (("prefix", prefix), ("prompt_prefix", prompt_prefix)):
            if not isinstance(value, str | None):
                raise InputError(f"{option!r} must be a string; got {value!r}.")
        self._prompts: dict[Role, str] = {
            "object": _stored_prompt(self._network, "object") if prefix is None else prefix,
            "prompt": _stored_prompt(self._network, "prompt") if prompt_prefix is None else prompt_prefix,
        }
        own = smallest((self._network.max_seq_length,))
        if window is not None and (not isinstance(window, int) or window > (own or window)):
            raise InputError(f"'window' must be a whole number of at most {own} tokens for {name}; got {window!r}.")
        window = own if window is None else window
        self._tokens = _tokenizer(self._network, window, self._prompts)
        if window is not None:
            self._network.max_seq_length = window
        self._dim = int(self._features(self._network, ["a"], "object").shape[1])
        self.info = ModelInfo(
            name=name,
            kind="sentence-transformers",
            dim=self._dim,
            window=window,
            licence=licence,
            settings=tuple(
                (key, value)
                for key, value in (("prefix", self._prompts["object"]), ("prompt_prefix", self._prompts["prompt"]))
                if value
            ),
        )

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the folder's files and the settings. Reads the weights once a process."""
        return fingerprint(
            "sentence-transformers", folder_digest(self._folder), self.info.window, sorted(self._prompts.items())
        )

    def fit(self, objects: Sequence[Any]) -> None:
        """Does nothing: the weights are given."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Features of shape (n, dim) in float32, ``batch_size`` texts at a time, padded to the longest of them."""
        rows = [
            self._features(self._network, texts_only(piece), role).cpu().numpy()
            for piece in batches(objects, self.batch_size)
        ]
        features = np.concatenate(rows) if rows else np.zeros((0, self._dim))
        return finite(features.astype(np.float32, copy=False), self.info.name)

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[Any], str]:
        """Features of shape (n, dim) in float64, one text at a time, by a copy of the network in double precision."""
        from presheaf.models.torch_tools import one_by_one

        double, texts = self._double, texts_only(objects)
        return one_by_one(lambda text: self._features(double, [text], "object")[0], texts, self._dim)

    def inputs(self, objects: Sequence[Any]) -> list[bytes] | None:
        """The token ids the library makes of each text after truncation, special ones included, as int32 bytes.

        None for a network that is not fed padded token ids (static embeddings, bags of words).
        """
        keys = []
        for piece in batches(texts_only(objects), self.batch_size):
            fed = _preprocess(self._network, [self._prompts["object"] + text for text in piece])
            if not {"input_ids", "attention_mask"} <= set(fed):
                return None
            for ids, mask in zip(fed["input_ids"].numpy(), fed["attention_mask"].numpy(), strict=True):
                keys.append(ids[mask == 1].astype("<i4").tobytes())
        return keys

    def trace(self, text: str) -> Trace | None:
        """What happens to one text on its way in; None when the model has no fast tokenizer."""
        return None if self._tokens is None else self._tokens.trace(text)

    @cached_property
    def _double(self) -> Any:
        from presheaf.models.torch_tools import in_double

        return in_double(self._network)

    def _features(self, network: Any, texts: Sequence[str], role: Role) -> Any:
        return network.encode(
            list(texts),
            prompt=self._prompts[role],
            batch_size=max(len(texts), 1),
            show_progress_bar=False,
            convert_to_tensor=True,
        )


def _load(folder: str, device: Any) -> Any:
    """The model without a Normalize module at its end."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize

    from presheaf.models.torch_tools import quietly

    options = {"use_safetensors": True, "attn_implementation": "eager"}
    try:
        with quietly():
            network = SentenceTransformer(
                folder, device=str(device), trust_remote_code=False, local_files_only=True, model_kwargs=options
            )
            if isinstance(network[-1], Normalize):
                network.pop(-1)
    except Exception as error:  # the library passes on whatever its parts raise
        raise ModelError(f"sentence-transformers can't load {folder!r}: {first_line(error)}.") from error
    return network.float().eval()


def _stored_prompt(network: Any, role: Role) -> str:
    names = (*_PROMPT_NAMES[role], network.default_prompt_name)
    return next((str(network.prompts[name]) for name in names if network.prompts.get(name)), "")


def _tokenizer(network: Any, window: int | None, prompts: dict[Role, str]) -> WindowTokenizer | None:
    tokenizer: Any = getattr(network, "tokenizer", None)
    if not getattr(tokenizer, "is_fast", False):
        return None
    return WindowTokenizer(
        tokenizer.backend_tokenizer,
        window=window,
        prefix=prompts["object"],
        prompt_prefix=prompts["prompt"],
        side=tokenizer.truncation_side,
        pad=tokenizer.pad_token_id or 0,
    )


def _preprocess(network: Any, texts: list[str]) -> Any:
    """`tokenize`, which the library renamed in its version 6."""
    return (getattr(network, "preprocess", None) or network.tokenize)(texts)
