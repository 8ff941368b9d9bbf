"""Pairs seen through models that are given: their features, computed once and kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.models.base import Model
from presheaf.models.cache import FeatureCache
from presheaf.models.features import OnProgress, encode_all
from presheaf.models.registry import load_model
from presheaf.pretext.base import Data, len_of
from presheaf.pretext.data import make_data


def featured(
    data: Data,
    left: Model | str | None,
    right: Model | str | None,
    cache: FeatureCache | None = None,
    progress: OnProgress | None = None,
) -> Data:
    """The same pairs with each side as the features of a frozen model.

    Parameters
    ----------
    data : Data
        Of media "pair".
    left, right : Model, name of one, or None
        For the left and the right objects; what learns from objects first (TF-IDF) sees those to train on only. None
        leaves a side as it is.
    cache : FeatureCache, optional
        Where features are kept; by default nowhere.
    progress : callable, optional
        ``progress(done, total)`` for each side.

    Returns
    -------
    Data
        float32 arrays of shape (n, d); labels and source of ``data``.

    Raises
    ------
    InputError
        The data are no pairs.

    Notes
    -----
    Cost: each object once through its model.
    """
    if data.media != "pair":
        raise InputError(f"Only pairs have two sides to give features; {data.name!r} is of media {data.media!r}.")
    names, sides = [], []
    for model, train, test in zip((left, right), data.train, data.test, strict=True):
        names.append(_name(model))
        sides.append((train, test) if model is None else _features(model, train, test, cache, progress))
    (left_train, left_test), (right_train, right_test) = sides
    return make_data(
        f"{data.name} as {names[0]} and {names[1]}",
        "pair",
        (left_train, right_train),
        (left_test, right_test),
        data.train_labels,
        data.test_labels,
        data.classes,
        data.source,
        data.licence,
    )


def first_pairs(data: Data, rows: NDArray[np.int64], partners: NDArray[np.int64] | None = None) -> Data:
    """The same held-out objects, and only some pairs to train on: left objects ``rows``, right ones ``partners``.

    Parameters
    ----------
    rows : int array of shape (k,)
    partners : int array of shape (k,), optional
        ``rows`` by default; another order pairs them wrongly.
    """
    left, right = data.train
    chosen = left[rows], right[rows if partners is None else partners]
    return make_data(
        data.name, "pair", chosen, data.test, None, data.test_labels, data.classes, data.source, data.licence
    )


def _name(model: Model | str | None) -> str:
    if model is None:
        return "they are"
    return model if isinstance(model, str) else model.info.name


def _features(
    model: Model | str, train: Any, test: Any, cache: FeatureCache | None, progress: OnProgress | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    source = load_model(model) if isinstance(model, str) else model
    if source.needs_fit:
        source.fit(train)
    rows = encode_all(source, [*train, *test], cache=cache, progress=progress)
    return rows[: len_of(train)], rows[len_of(train) :]
