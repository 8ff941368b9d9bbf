"""`presheaf migrate` on the command line: answers, exit codes, messages."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from presheaf.cli.main import main
from presheaf.migration.stores import read_instance

duckdb = pytest.importorskip("duckdb")
EXAMPLE = Path(__file__).parents[2] / "examples" / "school"
FUNCTOR, OLD = str(EXAMPLE / "school.toml"), str(EXAMPLE / "old")
PERSONS = 192
"""36 of the faculty and 180 students, 24 of them both."""


def run(*arguments: object) -> int:
    return main(["migrate", *map(str, arguments)])


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example moved by the engine."""
    output = tmp_path_factory.mktemp("new") / "new.duckdb"
    assert run("--functor", FUNCTOR, "--sigma", OLD, output) == 0
    return output


def test_the_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "new.duckdb"
    assert run("--functor", FUNCTOR, "--sigma", OLD, output, "--origins", "--json", tmp_path / "s.json") == 0
    shown = capsys.readouterr().out
    assert f"Person      {PERSONS}" in shown
    assert f"wrote {output}" in shown
    with duckdb.connect(str(output), read_only=True) as connection:
        found = connection.sql(
            "SELECT p.name, p.origin FROM TA JOIN Student s ON TA.student = s.id JOIN Person p ON s.person = p.id WHERE TA.id = 0"
        ).fetchall()
    faculty = read_instance(OLD).attributes[1][12].as_py()
    assert found == [(faculty, "Faculty 12 . person")]
    summary = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    assert summary["tables"]["Person"] == PERSONS
    assert summary["status"] == "complete"
    assert summary["rows"] == sum(summary["tables"].values())


def test_there_and_back(new: Path, tmp_path: Path) -> None:
    assert run("--functor", FUNCTOR, "--delta", new, tmp_path / "back", "--quiet") == 0
    old = read_instance(OLD)
    back = read_instance(tmp_path / "back", old.schema)
    assert back.sizes == old.sizes
    assert [a.to_pylist() for a in back.attributes] == [a.to_pylist() for a in old.attributes]
    assert all((a == b).all() for a, b in zip(back.columns, old.columns, strict=True))


def same(one: Path, two: Path) -> None:
    a, b = read_instance(one), read_instance(two)
    assert a.schema == b.schema
    assert a.sizes == b.sizes
    assert all((x == y).all() for x, y in zip(a.columns, b.columns, strict=True))
    assert [x.to_pylist() for x in a.attributes] == [y.to_pylist() for y in b.attributes]


def test_duckdb_does_the_same(new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From Parquet to DuckDB, from DuckDB to Parquet and DuckDB; keys that are row numbers, and keys that are not."""
    pytest.importorskip("ibis")
    here, engine = tmp_path / "here.duckdb", ("--engine", "duckdb")
    assert run("--functor", FUNCTOR, "--delta", new, tmp_path / "old", *engine) == 0
    assert run("--functor", FUNCTOR, "--sigma", tmp_path / "old", here, *engine) == 0
    assert "statements in duckdb" in capsys.readouterr().out
    same(here, new)
    assert run("--functor", FUNCTOR, "--sigma", tmp_path / "old", tmp_path / "parquet", *engine) == 0
    same(tmp_path / "parquet", new)


def own_keys(path: Path, dangling: bool = False) -> None:
    """The example as a database of somebody else's: text keys in no order, gaps in the numbers, deleted rows."""
    with duckdb.connect(str(path)) as connection:
        for table, key in (
            ("Department", "code VARCHAR PRIMARY KEY"),
            ("Faculty", "no INTEGER PRIMARY KEY"),
            ("Student", "no INTEGER PRIMARY KEY"),
        ):
            extra = {
                "Department": "title VARCHAR",
                "Faculty": "department VARCHAR REFERENCES Department(code), name VARCHAR, office VARCHAR",
                "Student": "name VARCHAR, enrolled DATE",
            }[table]
            connection.execute(f"CREATE TABLE {table} ({key}, {extra})")
        reference = "" if dangling else " REFERENCES Faculty(no)"
        connection.execute(
            f"CREATE TABLE Course (no INTEGER PRIMARY KEY, teacher INTEGER{reference}, title VARCHAR, credits BIGINT)"
        )
        connection.execute(
            "CREATE TABLE Enrolment (student INTEGER REFERENCES Student(no), course INTEGER REFERENCES Course(no), grade DOUBLE)"
        )
        connection.execute(
            f"CREATE TABLE TA (faculty INTEGER{reference}, student INTEGER REFERENCES Student(no), course INTEGER REFERENCES Course(no))"
        )
        connection.execute("INSERT INTO Department VALUES ('z', 'Zoology'), ('a', 'Arts')")
        connection.execute(
            "INSERT INTO Faculty VALUES (30, 'a', 'Ada', 'N1'), (7, 'z', 'Bo', NULL), (12, 'a', 'Cy', 'N2')"
        )
        connection.execute("INSERT INTO Student VALUES (500, 'Bo', '2024-09-01'), (3, 'Di', NULL)")
        connection.execute(f"INSERT INTO Course VALUES (9, {99 if dangling else 12}, 'Logic', 5)")
        connection.execute("INSERT INTO Enrolment VALUES (3, 9, 1.5)")
        connection.execute("INSERT INTO TA VALUES (7, 500, 9)")


def test_databases_with_keys_of_their_own(tmp_path: Path) -> None:
    pytest.importorskip("ibis")
    own_keys(tmp_path / "in.duckdb")
    for engine in ("engine", "duckdb"):
        code = run(
            "--functor", FUNCTOR, "--sigma", tmp_path / "in.duckdb", tmp_path / f"{engine}.duckdb", "--engine", engine
        )
        assert code == 0
    same(tmp_path / "engine.duckdb", tmp_path / "duckdb.duckdb")
    result = read_instance(tmp_path / "duckdb.duckdb")
    assert dict(zip(result.schema.presentation.objects, result.sizes, strict=True))["Person"] == 4


@pytest.mark.parametrize("engine", ["engine", "duckdb"])
def test_dangling_keys_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str) -> None:
    pytest.importorskip("ibis")
    own_keys(tmp_path / "in.duckdb", dangling=True)
    code = run("--functor", FUNCTOR, "--sigma", tmp_path / "in.duckdb", tmp_path / "o.duckdb", "--engine", engine)
    message = capsys.readouterr().err
    assert code == 2
    assert "Course.teacher" in message
    assert "row 0 (99)" in message
    assert [p.name for p in tmp_path.iterdir()] == ["in.duckdb"]


