"""A migration from file to file: read, move, write, each stage kept until the output is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path as FilePath
from typing import Any

from presheaf.errors import InputError
from presheaf.finite.budget import Budget, ProgressCallback, Status
from presheaf.finite.completion import Strategy
from presheaf.finite.kan_right import right_kan_sizes
from presheaf.migration.checkpoint import Checkpoints, digest
from presheaf.migration.instance import Instance
from presheaf.migration.map_toml import map_toml
from presheaf.migration.move_delta import delta
from presheaf.migration.move_pi import Unknown, pi
from presheaf.migration.move_sigma import sigma
from presheaf.migration.moved import Move, Moved
from presheaf.migration.schema import Attribute, Schema, SchemaMap
from presheaf.migration.stores import read_instance, read_map, write_instance
from presheaf.migration.whole_files import check_free
from presheaf.migration.with_values import WithValues

ORIGIN = "origin"
"""The column that says where a row comes from."""

Watch = Callable[[str], AbstractContextManager[None]]
"""Called with a sentence about a stage; the stage runs inside what it returns."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to migrate and how.

    Attributes
    ----------
    functor : file of the schema map
    move : "sigma", "delta" or "pi"
    input, output : files or folders
    budget : Budget
    strategy : of the completion, for a target with cycles
    unknown : "refuse" or "null", what Pi does with values that nothing determines
    origins : write where each row comes from, as a column ``origin``
    resume : go on from the stages that an earlier run of the same job finished
    overwrite : replace the output
    """

    functor: FilePath
    move: Move
    input: FilePath
    output: FilePath
    budget: Budget = field(default_factory=Budget)
    strategy: Strategy = "auto"
    unknown: Unknown = "refuse"
    origins: bool = False
    resume: bool = False
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Migrated:
    """What came of it.

    Attributes
    ----------
    status : "complete", "infinite", "budget exceeded" or "cancelled"
    ending : the status in words
    method : how it was computed
    tables : rows of each table of the result; empty unless complete
    rows_made : rows made on the way, those included that turned out equal to others
    seconds : wall time of this run
    reused : stages that an earlier run had finished
    """

    status: Status
    ending: str
    method: str
    tables: dict[str, int]
    rows_made: int
    seconds: float
    reused: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows over all tables."""
        return sum(self.tables.values())


def schemas(map: SchemaMap, move: Move) -> tuple[Schema, Schema]:
    """The schema of the input and that of the output: delta goes backwards."""
    return (map.target, map.source) if move == "delta" else (map.source, map.target)


def migrate(job: Job, watch: Watch, *, progress: ProgressCallback | None = None) -> Migrated:
    """Run a job.

    Parameters
    ----------
    job : Job
    watch : see ``Watch``; for instance ``lambda stage: contextlib.nullcontext()``
    progress : told of the move, see ``presheaf.finite.budget``

    Returns
    -------
    Migrated
        If its status is not "complete", there is no new output and an old one is as it was.

    Raises
    ------
    InputError
        Names the file, table, key, rows or equation that does not fit.

    Notes
    -----
    Stages: the input, read and checked; the result; the output. The first two are kept in ``OUTPUT.partial`` until the
    output is there, whatever ends the process before. A stage that was not finished begins anew: a completion of a
    hundred million rows that was killed before its end starts again from the input.
    """
    start = time.perf_counter()
    map = read_map(job.functor)
    before, after = schemas(map, job.move)
    if job.origins:
        after = with_origin(after)
    check_free(job.output, job.overwrite)
    if not job.input.exists():
        read_instance(job.input, before)
    with watch(f"looking through {job.input}"):
        options = (version("presheaf"), map_toml(map), job.move, job.unknown, str(job.origins))
        kept = Checkpoints(job.output, digest(job.input, *options), resume=job.resume)
    reused = []
    try:
        done = kept.load("result", after)
        if done is None:
            seen = kept.load("input", before)
            with watch(f"reading {job.input}"):
                instance = read_instance(job.input, before) if seen is None else seen[0]
            if seen is None:
                with watch("keeping the input, as read and checked"):
                    kept.store("input", instance, {})
            else:
                reused.append("input")
            with watch(f"{job.move} of {instance.n_rows:,} rows"):
                moved = move(job, map, instance, progress)
                if not moved.complete:
                    return _ended(moved, time.perf_counter() - start, tuple(reused))
                result = moved.with_origins(ORIGIN) if job.origins else moved.instance
            notes: dict[str, Any] = {"method": moved.method, "rows_made": moved.rows_made}
            with watch("keeping the result"):
                kept.store("result", result, notes)
        else:
            result, notes = done
            reused.append("result")
        with watch(f"writing {job.output}"):
            write_instance(result, job.output, overwrite=job.overwrite)
    except InputError:
        kept.clear()
        raise
    kept.clear()
    tables = dict(zip(after.presentation.objects, result.sizes, strict=True))
    seconds = time.perf_counter() - start
    return Migrated("complete", "complete", notes["method"], tables, notes["rows_made"], seconds, tuple(reused))


