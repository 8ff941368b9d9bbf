"""What can be reached without the model: features that know only the words, and labels that know nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from presheaf.statistics.splits import digest

_WORD = re.compile(r"\w+|[^\w\s]")


def random_features(texts: Sequence[str], dim: int, seed: int = 0) -> NDArray[np.float32]:
    """Mean of one random Gaussian vector a word: what any features of this size know about the words.

    Parameters
    ----------
    texts : n strings
    dim : int

    Returns
    -------
    float32 array of shape (n, dim)

    Notes
    -----
    A word's vector depends on the word and the seed only. Cost: linear in the number of words; memory n x dim plus
    vocabulary x dim in blocks.
    """
    from scipy.sparse import csr_matrix

    vocabulary: dict[str, int] = {}
    indptr: list[int] = [0]
    indices: list[int] = []
    for text in texts:
        indices.extend(vocabulary.setdefault(w, len(vocabulary)) for w in _WORD.findall(text.lower()))
        indptr.append(len(indices))
    words = list(vocabulary)
    counts = csr_matrix(
        (np.ones(len(indices), dtype=np.float32), np.array(indices, dtype=np.int64), np.array(indptr)),
        shape=(len(texts), max(len(words), 1)),
    )
    features = np.zeros((len(texts), dim), dtype=np.float32)
    block = 8192
    for start in range(0, len(words), block):
        vectors = np.stack(
            [
                np.random.default_rng(digest(w, seed)).standard_normal(dim, dtype=np.float32)
                for w in words[start : start + block]
            ]
        )
        features += counts[:, start : start + block] @ vectors
    length = np.maximum(np.diff(counts.indptr), 1).astype(np.float32)
    return np.asarray(features / length[:, None], dtype=np.float32)