def test_an_equation_that_fails_names_rows(new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    broken = tmp_path / "broken.duckdb"
    shutil.copy(new, broken)
    with duckdb.connect(str(broken)) as connection:
        connection.execute("UPDATE TA SET student = 1 WHERE id = 2")
    for engine in ("engine", "duckdb"):
        code = run("--functor", FUNCTOR, "--delta", broken, tmp_path / "back", "--engine", engine)
        message = capsys.readouterr().err
        assert code == 2
        assert "TA.faculty Faculty.person = TA.student Student.person" in message
        assert "1 of 24 rows of 'TA': row 2" in message
        assert "Traceback" not in message
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("engine", ["engine", "duckdb"])
def test_values_that_differ_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str) -> None:
    pytest.importorskip("ibis")
    own_keys(tmp_path / "in.duckdb")
    with duckdb.connect(str(tmp_path / "in.duckdb")) as connection:
        connection.execute("UPDATE Student SET name = 'Beau' WHERE name = 'Bo'")
    code = run("--functor", FUNCTOR, "--sigma", tmp_path / "in.duckdb", tmp_path / "out.duckdb", "--engine", engine)
    message = capsys.readouterr().err
    assert code == 2
    assert "'Bo'" in message
    assert "'Beau'" in message
    assert not (tmp_path / "out.duckdb").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--budget-rows", "100"], "rows"),
        (["--budget-rows", "100", "--engine", "duckdb"], "rows"),
        (["--budget-bytes", "1kB"], "bytes"),
        (["--budget-seconds", "0.000001", "--engine", "duckdb"], "seconds"),
    ],
)
def test_budgets(new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str) -> None:
    assert run("--functor", FUNCTOR, "--delta", new, tmp_path / "old", "--quiet") == 0
    assert run("--functor", FUNCTOR, "--sigma", tmp_path / "old", tmp_path / "out.duckdb", *more) == 1
    message = capsys.readouterr().err
    assert f"budget exceeded ({words})" in message
    assert "Raise the limit" in message
    assert not (tmp_path / "out.duckdb").exists()


def test_an_infinite_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "F.toml").write_text(
        '[source.objects.P]\n[target.objects.P]\nkeys = { boss = "P" }\n', encoding="utf-8"
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "schema.toml").write_text("[objects.P]\n", encoding="utf-8")
    (tmp_path / "in" / "P.csv").write_text("id\n0\n", encoding="utf-8")
    assert run("--functor", tmp_path / "F.toml", "--sigma", tmp_path / "in", tmp_path / "out.duckdb") == 1
    message = capsys.readouterr().err
    assert "infinitely many" in message
    assert "path equations" in message
    assert not (tmp_path / "out.duckdb").exists()


