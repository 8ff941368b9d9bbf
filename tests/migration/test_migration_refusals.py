"""What `presheaf migrate` refuses before it computes, what it keeps when a write fails, and which keys it reads."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pyarrow as pa
import pytest

from presheaf.cli.main import main
from presheaf.errors import InputError
from presheaf.migration import Layout, read_instance, read_schema, schema_toml
from presheaf.migration.checkpoint import remove_leftovers
from presheaf.migration.stores import read_layout, read_map_file, write_instance

duckdb = pytest.importorskip("duckdb")

TABLES = """\
[source.objects.a]
attributes = { name = "string" }
[source.objects.b]
keys = { a = "a" }
[target.objects.a]
attributes = { name = "string" }
[target.objects.b]
keys = { a = "a" }
"""
CODES = TABLES.replace("[source.objects.a]", '[source.objects.a]\nprimary_key = "code"')
ENGINES = ("engine", "duckdb")


def run(*arguments: object) -> int:
    return main(["migrate", *map(str, arguments)])


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def database(path: Path, statements: str) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute(statements)
    return path


def without_keys(folder: Path) -> Path:
    """Two tables that declare no keys; b refers to a.code, and a's ``id`` says something else."""
    return database(
        folder / "in.duckdb",
        "CREATE TABLE a (id INTEGER, code VARCHAR, name VARCHAR); CREATE TABLE b (a VARCHAR);"
        "INSERT INTO a VALUES (1, 'x', 'X'), (0, 'y', 'Y'); INSERT INTO b VALUES ('y'), ('x'), ('y')",
    )


def names_of_b(path: Path) -> list[str]:
    moved = read_instance(path)
    return [moved.attributes[0][row].as_py() for row in moved.columns[0].tolist()]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_primary_key_of_a_map_file_is_the_one_that_is_read(tmp_path: Path, engine: str) -> None:
    if engine == "duckdb":
        pytest.importorskip("ibis")
    source, functor = without_keys(tmp_path), written(tmp_path / "F.toml", CODES)
    assert run("--functor", functor, "--sigma", source, tmp_path / "out.duckdb", "--engine", engine) == 0
    assert names_of_b(tmp_path / "out.duckdb") == ["Y", "X", "Y"]
    # our own files name their rows themselves, whatever the map says of the source's
    back = CODES.replace("target.objects.a]", 'target.objects.a]\nprimary_key = "code"')
    functor = written(tmp_path / "back.toml", back)
    assert run("--functor", functor, "--delta", tmp_path / "out.duckdb", tmp_path / "again", "--engine", engine) == 0
    assert names_of_b(tmp_path / "again") == ["Y", "X", "Y"]


def test_the_primary_key_of_a_map_file_in_csv_and_sqlite(tmp_path: Path) -> None:
    functor = written(tmp_path / "F.toml", CODES)
    (tmp_path / "csv").mkdir()
    written(tmp_path / "csv" / "a.csv", "code,name\nx,X\ny,Y\n")
    written(tmp_path / "csv" / "b.csv", "a\ny\nx\ny\n")
    assert run("--functor", functor, "--sigma", tmp_path / "csv", tmp_path / "one") == 0
    assert names_of_b(tmp_path / "one") == ["Y", "X", "Y"]
    with sqlite3.connect(tmp_path / "in.sqlite") as connection:
        connection.executescript(
            "CREATE TABLE a (id INTEGER PRIMARY KEY, code TEXT, name TEXT); CREATE TABLE b (a TEXT);"
            "INSERT INTO a VALUES (1, 'x', 'X'), (2, 'y', 'Y'); INSERT INTO b VALUES ('y'), ('x'), ('y')"
        )
    connection.close()
    assert run("--functor", functor, "--sigma", tmp_path / "in.sqlite", tmp_path / "two") == 0
    assert names_of_b(tmp_path / "two") == ["Y", "X", "Y"]


def test_a_primary_key_that_is_no_column_and_none_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = without_keys(tmp_path)
    functor = written(tmp_path / "F.toml", CODES.replace('"code"', '"cod"'))
    assert run("--functor", functor, "--sigma", source, tmp_path / "out.duckdb") == 2
    assert "table 'a' has no column 'cod', its primary_key; did you mean 'code'?" in capsys.readouterr().err
    source = database(
        tmp_path / "none.duckdb", "CREATE TABLE a (code VARCHAR, name VARCHAR); CREATE TABLE b (a VARCHAR)"
    )
    functor = written(tmp_path / "F.toml", TABLES)
    assert run("--functor", functor, "--sigma", source, tmp_path / "out.duckdb") == 2
    said = capsys.readouterr().err
    assert "b.a refers to 'a', which declares no primary key; say which column names its rows: primary_key" in said
    assert said.rstrip().endswith("there are code, name.")


