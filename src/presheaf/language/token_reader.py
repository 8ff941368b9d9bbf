"""One way to ask any tokenizer: a language model, an encoder, a tokenizer of the libraries tokenizers or transformers."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from presheaf.errors import InputError
from presheaf.models.base import Model, Trace
from presheaf.models.lm.base import LocalLanguageModel

Pieces = tuple[Hashable, ...]
"""A text as the tokenizer cuts it, no special token added: token numbers, or their names where only those can be seen."""


_UNKNOWN = ("<unk>", "<UNK>", "[UNK]", "<|unk|>")


class Reader(Protocol):
    """What the check asks of a tokenizer."""

    name: str

    def read(self, texts: Sequence[str]) -> list[Pieces]:
        """Each text in tokens, none cut off where that can be helped. One batch."""
        ...

    def keys(self, texts: Sequence[str]) -> list[Hashable]:
        """For each text what reaches the weights: equal keys, equal input."""
        ...

    def write(self, pieces: Pieces) -> str | None:
        """The text of some tokens; None where the source has no way back."""
        ...

    def named(self, pieces: Pieces) -> list[str]:
        """Each token as one would print it."""
        ...

    def unknown(self, texts: Sequence[str], pieces: Sequence[Pieces]) -> list[int] | None:
        """How many tokens of each text are the unknown one (or words that were dropped); None where that can't be seen."""
        ...

    def cut(self, texts: Sequence[str]) -> list[bool]:
        """Whether the end of a text was cut off in ``read``."""
        ...


def reader(source: Any) -> Reader:
    """The reader of a source.

    Raises
    ------
    InputError
        If it is no tokenizer, or a model whose tokens can't be seen.
    """
    if isinstance(source, LocalLanguageModel):
        return _OfLanguageModel(source)
    if callable(getattr(source, "encode_batch_fast", None)) and callable(getattr(source, "to_str", None)):
        return _OfTokenizers(source)
    if callable(getattr(source, "convert_ids_to_tokens", None)) and callable(source):
        return _OfTransformers(source)
    if isinstance(source, Model) and source.takes == "text":
        if source.needs_fit or source.trace("a") is None or source.inputs(["a"]) is None:
            raise InputError(
                f"the tokens of {source.info.name} can't be seen: it is no tokenizer of its own, not fitted yet, or hides them. "
                "Give the tokenizer itself (a tokenizers.Tokenizer or a transformers one)."
            )
        return _OfEncoder(source)
    raise InputError(
        "expected a language model, a text encoder, a tokenizers.Tokenizer or a transformers tokenizer; got "
        f"{type(source).__name__}."
    )


@dataclass
class _OfLanguageModel:
    model: LocalLanguageModel

    def __post_init__(self) -> None:
        self.name = self.model.info.name

    def read(self, texts: Sequence[str]) -> list[Pieces]:
        return [tuple(self.model.tokens(text)) for text in texts]

    def keys(self, texts: Sequence[str]) -> list[Hashable]:
        # One that is also an encoder says what reaches its weights, the window included: what findings go by.
        inputs = getattr(self.model, "inputs", None)
        found = inputs(list(texts)) if callable(inputs) else None
        return list(self.read(texts) if found is None else found)

    def write(self, pieces: Pieces) -> str | None:
        return self.model.text(_numbers(pieces))

    def named(self, pieces: Pieces) -> list[str]:
        return self.model.pieces(_numbers(pieces))

    def unknown(self, texts: Sequence[str], pieces: Sequence[Pieces]) -> list[int] | None:
        # The protocol names no unknown token: it is known by its printed form, unless the text itself spells that out.
        printed = {token: self.model.pieces([token])[0] for token in {t for one in pieces for t in _numbers(one)}}
        marks = {token: piece for token, piece in printed.items() if piece in _UNKNOWN}
        return [
            sum(max(0, one.count(token) - text.count(piece)) for token, piece in marks.items())
            for text, one in zip(texts, pieces, strict=True)
        ]

    def cut(self, texts: Sequence[str]) -> list[bool]:
        return [False] * len(texts)


