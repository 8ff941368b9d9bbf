"""Delta, Sigma and Pi on instances with values: by hand, against plain Python joins, and against each other."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from migration_worlds import lists, same, school, strings, written

from presheaf.errors import InputError
from presheaf.finite.columns.budget import Budget
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Presentation
from presheaf.migration import Attribute, Instance, Schema, SchemaMap, delta, pi, read_map, sigma


def people(map: SchemaMap, students: list[str | None]) -> Instance:
    """Five members of faculty, four students; faculty 0, 1 are students 0, 1."""
    faculty = strings("ann", "bob", "cy", "di", "ed")
    values = [faculty, pa.array([10, 20, 30, None, 50]), strings(*students)]
    return Instance(map.source, [2, 5, 4], [[0, 1], [0, 1]], values)


def test_sigma_makes_one_person_of_two_rows(tmp_path: Path) -> None:
    map = school(tmp_path)
    moved = sigma(map, people(map, ["ann", None, "fay", None]))
    # engine notes: 5 faculty, 4 students, 2 TAs in distinct pairs are 7 persons
    assert moved.instance.sizes == (2, 5, 4, 7)
    assert [x.tolist() for x in moved.legs] == [[0, 1], [0, 1, 2, 3, 4], [0, 1, 2, 3]]
    assert lists(moved.instance) == {
        "Faculty.salary": [10, 20, 30, None, 50],
        "Person.name": ["ann", "bob", "cy", "di", "ed", "fay", None],
    }
    assert moved.origins()[3].to_pylist() == [
        *(f"Faculty {i} . faculty_is" for i in range(5)),
        "Student 2 . student_is",
        "Student 3 . student_is",
    ]
    with_origins = moved.with_origins()
    assert lists(with_origins)["TA.origin"] == ["TA 0", "TA 1"]
    assert with_origins.schema.presentation == map.target.presentation


def test_sigma_refuses_two_values_for_one_row(tmp_path: Path) -> None:
    map = school(tmp_path)
    said = (
        "Person.name: row 1 of 'Faculty' says name = 'bob', row 1 of 'Student' says name = 'rob', and both become row 1 (1 "
        "such rows; rows count from 0)"
    )
    with pytest.raises(InputError, match=re.escape(said)):
        sigma(map, people(map, ["ann", "rob", None, "gus"]))


def test_nan_agrees_with_itself() -> None:
    two = Schema(
        Presentation(("a", "b", "c"), (("f", 0, 1), ("g", 0, 2))), tuple(Attribute("x", c, "double") for c in (1, 2))
    )
    one = Schema(Presentation(("p",), ()), (Attribute("x", 0, "double"),))
    map = SchemaMap(
        two, one, PresentationMap(two.presentation, one.presentation, (0, 0, 0), ((), ())), (((), 0), ((), 0))
    )
    nan = pa.array([float("nan")])
    found = sigma(map, Instance(two, [1, 1, 1], [[0], [0]], [nan, nan])).instance
    assert found.sizes == (1,)
    assert np.isnan(found.attributes[0][0].as_py())
    with pytest.raises(InputError, match="both become row 0"):
        sigma(map, Instance(two, [1, 1, 1], [[0], [0]], [nan, pa.array([1.0])]))


def test_delta_looks_up(tmp_path: Path) -> None:
    map = school(tmp_path)
    persons = Instance(
        map.target, [1, 2, 1, 3], [[1], [0], [2, 0], [0]], [pa.array([7, None]), strings("x", "y", None)]
    )
    moved = delta(map, persons)
    assert moved.instance.sizes == (1, 2, 1)
    assert lists(moved.instance) == {"Faculty.name": [None, "x"], "Faculty.salary": [7, None], "Student.name": ["x"]}
    assert [x.tolist() for x in moved.legs] == [[0], [0, 1], [0]]
    assert moved.origins()[1].to_pylist() == ["Faculty 0", "Faculty 1"]


def test_delta_of_what_is_left_behind_is_null(tmp_path: Path) -> None:
    text = '[source.objects.A]\nattributes = { x = "bool" }\n[target.objects.A]\n[map.A]\nattributes = { x = false }\n'
    map = read_map(written(tmp_path / "m.toml", text))
    assert lists(delta(map, Instance(map.target, [2], [])).instance) == {"A.x": [None, None]}


def test_a_map_that_breaks_an_equation_is_refused(tmp_path: Path) -> None:
    text = """
    [source.objects.A]
    keys = { f = "A" }
    [[source.equations]]
    at = "A"
    left = "f f"
    right = "f"
    [target.objects.A]
    keys = { f = "A" }
    [[target.equations]]
    at = "A"
    left = "f f f"
    right = "f f"
    """
    map = read_map(written(tmp_path / "m.toml", text))
    given = Instance(map.target, [3], [[1, 2, 2]])
    said = r"no functor: the source says A.f A.f = A.f, which becomes A.f A.f = A.f, .* 1 of 3 rows of 'A': row 0 \(row 2 .* row 1"
    with pytest.raises(InputError, match=said):
        delta(map, given)
    assert delta(map, Instance(map.target, [2], [[1, 1]])).complete  # on these rows the map does no harm
    for move in (sigma, pi):
        with pytest.raises(
            InputError, match=r"the map is no functor: equation 0 .* A.f A.f and A.f are different paths"
        ):
            move(map, Instance(map.source, [1], [[0]]))


def test_a_wrong_instance_is_refused(tmp_path: Path) -> None:
    map = school(tmp_path)
    given = people(map, [None] * 4)
    with pytest.raises(InputError, match="delta moves an instance of the map's target"):
        delta(map, given)
    for move in (sigma, pi):
        with pytest.raises(InputError, match="moves an instance of the map's source"):
            move(map, sigma(map, given).instance)


def loop() -> SchemaMap:
    target = Schema(Presentation(("A",), (("A.next", 0, 0),)))
    source = Schema(Presentation(("A",), ()))
    return SchemaMap(source, target, PresentationMap(source.presentation, target.presentation, (0,), ((),) * 0))


def test_endless_targets_end_honestly(tmp_path: Path) -> None:
    moved = sigma(loop(), Instance(loop().source, [2], []))
    assert (moved.status, moved.complete) == ("infinite", False)
    with pytest.raises(InputError, match=r"sigma has no result: the target asks for infinitely many rows .*A.next: 1"):
        moved.instance  # noqa: B018
    map = school(tmp_path)
    short = sigma(map, people(map, [None] * 4), budget=Budget(rows=10))
    assert short.status == "budget exceeded"
    assert "rows" in short.ending
    many = Instance(PAIR.source, [100, 100], [], [strings(*["a"] * 100), strings(*["a"] * 100)])
    cut = pi(PAIR, many, budget=Budget(rows=1000))
    assert cut.status == "budget exceeded"
    assert "10,000" in cut.ending
    assert sigma(map, people(map, [None] * 4), cancel=lambda: True).status == "cancelled"


def _pair() -> SchemaMap:
    """Two tables with a name each, into one table that refers to both and has the name: a natural join."""
    source = Schema(Presentation(("S", "F"), ()), (Attribute("name", 0, "string"), Attribute("name", 1, "string")))
    target = Schema(
        Presentation(("S", "F", "P"), (("P.s", 2, 0), ("P.f", 2, 1))),
        tuple(Attribute("name", c, "string") for c in (0, 1)),
    )
    mapping = PresentationMap(source.presentation, target.presentation, (0, 1), ())
    return SchemaMap(source, target, mapping, (((), 0), ((), 1)))


PAIR = _pair()


def test_pi_is_a_product_without_conditions() -> None:
    moved = pi(PAIR, Instance(PAIR.source, [2, 3], [], [strings("a", None), strings("x", "y", "a")]))
    assert moved.instance.sizes == (2, 3, 6)
    assert lists(moved.instance) == {"S.name": ["a", None], "F.name": ["x", "y", "a"]}
    pairs = set(zip(*(c.tolist() for c in moved.instance.columns), strict=True))
    assert pairs == set(product(range(2), range(3)))
    texts = moved.origins()[2].to_pylist()
    assert sorted(texts) == sorted(f"s: S {s}, f: F {f}" for s, f in product(range(2), range(3)))


NATURAL = """
[source.objects.S]
attributes = { name = "string", city = "int64" }
[source.objects.F]
attributes = { name = "string" }
[target.objects.P]
attributes = { name = "string", city = "int64" }
[map.S]
to = "P"
[map.F]
to = "P"
"""
WORDS = st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=7)


@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS)
def test_pi_joins_on_equal_values(
    tmp_path_factory: pytest.TempPathFactory, s: list[str | None], f: list[str | None]
) -> None:
    map = read_map(written(tmp_path_factory.mktemp("pi") / "m.toml", NATURAL))
    given = Instance(map.source, [len(s), len(f)], [], [strings(*s), pa.array(range(len(s)), pa.int64()), strings(*f)])
    moved = pi(map, given)
    found = sorted(zip(*(x.tolist() for x in moved.legs), strict=True))
    assert found == [(i, j) for i, j in product(range(len(s)), range(len(f))) if s[i] is not None and s[i] == f[j]]
    assert lists(moved.instance)["P.name"] == [s[i] for i in moved.legs[0].tolist()]
    assert lists(moved.instance)["P.city"] == moved.legs[0].tolist()


VIA = """
[source.objects.S]
attributes = { city = "string" }
[source.objects.F]
attributes = { city = "string" }
[target.objects.Pair]
keys = { s = "S", f = "F" }
[target.objects.S]
keys = { home = "Town" }
[target.objects.F]
keys = { home = "Town" }
[target.objects.Town]
attributes = { city = "string" }
[[target.equations]]
at = "Pair"
left = "s home"
right = "f home"
[map.S]
attributes = { city = "home city" }
[map.F]
attributes = { city = "home city" }
"""


@settings(max_examples=40, deadline=None)
@given(WORDS, WORDS)
def test_values_reached_by_two_ways_join_too(
    tmp_path_factory: pytest.TempPathFactory, s: list[str | None], f: list[str | None]
) -> None:
    """The equation makes both cities the same arrow out of Pair; at Town itself nothing says what city is."""
    map = read_map(written(tmp_path_factory.mktemp("pi") / "m.toml", VIA))
    given = Instance(map.source, [len(s), len(f)], [], [strings(*s), strings(*f)])
    with pytest.raises(InputError, match=r"nothing that the map moves determines the values of Town.city"):
        pi(map, given)
    found = pi(map, given, unknown="null").instance
    assert found.sizes[1:] == (len(s), len(f), 1)
    pairs = sorted(zip(found.columns[0].tolist(), found.columns[1].tolist(), strict=True))
    assert pairs == [(i, j) for i, j in product(range(len(s)), range(len(f))) if s[i] is not None and s[i] == f[j]]
    assert lists(found) == {"Town.city": [None]}


def test_a_value_that_a_retraction_determines() -> None:
    """d has a key h to c with h r = 1: the value at d, x along r at c, is c's value at h."""
    source = Schema(Presentation(("c",), ()), (Attribute("x", 0, "int64"),))
    target = Schema(
        Presentation(("c", "d"), (("c.r", 0, 1), ("d.h", 1, 0)), (((1, 0), ()),)), (Attribute("x", 1, "int64"),)
    )
    mapping = PresentationMap(source.presentation, target.presentation, (0,), ())
    map = SchemaMap(source, target, mapping, (((0,), 0),))
    found = pi(map, Instance(source, [3], [], [pa.array([5, 6, 5])])).instance
    # an element at d is a row y = x(h); one at c is a row for 1 and one for r h, with equal values
    assert found.sizes == (5, 3)
    assert lists(found) == {"d.x": [5, 6, 5]}
    found_by_hand = {(a, b) for a, b in product(range(3), repeat=2) if [5, 6, 5][a] == [5, 6, 5][b]}
    assert len(found_by_hand) == 5


