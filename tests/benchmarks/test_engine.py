"""The engine's benchmark: its JSON has the names and fields it promises, sizes are checked, peers agree."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ENGINE = Path(__file__).resolve().parents[2] / "benchmarks" / "engine.py"
NAMES = [
    *("school_square_4m", "school_square_20m", "s9", "m12", "j1", "psl2_101", "t6"),
    *("representability_1m", "validate_100k", "hom_c8_k8", "omega_simplex_3"),
]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(ENGINE), *arguments], capture_output=True, text=True, check=False)


def test_rows_of_json() -> None:
    done = run("--json", "--repeat", "1", "--only", "hom_c8_k8", "omega_simplex_3", "t6")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [r["name"] for r in rows] == ["hom_c8_k8", "omega_simplex_3", "t6"]
    assert [r["size"] for r in rows] == [5_764_808, 2 + 5 + 19 + 167, 6**6]
    for row in rows:
        assert row["unit"] == "s"
        assert row["value"] > 0
        assert row["peak_memory_mb"] > 10
        fastest = min(row["peers"].values(), default=None)
        assert row["ratio"] == (None if fastest is None else pytest.approx(fastest / row["value"]))
    assert "plain Python" in rows[1]["peers"]


def test_the_table_has_a_line_a_task_and_says_what_met_its_target() -> None:
    done = run("--repeat", "1", "--only", "omega_simplex_3")
    assert done.returncode == 0, done.stderr
    head, titles, row = done.stdout.splitlines()
    assert head.startswith("Python ")
    assert "target" in titles
    assert row.split()[:2] == ["omega_simplex_3", "193"]
    assert " met " in row or " missed by " in row


def test_all_names_are_there() -> None:
    refused = run("--only", "no_such_task")
    assert refused.returncode == 2
    for name in NAMES:
        assert name in refused.stderr


def test_a_wrong_answer_is_no_number(tmp_path: Path) -> None:
    """The same programs with another idea of how many sieves there are must not print a time."""
    for file in ENGINE.parent.glob("engine*.py"):
        (tmp_path / file.name).write_text(file.read_text().replace("[2, 5, 19, 167, 7580]", "[2, 5, 19, 168]"))
    done = subprocess.run(
        [sys.executable, str(tmp_path / "engine.py"), "--json", "--repeat", "1", "--only", "omega_simplex_3"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "expected [2, 5, 19, 168]" in done.stderr
    assert not done.stdout.strip()
