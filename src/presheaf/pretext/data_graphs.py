"""Graphs to walk on: karate and miserables from networkx, BlogCatalog's file, and edge lists."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError
from presheaf.models.optional import need
from presheaf.pretext.base import Data
from presheaf.pretext.data import make_data
from presheaf.pretext.random_walks import as_graph

if TYPE_CHECKING:
    from scipy.sparse import csr_array

KINDS = ("karate", "miserables", "blogcatalog:FILE.mat", "edgelist:FILE")


def load_graph(spec: str) -> Data | None:
    """A graph as `Data`; None where the name is none of this file's, so that a caller can ask elsewhere.

    Parameters
    ----------
    spec : str
        "karate" (34 members of a club, and which half each went with), "miserables" (77 characters, weighted by scenes they
        share, no labels), "blogcatalog:FILE.mat" (10,312 bloggers; several groups a blogger, see `read_blogcatalog`, so no
        labels here), "edgelist:FILE" (see `read_edges`).

    Returns
    -------
    Data or None
        Media "node": the same graph to train on and held out, because a random walk knows no other nodes.

    Raises
    ------
    InputError
        If a file is missing, or holds no undirected graph without loops.
    MissingDependencyError
        If networkx is not installed.

    Notes
    -----
    Cost: linear in the number of edges.
    """
    kind, colon, path = spec.partition(":")
    if kind in ("karate", "miserables") and not colon:
        return _karate() if kind == "karate" else _miserables()
    if kind not in ("blogcatalog", "edgelist"):
        return None
    if not path:
        raise InputError(f"{spec!r} lacks a file: expected one of {', '.join(KINDS)}.")
    if kind == "edgelist":
        return graph_data(spec, read_edges(path)[0], source=Path(path).name)
    graph, labels = read_blogcatalog(path)
    names = tuple(f"group {i + 1}" for i in range(labels.shape[1]))
    source = "BlogCatalog, Tang and Liu 2009, Relational learning via latent social dimensions"
    return graph_data(spec, graph, classes=names, source=source, licence="research use; not redistributed here")


def graph_data(
    name: str,
    graph: Any,
    labels: NDArray[np.int32] | None = None,
    classes: tuple[str, ...] = (),
    source: str = "",
    licence: str = "",
) -> Data:
    """A user's own graph as `Data` of media "node".

    Parameters
    ----------
    name : str
    graph : scipy sparse array or matrix, or array, of shape (n, n)
        Symmetric, weights > 0 where there is an edge, no loops.
    labels : int32 array of shape (n,), optional
        Index into ``classes`` of each node.

    Raises
    ------
    InputError
        If the graph is directed, has loops, negative weights or no edge, or labels don't fit.
    """
    checked = as_graph(graph, name)
    return make_data(name, "node", checked, checked, labels, labels, classes, source, licence)


def read_blogcatalog(path: str | Path) -> tuple[csr_array, csr_array]:
    """The graph and the label matrix of a ``.mat`` file with the variables "network" and "group".

    Returns
    -------
    graph : scipy CSR array of shape (n, n)
    labels : scipy CSR array of shape (n, k), entries 1
        Several labels a node.

    Raises
    ------
    InputError
        If there is no such file, it lacks a variable, or holds no undirected graph.
    ModelError
        If the file is damaged.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError
    from scipy.sparse import csr_array, issparse

    file = Path(path)
    if not file.is_file():
        raise InputError(f"There is no graph file {str(file)!r}.")
    try:
        held = loadmat(file, variable_names=("network", "group"))
    except (MatReadError, OSError, ValueError, TypeError, EOFError, NotImplementedError, zlib.error) as error:
        raise ModelError(f"{file.name} can't be read as a MATLAB file ({error}). Is it complete?") from error
    missing = [key for key in ("network", "group") if not issparse(held.get(key))]
    if missing:
        raise InputError(f"{file.name} must hold the sparse matrices 'network' and 'group'; it lacks {missing[0]!r}.")
    graph = as_graph(held["network"], file.name)
    labels = csr_array(held["group"] != 0).astype(np.int8)
    if labels.shape[0] != graph.shape[0]:
        raise InputError(f"{file.name} has {graph.shape[0]:,} nodes and {labels.shape[0]:,} rows of labels.")
    return graph, labels


