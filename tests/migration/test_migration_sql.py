"""SQL plans: the same rows as the engine, on every SQL engine that the tests can start."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from engines import ENGINES, postgres_connection, spark_connection
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sql_worlds import acyclic, fetch, load, random_instance, random_map, same, schema_of

from presheaf.errors import InputError
from presheaf.finite.presented.kan_right import right_kan
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Presentation
from presheaf.migration.instance import Instance
from presheaf.migration.move_delta import delta
from presheaf.migration.move_pi import pi
from presheaf.migration.move_sigma import sigma
from presheaf.migration.plan import Homs, colimit_plan, equal_paths
from presheaf.migration.schema import Schema, SchemaMap
from presheaf.migration.sql_components import components
from presheaf.migration.sql_delta import delta_sql
from presheaf.migration.sql_pi import pi_sql
from presheaf.migration.sql_sigma import sigma_sql
from presheaf.migration.sql_tables import checked
from presheaf.migration.sql_warehouse import BudgetExceeded, Warehouse, warehouse
from presheaf.migration.stores import read_instance, read_map
from presheaf.migration.with_values import WithValues

pytest.importorskip("ibis")
EXAMPLE = Path(__file__).parents[2] / "examples" / "school"


@pytest.fixture(params=["duckdb", "sqlite"])
def engine(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    with ENGINES[request.param]() as connection, warehouse(connection) as made:
        yield made


@pytest.fixture(scope="module")
def postgres() -> Iterator[Any]:
    with postgres_connection() as connection:
        yield connection


@pytest.fixture
def sqlite() -> Iterator[Warehouse]:
    with warehouse(sqlite3.connect(":memory:")) as made:
        yield made


def world(seed: int) -> tuple[SchemaMap, Instance, Instance] | None:
    """A map, an instance of its source and one of its target; None where the dice find no map."""
    rng = np.random.default_rng(seed)
    source = acyclic(rng, int(rng.integers(1, 4)), int(rng.integers(0, 4)), "s")
    target = acyclic(rng, int(rng.integers(1, 5)), int(rng.integers(0, 6)), "t")
    drawn = random_map(rng, source, target)
    return drawn and (drawn, random_instance(rng, source, 4), random_instance(rng, target, 3))


def by_families(map: SchemaMap, instance: Instance) -> Instance:
    """The engine's Pi with each table in the order of the rows that make up a row, as the SQL plan numbers it."""
    result, extended = pi(map, instance, unknown="null").instance, WithValues(map, instance)
    kan = right_kan(extended.mapping, extended.sizes, extended.columns)
    of = {extended.domain(k): values for k, values in enumerate(extended.values) if values is not None}

    def key(d: int, row: int) -> list[tuple[int, Any]]:
        found: list[tuple[int, Any]] = []
        for c, _, x in kan.element(d, row):
            value = of[c][x].as_py() if c in of else x
            found.append((1, x) if value is None else (0, value))
        return found

    order = [np.array(sorted(range(s), key=lambda r: key(d, r)), dtype=np.int64) for d, s in enumerate(result.sizes)]
    new = [np.argsort(o) for o in order]
    keys = map.target.presentation.generators
    columns = [new[b][result.columns[j][order[a]]] for j, (_, a, b) in enumerate(keys)]
    values = [v.take(pa.array(order[a.object])) for v, a in zip(result.attributes, map.target.attributes, strict=True)]
    return Instance(map.target, result.sizes, columns, values)


def outcome(compute: Any) -> Instance | str:
    try:
        return compute()  # type: ignore[no-any-return]
    except InputError as error:
        return str(error)


def compare(engine: Warehouse, seeds: range) -> int:
    """Sigma, Delta and Pi on random worlds against the engine; where one refuses, so does the other. Rows compared."""
    rows = 0
    for seed in seeds:
        drawn = world(seed)
        if drawn is None:
            continue
        map, instance, back = drawn
        given = checked(load(instance, engine, f"in{seed}_"), engine)
        there = checked(load(back, engine, f"back{seed}_"), engine)
        for theirs, ours in (
            (lambda: delta(map, back).instance, lambda: delta_sql(map, there, engine)),  # noqa: B023
            (lambda: sigma(map, instance).instance, lambda: sigma_sql(map, given, engine)),  # noqa: B023
            (lambda: by_families(map, instance), lambda: pi_sql(map, given, engine, unknown="null")),  # noqa: B023
        ):
            expected, found = outcome(theirs), outcome(lambda: fetch(ours(), engine))  # noqa: B023
            if isinstance(expected, str) or isinstance(found, str):
                assert isinstance(expected, str), f"seed {seed}: only SQL refuses: {found}"
                assert isinstance(found, str), f"seed {seed}: only the engine refuses: {expected}"
                continue
            same(expected, found)
            rows += expected.n_rows
    return rows


