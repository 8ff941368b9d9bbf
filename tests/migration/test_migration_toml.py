"""Schemas and schema maps in TOML: what they mean, what they refuse, and that they come back as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from migration_worlds import COMPANY, SCHOOL, odd_names, school, written

from presheaf.errors import InputError
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Presentation
from presheaf.migration import TYPES, Attribute, Layout, Schema, SchemaMap, map_toml, read_map, read_schema, schema_toml
from presheaf.migration.schema_toml import read_schema_toml


def test_a_company(tmp_path: Path) -> None:
    schema = read_schema(written(tmp_path / "s.toml", COMPANY))
    assert schema.presentation == Presentation(
        ("Employee", "Department"),
        (("Employee.manager", 0, 0), ("Employee.works_in", 0, 1), ("Department.secretary", 1, 0)),
        (((0, 1), (1,)), ((2, 1), ())),
    )
    assert schema.attributes == (
        Attribute("name", 0, "string"),
        Attribute("age", 0, "int64"),
        Attribute("name", 1, "string"),
    )


def test_the_school_map(tmp_path: Path) -> None:
    map = school(tmp_path)
    assert map.mapping.objects == (0, 1, 2)
    assert map.mapping.paths == ((0,), (1,))
    # Faculty.name -> faculty_is name, Faculty.salary -> itself, Student.name -> student_is name
    assert map.attributes == (((2,), 1), ((), 0), ((3,), 1))


def test_identity_paths_and_what_is_left_behind(tmp_path: Path) -> None:
    text = """
    source = "company.toml"
    [target.objects.Firm]
    attributes = { name = "string" }
    [map.Employee]
    to = "Firm"
    keys = { manager = "", works_in = "1" }
    attributes = { name = "name", age = false }
    [map.Department]
    to = "Firm"
    keys = { secretary = [] }
    """
    written(tmp_path / "company.toml", COMPANY)
    map = read_map(written(tmp_path / "m.toml", text))
    assert map.mapping.paths == ((), (), ())
    assert map.attributes == (((), 0), None, ((), 0))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('works_in = "Department"', 'works_in = "Departmant"', r"objects.Employee\] keys.*did you mean 'Department'"),
        ('age = "int64"', 'age = "int"', "Employee.*'age' has type 'int'.*did you mean"),
        (
            'attributes = { name = "string", age',
            'attribute = { name = "string", age',
            "'attribute' is not known.*attributes",
        ),
        (
            'left = "manager works_in"',
            'left = "manager works_on"',
            "equation 0 left: 'works_on' is no foreign key.*'works_in'",
        ),
        ('right = "works_in"', 'right = "manager"', "ends at 'Department', the right side at 'Employee'"),
        ('at = "Employee"', 'at = "Employe"', "equation 0: at = 'Employe' is no table; did you mean 'Employee'"),
        ('at = "Employee"', "", "equation 0: 'at' is missing"),
        ("[[equations]]", "[equations]", "TOML|double brackets"),
        ('"Employee", works_in', '"Employee", name', "Employee.name.*foreign key of this name already"),
        ("[objects.Employee]", "[objects.Employee", "s.toml is not TOML.*line 2"),
    ],
)
def test_a_wrong_schema_is_refused_where_it_is_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in COMPANY
    with pytest.raises(InputError, match=said) as caught:
        read_schema(written(tmp_path / "s.toml", COMPANY.replace(old, new, 1)))
    assert "s.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[map.Student]", "[map.Studnt]", r"\[map.Studnt\] is no table of the source; did you mean 'Student'"),
        ('"student_is name"', '"student_is nam"', "attributes: 'name': 'nam' is no attribute of 'Person'.*'name'"),
        ('"student_is name"', '"student name"', "'student' is no foreign key of 'Student'; did you mean 'student_is'"),
        ('"student_is name"', '""', "path is empty; expected one that ends in an attribute"),
        (
            '[map.Student]\nattributes = { name = "student_is name" }',
            "",
            "'name' has no image, and 'Student' has no attribute",
        ),
        (
            "[map.Student]",
            '[map.TA]\nto = "Person"\n[map.Student]',
            "'faculty' has no image, and 'Person' has no foreign key",
        ),
        ("[map.Student]", '[map.TA]\nto = "Persn"\n[map.Student]', "to = 'Persn' is no table of the target.*'Person'"),
        (
            "[map.Student]",
            '[map.TA]\nkeys = { faculty = "student" }\n[map.Student]',
            "path ends at 'Student'; expected 'Faculty'",
        ),
        ("[map.Student]", '[map.TA]\nkeys = { facult = "faculty" }\n[map.Student]', "'facult' is not known.*'faculty'"),
        ('{ name = "student_is name" }', "{ name = 3 }", "expected a path as a string"),
        (
            '[source.objects.Student]\nattributes = { name = "string" }',
            '[source.objects.Student]\nattributes = { name = "int64" }',
            "int64 values can't become Person.name, a string",
        ),
    ],
)
def test_a_wrong_map_is_refused_where_it_is_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SCHOOL
    with pytest.raises(InputError, match=said) as caught:
        read_map(written(tmp_path / "m.toml", SCHOOL.replace(old, new, 1)))
    assert "m.toml" in str(caught.value)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    written(tmp_path / "schema.toml", COMPANY)
    with pytest.raises(InputError, match=r"there is no file or folder .*did you mean 'schema.toml'"):
        read_schema(tmp_path / "shema.toml")
    with pytest.raises(InputError, match="'target' is missing"):
        read_map(written(tmp_path / "m.toml", 'source = "schema.toml"'))
    (tmp_path / "latin.toml").write_bytes("a = 'é'".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin.toml is not UTF-8"):
        read_schema(tmp_path / "latin.toml")


def test_the_writer_is_read_back(tmp_path: Path) -> None:
    schema = odd_names().schema
    layout = Layout(schema, {"select": "a\\b", "empty": "k"})
    found = read_schema_toml(written(tmp_path / "s.toml", schema_toml(layout)))
    # attributes come back in the order of their tables
    order = sorted(range(len(schema.attributes)), key=lambda i: schema.attributes[i].object)
    assert found.schema == Schema(schema.presentation, tuple(schema.attributes[i] for i in order))
    assert found.primary_keys == layout.primary_keys
    map = school(tmp_path)
    assert read_map(written(tmp_path / "m.toml", map_toml(map))) == map


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)


@st.composite
def maps(draw: st.DrawFn) -> SchemaMap:
    """A random schema with any names, and a map of its copy without equations onto it."""
    objects = tuple(draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)))
    generators, attributes = [], []
    for c, name in enumerate(objects):
        columns = draw(st.lists(NAMES, max_size=4, unique=True))
        cut = draw(st.integers(0, len(columns)))
        generators += [(f"{name}.{x}", c, draw(st.integers(0, len(objects) - 1))) for x in columns[:cut]]
        attributes += [Attribute(x, c, draw(st.sampled_from(TYPES))) for x in columns[cut:]]
    names = [g[0] for g in generators]
    if len(set(names)) < len(names) or any(
        x.startswith(f"{t}.") for t in objects for g in names for x in [g.split(".", 1)[1]]
    ):
        generators, attributes = [], []
    loops = [(j,) for j, g in enumerate(generators) if g[1] == g[2]]
    equations = tuple((loop, draw(st.sampled_from([(), loop * 2]))) for loop in loops)
    target = Schema(Presentation(objects, tuple(generators), equations), tuple(attributes))
    source = Schema(Presentation(objects, tuple(generators)), tuple(attributes))
    identity = tuple((j,) for j in range(len(generators)))
    mapping = PresentationMap(source.presentation, target.presentation, tuple(range(len(objects))), identity)
    images = tuple(draw(st.sampled_from([None, ((), i)])) for i in range(len(attributes)))
    return SchemaMap(source, target, mapping, images)


@settings(max_examples=150, deadline=None)
@given(maps())
def test_any_names_survive(tmp_path_factory: pytest.TempPathFactory, map: SchemaMap) -> None:
    file = tmp_path_factory.mktemp("maps") / "m.toml"
    assert read_map(written(file, map_toml(map))) == map