def test_the_printed_schema_says_what_names_the_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = database(
        tmp_path / "in.duckdb",
        "CREATE TABLE a (no INTEGER PRIMARY KEY, name VARCHAR); CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a)",
    )
    assert run("--schema-of", source) == 0
    text = capsys.readouterr().out
    assert text.count("primary_key") == 1
    layout = read_layout(written(tmp_path / "s.toml", text))
    assert layout == Layout(read_schema(source), {"a": "no"})
    assert schema_toml(layout) == text
    functor = written(tmp_path / "F.toml", 'source = "s.toml"\ntarget = "s.toml"')
    assert read_map_file(functor).source == layout


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (
            "INSERT INTO a SELECT i, '' FROM range(10) t(i); INSERT INTO b SELECT 2 * i FROM range(12) t(i)",
            "b.a: 7 of 12 rows refer to no row of a.id: row 5 (10), row 6 (12), row 7 (14), row 8 (16), row 9 (18), ... (rows "
            "count from 0). Add",
        ),
        (
            "INSERT INTO a SELECT 5 * i, '' FROM range(10) t(i); INSERT INTO b VALUES (5), (7), (NULL), (NULL)",
            "b.a is a foreign key, and rows 2, 3 (from 0) are without a value; every row must refer to one.",
        ),
        (
            "INSERT INTO a SELECT i // 2, '' FROM range(14) t(i)",
            "a.id names rows, but 7 values name several: 0 in rows 0 and 1, 1 in rows 2 and 3, 2 in rows 4 and 5, 3 in rows 6 and "
            "7, 4 in rows 8 and 9, ... (rows count from 0).",
        ),
        ("INSERT INTO a VALUES (0, ''), (NULL, '')", "a.id names rows, so each needs a value; row 1 (from 0) is without one."),
    ],
    ids=["dangling", "null", "double", "unnamed"],
)  # fmt: skip
@pytest.mark.parametrize("engine", ENGINES)
def test_wrong_keys_are_named_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str, statements: str, said: str
) -> None:
    if engine == "duckdb":
        pytest.importorskip("ibis")
    source = database(
        tmp_path / "in.duckdb", f"CREATE TABLE a (id INTEGER, name VARCHAR); CREATE TABLE b (a INTEGER); {statements}"
    )
    functor = written(tmp_path / "F.toml", TABLES)
    assert run("--functor", functor, "--sigma", source, tmp_path / "out.duckdb", "--engine", engine) == 2
    assert said in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["F.toml", "in.duckdb"]


@pytest.fixture
def good(tmp_path: Path) -> tuple[Path, Path]:
    source = database(
        tmp_path / "in.duckdb",
        "CREATE TABLE a (id INTEGER, name VARCHAR); CREATE TABLE b (a INTEGER);"
        "INSERT INTO a VALUES (7, 'p'), (9, 'q'); INSERT INTO b VALUES (9)",
    )
    return written(tmp_path / "F.toml", TABLES), source


@pytest.mark.parametrize(
    ("output", "more", "said"),
    [
        ("in.duckdb", ["--overwrite"], "in.duckdb is read; give the output another name"),
        ("F.toml", ["--overwrite"], "F.toml is read"),
        ("out.db", [], "'.db' does not tell the format; end the name in .duckdb or .sqlite"),
        ("out.duckdb", ["--json", "nowhere/s.json"], "there is no folder nowhere"),
        ("out.duckdb", ["--engine", "duckbd"], "expected engine, duckdb; did you mean 'duckdb'?"),
        ("new_", ["--engine", "sqlite://nowhere.sqlite"], "there is no file nowhere.sqlite"),
        ("out.duckdb", ["--dry-run", "--engine", "sqlite://nowhere.sqlite"], "--dry-run reads files"),
    ],
)
def test_what_can_be_seen_at_once_is_said_at_once(
    good: tuple[Path, Path], capsys: pytest.CaptureFixture[str], output: str, more: list[str], said: str
) -> None:
    pytest.importorskip("ibis")
    functor, source = good
    before = source.read_bytes()
    assert run("--functor", functor, "--sigma", source, source.parent / output, *more) == 2
    assert said in capsys.readouterr().err
    assert source.read_bytes() == before
    assert sorted(p.name for p in source.parent.iterdir()) == ["F.toml", "in.duckdb"]
    assert not Path("nowhere.sqlite").exists()


