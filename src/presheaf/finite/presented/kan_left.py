"""Left Kan extension of a finite set-valued functor along a map of presentations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError, one_of
from presheaf.finite.columns.budget import Budget, CancelCallback, Meter, ProgressCallback, Status, Stopped
from presheaf.finite.presented.completion import STRATEGIES, Counts, Strategy
from presheaf.finite.presented.copresheaf import check_functor, whole_sizes
from presheaf.finite.presented.infinite import growing_weights
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.opfibration import laid_end_to_end
from presheaf.finite.presented.origins import Origins
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.finite.presented.standard import Table
from presheaf.finite.presented.sweep import Sweep

IntArray = NDArray[np.int32]

__all__ = ["LeftKan", "check_functor", "hom_from", "left_kan"]


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
    _origins: list[Origins] = field(default_factory=list, init=False)

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

        Notes
        -----
        O(length of the path); the first call also makes an index, O(objects and generators).
        """
        table = self._done()
        if not 0 <= at < len(table.sizes) or not 0 <= element < table.sizes[at]:
            raise InputError(f"there is no element {element} at object {at}; the sizes are {table.sizes.tolist()}.")
        if not self._origins:
            self._origins.append(Origins(self.mapping, self._rows, table.sizes))
        path: list[int] = []
        while True:
            unit, which, row = self._origins[0].find(at, int(table.first[at][element]))
            if unit:
                return which, row, tuple(reversed(path))
            path.append(which)
            at, element = self.mapping.target.generators[which][1], row

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
            raise InputError(f"the extension is not there: {self.ending}.")
        return self._table

    @property
    def ending(self) -> str:
        """How the computation ended, in words."""
        if self.status == "budget exceeded":
            return f"budget exceeded ({self.limit}) after {self.counts.made:,} rows made in {self.counts.seconds:.2f} s"
        if self.status == "infinite":
            names = zip(self.mapping.target.generators, self.weights or (), strict=True)
            return "proved infinite by the weights " + ", ".join(f"{g[0]}: {w}" for g, w in names if w)
        return self.status

    def __repr__(self) -> str:
        if self._table is None:
            return f"LeftKan({self.ending})"
        objects = self.mapping.target.objects
        shown = ", ".join(f"{o} {s}" for o, s in zip(objects[:8], self._table.sizes.tolist(), strict=False))
        more = ", ..." if len(objects) > 8 else ""
        return f"LeftKan({shown}{more}; {self.method}, {self.counts.made:,} rows made, {self.counts.seconds:.3f} s)"


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
        For completions, see ``complete``; one that is named rules the coend formula out.
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
    By case, the result being the same: F a discrete opfibration, so that tables are laid end to end (``opfibration``); else
    a look for a proof that the result is infinite (``growing_weights``); else one pass over the strongly connected parts
    of D (``Sweep``): connected components where a part has no arrows of its own, in particular for D without cycles,
    discrete or terminal, near-linear; for other parts the coend formula where their arrows are few and known, or
    completion after Todd-Coxeter and Carmody-Walters. ``LeftKan.method`` says what was done.

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
    one_of("strategy", strategy, STRATEGIES)
    many = whole_sizes(mapping.source, sizes)
    checked = check_functor(mapping.source, many, columns)
    meter = Meter(budget, progress, cancel)
    methods: dict[str, None] = {}
    weights: tuple[int, ...] | None = None
    try:
        if (table := laid_end_to_end(mapping, many, checked, meter)) is not None:
            methods["opfibration"] = None
        elif (weights := growing_weights(mapping, many)) is not None:
            methods["weights"] = None
        else:
            sweep = Sweep(mapping, many, checked, meter, strategy=strategy, compiled=compiled)
            methods = sweep.methods
            table = sweep.run()
    except Stopped as stop:
        method = ", ".join(methods) or "none"
        return LeftKan(mapping, stop.status, stop.limit, None, method, _counts(meter), None, tuple(many))
    status: Status = "complete" if table is not None else "infinite"
    method = ", ".join(methods) or "none"
    return LeftKan(mapping, status, None, weights, method, _counts(meter), table, tuple(many))


def _counts(meter: Meter) -> Counts:
    return Counts(meter.made, meter.rows, meter.seconds, meter.bytes)


def hom_from(
    presentation: Presentation,
    at: int = 0,
    *,
    strategy: Strategy = "auto",
    budget: Budget | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
    compiled: bool = True,
) -> LeftKan:
    """D(at, -), the arrows of D out of one object: the left extension of a point along 1 -> D.

    For one object this enumerates a monoid or group. Element 0 at ``at`` is the identity. Parameters and cost: see
    ``left_kan``.

    Examples
    --------
    >>> hom_from(Presentation.group("a b", ["a^2", "b^3", "(a b)^2"])).sizes.tolist()
    [6]
    >>> hom_from(Presentation.monoid("a b", ["a b = 1"]))
    LeftKan(proved infinite by the weights a: -1, b: 1)
    """
    mapping = PresentationMap.point(presentation, at)
    return left_kan(
        mapping, [1], [], strategy=strategy, budget=budget, progress=progress, cancel=cancel, compiled=compiled
    )
