"""Instances in files and data frames: they come back as they were, and what is wrong is refused by table, column, row."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from migration_worlds import COMPANY, VALUES, lists, odd_names, same, strings, written

from presheaf.errors import InputError
from presheaf.finite.presented.presentation import Presentation
from presheaf.migration import (
    TYPES,
    Attribute,
    Instance,
    Schema,
    from_frames,
    read_instance,
    read_schema,
    to_frames,
    write_instance,
)
from presheaf.migration.arrow_types import arrow_type

duckdb = pytest.importorskip("duckdb")

STORES = [("a.duckdb", None), ("a.sqlite", None), ("folder", None), ("csv", "csv")]
LINK = Schema(Presentation(("A", "B"), (("A.b", 0, 1),)), (Attribute("x", 0, "int64"),))


@pytest.mark.parametrize(("name", "format"), STORES)
@pytest.mark.parametrize("constraints", [True, False])
def test_every_type_and_odd_names_come_back(tmp_path: Path, name: str, format: Any, constraints: bool) -> None:
    given = odd_names()
    write_instance(given, tmp_path / name, format=format, constraints=constraints)
    found = read_instance(tmp_path / name)
    assert found.schema.presentation == given.schema.presentation
    assert same(read_instance(tmp_path / name, given.schema), given)
    assert lists(found) == lists(given)
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("kind", ["arrow", "pandas", "polars"])
def test_frames_come_back(kind: Any) -> None:
    if kind != "arrow":
        pytest.importorskip(kind)
    given = odd_names()
    assert same(from_frames(given.schema, to_frames(given, kind)), given)


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    """Random tables with one attribute of each type, and a foreign key from the first to each."""
    n = draw(st.integers(1, 2))
    sizes = [draw(st.integers(0, 4)) for _ in range(n)]
    keys = [(f"t0.k{j}", 0, j) for j in range(n) if sizes[j] or not sizes[0]]
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "string": text,
        "int64": st.integers(-(2**63), 2**63 - 1),
        "double": st.floats(allow_nan=False),
        "bool": st.booleans(),
        "date32": st.dates(),
        "timestamp": st.datetimes(),
        "decimal": st.decimals(-(10**20), 10**20, places=9),
        "binary": st.binary(max_size=4),
    }
    attributes = tuple(Attribute(f"{name}{c}", c, name) for c in range(n) for name in TYPES)
    values = [
        pa.array([draw(st.none() | kinds[a.type]) for _ in range(sizes[a.object])], arrow_type(a.type))
        for a in attributes
    ]
    columns = [[draw(st.integers(0, max(0, sizes[b] - 1))) for _ in range(sizes[0])] for _, _, b in keys]
    schema = Schema(Presentation(tuple(f"t{c}" for c in range(n)), tuple(keys)), attributes)
    return Instance(schema, sizes, [np.array(c, dtype=np.int32) for c in columns], values)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instances())
def test_random_instances_come_back(tmp_path_factory: pytest.TempPathFactory, given: Instance) -> None:
    folder = tmp_path_factory.mktemp("stores")
    for name, format in STORES:
        write_instance(given, folder / name, format=format)  # type: ignore[arg-type]
        found = read_instance(folder / name)
        assert found.schema == given.schema
        assert found.sizes == given.sizes
        assert all(np.array_equal(x, y) for x, y in zip(found.columns, given.columns, strict=True))
        assert lists(found) == lists(given), name


@pytest.mark.parametrize("name", ["a.duckdb", "a.sqlite"])
def test_keys_are_declared(tmp_path: Path, name: str) -> None:
    """The database itself refuses a dangling key, and its own catalogue gives the schema back without our view."""
    schema = Schema(Presentation(("B", "A"), (("A.b", 1, 0),)), (Attribute("x", 1, "int64"),))
    write_instance(Instance(schema, [1, 2], [[0, 0]], [pa.array([4, 5])]), tmp_path / name)
    connection: Any = duckdb.connect(str(tmp_path / name)) if name == "a.duckdb" else sqlite3.connect(tmp_path / name)
    if name == "a.sqlite":
        connection.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        connection.execute("INSERT INTO A VALUES (2, 9, 0)")
    connection.execute("DROP VIEW presheaf_schema")
    if name == "a.sqlite":
        connection.commit()
    connection.close()
    assert read_schema(tmp_path / name) == schema
    assert [a.name for a in read_schema(tmp_path / name, keep_keys=True).attributes] == ["id", "id", "x"]


def databases(folder: Path, *statements: str) -> list[Path]:
    """The same statements in DuckDB and in SQLite."""
    files = [folder / "d.duckdb", folder / "s.sqlite"]
    for connection in (duckdb.connect(str(files[0])), sqlite3.connect(files[1])):
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
    return files


COUNTRY = (
    "CREATE TABLE country (code VARCHAR PRIMARY KEY, name VARCHAR)",
    "INSERT INTO country VALUES ('de', 'Germany'), ('fr', 'France')",
    'CREATE TABLE city (id INTEGER PRIMARY KEY, "in country" VARCHAR REFERENCES country(code), people BIGINT, founded DATE)',
)


def test_a_database_by_its_own_keys(tmp_path: Path) -> None:
    rows = "INSERT INTO city VALUES (7, 'fr', 2000000, '0052-01-01'), (3, 'de', NULL, NULL), (5, 'fr', 1, NULL)"
    for file in databases(tmp_path, *COUNTRY, rows):
        found = read_instance(file)
        assert found.schema.presentation == Presentation(("country", "city"), (("city.in country", 1, 0),))
        assert lists(found)["country.code"] == ["de", "fr"]  # a key that says something is kept
        people = dict(zip(lists(found)["city.people"], found.columns[0].tolist(), strict=True))
        assert people == {2000000: 1, None: 0, 1: 1}
        assert "city.id" not in lists(found)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            "(1, 'fr', 0, NULL), (2, NULL, 0, NULL), (3, NULL, 0, NULL)",
            r"city.in country is a foreign key, and rows 1, 2 \(from 0\) are without a value",
        ),
        (
            "(1, 'fr', 0, NULL), (2, 'xx', 0, NULL), (3, 'yy', 0, NULL)",
            r"city.in country: 2 of 3 rows refer to no row of country.code: row 1 \('xx'\), row 2 \('yy'\)",
        ),
    ],
)
def test_keys_that_are_no_function_are_refused(tmp_path: Path, rows: str, said: str) -> None:
    statements = [s.replace(" REFERENCES country(code)", "") for s in COUNTRY]
    schema = Schema(Presentation(("country", "city"), (("city.in country", 1, 0),)))
    for file in databases(tmp_path, *statements, f"INSERT INTO city VALUES {rows}"):
        with pytest.raises(InputError, match=said):
            read_instance(file, schema)


def test_double_keys_and_many_bad_rows() -> None:
    b = pa.table({"id": [5, 6, 5, 7, 7]})
    with pytest.raises(
        InputError, match=r"B.id names rows, but 2 values name several: 5 in rows 0 and 2, 7 in rows 3 and 4"
    ):
        from_frames(LINK, {"A": pa.table({"b": [5], "x": [1]}), "B": b})
    with pytest.raises(InputError, match=r"B.id names rows, so each needs a value; row 1 \(from 0\) is without one"):
        from_frames(LINK, {"A": pa.table({"b": [5], "x": [1]}), "B": pa.table({"id": [5, None]})})
    a = pa.table({"b": list(range(10)), "x": [1] * 10})
    with pytest.raises(
        InputError,
        match=r"A.b: 8 of 10 rows .*: row 2 \(2\), row 3 \(3\), row 4 \(4\), row 5 \(5\), row 6 \(6\), \.\.\.",
    ):
        from_frames(LINK, {"A": a, "B": pa.table({"id": [0, 1]})})
    with pytest.raises(InputError, match=r"A.b holds string, B.id holds int64"):
        from_frames(LINK, {"A": pa.table({"b": ["0"], "x": [1]}), "B": pa.table({"id": [0]})})


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (
            (
                "CREATE TABLE a (x INTEGER, y INTEGER, PRIMARY KEY (x, y))",
                "CREATE TABLE b (p INTEGER, q INTEGER, FOREIGN KEY (p, q) REFERENCES a(x, y))",
            ),
            "one foreign key of 2 columns; expected one column. Give 'a' a primary key of one column",
        ),
        (("CREATE TABLE a (x INTERVAL)",), "a.x is a INTERVAL, which no attribute type holds"),
    ],
)
def test_keys_that_make_no_schema(tmp_path: Path, statements: tuple[str, ...], said: str) -> None:
    for file in databases(tmp_path, *statements)[: 1 if "INTERVAL" in statements[0] else 2]:
        with pytest.raises(InputError, match=said):
            read_schema(file)


def test_sqlite_refers_to_a_table_with_no_key(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE b (x INTEGER)")
        connection.execute("CREATE TABLE a (b INTEGER REFERENCES b)")
    with pytest.raises(InputError, match=r"a.b refers to 'b', which has no primary key at all; expected one"):
        read_schema(file)


def test_a_key_that_refers_to_a_unique_column(tmp_path: Path) -> None:
    files = databases(
        tmp_path,
        "CREATE TABLE b (id INTEGER PRIMARY KEY, tag VARCHAR UNIQUE)",
        "CREATE TABLE a (t VARCHAR REFERENCES b(tag))",
        "INSERT INTO b VALUES (1, 'x'), (2, 'y')",
        "INSERT INTO a VALUES ('y'), ('x'), ('y')",
    )
    for file in files:
        assert read_instance(file).columns[0].tolist() == [1, 0, 1]


def test_sqlite_values_of_a_wrong_type_are_named(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE t (n INTEGER, f BOOLEAN, d DATE)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", [(i, 1, "2020-01-01") for i in range(1000)])
    for column, value, said in (
        ("n", "'many'", "t.n, row 700.*'many' is no int64"),
        ("f", "7", "t.f, row 700.*7 is no bool"),
        ("d", "'2020-13-01'", "t.d, row 700.*'2020-13-01' is no date32"),
    ):
        with sqlite3.connect(file) as connection:
            connection.execute(f"UPDATE t SET {column} = {value} WHERE rowid = 701")
        with pytest.raises(InputError, match=said):
            read_instance(file)
        with sqlite3.connect(file) as connection:
            connection.execute(f"UPDATE t SET {column} = NULL WHERE rowid = 701")
    assert lists(read_instance(file))["t.n"][699:702] == [699, None, 701]


def test_sqlite_does_not_swallow_nan(tmp_path: Path) -> None:
    schema = Schema(Presentation(("t",), ()), (Attribute("x", 0, "double"),))
    given = Instance(schema, [1], [], [pa.array([float("nan")])])
    with pytest.raises(InputError, match=r"t.x holds NaN"):
        write_instance(given, tmp_path / "s.sqlite")
    assert list(tmp_path.iterdir()) == []


def csv_folder(folder: Path, a: str, b: str = "id\n1\n2\n") -> Path:
    schema = '[objects.A]\nkeys = { b = "B" }\nattributes = { x = "int64" }\n[objects.B]\nprimary_key = "id"\n'
    written(folder / "schema.toml", schema)
    written(folder / "A.csv", a)
    written(folder / "B.csv", b)
    return folder


def test_a_csv_folder_by_hand(tmp_path: Path) -> None:
    found = read_instance(csv_folder(tmp_path, 'x,b,more\n5,2,"a,\nb"\n,1,\n'))
    assert found.columns[0].tolist() == [1, 0]
    assert lists(found) == {"A.x": [5, None]}


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("x,b\n1,1\n2\n", "id\n1\n", r"A.csv can't be read as CSV: line 3 has 1 fields, the header has 2"),
        ("x,b\n1,1\nfive,1\n", "id\n1\n", r"A.x, row 1 \(from 0\): 'five' is no int64"),
        ("x\n1\n", "id\n1\n", "table 'A' has no column 'b' .its foreign key."),
        ("x,b\n1,3\n", "id\n1\n", r"A.b: 1 of 1 rows refer to no row of B.id: row 0 \('3'\)"),
        ("x,b\n1,1\n", "id\n1\n1\n", "B.id names rows, but 1 values name several: '1' in rows 0 and 1"),
        ("x,b\n1,1\n", "Id\n1\n", "table 'B' has no column 'id' to name its rows.*primary_key.*; did you mean 'Id'"),
        ("", "id\n1\n", "A.csv can't be read as CSV"),
    ],
)
def test_a_wrong_csv_folder(tmp_path: Path, a: str, b: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_instance(csv_folder(tmp_path, a, b))


def test_folders_that_lack_something(tmp_path: Path) -> None:
    folder = csv_folder(tmp_path, "x,b\n")
    (folder / "B.csv").unlink()
    with pytest.raises(InputError, match=r"holds neither B.parquet nor B.csv for table 'B'; there are A.csv"):
        read_instance(folder)
    (folder / "schema.toml").unlink()
    with pytest.raises(InputError, match=r"has no schema.toml"):
        read_instance(folder)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no DuckDB or SQLite file"):
        read_instance(written(tmp_path / "a.duckdb", "hello"))
    with pytest.raises(InputError, match="there is no file or folder"):
        read_instance(tmp_path / "b.duckdb")


def test_path_equations_are_checked_on_reading(tmp_path: Path) -> None:
    schema = read_schema(written(tmp_path / "s.toml", COMPANY))
    frames = {
        "Employee": pa.table(
            {
                "id": [1, 2],
                "manager": [1, 1],
                "works_in": [8, 9],
                "name": ["a", "b"],
                "age": pa.array([1, None], pa.int8()),
            }
        ),
        "Department": pa.table({"id": [8, 9], "secretary": [1, 2], "name": strings("x", None)}),
    }
    said = r"path equation 0 \(Employee.manager Employee.works_in = Employee.works_in\) fails at 1 of 2 rows of 'Employee': row 1"
    with pytest.raises(InputError, match=said):
        from_frames(schema, frames)
    frames["Employee"] = frames["Employee"].set_column(1, "manager", pa.array([1, 2]))
    assert from_frames(schema, frames).columns[0].tolist() == [0, 1]


@pytest.mark.parametrize(("name", "format"), STORES)
def test_written_whole_or_not_at_all(tmp_path: Path, name: str, format: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Instance(LINK, [1, 1], [[0]], [pa.array([1])])
    new = Instance(LINK, [2, 1], [[0, 0]], [pa.array([1, 2])])
    write_instance(old, tmp_path / name, format=format)
    with pytest.raises(InputError, match="is there already"):
        write_instance(new, tmp_path / name, format=format)
    with monkeypatch.context() as patch:
        for store in ("duckdb", "sqlite", "folder"):
            patch.setattr(f"presheaf.migration.store_{store}.arrow_tables", lambda instance: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write_instance(new, tmp_path / name, format=format, overwrite=True)
    assert same(read_instance(tmp_path / name), old)
    write_instance(new, tmp_path / name, format=format, overwrite=True)
    assert same(read_instance(tmp_path / name), new)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_what_is_not_ours_is_not_replaced(tmp_path: Path) -> None:
    given = Instance(LINK, [0, 0], [[]], [pa.array([], pa.int64())])
    (tmp_path / "photos").mkdir()
    written(tmp_path / "photos" / "a.jpg", "")
    with pytest.raises(InputError, match="other things in it"):
        write_instance(given, tmp_path / "photos", overwrite=True)
    with pytest.raises(InputError, match=r"'.db' does not tell the format"):
        write_instance(given, tmp_path / "a.db")
    with pytest.raises(InputError, match="there is no folder"):
        write_instance(given, tmp_path / "no" / "a.duckdb")
    both = Schema(Presentation(("a", "A"), ()))
    with pytest.raises(InputError, match="tables 'a' and 'A' differ in case only"):
        write_instance(Instance(both, [0, 0], []), tmp_path / "a.duckdb")


def test_frames_that_do_not_fit() -> None:
    a, b = pa.table({"b": [0], "x": [1]}), pa.table({"id": [0]})
    with pytest.raises(InputError, match="table 'B' is missing"):
        from_frames(LINK, {"A": a})
    with pytest.raises(InputError, match="'C' is no table of the schema"):
        from_frames(LINK, {"A": a, "B": b, "C": b})
    with pytest.raises(InputError, match="expected a pyarrow, pandas or polars table; got list"):
        from_frames(LINK, {"A": a, "B": [1]})
    with pytest.raises(InputError, match=r"A.x holds double; expected int64"):
        from_frames(LINK, {"A": pa.table({"b": [0], "x": [1.5]}), "B": b})
    wide = pa.table({"b": [0], "x": pa.array([2**63], pa.uint64())})
    with pytest.raises(InputError, match=r"A.x, row 0 \(from 0\): 9223372036854775808 is no int64"):
        from_frames(LINK, {"A": wide, "B": b})
    assert from_frames(LINK, {"A": a.rename_columns(["b", "x"]), "B": pa.table({"k": [0]})}, {"B": "k"}).sizes == (1, 1)


def test_an_empty_table_has_nothing_to_refer_to() -> None:
    for empty in (pa.array([], pa.int64()), strings()):
        for refers in ([7], ["x"]):
            with pytest.raises(InputError, match=r"A.b: 1 of 1 rows refer to no row of B.id"):
                from_frames(LINK, {"A": pa.table({"b": refers, "x": [1]}), "B": pa.table({"id": empty})})


def test_types_that_widen_without_loss() -> None:
    schema = Schema(Presentation(("t",), ()), tuple(Attribute(name, 0, name) for name in TYPES))
    zone = (
        pa.array(["2020-01-01T12:00:00"], pa.string()).cast(pa.timestamp("s")).cast(pa.timestamp("s", "Europe/Paris"))
    )
    frame = pa.table(
        {
            "string": pa.array(["a"]).dictionary_encode(),
            "int64": pa.array([7], pa.uint8()),
            "double": pa.array([1], pa.int32()),
            "bool": pa.nulls(1),
            "date32": pa.array([0], pa.date64()),
            "timestamp": zone,
            "decimal": pa.array([3], pa.int16()),
            "binary": pa.array([b"ab"], pa.binary(2)),
        }
    )
    found = from_frames(schema, {"t": frame})
    values = [column.to_pylist()[0] for column in found.attributes]
    assert values[:4] == ["a", 7, 1.0, None]
    assert [str(v) for v in values[4:]] == ["1970-01-01", "2020-01-01 12:00:00", "3.000000000", "b'ab'"]
    assert {c.type for c in found.attributes} == {arrow_type(name) for name in VALUES}


@pytest.mark.parametrize("name", ["a.duckdb", "a.sqlite"])
def test_foreign_keys_in_a_cycle_come_back(tmp_path: Path, name: str) -> None:
    """DuckDB can't declare them all; the view that describes the file knows them, and the path equations."""
    schema = read_schema(written(tmp_path / "s.toml", COMPANY))
    values = [strings("a", "b", None), pa.array([1, None, 3]), strings("x", "y")]
    given = Instance(schema, [3, 2], [[2, 1, 0], [0, 1, 0], [2, 1]], values)
    write_instance(given, tmp_path / name)
    found = read_instance(tmp_path / name)
    assert found.schema == schema
    assert same(found, given)
