"""Static embeddings: the features of a text are the mean of its token vectors, whatever their order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, MissingDependencyError, ModelError
from presheaf.models.base import ModelInfo, Role, Trace
from presheaf.models.files import first_line
from presheaf.models.optional import need
from presheaf.models.tokens import load_tokenizer, texts_only
from presheaf.models.word_vectors import read_word_vectors
from presheaf.models.words import UNSPACED, word_pattern

_WORDLLAMA_DIMS = (64, 128, 256)


class Splitter(Protocol):
    """Cuts texts into tokens that are rows of a vector table."""

    identity: bytes
    """Everything its answers depend on, for the fingerprint."""

    def ids(self, texts: list[str]) -> list[list[int]]:
        """Row numbers of the known tokens of each text, in order."""
        ...

    def pieces(self, text: str) -> tuple[list[str], list[str]]:
        """The known tokens of a text in order, and what the vocabulary lacks."""
        ...


class SubwordSplitter:
    """A `tokenizers.Tokenizer` without special tokens and without truncation."""

    def __init__(self, tokenizer: Any) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._unknown = getattr(tokenizer.model, "unk_token", None)
        self.identity = tokenizer.to_str().encode()

    def ids(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def pieces(self, text: str) -> tuple[list[str], list[str]]:
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        spans = zip(encoding.tokens, encoding.offsets, strict=True)
        return list(encoding.tokens), [text[a:b] for token, (a, b) in spans if token == self._unknown]


class WordSplitter:
    """Words of a vocabulary, punctuation marks one by one.

    A word with inner apostrophes, hyphens, points or commas ("don't", "well-known", "3.5") is taken whole when the
    vocabulary has it, else cut as the Penn Treebank does ("do" "n't", "it" "'s") where those pieces are known, else at
    the marks. A run of Han, kana, Thai, Lao, Myanmar or Khmer letters is cut by the longest known word from the left.
    The curly apostrophe is read as the straight one. Words that stay unknown are dropped.
    """

    _LONGEST = 16  # letters of a word in a script without spaces
    _REMEMBERED = 200_000

    def __init__(self, words: dict[str, int], *, lowercase: bool) -> None:
        word = word_pattern()
        self._words = words
        self._lowercase = lowercase
        self._compound = re.compile(rf"{word}(?:['.,\-]{word})*|[^\w\s]")
        self._part = re.compile(rf"'?{word}|[^\w\s]")
        self._unspaced = re.compile(f"[{UNSPACED}]+|[^{UNSPACED}]+")
        self._seen: dict[str, tuple[str, ...]] = {}
        self.identity = repr(lowercase).encode() + "\n".join(words).encode()

    def ids(self, texts: list[str]) -> list[list[int]]:
        return [[i for token in self._tokens(text) if (i := self._words.get(token)) is not None] for text in texts]

    def pieces(self, text: str) -> tuple[list[str], list[str]]:
        known: list[str] = []
        unknown: list[str] = []
        for token in self._tokens(text):
            (known if token in self._words else unknown).append(token)
        return known, unknown

    def _tokens(self, text: str) -> list[str]:
        text = text.replace("’", "'")
        if self._lowercase:
            text = text.lower()
        tokens: list[str] = []
        for chunk in self._compound.findall(text):
            if chunk in self._words:
                tokens.append(chunk)
                continue
            cut = self._seen.get(chunk)
            if cut is None:
                cut = tuple(self._cut(chunk))
                if len(chunk) <= 64 and len(self._seen) < self._REMEMBERED:
                    self._seen[chunk] = cut
            tokens += cut
        return tokens

    def _cut(self, chunk: str) -> list[str]:
        if chunk.endswith("n't") and len(chunk) > 3 and "n't" in self._words:
            return [*self._cut(chunk[:-3]), "n't"]
        tokens: list[str] = []
        for part in self._part.findall(chunk):
            if part not in self._words and len(part) > 1 and part[0] == "'":
                tokens.append("'")
                part = part[1:]
            if part in self._words:
                tokens.append(part)
            else:
                for run in self._unspaced.findall(part):
                    tokens += self._longest(run) if re.match(f"[{UNSPACED}]", run) else [run]
        return tokens

    def _longest(self, run: str) -> list[str]:
        tokens = []
        start = 0
        while start < len(run):
            for end in range(min(start + self._LONGEST, len(run)), start, -1):
                if run[start:end] in self._words or end == start + 1:
                    break
            tokens.append(run[start:end])
            start = end
        return tokens


class StaticModel:
    """Mean of token vectors; a text without a known token gets the zero vector.

    Nothing is cut off, however long the text. The network sees how often each token occurs, up to a common factor, and
    nothing else: texts that agree in that are equal inputs, and get features that are equal bit for bit.

    Parameters
    ----------
    vectors : float array of shape (tokens, dim)
        Kept as float32.
    splitter : Splitter
    name : str
    licence : str
    precision : str
    settings : sequence of (str, str)
        Further lines of `ModelInfo.settings`.
    """

    takes: Literal["text", "row"] = "text"
    needs_fit = False
    batch_size = 2048

    def __init__(
        self,
        vectors: NDArray[Any],
        splitter: Splitter,
        *,
        name: str,
        licence: str = "",
        precision: str = "float32",
        settings: Sequence[tuple[str, str]] = (),
    ) -> None:
        if vectors.ndim != 2 or 0 in vectors.shape or vectors.dtype.kind != "f":
            raise ModelError(
                f"{name}: token vectors must be a table of floats with a row a token; "
                f"got shape {vectors.shape} of {vectors.dtype}."
            )
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if not np.isfinite(self._vectors).all():
            raise ModelError(f"{name}: the token vectors hold NaN or infinity; the file is damaged.")
        self._splitter = splitter
        self._info = ModelInfo(
            name=name,
            kind="static",
            dim=vectors.shape[1],
            precision=precision,
            licence=licence,
            settings=(
                ("pooling", "mean of token vectors"),
                ("vocabulary", f"{len(vectors):,} tokens"),
                ("long texts", "read to their end"),
                *settings,
            ),
        )

    @classmethod
    def wordllama(cls, dim: int = 256) -> StaticModel:
        """The vectors inside the package wordllama (32,000 sub-word tokens, 256 dimensions, MIT licence).

        Parameters
        ----------
        dim : 64, 128 or 256
            Leading dimensions to keep; the vectors were trained to be cut there.

        Raises
        ------
        MissingDependencyError
            Without wordllama, tokenizers and safetensors.
        ModelError
            If the package's files are missing or damaged.
        """
        if dim not in _WORDLLAMA_DIMS:
            raise InputError(f"'dim' must be one of {', '.join(map(str, _WORDLLAMA_DIMS))}; got {dim!r}.")
        safetensors = need("safetensors.numpy", "static", "wordllama")
        package = find_spec("wordllama")
        if package is None or package.origin is None:
            raise MissingDependencyError('wordllama is not installed. Install it with: pip install "presheaf[static]"')
        # The package's own loader asks the hub; everything needed lies beside it.
        folder = Path(package.origin).parent
        tokenizer = load_tokenizer(folder / "tokenizers" / "l2_supercat_tokenizer_config.json")
        try:
            weights = (folder / "weights" / "l2_supercat_256.safetensors").read_bytes()
            table = safetensors.load(weights)["embedding.weight"]
        except Exception as error:  # the library raises its own class, a bare Exception
            raise ModelError(
                f"wordllama's vectors are missing or damaged ({first_line(error)}). "
                "Run: pip install --force-reinstall --no-deps wordllama==0.4.0.post1"
            ) from error
        if table.ndim != 2 or len(table) < tokenizer.get_vocab_size() or table.shape[1] < dim:
            raise ModelError(
                f"wordllama's vectors have shape {table.shape}; "
                f"expected at least ({tokenizer.get_vocab_size()}, {dim}). Install wordllama==0.4.0.post1."
            )
        return cls(
            table[:, :dim],
            SubwordSplitter(tokenizer),
            name="wordllama",
            licence="MIT",
            precision="float16 weights, float32 arithmetic",
            settings=[("dimensions kept", f"{dim} of {table.shape[1]}"), ("special tokens", "none")],
        )

    @classmethod
    def from_text(
        cls, path: str | Path, *, lowercase: bool | None = None, limit: int | None = None, name: str | None = None
    ) -> StaticModel:
        """Word vectors from a GloVe, word2vec or fastText text file; see `word_vectors.read_word_vectors`.

        Parameters
        ----------
        path : str or Path
        lowercase : bool, optional
            Lower-case texts before the look-up. By default they are when fewer than one word in a thousand of the
            file has a capital.
        limit : int, optional
            Use only the first ``limit`` words.
        name : str, optional
            By default the file's name.
        """
        read = read_word_vectors(path, limit=limit)
        if lowercase is None:
            lowercase = read.capitals * 1000 < len(read.words)
        counted = f"{read.capitals:,} of {len(read.words):,} words have capitals"
        return cls(
            read.vectors,
            WordSplitter(read.words, lowercase=lowercase),
            name=name or Path(path).name,
            settings=[
                ("words", "runs of letters, digits and marks; each punctuation mark alone; unknown words dropped"),
                ("lower-cased", f"{'yes' if lowercase else 'no'} ({counted})"),
                ("duplicate words", f"{read.duplicates:,} (the first is kept)"),
            ],
        )

    @property
    def info(self) -> ModelInfo:
        return self._info

    @cached_property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(b"presheaf static 1\0")
        digest.update(repr((self._vectors.shape, self._info.settings)).encode())
        digest.update(self._splitter.identity)
        digest.update(self._vectors.data)
        return digest.hexdigest()

    def fit(self, objects: Sequence[Any]) -> None:
        """Does nothing: the vectors are given."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Mean token vectors, float32, shape (n, dim). Both roles are the same."""
        starts, ids, counts = self._bags(texts_only(objects))
        return self._mean(starts, ids, counts, self._vectors)

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[Any], str]:
        """Mean token vectors in float64, summed in the order of the token ids, so each row is computed by itself."""
        starts, ids, counts = self._bags(texts_only(objects))
        used, ids = np.unique(ids, return_inverse=True)
        return self._mean(starts, ids, counts, self._vectors[used].astype(np.float64)), "float64"

    def inputs(self, objects: Sequence[Any]) -> list[bytes]:
        """(token id, count) pairs in the order of the ids, counts divided by their greatest common divisor."""
        starts, ids, counts = self._bags(texts_only(objects))
        pairs = np.stack([ids, counts], axis=1)
        return [pairs[a:b].tobytes() for a, b in pairwise(starts)]

    def trace(self, text: str) -> Trace:
        tokens, unknown = self._splitter.pieces(texts_only([text])[0])
        return Trace(tokens=tuple(tokens), unknown=tuple(unknown), ordered=False)

    def _bags(self, texts: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Row starts (n + 1), sorted token ids and reduced counts: the columns of a sparse matrix by rows."""
        lists = self._splitter.ids(texts)
        lengths = np.fromiter(map(len, lists), np.int64, len(lists))
        flat = np.fromiter(chain.from_iterable(lists), np.int64, int(lengths.sum()))
        width = len(self._vectors)
        keys, counts = np.unique(np.repeat(np.arange(len(lists)), lengths) * width + flat, return_counts=True)
        rows = keys // width
        starts = np.searchsorted(rows, np.arange(len(lists) + 1))
        filled = np.flatnonzero(lengths)
        if len(filled):
            divisor = np.ones(len(lists), dtype=np.int64)
            divisor[filled] = np.gcd.reduceat(counts, starts[filled])
            counts = counts // divisor[rows]
        return starts, keys % width, counts

    @staticmethod
    def _mean(
        starts: NDArray[np.int64], ids: NDArray[np.int64], counts: NDArray[np.int64], vectors: NDArray[Any]
    ) -> NDArray[Any]:
        from scipy.sparse import csr_array

        weights = csr_array((counts.astype(vectors.dtype), ids, starts), shape=(len(starts) - 1, len(vectors)))
        totals = np.asarray(weights.sum(axis=1), dtype=vectors.dtype)
        features: NDArray[Any] = np.asarray(weights @ vectors)
        features /= np.maximum(totals, 1)[:, None]
        return features
