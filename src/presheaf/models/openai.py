"""Any OpenAI-compatible ``/v1/embeddings`` address, asked politely and only when somebody agreed to the cost."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError, one_of
from presheaf.models.base import ModelInfo, Role
from presheaf.models.endpoint import Endpoint, Refused
from presheaf.models.tokens import texts_only

_NOT_LATIN = re.compile("[^\x00-\u024f]")


@dataclass(frozen=True)
class CostEstimate:
    """What encoding some texts will take, before anything is sent.

    Attributes
    ----------
    requests : int
        Without retries.
    tokens : int
        A rule of thumb on the high side: four Latin characters a token, one character of any other script.
    money : float or None
        ``tokens`` at ``price_per_million``, in that price's currency; None when no price was given.
    """

    requests: int
    tokens: int
    money: float | None

    def __str__(self) -> str:
        price = (
            "no price given (price_per_million)"
            if self.money is None
            else f"about {self.money:.4g} in your price's currency"
        )
        asked = "1 request" if self.requests == 1 else f"{self.requests:,} requests"
        return f"{asked}, about {float(f'{self.tokens:.2g}'):,.0f} tokens, {price}"


class OpenAIModel:
    """Text embeddings from a server that speaks OpenAI's protocol.

    Nothing is sent before the first `encode`. Empty texts are sent as one space, because OpenAI refuses empty ones.
    Asking again costs money and what reaches the network can't be seen, so there is no exact pass and no proof.

    Parameters
    ----------
    base_url : str
        Up to and including ``/v1``. Plain http is accepted for this machine only, unless ``key_env`` is None.
    model : str
        The server's name for the model.
    key_env : str or None
        Environment variable that holds the key; read when a request is sent, never stored, never shown. None: no key.
    batch_size : int
        Texts a request.
    timeout : float
        Seconds without a byte from the server before a request counts as failed.
    retries : int
        How often one request is sent again after 429, 500 to 504, a time-out, a broken connection or half an answer.
        The waits double from half a second, or are what the server's Retry-After asks for.
    price_per_million : float, optional
        Price of a million tokens, for `estimate`.
    requests_per_minute : float, optional
        Requests are spaced so that no minute sees more.
    dimensions : int, optional
        Ask the server for shorter vectors.
    encoding_format : "float" or "base64"
        What is asked for; both are understood in the answer.
    """

    takes: Literal["text", "row"] = "text"
    needs_fit = False

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        key_env: str | None = "OPENAI_API_KEY",
        batch_size: int = 64,
        timeout: float = 30.0,
        retries: int = 6,
        price_per_million: float | None = None,
        requests_per_minute: float | None = None,
        dimensions: int | None = None,
        encoding_format: str = "float",
    ) -> None:
        if not model.strip():
            raise InputError("Say which model the server should use, e.g. http://127.0.0.1:8080/v1#model-name.")
        _whole("batch_size", batch_size, 1, 2048)
        if dimensions is not None:
            _whole("dimensions", dimensions, 1, 1_000_000)
        if price_per_million is not None and not (0 <= price_per_million < math.inf):
            raise InputError(f"'price_per_million' must be a price of at least 0; got {price_per_million}.")
        self.batch_size = batch_size
        self._endpoint = Endpoint(
            base_url,
            "embeddings",
            key_env=key_env,
            timeout=timeout,
            retries=retries,
            requests_per_minute=requests_per_minute,
        )
        self._model = model
        self._price = price_per_million
        self._dimensions = dimensions
        self._format = one_of("encoding_format", encoding_format, ("float", "base64"))
        self._dim = dimensions

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(
            name=f"{self._endpoint.base_url}#{self._model}",
            kind="openai",
            dim=self._dim,
            precision="not known (endpoint)",
            trainable=False,
            settings=(
                ("dimensions", "the server's" if self._dimensions is None else str(self._dimensions)),
                ("encoding format", self._format),
                ("empty text", "sent as one space"),
            ),
        )

    @property
    def fingerprint(self) -> str:
        """Of address, model name and options. A server that changes its weights under the same name isn't noticed."""
        parts = ("openai 1", self._endpoint.base_url, self._model, self._dimensions, self._format)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def estimate(self, objects: Sequence[Any]) -> CostEstimate:
        """Requests, tokens (a rule of thumb) and price of encoding these texts. Sends nothing; cost linear in them."""
        texts = texts_only(objects)
        tokens = sum(map(estimated_tokens, texts))
        money = None if self._price is None else tokens * self._price / 1e6
        return CostEstimate(math.ceil(len(texts) / self.batch_size), tokens, money)

    def fit(self, objects: Sequence[Any]) -> None:
        """Does nothing: the server's weights are given."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Features of shape (n, dim), float32; one request for every ``batch_size`` texts. Both roles are the same.

        Raises
        ------
        InputError
            Without a key where one is needed.
        ModelError
            If the server refuses, stays down, or answers with something else than one vector a text.
        """
        texts = [text or " " for text in texts_only(objects)]
        parts = [self._batch(texts, start) for start in range(0, len(texts), self.batch_size)]
        return np.concatenate(parts) if parts else np.empty((0, self._dim or 0), dtype=np.float32)

    def encode_exact(self, objects: Sequence[Any]) -> None:
        """None: asking again costs money."""

    def inputs(self, objects: Sequence[Any]) -> None:
        """None: what reaches the network can't be seen."""

    def trace(self, text: str) -> None:
        """None: see `inputs`."""

    def _batch(self, texts: list[str], start: int) -> NDArray[np.float32]:
        batch = texts[start : start + self.batch_size]
        request: dict[str, Any] = {"model": self._model, "input": batch, "encoding_format": self._format}
        if self._dimensions is not None:
            request["dimensions"] = self._dimensions
        try:
            answer = self._endpoint.post(request)
        except Refused as refusal:
            if refusal.status in (400, 413, 422) and re.search("token|length|too long|too large", str(refusal), re.I):
                longest = max(range(len(batch)), key=lambda i: estimated_tokens(batch[i]))
                which = "text" if len(batch) == 1 else f"longest of the {len(batch)} texts sent, which is"
                raise ModelError(
                    f"{refusal} The {which} number {start + longest + 1} of those to encode, has "
                    f"{len(batch[longest]):,} characters. Shorten it, leave its row out, or use a smaller batch_size."
                ) from refusal
            raise
        vectors = self._vectors(answer, len(batch))
        if self._dim is not None and vectors.shape[1] != self._dim:
            raise self._wrong(f"vectors of {vectors.shape[1]} numbers where {self._dim} were expected")
        self._dim = vectors.shape[1]
        return vectors

    def _vectors(self, answer: Any, n: int) -> NDArray[np.float32]:
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
            raise self._wrong(f"no list of embeddings ({str(answer)[:120]!r})")
        if len(data) != n:
            raise self._wrong(f"{len(data)} embeddings for {n} texts")
        order = [item.get("index") for item in data]
        if any(type(index) is not int for index in order) or sorted(order) != list(range(n)):
            raise self._wrong(f"embeddings that are not numbered 0 to {n - 1}")
        rows: list[NDArray[np.float32]] = [np.empty(0, dtype=np.float32)] * n
        for index, item in zip(order, data, strict=True):
            rows[index] = self._vector(item.get("embedding"))
        if len({len(row) for row in rows}) != 1:
            raise self._wrong("vectors of different lengths")
        return np.stack(rows)

    def _vector(self, value: Any) -> NDArray[np.float32]:
        try:
            with np.errstate(over="ignore"):
                if isinstance(value, str):
                    row = np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4").astype(np.float32)
                else:
                    row = np.asarray(value, dtype=np.float64).astype(np.float32)
        except (ValueError, TypeError, OverflowError):
            row = np.empty(0, dtype=np.float32)
        if row.ndim != 1 or not len(row) or not isinstance(value, str | list):
            raise self._wrong("an embedding that is no list of numbers")
        if not np.isfinite(row).all():
            raise self._wrong("an embedding with NaN or infinity")
        return row

    def _wrong(self, what: str) -> ModelError:
        return ModelError(
            f"{self._endpoint.url} answered with {what}. Is {self._model!r} an embedding model, "
            "and does the address speak OpenAI's protocol?"
        )


def estimated_tokens(text: str) -> int:
    """At least 1: four Latin characters a token, one character of any other script; on the high side."""
    other = 0 if text.isascii() else len(_NOT_LATIN.findall(text))
    return max(1, other + math.ceil((len(text) - other) / 4))


def _whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name!r} must be a whole number from {low} to {high:,}; got {value!r}.")
