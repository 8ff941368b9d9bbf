"""Completion: from generators, equations and coincidences to the tables of a set-valued functor."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, one_of
from presheaf.finite.budget import Budget, CancelCallback, Progress, ProgressCallback, Status
from presheaf.finite.compiled import kernel
from presheaf.finite.completion_numpy import PythonEngine
from presheaf.finite.inverses import invertible_generators
from presheaf.finite.presentation import Path, Presentation
from presheaf.finite.relators import groupoid
from presheaf.finite.standard import Table, standardise

IntArray = NDArray[np.int32]
Strategy = Literal["auto", "hlt", "felsch", "mixed"]
STRATEGIES = ("auto", "hlt", "felsch", "mixed")
SLICE_SECONDS = 0.1
"""How often a running completion looks up: progress, cancel."""
MAX_OBJECTS = 65535
LONG_RELATOR = 40
"""Felsch scans all rotations of a relator at every new entry: cheap for short ones, dear for J1's of length 70, where
HLT with look-ahead takes a quarter of the time."""
_MONOID, _GROUPOID = 0, 1


class Machine(Protocol):
    """What the compiled and the Python engine both do."""

    def identify(self, start: IntArray, end: IntArray, word: IntArray, max_rows: int, max_bytes: int, /) -> int: ...
    def run(self, max_rows: int, max_bytes: int, seconds: float, /) -> int: ...
    def counts(self) -> tuple[int, int, int, int, int]: ...
    def compact(self) -> list[int]: ...
    def export(self, columns: list[IntArray], unit: IntArray, /) -> None: ...


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
    coincidences: Sequence[tuple[IntArray, Path, IntArray]] = (),
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
        invertible and no relator is longer than ``LONG_RELATOR``, HLT otherwise. The Python engine knows only HLT. The
        result does not depend on it.
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
        or more than 65535 objects.

    Notes
    -----
    Todd and Coxeter 1936 for one object and invertible arrows; Carmody and Walters 1995 (Computing left Kan extensions)
    for presented categories. All operation symbols are arrows and so unary: union-find and the merging of two rows are
    the whole congruence closure. A semi-decision: it ends whenever the result is finite and the budget lasts, and
    nothing bounds the rows made on the way by the size of the result.
    """
    one_of("strategy", strategy, STRATEGIES)
    limits = budget or Budget()
    start = time.perf_counter()
    units = np.ascontiguousarray(unit_objects, dtype=np.int32)
    if len(presentation.objects) > MAX_OBJECTS:
        raise InputError(
            f"completion handles up to {MAX_OBJECTS} objects; the presentation has {len(presentation.objects)}."
        )
    if units.size and (units.min() < 0 or units.max() >= len(presentation.objects)):
        u = int(np.flatnonzero((units < 0) | (units >= len(presentation.objects)))[0])
        raise InputError(f"unit {u} is at object {units[u]}; there are {len(presentation.objects)} objects.")
    for needed, most, name in ((len(units), limits.max_rows, "rows"), (8 * len(units), limits.max_bytes, "bytes")):
        if needed > most:
            return Outcome("budget exceeded", None, "none", name, Counts(0, 0, time.perf_counter() - start, 0))
    machine: Machine
    if compiled and kernel is not None:
        machine, method = _engine(presentation, units, strategy)
    else:
        machine, method = PythonEngine(presentation, units.tolist()), "hlt in Python"
    status: Status = "complete"
    limit: str | None = None
    result = 0
    for i, (a, path, b) in enumerate(coincidences):
        if result:
            break
        ends = np.ascontiguousarray(a, dtype=np.int32), np.ascontiguousarray(b, dtype=np.int32)
        _check_coincidence(presentation, units, f"coincidence {i}", ends, path)
        result = machine.identify(*ends, np.array(path, dtype=np.int32), limits.max_rows, limits.max_bytes)
    if not result:
        result = 1
    while result == 1:
        spent = time.perf_counter() - start
        left = SLICE_SECONDS if limits.seconds is None else min(SLICE_SECONDS, limits.seconds - spent)
        if left <= 0:
            status, limit = "budget exceeded", "seconds"
            break
        result = machine.run(limits.max_rows, limits.max_bytes, left)
        held, living, done, made, peak = machine.counts()
        if progress is not None:
            progress(Progress(held, living, done, made, time.perf_counter() - start, peak))
        if result == 1 and cancel is not None and cancel():
            status = "cancelled"
            break
    if result in (2, 3):
        status, limit = "budget exceeded", "rows" if result == 2 else "bytes"
    held, _, _, made, peak = machine.counts()
    table = None
    if status == "complete":
        sizes = np.array(machine.compact(), dtype=np.int64)
        columns = [np.full(int(sizes[g[1]]), -1, dtype=np.int32) for g in presentation.generators]
        unit = np.empty(len(units), dtype=np.int32)
        machine.export(columns, unit)
        del machine
        table = standardise(presentation, sizes, columns, units, unit, compiled=compiled)
    return Outcome(status, table, method, limit, Counts(made, held, time.perf_counter() - start, peak))


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


def _engine(presentation: Presentation, units: IntArray, strategy: Strategy) -> tuple[Machine, str]:
    assert kernel is not None
    invertible = bool(presentation.generators) and all(invertible_generators(presentation))
    group = groupoid(presentation) if invertible else None
    chosen = strategy
    if strategy == "auto":
        short = group is not None and max(map(len, group.relators), default=0) <= LONG_RELATOR
        chosen = "felsch" if short else "hlt"
    fill, deduce = chosen != "felsch", chosen != "hlt"
    sources = [g[1] for g in presentation.generators]
    targets = [g[2] for g in presentation.generators]
    inverse: Sequence[int] = [0] * len(sources)
    words = [side for pair in presentation.equations for side in pair]
    relators = 0
    if group is not None:
        sources, targets, inverse = list(group.sources), list(group.targets), group.inverse
        words = list(group.relators + (group.rotations if deduce else ()))
        relators = len(group.relators)
    offsets = np.concatenate([[0], np.cumsum([len(w) for w in words])]).astype(np.int32)
    letters = np.array([x for w in words for x in w], dtype=np.int32)
    arrays = (np.array(a, dtype=np.int32) for a in (sources, targets, inverse))
    kind = _GROUPOID if invertible else _MONOID
    engine: Machine = kernel.Engine(
        kind, int(fill), int(deduce), len(presentation.objects), *arrays, offsets, letters, relators, units
    )
    return engine, f"{chosen} on {'relators' if invertible else 'equations'}"
