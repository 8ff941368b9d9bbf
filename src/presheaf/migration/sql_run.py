"""A migration as statements of an SQL engine: files inside DuckDB, or tables of any warehouse that Ibis reaches."""

from __future__ import annotations

import time
from pathlib import Path as FilePath
from typing import Any

from presheaf.errors import InputError, MissingDependencyError
from presheaf.migration.addresses import hide_secrets, without_secrets
from presheaf.migration.checkpoint import remove_leftovers
from presheaf.migration.names import row_key, suggest
from presheaf.migration.run import Job, Migrated, Ready, Watch, ready, ready_for_files
from presheaf.migration.schema import Schema, SchemaMap
from presheaf.migration.sql_delta import delta_sql
from presheaf.migration.sql_duckdb import attached, write_file, write_parquet
from presheaf.migration.sql_pi import pi_sql
from presheaf.migration.sql_sigma import sigma_sql
from presheaf.migration.sql_tables import SqlTables, checked, named_tables
from presheaf.migration.sql_warehouse import BudgetExceeded, Warehouse, warehouse
from presheaf.migration.stores import read_instance
from presheaf.migration.whole_files import whole


def migrate_in(engine: str, job: Job, watch: Watch) -> Migrated:
    """Run a job as SQL.

    Parameters
    ----------
    engine : "duckdb", or a URL that ``ibis.connect`` takes
        duckdb: input and output are DuckDB files or folders of Parquet files. A URL: input and output are the beginnings of
        table names in that warehouse, ``raw.`` for the tables of the schema ``raw``, ``raw_`` for tables that begin so;
        ``.`` for none.
    job : Job
        ``resume``, ``strategy`` and ``origins`` are the engine's and refused here.
    watch : see ``presheaf.migration.run``

    Returns
    -------
    Migrated
        "budget exceeded" where the budget's rows or seconds are used up, looked at between two statements.

    Raises
    ------
    InputError
        The move can't be pushed down (the target has infinitely many paths), or the data does not fit.

    Notes
    -----
    What is pushed down: everything. Delta is joins along paths; Pi one join a table; Sigma UNION ALL, and where rows meet
    connected components by rounds of statements. Rows never come to Python, only counts and the rows that an error names.
    Nothing is kept for a later run: a killed job begins anew.
    """
    if job.resume or job.origins or job.strategy != "auto":
        raise InputError(
            "--resume, --origins and --strategy belong to the engine in memory; leave them out, or leave out --engine."
        )
    return _in_duckdb(job, watch) if engine == "duckdb" else _at_url(engine, job, watch)


def _in_duckdb(job: Job, watch: Watch) -> Migrated:
    try:
        import duckdb
        import ibis  # noqa: F401 - said before anything is read
    except ImportError as error:
        raise MissingDependencyError(
            f'--engine duckdb needs the package {_package(error)!r}. To install it: pip install "presheaf[migrate]"'
        ) from None
    found = ready_for_files(job)
    for path in (job.input, job.output):
        if path.suffix.lower() not in ("", ".duckdb", ".ddb"):
            raise InputError(
                f"{path}: --engine duckdb takes DuckDB files and folders of Parquet files; leave it out for others."
            )
    if not job.input.exists():
        read_instance(job.input, found.before)
    remove_leftovers(job.output)
    file, start = bool(job.output.suffix), time.perf_counter()
    try:
        with whole(job.output, job.overwrite) as part:
            connection = duckdb.connect(str(part) if file else ":memory:")
            try:
                if job.budget.bytes is not None:
                    connection.execute(f"SET memory_limit = '{job.budget.bytes}B'")
                with warehouse(connection, before=_clock(job)) as engine:
                    with watch(f"reading {job.input} inside DuckDB"):
                        given = attached(job.input, found.before, engine)
                    result = _moved(job, found.map, given, engine, watch)
                    with watch(f"writing {job.output}"):
                        if file:
                            write_file(result, engine)
                        else:
                            write_parquet(result, engine, part)
            finally:
                connection.close()
    except BudgetExceeded as spent:
        return _over(str(spent), start, "duckdb")
    return _done(result, start, engine)


def _at_url(url: str, job: Job, watch: Watch) -> Migrated:
    try:
        import ibis
    except ImportError as error:
        raise MissingDependencyError(
            f'--engine {without_secrets(url)} needs the package {_package(error)!r}. To install it: pip install "presheaf[migrate]"'
        ) from None
    _check_url(url)
    found = ready(job)
    try:
        backend = ibis.connect(url)
    except ImportError:
        raise MissingDependencyError(
            f'--engine {without_secrets(url)} needs more of Ibis. To install it: pip install "ibis-framework[{url.partition("://")[0]}]"'
        ) from None
    except Exception as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        # What the driver says may hold the address, and with it the password.
        reason = hide_secrets(said[0], url)
        raise InputError(f"--engine {without_secrets(url)}: no connection: {reason}") from None
    into, beginning = _beginning(job.output)
    _check_tables(backend, job, found)
    with warehouse(backend, before=_clock(job)) as engine:
        start = time.perf_counter()
        stored: list[str] = []
        try:
            with watch(f"checking {job.input}*"):
                given = tables_called(found.before.schema, engine, str(job.input))
            result = _moved(job, found.map, given, engine, watch)
            for c, name in enumerate(found.after.presentation.objects):
                with watch(f"writing {job.output}{name}"):
                    engine.store(_named(result, c), beginning + name, into)
                stored.append(engine.identifier(beginning + name, into))
        except BaseException as error:
            for table in stored:
                engine.drop(table)
            if isinstance(error, BudgetExceeded):
                return _over(str(error), start, engine.dialect)
            raise
    return _done(result, start, engine)


