"""Left Kan extension of a finite set-valued functor along a map of presentations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError
from presheaf.finite.budget import Budget, CancelCallback, ProgressCallback, Status
from presheaf.finite.completion import Counts, Outcome, Strategy, complete
from presheaf.finite.infinite import growing_weights
from presheaf.finite.mapping import PresentationMap
from presheaf.finite.presentation import Path, Presentation
from presheaf.finite.standard import Table
from presheaf.finite.sweep import sweep, topological_order

IntArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class LeftKan:
    """Sigma_F I with its unit, or an honest account of why it isn't there.

    Attributes
    ----------
    mapping : PresentationMap
        F: C -> D.
    status : "complete", "infinite", "budget exceeded" or "cancelled"
    limit : str or None
        What ran out: "rows", "seconds" or "bytes".
    weights : tuple of int or None
        For "infinite": the proof, one integer a generator of D (``growing_weights``).
    method : str
    counts : Counts

    ``sizes``, ``columns``, ``unit`` and ``word`` are there only when the status is "complete"; asking for them earlier
    is an InputError that says what ended the computation.
    """

    mapping: PresentationMap
    status: Status
    limit: str | None
    weights: tuple[int, ...] | None
    method: str
    counts: Counts
    _table: Table | None
    _rows: tuple[int, ...]

    @property
    def complete(self) -> bool:
        return self._table is not None

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Elements at each object of D, int64 (n,)."""
        return self._done().sizes

    @property
    def columns(self) -> tuple[IntArray, ...]:
        """Covariant: for generator g: a -> b of D an int32 array (sizes[a],) of elements of b."""
        return self._done().columns

    @property
    def unit(self) -> tuple[IntArray, ...]:
        """I -> F* Sigma_F I: for object c of C an int32 array of elements at F(c), one for each row of I(c)."""
        return tuple(np.split(self._done().units, np.cumsum(self._rows)[:-1])) if self._rows else ()

    def word(self, at: int, element: int) -> tuple[int, int, Path]:
        """Where an element comes from: object c of C, a row of I(c), and a shortest path of D from its unit.

        Raises
        ------
        InputError
            If there is no such element.
        """
        table = self._done()
        if not 0 <= at < len(table.sizes) or not 0 <= element < table.sizes[at]:
            raise InputError(f"there is no element {element} at object {at}; the sizes are {table.sizes.tolist()}.")
        path: list[int] = []
        while True:
            node = int(table.first[at][element])
            for c, many in enumerate(self._rows):
                if self.mapping.objects[c] == at:
                    if node < many:
                        return c, node, tuple(reversed(path))
                    node -= many
            for j, (_, a, b) in enumerate(self.mapping.target.generators):
                if b == at:
                    if node < table.sizes[a]:
                        path.append(j)
                        at, element = a, node
                        break
                    node -= int(table.sizes[a])

    def verify(self, columns: Sequence[ArrayLike]) -> None:
        """Check anew that the result satisfies D's equations and that the unit is natural, for I's ``columns``.

        Raises
        ------
        InputError
            Names the equation or the generator and the first row that breaks it.
        """
        table = self._done()
        check_functor(self.mapping.target, table.sizes.tolist(), table.columns)
        unit = self.unit
        for j, (name, a, b) in enumerate(self.mapping.source.generators):
            moved = unit[a]
            for g in self.mapping.paths[j]:
                moved = table.columns[g][moved]
            bad = np.flatnonzero(moved != unit[b][np.asarray(columns[j], dtype=np.int64)])
            if len(bad):
                raise InputError(f"the unit is not natural in generator {name!r} at row {bad[0]}.")

    def _done(self) -> Table:
        if self._table is None:
            raise InputError(f"the extension is not there: {self._ending()}.")
        return self._table

    def _ending(self) -> str:
        if self.status == "budget exceeded":
            return f"budget exceeded ({self.limit}) after {self.counts.made} rows made in {self.counts.seconds:.2f} s"
        if self.status == "infinite":
            names = zip(self.mapping.target.generators, self.weights or (), strict=True)
            return "proved infinite by the weights " + ", ".join(f"{g[0]}: {w}" for g, w in names if w)
        return self.status

    def __repr__(self) -> str:
        if self._table is None:
            return f"LeftKan({self._ending()})"
        objects = self.mapping.target.objects
        shown = ", ".join(f"{o} {s}" for o, s in zip(objects[:8], self._table.sizes.tolist(), strict=False))
        more = ", ..." if len(objects) > 8 else ""
        return f"LeftKan({shown}{more}; {self.method}, {self.counts.made} rows made, {self.counts.seconds:.3f} s)"