def test_random_worlds_agree_with_the_engine_in_sqlite(sqlite: Warehouse) -> None:
    assert compare(sqlite, range(25)) > 800


def test_random_worlds_agree_with_the_engine_in_duckdb() -> None:
    with ENGINES["duckdb"]() as connection, warehouse(connection) as engine:
        assert compare(engine, range(200, 208)) > 50


def test_random_worlds_agree_with_the_engine_in_postgres(postgres: Any) -> None:
    with warehouse(postgres) as engine:
        assert compare(engine, range(300, 310)) > 100


def school_agrees(engine: Warehouse) -> None:
    """The example: 36 + 180 people of whom 24 are in both offices; there and back."""
    map, old = read_map(EXAMPLE / "school.toml"), read_instance(EXAMPLE / "old")
    strings = {i for i, a in enumerate(old.schema.attributes) if a.type in ("string", "int64", "double")}
    source = Schema(old.schema.presentation, tuple(a for i, a in enumerate(old.schema.attributes) if i in strings))
    known = [(a.object, a.name) for a in source.attributes]
    target = Schema(map.target.presentation, tuple(a for a in map.target.attributes if a.type != "date32"))
    images = {(a.object, a.name): image for a, image in zip(map.source.attributes, map.attributes, strict=True)}
    number = {(a.object, a.name): k for k, a in enumerate(target.attributes)}
    attributes = []
    for place in known:
        image = images[place]
        assert image is not None
        theirs = map.target.attributes[image[1]]
        attributes.append((image[0], number[theirs.object, theirs.name]))
    small = SchemaMap(source, target, map.mapping, tuple(attributes))
    instance = Instance(source, old.sizes, old.columns, [v for i, v in enumerate(old.attributes) if i in strings])
    moved = sigma_sql(small, checked(load(instance, engine), engine), engine)
    result = fetch(moved, engine)
    assert dict(zip(target.presentation.objects, result.sizes, strict=True))["Person"] == 192
    same(sigma(small, instance).instance, result)
    same(instance, fetch(delta_sql(small, checked(moved, engine), engine), engine))


def test_the_school_example(engine: Warehouse) -> None:
    school_agrees(engine)


def test_the_school_example_in_postgres(postgres: Any) -> None:
    with warehouse(postgres) as engine:
        school_agrees(engine)


@pytest.mark.slow
def test_the_school_example_and_a_few_worlds_in_spark() -> None:
    with spark_connection() as session, warehouse(session) as engine:
        school_agrees(engine)
        assert compare(engine, range(9, 10)) + compare(engine, range(19, 20)) > 20


SCHOOL = {
    "TA": {"faculty": "Faculty", "student": "Student"},
    "Faculty": {"name": "string"},
    "Student": {"name": "string"},
}
PEOPLE = {
    "TA": {"faculty": "Faculty", "student": "Student"},
    "Faculty": {"person": "Person"},
    "Student": {"person": "Person"},
    "Person": {"name": "string"},
}


def square(names: bool = True) -> SchemaMap:
    """The school square: 5 faculty, 4 students, 2 assistants make 7 persons (CQL's example)."""
    source, target = schema_of(SCHOOL), schema_of(PEOPLE, [("TA.faculty Faculty.person", "TA.student Student.person")])
    mapping = PresentationMap(source.presentation, target.presentation, (0, 1, 2), ((0,), (1,)))
    images = tuple(((g,), 0) if names else None for g in (2, 3))
    return SchemaMap(source, target, mapping, images)


def school(faculty: list[str | None], students: list[str | None]) -> Instance:
    """Assistants: faculty 0 is student 0, faculty 1 is student 1."""
    return Instance(
        square().source, [2, len(faculty), len(students)], [[0, 1], [0, 1]], [pa.array(faculty), pa.array(students)]
    )


def test_the_school_square_by_hand(engine: Warehouse) -> None:
    instance = school(["a", "b", "c", None, "e"], [None, "b", "y", "z"])
    result = fetch(sigma_sql(square(), checked(load(instance, engine), engine), engine), engine)
    assert result.sizes == (2, 5, 4, 7)
    assert result.columns[2].tolist() == [0, 1, 2, 3, 4]
    assert result.columns[3].tolist() == [0, 1, 5, 6]
    assert result.attributes[0].to_pylist() == ["a", "b", "c", None, "e", "y", "z"]


