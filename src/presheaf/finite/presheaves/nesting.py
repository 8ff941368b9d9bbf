"""What refinement leaves open, cut into independent pieces, and those into pieces again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from presheaf.finite.columns.arrays import Longs, starts
from presheaf.finite.columns.components import components
from presheaf.finite.presheaves.refine import Nodes, Partition, Wires


@dataclass(frozen=True)
class Level:
    """One depth of the nesting.

    Attributes
    ----------
    nodes : int (r,), the nodes still open here
    piece : int (r,), the piece of each
    kind : int (p,), for each piece its number among the groups of like pieces side by side
    turn : int (p,), the number of each piece within its group
    """

    nodes: Nodes
    piece: Nodes
    kind: Nodes
    turn: Nodes

    @property
    def multiplicities(self) -> Nodes:
        """How many pieces each group has."""
        return np.bincount(self.kind)


@dataclass(frozen=True)
class Nesting:
    """The pieces of a refined structure.

    Attributes
    ----------
    levels : tuple of Level, outermost first
    stuck : int (s,), nodes of the pieces that neither fall apart nor have a node of its own colour
    piece : int (s,), the piece of each, numbered by smallest node
    """

    levels: tuple[Level, ...]
    stuck: Nodes
    piece: Nodes

    def rank(self, partition: Partition) -> Nodes:
        """A number 0..n-1 for every node, the same for isomorphic structures, where no piece is stuck.

        Colour first, then at each level the turn of the node's piece. Like pieces side by side may be swapped without
        any change to the rest, so it does not matter which comes first.
        """
        rank = partition.color.astype(np.int64)
        for level in self.levels:
            turn = level.turn[level.piece]
            old = rank[level.nodes]
            order = np.lexsort((turn, old))
            a, t = old[order], turn[order]
            fresh = np.diff(a, prepend=-1) != 0
            cut = np.flatnonzero(fresh | (np.diff(t, prepend=-1) != 0))
            base = np.flatnonzero(fresh)
            at = np.searchsorted(base, cut, side="right") - 1
            rank[level.nodes[order]] = np.repeat(a[cut] + cut - base[at], np.diff(np.append(cut, len(a))))
        return rank


def nesting(wires: Wires, partition: Partition) -> Nesting:
    """Cut a structure with an equitable colouring into nested pieces.

    Notes
    -----
    A node alone with its colour in a piece is fixed once the piece is, and edges to it follow from colours; without
    such nodes the piece falls into components. In an equitable colouring two components that share a colour share all,
    so components of a piece are grouped by their smallest colour. Depth is at most log2 of the nodes; each level costs
    a sort and a union-find over what is open.
    """
    open_: Nodes = np.flatnonzero(partition.size[partition.color] > 1)
    parent = np.zeros(len(open_), dtype=np.int64)
    inside = np.zeros(wires.nodes, dtype=bool)
    inside[open_] = True
    keep = inside[wires.source] & inside[wires.target]
    source, target = wires.source[keep], wires.target[keep]
    progress = np.array([len(open_) < wires.nodes])
    levels: list[Level] = []
    stuck: list[Nodes] = []
    stuck_piece: list[Nodes] = []
    place = np.empty(wires.nodes, dtype=np.int32)
    while len(open_):
        place[open_] = np.arange(len(open_), dtype=np.int32)
        label, first = components(len(open_), [(place[source], place[target])])
        piece: Nodes = label
        pieces = len(first)
        above: Nodes = parent[first]
        alone = (np.bincount(above, minlength=len(progress))[above] == 1) & ~progress[above]
        if alone.any():
            held = alone[piece]
            stuck.append(open_[held])
            stuck_piece.append(open_[first][piece[held]])
            open_, parent = open_[~held], parent[~held]
            gone = held[place[source]]
            source, target = source[~gone], target[~gone]
            if not len(open_):
                break
            number: Nodes = np.cumsum(~alone) - 1
            piece = number[piece[~held]]
            above = above[~alone]
            pieces = len(above)
        levels.append(_level(open_, piece, pieces, above, partition))
        open_, source, target, parent, progress = _inner(open_, piece, pieces, partition, source, target)
    if not stuck:
        none = np.empty(0, dtype=np.int64)
        return Nesting(tuple(levels), none, none)
    _, held_by = np.unique(np.concatenate(stuck_piece), return_inverse=True)
    return Nesting(tuple(levels), np.concatenate(stuck), held_by)


def _level(nodes: Nodes, piece: Nodes, pieces: int, above: Nodes, partition: Partition) -> Level:
    least = np.full(pieces, len(partition.color), dtype=np.int64)
    np.minimum.at(least, piece, partition.color[nodes])
    key = above.astype(np.int64) * (len(partition.color) + 1) + least
    _, kind, count = np.unique(key, return_inverse=True, return_counts=True)
    order = np.argsort(kind, kind="stable")
    turn = np.empty(pieces, dtype=np.int64)
    turn[order] = np.arange(pieces) - starts(count)[kind[order]]
    return Level(nodes, piece, kind, turn)


def _inner(
    nodes: Nodes, piece: Nodes, pieces: int, partition: Partition, source: Nodes, target: Nodes
) -> tuple[Nodes, Nodes, Nodes, Longs, Nodes]:
    """What stays open inside the pieces; for each piece whether it lost nodes."""
    key = piece.astype(np.int64) * (len(partition.color) + 1) + partition.color[nodes]
    _, number, count = np.unique(key, return_inverse=True, return_counts=True)
    single = count[number] == 1
    inside = np.zeros(len(partition.color), dtype=bool)
    inside[nodes[~single]] = True
    keep = inside[source] & inside[target]
    lost = np.zeros(pieces, dtype=bool)
    lost[piece[single]] = True
    return nodes[~single], source[keep], target[keep], piece[~single].astype(np.int64), lost
