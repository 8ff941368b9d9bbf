"""`presheaf migrate` from file to file: budgets, checkpoints, and what a kill or Ctrl-C leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from presheaf.errors import InputError
from presheaf.finite.columns.budget import Budget
from presheaf.migration.instance import Instance
from presheaf.migration.run import Job, migrate, plan
from presheaf.migration.stores import read_instance, read_map, write_instance

FUNCTOR = """\
[source.objects.TA]
keys = { faculty = "Faculty", student = "Student" }
[source.objects.Faculty]
attributes = { name = "string" }
[source.objects.Student]
attributes = { name = "string" }

[target.objects.TA]
keys = { faculty = "Faculty", student = "Student" }
[target.objects.Faculty]
keys = { person = "Person" }
[target.objects.Student]
keys = { person = "Person" }
[target.objects.Person]
attributes = { name = "string" }
[[target.equations]]
at = "TA"
left = "faculty person"
right = "student person"

[map.Faculty]
attributes = { name = "person name" }
[map.Student]
attributes = { name = "person name" }
"""
CHAIN = """\
[source.objects.Person]
[target.objects.Person]
keys = { boss = "Person" }
"""
QUIET = lambda sentence: nullcontext()  # noqa: E731


def school(folder: Path, many: int, name: str = "input") -> Job:
    """``many`` assistants, each one of ``many`` faculty and of ``many`` students: ``many`` persons, and the job of Sigma."""
    functor = folder / "F.toml"
    functor.write_text(FUNCTOR, encoding="utf-8")
    source = read_map(functor).source
    rng = np.random.default_rng(many)
    faculty, students = rng.permutation(many), rng.permutation(many)
    names = pa.array([f"é {i}" for i in range(many)], pa.string())
    instance = Instance(source, [many] * 3, [faculty, students], [names, pa.nulls(many, pa.string())])
    write_instance(instance, folder / name, overwrite=True)
    return Job(functor, "sigma", folder / name, folder / "output")


def chain(folder: Path) -> Job:
    """Every person has a boss, who is a person: without an end."""
    functor = folder / "chain.toml"
    functor.write_text(CHAIN, encoding="utf-8")
    write_instance(Instance(read_map(functor).source, [1], []), folder / "persons")
    return Job(functor, "sigma", folder / "persons", folder / "bosses")


def left_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_migration_reads_moves_and_writes(tmp_path: Path) -> None:
    job = school(tmp_path, 50)
    done = migrate(job, QUIET)
    assert done.status == "complete"
    assert done.tables == {"TA": 50, "Faculty": 50, "Student": 50, "Person": 50}
    assert done.reused == ()
    result = read_instance(job.output)
    assert sorted(result.attributes[0].to_pylist()) == sorted(f"é {i}" for i in range(50))
    assert left_in(tmp_path) == ["F.toml", "input", "output"]


def test_there_and_back(tmp_path: Path) -> None:
    job = school(tmp_path, 20)
    migrate(job, QUIET)
    back = replace(job, move="delta", input=job.output, output=tmp_path / "back")
    migrate(back, QUIET)
    one, two = read_instance(job.input), read_instance(back.output)
    assert one.sizes == two.sizes
    assert all(np.array_equal(a, b) for a, b in zip(one.columns, two.columns, strict=True))
    assert two.attributes[0].to_pylist() == one.attributes[0].to_pylist()
    # a student's name was not known; now it is that of the member of faculty who is the same person
    names = one.attributes[0].to_pylist()
    person = dict(zip(one.columns[1].tolist(), one.columns[0].tolist(), strict=True))
    assert two.attributes[1].to_pylist() == [names[person[s]] for s in range(20)]


def test_origins(tmp_path: Path) -> None:
    job = replace(school(tmp_path, 3), origins=True)
    migrate(job, QUIET)
    result = read_instance(job.output)
    assert result.schema.attributes[-1].name == "origin"
    assert result.attributes[-1].to_pylist() == [f"Faculty {i} . person" for i in range(3)]


@pytest.mark.parametrize("move", ["sigma", "delta", "pi"])
def test_a_dry_run_tells_sizes_and_writes_nothing(tmp_path: Path, move: str) -> None:
    job = school(tmp_path, 30)
    if move == "delta":
        migrate(job, QUIET)
        job = replace(job, move="delta", input=job.output, output=tmp_path / "back")
    before = left_in(tmp_path)
    found = plan(replace(job, move=move, unknown="null"), QUIET)
    assert left_in(tmp_path) == before
    if move == "sigma":
        assert not found.exact
        assert found.tables == {"TA": 30, "Faculty": 30, "Student": 30, "Person": 60}
    elif move == "delta":
        assert found.tables == {"TA": 30, "Faculty": 30, "Student": 30}
    else:
        # no table is reached from Person; a TA's two names must agree, and a null agrees with nothing
        assert found.tables == {"TA": 0, "Faculty": 30, "Student": 30, "Person": 1}


def test_a_cyclic_target_has_no_bound_before(tmp_path: Path) -> None:
    assert plan(chain(tmp_path), QUIET).tables == {"Person": None}


def test_budgets_end_honestly_and_keep_the_input(tmp_path: Path) -> None:
    job = school(tmp_path, 50)
    done = migrate(replace(job, budget=Budget(rows=100)), QUIET)
    assert done.status == "budget exceeded"
    assert "rows" in done.ending
    assert not job.output.exists()
    assert (tmp_path / "output.partial" / "input.json").exists()
    again = migrate(replace(job, resume=True), QUIET)
    assert again.reused == ("input",)
    assert again.tables["Person"] == 50
    assert not (tmp_path / "output.partial").exists()


def test_an_infinite_result_is_said_to_be_so(tmp_path: Path) -> None:
    done = migrate(chain(tmp_path), QUIET)
    assert done.status == "infinite"
    assert "boss" in done.ending


def test_an_output_that_is_there_stays(tmp_path: Path) -> None:
    job = school(tmp_path, 5)
    migrate(job, QUIET)
    with pytest.raises(InputError, match="there already"):
        migrate(job, QUIET)
    ended = migrate(replace(job, overwrite=True, budget=Budget(rows=3)), QUIET)
    assert ended.status == "budget exceeded"
    assert read_instance(job.output).sizes == (5, 5, 5, 5)


def test_a_kept_stage_of_another_input_is_not_used(tmp_path: Path) -> None:
    job = school(tmp_path, 50)
    migrate(replace(job, budget=Budget(rows=100)), QUIET)
    school(tmp_path, 40)
    done = migrate(replace(job, resume=True), QUIET)
    assert done.reused == ()
    assert done.tables["Person"] == 40


def test_without_resume_a_run_begins_anew(tmp_path: Path) -> None:
    job = school(tmp_path, 50)
    migrate(replace(job, budget=Budget(rows=100)), QUIET)
    assert migrate(job, QUIET).reused == ()


def test_a_folder_in_the_way_is_not_removed(tmp_path: Path) -> None:
    job = school(tmp_path, 5)
    (tmp_path / "output.partial").mkdir()
    (tmp_path / "output.partial" / "precious").touch()
    with pytest.raises(InputError, match="in the way"):
        migrate(job, QUIET)
    assert (tmp_path / "output.partial" / "precious").exists()


def start(job: Job, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "presheaf", "migrate", "--functor", job.functor, f"--{job.move}", job.input, job.output,
               "--quiet", *more]  # fmt: skip
    return subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )


def when(run: subprocess.Popen[str], path: Path) -> None:
    """Wait until a stage is kept."""
    patience = time.monotonic() + 120
    while not path.exists():
        assert run.poll() is None, f"the run ended first: {run.communicate()[1]}"
        assert time.monotonic() < patience
        time.sleep(0.002)


def same_rows(one: Path, two: Path) -> None:
    """The same files with the same bytes, folders of Parquet as they are."""
    assert left_in(one) == left_in(two)
    for name in left_in(one):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX systems do")
def test_killed_and_stopped_runs_go_on_to_the_same_bytes(tmp_path: Path) -> None:
    job = school(tmp_path, 150_000)
    whole = tmp_path / "whole"
    assert migrate(replace(job, output=whole), QUIET).tables["Person"] == 150_000
    write_instance(read_instance(whole), job.output)
    old = {name: (job.output / name).read_bytes() for name in left_in(job.output)}
    partial = tmp_path / "output.partial"

    killed = start(job, "--overwrite")
    when(killed, partial / "input.json")
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert {name: (job.output / name).read_bytes() for name in left_in(job.output)} == old

    stopped = start(job, "--overwrite", "--resume")
    when(stopped, partial / "result.json")
    stopped.send_signal(signal.SIGINT)
    _, err = stopped.communicate(timeout=60)
    assert stopped.returncode == 130
    assert "--resume" in err
    assert "Traceback" not in err
    assert left_in(tmp_path) == ["F.toml", "input", "output", "output.partial", "whole"]

    summary = tmp_path / "summary.json"
    resumed = start(job, "--overwrite", "--resume", "--json", str(summary))
    _, err = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, err
    assert json.loads(summary.read_text(encoding="utf-8"))["reused"] == ["result"]
    same_rows(job.output, whole)
    assert left_in(tmp_path) == ["F.toml", "input", "output", "summary.json", "whole"]


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX systems do")
def test_what_a_killed_writer_left_is_cleared_away(tmp_path: Path) -> None:
    job = school(tmp_path, 5)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f".output.{gone.pid}.part").mkdir()
    (tmp_path / f".output.{os.getpid()}.other").touch()
    migrate(job, QUIET)
    assert left_in(tmp_path) == [f".output.{os.getpid()}.other", "F.toml", "input", "output"]
