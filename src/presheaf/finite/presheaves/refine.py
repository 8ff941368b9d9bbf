"""Ordered partitions of elements, refined until elements of one class see the same classes, both ways along arrows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.columns.arrays import Longs, spread, starts
from presheaf.finite.presheaves.presheaf import SetFunctor

Hashes = NDArray[np.uint64]
Nodes = NDArray[np.integer[Any]]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(0xBF58476D1CE4E5B9)
_TWO = np.uint64(0x94D049BB133111EB)


def mixed(values: NDArray[Any]) -> Hashes:
    """Well-spread 64-bit numbers for integers (the finaliser of splitmix64); wraps around on purpose."""
    x = values.astype(np.uint64) * _STEP + _STEP
    x = (x ^ (x >> np.uint64(30))) * _ONE
    x = (x ^ (x >> np.uint64(27))) * _TWO
    out: Hashes = x ^ (x >> np.uint64(31))
    return out


@dataclass(frozen=True)
class Wires:
    """Labelled edges between nodes 0..n-1, listed by the node that is seen.

    Attributes
    ----------
    source, target, label : int (e,), the edges
    first : int64 (n + 1,), where the observers of each node start
    observer : int (2 e,), the other end of every edge at a node
    tag : uint64 (2 e,), a number for the edge's label and direction
    """

    source: Nodes
    target: Nodes
    label: Nodes
    first: Longs
    observer: Nodes
    tag: Hashes

    @classmethod
    def of(cls, nodes: int, source: Nodes, target: Nodes, label: Nodes) -> Wires:
        """Edges laid out by observed node. Cost: a sort of 2 e keys."""
        seen = np.concatenate([target, source])
        order = np.argsort(seen, kind="stable")
        first = starts(np.bincount(seen, minlength=nodes))
        tag = mixed(np.concatenate([2 * label.astype(np.int64), 2 * label.astype(np.int64) + 1]))
        observer = np.concatenate([source, target]).astype(np.int32)
        return cls(source, target, label, first, observer[order], tag[order])

    @classmethod
    def elements(cls, *functors: SetFunctor) -> Wires:
        """The elements of functors on one category, numbered through functor by functor; an edge for each generator."""
        none = np.empty(0, dtype=np.int64)
        source, target, label, before = [none], [none], [none], 0
        for t in functors:
            side = t.covariant.category
            for j, (a, b) in enumerate(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)):
                source.append(before + t.offsets[a] + np.arange(t.sizes[a]))
                target.append(before + t.offsets[b] + t.columns[j])
                label.append(np.full(t.sizes[a], j))
            before += t.n_elements
        return cls.of(before, *(np.concatenate(x).astype(np.int32) for x in (source, target, label)))

    @property
    def nodes(self) -> int:
        """How many nodes."""
        return len(self.first) - 1

    def within(self, nodes: Nodes, keep: NDArray[np.bool_]) -> Wires:
        """The edges marked in ``keep`` between the given nodes (ascending), renumbered 0, 1, ..."""
        place = np.full(self.nodes, -1, dtype=np.int32)
        place[nodes] = np.arange(len(nodes), dtype=np.int32)
        return Wires.of(len(nodes), place[self.source[keep]], place[self.target[keep]], self.label[keep])


class Partition:
    """An ordered partition of 0..n-1.

    Attributes
    ----------
    order : int32 (n,), the nodes class by class
    place : int32 (n,), where each node stands in ``order``
    color : int32 (n,), the class of each node: where it starts in ``order``
    size : int32 (n,), the size of the class that starts there; undefined elsewhere

    Notes
    -----
    Ordering is by what classes are, never by the numbers of nodes: isomorphic structures get the same colours.
    """

    __slots__ = ("color", "order", "place", "size")

    def __init__(self, key: Nodes) -> None:
        n = len(key)
        self.order = np.argsort(key, kind="stable").astype(np.int32)
        self.place = np.empty(n, dtype=np.int32)
        self.place[self.order] = np.arange(n, dtype=np.int32)
        ordered = key[self.order]
        cut = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1)) if n else np.empty(0, dtype=np.int64)
        length = np.diff(np.append(cut, n))
        self.color = np.empty(n, dtype=np.int32)
        self.color[self.order] = np.repeat(cut, length)
        self.size = np.zeros(n, dtype=np.int32)
        self.size[cut] = length

    def copy(self) -> Partition:
        """An independent copy."""
        other = Partition.__new__(Partition)
        other.order, other.place = self.order.copy(), self.place.copy()
        other.color, other.size = self.color.copy(), self.size.copy()
        return other

    @property
    def starts(self) -> Nodes:
        """Where the classes start, ascending."""
        return np.unique(self.color)

    @property
    def discrete(self) -> bool:
        """Whether every class has one node."""
        return bool((self.size[self.color] == 1).all())

    def split(self, touched: Nodes, key: NDArray[Any]) -> Nodes:
        """Split classes: nodes not touched come first, then the touched ones by key.

        Returns
        -------
        The nodes of all new classes but a largest one of each class that was split (Hopcroft's rule).

        Notes
        -----
        Cost: the touched nodes, and a class's untouched ones only where they are no largest part.
        """
        color = self.color[touched]
        by = np.lexsort((key, color))
        touched, color, key = touched[by], color[by], key[by]
        head = np.flatnonzero(np.diff(color, prepend=-1))
        count = np.diff(np.append(head, len(color)))
        rest = self.size[color[head]] - count
        fresh = np.append(True, (color[1:] != color[:-1]) | (key[1:] != key[:-1]))
        groups = np.add.reduceat(fresh, head, dtype=np.int64)
        real = (groups > 1) | (rest > 0)
        if not real.all():
            keep = np.repeat(real, count)
            touched, color, fresh = touched[keep], color[keep], fresh[keep]
            count, rest, groups = count[real], rest[real], groups[real]
            head = starts(count)[:-1]
        if not len(touched):
            return touched
        start = color[head]
        self._move(touched, start + rest, count)
        return self._colour(touched, start, rest, count, np.flatnonzero(fresh), groups)

    def _move(self, touched: Nodes, tail: Nodes, count: Nodes) -> None:
        """Put each class's touched nodes at its end, which begins at ``tail``."""
        owner, slot = spread(count)
        spot = tail[owner] + slot
        before = self.place[touched]
        gap = np.sort(before[before < tail[owner]])
        self.place[touched] = -1
        there = self.order[spot]
        moved = there[self.place[there] >= 0]
        self.order[gap], self.place[moved] = moved, gap
        self.order[spot], self.place[touched] = touched, spot

    def _colour(self, touched: Nodes, start: Nodes, rest: Nodes, count: Nodes, cut: Nodes, groups: Nodes) -> Nodes:
        length = np.diff(np.append(cut, len(touched)))
        cell = np.repeat(np.arange(len(start)), groups)
        begin = starts(count)[:-1]
        new = start[cell] + rest[cell] + (cut - begin[cell])
        self.color[touched] = np.repeat(new, length)
        self.size[start] = rest
        self.size[new] = length
        first = starts(groups)[:-1]
        most = np.maximum.reduceat(length, first)
        small = rest < most
        # The first of the longest groups is left out where the untouched nodes are fewer.
        best = length == most[cell]
        earlier = np.cumsum(best) - best
        left_out = best & (earlier == earlier[first][cell]) & small[cell]
        out = [touched[np.repeat(~left_out, length)]]
        untouched = np.flatnonzero(small & (rest > 0))
        if len(untouched):
            owner, slot = spread(rest[untouched])
            out.append(self.order[start[untouched][owner] + slot])
        return np.concatenate(out)

    def refine(self, wires: Wires, news: Nodes, check: Callable[[], None] | None = None) -> None:
        """Refine until nodes of one class see as many nodes of each class along each kind of edge.

        Parameters
        ----------
        news : the nodes of classes not yet looked at; all nodes at first, then what ``split`` returned
        check : called once a round; may raise

        Notes
        -----
        Colour refinement in rounds, looking only at new classes and leaving out a largest part of each class that was
        split (Hopcroft 1971; Paige and Tarjan 1987): O(e log n) edge visits, each round a few vectorised steps. What a
        node sees is summed as 64-bit hashes; a collision could only leave a class unsplit, equally in isomorphic
        structures.
        """
        total = np.zeros(wires.nodes, dtype=np.uint64)
        degree = np.diff(wires.first)
        while len(news):
            if check is not None:
                check()
            owner, slot = spread(degree[news])
            edge = wires.first[news][owner] + slot
            seen = wires.observer[edge]
            np.add.at(total, seen, mixed(wires.tag[edge] + self.color[news].astype(np.uint64)[owner]))
            seen = np.unique(seen) if len(seen) < wires.nodes // 4 else _marked(seen, wires.nodes)
            key = total[seen]
            total[seen] = 0
            loose = self.size[self.color[seen]] > 1
            if not loose.any():
                return
            news = self.split(seen[loose], key[loose])


def _marked(nodes: Nodes, n: int) -> Nodes:
    mark = np.zeros(n, dtype=bool)
    mark[nodes] = True
    return np.flatnonzero(mark).astype(np.int32)


def refined(wires: Wires, key: Nodes, check: Callable[[], None] | None = None) -> Partition:
    """The coarsest refinement of a given ordered colouring in which equal colours see equally many of each colour."""
    partition = Partition(key)
    partition.refine(wires, np.arange(wires.nodes, dtype=np.int32), check)
    return partition