@dataclass
class _OfTokenizers:
    source: Any

    def __post_init__(self) -> None:
        text = self.source.to_str()
        self.tokenizer = type(self.source).from_str(text)
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        model = json.loads(text)["model"]
        self.name = f"{model.get('type', 'tokenizer')} of {self.tokenizer.get_vocab_size():,} tokens"
        named = model.get("unk_token")
        number = self.tokenizer.token_to_id(named) if isinstance(named, str) else model.get("unk_id")
        self.unknown_number = number if isinstance(number, int) else None

    def read(self, texts: Sequence[str]) -> list[Pieces]:
        return [tuple(one.ids) for one in self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def keys(self, texts: Sequence[str]) -> list[Hashable]:
        return list(self.read(texts))

    def write(self, pieces: Pieces) -> str | None:
        return str(self.tokenizer.decode(_numbers(pieces), skip_special_tokens=False))

    def named(self, pieces: Pieces) -> list[str]:
        return [str(self.tokenizer.id_to_token(number)) for number in _numbers(pieces)]

    def unknown(self, texts: Sequence[str], pieces: Sequence[Pieces]) -> list[int] | None:
        # A tokenizer without an unknown token has bytes or characters as its floor.
        return [0 if self.unknown_number is None else list(one).count(self.unknown_number) for one in pieces]

    def cut(self, texts: Sequence[str]) -> list[bool]:
        return [False] * len(texts)


@dataclass
class _OfTransformers:
    tokenizer: Any

    def __post_init__(self) -> None:
        self.name = f"{type(self.tokenizer).__name__} of {len(self.tokenizer):,} tokens"

    def read(self, texts: Sequence[str]) -> list[Pieces]:
        if not texts:
            return []
        found = self.tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        return [tuple(ids) for ids in found["input_ids"]]

    def keys(self, texts: Sequence[str]) -> list[Hashable]:
        return list(self.read(texts))

    def write(self, pieces: Pieces) -> str | None:
        return str(self.tokenizer.decode(_numbers(pieces), clean_up_tokenization_spaces=False))

    def named(self, pieces: Pieces) -> list[str]:
        return [str(token) for token in self.tokenizer.convert_ids_to_tokens(_numbers(pieces))]

    def unknown(self, texts: Sequence[str], pieces: Sequence[Pieces]) -> list[int] | None:
        number = self.tokenizer.unk_token_id
        # Byte-level tokenizers name a token that ends texts as their unknown one and never use it for unknown text.
        return [0 if number is None else list(one).count(number) for one in pieces]

    def cut(self, texts: Sequence[str]) -> list[bool]:
        return [False] * len(texts)


class _OfEncoder:
    """A text encoder: token names from its traces, merges from what reaches its weights, no way back to text."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.name = model.info.name
        self._seen: dict[str, Trace] = {}

    def _trace(self, text: str) -> Trace:
        if text not in self._seen:
            found = self.model.trace(text)
            assert found is not None
            self._seen[text] = found
        return self._seen[text]

    def read(self, texts: Sequence[str]) -> list[Pieces]:
        return [self._trace(text).tokens for text in texts]

    def keys(self, texts: Sequence[str]) -> list[Hashable]:
        found = self.model.inputs(list(texts))
        assert found is not None
        return list(found)

    def write(self, pieces: Pieces) -> str | None:
        return None

    def named(self, pieces: Pieces) -> list[str]:
        return [str(piece) for piece in pieces]

    def unknown(self, texts: Sequence[str], pieces: Sequence[Pieces]) -> list[int] | None:
        return [len(self._trace(text).unknown) for text in texts]

    def cut(self, texts: Sequence[str]) -> list[bool]:
        return [self._trace(text).cut > 0 for text in texts]


def _numbers(pieces: Pieces) -> list[int]:
    return [number for number in pieces if isinstance(number, int)]