def test_dry_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--functor", FUNCTOR, "--sigma", OLD, tmp_path / "o.duckdb", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "at most" in shown
    assert run("--functor", FUNCTOR, "--sigma", OLD, tmp_path / "o.duckdb", "--dry-run", "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["tables"]["Student"] == 180
    assert found["tables"]["Person"] == 36 + 180
    assert found["input"]["TA"] == 24
    assert list(tmp_path.iterdir()) == []


def test_the_schema_of_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_keys(tmp_path / "in.duckdb")
    assert run("--schema-of", tmp_path / "in.duckdb") == 0
    shown = capsys.readouterr().out
    assert "[objects.Faculty]" in shown
    assert 'department = "Department"' in shown
    assert 'office = "string"' in shown


def test_tables_of_a_warehouse_by_url(new: Path, tmp_path: Path) -> None:
    """SQLite through ibis.connect: tables whose names begin with old_ become tables whose names begin with new_."""
    pytest.importorskip("ibis")
    old = read_instance(OLD)
    path = tmp_path / "warehouse.db"
    with sqlite3.connect(path) as connection:
        for c, name in enumerate(old.schema.presentation.objects):
            keys = [(old.schema.column(j), old.columns[j].tolist()) for j in old.schema.keys_of(c)]
            values = [
                (old.schema.attributes[i].name, old.attributes[i].to_pylist()) for i in old.schema.attributes_of(c)
            ]
            columns = [("id", list(range(old.sizes[c]))), *keys, *values]
            connection.execute(f"CREATE TABLE old_{name} ({', '.join(n for n, _ in columns)})")
            rows = [
                [str(v) if hasattr(v, "year") else v for v in row] for row in zip(*(v for _, v in columns), strict=True)
            ]
            connection.executemany(f"INSERT INTO old_{name} VALUES ({', '.join('?' * len(columns))})", rows)
    url = f"sqlite://{path}"
    assert run("--functor", FUNCTOR, "--sigma", "old_", "new_", "--engine", url) == 0
    result = read_instance(new)
    schema = result.schema
    with sqlite3.connect(path) as connection:
        for c, name in enumerate(schema.presentation.objects):
            keys = [f'"{schema.column(j)}"' for j in schema.keys_of(c)]
            names = [f'"{schema.attributes[i].name}"' for i in schema.attributes_of(c)]
            found = connection.execute(
                f"SELECT id, {', '.join([*keys, *names])} FROM new_{name} ORDER BY id"
            ).fetchall()
            expected = zip(
                range(result.sizes[c]), *(result.columns[j].tolist() for j in schema.keys_of(c)),
                *(result.attributes[i].to_pylist() for i in schema.attributes_of(c)), strict=True,
            )  # fmt: skip
            assert found == [tuple(str(v) if hasattr(v, "year") else v for v in row) for row in expected]
        left = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'presheaf%'").fetchall()
    assert left == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([OLD, "x"], "add --functor"),
        (["--functor", FUNCTOR, OLD, "x"], "--sigma, --delta or --pi"),
        (["--functor", FUNCTOR, "--sigma", OLD], "two databases"),
        (["--functor", FUNCTOR, "--sigma", "nowhere.duckdb", "x"], "nowhere.duckdb"),
        (["--functor", "nowhere.toml", "--sigma", OLD, "x"], "nowhere.toml"),
        (["--functor", FUNCTOR, "--sigma", OLD, "x", "--budget-bytes", "much"], "--budget-bytes: 'much'"),
        (["--functor", FUNCTOR, "--sigma", OLD, "x", "--budget-rows", "0"], "--budget-rows: '0'"),
        (["--functor", FUNCTOR, "--sigma", OLD, "x", "--budget-seconds", "3 days"], "--budget-seconds: '3 days'"),
        (["--functor", FUNCTOR, "--sigma", OLD, "no/such/folder/x"], "no folder"),
        (["--functor", FUNCTOR, "--pi", OLD, "x"], "nothing that the map moves determines"),
        (["--functor", FUNCTOR, "--sigma", OLD, "x", "--engine", "nosuch://db"], "--engine nosuch://db"),
        (["--functor", FUNCTOR, "--sigma", OLD, "x", "--engine", "duckdb", "--resume"], "belong to the engine"),
        (["--schema-of", "nowhere.duckdb"], "nowhere.duckdb"),
    ],
)
def test_what_cannot_be_used(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("presheaf: ")
    assert message in shown
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("5000000", 5e6), ("5M", 5e6), ("2k", 2e3), ("1_000", 1e3), ("1.5 g", 1.5e9), ("2Gi", 2 * 2**30)],
)
def test_numbers_with_units(text: str, value: float) -> None:
    from presheaf.cli.migrate import UNITS, number

    assert number(text, "--budget-rows", UNITS, "5M") == value


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("--help")
    assert stopped.value.code == 0
    assert "presheaf migrate --functor F.toml --sigma input.duckdb output.duckdb" in capsys.readouterr().out