def read_edges(path: str | Path) -> tuple[csr_array, tuple[str, ...]]:
    """An undirected graph from a text file: two names a line and, if wanted, a weight; blanks or commas between them.

    Parameters
    ----------
    path : str or Path
        UTF-8. Empty lines and lines that begin with # are passed over. A pair may be listed in both directions; it is one edge.

    Returns
    -------
    graph : scipy CSR array of shape (n, n)
    names : tuple of str
        In the order in which they first occur.

    Raises
    ------
    InputError
        If there is no such file, or a line is no edge, is a loop, or gives a listed pair another weight (a directed graph);
        the line is named.
    """
    from scipy.sparse import coo_array

    file = Path(path)
    if not file.is_file():
        raise InputError(f"There is no graph file {str(file)!r}.")
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{file.name} is no UTF-8 text ({error}).") from error
    number: dict[str, int] = {}
    weights: dict[tuple[int, int], float] = {}
    for line, text in enumerate(lines, start=1):
        fields = text.replace(",", " ").split()
        if not fields or fields[0].startswith("#"):
            continue
        weight = _weight(fields, f"{file.name}, line {line}")
        u, v = (number.setdefault(name, len(number)) for name in fields[:2])
        known = weights.setdefault((min(u, v), max(u, v)), weight)
        if known != weight:
            raise InputError(
                f"{file.name}, line {line}: {fields[0]} - {fields[1]} has weight {weight:g} here and {known:g} in an earlier "
                "line. An undirected edge has one weight; add the two up, or take the larger."
            )
    if not weights:
        raise InputError(f"{file.name} holds no edge: expected two names a line.")
    u, v = np.array(list(weights)).T
    data = np.array(list(weights.values()))
    half = coo_array((data, (u, v)), shape=(len(number), len(number)))
    return as_graph(half + half.T, file.name), tuple(number)


def _weight(fields: list[str], where: str) -> float:
    if len(fields) not in (2, 3):
        raise InputError(f"{where}: expected two names and, if wanted, a weight; got {len(fields)} fields.")
    if fields[0] == fields[1]:
        raise InputError(
            f"{where}: {fields[0]} is joined to itself. Random walks are taken without loops; remove the line."
        )
    try:
        weight = float(fields[2]) if len(fields) == 3 else 1.0
    except ValueError:
        raise InputError(f"{where}: the weight must be a number; got {fields[2]!r}.") from None
    if not (weight > 0 and np.isfinite(weight)):
        raise InputError(f"{where}: the weight must be above 0 and finite; got {weight:g}.")
    return weight


def _karate() -> Data:
    networkx = need("networkx", "pretext", "The graph 'karate'")
    graph = networkx.karate_club_graph()
    clubs = [graph.nodes[node]["club"] for node in graph]
    classes = tuple(sorted(set(clubs)))
    labels = np.array([classes.index(club) for club in clubs], dtype=np.int32)
    # DeepWalk's own figures use who met whom, not how often.
    matrix = networkx.to_scipy_sparse_array(graph, weight=None, dtype=np.float64)
    source = "Zachary 1977, An information flow model for conflict and fission in small groups; from networkx"
    return graph_data("karate", matrix, labels, classes, source, "facts; networkx is BSD-3-Clause")


def _miserables() -> Data:
    networkx = need("networkx", "pretext", "The graph 'miserables'")
    matrix = networkx.to_scipy_sparse_array(networkx.les_miserables_graph(), weight="weight", dtype=np.float64)
    source = "Knuth 1993, The Stanford GraphBase; from networkx"
    return graph_data("miserables", matrix, source=source, licence="facts; networkx is BSD-3-Clause")
