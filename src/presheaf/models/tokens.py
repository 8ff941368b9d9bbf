"""What reaches the weights: token ids after truncation, and what was cut off or not known on the way."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError
from presheaf.models.base import Role, Trace
from presheaf.models.files import fingerprint, first_line
from presheaf.models.optional import need
from presheaf.models.pooling import batches

_VISIBLE = ("L", "N", "P", "S")
_KEYS_AT_ONCE = 1024
# A text longer than this is read in pieces: a 10 MB cell would otherwise become 2 GB of token records.
_PIECE = 100_000
_MARGIN = 16


def load_tokenizer(path: Path) -> Any:
    """Read a ``tokenizer.json``.

    Raises
    ------
    ModelError
        If it can't be read as one.
    """
    tokenizers = need("tokenizers", "onnx", "A model with a tokenizer.json")
    try:
        return tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ModelError(f"{str(path)!r} can't be read as a tokenizer: {first_line(error)}.") from error


def texts_only(objects: Sequence[Any]) -> list[str]:
    """The objects as valid Unicode texts; half of a surrogate pair becomes U+FFFD, as in any UTF-8 writer.

    Raises
    ------
    InputError
        If one of them is no string.
    """
    texts = []
    for position, text in enumerate(objects):
        if not isinstance(text, str):
            raise InputError(f"A text model takes strings; got {type(text).__name__} at position {position}.")
        if not text.isascii():
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        texts.append(text)
    return texts


class WindowTokenizer:
    """A tokenizer with the window and the prefixes of one model.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        Copied; its own truncation and padding are replaced.
    window : int or None
        Most tokens, special ones counted. None: nothing is cut off.
    prefix, prompt_prefix : str
        Written before every object, and before every prompt.
    side : "right" or "left"
        The end that is cut off.
    pad : int
        Token id of padding.

    Raises
    ------
    InputError
        If the window leaves no room for a token, or a prefix is no string.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        window: int | None,
        prefix: str = "",
        prompt_prefix: str = "",
        side: str = "right",
        pad: int = 0,
    ) -> None:
        for name, value in (("prefix", prefix), ("prompt_prefix", prompt_prefix)):
            if not isinstance(value, str):
                raise InputError(f"{name!r} must be a string; got {value!r}.")
        self._prefix: dict[Role, str] = {"object": prefix, "prompt": prompt_prefix}
        self._tokenizer = type(tokenizer).from_str(tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        if window is not None:
            special = self._tokenizer.num_special_tokens_to_add(False)
            if not isinstance(window, int) or isinstance(window, bool) or window <= special:
                raise InputError(f"'window' must be a whole number above {special} (special tokens); got {window!r}.")
            self._tokenizer.enable_truncation(max_length=window, direction=side)
        self.window = window
        self._side = side
        self._pad = pad
        text = self._tokenizer.to_str()
        self._unknown = _unknown_id(self._tokenizer, json.loads(text)["model"])
        self.digest = fingerprint(text, prefix, prompt_prefix, pad)

    def _encode(self, objects: Sequence[Any], role: Role) -> list[Any]:
        texts = [self._prefix[role] + text for text in texts_only(objects)]
        heads = [self._head(text) for text in texts]
        encoded: list[Any] = self._tokenizer.encode_batch_fast(heads)
        for position, (text, head) in enumerate(zip(texts, heads, strict=True)):
            if head is not text and not _fills(encoded[position]):
                encoded[position] = self._tokenizer.encode(text)
        return encoded

    def _head(self, text: str) -> str:
        """The beginning of a very long text, up to a space: it fills the window whatever follows (see `_fills`)."""
        if self.window is None or self._side != "right":
            return text
        size = max(_PIECE, 64 * self.window)
        end = text.rfind(" ", 0, size) if len(text) > size else -1
        return text[:end] if end > 0 else text

    def batch(self, objects: Sequence[Any], role: Role = "object") -> dict[str, NDArray[np.int64]]:
        """Right-padded ``input_ids``, ``attention_mask`` and ``token_type_ids``, each of shape (n, longest)."""
        encoded = self._encode(objects, role)
        shape = (len(encoded), max((len(one.ids) for one in encoded), default=0) or 1)
        ids = np.full(shape, self._pad, dtype=np.int64)
        mask, types = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, one in enumerate(encoded):
            size = len(one.ids)
            ids[row, :size], types[row, :size] = one.ids, one.type_ids
            # A text without any token stands as one padding token, so that no mean is taken over nothing.
            mask[row, : size or 1] = 1
        return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}

    def keys(self, objects: Sequence[Any]) -> list[bytes]:
        """The token ids of each object after truncation, special tokens included, as little-endian int32 bytes."""
        return [
            np.asarray(one.ids, dtype="<i4").tobytes()
            for piece in batches(objects, _KEYS_AT_ONCE)
            for one in self._encode(piece, "object")
        ]

    def trace(self, text: str) -> Trace:
        """Tokens kept, number cut off, and surface forms that became the unknown token or vanished.

        In a text beyond 100,000 characters the number cut off is counted piece by piece, and may be off by a token
        for each piece with tokenizers that mark the start of a text.
        """
        (text,) = texts_only([self._prefix["object"] + text])
        head = self._head(text)
        kept = self._tokenizer.encode(head)
        if head is not text and not _fills(kept):
            head, kept = text, self._tokenizer.encode(text)
        cut = _overflow(kept) + self._count(text[len(head) :])
        tokens, unknown = [], []
        spans = []
        for token, number, special, (start, end) in zip(
            kept.tokens, kept.ids, kept.special_tokens_mask, kept.offsets, strict=True
        ):
            if special:
                continue
            tokens.append(token)
            spans.append((start, end))
            if number == self._unknown:
                unknown.append((start, text[start:end]))
        unknown += _vanished(text, spans, bool(cut))
        surfaces = tuple(dict.fromkeys(surface for _, surface in sorted(unknown)))
        return Trace(tuple(tokens), cut, surfaces)

    def _count(self, text: str) -> int:
        total = start = 0
        while start < len(text):
            end = text.rfind(" ", start + 1, start + _PIECE) if len(text) - start > _PIECE else -1
            end = end if end > 0 else start + _PIECE
            piece = self._tokenizer.encode(text[start:end])
            total += len(piece.ids) - sum(piece.special_tokens_mask) + _overflow(piece)
            start = end
        return total