def _check_url(url: str) -> None:
    """Refuse what is no URL, and one of a database file that is not there, which connecting would make."""
    scheme, colon, rest = url.partition("://")
    if not colon:
        raise InputError(
            f"--engine {without_secrets(url)}: expected engine, duckdb{suggest(url, ('engine', 'duckdb')) if url else '.'} Or a URL such as "
            "sqlite://shop.sqlite or postgres://user@host/database."
        )
    file = rest.partition("?")[0]
    if scheme in ("sqlite", "duckdb") and rest and not FilePath(file).exists():
        raise InputError(
            f"--engine {without_secrets(url)}: there is no file {file}; write {scheme}:// and then the path, which begins with "
            "another / only if it is absolute."
        )


def _check_tables(backend: Any, job: Job, found: Ready) -> None:
    """Refuse to begin where tables of the input are missing or tables of the output are there."""
    database, start = _beginning(job.input)
    have = backend.list_tables(database=database)
    for name in found.before.schema.presentation.objects:
        if start + name not in have:
            raise InputError(f"the warehouse has no table {job.input}{name}{suggest(start + name, have)}")
    into, beginning = _beginning(job.output)
    have = backend.list_tables(database=into)
    there = [f"{job.output}{name}" for name in found.after.presentation.objects if beginning + name in have]
    if there:
        raise InputError(
            f"the warehouse has tables {', '.join(there)} already; drop them, or give OUTPUT another beginning (--overwrite is for "
            "files)."
        )


def _package(error: ImportError) -> str:
    return "ibis-framework" if error.name == "ibis" else str(error.name)


def tables_called(schema: Schema, engine: Warehouse, beginning: str) -> SqlTables:
    """The tables of a warehouse whose names begin so, as a checked instance; their ids are 0, 1, 2, ... in ``row_key``."""
    database, start = _beginning(FilePath(beginning))
    names = [start + name for name in schema.presentation.objects]
    ids = [row_key(schema, c) for c in range(len(names))]
    return checked(named_tables(schema, engine, names, ids=ids, database=database), engine)


def _beginning(path: FilePath) -> tuple[str | None, str]:
    database, dot, rest = str(path).rpartition(".")
    return (database or None, rest) if dot else (None, str(path))


def _moved(job: Job, map: SchemaMap, given: SqlTables, engine: Warehouse, watch: Watch) -> SqlTables:
    with watch(f"{job.move} of {sum(given.sizes):,} rows in {engine.dialect}"):
        if job.move == "delta":
            result = delta_sql(map, given, engine)
        elif job.move == "pi":
            result = pi_sql(map, given, engine, unknown=job.unknown, most=job.budget.rows)
        else:
            result = sigma_sql(map, given, engine)
    if sum(result.sizes) > job.budget.max_rows:
        raise BudgetExceeded(f"budget exceeded (rows): the result would have {sum(result.sizes):,}")
    return result


def _named(result: SqlTables, c: int) -> Any:
    """Table ``c`` under the names of its schema."""
    schema, table = result.schema, result.tables[c]
    columns = {row_key(schema, c): table.id}
    columns |= {schema.column(j): table[f"k{j}"] for j in schema.keys_of(c)}
    columns |= {schema.attributes[i].name: table[f"a{i}"] for i in schema.attributes_of(c)}
    return table.select(**columns)


def _clock(job: Job) -> Any:
    start = time.perf_counter()

    def look() -> None:
        if job.budget.seconds is not None and time.perf_counter() - start > job.budget.seconds:
            raise BudgetExceeded(f"budget exceeded (seconds) after {time.perf_counter() - start:.1f} s")

    return look


def _over(ending: str, start: float, dialect: str) -> Migrated:
    return Migrated("budget exceeded", ending, f"SQL in {dialect}", {}, 0, time.perf_counter() - start)


def _done(result: SqlTables, start: float, engine: Warehouse) -> Migrated:
    tables = dict(zip(result.schema.presentation.objects, result.sizes, strict=True))
    method = f"{engine.statements} statements in {engine.dialect}"
    return Migrated("complete", "complete", method, tables, sum(result.sizes), time.perf_counter() - start)
