"""A database that runs statements: the one thing that differs between engines, kept small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from presheaf.errors import InputError, MissingDependencyError, PresheafError
from presheaf.migration.store_duckdb import interrupted

Statement = Callable[[str], Sequence[tuple[Any, ...]]]
"""Runs one statement and returns its rows, none for a statement that has no result."""


class BudgetExceeded(PresheafError):
    """A limit is reached; raised between two statements. The sentence says which, and by how much."""


class Warehouse:
    """A connection, with a dialect of SQL that Ibis writes, on which plans run.

    Parameters
    ----------
    dialect : str
        As Ibis calls it: "duckdb", "sqlite", "postgres", "pyspark", ...
    execute : callable
        Runs one statement, returns its rows.
    before : callable, optional
        Called before every statement; may raise, to end a run between two statements.

    Notes
    -----
    Tables on the way are temporary ones of the connection, called ``presheaf_1``, ``presheaf_2``, ...; ``close`` drops
    them. Only counts, and rows that break a rule, are fetched.
    """

    def __init__(self, dialect: str, execute: Statement, *, before: Callable[[], None] | None = None) -> None:
        self.dialect = dialect
        self._execute = execute
        self._before = before
        self._kept: list[str] = []
        self.statements = 0

    def run(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """Run one statement."""
        if self._before is not None:
            self._before()
        self.statements += 1
        try:
            return self._execute(sql)
        except (KeyboardInterrupt, PresheafError):
            raise
        except Exception as error:
            if interrupted(error):
                raise KeyboardInterrupt from error
            if type(error).__name__ == "OutOfMemoryException":
                raise BudgetExceeded(f"budget exceeded (bytes): {self.dialect} says: {_first_line(error)}") from error
            raise InputError(f"{self.dialect} refused a statement: {_first_line(error)}") from error

    def sql(self, expression: Any) -> str:
        """An Ibis expression as this engine's SQL."""
        import ibis

        return str(ibis.to_sql(expression, dialect=self.dialect))

    def rows(self, expression: Any) -> Sequence[tuple[Any, ...]]:
        """Fetch the rows of an Ibis expression."""
        return self.run(self.sql(expression))

    def count(self, expression: Any) -> int:
        """How many rows an Ibis table has."""
        return int(self.rows(expression.aggregate(n=expression.count()))[0][0])

    def keep(self, expression: Any) -> Any:
        """Store an Ibis table in a temporary table of the engine and return that."""
        import ibis

        name = f"presheaf_{self.statements}"
        query = self.sql(expression)
        if self.dialect == "pyspark":
            self.run(f"CACHE TABLE {name} AS {query}")
        else:
            self.run(f"CREATE TEMPORARY TABLE {name} AS {query}")
            if self.dialect == "postgres":
                self.run(f"ANALYZE {name}")
        self._kept.append(name)
        return ibis.table(expression.schema(), name=name)

    def store(self, expression: Any, name: str, database: str | None = None) -> None:
        """Store an Ibis table in a new table of the engine."""
        self.run(f"CREATE TABLE {self.identifier(name, database)} AS {self.sql(expression)}")

    def drop(self, identifier: str) -> None:
        """Drop a table that ``store`` made, whatever ended the run."""
        self._dropped(f"DROP TABLE IF EXISTS {identifier}")

    def identifier(self, name: str, database: str | None = None) -> str:
        """A table's or column's name, quoted as the engine does."""
        parts = [name] if database is None else [database, name]
        return ".".join(_quoted(part, self.dialect) for part in parts)

    def close(self) -> None:
        """Drop the temporary tables."""
        kind = "VIEW" if self.dialect == "pyspark" else "TABLE"
        while self._kept:
            name = self._kept.pop()
            if self.dialect == "pyspark":
                self._dropped(f"UNCACHE TABLE IF EXISTS {name}")
            self._dropped(f"DROP {kind} IF EXISTS {name}")

    def _dropped(self, sql: str) -> None:
        """Run a statement of clearing up. After a full disk an engine refuses all of them; the first error is the one to tell."""
        with suppress(Exception):
            self._execute(sql)

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Warehouse({self.dialect}, {self.statements} statements run)"


def warehouse(connection: Any, *, before: Callable[[], None] | None = None) -> Warehouse:
    """A warehouse on an open connection, which the caller closes.

    Parameters
    ----------
    connection : a DuckDB, sqlite3 or psycopg (2 or 3) connection, a Spark session, or any SQL backend of Ibis
    before : see ``Warehouse``

    Raises
    ------
    MissingDependencyError
        Ibis is not installed.
    InputError
        A connection of another kind.
    """
    try:
        import ibis
    except ImportError:
        raise MissingDependencyError(
            "SQL plans need the package 'ibis-framework'. To install it: pip install \"presheaf[migrate]\""
        ) from None
    module = type(connection).__module__.partition(".")[0]
    if module in ("duckdb", "_duckdb"):
        return Warehouse("duckdb", _fetching(connection), before=before)
    if module == "sqlite3":
        return Warehouse("sqlite", _fetching(connection), before=before)
    if module in ("psycopg2", "psycopg"):
        return Warehouse("postgres", _fetching(connection.cursor()), before=before)
    if module == "pyspark":
        _ = ibis.pyspark  # Ibis writes Spark's SQL only once its options are there, which this loads
        return Warehouse("pyspark", lambda sql: _collected(connection.sql(sql)), before=before)
    if module == "ibis" and hasattr(connection, "raw_sql"):
        return Warehouse(connection.name, lambda sql: _collected(connection.raw_sql(sql)), before=before)
    raise InputError(
        f"a {type(connection).__name__} is no connection that a plan runs on; expected DuckDB, sqlite3, psycopg, a Spark "
        "session or an Ibis backend."
    )


def _fetching(connection: Any) -> Statement:
    """Statements on a DB-API cursor, or on a connection with the same two methods."""

    def execute(sql: str) -> Sequence[tuple[Any, ...]]:
        cursor = connection.execute(sql) or connection
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    return execute


def _collected(result: Any) -> Sequence[tuple[Any, ...]]:
    """Rows of what an Ibis backend's ``raw_sql`` or a Spark session's ``sql`` returns."""
    if hasattr(result, "collect"):
        return [tuple(row) for row in result.collect()]
    if getattr(result, "description", None) is None:
        return []
    return [tuple(row) for row in result.fetchall()]


def _quoted(name: str, dialect: str) -> str:
    import sqlglot

    return str(sqlglot.exp.to_identifier(name, quoted=True).sql("spark" if dialect == "pyspark" else dialect))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