def check_functor(presentation: Presentation, sizes: Sequence[int], columns: Sequence[ArrayLike]) -> list[IntArray]:
    """Columns as int32 arrays, if they are a covariant functor to Set.

    Raises
    ------
    InputError
        Names the generator and row of a value out of range, or the equation and row where it fails.

    Notes
    -----
    O(rows times the length of the equations), by gathers.
    """
    if len(sizes) != len(presentation.objects):
        raise InputError(f"{len(presentation.objects)} objects, but {len(sizes)} sizes.")
    if len(columns) != len(presentation.generators):
        raise InputError(f"{len(presentation.generators)} generators, but {len(columns)} columns.")
    for name, many in zip(presentation.objects, sizes, strict=True):
        if not 0 <= many < 2**31:
            raise InputError(f"object {name!r}: size {many} is not between 0 and 2^31 - 1.")
    out = []
    for (name, a, b), given in zip(presentation.generators, columns, strict=True):
        column = np.asarray(given)
        if column.shape != (sizes[a],):
            raise InputError(
                f"column of {name!r} has shape {column.shape}; {presentation.objects[a]!r} has {sizes[a]} rows."
            )
        if column.size and not np.issubdtype(column.dtype, np.integer):
            raise InputError(f"column of {name!r} holds {column.dtype}; expected integers.")
        if column.size and (column.min() < 0 or column.max() >= sizes[b]):
            row = int(np.flatnonzero((column < 0) | (column >= sizes[b]))[0])
            raise InputError(
                f"column of {name!r}, row {row}: {column[row]} is no row of {presentation.objects[b]!r}, which has {sizes[b]}."
            )
        out.append(np.ascontiguousarray(column, dtype=np.int32))
    for i, (u, v) in enumerate(presentation.equations):
        rows = np.arange(sizes[presentation.equation_source(i)], dtype=np.int32)
        left = right = rows
        for j in u:
            left = out[j][left]
        for j in v:
            right = out[j][right]
        bad = np.flatnonzero(left != right)
        if len(bad):
            row = int(bad[0])
            raise InputError(
                f"equation {i} ({presentation.equation(i)}) fails at row {row}: {left[row]} on the left, {right[row]} on "
                f"the right; {len(bad)} rows in all."
            )
    return out


def left_kan(
    mapping: PresentationMap,
    sizes: Sequence[int],
    columns: Sequence[ArrayLike],
    *,
    strategy: Strategy = "auto",
    budget: Budget | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
    compiled: bool = True,
) -> LeftKan:
    """Sigma_F I: the left Kan extension of a finite covariant functor I: C -> Set along F: C -> D.

    Parameters
    ----------
    mapping : PresentationMap
        F.
    sizes : int sequence, length n of C
    columns : int arrays, one a generator of C
        For u: a -> b an array (sizes[a],) of rows of b.
    strategy : "auto", "hlt", "felsch" or "mixed"
        For the completion, see ``complete``; a D without cycles is swept.
    budget : Budget, optional
        A D with cycles may have an infinite extension, and whether it has is undecidable: without a budget a call may
        then use up all memory.
    progress, cancel : callables, optional
    compiled : bool
        False: numpy and Python only; the same answer.

    Returns
    -------
    LeftKan
        Numbered canonically: rows of I first, in order of object and row, then breadth first along D's generators.

    Raises
    ------
    InputError
        If I is no functor; names the generator or equation and the row.

    Notes
    -----
    D without cycles, and so also D terminal or discrete: ``sweep``, near-linear. Otherwise first a look for a proof
    that the result is infinite (``growing_weights``), then completion after Todd-Coxeter and Carmody-Walters.

    Examples
    --------
    Two teaching assistants are each a member of faculty and a student; who are the persons?

    >>> from presheaf.finite.examples import school_square
    >>> result = left_kan(school_square(), [2, 5, 4], [[0, 1], [0, 1]])
    >>> dict(zip(result.mapping.target.objects, result.sizes.tolist()))
    {'TA': 2, 'Faculty': 5, 'Student': 4, 'Person': 7}

    Person 6 is the student in row 3:

    >>> c, row, path = result.word(3, 6)
    >>> result.mapping.source.objects[c], row, result.mapping.target.show(path)
    ('Student', 3, 'student_is')
    """
    many = [int(s) for s in sizes]
    checked = check_functor(mapping.source, many, columns)
    limits = budget or Budget()
    order = topological_order(mapping.target)
    weights = None
    outcome: Outcome
    if order is not None:
        outcome = sweep(
            mapping, many, checked, order, budget=limits, progress=progress, cancel=cancel, compiled=compiled
        )
    elif (weights := growing_weights(mapping, many)) is not None:
        outcome = Outcome("infinite", None, "weights", None, Counts(0, sum(many), 0.0, 0))
    else:
        base = np.concatenate([[0], np.cumsum(many)]).astype(np.int64)
        coincidences = [
            (
                np.arange(base[a], base[a + 1], dtype=np.int32),
                mapping.paths[j],
                (checked[j] + base[b]).astype(np.int32),
            )
            for j, (_, a, b) in enumerate(mapping.source.generators)
            if many[a]
        ]
        objects = np.repeat(np.array(mapping.objects, dtype=np.int32), many)
        outcome = complete(
            mapping.target,
            objects,
            coincidences,
            strategy=strategy,
            budget=limits,
            progress=progress,
            cancel=cancel,
            compiled=compiled,
        )
    return LeftKan(
        mapping,
        outcome.status,
        outcome.limit,
        weights,
        outcome.method,
        outcome.counts,
        outcome.table,
        tuple(many),
    )


def representable(
    presentation: Presentation,
    at: int = 0,
    *,
    strategy: Strategy = "auto",
    budget: Budget | None = None,
    compiled: bool = True,
) -> LeftKan:
    """D(at, -), the arrows of D out of one object: the left extension of a point along 1 -> D.

    For one object this enumerates a monoid or group. Element 0 at ``at`` is the identity.

    Examples
    --------
    >>> representable(Presentation.group("a b", ["a^2", "b^3", "(a b)^2"])).sizes.tolist()
    [6]
    >>> representable(Presentation.monoid("a b", ["a b = 1"]))
    LeftKan(proved infinite by the weights a: -1, b: 1)
    """
    mapping = PresentationMap.point(presentation, at)
    return left_kan(mapping, [1], [], strategy=strategy, budget=budget, compiled=compiled)
