"""The school square as a migration from one DuckDB file to another, with a name for everybody, measured end to end."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from engine_timing import Measured, clock, expect
from engine_worlds import MIGRATED, school

FUNCTOR = """
[source.objects.TA]
keys = { faculty = "Faculty", student = "Student" }
[source.objects.Faculty]
attributes = { name = "string" }
[source.objects.Student]
attributes = { name = "string" }

[target.objects.TA]
keys = { faculty = "Faculty", student = "Student" }
[target.objects.Faculty]
keys = { is = "Person" }
attributes = { name = "string" }
[target.objects.Student]
keys = { is = "Person" }
attributes = { name = "string" }
[target.objects.Person]

[[target.equations]]
at = "TA"
left = "faculty is"
right = "student is"
"""


def make_school(path: Path, n: int) -> None:
    """Three tables of n rows each in a new DuckDB file."""
    import duckdb

    faculty, student = school(n)
    with duckdb.connect(str(path)) as base:
        for name, columns in (
            ("TA", {"id": np.arange(n, dtype=np.int32), "faculty": faculty, "student": student}),
            ("Faculty", {"id": np.arange(n, dtype=np.int32)}),
            ("Student", {"id": np.arange(n, dtype=np.int32)}),
        ):
            base.register("given", columns)
            more = "" if name == "TA" else f", '{name} ' || id AS name"
            base.execute(f"CREATE TABLE {name} AS SELECT *{more} FROM given")
            base.unregister("given")


def migrate() -> Measured:
    """Read, check, extend, write: with the result's keys declared in the new file (DuckDB indexes them), and without."""
    import duckdb

    from presheaf.migration.move_sigma import sigma
    from presheaf.migration.stores import read_instance, read_map, write_instance

    with tempfile.TemporaryDirectory() as folder:
        given, functor = Path(folder, "school.duckdb"), Path(folder, "F.toml")
        make_school(given, MIGRATED)
        functor.write_text(FUNCTOR)
        cases, persons = {}, 0

        def move(out: Path, constraints: bool) -> None:
            mapping = read_map(functor)
            moved = sigma(mapping, read_instance(given, mapping.source))
            write_instance(moved.instance, out, constraints=constraints)

        for case, constraints in (("keys declared", True), ("keys not declared", False)):
            out = Path(folder, f"{case}.duckdb")
            cases[case], _ = clock(lambda o=out, c=constraints: move(o, c))
            with duckdb.connect(str(out), read_only=True) as base:
                counts = [base.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("TA", "Faculty", "Student")]
                persons = base.execute("SELECT count(*) FROM Person").fetchone()[0]
                broken = base.execute(
                    "SELECT count(*) FROM TA JOIN Faculty f ON faculty = f.id JOIN Student s ON student = s.id "
                    'WHERE f."is" <> s."is"'
                ).fetchone()[0]
            expect("rows kept", counts, [MIGRATED] * 3)
            expect("rows that break the square", broken, 0)
    return Measured(max(cases.values()), persons, cases)