def test_values_that_differ_are_named(engine: Warehouse) -> None:
    instance = school(["a", "b", "c", "d", "e"], ["a", "B", "y", "z"])
    given = checked(load(instance, engine), engine)
    with pytest.raises(InputError, match=r"Faculty.name of row 1 says 'b', Student.name of row 1 says 'B'"):
        sigma_sql(square(), given, engine)


def test_the_square_has_one_join_of_two_tables_left() -> None:
    """At Person only faculty and students stay, with one equality for each assistant; its other tables are unions."""
    map = square()
    homs, same_path = Homs(map.target.presentation), equal_paths(map.source.presentation)
    mapping = map.mapping
    plans = [
        colimit_plan(homs, map.source.presentation, mapping.objects, mapping.paths, d, same_path) for d in range(4)
    ]
    assert [plan.disjoint for plan in plans] == [True, True, True, False]
    assert [plans[3].vertices[v].table for v in plans[3].roots] == [1, 2]
    assert len(plans[3].links) == 1


def test_discrete_opfibrations_and_isomorphisms_are_unions() -> None:
    """Two copies of a -> b over one: a discrete opfibration, so no equality is left; likewise for an identity."""
    one = Presentation(("a", "b"), (("f", 0, 1),))
    two = Presentation(("a1", "b1", "a2", "b2"), (("f1", 0, 1), ("f2", 2, 3)))
    commuting = Presentation(
        ("a", "b", "c", "d"), (("f", 0, 1), ("g", 0, 2), ("h", 1, 3), ("k", 2, 3)), (((0, 2), (1, 3)),)
    )
    for mapping in (PresentationMap(two, one, (0, 1, 0, 1), ((0,), (0,))), PresentationMap.identity(commuting)):
        homs, same_path = Homs(mapping.target), equal_paths(mapping.source)
        for d in range(len(mapping.target.objects)):
            assert colimit_plan(homs, mapping.source, mapping.objects, mapping.paths, d, same_path).disjoint


def plain(presentation: Presentation) -> Schema:
    return Schema(presentation)


CYCLIC = {
    "group of three": Presentation(("*",), (("a", 0, 0),), (((0, 0, 0), ()),)),
    "idempotent": Presentation(("*",), (("e", 0, 0),), (((0, 0), (0,)),)),
    "S_3": Presentation.group("a b", ["a^2", "b^2", "(a b)^3"]),
    "retract": Presentation(("A", "B"), (("s", 0, 1), ("r", 1, 0)), (((0, 1), ()),)),
}


@pytest.mark.parametrize("name", CYCLIC)
def test_targets_with_cycles_but_finitely_many_paths(name: str, sqlite: Warehouse) -> None:
    target = CYCLIC[name]
    source = Presentation(("x", "y"), (("u", 0, 1),))
    paths = [(), (0,), tuple(range(len(target.generators)))[:1]] if len(target.objects) == 1 else [()]
    for i, path in enumerate(paths):
        map = SchemaMap(plain(source), plain(target), PresentationMap(source, target, (0, 0), (path,)))
        instance = Instance(map.source, [3, 2], [[0, 1, 1]])
        found = fetch(sigma_sql(map, checked(load(instance, sqlite, f"s{i}_"), sqlite), sqlite), sqlite)
        same(sigma(map, instance).instance, found)
        found = fetch(pi_sql(map, checked(load(instance, sqlite, f"p{i}_"), sqlite), sqlite), sqlite)
        same(by_families(map, instance), found)


def test_a_point_gives_the_group(sqlite: Warehouse) -> None:
    """1 -> BS_3, two points: Sigma has |G| |X| = 12 elements, Pi |X|^|G| = 64 (engine.md 4)."""
    point = PresentationMap.point(CYCLIC["S_3"])
    map = SchemaMap(plain(point.source), plain(point.target), point)
    given = checked(load(Instance(map.source, [2], []), sqlite), sqlite)
    assert sigma_sql(map, given, sqlite).sizes == (12,)
    assert pi_sql(map, given, sqlite).sizes == (64,)
    with pytest.raises(BudgetExceeded, match="64 rows"):
        pi_sql(map, given, sqlite, most=63)


def test_infinitely_many_paths_are_refused(sqlite: Warehouse) -> None:
    point = PresentationMap.point(Presentation(("Person",), (("boss", 0, 0),)))
    map = SchemaMap(plain(point.source), plain(point.target), point)
    given = checked(load(Instance(map.source, [2], []), sqlite), sqlite)
    with pytest.raises(InputError, match=r"(?s)'Person'.*infinite.*use the engine"):
        sigma_sql(map, given, sqlite)


