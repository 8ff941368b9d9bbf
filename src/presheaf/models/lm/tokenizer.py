"""A causal language model's tokens: of a text, of its continuation, and of nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from presheaf.models.files import fingerprint
from presheaf.models.lm.base import Tokens
from presheaf.models.tokens import texts_only


class LmTokenizer:
    """Tokens of a Hugging Face tokenizer, without the special ones it puts around a text.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerFast of transformers

    Attributes
    ----------
    start : tuple of int
        Special tokens that go before every text; () for tokenizers that add none.
    empty : tuple of int
        What stands for the empty text: `start`, else the token that begins or separates texts; () if there is none.
    digest : str
    """

    def __init__(self, tokenizer: Any) -> None:
        backend = tokenizer.backend_tokenizer
        self._first = type(backend).from_str(backend.to_str())
        self._first.no_padding()
        self._first.no_truncation()
        self._next = _without_added_space(self._first)
        self.start = _leading(self._first)
        borders = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
        self.empty = self.start or tuple(int(token) for token in borders if token is not None)[:1]
        self.digest = fingerprint(self._first.to_str(), self.empty)

    def tokens(self, texts: Sequence[str], *, continuing: bool = False) -> list[Tokens]:
        """Tokens of each text. Some tokenizers write a space before a text; ``continuing`` ones get none.

        Raises
        ------
        InputError
            If one of them is no string.
        """
        backend = self._next if continuing else self._first
        encoded = backend.encode_batch_fast(texts_only(texts), add_special_tokens=False)
        return [tuple(one.ids) for one in encoded]

    def text(self, tokens: Sequence[int]) -> str:
        return str(self._first.decode(list(tokens), skip_special_tokens=False))

    def pieces(self, tokens: Sequence[int]) -> list[str]:
        """Each token alone as text; its name in the vocabulary where it is only part of a character."""
        return [self._piece(int(token)) for token in tokens]

    def _piece(self, token: int) -> str:
        text = self.text([token])
        name = self._first.id_to_token(token)
        return str(name) if "\ufffd" in text and name is not None else text


def _leading(backend: Any) -> Tokens:
    one = backend.encode("a")
    count = next((place for place, special in enumerate(one.special_tokens_mask) if not special), 0)
    return tuple(one.ids[:count])


def _without_added_space(backend: Any) -> Any:
    """The tokenizer without the space that it writes before a text; itself where it writes none."""
    settings = json.loads(backend.to_str())
    before = json.dumps(settings)
    for stage in ("normalizer", "pre_tokenizer"):
        settings[stage] = _spaceless(settings[stage])
    return backend if json.dumps(settings) == before else type(backend).from_str(json.dumps(settings))


def _spaceless(stage: dict[str, Any] | None) -> dict[str, Any] | None:
    if stage is None or stage["type"] == "Prepend":
        return None
    for parts in ("normalizers", "pretokenizers"):
        if parts in stage:
            kept = (_spaceless(part) for part in stage[parts])
            return {**stage, parts: [part for part in kept if part is not None]}
    changes = {"prepend_scheme": "never", "add_prefix_space": False}
    return {key: changes.get(key, value) for key, value in stage.items()}
