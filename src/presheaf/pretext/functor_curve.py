"""Accuracy against the number of labels: a learner that uses structure, one that doesn't, and one that uses the wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.label_category import encode_labels
from presheaf.errors import InputError, one_of
from presheaf.pretext.functor_count import labels_needed, rule
from presheaf.pretext.functor_spread import without_base
from presheaf.pretext.functor_structure import Isomorphic, Rule, Structure
from presheaf.statistics.intervals import Interval, accuracy_interval

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Plan = Literal["random", "one a class"]

PLANS = ("random", "one a class")


@dataclass(frozen=True, eq=False)
class FunctorCurve:
    """Learning curves on objects that were not labelled, each with an interval over draws of the labelled ones.

    Attributes
    ----------
    numbers : int64 array of shape (m,), labels
    structured, unstructured, shuffled : m intervals each
        With the structure; without; with the structure on objects in random order (the null).
    sure : float64 array of shape (m,)
        Share of judged objects whose label the structure forces, mean over draws.
    sure_right : m intervals
        Accuracy where it does: how true the structure is.
    predicted_sure : float64 array of shape (m,), or None
        ``sure`` as the sizes of the classes say, before any label is seen; None but for isomorphisms.
    needed : float, or None
        ``labels_needed``: log_k of the number of functors; None where it can't be counted.
    plan : how objects were chosen
    draws : int
    """

    numbers: Ints
    structured: tuple[Interval, ...] = field(repr=False)
    unstructured: tuple[Interval, ...] = field(repr=False)
    shuffled: tuple[Interval, ...] = field(repr=False)
    sure: Floats = field(repr=False)
    sure_right: tuple[Interval, ...] = field(repr=False)
    predicted_sure: Floats | None = field(repr=False)
    needed: float | None
    plan: Plan
    draws: int

    def reach(
        self, target: float, which: Literal["structured", "unstructured", "shuffled"] = "structured"
    ) -> int | None:
        """The fewest labels tried at which a curve is at the target and stays there; None where none is."""
        one_of("which", which, ("structured", "unstructured", "shuffled"))
        curve: tuple[Interval, ...] = getattr(self, which)
        there = np.array([point.value >= target for point in curve])
        below = np.flatnonzero(~there)
        first = int(below[-1]) + 1 if len(below) else 0
        return int(self.numbers[first]) if first < len(curve) else None

    def __repr__(self) -> str:
        rows = [
            f"{number}: {one.value:.3g} [{one.low:.3g}, {one.high:.3g}], without {two.value:.3g}, null {three.value:.3g}"
            for number, one, two, three in zip(
                self.numbers, self.structured, self.unstructured, self.shuffled, strict=True
            )
        ]
        needed = "not counted" if self.needed is None else f"{self.needed:.4g}"
        return f"FunctorCurve(labels needed {needed}; accuracy at labels " + "; ".join(rows) + ")"


def learning_curve(
    structured: Structure,
    unstructured: Structure | Rule,
    labels: ArrayLike,
    numbers: Sequence[int],
    draws: int = 20,
    plan: Plan = "random",
    seed: int = 0,
    level: float = 0.95,
) -> FunctorCurve:
    """Accuracy on unlabelled objects against the number of labels, with structure, without, and with the wrong structure.

    Parameters
    ----------
    structured : Structure
    unstructured : Structure, or a callable (objects, label numbers) -> a label number for every object
        What it is compared with: ``unrelated(n)``, or any classifier on features.
    labels : array of shape (n,)
        True labels of all objects; a learner sees those of the labelled ones only.
    numbers : ascending ints, 1 <= number < n
    draws : int, at least 2
        Sets of labelled objects at each number; all learners see the same sets.
    plan : "random" or "one a class"
        How objects are chosen; one from each class of isomorphic objects, in random order, needs ``Isomorphic`` and numbers
        up to its classes.
    seed : int
    level : float
        Of the intervals.

    Raises
    ------
    InputError
        Numbers, draws, labels or a plan that don't fit.

    Notes
    -----
    Intervals take the hits of a draw as one group (design effect), so they are no shorter than the draws allow. Nothing is
    selected on judged objects. Cost: 3 x draws x numbers times a learner.
    """
    codes, classes = encode_labels(labels)
    n, k = structured.n, len(classes)
    _check(codes, n, k, numbers, draws, plan, structured)
    plain = unstructured if callable(unstructured) else rule(unstructured, k)
    points = [_point(structured, plain, codes, k, number, draws, plan, seed, level) for number in numbers]
    inner = without_base(structured)
    try:
        needed = labels_needed(structured, k)
    except InputError:
        needed = None
    sizes = np.asarray(numbers, dtype=np.int64)
    return FunctorCurve(
        sizes,
        tuple(p.structured for p in points),
        tuple(p.unstructured for p in points),
        tuple(p.shuffled for p in points),
        np.array([p.sure for p in points]),
        tuple(p.sure_right for p in points),
        predicted_sure(inner, sizes, plan) if isinstance(inner, Isomorphic) else None,
        needed,
        plan,
        draws,
    )


def predicted_sure(structure: Isomorphic, numbers: ArrayLike, plan: Plan = "random") -> Floats:
    """Expected share of unlabelled objects that are isomorphic to a labelled one, shape (m,).

    Notes
    -----
    Random labels: an object in a class of size s has no labelled mate with probability C(n - s, m) / C(n - 1, m). One a class:
    m classes of r, taken at random, hold m / r of the n - r other objects, of n - m in all. With r labels, one a class, all
    objects are reached: r of n labels say everything (log_k of k^r functors). Cost: linear in n for each number.
    """
    from scipy.special import gammaln

    n, sizes = structure.n, np.bincount(structure.classes)
    many = np.asarray(numbers, dtype=np.int64)
    if plan == "one a class":
        return np.asarray((many / structure.r) * (n - structure.r) / (n - many))
    share = np.empty(len(many))
    for i, m in enumerate(many.tolist()):
        free = sizes[n - sizes >= m]
        # Logarithms of C(n - s, m) / C(n - 1, m), for each size s.
        log_none = gammaln(n - free + 1) - gammaln(n - free - m + 1) - gammaln(n) + gammaln(n - m)
        share[i] = 1 - float(free @ np.exp(log_none)) / n
    return share


def predicted_reach(structure: Isomorphic, target: float, guess: float = 0.0, plan: Plan = "random") -> int | None:
    """The fewest labels at which the expected accuracy on unlabelled objects meets the target; None where none does.

    Parameters
    ----------
    structure : Isomorphic
    target : float
    guess : float
        Accuracy on objects that no label reaches, such as 1 / k or the share of the most common label.
    plan : as for ``learning_curve``

    Notes
    -----
    Labels are taken to be constant on the classes. Cost: n times ``predicted_sure``.
    """
    numbers = np.arange(1, (structure.r if plan == "one a class" else structure.n - 1) + 1)
    numbers = numbers[numbers < structure.n]
    sure = predicted_sure(structure, numbers, plan)
    there = np.flatnonzero(sure + (1 - sure) * guess >= target)
    return int(numbers[there[0]]) if len(there) else None


@dataclass(frozen=True)
class _Point:
    structured: Interval
    unstructured: Interval
    shuffled: Interval
    sure: float
    sure_right: Interval


def _point(
    structure: Structure,
    plain: Rule,
    codes: Ints,
    k: int,
    number: int,
    draws: int,
    plan: Plan,
    seed: int,
    level: float,
) -> _Point:
    hits: list[list[Bools]] = [[], [], []]
    sure: list[Bools] = []
    for draw in range(draws):
        rng = np.random.default_rng([seed, draw])
        anchors = _anchors(structure, number, plan, rng)
        rest = np.setdiff1d(np.arange(structure.n), anchors)
        given = codes[anchors]
        wrong = structure.permuted(int(rng.integers(2**31)))
        found = (
            structure.guess(anchors, given, k, rest),
            np.asarray(plain(anchors, given))[rest],
            wrong.guess(anchors, given, k, rest),
        )
        for kept, labels in zip(hits, found, strict=True):
            kept.append(labels == codes[rest])
        sure.append(structure.possible(anchors, given, k, rest).sum(axis=1) == 1)
    group = np.repeat(np.arange(draws), structure.n - number)
    one, two, three = (accuracy_interval(np.concatenate(kept), group, level) for kept in hits)
    forced = np.concatenate(sure)
    right = accuracy_interval(np.concatenate(hits[0])[forced], group[forced], level)
    return _Point(one, two, three, float(forced.mean()), right)


def _anchors(structure: Structure, number: int, plan: Plan, rng: np.random.Generator) -> Ints:
    order = rng.permutation(structure.n)
    inner = without_base(structure)
    if plan == "one a class" and isinstance(inner, Isomorphic):
        _, first = np.unique(inner.classes[order], return_index=True)
        order = order[rng.permutation(first)]
    return np.sort(order[:number]).astype(np.int64)


def _check(codes: Ints, n: int, k: int, numbers: Sequence[int], draws: int, plan: Plan, structure: Structure) -> None:
    one_of("plan", plan, PLANS)
    if len(codes) != n or k < 2:
        raise InputError(f"labels must be one for each of {n} objects, of at least 2 classes; got {len(codes)} of {k}.")
    most = n - 1
    if plan == "one a class":
        inner = without_base(structure)
        if not isinstance(inner, Isomorphic):
            raise InputError(f"the plan 'one a class' needs classes of isomorphic objects; got {structure}.")
        most = min(most, inner.r)
    sizes = list(numbers)
    if not sizes or sizes != sorted(set(sizes)) or not 1 <= sizes[0] <= sizes[-1] <= most:
        raise InputError(f"numbers of labels must ascend within 1..{most}; got {sizes!r}.")
    if draws < 2:
        raise InputError(f"an interval over draws needs at least 2 draws; got {draws!r}.")
