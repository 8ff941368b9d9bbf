"""Theorem 2 on a finite category: what the best functor to a label category gets right, for each meaning of "functor"."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.label_category import Ordered, encode_labels
from presheaf.enriched.linkage import majority
from presheaf.enriched.vertex_cover import least_cover
from presheaf.errors import InputError, one_of
from presheaf.finite import Category, components, isomorphism_classes

Array = NDArray[Any]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Labels = Literal["constant", "constant on each class", "cuts a class"]

TARGETS = ("components", "isomorphism classes", "poset", "indiscrete")
"""The label categories: discrete with all arrows, discrete with isomorphisms only, ordered labels, all labels isomorphic."""


@dataclass(frozen=True, eq=False)
class LabelCeiling:
    """What functors into one label category reach on given labels.

    Attributes
    ----------
    target : one of ``TARGETS``
    right : int
        Objects that keep their label: no functor gets more right (``proof``).
    n : int
    exact : bool
        Whether a functor with ``right`` objects right is known: ``best`` is one.
    best : int64 array of shape (n,), or None
        Labels of such a functor, as numbers in the sorted labels.
    witness : (x, y), or None
        Objects whose labels no functor can both keep; None where all labels can be kept.
    classes : int64 array of shape (n,), or None
        Which objects get one label from every functor; None where functors do not come down to such classes.
    labels : how the labels lie to these classes; for a poset to the isomorphism classes
    evidence : float
        Share of objects with company in their class (for a poset: with an arrow to or from another object). The others
        can't conflict, so for them the ceiling says nothing.
    left_out : float
        Share right when every object with company is judged by the others of its class: what the structure would teach about a
        new object; nan without company or classes.
    statement : str
    """

    target: str
    right: int
    n: int
    exact: bool
    best: Ints | None = field(repr=False)
    witness: tuple[int, int] | None
    classes: Ints | None = field(repr=False)
    labels: Labels
    evidence: float
    left_out: float
    statement: str

    @property
    def kind(self) -> str:
        """Of ``share``."""
        return "proof"

    @property
    def share(self) -> float:
        """Share of the objects that the best functor gets right; 1 without objects."""
        return self.right / self.n if self.n else 1.0

    @property
    def solvable(self) -> bool:
        """Whether the labels are a functor as they stand."""
        return self.witness is None

    def __repr__(self) -> str:
        sign = "" if self.exact else "at most "
        return f"LabelCeiling({self.target}: {sign}{self.right} of {self.n} = {self.share:.3g}; labels: {self.labels})"


def label_ceilings(category: Category, labels: ArrayLike, order: ArrayLike | None = None) -> dict[str, LabelCeiling]:
    """Ceilings of fine-tuning for every declared label category, each with its proof in a sentence.

    Parameters
    ----------
    category : Category
        Of the pre-training task, such as the groupoid of images and their rotations.
    labels : array of shape (n,)
        One an object.
    order : bool array of shape (k, k), optional
        For the poset: ``order[a, b]`` says that label a <= label b, in sorted labels; reflexive and transitive. Default: the
        labels' own order, a chain.

    Returns
    -------
    dict
        ``LabelCeiling`` by target, see ``label_ceiling``.
    """
    return {target: label_ceiling(category, labels, target, order) for target in TARGETS}


def label_ceiling(category: Category, labels: ArrayLike, target: str, order: ArrayLike | None = None) -> LabelCeiling:
    """What the best functor into one label category gets right.

    Parameters
    ----------
    category : Category
    labels : array of shape (n,)
    target : "components", "isomorphism classes", "poset" or "indiscrete"
        Labels discrete and a functor on all arrows (constant on connected components); on isomorphisms only (constant on
        isomorphism classes); labels ordered (monotone along arrows); all labels isomorphic (every map is a functor, and all
        of them are isomorphic, so nothing is claimed).
    order : see ``label_ceilings``

    Raises
    ------
    InputError
        Labels that are not one an object, or an order of the wrong shape.

    Notes
    -----
    Yuan 2023, On the Power of Foundation Models, Theorem 2; "up to symmetry" is spelt out because the claim changes with the
    label category. Discrete: the sum of the classes' majorities. Poset that is a chain: x -> y is a conflict where x has the
    larger label. Conflicts compose, so they are a strict order, and the most objects without conflict are its largest
    antichain: n less a maximum matching (Dilworth 1950), found by Koenig's theorem; what is kept extends to all objects by
    the largest kept label below. Another order may lack such least upper bounds and its conflicts need not compose; then the
    ceiling is the relaxation's bound, and ``exact`` says whether it was reached. Cost: near-linear for the discrete ones; for
    a poset the pairs of objects with an arrow x sqrt(n).
    """
    one_of("target", target, TARGETS)
    codes, names = encode_labels(labels)
    if len(codes) != category.n_objects:
        raise InputError(f"there must be one label for each of {category.n_objects} objects; got {len(codes)}.")
    if target == "poset":
        return _ordered(category, codes, _order(order, len(names)))
    if target == "indiscrete":
        return _indiscrete(codes)
    classes = (components if target == "components" else isomorphism_classes)(category).astype(np.int64)
    return _discrete(classes, codes, target)


def _discrete(classes: Ints, codes: Ints, target: str) -> LabelCeiling:
    n = len(codes)
    right, credit = majority(classes, codes)
    counts = np.zeros((int(classes.max(initial=-1)) + 1, int(codes.max(initial=-1)) + 1), dtype=np.int64)
    np.add.at(counts, (classes, codes), 1)
    best = counts.argmax(axis=1)[classes] if n else codes
    company = np.bincount(classes)[classes] > 1 if n else np.zeros(0, dtype=bool)
    what = "joined by arrows" if target == "components" else "isomorphic"
    lost = "" if right == n else f", and {n - right} of {n} objects are off their class's majority"
    return LabelCeiling(
        target,
        right,
        n,
        True,
        best,
        _apart(classes, codes),
        classes,
        _lie(classes, codes),
        float(company.mean()) if n else 0.0,
        float(credit[company].mean()) if company.any() else float("nan"),
        f"a functor to discrete labels gives objects that are {what} one label{lost}",
    )


def _indiscrete(codes: Ints) -> LabelCeiling:
    n = len(codes)
    statement = "every map to indiscrete labels is a functor, and all labels are isomorphic: right up to isomorphism says nothing"
    lie: Labels = "constant" if n == 0 or not codes.any() else "constant on each class"
    return LabelCeiling("indiscrete", n, n, True, codes, None, None, lie, 0.0, float("nan"), statement)


def _ordered(category: Category, codes: Ints, order: Bools) -> LabelCeiling:
    n = len(codes)
    source, cod, _ = category.hom_pairs
    other = source != cod
    source, cod = source[other], cod[other]
    wrong = ~order[codes[source], codes[cod]]
    first, second = source[wrong].astype(np.int64), cod[wrong].astype(np.int64)
    kept, most = _kept(n, first, second, codes, order)
    best = _extended(source, cod, codes, order, kept)
    reached = -1 if best is None else int((best == codes).sum())
    joined = np.zeros(n, dtype=bool)
    joined[source] = joined[cod] = True
    return LabelCeiling(
        "poset",
        most,
        n,
        reached == most,
        best if reached == most else None,
        (int(first[0]), int(second[0])) if len(first) else None,
        None,
        _lie(isomorphism_classes(category).astype(np.int64), codes),
        float(joined.mean()) if n else 0.0,
        float("nan"),
        "a functor to ordered labels is monotone: an arrow from x to y asks that the label of x is at most that of y",
    )


def _kept(n: int, first: Ints, second: Ints, codes: Ints, order: Bools) -> tuple[Bools, int]:
    """Objects that can keep their labels together, pair by pair; and how many can at most."""
    if (order | order.T).all():
        # An antichain of the conflicts: objects neither of whose two sides is in a smallest cover.
        cover = least_cover(2 * n, first, second + n, np.arange(2 * n) < n)
        kept = ~(cover.members[:n] | cover.members[n:])
        return kept, int(kept.sum())
    values = np.unique(codes)
    cover = least_cover(n, first, second, np.asarray(codes == values[0]) if len(values) == 2 else None)
    return ~cover.members, n - int(np.ceil(cover.bound))


def _extended(source: Array, cod: Array, codes: Ints, order: Bools, kept: Bools) -> Ints | None:
    """The smallest functor with the kept labels: at x the least upper bound of the kept labels below x; None without one."""
    k = len(order)
    below = np.zeros((len(codes), k), dtype=bool)
    rows = np.flatnonzero(kept)
    below[rows, codes[rows]] = True
    arrows = kept[source]
    below[cod[arrows], codes[source[arrows]]] = True
    # Upper bounds of each set of labels, and among them one that is below all the others.
    patterns, back = np.unique(below, axis=0, return_inverse=True)
    joins = np.empty(len(patterns), dtype=np.int64)
    for i, pattern in enumerate(patterns):
        upper = order[pattern].all(axis=0)
        least = np.flatnonzero(upper & order[:, upper].all(axis=1))
        if not len(least):
            return None
        # Labels that are equal in the order: one that the object has itself, if there is one.
        joins[i] = least[0]
    best = joins[back.ravel()]
    own = order[codes, best] & order[best, codes]
    return np.where(own, codes, best)


def _order(order: ArrayLike | None, k: int) -> Bools:
    if order is None:
        return np.asarray(np.arange(k)[:, None] <= np.arange(k))
    declared = np.asarray(Ordered(np.asarray(order)).order)
    if declared.shape != (k, k):
        raise InputError(
            f"order must be a table of shape ({k}, {k}), one row for each label in use; got {declared.shape}."
        )
    return declared


def _apart(classes: Ints, codes: Ints) -> tuple[int, int] | None:
    """Two objects of one class with different labels, the first there are."""
    if not len(codes):
        return None
    _, first = np.unique(classes, return_index=True)
    leader = first[classes]
    off = np.flatnonzero(codes != codes[leader])
    return (int(leader[off[0]]), int(off[0])) if len(off) else None


def _lie(classes: Ints, codes: Ints) -> Labels:
    if not len(codes) or (codes == codes[0]).all():
        return "constant"
    return "constant on each class" if _apart(classes, codes) is None else "cuts a class"