def with_origin(schema: Schema) -> Schema:
    """The schema with a text column ``origin`` in every table; InputError if one has a column of that name."""
    more = tuple(Attribute(ORIGIN, c, "string") for c in range(len(schema.presentation.objects)))
    return Schema(schema.presentation, (*schema.attributes, *more))


def move(job: Job, map: SchemaMap, instance: Instance, progress: ProgressCallback | None) -> Moved:
    """The move alone, in memory."""
    if job.move == "delta":
        return delta(map, instance)
    if job.move == "pi":
        return pi(map, instance, unknown=job.unknown, budget=job.budget, progress=progress)
    return sigma(map, instance, budget=job.budget, progress=progress, strategy=job.strategy)


def _ended(moved: Moved, seconds: float, reused: tuple[str, ...]) -> Migrated:
    return Migrated(moved.status, moved.ending, moved.method, {}, moved.rows_made, seconds, reused)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job would do, without doing it: ``tables`` holds for each table the exact ``rows`` or ``at_most``."""

    method: str
    exact: bool
    tables: dict[str, int | None]
    input: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def plan(job: Job, watch: Watch) -> Plan:
    """Read and check the input and say how many rows the result has: exactly for delta and pi, a bound for sigma.

    Sigma along a map into tables with a cycle of foreign keys has no bound that is known before (None).
    """
    map = read_map(job.functor)
    before, after = schemas(map, job.move)
    with watch(f"reading {job.input}"):
        instance = read_instance(job.input, before)
    names = after.presentation.objects
    sizes: list[int | None]
    if job.move == "delta":
        method, exact = "gathers", True
        sizes = [instance.sizes[d] for d in map.mapping.objects]
    elif job.move == "pi":
        method, exact = "conjunctive queries", True
        extended = WithValues(map, instance)
        with watch("counting the rows of the joins"):
            counted = right_kan_sizes(extended.mapping, extended.sizes, extended.columns, budget=job.budget)
        sizes = list(counted[: len(names)])
    else:
        method, exact = "whatever suits the target, completion where foreign keys form a cycle", False
        sizes = _most(map, instance)
    return Plan(
        method,
        exact,
        dict(zip(names, sizes, strict=True)),
        dict(zip(before.presentation.objects, instance.sizes, strict=True)),
    )


def _most(map: SchemaMap, instance: Instance) -> list[int | None]:
    """Rows of each table of the target if nothing became one; None where a cycle of foreign keys leads there.

    A row of the source whose foreign key is one letter of the target makes no new row there.
    """
    mapping, keys = map.mapping, map.target.presentation.generators
    units = [0] * len(map.target.presentation.objects)
    for d, size in zip(mapping.objects, instance.sizes, strict=True):
        units[d] += size
    given = {(a, path) for (_, a, _), path in zip(mapping.source.generators, mapping.paths, strict=True)}
    free = [
        sum(s for c, s in enumerate(instance.sizes) if mapping.objects[c] == a and (c, (g,)) not in given)
        for g, (_, a, _) in enumerate(keys)
    ]
    sizes: list[int | None] = [None] * len(units)
    waiting = set(range(len(units)))
    while ready := [d for d in waiting if all(a not in waiting for _, a, b in keys if b == d)]:
        for d in ready:
            made = [free[g] + (sizes[a] or 0) - units[a] for g, (_, a, b) in enumerate(keys) if b == d]
            sizes[d] = units[d] + sum(made)
        waiting -= set(ready)
    return sizes
