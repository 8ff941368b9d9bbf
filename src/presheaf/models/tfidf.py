"""TF-IDF with truncated SVD: the plain baseline every report compares with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError
from presheaf.models.base import ModelInfo, Role, Trace
from presheaf.models.tokens import texts_only
from presheaf.models.words import word_pattern

_FACTORED = 10_000  # documents the SVD is computed from
_LETTERS_A_SPACE = 20  # a text with fewer spaces than one in so many characters has "few spaces"


class TfidfModel:
    """Counts of words and word pairs, weighted by rarity, projected on the leading singular vectors.

    Where most texts have few spaces (scripts that don't part words, columns of single words), runs of 1 to 3
    characters are counted instead. Learns from unlabelled texts (`fit`) before it can encode. What it sees of a text
    is how often each known term occurs, up to a common factor; texts that agree in that get features that are equal
    bit for bit. A text without a known term gets the zero vector.

    Parameters
    ----------
    dim : int
        Most features; fewer when the texts have fewer distinct terms or there are fewer texts.
    max_terms : int
        Size of the vocabulary: the most frequent terms are kept.

    Cost: fitting is linear in the texts, plus one SVD of at most 10,000 of them (drawn with a fixed seed).
    """

    takes: Literal["text", "row"] = "text"
    needs_fit = True
    batch_size = 2048

    def __init__(self, dim: int = 300, *, max_terms: int = 20_000) -> None:
        for name, value in (("dim", dim), ("max_terms", max_terms)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name!r} must be a whole number of at least 1; got {value!r}.")
        self._dim = dim
        self._max_terms = max_terms
        self._counter: Any = None
        self._weigher: Any = None
        self._directions: NDArray[np.float64] = np.empty((0, 0))  # shape (terms, dim)
        self._by_words = True
        self._fingerprint = ""

    @property
    def info(self) -> ModelInfo:
        terms = "word 1-2 grams" if self._by_words else "character 1-3 grams, as most texts have few spaces"
        settings = [
            ("terms", terms if self._fingerprint else "chosen when fitted"),
            ("vocabulary", f"{len(self._directions):,} terms" if self._fingerprint else f"at most {self._max_terms:,}"),
            ("lower-cased", "yes"),
            ("weighting", "count x smoothed inverse document frequency, unit length"),
            ("projection", f"truncated SVD of at most {_FACTORED:,} texts"),
        ]
        return ModelInfo(
            name="tfidf",
            kind="tfidf",
            dim=self._directions.shape[1] if self._fingerprint else None,
            precision="float64",
            trainable=False,
            licence="none needed: learnt from your texts",
            settings=tuple(settings),
        )

    @property
    def fingerprint(self) -> str:
        return self._fingerprint or hashlib.sha256(repr(("unfitted", self._dim, self._max_terms)).encode()).hexdigest()

    def fit(self, objects: Sequence[Any]) -> None:
        """Learn vocabulary, weights and projection from unlabelled texts. A second call forgets the first.

        Raises
        ------
        ModelError
            If no text holds a character other than white space.
        """
        from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
        from sklearn.utils.extmath import randomized_svd

        texts = sorted(texts_only(objects))  # so that the order of the rows changes nothing, not even by rounding
        filled = [text for text in texts if text.strip()]
        if not filled:
            raise ModelError(f"TF-IDF has nothing to learn from: {len(texts)} texts, none with a visible character.")
        few = sum(sum(map(str.isspace, text.strip())) * _LETTERS_A_SPACE < len(text) for text in filled)
        by_words = 2 * few <= len(filled)
        for self._by_words in (True, False) if by_words else (False,):
            counter = CountVectorizer(
                analyzer="word" if self._by_words else "char",
                ngram_range=(1, 2) if self._by_words else (1, 3),
                token_pattern=word_pattern() if self._by_words else None,
                max_features=self._max_terms,
                dtype=np.int64,
            )
            try:
                counts = counter.fit_transform(texts)
            except ValueError:  # punctuation only: no words, so characters next
                continue
            break
        self._counter = counter
        self._weigher = TfidfTransformer().fit(counts)
        weighted = self._weigher.transform(_reduced(counts))
        if len(texts) > _FACTORED:
            weighted = weighted[np.sort(np.random.default_rng(0).choice(len(texts), _FACTORED, replace=False))]
        kept = min(self._dim, *weighted.shape)
        # The solver of scikit-learn's TruncatedSVD, which itself refuses a vocabulary of one term.
        _, _, components = randomized_svd(weighted, kept, n_iter=5, random_state=0)
        self._directions = np.ascontiguousarray(components.T, dtype=np.float64)
        digest = hashlib.sha256(repr((self._by_words, counter.get_feature_names_out().tolist())).encode())
        digest.update(np.ascontiguousarray(self._weigher.idf_).data)
        digest.update(self._directions.data)
        self._fingerprint = digest.hexdigest()

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Features computed in float64 and rounded, shape (n, dim). Both roles are the same.

        Raises
        ------
        ModelError
            Before `fit`.
        """
        return self.encode_exact(objects)[0].astype(np.float32)

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[np.float64], str]:
        """Features in float64; a row depends on nothing but its own term counts."""
        self._fitted()
        if not len(objects):
            return np.empty((0, self._directions.shape[1])), "float64"
        return np.asarray(self._weigher.transform(self._counts(objects)) @ self._directions), "float64"

    def inputs(self, objects: Sequence[Any]) -> list[bytes]:
        """(term, count) pairs in the order of the terms, counts divided by their greatest common divisor."""
        counts = self._counts(objects)
        pairs = np.stack([counts.indices.astype(np.int64), counts.data], axis=1)
        return [pairs[a:b].tobytes() for a, b in pairwise(counts.indptr)]

    def trace(self, text: str) -> Trace:
        """Known terms in the order of the analyser; unknown words (or characters), not unknown pairs."""
        self._fitted()
        vocabulary = self._counter.vocabulary_
        terms = self._counter.build_analyzer()(texts_only([text])[0])
        if self._by_words:
            single = self._counter.build_tokenizer()(texts_only([text])[0].lower())
        else:
            single = [term for term in terms if len(term) == 1]
        return Trace(
            tokens=tuple(term for term in terms if term in vocabulary),
            unknown=tuple(term for term in single if term not in vocabulary),
            ordered=False,
        )

    def _fitted(self) -> None:
        if not self._fingerprint:
            raise ModelError("TF-IDF must learn from texts before it encodes: call fit(texts) first.")

    def _counts(self, objects: Sequence[Any]) -> Any:
        self._fitted()
        return _reduced(self._counter.transform(texts_only(objects)))


def _reduced(counts: Any) -> Any:
    """Each row of a sparse matrix of counts divided by its greatest common divisor, columns in order."""
    counts.sort_indices()
    lengths = np.diff(counts.indptr)
    filled = np.flatnonzero(lengths)
    if len(filled):
        divisor = np.gcd.reduceat(counts.data, counts.indptr[filled])
        counts.data = counts.data // np.repeat(divisor, lengths[filled])
    return counts
