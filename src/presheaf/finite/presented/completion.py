"""Completion: from generators, equations and coincidences to the tables of a set-valued functor."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, one_of
from presheaf.finite.columns.budget import Budget, CancelCallback, Progress, ProgressCallback, Status
from presheaf.finite.presented.machines import (
    COMPLETE,
    NO_BYTES,
    NO_ROWS,
    PAUSED,
    STRATEGIES,
    Machine,
    Strategy,
    machine_for,
)
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.finite.presented.standard import Table, standardise

IntArray = NDArray[np.int32]
Coincidence = tuple[IntArray, Path, IntArray]
SLICE_SECONDS = 0.1
"""How often a running completion looks up: progress, cancel."""
MAX_OBJECTS = 65535

__all__ = ["STRATEGIES", "Coincidence", "Completion", "Counts", "Outcome", "Strategy", "complete"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Work done: rows made beyond the units, rows held at the end, seconds, and the table's peak bytes."""

    made: int
    held: int
    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """How a completion ended. ``table`` is there exactly if the status is "complete"; ``limit`` names what ran out."""

    status: Status
    table: Table | None
    method: str
    limit: str | None
    counts: Counts


def complete(
    presentation: Presentation,
    unit_objects: Sequence[int] | IntArray,
    coincidences: Sequence[Coincidence] = (),
    *,
    strategy: Strategy = "auto",
    budget: Budget | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
    compiled: bool = True,
) -> Outcome:
    """The functor D -> Set that given elements generate freely, subject to D's equations and to coincidences.

    Parameters
    ----------
    presentation : Presentation
        D.
    unit_objects : int sequence (u,)
        The object at which each generating element lives.
    coincidences : sequence of (units, path, units)
        For each i: element ``units[i]`` moved along the path is the second ``units[i]``.
    strategy : "auto", "hlt", "felsch" or "mixed"
        How rows are made. ``hlt`` traces every equation at every row and makes what is missing; ``felsch`` makes one
        row at a time and draws all conclusions first; ``mixed`` does both. "auto": Felsch where all generators are
        invertible and no relator is longer than ``machines.LONG_RELATOR``, HLT otherwise. The Python engine knows only
        HLT. The result does not depend on it.
    budget, progress, cancel
        See ``Budget``; callbacks are called every tenth of a second.
    compiled : bool
        Use the compiled engine if it is there.

    Returns
    -------
    Outcome
        Its table is numbered by ``standardise``.

    Raises
    ------
    InputError
        For a unit at an object that is not there, a coincidence whose path does not fit its units, an unknown strategy,
        more than 65535 objects, or, unless the budget names bytes, so many generators out of one object that the first
        step would take more than ``machines.WIDE_BYTES``.

    Notes
    -----
    Todd and Coxeter 1936 for one object and invertible arrows; Carmody and Walters 1995 (Computing left Kan extensions)
    for presented categories. All operation symbols are arrows and so unary: union-find and the merging of two rows are
    the whole congruence closure. A semi-decision: it ends whenever the result is finite and the budget lasts, and
    nothing bounds the rows made on the way by the size of the result. Memory: the rows held x the most generators that
    leave one object, 4 bytes each, so that an object with very many of them is dear.
    """
    run = Completion(presentation, unit_objects, strategy=strategy, budget=budget, compiled=compiled)
    run.identify(coincidences)
    run.finish(progress, cancel)
    counts = run.counts()
    if run.status != "complete":
        return Outcome(run.status, None, run.method, run.limit, counts)
    table = standardise(presentation, *run.tables(), compiled=compiled)
    counts = Counts(counts.made, counts.held, run.seconds, counts.bytes)
    return Outcome("complete", table, run.method, None, counts)


