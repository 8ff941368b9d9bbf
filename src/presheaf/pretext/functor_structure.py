"""Structure on objects that a labelling has to respect: what labelled objects force, and the best guess where they don't."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched import hom_from_graph, kan_sandwich
from presheaf.enriched.hom import Hom
from presheaf.enriched.sources import as_features
from presheaf.errors import InputError
from presheaf.finite import Category, from_covers
from presheaf.finite import components as connected

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

Rule = Callable[[Ints, Ints], ArrayLike]
"""A learner: numbers of labelled objects and their labels 0..k-1 in, a label for every object out."""

SPAN = 1e-9
"""A residual this small, relative to the vector, is rounding."""


class Structure(Protocol):
    """What `FunctorLearner` asks of a structure. Labels are codes 0..k-1 of all classes there are."""

    @property
    def n(self) -> int:
        """Number of objects."""
        ...

    @property
    def claim(self) -> str:
        """What a labelling has to respect, in a sentence."""
        ...

    def possible(self, anchors: Ints, codes: Ints, k: int, objects: Ints) -> Bools:
        """Which labels some functor with these labels on the anchors gives the objects, shape (m, k); none: contradicted."""
        ...

    def guess(self, anchors: Ints, codes: Ints, k: int, objects: Ints) -> Ints:
        """A label for each object, shape (m,): the forced one where there is one, else the most plausible."""
        ...

    def permuted(self, seed: int) -> Structure:
        """The same structure on the objects in another order: the null, structure that has nothing to do with them."""
        ...


@dataclass(frozen=True, eq=False)
class Isomorphic:
    """Objects in classes of isomorphic ones, labels discrete: isomorphic objects carry one label.

    Parameters
    ----------
    classes : int array of shape (n,)
        Class of each object; any numbers. See ``isomorphic`` for pairs, and ``unrelated`` for no structure.
    """

    classes: Ints = field(repr=False)

    def __post_init__(self) -> None:
        given = np.asarray(self.classes)
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            raise InputError(f"classes must be one whole number an object; got shape {given.shape} of {given.dtype}.")
        object.__setattr__(self, "classes", np.unique(given, return_inverse=True)[1].astype(np.int64))

    @property
    def n(self) -> int:
        return len(self.classes)

    @property
    def r(self) -> int:
        """Number of classes."""
        return int(self.classes.max(initial=-1)) + 1

    @property
    def claim(self) -> str:
        return "isomorphic objects carry one label"

    def possible(self, anchors: Ints, codes: Ints, k: int, objects: Ints) -> Bools:
        votes = self._votes(anchors, codes, k)[self.classes[objects]]
        total = votes.sum(axis=1, keepdims=True)
        return np.asarray((votes == total) | (total == 0))

    def guess(self, anchors: Ints, codes: Ints, k: int, objects: Ints) -> Ints:
        votes = self._votes(anchors, codes, k)[self.classes[objects]]
        return np.where(votes.any(axis=1), votes.argmax(axis=1), most_common(codes, k))

    def permuted(self, seed: int) -> Isomorphic:
        return Isomorphic(np.random.default_rng(seed).permutation(self.classes))

    def _votes(self, anchors: Ints, codes: Ints, k: int) -> Ints:
        votes = np.zeros((self.r, k), dtype=np.int64)
        np.add.at(votes, (self.classes[anchors], codes), 1)
        return votes

    def __repr__(self) -> str:
        return f"Isomorphic({self.n:,} objects in {self.r:,} classes)"


def isomorphic(n: int, pairs: ArrayLike) -> Isomorphic:
    """Classes from pairs of isomorphic objects, shape (p, 2), by union-find. Cost: near-linear.

    Raises
    ------
    InputError
        Pairs of another shape, or numbers outside 0..n-1.
    """
    return Isomorphic(connected(from_covers(n, pairs)).astype(np.int64))


def unrelated(n: int) -> Isomorphic:
    """No structure at all: only identities, so that a label says nothing about other objects."""
    return Isomorphic(np.arange(n))


@dataclass(frozen=True, eq=False)
class Monotone:
    """An arrow x -> y asks that the label of x is at most that of y; labels are a chain, in sorted order.

    Parameters
    ----------
    category : Category
        Such as an order, see ``presheaf.finite.from_covers``. Only which objects have an arrow counts.
    """

    category: Category = field(repr=False)

    @property
    def n(self) -> int:
        return self.category.n_objects

    @property
    def claim(self) -> str:
        return "along an arrow labels do not fall"

    @cached_property
    def hom(self) -> Hom:
        """Number of generating arrows from x to y, inf where there is no arrow."""
        from scipy.sparse import coo_array

        ends = self.category.generator_dom, self.category.generator_cod
        return hom_from_graph(
            coo_array((np.ones(len(ends[0])), ends), shape=(self.n, self.n)), True, "generating arrows"
        )

    def bounds(self, anchors: Ints, codes: Ints, k: int, objects: Ints) -> tuple[Ints, Ints]:
        """The smallest and the largest label of any functor with the anchors' labels, shape (m,) each; crossed: none.

        Notes
        -----
        "The label is at least c" is a presheaf that goes up along arrows: its left extension says where it must hold, its right
        one where it may. Cost: (k - 1) x 2 searches of the graph for each anchor.
        """
        low, high = np.zeros(len(objects), dtype=np.int64), np.zeros(len(objects), dtype=np.int64)
        for c in range(1, k):
            truth = np.where(codes >= c, 0.0, np.inf)
            sandwich = kan_sandwich(self.hom, anchors, truth, "covariant", objects)
            low += np.isfinite(sandwich.upper)
            high += np.isfinite(sandwich.lower)
        return low, high

    def possible(self, anchors: Ints, codes: Ints, k: int, objects: Ints) -> Bools:
        low, high = self.bounds(anchors, codes, k, objects)
        return (low[:, None] <= np.arange(k)) & (np.arange(k) <= high[:, None])

    def guess(self, anchors: Ints, codes: Ints, k: int, objects: Ints) -> Ints:
        low, high = self.bounds(anchors, codes, k, objects)
        return np.asarray(np.clip(most_common(codes, k), np.minimum(low, high), np.maximum(low, high)), dtype=np.int64)

    def permuted(self, seed: int) -> Monotone:
        new = np.random.default_rng(seed).permutation(self.n)
        ends = np.stack([new[self.category.generator_dom], new[self.category.generator_cod]], axis=1)
        return Monotone(from_covers(self.n, ends))

    def __repr__(self) -> str:
        return f"Monotone({self.n:,} objects, {self.category.n_arrows - self.n:,} arrows between them)"


@dataclass(frozen=True, eq=False)
class Linear:
    """Scores of labels are affine in given features: what is forced is what lies in the span of labelled objects.

    Parameters
    ----------
    features : array of shape (n, d)
    ridge : float
        Penalty of the guess, >= 0; 0 for least squares of smallest norm. What is forced does not depend on it.

    Notes
    -----
    The label is the largest score. Forced in the strict sense: some affine map gives each labelled object score 1 for its label
    and 0 for others, and all such maps agree on the object. Where none does, as with real labels beyond d + 1 of them, the
    labels contradict the structure and only the guess is left. Cost: a singular value decomposition of a x (d + 1) for a
    labelled objects.
    """

    features: NDArray[Any] = field(repr=False)
    ridge: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", as_features(self.features).astype(np.float64))
        if not self.ridge >= 0:
            raise InputError(f"ridge must be a number >= 0; got {self.ridge!r}.")

    @property
    def n(self) -> int:
        return len(self.features)

    @property
    def claim(self) -> str:
        return "scores of labels are affine in the features"

    @cached_property
    def affine(self) -> Floats:
        """Features and a constant 1, shape (n, d + 1)."""
        return np.concatenate([self.features, np.ones((self.n, 1))], axis=1)

    @property
    def rank(self) -> int:
        """Dimension of the span of all objects."""
        return int(np.linalg.matrix_rank(self.affine)) if self.n else 0

    def possible(self, anchors: Ints, codes: Ints, k: int, objects: Ints) -> Bools:
        rows, wanted = self.affine[anchors], np.eye(k)[codes]
        map_, _, rank, _ = np.linalg.lstsq(rows, wanted, rcond=None)
        table = np.ones((len(objects), k), dtype=bool)
        if np.abs(rows @ map_ - wanted).max(initial=0.0) > SPAN**0.5:
            return ~table
        span = np.linalg.svd(rows, full_matrices=False)[2][:rank]
        points = self.affine[objects]
        outside = np.linalg.norm(points - points @ span.T @ span, axis=1)
        forced = outside <= SPAN**0.5 * np.linalg.norm(points, axis=1)
        scores = points[forced] @ map_
        table[forced] = scores >= scores.max(axis=1, keepdims=True) - SPAN**0.5
        return table

    def guess(self, anchors: Ints, codes: Ints, k: int, objects: Ints) -> Ints:
        from sklearn.linear_model import LinearRegression, Ridge

        model = Ridge(self.ridge) if self.ridge else LinearRegression()
        model.fit(self.features[anchors], np.eye(k)[codes])
        return np.asarray(model.predict(self.features[objects]).argmax(axis=1), dtype=np.int64)

    def permuted(self, seed: int) -> Linear:
        return Linear(np.random.default_rng(seed).permutation(self.features), self.ridge)

    def __repr__(self) -> str:
        return f"Linear({self.n:,} objects, {self.features.shape[1]:,} features, ridge {self.ridge:g})"


def most_common(codes: Ints, k: int) -> int:
    """The most common label, the smallest of several."""
    return int(np.bincount(codes, minlength=k).argmax())