@st.composite
def squares(draw: st.DrawFn) -> tuple[list[int], list[list[int]], list[str]]:
    """TAs, faculty and students, and one name for all who are the same person."""
    f, s = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    t = draw(st.integers(0, 5))
    columns = [[draw(st.integers(0, n - 1)) for _ in range(t)] for n in (f, s)]
    person = list(range(f + s))
    for a, b in zip(*columns, strict=True):
        x, y = person[a], person[f + b]
        person = [x if p == y else p for p in person]
    return [t, f, s], columns, [f"name {p}" for p in person]


@settings(max_examples=60, deadline=None)
@given(squares())
def test_sigma_then_delta_gives_values_back(
    tmp_path_factory: pytest.TempPathFactory, world: tuple[list[int], list[list[int]], list[str]]
) -> None:
    sizes, columns, names = world
    map = school(tmp_path_factory.mktemp("square"))
    f = sizes[1]
    values = [strings(*names[:f]), pa.array(range(f), pa.int64()), strings(*names[f:])]
    start = Instance(map.source, sizes, columns, values)
    moved = sigma(map, start)
    assert moved.instance.sizes[3] == len(set(names))
    assert sorted(lists(moved.instance)["Person.name"], key=str) == sorted(set(names))
    assert same(delta(map, moved.instance).instance, start)
    for text in moved.origins()[3].to_pylist():
        assert re.fullmatch(r"Faculty \d . faculty_is|Student \d . student_is", text)


def test_origins_along_words_reach_every_row() -> None:
    """A cycle of length 4 made from one row: word i is i letters long."""
    source = Schema(Presentation(("A",), ()))
    target = Schema(Presentation(("A",), (("A.n", 0, 0),), (((0,) * 4, ()),)))
    map = SchemaMap(source, target, PresentationMap(source.presentation, target.presentation, (0,), ()))
    moved = sigma(map, Instance(source, [2], []))
    texts = moved.origins()[0].to_pylist()
    assert sorted(texts) == sorted(f"A {r}{' . n' * i}" for r in range(2) for i in range(4))
    for row, text in enumerate(texts):
        start, *letters = text.split(" . ")
        at = int(moved.legs[0][int(start[2:])])
        for _ in letters:
            at = int(moved.instance.columns[0][at])
        assert at == row


def test_an_instance_does_not_freeze_what_it_was_given() -> None:
    schema = loop().target
    column = np.array([0, 0], dtype=np.int32)
    made = Instance(schema, [2], [column])
    assert not made.columns[0].flags.writeable
    assert column.flags.writeable
