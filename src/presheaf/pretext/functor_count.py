"""How many functors there are, so how many labels it takes; and what a learner without structure gets: nothing."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import product
from math import log

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError
from presheaf.finite import Category, all_functors, chain, isomorphism_classes
from presheaf.pretext.functor_spread import without_base
from presheaf.pretext.functor_structure import Isomorphic, Linear, Monotone, Rule, Structure
from presheaf.statistics.intervals import Interval, accuracy_interval

Ints = NDArray[np.int64]
TABLE = 1 << 20
"""Most entries of a table of the count."""


def labels_needed(structure: Structure, classes: int) -> float:
    """log_k of the number of functors: how many labels say as much as the functor does.

    Parameters
    ----------
    structure : Structure
    classes : int
        k, at least 2.

    Returns
    -------
    float
        n without structure, the number of classes of isomorphic objects, log_k of the number of monotone maps; for ``Linear``,
        where functors are not finitely many, the rank: so many objects in general position force all others.

    Raises
    ------
    InputError
        Fewer than two classes, or an order too wide to count over.

    Notes
    -----
    No set of labels can force a functor with fewer: k^m patterns can't tell more functors apart. For classes of isomorphic
    objects that many are enough if one is chosen from each. Cost: see ``count_functors``.
    """
    inner = without_base(structure)
    if isinstance(inner, Linear):
        return float(inner.rank)
    return log(count_functors(structure, classes)) / log(_many(classes))


def count_functors(structure: Structure, classes: int) -> int:
    """The number of labellings that respect the structure, exact.

    Raises
    ------
    InputError
        Fewer than two classes, infinitely many functors, or an order too wide to count over.

    Notes
    -----
    For an order the maps into a chain are summed one object at a time, the object with the fewest neighbours first (variable
    elimination on the graph of generating arrows). Cost: k^(w + 1) for each object, with w neighbours at most when it is
    summed: 1 in a forest. Counting is #P-complete in general (Provan and Ball 1983), and orders with k^(w + 1) above a million
    are refused.
    """
    k, inner = _many(classes), without_base(structure)
    if isinstance(inner, Isomorphic):
        return int(k**inner.r)
    if isinstance(inner, Monotone):
        return _count_monotone(inner.category, k)
    raise InputError(
        f"functors are counted on classes of isomorphic objects and along orders; {inner} has no finite number of them."
    )


def _count_monotone(category: Category, k: int) -> int:
    node = isomorphism_classes(category).tolist()
    nodes = set(node)
    tables: dict[int, list[tuple[tuple[int, ...], NDArray[np.object_]]]] = {v: [] for v in nodes}
    beside: dict[int, set[int]] = {v: set() for v in nodes}
    rising = np.triu(np.ones((k, k), dtype=np.int64)).astype(object)
    for a, b in zip(category.generator_dom.tolist(), category.generator_cod.tolist(), strict=True):
        x, y = node[a], node[b]
        if x != y and y not in beside[x]:
            beside[x].add(y)
            beside[y].add(x)
            # A table is kept at one of its objects; which one is settled when that one is summed.
            tables[x].append(((x, y), rising))
    queue = [(len(beside[v]), v) for v in nodes]
    heapify(queue)
    total = 1
    while queue:
        degree, v = heappop(queue)
        if v not in beside or degree != len(beside[v]):
            continue
        around = sorted(beside.pop(v))
        if k ** (len(around) + 1) > TABLE:
            raise InputError(
                f"this order is too wide to count over: {k}^{len(around) + 1} entries in one table, more than {TABLE:,}. "
                "Count a part of it, or fewer classes."
            )
        summed = _sum_out(v, around, k, tables)
        for u in around:
            beside[u] |= set(around) - {u}
            beside[u].discard(v)
            heappush(queue, (len(beside[u]), u))
        if around:
            tables[around[0]].append((tuple(around), summed))
        else:
            total *= int(summed)
    return total


def _sum_out(
    v: int, around: list[int], k: int, tables: dict[int, list[tuple[tuple[int, ...], NDArray[np.object_]]]]
) -> NDArray[np.object_]:
    """The product of all tables with v, summed over v: shape (k,) * len(around), axes in that order."""
    axes = [v, *around]
    whole = np.ones((k,) * len(axes), dtype=object)
    for u in axes:
        kept = []
        for over, table in tables[u]:
            if v not in over:
                kept.append((over, table))
                continue
            order = sorted(range(len(over)), key=lambda i, over=over: axes.index(over[i]))  # type: ignore[misc]
            shape = [k if a in over else 1 for a in axes]
            whole = whole * table.transpose(order).reshape(shape)
        tables[u] = kept
    return np.asarray(whole.sum(axis=0), dtype=object)


def functors(structure: Structure, classes: int, limit: int = 100_000) -> Ints:
    """All labellings that respect the structure, one a row, shape (N, n).

    Raises
    ------
    InputError
        More than ``limit`` of them.
    """
    count = count_functors(structure, classes)
    if count > limit:
        raise InputError(f"there are {count:.3g} functors, more than limit={limit:,}; take draws, or a smaller world.")
    inner = without_base(structure)
    if isinstance(inner, Isomorphic):
        rows = np.array(list(product(range(classes), repeat=inner.r)), dtype=np.int64).reshape(count, inner.r)
        return rows[:, inner.classes]
    assert isinstance(inner, Monotone)
    return all_functors(inner.category, chain(classes))[0].astype(np.int64)


@dataclass(frozen=True)
class FreeLunch:
    """What a learner gets right on unlabelled objects when every functor is equally likely.

    Attributes
    ----------
    accuracy : Interval
        Mean over functors and unlabelled objects. Exact (no width) where all functors were taken.
    chance : float
        1 / k, what no learner beats or misses without structure.
    functors : int
        How many were taken.
    exact : bool
        Whether these are all there are.
    """

    accuracy: Interval
    chance: float
    functors: int
    exact: bool

    @property
    def kind(self) -> str:
        return "proof" if self.exact else "estimate"


def no_free_lunch(
    world: Structure,
    learner: Rule,
    labelled: ArrayLike,
    classes: int,
    draws: int | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> FreeLunch:
    """Mean accuracy on unlabelled objects over all functors of a world, or over random ones.

    Parameters
    ----------
    world : Structure
        What functors there are: ``unrelated(n)`` for every map.
    learner : callable (objects, labels) -> a label for every object
        ``rule(structure, classes)`` makes one that takes a structure for granted.
    labelled : int array of shape (a,)
        Not all of the objects.
    classes : int
        k.
    draws : int, optional
        Random functors instead of all; for ``Isomorphic`` and ``unrelated`` worlds.

    Raises
    ------
    InputError
        Nothing left to judge, too many functors to list, or draws from another kind of world.

    Notes
    -----
    Wolpert 1996, The lack of a priori distinctions between learning algorithms. Functors that agree on the labelled objects
    look the same to a learner, so it is asked once for each pattern. Cost: functors x n, and the learner.
    """
    anchors = np.unique(np.asarray(labelled, dtype=np.int64))
    rest = np.setdiff1d(np.arange(world.n), anchors)
    if not len(rest):
        raise InputError("every object is labelled; leave some out to be judged.")
    if draws is None:
        table = functors(world, classes)
    elif isinstance(world, Isomorphic) and draws >= 1:
        rng = np.random.default_rng(seed)
        table = rng.integers(0, _many(classes), (draws, world.r))[:, world.classes]
    else:
        raise InputError(
            f"only classes of isomorphic objects can be drawn at random, at least once; got {world}, {draws}."
        )
    hits = np.empty((len(table), len(rest)), dtype=bool)
    patterns, back = np.unique(table[:, anchors], axis=0, return_inverse=True)
    for i, pattern in enumerate(patterns):
        same = back.ravel() == i
        hits[same] = table[same][:, rest] == np.asarray(learner(anchors, pattern))[rest]
    value = float(hits.mean())
    if draws is None:
        interval = Interval(value, value, value, hits.size, float(hits.size), "all functors")
    else:
        interval = accuracy_interval(hits.ravel(), np.repeat(np.arange(len(table)), len(rest)), level)
    return FreeLunch(interval, 1 / classes, len(table), draws is None)


def rule(structure: Structure, classes: int) -> Rule:
    """The learner that takes a structure for granted, on labels 0..k-1."""

    def learn(anchors: Ints, codes: Ints) -> Ints:
        return structure.guess(anchors, codes, classes, np.arange(structure.n))

    return learn


def _many(classes: int) -> int:
    if isinstance(classes, bool) or not isinstance(classes, (int, np.integer)) or classes < 2:
        raise InputError(f"classes must be a whole number of at least 2; got {classes!r}.")
    return int(classes)
