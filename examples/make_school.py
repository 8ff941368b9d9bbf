"""Make the school database again, byte for byte: `python examples/make_school.py [--out FOLDER]`.

Everything in it is invented. Two offices keep their own tables: the registry has students and their courses, the
personnel office has faculty. Teaching assistants are in both, and only the list of assistants says so. See README.md.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
from pathlib import Path

FIRST = re.findall(
    r"\w+",
    "Ada Amalie Benoit Carl Caspar Chandra Daniel Edith Elena Emmy Enrico Felix Georg Grace Hedy Henri Ida Ingrid Jakob "
    "Jamila Karen Leonhard Lise Maryam Mikhail Nadia Noor Otto Paula Rosalind Saunders Sofia Srinivasa Tove Vera Yuki",
)
LAST = re.findall(
    r"\w+",
    "Abbott Berg Castro Dahl Eriksen Fontaine Ghosh Holm Ivanova Jensen Kowalski Lund Moreau Nakamura Okafor Petrov Quist "
    "Rossi Sato Tanaka Unger Varga Weber Young Zeller",
)
SUBJECTS = ("Algebra", "Analysis", "Databases", "Geometry", "Logic", "Mechanics", "Optics", "Probability", "Topology")
SCHEMA = """\
[objects.Department]
attributes = { title = "string" }

[objects.Faculty]
keys = { department = "Department" }
attributes = { name = "string", office = "string" }

[objects.Course]
keys = { teacher = "Faculty" }
attributes = { title = "string", credits = "int64" }

[objects.Student]
attributes = { name = "string", enrolled = "date32" }

[objects.Enrolment]
keys = { student = "Student", course = "Course" }
attributes = { grade = "double" }

[objects.TA]
keys = { faculty = "Faculty", student = "Student", course = "Course" }
"""
FUNCTOR = """\
# From two offices' tables to one: every member of faculty and every student is a person, and an assistant is one person.
source = "old/schema.toml"

[target.objects.Department]
attributes = { title = "string" }

[target.objects.Person]
attributes = { name = "string" }

[target.objects.Faculty]
keys = { department = "Department", person = "Person" }
attributes = { office = "string" }

[target.objects.Course]
keys = { teacher = "Faculty" }
attributes = { title = "string", credits = "int64" }

[target.objects.Student]
keys = { person = "Person" }
attributes = { enrolled = "date32" }

[target.objects.Enrolment]
keys = { student = "Student", course = "Course" }
attributes = { grade = "double" }

[target.objects.TA]
keys = { faculty = "Faculty", student = "Student", course = "Course" }

[[target.equations]]
at = "TA"
left = "faculty person"
right = "student person"

# What is not mentioned goes to what has the same name.
[map.Faculty]
attributes = { name = "person name" }

[map.Student]
attributes = { name = "person name" }
"""
FACULTY, COURSES, STUDENTS, ASSISTANTS = 36, 27, 180, 24


def name(i: int) -> str:
    """A different name for every i below 900."""
    return f"{FIRST[(7 * i) % len(FIRST)]} {LAST[(11 * i + i // len(LAST)) % len(LAST)]}"


def tables() -> dict[str, tuple[list[str], list[list[object]]]]:
    """Header and rows of each table. Faculty 12 to 35 assist: they are students 0, 7, 14, ... as well."""
    faculty = [[i, i % 4, name(i), f"{'NESW'[i % 4]}{100 + i}"] for i in range(FACULTY)]
    twin = {7 * k % STUDENTS: FACULTY - ASSISTANTS + k for k in range(ASSISTANTS)}
    students = [[i, name(twin.get(i, 100 + i)), f"{2021 + i % 4}-09-{1 + i % 28:02d}"] for i in range(STUDENTS)]
    courses = [[i, i % 12, f"{SUBJECTS[i % 9]} {i // 9 + 1}", 5 + 5 * (i % 2)] for i in range(COURSES)]
    enrolments: list[list[object]] = []
    for s in range(STUDENTS):
        for c in sorted({(5 * s) % COURSES, (11 * s + 3) % COURSES}):
            grade = f"{1 + (s + 3 * c) % 5 + 0.5 * ((s + c) % 2):.1f}" if s % 6 else ""
            enrolments.append([len(enrolments), s, c, grade])
    assistants = [[k, FACULTY - ASSISTANTS + k, 7 * k % STUDENTS, (3 * k) % COURSES] for k in range(ASSISTANTS)]
    return {
        "Department": (["id", "title"], [[i, t] for i, t in enumerate(("Mathematics", "Physics", "Computing", "Philosophy"))]),
        "Faculty": (["id", "department", "name", "office"], faculty),
        "Course": (["id", "teacher", "title", "credits"], courses),
        "Student": (["id", "name", "enrolled"], students),
        "Enrolment": (["id", "student", "course", "grade"], enrolments),
        "TA": (["id", "faculty", "student", "course"], assistants),
    }  # fmt: skip


def make(out: Path) -> None:
    """Write ``school.toml`` and the folder ``old`` of CSV files into ``out``."""
    old = out / "old"
    old.mkdir(parents=True, exist_ok=True)
    (out / "school.toml").write_bytes(FUNCTOR.encode())
    (old / "schema.toml").write_bytes(SCHEMA.encode())
    for table, (header, rows) in tables().items():
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([header, *rows])
        (old / f"{table}.csv").write_bytes(text.getvalue().encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "school", help="where to write")
    make(parser.parse_args().out)


if __name__ == "__main__":
    main()
