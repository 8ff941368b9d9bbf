"""Schemas, maps and instances that the migration tests share."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa

from presheaf.finite.presented.presentation import Presentation
from presheaf.migration import TYPES, Attribute, Instance, Schema, SchemaMap, read_map
from presheaf.migration.arrow_types import arrow_type

COMPANY = """
[objects.Employee]
keys = { manager = "Employee", works_in = "Department" }
attributes = { name = "string", age = "int64" }

[objects.Department]
keys = { secretary = "Employee" }
attributes = { name = "string" }

[[equations]]
at = "Employee"
left = "manager works_in"
right = "works_in"

[[equations]]
at = "Department"
left = ["secretary", "works_in"]
right = ""
"""

SCHOOL = """
[source.objects.TA]
keys = { faculty = "Faculty", student = "Student" }
[source.objects.Faculty]
attributes = { name = "string", salary = "int64" }
[source.objects.Student]
attributes = { name = "string" }

[target.objects.TA]
keys = { faculty = "Faculty", student = "Student" }
[target.objects.Faculty]
keys = { faculty_is = "Person" }
attributes = { salary = "int64" }
[target.objects.Student]
keys = { student_is = "Person" }
[target.objects.Person]
attributes = { name = "string" }
[[target.equations]]
at = "TA"
left = "faculty faculty_is"
right = "student student_is"

[map.Faculty]
attributes = { name = "faculty_is name" }
[map.Student]
attributes = { name = "student_is name" }
"""

VALUES = {
    "string": ["a", "", 'né\n"q", \t\'', None],
    "int64": [1, -(2**63), 2**63 - 1, None],
    "double": [1.5, float("inf"), 5e-324, None],
    "bool": [True, False, None, True],
    "date32": [dt.date(1, 1, 1), dt.date(9999, 12, 31), None, dt.date(2020, 2, 29)],
    "timestamp": [
        dt.datetime(1900, 1, 1, 1, 2, 3, 4),
        None,
        dt.datetime(2020, 1, 1),
        dt.datetime(9999, 12, 31, 23, 59),
    ],
    "decimal": [Decimal("1.100000001"), Decimal("12345678901234567890.123456789"), None, Decimal("-0.5")],
    "binary": [b"\0\xff", b"", None, b"abc"],
}


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def school(folder: Path) -> SchemaMap:
    return read_map(written(folder / "school.toml", SCHOOL))


def strings(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


def odd_names() -> Instance:
    """Tables and columns whose names SQL and file systems dislike, every type, an empty table, one without columns."""
    objects = ("select", 'a"; DROP TABLE x;--', "../up", "Nothing here", "empty")
    generators = (
        ("select.from", 0, 1),
        ("select.order by", 0, 0),
        ('a"; DROP TABLE x;--.id', 1, 2),
        ("empty.k", 4, 0),
    )
    presentation = Presentation(objects, generators, (((1, 0), (0,)), ((1, 1), (1,))))
    types = [Attribute(f"{name} é\"'", 2, name) for name in TYPES]
    schema = Schema(presentation, (*types, Attribute("x;y", 4, "string"), Attribute("ID", 0, "int64")))
    columns = [[0, 0, 1], [0, 0, 2], [3, 1], []]
    values = [pa.array(VALUES[name], arrow_type(name)) for name in TYPES]
    columns = [np.array(c, dtype=np.int32) for c in columns]
    return Instance(schema, [3, 2, 4, 5, 0], columns, [*values, strings(), pa.array([7, None, 9])])


def same(a: Instance, b: Instance) -> bool:
    columns = all(np.array_equal(x, y) for x, y in zip(a.columns, b.columns, strict=True))
    values = all(x.equals(y) for x, y in zip(a.attributes, b.attributes, strict=True))
    return a.sizes == b.sizes and columns and values


def lists(instance: Instance) -> dict[str, list[object]]:
    """Attributes as Python lists by ``Table.name``."""
    return {instance.schema.show(i): column.to_pylist() for i, column in enumerate(instance.attributes)}
