"""`presheaf migrate`: a database moved along a schema map."""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presheaf.cli.progress import LINE_SECONDS, QUIET_SECONDS, duration
from presheaf.errors import InputError
from presheaf.migration.addresses import without_secrets

if TYPE_CHECKING:
    from presheaf.finite.columns.budget import Budget
    from presheaf.finite.columns.budget import Progress as Standing
    from presheaf.migration.run import Job, Migrated

EPILOG = """\
INPUT and OUTPUT are DuckDB or SQLite files (.duckdb, .sqlite), or folders of Parquet files; INPUT may be a folder of CSV
files as well. F.toml says which table, foreign key and attribute goes where.

  --sigma  everything the map brings, merged where the target's equations say that two rows are one
  --delta  backwards: INPUT has the target's schema, OUTPUT the source's
  --pi     rows put together: a table's rows are the families of rows that fit

examples:
  presheaf migrate --functor F.toml --sigma input.duckdb output.duckdb
  presheaf migrate --functor F.toml --pi school/ pairs.sqlite --budget-rows 10M --origins
  presheaf migrate --schema-of input.duckdb > input.toml

Finished stages (the input as read, the result) are kept in OUTPUT.partial until OUTPUT is there; --resume goes on from
them after Ctrl-C, a crash or a kill. OUTPUT itself is the old one or the new one, never a part.

exit codes:
  0  done
  1  the budget is used up, or the result is proved infinite; the message says which limit, and what to try
  2  the input, the map or an option can't be used; the message names the table, the rows and the equation
  130  stopped with Ctrl-C
"""
UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
TIMES = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


