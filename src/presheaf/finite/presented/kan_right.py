"""Right Kan extension of a finite set-valued functor along a map of presentations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.budget import ROW_LIMIT, Budget, CancelCallback, Meter, ProgressCallback, Status, Stopped
from presheaf.finite.presented.completion import Counts
from presheaf.finite.presented.copresheaf import IntArray, check_functor, trace, whole_sizes
from presheaf.finite.presented.counting import count_answers
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path
from presheaf.finite.presented.query import Queries, Query, build_queries
from presheaf.finite.presented.relation import Relation, answer


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class RightKan:
    """Pi_F I with its counit, or an honest account of why it isn't there.

    Attributes
    ----------
    mapping : PresentationMap
        F: C -> D.
    status : "complete", "infinite", "budget exceeded" or "cancelled"
        "infinite" is said of the arrows of D that an element would have to be defined on, not of the elements.
    limit : str or None
        What ran out: "rows", "seconds" or "bytes".
    why : str
        Where it ended, with the exact size that was refused.
    counts : Counts

    ``sizes``, ``columns``, ``counit``, ``queries`` and ``element`` are there only when the status is "complete"; asking for
    them earlier is an InputError that says what ended the computation.
    """

    mapping: PresentationMap
    status: Status
    limit: str | None
    why: str
    counts: Counts
    _queries: Queries | None
    _relations: tuple[Relation, ...]
    _columns: tuple[IntArray, ...]
    _counit: tuple[IntArray, ...]

    @property
    def complete(self) -> bool:
        return self._queries is not None

    @property
    def queries(self) -> Queries:
        """The conjunctive query at each object of D, and how their answers restrict to each other."""
        if self._queries is None:
            raise InputError(f"the extension is not there: {self.ending}.")
        return self._queries

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Elements at each object of D, int64 (n,)."""
        return np.array([r.size for r in self._answers()], dtype=np.int64)

    @property
    def columns(self) -> tuple[IntArray, ...]:
        """Covariant: for generator g: a -> b of D an int32 array (sizes[a],) of elements of b."""
        self._answers()
        return self._columns

    @property
    def counit(self) -> tuple[IntArray, ...]:
        """F* Pi_F I -> I: for object c of C an int32 array (sizes[F(c)],) of rows of I(c)."""
        self._answers()
        return self._counit

    def element(self, at: int, number: int) -> tuple[tuple[int, Path, int], ...]:
        """What an element is: for each variable of its query the object c of C, the path of D to F(c), and a row of I(c).

        An element at d is a natural family of rows of I(c), one for each arrow d -> F(c); these arrows generate it.

        Raises
        ------
        InputError
            If there is no such element.
        """
        answers = self._answers()
        if not 0 <= at < len(answers) or not 0 <= number < answers[at].size:
            raise InputError(f"there is no element {number} at object {at}; the sizes are {self.sizes.tolist()}.")
        variables = self.queries.queries[at].variables
        values = answers[at].values
        return tuple((c, path, int(v[number])) for (c, path), v in zip(variables, values, strict=True))

    def index(self, at: int, tuples: Sequence[IntArray], many: int) -> IntArray:
        """Numbers of ``many`` elements at an object from their rows at each variable of its query, which must be natural."""
        return self._answers()[at].index(tuples, many)

    def verify(self, columns: Sequence[ArrayLike]) -> None:
        """Check anew that the result satisfies D's equations and that the counit is natural, for I's ``columns``.

        Raises
        ------
        InputError
            Names the equation or the generator and the first row that breaks it.
        """
        check_functor(self.mapping.target, self.sizes.tolist(), self.columns)
        for j, (name, a, b) in enumerate(self.mapping.source.generators):
            rows = np.arange(len(self.counit[a]), dtype=np.int32)
            moved = self.counit[b][trace(self.columns, self.mapping.paths[j], rows)]
            bad = np.flatnonzero(moved != np.asarray(columns[j])[self.counit[a]])
            if len(bad):
                raise InputError(f"the counit is not natural in generator {name!r} at element {bad[0]}.")

    @property
    def ending(self) -> str:
        """How the computation ended, in words."""
        what = f"{self.status} ({self.limit})" if self.limit else self.status
        return f"{what}: {self.why}" if self.why else what

    def _answers(self) -> tuple[Relation, ...]:
        if self._queries is None:
            raise InputError(f"the extension is not there: {self.ending}.")
        return self._relations

    def __repr__(self) -> str:
        if self._queries is None:
            return f"RightKan({self.ending})"
        objects = self.mapping.target.objects
        shown = ", ".join(f"{o} {r.size}" for o, r in zip(objects[:8], self._relations, strict=False))
        return f"RightKan({shown}{', ...' if len(objects) > 8 else ''}; {self.counts.seconds:.3f} s)"


