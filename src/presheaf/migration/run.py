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
from presheaf.finite.columns.budget import Budget, ProgressCallback, Status
from presheaf.finite.presented.completion import Strategy
from presheaf.finite.presented.kan_right import right_kan_sizes
from presheaf.migration.check_map import check_laws, check_on_data
from presheaf.migration.checkpoint import Checkpoints, digest
from presheaf.migration.instance import Instance
from presheaf.migration.map_toml import map_toml
from presheaf.migration.move_delta import delta
from presheaf.migration.move_pi import Unknown, pi, refuse_unknown
from presheaf.migration.move_sigma import sigma
from presheaf.migration.moved import Move, Moved
from presheaf.migration.schema import Attribute, Schema, SchemaMap
from presheaf.migration.schema_toml import Layout, schema_toml
from presheaf.migration.stores import check_output, read_instance, read_map_file, write_instance
from presheaf.migration.whole_files import NotWritten, check_apart, check_free
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


@dataclass(frozen=True, slots=True)
class Ready:
    """A job whose map is read: the map, the schema of the input with what names its rows, the schema of the output."""

    map: SchemaMap
    before: Layout
    after: Schema


def ready(job: Job) -> Ready:
    """Read the map of a job: delta goes backwards along it.

    Raises
    ------
    InputError
        For a map that does not fit its schemas, and with ``origins`` a table that has a column of that name.
    """
    file = read_map_file(job.functor)
    before, after = (file.target, file.map.source) if job.move == "delta" else (file.source, file.map.target)
    return Ready(file.map, before, with_origin(after) if job.origins else after)


def ready_for_files(job: Job) -> Ready:
    """``ready``, for an output that is a file or folder: what must fail is to fail before anything is computed.

    Raises
    ------
    InputError
        Also if the output can't be written under its name, or would replace something that is read.
    """
    found = ready(job)
    for read in (job.input, job.functor):
        check_apart(read, job.output)
    check_free(job.output, job.overwrite)
    check_output(found.after, job.output)
    return found


def migrate(job: Job, watch: Watch, *, progress: ProgressCallback | None = None) -> Migrated:
    """Run a job.

    Parameters
    ----------
    job : Job
    watch : see ``Watch``; for instance ``lambda stage: contextlib.nullcontext()``
    progress : told of the move, see ``presheaf.finite.columns.budget``

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
    found = ready_for_files(job)
    map, before, after = found.map, found.before, found.after
    if not job.input.exists():
        read_instance(job.input, before)
    with watch(f"looking through {job.input}"):
        options = (version("presheaf"), map_toml(map), schema_toml(before), job.move, job.unknown, str(job.origins))
        kept = Checkpoints(job.output, digest(job.input, *options), resume=job.resume)
    reused = []
    try:
        done = kept.load("result", after)
        if done is None:
            seen = kept.load("input", before.schema)
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
                    if moved.status == "infinite":
                        kept.clear()
                    return _ended(moved, time.perf_counter() - start, tuple(reused))
                result = moved.with_origins(ORIGIN) if job.origins else moved.instance
            notes: dict[str, Any] = {"method": moved.method, "rows_made": moved.rows_made}
            with watch("keeping the result"):
                kept.store("result", result, notes)
        else:
            result, notes = done
            reused.append("result")
    except InputError:
        kept.clear()
        raise
    _write(result, job, kept, watch)
    tables = dict(zip(after.presentation.objects, result.sizes, strict=True))
    seconds = time.perf_counter() - start
    return Migrated("complete", "complete", notes["method"], tables, notes["rows_made"], seconds, tuple(reused))


def _write(result: Instance, job: Job, kept: Checkpoints, watch: Watch) -> None:
    """Write the output; the result stays kept where it is the system that refuses, not the values."""
    try:
        with watch(f"writing {job.output}"):
            write_instance(result, job.output, overwrite=job.overwrite)
    except NotWritten as error:
        raise InputError(f"{error} The result is kept in {kept.folder}; --resume writes it from there.") from error
    except InputError:
        kept.clear()
        raise
    kept.clear()


def with_origin(schema: Schema) -> Schema:
    """The schema with a text column ``origin`` in every table; InputError if one has a column of that name."""
    for c, name in enumerate(schema.presentation.objects):
        columns = [schema.column(j) for j in schema.keys_of(c)]
        columns += [schema.attributes[i].name for i in schema.attributes_of(c)]
        if any(column.casefold() == ORIGIN for column in columns):
            raise InputError(
                f"--origins adds a column {ORIGIN!r}, and table {name!r} has one already; rename that in the map, or leave "
                "--origins out."
            )
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

    Raises
    ------
    InputError
        Where ``migrate`` would, but for two values that meet in one row of sigma's result, which is known once it is made.
    """
    found = ready_for_files(job)
    map, before, after = found.map, found.before.schema, found.after
    with watch(f"reading {job.input}"):
        instance = read_instance(job.input, found.before)
    if job.move == "delta":
        check_on_data(map, instance)
    else:
        check_laws(map)
    names = after.presentation.objects
    sizes: list[int | None]
    if job.move == "delta":
        method, exact = "gathers", True
        sizes = [instance.sizes[d] for d in map.mapping.objects]
    elif job.move == "pi":
        method, exact = "conjunctive queries", True
        extended = WithValues(map, instance)
        if job.unknown == "refuse":
            refuse_unknown(map, extended)
        with watch("counting the rows of the joins"):
            counted = right_kan_sizes(extended.mapping, extended.sizes, extended.columns, budget=job.budget)
        sizes = list(counted[: len(names)])
    else:
        method, exact = "the method that suits the target", False
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
