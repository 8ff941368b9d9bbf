"""Connected components inside a warehouse: labels by hooking and pointer jumping, statement by statement."""

from __future__ import annotations

from typing import Any

from presheaf.migration.sql_warehouse import Warehouse


def components(edges: Any, warehouse: Warehouse) -> Any:
    """The least node of the component of every node that an edge touches.

    Parameters
    ----------
    edges : Ibis table with int64 columns ``one`` and ``two``, in any number and order
    warehouse : Warehouse

    Returns
    -------
    Ibis table with columns ``node`` and ``label``, one row a node

    Notes
    -----
    A round hooks every node to the least of its neighbours if that is smaller, shortens the pointers by jumping until
    they end at roots, and replaces every node by its root (Shiloach and Vishkin, J. Algorithms 3, 1982, is the pattern).
    The nodes that are left get fewer each round; on the graphs of migrations a few rounds are enough. Each statement
    is linear in the edges that are left.
    """
    edges = warehouse.keep(_proper(edges))
    nodes = edges.select(node=edges.one).union(edges.select(node=edges.two), distinct=True)
    labels = warehouse.keep(nodes.mutate(label=nodes.node))
    while warehouse.count(edges):
        pointers = _hooked(edges, warehouse)
        labels = warehouse.keep(_after(labels, pointers).select("node", "label"))
        edges = warehouse.keep(_proper(_contracted(edges, pointers)))
    return labels


def _proper(edges: Any) -> Any:
    """Edges between different nodes, the smaller node first, each once."""
    import ibis

    ordered = edges.select(one=ibis.least(edges.one, edges.two), two=ibis.greatest(edges.one, edges.two))
    return ordered.filter(ordered.one != ordered.two).distinct()


def _hooked(edges: Any, warehouse: Warehouse) -> Any:
    """For each node the root of the tree that hooking to the least neighbour makes: ``node``, ``label``."""
    down = edges.select(node=edges.two, near=edges.one)
    up = edges.select(node=edges.one, near=edges.one)
    both = down.union(up)
    pointers = warehouse.keep(both.group_by("node").aggregate(label=both.near.min()))
    while True:
        jumped = _after(pointers, pointers)
        if not warehouse.count(jumped.filter(jumped.label != jumped.before)):
            return pointers
        pointers = warehouse.keep(jumped.select("node", "label"))


def _after(labels: Any, pointers: Any) -> Any:
    """Labels followed by pointers, with the label ``before``; a label without a pointer stays."""
    step = pointers.select(_node="node", _next="label")
    joined = labels.select("node", before="label").left_join(step, [("before", "_node")])
    return joined.select("node", "before", label=joined._next.fill_null(joined.before))


def _contracted(edges: Any, pointers: Any) -> Any:
    """Edges between the roots of their ends."""
    first = pointers.select(_node="node", _one="label")
    half = edges.inner_join(first, [("one", "_node")]).select("_one", "two")
    second = pointers.select(_node="node", _two="label")
    return half.inner_join(second, [("two", "_node")]).select(one="_one", two="_two")
