"""Graphs from packages and files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix

from presheaf.errors import InputError, ModelError
from presheaf.pretext.data_graphs import graph_data, load_graph, read_blogcatalog, read_edges


def test_karate_is_the_published_graph() -> None:
    pytest.importorskip("networkx")
    data = load_graph("karate")
    assert data is not None
    assert (data.media, data.classes) == ("node", ("Mr. Hi", "Officer"))
    assert (data.train != data.test).nnz == 0
    assert (data.train.shape, data.train.nnz) == ((34, 34), 2 * 78)
    assert set(data.train.data) == {1.0}
    assert data.train_labels is not None
    # The instructor is member 0, the officer member 33; 17 and 17 as networkx has it.
    assert (data.train_labels[0], data.train_labels[33], data.train_labels.sum()) == (0, 1, 17)
    again = load_graph("karate")
    assert again is not None
    assert again.digest == data.digest


def test_miserables_has_weights_and_no_labels() -> None:
    pytest.importorskip("networkx")
    data = load_graph("miserables")
    assert data is not None
    assert (data.train.shape, data.train.nnz, data.train_labels) == ((77, 77), 2 * 254, None)
    assert data.train.data.max() == 31  # Valjean and Cosette


@pytest.mark.parametrize("spec", ["digits", "", "Karate", "karate:x", "text:a.txt"])
def test_what_is_no_graph_is_left_to_others(spec: str) -> None:
    assert load_graph(spec) is None


def test_an_edge_list(tmp_path: Path) -> None:
    file = tmp_path / "edges.txt"
    file.write_text("# who knows whom\nann bob\n\nbob,carl, 2.5\nbob ann\n", encoding="utf-8")
    graph, names = read_edges(file)
    assert names == ("ann", "bob", "carl")
    np.testing.assert_array_equal(graph.toarray(), [[0, 1, 0], [1, 0, 2.5], [0, 2.5, 0]])
    data = load_graph(f"edgelist:{file}")
    assert data is not None
    assert data.train.nnz == 4
    file.write_text("ann bob\nbob carl 3\n", encoding="utf-8")
    other = load_graph(f"edgelist:{file}")
    assert other is not None
    assert other.digest != data.digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no edge"),
        ("# nothing\n", "holds no edge"),
        ("a b\na\n", "line 2: expected two names"),
        ("a b 1 2\n", "line 1: expected two names"),
        ("a b\nb b\n", "line 2: b is joined to itself"),
        ("a b x\n", "line 1: the weight must be a number"),
        ("a b -1\n", "line 1: the weight must be above 0"),
        ("a b nan\n", "line 1: the weight must be above 0"),
        ("a b 2\nb a 3\n", "line 2: b - a has weight 3 here and 2 in an earlier"),
    ],
)
def test_a_line_that_is_no_edge_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "edges.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_edges(file)


def test_missing_and_wrong_files(tmp_path: Path) -> None:
    for spec in ("edgelist:nowhere.txt", "blogcatalog:nowhere.mat"):
        with pytest.raises(InputError, match="no graph file"):
            load_graph(spec)
    with pytest.raises(InputError, match="lacks a file"):
        load_graph("edgelist:")
    latin = tmp_path / "latin.txt"
    latin.write_bytes("ann jos\xe9\n".encode("latin-1"))
    with pytest.raises(InputError, match="no UTF-8"):
        read_edges(latin)


def test_a_file_of_blogcatalog_s_kind(tmp_path: Path) -> None:
    file = tmp_path / "blog.mat"
    network = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=float)
    group = np.array([[1, 0], [1, 1], [0, 1]], dtype=float)
    savemat(file, {"network": csc_matrix(network), "group": csc_matrix(group)})
    graph, labels = read_blogcatalog(file)
    np.testing.assert_array_equal(graph.toarray(), network)
    np.testing.assert_array_equal(labels.toarray(), group)
    data = load_graph(f"blogcatalog:{file}")
    assert data is not None
    assert (data.classes, data.train_labels) == (("group 1", "group 2"), None)
    savemat(file, {"network": csc_matrix(np.triu(network)), "group": csc_matrix(group)})
    with pytest.raises(InputError, match="is directed"):
        read_blogcatalog(file)
    savemat(file, {"network": csc_matrix(network), "group": csc_matrix(group[:2])})
    with pytest.raises(InputError, match="3 nodes and 2 rows"):
        read_blogcatalog(file)
    savemat(file, {"network": csc_matrix(network)})
    with pytest.raises(InputError, match="lacks 'group'"):
        read_blogcatalog(file)
    whole = file.read_bytes()
    for damaged in (b"", b"nothing of the kind" * 20, whole[: len(whole) // 2]):
        file.write_bytes(damaged)
        with pytest.raises((InputError, ModelError), match=r"blog\.mat"):
            read_blogcatalog(file)


def test_a_graph_of_one_s_own() -> None:
    square = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]])
    data = graph_data("square", square, np.array([0, 1, 0, 1]), ("even", "odd"))
    assert repr(data) == "Data('square', node, 4 to train on, 4 held out)"
    for labels in ([0, 1], [0, 1, 2, 0], [0, 1, -1, 0]):
        with pytest.raises(InputError, match="labels"):
            graph_data("square", square, np.array(labels), ("even", "odd"))
    with pytest.raises(InputError, match="loops"):
        graph_data("loop", square + np.eye(4))
