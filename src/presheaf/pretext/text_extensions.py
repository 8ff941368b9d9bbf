"""k_f of the text tasks: hom(x, y) = pi(y | x) where the tokens of y begin with those of x, and 0 elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.forms import RowWise, as_given
from presheaf.enriched.kernel import Kernel
from presheaf.enriched.quantale import PROBABILITY
from presheaf.errors import InputError

Floats = NDArray[np.float64]
Tokens = tuple[int, ...]

NOTHING = -1
"""Stands behind the last token of a row."""


def extension_kernel() -> Kernel:
    """pi(y | x) from rows of `extension_rows`; PROBABILITY, directed, no number fitted.

    f(x) is the text itself with its own -ln probability, s(x): the Yoneda embedding of the category a language model makes
    of texts needs no more (Bradley, Terilla and Vlassopoulos 2021, "An enriched category theory of language"). The
    distance is s(y) - s(x) where x is a prefix of y and infinite elsewhere. Lawful.

    Cost of a block: a comparison for each pair and token of the longest left text.
    """
    reason = "proof: probabilities multiply along token prefixes, so -ln pi adds, and pi(x | x) = 1"
    return Kernel("pi(extension | prefix)", PROBABILITY, False, True, reason, RowWise(_check, as_given, _block, _pairs))


def extension_rows(objects: Sequence[Tokens], surprise: ArrayLike, longest: int) -> NDArray[np.float32]:
    """Features of token tuples for `extension_kernel`.

    Parameters
    ----------
    objects : sequence of n token tuples
        Of ids from 0 to 2^24, which float32 holds exactly; none empty, none longer than ``longest``.
    surprise : array of shape (n,)
        -ln of the probability that the model gives the object; in differences of prefixes only what lies between counts.

    Returns
    -------
    float32 array of shape (n, longest + 1)
        The tokens, -1 behind them, and the surprise.

    Raises
    ------
    InputError
        If an object is empty or too long.
    """
    rows = np.full((len(objects), longest + 1), NOTHING, dtype=np.float32)
    for row, tokens in zip(rows, objects, strict=True):
        if not 0 < len(tokens) <= longest:
            raise InputError(f"An object must be 1 to {longest} tokens; got {len(tokens)}.")
        row[: len(tokens)] = tokens
    rows[:, longest] = surprise
    return rows


def _check(features: NDArray[Any]) -> None:
    whole = features[:, :-1] == np.floor(features[:, :-1])
    if features.shape[1] < 2 or not whole.all() or not (features[:, -1] >= 0).all():
        raise InputError("expected rows of tokens with a surprise >= 0 behind them, as extension_rows makes them.")


def _block(u: Floats, v: Floats) -> Floats:
    begins = np.ones((len(u), len(v)), dtype=bool)
    for left, right in zip(u[:, :-1].T, v[:, :-1].T, strict=True):
        if (left == NOTHING).all():
            break
        begins &= (left[:, None] == right) | (left[:, None] == NOTHING)
    return np.where(begins, np.maximum(v[:, -1] - u[:, -1][:, None], 0), inf)


def _pairs(u: Floats, v: Floats) -> Floats:
    begins = ((u == v) | (u == NOTHING))[:, :-1].all(axis=1)
    return np.where(begins, np.maximum(v[:, -1] - u[:, -1], 0), inf)
