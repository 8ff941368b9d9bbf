"""Whether a map of presentations carries equations to equations: yes, no with a model where one fails, or undecided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from presheaf.finite.columns.budget import Budget, CancelCallback, Meter, Stopped
from presheaf.finite.presented.completion import Completion
from presheaf.finite.presented.copresheaf import IntArray
from presheaf.finite.presented.infinite import MAX_UNKNOWNS, null_space, weight_row
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.finite.presented.subpresentation import part_over, reached

DEFAULT_BUDGET = Budget(rows=1_000_000, seconds=10.0)
FIRST_ROWS = 1000
GROWTH = 8
"""Completions are begun again with eight times the rows, so that an equation that holds soon is found soon."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A functor on D at whose ``row`` of ``object`` the two paths of D lead to different rows, ``left`` and ``right``."""

    sizes: tuple[int, ...]
    columns: tuple[IntArray, ...]
    object: int
    row: int
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class MapVerdict:
    """Whether F: C -> D carries C's equations.

    Attributes
    ----------
    status : "holds", "fails" or "undecided"
    equation : number of the equation of C that fails, or the first that is undecided; None where all hold
    model : a functor on D where its image fails; None unless the status is "fails"
    why : a sentence
    """

    status: Literal["holds", "fails", "undecided"]
    equation: int | None
    model: Model | None
    why: str


def check_functor_map(
    mapping: PresentationMap,
    *,
    budget: Budget = DEFAULT_BUDGET,
    cancel: CancelCallback | None = None,
    compiled: bool = True,
) -> MapVerdict:
    """Decide, within a budget, whether a map of presentations is a functor.

    Parameters
    ----------
    mapping : PresentationMap
    budget : Budget
        For all completions together; the question is undecidable in general.

    Notes
    -----
    First weights: integers for D's generators that balance its equations make D act on Z/m, where an image of unequal weight
    fails. Then for each object c the arrows of D out of F(c), as far as they lead to where an equation ends, are completed: a
    finished table decides, and ends of the two paths that an unfinished one has already united are equal for good. Cost: that
    of these completions, within the budget.

    Examples
    --------
    >>> from presheaf.finite.presented.presentation import Presentation
    >>> order_four, order_six = Presentation.monoid("a", ["a^4 = 1"]), Presentation.monoid("a", ["a^6 = 1"])
    >>> check_functor_map(PresentationMap(order_four, order_six, (0,), ((0, 0, 0),))).status
    'holds'
    >>> found = check_functor_map(PresentationMap(order_four, order_six, (0,), ((0, 0),)))
    >>> found.status, found.why
    ('fails', 'equation 0 of the source (a a a a = 1) breaks: a a a a a a a a and 1 are different paths of the target')
    """
    c, d = mapping.source, mapping.target
    images = [(mapping.along(u), mapping.along(v)) for u, v in c.equations]
    open_ones = {i: pair for i, pair in enumerate(images) if not d.plainly_equal(*pair)}
    for i, pair in open_ones.items():
        model = _cyclic_model(d, mapping.objects[c.equation_source(i)], pair)
        if model is not None:
            return _fails(mapping, i, model)
    meter = Meter(budget, None, cancel)
    by_object: dict[int, dict[int, tuple[Path, Path]]] = {}
    for i, pair in open_ones.items():
        by_object.setdefault(mapping.objects[c.equation_source(i)], {})[i] = pair
    left: dict[int, str] = {}
    for start, pairs in by_object.items():
        try:
            failing = _settle(d, start, pairs, meter, compiled)
        except Stopped as stop:
            left.update(dict.fromkeys(pairs, stop.limit or stop.status))
            continue
        if failing is not None:
            return _fails(mapping, *failing)
    if not left:
        return MapVerdict("holds", None, None, "every equation of the source holds in the target")
    i = min(left)
    why = (
        f"equation {i} of the source ({c.equation(i)}) was neither proved nor refuted in the target: {left[i]} ran out"
    )
    return MapVerdict("undecided", i, None, why)


def _fails(mapping: PresentationMap, i: int, model: Model) -> MapVerdict:
    c, d = mapping.source, mapping.target
    u, v = (d.show(mapping.along(side)) for side in c.equations[i])
    why = f"equation {i} of the source ({c.equation(i)}) breaks: {u} and {v} are different paths of the target"
    return MapVerdict("fails", i, model, why)


def _cyclic_model(d: Presentation, start: int, pair: tuple[Path, Path]) -> Model | None:
    """D's action on Z/m by weights that tell two paths apart, if there are any."""
    k = len(d.generators)
    if k > MAX_UNKNOWNS:
        return None
    for weights in null_space([weight_row(u, v, k) for u, v in d.equations], k):
        one, two = (sum(weights[j] for j in path) for path in pair)
        if one == two:
            continue
        m = next(m for m in range(2, abs(one - two) + 2) if (one - two) % m)
        columns = tuple(((np.arange(m) + w) % m).astype(np.int32) for w in weights)
        return Model((m,) * len(d.objects), columns, start, 0, one % m, two % m)
    return None


def _settle(
    d: Presentation, start: int, pairs: dict[int, tuple[Path, Path]], meter: Meter, compiled: bool
) -> tuple[int, Model] | None:
    """The first equation that fails, with D(start, -) as model; removes from ``pairs`` what holds. May raise ``Stopped``."""
    ends = {d.target(u or v) for u, v in pairs.values()}
    part = part_over(d, (reached(d, [start]) & reached(d, ends, backwards=True)) | {start})
    rows = FIRST_ROWS
    while pairs:
        meter.check()
        left = meter.left()
        limit = Budget(min(rows, left.max_rows), left.seconds, left.bytes)
        units, ties = [part.object_at[start]], []
        root = np.zeros(1, dtype=np.int32)
        for pair in pairs.values():
            for path in pair:
                ties.append((root, part.inner(path), np.array([len(units)], dtype=np.int32)))
                units.append(part.object_at[d.target(path) if path else start])
        run = Completion(part.presentation, units, budget=limit, compiled=compiled)
        run.identify(ties)
        run.finish(None, meter.cancel)
        if run.method == "none":
            raise Stopped(run.status, run.limit)
        sizes, columns, _, found = run.tables()
        different = {}
        for n, i in enumerate(list(pairs)):
            if found[2 * n + 1] == found[2 * n + 2]:
                del pairs[i]
            else:
                different[i] = (int(found[2 * n + 1]), int(found[2 * n + 2]))
        if run.status == "complete" and different:
            i, (one, two) = next(iter(different.items()))
            return i, _outside(
                d, start, part.objects, part.generators, (sizes.tolist(), columns), (int(found[0]), one, two)
            )
        if run.status == "cancelled" or (different and limit.max_rows == left.max_rows):
            raise Stopped(run.status, run.limit)
        rows *= GROWTH
    return None


def _outside(
    d: Presentation,
    start: int,
    objects: tuple[int, ...],
    generators: tuple[int, ...],
    functor: tuple[list[int], list[IntArray]],
    rows: tuple[int, int, int],
) -> Model:
    """A functor on part of D as one on all of D: one element at other objects that it leads to, none elsewhere."""
    there = reached(d, [start])
    sizes = [int(s in there) for s in range(len(d.objects))]
    for s, many in zip(objects, functor[0], strict=True):
        sizes[s] = many
    columns = [np.zeros(sizes[a], dtype=np.int32) for _, a, _ in d.generators]
    for j, column in zip(generators, functor[1], strict=True):
        columns[j] = column
    return Model(tuple(sizes), tuple(columns), start, *rows)
