"""The benchmarks of the enriched room run, say what they promise in JSON, and find their worlds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def run(program: str, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / program), "--json", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_calibration_finds_its_worlds() -> None:
    found = run("calibration.py", "--trials", "10")
    assert found["false_representable_rate"] <= 0.3
    assert 0.7 <= found["interval_coverage"] <= 1
    assert len(found["worlds"]) == 6
    assert all(x["rate"] == 1 for x in found["worlds"] if x["kind"] == "world")
    assert {x["expected"] for x in found["nulls"]} == {0.05}
    for x in found["nulls"] + found["intervals"]:
        assert x["low"] <= x["rate"] <= x["high"]


@pytest.mark.slow
def test_calibration_keeps_its_levels() -> None:
    found = run("calibration.py", "--trials", "300")
    assert found["false_representable_rate"] < 0.09
    assert 0.93 <= found["interval_coverage"] <= 0.975


def test_rows_of_the_benchmark() -> None:
    rows = run("enriched.py", "--n", "300", "--only", "magnitude", "magnitude_iterative", "spread", "within")
    assert [r["name"] for r in rows] == ["magnitude", "magnitude_iterative", "spread", "within"]
    for row in rows:
        assert row["n"] == 300
        assert row["seconds"] > 0
        assert row["megabytes"] > 0
    # At t = 2, the fourth of the scales; conjugate gradients agree with the direct solution, and spread is below.
    assert rows[1]["answer"][0] == pytest.approx(rows[0]["answer"][3], rel=1e-4)
    assert all(s <= m * (1 + 1e-5) for s, m in zip(rows[2]["answer"], rows[0]["answer"], strict=True))
    for peer in rows[3]["peers"].values():
        assert peer["answer"] == rows[3]["answer"]