def test_an_output_that_holds_the_input(good: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    functor, source = good
    folder = source.parent / "all"
    folder.mkdir()
    written(folder / "schema.toml", "")
    inside = source.rename(folder / "in.duckdb")
    assert run("--functor", functor, "--sigma", inside, folder, "--overwrite") == 2
    assert "is read; give the output another name" in capsys.readouterr().err
    assert inside.exists()


@pytest.mark.parametrize("move", ["sigma", "pi", "delta"])
def test_a_dry_run_refuses_what_the_move_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str], move: str) -> None:
    """boss dept = dept holds in the source; the target says nothing of it, and row 2 of the target's data breaks it."""
    tables = '[{0}.objects.emp]\nkeys = {{ boss = "emp", dept = "dept" }}\n[{0}.objects.dept]\n'
    equation = '[[{}.equations]]\nat = "emp"\nleft = "{}"\nright = "{}"\n'
    text = tables.format("source") + equation.format("source", "boss dept", "dept")
    text += tables.format("target") + equation.format("target", "boss boss", "boss")
    functor = written(tmp_path / "F.toml", text)
    folder = tmp_path / "in"
    folder.mkdir()
    written(folder / "dept.csv", "id\n0\n1\n")
    written(folder / "emp.csv", f"id,boss,dept\n0,0,0\n1,0,0\n2,0,{1 if move == 'delta' else 0}\n")
    for more in ([], ["--dry-run"]):
        assert run("--functor", functor, f"--{move}", folder, tmp_path / "out", *more) == 2
        assert "the map is no functor" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_dry_run_of_pi_refuses_unknown_values(good: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    functor, source = good
    more = functor.read_text().replace('target.objects.b]\nkeys = { a = "a" }', "target.objects.b]\n")
    text = more.replace('target.objects.a]\nattributes = { name = "string" }', "target.objects.a]\n")
    extra = 'keys = { a = "a" }\nattributes = { size = "int64" }\n[map.a]\nattributes.name = false\n'
    written(functor, text + extra)
    assert run("--functor", functor, "--pi", source, source.parent / "out", "--dry-run") == 2
    assert "determines the values of b.size" in capsys.readouterr().err
    assert run("--functor", functor, "--pi", source, source.parent / "out", "--dry-run", "--unknown", "null") == 0


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
@pytest.mark.parametrize("name", ["out.duckdb", "out.sqlite", "out"])
def test_a_full_disk_keeps_the_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Writing the output fails as it does on a full disk; the result was kept, and --resume writes it."""
    import resource

    source = database(
        tmp_path / "in.duckdb",
        "CREATE TABLE a (id INTEGER, name VARCHAR); CREATE TABLE b (a INTEGER);"
        "INSERT INTO a SELECT i, md5(i::VARCHAR) FROM range(30000) t(i); INSERT INTO b VALUES (9)",
    )
    functor = written(tmp_path / "F.toml", TABLES)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def small(*given: object, **more: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
        try:
            write_instance(*given, **more)  # type: ignore[arg-type]
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    output = tmp_path / name
    with monkeypatch.context() as patch:
        patch.setattr("presheaf.migration.run.write_instance", small)
        assert run("--functor", functor, "--sigma", source, output) == 2
    said = capsys.readouterr().err
    assert f"{output} can't be written" in said
    assert "--resume writes it from there" in said
    assert ".part" not in said.replace(f"{output}.partial", "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["F.toml", "in.duckdb", f"{name}.partial"]
    assert run("--functor", functor, "--sigma", source, output, "--resume", "--json", tmp_path / "s.json") == 0
    assert json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))["reused"] == ["result"]
    assert read_instance(output).sizes == (30000, 1)


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
def test_a_full_disk_inside_duckdb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import resource

    pytest.importorskip("ibis")
    source = database(
        tmp_path / "in.duckdb",
        "CREATE TABLE a (id INTEGER, name VARCHAR); CREATE TABLE b (a INTEGER);"
        "INSERT INTO a SELECT i, md5(i::VARCHAR) FROM range(30000) t(i); INSERT INTO b VALUES (9)",
    )
    functor = written(tmp_path / "F.toml", TABLES)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        code = run("--functor", functor, "--sigma", source, tmp_path / "out.duckdb", "--engine", "duckdb")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code == 2
    assert ".part" not in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["F.toml", "in.duckdb"]


def test_memory_that_runs_out_inside_duckdb_is_a_budget(
    good: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ibis")
    functor, source = good
    output = source.parent / "out.duckdb"
    assert run("--functor", functor, "--sigma", source, output, "--engine", "duckdb", "--budget-bytes", "1kB") == 1
    said = capsys.readouterr().err
    assert "budget exceeded (bytes)" in said
    assert "--resume" not in said
    assert not output.exists()


def test_an_infinite_result_leaves_nothing(tmp_path: Path) -> None:
    text = '[source.objects.p]\n[target.objects.p]\nkeys = { boss = "p" }\n'
    folder = tmp_path / "in"
    folder.mkdir()
    written(folder / "p.csv", "id\n0\n")
    assert run("--functor", written(tmp_path / "F.toml", text), "--sigma", folder, tmp_path / "out") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["F.toml", "in"]


def test_the_log_of_a_replaced_file_goes(good: tuple[Path, Path]) -> None:
    functor, source = good
    output = source.parent / "out.sqlite"
    written(output, "old")
    written(source.parent / "out.sqlite-wal", "old")
    assert run("--functor", functor, "--sigma", source, output, "--overwrite") == 0
    assert not (source.parent / "out.sqlite-wal").exists()
    assert names_of_b(output) == ["q"]


def test_tables_of_a_warehouse_that_are_there_or_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ibis")
    file = tmp_path / "w.sqlite"
    with sqlite3.connect(file) as connection:
        connection.executescript(
            "CREATE TABLE raw_a (id INTEGER, name TEXT); CREATE TABLE raw_b (id INTEGER, a INTEGER);"
            "INSERT INTO raw_a VALUES (0, 'p'), (1, 'q'); INSERT INTO raw_b VALUES (0, 1)"
        )
    connection.close()
    functor, engine = written(tmp_path / "F.toml", TABLES), ("--engine", f"sqlite://{file}")
    assert run("--functor", functor, "--sigma", "rav_", "new_", *engine) == 2
    assert "the warehouse has no table rav_a; did you mean 'raw_a'?" in capsys.readouterr().err
    assert run("--functor", functor, "--sigma", "raw_", "new_", *engine) == 0
    capsys.readouterr()
    assert run("--functor", functor, "--sigma", "raw_", "new_", *engine, "--overwrite") == 2
    assert "the warehouse has tables new_a, new_b already" in capsys.readouterr().err


def test_names_that_the_statements_use_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ibis")
    text = '[{0}.objects.a]\nattributes = {{ {1} = "string" }}\n'
    for column, code in (('"presheaf id"', 2), ("name", 0)):
        source = database(
            tmp_path / f"{code}.duckdb",
            "CREATE TABLE a (\"presheaf id\" VARCHAR, name VARCHAR); INSERT INTO a VALUES ('p', 'n')",
        )
        functor = written(tmp_path / "F.toml", text.format("source", column) + text.format("target", column))
        assert run("--functor", functor, "--sigma", source, tmp_path / f"{code}", "--engine", "duckdb") == code
    assert "a.presheaf id: inside DuckDB no column" in capsys.readouterr().err


def test_a_column_called_origin(good: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    functor, source = good
    written(functor, functor.read_text().replace("name", "Origin"))
    database(source, "ALTER TABLE a RENAME name TO Origin")
    assert run("--functor", functor, "--sigma", source, source.parent / "out", "--origins") == 2
    assert "table 'a' has one already" in capsys.readouterr().err


def test_a_layout_beside_data_in_memory_and_in_files(tmp_path: Path) -> None:
    """``read_instance`` takes what names the rows together with the schema."""
    layout = read_map_file(written(tmp_path / "F.toml", CODES)).source
    read = read_instance(without_keys(tmp_path), layout)
    assert read.columns[0].tolist() == [1, 0, 1]
    assert read.attributes[0].equals(pa.chunked_array([["X", "Y"]]))
    with pytest.raises(InputError, match="a foreign key must hold values of the column"):
        read_instance(tmp_path / "in.duckdb", layout.schema)


def test_what_killed_writers_left(good: tuple[Path, Path]) -> None:
    """2**22 is above every process number of Linux; the files of a process that lives, and of other outputs, stay."""
    functor, source = good
    here, dead = source.parent, 2**22 + 1
    gone = [f".out.{dead}.part", f".out.{dead}.part-journal", f".out.{dead}.part.wal"]
    stays = [f".out.{os.getpid()}.part", f".outer.{dead}.part", f".out.{dead}.partial"]
    for name in gone + stays:
        written(here / name, "")
    (here / f".out.{dead}.old").mkdir()
    written(here / f".out.{dead}.old" / "schema.toml", "old")
    assert run("--functor", functor, "--sigma", source, here / "out", "--dry-run") == 0
    assert (here / f".out.{dead}.old").exists()
    remove_leftovers(here / "out")
    assert (here / "out" / "schema.toml").read_text() == "old"
    assert all((here / name).exists() for name in stays)
    assert not any((here / name).exists() for name in gone)
