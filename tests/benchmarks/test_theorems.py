"""The theorems' benchmark as CI runs it: the exact parts hold, and so does what small trainings are long enough to show."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("kornia")
pytest.importorskip("networkx")
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import theorems

from presheaf.errors import MissingDependencyError

FIELDS = {"theorem", "kind", "prediction", "measured", "value", "low", "high", "null", "holds"}
Rows = list[dict[str, Any]]


def quick(capsys: pytest.CaptureFixture[str], *parts: str) -> Rows:
    assert theorems.main(["--quick", "--json", *(word for part in parts for word in ("--only", part))]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_what_is_proved_holds(capsys: pytest.CaptureFixture[str]) -> None:
    """Each number is also what the statement says it is: a third, nothing, or far from nothing."""
    found = quick(capsys, "1.1", "2.1", "graphs", "T1", "backprop")
    proofs = [row for row in found if row["kind"] == "proof"]
    assert [row["theorem"] for row in proofs] == ["1.1"] * 2 + ["2.1", "D2"] + ["T1"] * 3 + ["backprop"] * 6
    for row in found:
        assert set(row) == FIELDS
        assert row["holds"] is True, row
    values = {row["prediction"]: row["value"] for row in proofs if row["value"] is not None}
    assert values.pop("without structure, unlabelled objects are right 1/k of the time, k = 3") == pytest.approx(1 / 3)
    for said, value in values.items():
        assert value > 1e-5 if said.endswith("break it") or said.endswith("breaks it") else value < 1e-9, said
    estimates = [row for row in found if row["kind"] == "estimate"]
    assert [row["theorem"] for row in estimates] == ["1.1"] * 2
    for row in estimates:
        assert 0 <= row["low"] <= row["value"] <= row["high"] <= 1


def test_the_round_trip_law_helps_where_pairs_are_few(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = quick(capsys, "dual")
    assert row["holds"] is True, row
    assert row["low"] > 0.2 > abs(row["null"])  # the same law with its objects scrambled brings nothing


def test_a_part_that_can_not_run_says_so_and_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without(quick: bool, folder: Path) -> Iterator[theorems.Row]:
        raise MissingDependencyError("gensim isn't installed.")
        yield

    monkeypatch.setitem(theorems.PARTS, "graphs", without)
    (row,) = quick(capsys, "graphs")
    assert row["measured"] == "not run: gensim isn't installed."
    assert row["holds"] is None


@pytest.mark.slow
def test_prompts_fail_on_rotation_features_and_work_on_contrastive_ones(capsys: pytest.CaptureFixture[str]) -> None:
    found = quick(capsys, "T1 trained")
    beside = [row for row in found if row["prediction"] == "(beside it)"]
    assert all(row["holds"] is None for row in beside)
    predicted = [row for row in found if row not in beside]
    assert len(predicted) == 5
    for row in predicted:
        assert row["holds"] is True, row


@pytest.mark.slow
def test_fine_tuning_stays_under_its_ceiling(capsys: pytest.CaptureFixture[str]) -> None:
    found = quick(capsys, "T2")
    assert len(found) == 4
    for row in found:
        assert row["holds"] is True, row
    bound = {row["measured"]: row["value"] for row in found}
    assert bound["labels cutting orbits (the turn): fine-tuned, turns merged"] <= 0.25
    assert bound["labels cutting orbits: fine-tuned, turns not merged"] > 0.5


@pytest.mark.slow
def test_training_moves_a_category_to_its_tasks_where_it_can(capsys: pytest.CaptureFixture[str]) -> None:
    found = quick(capsys, "D2")
    assert [row["prediction"] for row in found] == ["nearer to the task's own hom", "no nearer to the groupoid's hom"]
    for row in found:
        assert row["holds"] is True, row
    assert found[0]["high"] < found[0]["null"]