class Completion:
    """One run, step by step: make it, ``identify``, ``finish``, take the ``tables``. Takes what ``complete`` takes.

    Attributes
    ----------
    status : "complete" until something ends the run early
    limit : what ran out, or None
    method : str
    """

    def __init__(
        self,
        presentation: Presentation,
        unit_objects: Sequence[int] | IntArray,
        *,
        strategy: Strategy = "auto",
        budget: Budget | None = None,
        compiled: bool = True,
    ) -> None:
        one_of("strategy", strategy, STRATEGIES)
        self._start = time.perf_counter()
        self.presentation = presentation
        self.status: Status = "complete"
        self.limit: str | None = None
        self.method = "none"
        self._budget = budget or Budget()
        self._units = np.ascontiguousarray(unit_objects, dtype=np.int32)
        self._machine: Machine | None = None
        _check_units(presentation, self._units)
        if len(self._units) > self._budget.max_rows:
            self._stop("rows")
        elif 8 * len(self._units) > self._budget.max_bytes:
            self._stop("bytes")
        else:
            try:
                self._machine, self.method = machine_for(
                    presentation, self._units, strategy, compiled, self._budget.bytes
                )
            except MemoryError:
                self._stop("bytes")

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._start

    def identify(self, coincidences: Iterable[Coincidence]) -> None:
        """Unite ends: the first unit moved along the path is the second, for each pair of each coincidence."""
        for i, (a, path, b) in enumerate(coincidences):
            if self._machine is None or self.status != "complete":
                return
            ends = np.ascontiguousarray(a, dtype=np.int32), np.ascontiguousarray(b, dtype=np.int32)
            _check_coincidence(self.presentation, self._units, f"coincidence {i}", ends, path)
            word = np.array(path, dtype=np.int32)
            self._note(self._machine.identify(*ends, word, self._budget.max_rows, self._budget.max_bytes))

    def finish(self, progress: ProgressCallback | None = None, cancel: CancelCallback | None = None) -> None:
        """Run until the tables are closed, or the budget or ``cancel`` ends it."""
        if self._machine is None or self.status != "complete":
            return
        limits, result = self._budget, PAUSED
        while result == PAUSED:
            left = SLICE_SECONDS if limits.seconds is None else min(SLICE_SECONDS, limits.seconds - self.seconds)
            if left <= 0:
                self._stop("seconds")
                return
            result = self._machine.run(limits.max_rows, limits.max_bytes, left)
            if progress is not None:
                held, living, done, made, peak = self._machine.counts()
                progress(Progress(held, living, done, made, self.seconds, peak))
            if result == PAUSED and cancel is not None and cancel():
                self.status = "cancelled"
                return
        self._note(result)

    def tables(self) -> tuple[NDArray[np.int64], list[IntArray], IntArray, IntArray]:
        """Sizes, columns, the units' objects and the units, in the engine's own numbering; call it once, at the end.

        After a run that ended early a column holds -1 where nothing was found, and equal units are equal for good, while
        different ones may still turn out equal.
        """
        machine = self._machine
        if machine is None:
            raise InputError(f"there are no tables: {self.status} ({self.limit}).")
        self._machine = None
        sizes = np.array(machine.compact(), dtype=np.int64)
        columns = [np.full(int(sizes[g[1]]), -1, dtype=np.int32) for g in self.presentation.generators]
        unit = np.empty(len(self._units), dtype=np.int32)
        machine.export(columns, unit)
        return sizes, columns, self._units, unit

    def counts(self) -> Counts:
        """Work done so far."""
        if self._machine is None:
            return Counts(0, 0, self.seconds, 0)
        held, _, _, made, peak = self._machine.counts()
        return Counts(made, held, self.seconds, peak)

    def _note(self, result: int) -> None:
        if result != COMPLETE:
            self._stop({NO_ROWS: "rows", NO_BYTES: "bytes"}[result])

    def _stop(self, limit: str) -> None:
        self.status, self.limit = "budget exceeded", limit


def _check_units(presentation: Presentation, units: IntArray) -> None:
    if len(presentation.objects) > MAX_OBJECTS:
        raise InputError(
            f"completion handles up to {MAX_OBJECTS} objects; the presentation has {len(presentation.objects)}."
        )
    if units.size and (units.min() < 0 or units.max() >= len(presentation.objects)):
        u = int(np.flatnonzero((units < 0) | (units >= len(presentation.objects)))[0])
        raise InputError(f"unit {u} is at object {units[u]}; there are {len(presentation.objects)} objects.")


def _check_coincidence(
    presentation: Presentation, units: IntArray, place: str, ends: tuple[IntArray, IntArray], path: Path
) -> None:
    a, b = ends
    if a.ndim != 1 or a.shape != b.shape:
        raise InputError(f"{place}: units of shape {a.shape} can't meet units of shape {b.shape}.")
    for side in ends:
        if side.size and (side.min() < 0 or side.max() >= len(units)):
            raise InputError(f"{place}: there are units 0 to {len(units) - 1}, not {side.min()} to {side.max()}.")
    if path:
        presentation.check_path(path, presentation.source(path), presentation.target(path), place)
    start = presentation.source(path) if path else units[b]
    end = presentation.target(path) if path else units[b]
    bad = np.flatnonzero((units[a] != start) | (units[b] != end))
    if len(bad):
        raise InputError(f"{place}, pair {bad[0]}: {presentation.show(path)} does not lead from one unit to the other.")
