"""Magnitude of a category of texts: the prefix order with a language model's probabilities, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PrefixMagnitude:
    """Magnitude of a finite set of texts at some scales; arrays of shape (m,).

    Attributes
    ----------
    t : float array
        Scales >= 0, as given.
    value : float array
        Number of texts minus the sum of probability^t over pairs of a text and the longest text before it.
    derivative : float array
        d value / d t, in nats: at t = 1 the sum of -p ln p over these pairs, Shannon entropies where all continuations
        of a text are there.
    texts : int
    """

    t: Floats
    value: Floats
    derivative: Floats
    texts: int
    parent: Ints = field(repr=False, compare=False)
    probability: Floats = field(repr=False, compare=False)

    @property
    def kind(self) -> str:
        """``proof``: a closed form, given the probabilities."""
        return "proof"

    def weighting(self, t: float) -> Floats:
        """w(x) = 1 - sum of p^t over the texts right after x, shape (n,). Cost: linear."""
        below = self.parent >= 0
        power = _powers(self.probability[below], t)
        return np.asarray(1 - np.bincount(self.parent[below], weights=power, minlength=self.texts))


def prefix_magnitude(parent: ArrayLike, probability: ArrayLike, t: ArrayLike) -> PrefixMagnitude:
    """Magnitude of a set of texts ordered by prefix, hom(x, y) = P(y | x) where x is a prefix of y, else 0.

    Parameters
    ----------
    parent : int array of shape (n,)
        For each text the longest other text of the set that is its prefix, -1 where there is none. See
        ``prefix_parents``.
    probability : float array of shape (n,)
        P(text | parent) in [0, 1]: the product of next-token probabilities. Ignored where there is no parent.
    t : float or float array of shape (m,), >= 0
        Scales: distances are -ln P, sizes P^t. A probability of 0 has size 0 at every scale, also at 0.

    Raises
    ------
    InputError
        If parents don't form a forest, or a number is no probability or scale.

    Notes
    -----
    Bradley and Vigneaux 2025, "The magnitude of categories of texts enriched by language models": probabilities multiply
    along a chain, so the inverse of zeta is 1 on the diagonal, -P^t on cover pairs and 0 elsewhere. That needs products
    along token prefixes: retokenised text breaks it. Cost: n m.
    """
    parents, p, scales = np.asarray(parent), np.asarray(probability, dtype=np.float64), np.asarray(t, dtype=np.float64)
    n = len(parents) if parents.ndim == 1 else -1
    if n < 0 or (n and parents.dtype.kind not in "iu") or p.shape != (n,):
        raise InputError(
            f"parent and probability must be whole numbers and numbers of one shape (n,); got {parents.shape} of "
            f"{parents.dtype} and {p.shape}."
        )
    parents = parents.astype(np.int64)
    _check_forest(parents)
    edges = p[parents >= 0]
    if not ((edges >= 0) & (edges <= 1)).all():
        raise InputError("probabilities of texts after their parents must lie in [0, 1].")
    flat = np.atleast_1d(scales)
    if flat.ndim != 1 or not (np.isfinite(flat) & (flat >= 0)).all():
        raise InputError(f"scales must be finite numbers >= 0; got {t!r}.")
    seen = edges[edges > 0]
    surprise = -np.log(seen)
    value, derivative = np.empty(len(flat)), np.empty(len(flat))
    for i, scale in enumerate(flat):
        power = np.exp(-scale * surprise)
        value[i], derivative[i] = n - power.sum(), power @ surprise
    return PrefixMagnitude(flat, value, derivative, n, parents, p)


def prefix_parents(texts: Sequence[Sequence[int]]) -> Ints:
    """For each text the longest other text of the set that is a proper prefix of it, -1 where there is none.

    Parameters
    ----------
    texts : n different sequences of token numbers
        The empty one is a prefix of all.

    Returns
    -------
    int64 array of shape (n,)

    Raises
    ------
    InputError
        If a text occurs twice.

    Notes
    -----
    A trie built level by level. Cost: linear in the tokens, up to sorting each level. Memory: the tokens.
    """
    n = len(texts)
    lengths = np.fromiter((len(x) for x in texts), dtype=np.int64, count=n)
    tokens = np.fromiter(chain.from_iterable(texts), dtype=np.int64, count=int(lengths.sum()))
    start = np.cumsum(lengths) - lengths
    # For texts still going on: their node on this level, and the last text that ended on their way.
    node, last = np.zeros(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    parent = np.full(n, -1, dtype=np.int64)
    going = np.arange(n)
    for depth in range(int(lengths.max(initial=-1)) + 1):
        ends = going[lengths[going] == depth]
        parent[ends] = last[ends]
        ended_at = node[ends]
        if len(np.unique(ended_at)) < len(ends):
            number, count = np.unique(ended_at, return_counts=True)
            twice = ends[ended_at == number[np.argmax(count)]]
            raise InputError(f"texts must be different; texts {twice[0]} and {twice[1]} are equal. Leave one out.")
        here = np.full(int(node[going].max(initial=0)) + 1, -1, dtype=np.int64)
        here[ended_at] = ends
        going = going[lengths[going] > depth]
        found = here[node[going]]
        last[going] = np.where(found >= 0, found, last[going])
        step = tokens[start[going] + depth]
        if len(going):
            _, token = np.unique(step, return_inverse=True)
            _, node[going] = np.unique(node[going] * (int(token.max()) + 1) + token, return_inverse=True)
    return parent


def _powers(probability: Floats, t: float) -> Floats:
    return np.where(probability > 0, probability**t, 0.0)


def _check_forest(parent: Ints) -> None:
    n = len(parent)
    if n and (parent.min() < -1 or parent.max() >= n):
        raise InputError(f"parents must be texts 0..{n - 1} or -1; got {parent.min()}..{parent.max()}.")
    # Pointer jumping: after k rounds every text points 2^k ancestors up, so a forest ends at -1 everywhere.
    above = np.append(parent, -1)
    for _ in range(max(1, n).bit_length()):
        above = above[above]
    if n and above.max() >= 0:
        raise InputError(
            f"parents must lead to a text without one; those of text {int(np.argmax(above >= 0))} go round."
        )
