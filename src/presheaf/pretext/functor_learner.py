"""Supervised learning as learning a functor: labels spread along structure, and "cannot say" where it ends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.label_category import encode_labels
from presheaf.errors import InputError
from presheaf.pretext.functor_structure import Structure

Array = NDArray[Any]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class FunctorLearner:
    """A classifier of objects that takes a structure for granted and nothing else.

    Parameters
    ----------
    structure : Structure
        ``Isomorphic`` (labels spread along isomorphisms), ``Monotone`` (along an order), ``Linear`` (affine in features).
    classes : labels, optional
        All there are, in any order; labels are used in sorted order. Default: not known. Then ``predict`` answers with those seen by
        ``fit``, but any object may have one never seen, smaller or larger than all, unless the structure forbids it: nothing is
        sure for the reason alone that no other label was seen.

    Attributes
    ----------
    classes_ : array of shape (k,), sorted
    anchors_ : int64 array of shape (a,)
        Labelled objects.

    Notes
    -----
    Learning is read as finding a functor F: X -> Y from some of its values (Yuan 2023, On the Power of Foundation Models). With
    only identities in X any map is a functor, and labels say nothing about other objects; structure is what makes it
    possible. ``sure`` marks where all functors with the given labels agree: there the answer is as right as the structure.
    """

    def __init__(self, structure: Structure, classes: ArrayLike | None = None) -> None:
        self.structure, self.classes = structure, classes

    def fit(self, objects: ArrayLike, labels: ArrayLike) -> FunctorLearner:
        """Remember labelled objects.

        Parameters
        ----------
        objects : int array of shape (a,)
            Numbers of objects of the structure, each at most once.
        labels : array of shape (a,)

        Raises
        ------
        InputError
            Objects that aren't there or come twice, not one label each, or a label outside ``classes``.
        """
        anchors = self._objects(objects)
        codes, seen = encode_labels(labels)
        if not len(anchors) or len(codes) != len(anchors) or len(np.unique(anchors)) != len(anchors):
            raise InputError(
                f"fit needs at least one object, each once, with one label each; got {len(anchors)} objects "
                f"({len(np.unique(anchors))} different) and {len(codes)} labels."
            )
        known = seen if self.classes is None else np.unique(np.asarray(self.classes))
        strange = seen[~np.isin(seen, known)]
        if len(strange):
            raise InputError(f"label {strange[0]!r} is not among the classes {', '.join(map(str, known))}.")
        self.classes_: Array = known
        self.anchors_: Ints = anchors
        self._codes = np.searchsorted(known, seen)[codes].astype(np.int64)
        return self

    def predict(self, objects: ArrayLike | None = None) -> Array:
        """A label for each object, shape (m,): the forced one where there is one, else a guess. Default: all objects."""
        chosen = self._asked(objects)
        return np.asarray(self.classes_[self.structure.guess(self.anchors_, self._codes, len(self.classes_), chosen)])

    def possible(self, objects: ArrayLike | None = None) -> Bools:
        """Which labels some functor with the given ones has there, shape (m, k); a row without any is contradicted."""
        return self._table(objects)[:, self._before : self._before + len(self.classes_)]

    def sure(self, objects: ArrayLike | None = None) -> Bools:
        """Where the structure leaves one label, shape (m,)."""
        return np.asarray(self._table(objects).sum(axis=1) == 1)

    def answers(self, objects: ArrayLike | None = None) -> Array:
        """Forced labels, and None for "cannot say"; shape (m,), dtype object."""
        out = np.asarray(self.classes_[self.possible(objects).argmax(axis=1)], dtype=object)
        out[~self.sure(objects)] = None
        return out

    def score(self, objects: ArrayLike, labels: ArrayLike) -> float:
        """Share of ``predict`` that is right."""
        given = np.asarray(labels)
        found = self.predict(objects)
        if given.shape != found.shape:
            raise InputError(f"there must be one label for each of {len(found)} objects; got shape {given.shape}.")
        return float(np.mean(found == given))

    @property
    def _before(self) -> int:
        """Columns for labels never seen, before those that were and as many behind."""
        return 0 if self.classes is not None else 1

    def _table(self, objects: ArrayLike | None) -> Bools:
        chosen, more = self._asked(objects), self._before
        return self.structure.possible(self.anchors_, self._codes + more, len(self.classes_) + 2 * more, chosen)

    def _asked(self, objects: ArrayLike | None) -> Ints:
        if not hasattr(self, "anchors_"):
            raise InputError("this learner has seen no labels yet; call fit(objects, labels) first.")
        return np.arange(self.structure.n) if objects is None else self._objects(objects)

    def _objects(self, objects: ArrayLike) -> Ints:
        given = np.asarray(objects)
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            raise InputError(f"objects must be a list of numbers of objects; got shape {given.shape} of {given.dtype}.")
        if given.size and (given.min() < 0 or given.max() >= self.structure.n):
            raise InputError(f"objects must lie in 0..{self.structure.n - 1}; got {given.min()}..{given.max()}.")
        return given.astype(np.int64)

    def __repr__(self) -> str:
        seen = f", {len(self.anchors_):,} labels, {len(self.classes_)} classes" if hasattr(self, "anchors_") else ""
        return f"FunctorLearner({self.structure}{seen})"