def right_kan(
    mapping: PresentationMap,
    sizes: Sequence[int],
    columns: Sequence[ArrayLike],
    *,
    budget: Budget | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
    compiled: bool = True,
) -> RightKan:
    """Pi_F I: the right Kan extension of a finite covariant functor I: C -> Set along F: C -> D.

    Parameters
    ----------
    mapping : PresentationMap
        F, a functor: C's equations hold in D (``check_functor_map``).
    sizes : int sequence, length n of C
    columns : int arrays, one a generator of C
        For u: a -> b an array (sizes[a],) of rows of b.
    budget : Budget, optional
        Rows: elements over all of D, and the largest join on the way. Right extensions grow exponentially in general; every
        size is known before it is made, and a refused one is told exactly.
    progress, cancel : callables, optional
        Called between steps.
    compiled : bool
        False: numpy only; the same answer.

    Returns
    -------
    RightKan
        Its numbering is that of the joins; it does not depend on ``compiled``, but may on the order of C's objects.

    Raises
    ------
    InputError
        If I is no functor; names the generator or equation and the row.

    Notes
    -----
    Pointwise: Pi at d is Nat(D(d, F-), I) (Mac Lane 1998, X.3), computed as a conjunctive query with one variable for each
    generator of D(d, F-) (``conjunctive_queries``, ``relation.answer``); columns are look-ups of projected tuples. Cost: linear in input and
    output for queries without cycles; with cycles the joins' intermediate results may be larger. The output itself is
    exponential in the number of variables in general.

    Examples
    --------
    All pairs of a teaching assistant's faculty and student records: the pullback is the right extension.

    >>> from presheaf.finite.presented.presentation import Presentation
    >>> cospan = Presentation(("A", "B", "C"), (("f", 0, 2), ("g", 1, 2)))
    >>> square = Presentation(
    ...     ("A", "B", "C", "P"), (("f", 0, 2), ("g", 1, 2), ("p", 3, 0), ("q", 3, 1)), (((2, 0), (3, 1)),))
    >>> found = right_kan(PresentationMap(cospan, square, (0, 1, 2), ((0,), (1,))), [3, 2, 2], [[0, 0, 1], [0, 1]])
    >>> found
    RightKan(A 3, B 2, C 2, P 3; ... s)
    >>> found.columns[2].tolist(), found.columns[3].tolist()
    ([0, 1, 2], [0, 0, 1])
    """
    many = whole_sizes(mapping.source, sizes)
    checked = check_functor(mapping.source, many, columns)
    meter = Meter(budget, progress, cancel)
    try:
        queries = build_queries(mapping, meter, compiled=compiled)
        answers = [
            answer(query, many, checked, meter, name, compiled=compiled)
            for query, name in zip(queries.queries, mapping.target.objects, strict=True)
        ]
        out = []
        for places, (_, a, b) in zip(queries.projections, mapping.target.generators, strict=True):
            meter.check()
            rows = [trace(checked, path, answers[a].values[v]) for v, path in places]
            out.append(_fixed(answers[b].index(rows, answers[a].size)))
        counit = tuple(
            _fixed(trace(checked, path, answers[image].values[v]))
            for (v, path), image in zip(queries.counit, mapping.objects, strict=True)
        )
    except Stopped as stop:
        return RightKan(mapping, stop.status, stop.limit, stop.why, _counts(meter), None, (), (), ())
    return RightKan(mapping, "complete", None, "", _counts(meter), queries, tuple(answers), tuple(out), counit)


def right_kan_sizes(
    mapping: PresentationMap,
    sizes: Sequence[int],
    columns: Sequence[ArrayLike],
    *,
    budget: Budget | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
    compiled: bool = True,
) -> tuple[int, ...]:
    """How many elements Pi_F I has at each object of D, exact, without making them.

    Takes what ``right_kan`` takes; the budget's rows bound the joins that cyclic queries need even to be counted.

    Raises
    ------
    InputError
        If I is no functor, or the budget ends.

    Notes
    -----
    Cost: queries without cycles by sums going up the tree, linear in the input; with cycles by bucket elimination
    (``joins.eliminate``).
    """
    many = whole_sizes(mapping.source, sizes)
    checked = check_functor(mapping.source, many, columns)
    meter = Meter(budget, progress, cancel)
    try:
        queries = build_queries(mapping, meter, compiled=compiled)
        return tuple(
            count_answers(q, many, checked, meter, min(meter.budget.max_rows, ROW_LIMIT)) for q in queries.queries
        )
    except Stopped as stop:
        raise InputError(f"the sizes are not there: {stop.ending}.") from None


def _fixed(column: IntArray) -> IntArray:
    out = np.ascontiguousarray(column, dtype=np.int32)
    out.setflags(write=False)
    return out


def _counts(meter: Meter) -> Counts:
    return Counts(meter.made, meter.rows, meter.seconds, meter.bytes)


__all__ = ["Queries", "Query", "RightKan", "right_kan", "right_kan_sizes"]
