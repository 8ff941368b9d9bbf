"""The tokens of a text task: byte pairs trained on the training texts alone, the same again from the same texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.models.optional import need
from presheaf.models.tokens import texts_only
from presheaf.pretext.base import Data

Tokens = tuple[int, ...]

CAUSAL = ("<|end|>",)
"""Ends every text, and so stands before the next one."""
MASKED = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")
_CAUSAL_ROLES = {"bos_token": CAUSAL[0], "eos_token": CAUSAL[0]}
_BYTES = 256
_trained: WeakKeyDictionary[Data, dict[tuple[int, tuple[str, ...]], TextVocabulary]] = WeakKeyDictionary()


class TextVocabulary:
    """A byte-level byte-pair tokenizer (Sennrich, Haddow and Birch 2016): no text has an unknown token.

    Special tokens have the first ids, in their order. A text that spells one out ("[MASK]") is read as ordinary
    characters here; programs that read the saved folder may take it for the special token.

    Parameters
    ----------
    json : str
        As `tokenizers` writes it.
    """

    def __init__(self, json: str) -> None:
        self.json = json

    @classmethod
    def train(cls, texts: Iterable[str], size: int, special: Sequence[str]) -> TextVocabulary:
        """Merge pairs that occur at least twice, the most frequent first, until there are ``size`` tokens.

        Fewer where the texts run out of such pairs. The masked vocabulary (special tokens from `MASKED`) reads the
        first word of a text like the others, as if a space stood before it, and puts [CLS] and [SEP] around a text;
        the causal one gives every text back exactly.

        Raises
        ------
        InputError
            If all texts are empty.

        Notes
        -----
        Cost: one pass over the texts, then about ``size`` passes over their distinct words; seconds for a million words.
        """
        library = need("tokenizers", "pretext", "A pre-training task on texts")
        given = texts_only(list(texts))
        if not any(given):
            raise InputError(f"There is nothing to train a vocabulary on: {len(given)} texts, none with a character.")
        masked = tuple(special) == MASKED
        tokenizer = library.Tokenizer(library.models.BPE())
        bytes_of = library.pre_tokenizers.ByteLevel
        tokenizer.pre_tokenizer = bytes_of(add_prefix_space=masked)
        tokenizer.decoder = library.decoders.ByteLevel()
        trainer = library.trainers.BpeTrainer(
            vocab_size=size,
            min_frequency=2,
            special_tokens=list(special),
            initial_alphabet=sorted(bytes_of.alphabet()),
            show_progress=False,
        )
        tokenizer.train_from_iterator(given, trainer)
        if masked:
            ends = [(name, special.index(name)) for name in ("[CLS]", "[SEP]")]
            tokenizer.post_processor = library.processors.TemplateProcessing(
                single="[CLS] $A [SEP]", special_tokens=ends
            )
        return cls(tokenizer.to_str())

    @cached_property
    def tokenizer(self) -> Any:
        """The `tokenizers.Tokenizer`."""
        read = need("tokenizers", "pretext", "A pre-training task on texts").Tokenizer.from_str(self.json)
        read.encode_special_tokens = True
        return read

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.json.encode()).hexdigest()

    def __len__(self) -> int:
        return int(self.tokenizer.get_vocab_size())

    def id(self, special: str) -> int:
        """The id of a special token."""
        return int(self.tokenizer.token_to_id(special))

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokens of each text, no special token added."""
        return [tuple(one.ids) for one in self.tokenizer.encode_batch_fast(texts_only(texts), add_special_tokens=False)]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of some tokens, special ones written out."""
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=False))

    def stream(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """All texts one after another, each with the first special token behind it. Shape (tokens,)."""
        return np.array([token for tokens in self.encode(texts) for token in (*tokens, 0)], dtype=np.int64)

    @cached_property
    def pieces(self) -> list[str]:
        """Every token as the vocabulary writes it, a byte a character; "Ġ" is a space."""
        return [self.tokenizer.id_to_token(token) for token in range(len(self))]

    @cached_property
    def characters(self) -> NDArray[np.int64]:
        """How many characters begin in each token; 0 for special ones. Shape (tokens,)."""
        later = {character for byte, character in enumerate(_byte_names()) if 0x80 <= byte < 0xC0}
        special = {added.content for added in self.tokenizer.get_added_tokens_decoder().values()}
        counts = (0 if piece in special else sum(c not in later for c in piece) for piece in self.pieces)
        return np.fromiter(counts, dtype=np.int64)

    def for_transformers(self, window: int) -> Any:
        """The tokenizer as transformers has it (`PreTrainedTokenizerFast`), for networks that take ``window`` tokens."""
        transformers = need("transformers", "pretext", "A pre-training task on texts")
        plain = type(self.tokenizer).from_str(self.json)
        masked = plain.token_to_id("[MASK]") is not None
        roles = {f"{name.strip('[]').lower()}_token": name for name in MASKED} if masked else dict(_CAUSAL_ROLES)
        return transformers.PreTrainedTokenizerFast(
            tokenizer_object=plain, model_max_length=window, clean_up_tokenization_spaces=False, **roles
        )


def vocabulary_of(data: Data, size: int, special: tuple[str, ...]) -> TextVocabulary:
    """The vocabulary of the training texts; trained once for as long as ``data`` is kept.

    Raises
    ------
    InputError
        If ``data`` holds no texts, or as `TextVocabulary.train`.
    """
    if data.media != "text":
        raise InputError(f"This pre-training task takes texts; {data.name!r} holds objects of kind {data.media!r}.")
    known = _trained.setdefault(data, {})
    if (size, special) not in known:
        known[size, special] = TextVocabulary.train(data.train, size, special)
    return known[size, special]


def _byte_names() -> list[str]:
    """The character that stands for each byte: itself where it is visible, else the next one from U+0100 on (GPT-2)."""
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = iter(range(0x100, 0x200))
    return [chr(byte if byte in visible else next(hidden)) for byte in range(_BYTES)]
