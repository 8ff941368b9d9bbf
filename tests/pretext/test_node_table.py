"""Embedded nodes on disk, and audited from the command line like any other model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from presheaf.cli import main
from presheaf.errors import InputError
from presheaf.pretext.data_graphs import load_graph
from presheaf.pretext.netmf import netmf
from presheaf.pretext.node_table import save_nodes, single_labels


def test_rows_of_both_files_are_the_same_nodes(tmp_path: Path) -> None:
    vectors = np.arange(6.0).reshape(3, 2)
    spec = save_nodes(vectors, tmp_path / "new" / "folder", np.array([1, -1, 0]), ["a, b", "c"])
    assert spec == f"vectors:{tmp_path / 'new' / 'folder' / 'nodes.npy'}"
    np.testing.assert_array_equal(np.load(tmp_path / "new" / "folder" / "nodes.npy"), vectors)
    assert (tmp_path / "new" / "folder" / "nodes.csv").read_text() == 'node,label\n0,c\n1,\n2,"a, b"\n'
    save_nodes(vectors, tmp_path)
    assert (tmp_path / "nodes.csv").read_text() == "node\n0\n1\n2\n"


def test_one_label_or_none() -> None:
    labels = csr_array([[0, 1, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0]])
    labels.data[-1] = 0
    np.testing.assert_array_equal(single_labels(labels), [1, -1, -1, -1])
    np.testing.assert_array_equal(single_labels(np.eye(3)), [0, 1, 2])


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="shape"):
        save_nodes(np.ones(3), tmp_path)
    for labels in ([0, 1], [0, 1, 2], [0, -2, 0], [0.0, 1.0, 1.0]):
        with pytest.raises(InputError, match="labels"):
            save_nodes(np.ones((3, 1)), tmp_path, np.array(labels), ["a", "b"])
    assert not (tmp_path / "nodes.csv").exists()


def test_karate_is_audited_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("networkx")
    data = load_graph("karate")
    assert data is not None
    spec = save_nodes(netmf(data.train, 4, 5).vectors, tmp_path, data.train_labels, data.classes)
    table = str(tmp_path / "nodes.csv")
    answer = tmp_path / "audit.json"
    code = main(
        ["audit", table, "--text", "node", "--label", "label", "--model", spec, "--quiet", "--json", str(answer)]
    )
    assert code == 0, capsys.readouterr()
    ladder = {rung["name"]: rung["accuracy"] for rung in json.loads(answer.read_text())["ladder"]}
    assert ladder["majority class"] < 0.6 < 0.8 < ladder["head"]