def _overflow(encoding: Any) -> int:
    """Tokens past the window, special ones left out."""
    return sum(len(piece.ids) - sum(piece.special_tokens_mask) for piece in encoding.overflowing)


def _fills(encoding: Any) -> bool:
    """Whether so many tokens overflow that text added behind can't change the ones that are kept."""
    return bool(encoding.overflowing) and _overflow(encoding) >= _MARGIN


def _unknown_id(tokenizer: Any, model: dict[str, Any]) -> int | None:
    """Id of the unknown token: an index in unigram models, a string in the others, absent where bytes are the floor."""
    if isinstance(model.get("unk_id"), int):
        return int(model["unk_id"])
    token = model.get("unk_token")
    number = tokenizer.token_to_id(token) if isinstance(token, str) else None
    return None if number is None else int(number)


def _vanished(text: str, spans: Sequence[tuple[int, int]], was_cut: bool) -> list[tuple[int, str]]:
    """Letters, digits, punctuation and symbols of the part that was read which no token covers, with their place.

    White space, control characters and combining marks are left out: tokenizers drop those on purpose.
    """
    first, last = 0, len(text)
    if was_cut:
        first = min((start for start, _ in spans), default=0)
        last = max((end for _, end in spans), default=0)
    covered = np.zeros(len(text), dtype=bool)
    for start, end in spans:
        covered[start:end] = True
    return [
        (place, text[place])
        for place in (np.flatnonzero(~covered[first:last]) + first).tolist()
        if unicodedata.category(text[place])[0] in _VISIBLE
    ]
