"""Finding the partners of unseen objects: by a two-sided model, and by a plain ridge regression between the features."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.retrieval import Retrieval, judged, ranks_of
from presheaf.errors import InputError, one_of
from presheaf.pretext.base import Data
from presheaf.pretext.bipartite import keys_of, numbered

Side = Literal["left", "right"]

KS = (1, 5, 10)
PENALTIES = tuple(float(10.0**power) for power in range(-2, 7))
"""Ridge penalties to choose from, on standardised features."""


def unit_rows(rows: ArrayLike) -> NDArray[np.float64]:
    """Rows of length one, float64; a row of zeros stays."""
    given = np.asarray(rows, dtype=np.float64)
    return np.asarray(given / np.maximum(np.linalg.norm(given, axis=1, keepdims=True), 1e-12))


def find_partners(
    method: str,
    queries: ArrayLike,
    candidates: ArrayLike,
    ks: Sequence[int] = KS,
    fitted: int = 0,
    same: Sequence[Hashable] | None = None,
) -> Retrieval:
    """Rank of each query's partner by cosine; query i's partner is candidate i, candidates past the queries are nobody's.

    Parameters
    ----------
    method : str
        Goes into the result.
    queries : float array of shape (m, d)
    candidates : float array of shape (k, d), k >= m
    ks : ints
    fitted : int
    same : k keys, optional
        Candidates with equal keys are one object, any of which is the answer. By default those with equal rows (up to rounding):
        right where rows are given features. Where they are what a model made of the candidates, give keys of the objects: a
        model that puts all at one point would find every partner.

    Raises
    ------
    InputError
        Fewer candidates than queries, or none; not one key for each.
    """
    near, far = unit_rows(queries), unit_rows(candidates)
    if not 0 < len(near) <= len(far):
        raise InputError(f"there must be queries, and a candidate for each; got {len(near)} and {len(far)}.")
    if same is None:
        _, number = np.unique(far.round(9), axis=0, return_inverse=True)
    else:
        number = numbered(same)
    if len(number.ravel()) != len(far):
        raise InputError(f"'same' must have one key for each of {len(far)} candidates; got {len(number)}.")

    def scores(part: slice) -> NDArray[Any]:
        return np.asarray(1 - near[part] @ far.T)

    return judged(method, ranks_of(scores, np.arange(len(near)), number.ravel()), len(far), ks, fitted)


def two_sided_retrieval(network: Any, data: Data, asked: Side = "left", among: Data | None = None) -> Retrieval:
    """Held-out objects of one side find their partners on the other in the common space of a trained `TwoTowers`.

    Parameters
    ----------
    network : TwoTowers
    data : Data
        Its held-out pairs are the queries and the candidates.
    asked : "left" or "right"
        The side of the queries.
    among : Data, optional
        Whose objects to train on are candidates too: names of everything, seen or not.
    """
    one_of("asked", asked, ("left", "right"))
    this, other = (0, 1) if asked == "left" else (1, 0)
    sides = ("left", "right")
    candidates, keys = network.of(sides[other], data.test[other]), keys_of(data.test[other])
    if among is not None:
        candidates = np.concatenate([candidates, network.of(sides[other], among.train[other])])
        keys += keys_of(among.train[other])
    fitted = sum(weight.numel() for weight in network.parameters())
    return find_partners("two-sided model", network.of(sides[this], data.test[this]), candidates, KS, fitted, keys)


def ridge_retrieval(data: Data, asked: Side = "left") -> Retrieval:
    """The same by linear regression from one side's standardised features to the other's: the plain baseline.

    The penalty is chosen by generalised leave-one-out error on the pairs to train on.

    Raises
    ------
    InputError
        If a side is no features.
    """
    from sklearn.linear_model import RidgeCV

    one_of("asked", asked, ("left", "right"))
    this, other = (0, 1) if asked == "left" else (1, 0)
    if any(not isinstance(side, np.ndarray) or side.ndim != 2 for side in data.train):
        raise InputError("Ridge regression needs features on both sides; see presheaf.pretext.featured.")
    x, y = data.train[this].astype(np.float64), data.train[other].astype(np.float64)
    mean, spread = x.mean(axis=0), x.std(axis=0)
    spread[spread < 1e-6] = 1
    model = RidgeCV(PENALTIES).fit((x - mean) / spread, y)
    found = model.predict((data.test[this] - mean) / spread)
    centre = y.mean(axis=0)
    return find_partners("ridge regression", found - centre, data.test[other] - centre, KS, x.shape[1] * y.shape[1])


def new_combinations(seen: Sequence[str], unseen: Sequence[str]) -> NDArray[np.bool_]:
    """Which unseen names are composed of at least two words that were all seen, each in some other name.

    Returns a bool array of shape (unseen,). Words are those of `presheaf.models.words.word_pattern`, case folded.
    """
    import re

    from presheaf.models.words import word_pattern

    pattern = re.compile(word_pattern())
    known = {word for name in seen for word in pattern.findall(name.casefold())}
    words = [pattern.findall(name.casefold()) for name in unseen]
    whole = {name.casefold() for name in seen}
    return np.array(
        [
            len(set(own)) > 1 and known.issuperset(own) and name.casefold() not in whole
            for own, name in zip(words, unseen, strict=True)
        ],
        dtype=bool,
    )