def test_components_are_those_of_scipy(engine: Warehouse) -> None:
    import ibis

    rng = np.random.default_rng(0)
    line = np.stack([np.arange(299), np.arange(1, 300)], axis=1)
    shuffled = rng.permutation(300)[line]
    sparse = rng.integers(0, 300, (200, 2))
    star = np.stack([np.full(50, 299), np.arange(50)], axis=1)
    for i, edges in enumerate((line, shuffled, sparse, star, np.empty((0, 2), dtype=np.int64), np.full((2, 2), 7))):
        name = f"edges{i}"
        engine.run(f"CREATE TABLE {name} (one BIGINT, two BIGINT)")
        if len(edges):
            engine.run(f"INSERT INTO {name} VALUES {', '.join(f'({a}, {b})' for a, b in edges.tolist())}")
        found = dict(engine.rows(components(ibis.table({"one": "int64", "two": "int64"}, name=name), engine)))
        graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(300, 300))
        label = connected_components(graph, directed=False)[1]
        least = {part: node for node, part in reversed(list(enumerate(label.tolist())))}
        touched = {x for a, b in edges.tolist() if a != b for x in (a, b)}
        assert found == {x: least[label[x]] for x in touched}


def bad_tables(engine: Warehouse, ids: list[int], boss: list[int | None]) -> Any:
    schema = schema_of({"P": {"boss": "P"}}, [("P.boss P.boss", "P.boss")])
    instance = Instance(schema, [0], [[]])
    tables = load(instance, engine)
    rows = ", ".join(f"({i}, {'NULL' if b is None else b})" for i, b in zip(ids, boss, strict=True))
    engine.run(f"INSERT INTO {engine.identifier('in_P')} VALUES {rows}")
    from presheaf.migration.sql_tables import named_tables

    del tables
    return named_tables(schema, engine, ["in_P"], ids=["id"])


@pytest.mark.parametrize(
    ("ids", "boss", "message"),
    [
        ([0, 1, 3], [0, 0, 0], r"'P': expected ids 0 to 2"),
        ([0, 1, 1], [0, 0, 0], r"'P': expected ids 0 to 2"),
        ([0, 1, 2], [0, 5, 0], r"'P', column 'boss': 1 values .*row 1: 5"),
        ([0, 1, 2], [0, 0, None], r"'P', column 'boss': 1 values .*row 2: NULL"),
        (
            [0, 1, 2],
            [1, 2, 2],
            r"path equation 0 .* 1 of 3 rows of 'P': row 0 \(row 2 on the left, row 1 on the right\)",
        ),
    ],
)
def test_tables_that_are_no_instance(engine: Warehouse, ids: list[int], boss: list[int | None], message: str) -> None:
    with pytest.raises(InputError, match=message):
        checked(bad_tables(engine, ids, boss), engine)


def test_a_map_that_breaks_an_equation(sqlite: Warehouse) -> None:
    """C says that boss boss = boss; its image in D, boss itself, is not idempotent on the result of Delta."""
    source, target = schema_of({"P": {"boss": "P"}}, [("P.boss P.boss", "P.boss")]), schema_of({"P": {"boss": "P"}})
    map = SchemaMap(source, target, PresentationMap(source.presentation, target.presentation, (0,), ((0,),)))
    given = checked(load(Instance(target, [3], [[1, 2, 2]]), sqlite), sqlite)
    with pytest.raises(InputError, match=r"no functor.*row 0 \(row 2 on the left, row 1 on the right\)"):
        delta_sql(map, given, sqlite)


def test_odd_names(engine: Warehouse) -> None:
    """Names that SQL must quote, and one that tries to end a statement."""
    odd = 'Robert"); DROP TABLE x;--'
    source = schema_of({"select": {"from": odd}, odd: {"group by": "string"}})
    map = SchemaMap(source, source, PresentationMap.identity(source.presentation), (((), 0),))
    instance = Instance(source, [2, 1], [[0, 0]], [pa.array(["it's"])])
    given = checked(load(instance, engine), engine)
    same(instance, fetch(sigma_sql(map, given, engine), engine))
    same(instance, fetch(delta_sql(map, given, engine), engine))


def test_nothing_is_left_behind(sqlite: Warehouse) -> None:
    given = checked(load(school(["a", "b"], ["a", "b"]), sqlite), sqlite)
    sigma_sql(square(), given, sqlite)
    assert sqlite.run("SELECT COUNT(*) FROM sqlite_temp_master")[0][0] > 0
    sqlite.close()
    assert sqlite.run("SELECT COUNT(*) FROM sqlite_temp_master")[0][0] == 0


def test_connections_of_other_kinds_are_refused() -> None:
    with pytest.raises(InputError, match="no connection that a plan runs on"):
        warehouse(object())
