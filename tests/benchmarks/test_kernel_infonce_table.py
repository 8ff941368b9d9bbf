"""The comparison of kernels: its statistics beside SciPy's, its table by hand, and one short training."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path[:0] = [str(Path(__file__).parents[2] / "benchmarks")]
import kernel_infonce as bench  # noqa: E402

stats = pytest.importorskip("scipy.stats")


def row(task: str, seed: int, step: int, head: float) -> dict[str, Any]:
    return {"data": "d", "task": task, "seed": seed, "step": step, "head": head, "prototype": head - 0.1,
            "ideality": 0.9, "shuffled": 0.99}  # fmt: skip


HEADS = {"a": [0.80, 0.82, 0.87], "simclr": [0.81, 0.80, 0.84]}
ROWS = [
    {"data": "d", "task": "pixels", "seed": None, "step": 0, "head": 0.7, "prototype": 0.6},
    *(row(task, seed, 0, 0.5 + seed / 100) for task in HEADS for seed in (2, 0, 1)),
    *(row(task, seed, 9, HEADS[task][seed]) for task in HEADS for seed in (1, 2, 0)),
]


def test_intervals_and_p_are_those_of_scipy() -> None:
    values = np.array([0.01, 0.03, -0.02, 0.04])
    found = stats.ttest_1samp(values, 0)
    low, high = found.confidence_interval(0.95)
    mean, half = bench.spread(values)
    assert (mean - half, mean + half) == pytest.approx((low, high))
    assert bench.p_of(values) == pytest.approx(found.pvalue)
    assert bench.p_of(np.array([0.1])) == bench.p_of(np.zeros(3)) == 1.0
    assert bench.p_of(np.full(3, 0.5)) == 0.0


def test_differences_are_paired_by_seed_and_taken_from_simclr() -> None:
    np.testing.assert_allclose(bench.paired(ROWS, "a", ("simclr", True), "head"), [-0.01, 0.02, 0.03])
    np.testing.assert_allclose(bench.paired(ROWS, "a", ("a", False), "head"), [0.30, 0.31, 0.35])
    missing = [one for one in ROWS if (one["task"], one["seed"]) != ("simclr", 1)]
    np.testing.assert_allclose(bench.paired(missing, "a", ("simclr", True), "head"), [-0.01, 0.03])
    lines = list(bench.table(ROWS))
    starts = [line.split("  ")[0] for line in lines]
    assert starts[1:] == ["mean over seeds", "raw pixels (no training)", "random weights", "a", "simclr", "minus simclr", "a",
                          "minus random weights", "a", "simclr"]  # fmt: skip
    assert "+0.0133 +- " in lines[7]


def test_rows_of_something_else_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"task": "simclr"}) + "\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="holds no rows"):
        bench.read(file)
    file.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    assert bench.read(file) == ROWS


def test_a_short_training_from_the_same_weights() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("kornia")
    pytest.importorskip("sklearn")
    data = bench.images("digits")
    first, second = (bench.runs("digits", data, task, 0, 2) for task in bench.QUICK)
    assert [one["step"] for one in first] == [0, 2]
    assert first[0]["head"] == second[0]["head"] > 0.8  # random weights: the loss has not been seen yet
    assert first[0]["prototype"] == second[0]["prototype"]
    assert first[1]["prototype"] != second[1]["prototype"]
    assert 0.9 < first[0]["ideality"] <= 1
    own = bench.pixels("digits", data)
    flat = np.asarray(data.test, dtype=float).reshape(len(data.test), -1)
    known = np.asarray(data.train, dtype=float).reshape(len(data.train), -1)
    means = np.stack([bench.directions(known)[data.train_labels == k].mean(0) for k in range(10)])
    cosine = (flat @ means.T) / np.linalg.norm(flat, axis=1)[:, None] / np.linalg.norm(means, axis=1)
    assert own["prototype"] == np.mean(cosine.argmax(1) == data.test_labels)
