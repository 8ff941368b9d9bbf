"""The comparison of graph embeddings, on a small planted graph: what is printed is what was measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sknetwork")
pytest.importorskip("gensim")
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import graphs


def test_planted_blocks_are_twice_above_the_threshold() -> None:
    world = graphs.planted(2000)
    matrix = world.data.train.toarray()
    same = world.labels @ world.labels.T > 0
    inside, outside = (2000 * matrix[part & ~np.eye(2000, dtype=bool)].mean() for part in (same, ~same))
    assert matrix.sum() / 2000 == pytest.approx(20, rel=0.05)
    # Kesten and Stigum for q blocks: (a - b)^2 against q (a + (q - 1) b).
    assert (inside - outside) ** 2 / (8 * (inside + 7 * outside)) == pytest.approx(2, rel=0.15)


def test_every_pair_is_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    assert graphs.main(["--nodes", "160", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["peer"] for one in records] == [
        "scikit-network GSVD",
        "scikit-network Spectral",
        "gensim Word2Vec, same walks",
    ]
    for one in records:
        assert one["value"] > 0 < one["peer_value"]
        middle, low, high = one["micro_difference"]
        assert middle == pytest.approx(one["micro"] - one["peer_micro"], abs=0.02)
        assert low <= middle <= high
        assert one["null_micro"] < 40
    assert graphs.main(["--nodes", "160"]) == 0
    assert "scikit-network GSVD" in capsys.readouterr().out


def test_a_missing_file_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert graphs.main(["--blogcatalog", "nowhere.mat"]) == 2
    assert "no graph file" in capsys.readouterr().err