def add(commands: Any) -> None:
    """The parser of the command."""
    parser = commands.add_parser(
        "migrate", help="move a database along a schema map, with proofs where rows become one",
        description="Move a database along a map between two schemas: left Kan extension, restriction or right Kan "
        "extension, exactly.", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("input", nargs="?", metavar="INPUT", help="the database to move")
    parser.add_argument("output", nargs="?", metavar="OUTPUT", help="where to write the result")
    parser.add_argument("--functor", metavar="F.toml", help="the schema map")
    moves = parser.add_mutually_exclusive_group()
    for name, text in (("sigma", "left Kan extension"), ("delta", "restriction"), ("pi", "right Kan extension")):
        moves.add_argument(f"--{name}", dest="move", action="store_const", const=name, help=text)
    moves.add_argument(
        "--schema-of", metavar="DB", help="print a database's schema as TOML, from its own keys, and stop"
    )
    parser.add_argument("--budget-rows", metavar="N", help="most rows held on the way, e.g. 5000000 or 5M")
    parser.add_argument("--budget-seconds", metavar="T", help="most time for the move, e.g. 90, 10min or 2h")
    parser.add_argument("--budget-bytes", metavar="SIZE", help="most memory of the working tables, e.g. 500MB or 4GB")
    parser.add_argument("--strategy", choices=("auto", "hlt", "felsch", "mixed"), default="auto",
                        help="of the completion, where the target has cycles (default: auto)")  # fmt: skip
    parser.add_argument("--engine", default="engine", metavar="ENGINE",
                        help="engine: in memory (default); duckdb: the same move as SQL inside DuckDB; or a URL "
                        "that Ibis connects to, INPUT and OUTPUT being beginnings of table names there")  # fmt: skip
    parser.add_argument("--unknown", choices=("refuse", "null"), default="refuse",
                        help="--pi: values that nothing determines: refuse the move (default), or write NULL")  # fmt: skip
    parser.add_argument(
        "--origins", action="store_true", help="add a column 'origin' that says where each row comes from"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the stages that an earlier run finished")
    parser.add_argument("--overwrite", action="store_true", help="replace OUTPUT")
    parser.add_argument("--dry-run", action="store_true", help="check the input, say what would be done, and stop")
    parser.add_argument("--json", metavar="FILE.json", help="write a summary as JSON ('-' for standard output)")
    parser.add_argument("--quiet", action="store_true", help="no progress, only the answer")


def migrate(arguments: Namespace) -> int:
    """`presheaf migrate`."""
    try:
        if arguments.schema_of is not None:
            return _schema_of(arguments.schema_of)
        return _migrate(_job(arguments), arguments)
    except KeyboardInterrupt:
        print("presheaf: stopped. Nothing half-written is left.", file=sys.stderr)
        if arguments.engine == "engine":
            print("The same command with --resume goes on from the last finished stage.", file=sys.stderr)
        return 130


def _migrate(job: Job, arguments: Namespace) -> int:
    told = Told(arguments.quiet)
    if arguments.json not in (None, "-") and not Path(arguments.json).parent.is_dir():
        raise InputError(f"--json {arguments.json}: there is no folder {Path(arguments.json).parent}; make it first.")
    if arguments.dry_run:
        if arguments.engine not in ("engine", "duckdb"):
            raise InputError(
                f"--dry-run reads files; it can't look into {without_secrets(arguments.engine)}. Leave --dry-run out."
            )
        return _dry_run(job, arguments, told)
    if arguments.engine == "engine":
        from presheaf.migration.run import migrate as run

        done = run(job, told.stage, progress=told.standing)
    else:
        from presheaf.migration.sql_run import migrate_in

        done = migrate_in(arguments.engine, job, told.stage)
    return _answer(job, done, arguments)


class Told:
    """Progress of stages: a line for one that lasts over two seconds, and how far the move is every ten."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self._start = self._last = time.monotonic()

    @contextmanager
    def stage(self, sentence: str) -> Iterator[None]:
        """Say the sentence if what runs inside lasts longer than two seconds."""
        self._start = self._last = time.monotonic()
        if self.quiet:
            yield
            return
        timer = threading.Timer(QUIET_SECONDS, self._say, [f"{sentence} ..."])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
        seconds = time.monotonic() - self._start
        if seconds > QUIET_SECONDS:
            self._say(f"{sentence}: {duration(seconds)}")

    def standing(self, at: Standing) -> None:
        """How far the move is."""
        now = time.monotonic()
        if not self.quiet and now - self._start > QUIET_SECONDS and now - self._last > LINE_SECONDS:
            self._last = now
            self._say(f"  {at.made:,} rows made, {at.living:,} live, {at.bytes / 1e6:,.0f} MB, {duration(at.seconds)}")

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


def _schema_of(path: str) -> int:
    from presheaf.migration import Layout, schema_toml
    from presheaf.migration.names import row_key
    from presheaf.migration.stores import read_layout

    found = read_layout(path)
    usual = {name: row_key(found.schema, c) for c, name in enumerate(found.schema.presentation.objects)}
    named = {name: column for name, column in found.primary_keys.items() if column != usual[name]}
    print(schema_toml(Layout(found.schema, named)), end="")
    return 0


def _job(arguments: Namespace) -> Job:
    from presheaf.migration.run import Job

    if arguments.functor is None:
        raise InputError("no schema map is named; add --functor F.toml (see `presheaf migrate --help`).")
    if arguments.move is None:
        raise InputError("no move is named; add --sigma, --delta or --pi.")
    if arguments.input is None or arguments.output is None:
        raise InputError("two databases are needed: presheaf migrate --functor F.toml --sigma INPUT OUTPUT.")
    return Job(
        Path(arguments.functor), arguments.move, Path(arguments.input), Path(arguments.output), _budget(arguments),
        arguments.strategy, arguments.unknown, arguments.origins, arguments.resume, arguments.overwrite,
    )  # fmt: skip


def _budget(arguments: Namespace) -> Budget:
    from presheaf.finite.columns.budget import Budget

    rows, seconds, size = arguments.budget_rows, arguments.budget_seconds, arguments.budget_bytes
    return Budget(
        None if rows is None else int(number(rows, "--budget-rows", UNITS, "5000000 or 5M")),
        None if seconds is None else number(seconds, "--budget-seconds", TIMES, "90, 10min or 2h"),
        None if size is None else int(number(size.lower().removesuffix("b"), "--budget-bytes", UNITS, "500MB or 4GB")),
    )


def number(text: str, option: str, units: dict[str, int], example: str) -> float:
    """A number with a unit.

    Raises
    ------
    InputError
        Names the option, with an example.
    """
    read = re.fullmatch(r"(\d[\d_]*(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if read is None or read[2] not in units or not float(read[1]):
        raise InputError(f"{option}: {text!r} is no such number; expected for instance {example}.")
    return float(read[1]) * units[read[2]]


def _dry_run(job: Job, arguments: Namespace, told: Told) -> int:
    from presheaf.migration.run import plan

    found = plan(job, told.stage)
    if arguments.json is not None:
        _write_json(arguments.json, {"move": job.move, "engine": without_secrets(arguments.engine), **found.as_dict()})
        if arguments.json == "-":
            return 0
    print(f"{job.move} along {job.functor}, by {found.method}; nothing is written.")
    print("read and checked:")
    _table({name: f"{rows:,}" for name, rows in found.input.items()})
    print(f"{job.output} would hold:" if found.exact else f"{job.output} would hold at most:")
    _table({name: "not known before" if rows is None else f"{rows:,}" for name, rows in found.tables.items()})
    return 0


def _answer(job: Job, done: Migrated, arguments: Namespace) -> int:
    if arguments.json is not None:
        summary = {
            "move": job.move, "functor": str(job.functor), "input": str(job.input), "output": str(job.output),
            "engine": without_secrets(arguments.engine), "rows": done.rows, **asdict(done),
        }  # fmt: skip
        _write_json(arguments.json, summary)
    if done.status != "complete":
        print(f"presheaf: {job.move}: {done.ending}. {_advice(job, done, arguments.engine)}", file=sys.stderr)
        return 1
    if arguments.json != "-":
        again = f"; {' and '.join(done.reused)} from an earlier run" if done.reused else ""
        print(f"{job.move}: {done.rows:,} rows in {duration(done.seconds)}, by {done.method}{again}")
        _table({name: f"{rows:,}" for name, rows in done.tables.items()})
        print(f"wrote {job.output}")
    return 0


def _advice(job: Job, done: Migrated, engine: str) -> str:
    if done.status == "infinite":
        if job.move == "pi":
            return "Add path equations to the target that make its paths finite."
        return (
            "Add path equations to the target that end the growth, or give the foreign keys of the cycle a value in the "
            "source: map a foreign key onto each."
        )
    if done.status == "cancelled":
        return "Nothing is written."
    kept = f"; the input as read is kept in {job.output}.partial, so --resume is quicker" if engine == "engine" else ""
    grows = "A target whose foreign keys form a cycle may ask for more rows than any limit: path equations end that."
    return f"Raise the limit{kept}.{f' {grows}' if job.move == 'sigma' else ''}"


def _table(rows: dict[str, str]) -> None:
    wide = max(map(len, rows), default=0)
    right = max(map(len, rows.values()), default=0)
    for name, value in rows.items():
        print(f"  {name:<{wide}}  {value:>{right}}")


def _write_json(path: str, summary: dict[str, Any]) -> None:
    text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    if path == "-":
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.flush()
        return
    from presheaf.report import write

    write(path, text)
