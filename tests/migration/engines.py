"""SQL engines that the tests start themselves: DuckDB and SQLite in the process, PostgreSQL on loopback, Spark in local mode."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def duckdb_connection() -> Iterator[Any]:
    connection = pytest.importorskip("duckdb").connect()
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def sqlite_connection() -> Iterator[Any]:
    connection = sqlite3.connect(":memory:")
    try:
        yield connection
    finally:
        connection.close()


def _as_other(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root; a command that runs as somebody else then."""
    if os.geteuid() != 0:
        return command
    return ["runuser", "-u", "nobody", "--", *command]


@contextmanager
def postgres_connection() -> Iterator[Any]:
    """A server of its own in a temporary folder, stopped and removed afterwards; skipped where it can't be started."""
    driver = pytest.importorskip("psycopg2")
    initdb, server = shutil.which("initdb"), shutil.which("postgres")
    if initdb is None or server is None:
        pytest.skip("initdb and postgres are not in PATH")
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    folder = Path(tempfile.mkdtemp(prefix="presheaf-postgres-"))
    data = folder / "data"
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        made = subprocess.run(
            _as_other([initdb, "-D", str(data), "-U", "presheaf", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]),
            capture_output=True, text=True, cwd=folder,
        )  # fmt: skip
        if made.returncode:
            pytest.skip(f"initdb failed: {made.stderr.strip().splitlines()[-1]}")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-k", str(folder)]
        with (folder / "log").open("w") as log:
            running = subprocess.Popen(
                _as_other([server, "-D", str(data), *options]), stdout=log, stderr=log, cwd=folder
            )
            try:
                connection = _connect(driver, port, running)
                connection.autocommit = True
                try:
                    yield connection
                finally:
                    connection.close()
            finally:
                running.terminate()
                running.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _connect(driver: Any, port: int, running: subprocess.Popen[bytes]) -> Any:
    import time

    for _ in range(300):
        assert running.poll() is None, "the server ended at once"
        try:
            return driver.connect(host="127.0.0.1", port=port, user="presheaf", dbname="postgres")
        except driver.OperationalError:
            time.sleep(0.1)
    raise AssertionError("the server did not answer within 30 seconds")


@contextmanager
def spark_connection() -> Iterator[Any]:
    """Spark in local mode on one core, with its files in a temporary folder."""
    sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("there is no java")
    folder = tempfile.mkdtemp(prefix="presheaf-spark-")
    session = (
        sql.SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.warehouse.dir", folder)
        .config("spark.driver.memory", "1g")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield session
    finally:
        session.stop()
        shutil.rmtree(folder, ignore_errors=True)


ENGINES = {
    "duckdb": duckdb_connection,
    "sqlite": sqlite_connection,
    "postgres": postgres_connection,
    "pyspark": spark_connection,
}
