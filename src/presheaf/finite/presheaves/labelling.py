"""Canonical labels and symmetries of coloured structures: refine, cut into pieces, search what is stuck."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import factorial, prod

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Ints, starts
from presheaf.finite.columns.components import components
from presheaf.finite.presheaves.nesting import Level, Nesting, nesting
from presheaf.finite.presheaves.refine import Nodes, Partition, Wires, refined

Check = Callable[[], None]

_DEEPEST = 600
_LEAVES = 64


@dataclass(frozen=True)
class Found:
    """What a search tree says: the least leaf, and the symmetries that fix what was fixed above.

    Attributes
    ----------
    rank : int (n,), the label of each node
    form : the edges in these labels, as bytes; equal for isomorphic structures
    count : how many automorphisms
    generators : automorphisms that generate all, int (n,) each
    leaves : leaves met on the way, by their form
    """

    rank: Nodes
    form: bytes
    count: int
    generators: tuple[Ints, ...]
    leaves: dict[bytes, Nodes]


def _form(wires: Wires, rank: Nodes) -> bytes:
    n = wires.nodes
    key = (wires.label.astype(np.int64) * n + rank[wires.source]) * n + rank[wires.target]
    return np.sort(key).tobytes()


def _target(partition: Partition) -> Nodes:
    """The nodes of the first of the smallest open classes, ascending."""
    begin = partition.starts
    size = partition.size[begin]
    open_ = np.flatnonzero(size > 1)
    best = open_[np.argmin(size[open_])]
    return np.sort(partition.order[begin[best] : begin[best] + size[best]])


def _child(wires: Wires, partition: Partition, node: int, check: Check) -> Partition:
    child = partition.copy()
    child.refine(wires, child.split(np.array([node], dtype=np.int32), np.zeros(1, dtype=np.int64)), check)
    return child


def _some_leaf(wires: Wires, partition: Partition, check: Check) -> Nodes:
    while not partition.discrete:
        partition = _child(wires, partition, int(_target(partition)[0]), check)
    return partition.color


def search(wires: Wires, partition: Partition, check: Check, depth: int = 0) -> Found:
    """The least leaf of the tree of individualisations, and the automorphisms.

    Parameters
    ----------
    partition : equitable colouring

    Raises
    ------
    InputError
        The tree is deeper than 600; ``check`` may raise as well.

    Notes
    -----
    Individualisation and refinement (McKay, Practical graph isomorphism, 1981). Children with another refined shape
    than the least one are left; a child in the orbit of an earlier one is skipped; for the others one quick leaf is
    tried first, which gives an automorphism when its form was met before. The number of automorphisms is that of the
    best child times its orbit (orbit and stabiliser).
    """
    if depth > _DEEPEST:
        raise InputError(f"telling symmetric elements apart takes more than {_DEEPEST} choices one inside the other.")
    if partition.discrete:
        form = _form(wires, partition.color)
        return Found(partition.color, form, 1, (), {form: partition.color})
    members = _target(partition)
    every = np.arange(wires.nodes, dtype=np.int32)
    label, first = every, every
    generators: list[Ints] = []
    best: Found | None = None
    shape, chosen = b"", -1
    leaves: dict[bytes, Nodes] = {}
    for v in members.tolist():
        if first[label[v]] != v:
            continue
        child = _child(wires, partition, v, check)
        mine = np.sort(child.color).tobytes()
        if best is not None and mine > shape:
            continue
        if best is None or mine < shape:
            best, shape, leaves = None, mine, {}
        fresh: list[Ints] = []
        quick = _some_leaf(wires, child, check)
        form = _form(wires, quick)
        if form in leaves:
            fresh.append(_matching(leaves[form], quick))
        else:
            found = search(wires, child, check, depth + 1)
            fresh.extend(found.generators)
            if best is not None and found.form == best.form:
                fresh.append(_matching(best.rank, found.rank))
            elif best is None or found.form < best.form:
                best, chosen = found, v
            for key, leaf in [(form, quick), *found.leaves.items()][: _LEAVES - len(leaves)]:
                leaves.setdefault(key, leaf)
        generators += fresh
        if fresh:
            label, first = components(wires.nodes, [(every, first[label]), *((every, a) for a in fresh)])
    assert best is not None
    orbit = int((label[members] == label[chosen]).sum())
    return Found(best.rank, best.form, best.count * orbit, tuple(generators), leaves)


def _matching(one: Nodes, two: Nodes) -> Ints:
    """The permutation that takes the node with label i in ``one`` to that in ``two``."""
    at = np.empty(len(two), dtype=np.int32)
    at[two] = np.arange(len(two), dtype=np.int32)
    return np.asarray(at[one], dtype=np.int32)


@dataclass(frozen=True)
class Kernel:
    """Stuck pieces that one search has settled.

    Attributes
    ----------
    found : the search on the representative
    nodes : int (pieces, n), the nodes of each piece, so that columns correspond under isomorphisms
    """

    found: Found
    nodes: Ints


@dataclass(frozen=True)
class Labelling:
    """Canonical labels of a structure, and its symmetries.

    Attributes
    ----------
    rank : int64 (n,), the label of each node; structures are isomorphic iff the edges in these labels agree
    classes : int32 (n,), the node's class in the refined structure, before any search
    """

    rank: Nodes
    classes: Ints
    _color: Ints
    _levels: tuple[Level, ...]
    _kernels: tuple[Kernel, ...]

    @property
    def automorphisms(self) -> int:
        """How many automorphisms, exact."""
        total = prod(k.found.count ** len(k.nodes) for k in self._kernels)
        for level in self._levels:
            size, times = np.unique(level.multiplicities, return_counts=True)
            total *= prod(factorial(int(s)) ** int(t) for s, t in zip(size, times, strict=True))
        return int(total)

    def generators(self) -> Iterator[Nodes]:
        """Automorphisms that generate all of them, as permutations of the nodes, lazily."""
        every = np.arange(len(self.rank), dtype=np.int32)
        for kernel in self._kernels:
            for nodes in kernel.nodes:
                for a in kernel.found.generators:
                    out = every.copy()
                    out[nodes] = nodes[a]
                    yield out
        for level in self._levels:
            order = np.lexsort((self.rank[level.nodes], level.piece))
            cut = starts(np.bincount(level.piece))
            by = np.lexsort((level.turn, level.kind))
            edge = starts(level.multiplicities)
            for a, b in pairwise(edge.tolist()):
                pieces = [level.nodes[order[cut[p] : cut[p + 1]]] for p in by[a:b].tolist()]
                if len(pieces) > 1:
                    yield _moved(every, pieces[:2])
                if len(pieces) > 2:
                    yield _moved(every, pieces)

    def orbits(self) -> Ints:
        """The orbit of every node under all automorphisms, numbered by smallest node, int32 (n,)."""
        every = np.arange(len(self.rank), dtype=np.int32)
        edges = [(every, self._color)]
        for kernel in self._kernels:
            edges += [(nodes, nodes[a]) for nodes in kernel.nodes for a in kernel.found.generators]
        return components(len(every), edges)[0]


def _moved(every: Nodes, pieces: list[Nodes]) -> Nodes:
    """The permutation that takes each piece to the next one, the last to the first."""
    out = every.copy()
    out[np.concatenate(pieces)] = np.concatenate([*pieces[1:], pieces[0]])
    return out


def labelled(wires: Wires, key: Nodes, check: Check) -> Labelling:
    """Canonical labels of a coloured structure.

    Parameters
    ----------
    key : int (n,), the colour of each node; labels are ordered by it first
    check : called between steps; may raise

    Notes
    -----
    Refinement; pieces that fall apart cost near-linear time (``nesting``). Stuck pieces are labelled all at once by
    fixing one node in each until nothing is left open: pieces with equal outcome are isomorphic, and only one of each
    outcome is searched (``search``). Their labels become colours, and what is above them is refined once more.
    """
    partition = refined(wires, key, check)
    cut = nesting(wires, partition)
    classes = partition.color
    kernels: tuple[Kernel, ...] = ()
    if len(cut.stuck):
        again, kernels = _settled(wires, partition, cut, check)
        partition = refined(wires, again, check)
        cut = nesting(wires, partition)
    rank = cut.rank(partition)
    color = partition.order[partition.color].astype(np.int32)
    return Labelling(rank, classes, color, cut.levels, kernels)


def _settled(wires: Wires, partition: Partition, cut: Nesting, check: Check) -> tuple[Nodes, tuple[Kernel, ...]]:
    """New colours, in which stuck pieces are labelled by themselves, and the searches made for it."""
    by = np.argsort(cut.stuck, kind="stable")
    nodes, piece = cut.stuck[by], cut.piece[by]
    inner = np.full(wires.nodes, -1, dtype=np.int64)
    inner[nodes] = piece
    keep = (inner[wires.source] >= 0) & (inner[wires.source] == inner[wires.target])
    local = wires.within(nodes, keep)
    leaf = _leaves(local, partition.color[nodes], piece, check)
    order = np.lexsort((leaf, piece))
    bounds = starts(np.bincount(piece))
    least = leaf[order[bounds[:-1]]]
    _, chief, same = np.unique(least, return_index=True, return_inverse=True)
    kernels, titles = [], []
    for c, p in enumerate(chief.tolist()):
        rows = np.stack([order[bounds[q] : bounds[q + 1]] for q in np.flatnonzero(same == c).tolist()])
        mine = np.sort(order[bounds[p] : bounds[p + 1]])
        inside = np.zeros(local.nodes, dtype=bool)
        inside[mine] = True
        part = local.within(mine, inside[local.source])
        found = search(part, Partition(partition.color[nodes[mine]]), check)
        titles.append(np.sort(partition.color[nodes[mine]]).astype(np.int32).tobytes() + found.form)
        # The search numbers the representative's nodes ascending; kernels number them by leaf.
        kernels.append(Kernel(_renumbered(found, np.searchsorted(mine, rows[0])), nodes[rows].astype(np.int32)))
    _, title = np.unique(np.array(titles, dtype=object), return_inverse=True)
    group, spot = np.full(wires.nodes, -1, dtype=np.int64), np.zeros(wires.nodes, dtype=np.int64)
    for kernel, number in zip(kernels, title.tolist(), strict=True):
        group[kernel.nodes] = number
        spot[kernel.nodes] = kernel.found.rank
    by = np.lexsort((spot, group, partition.color))
    table = np.stack([partition.color, group, spot])[:, by]
    key = np.empty(wires.nodes, dtype=np.int64)
    key[by] = np.cumsum((np.diff(table, axis=1, prepend=table[:, :1]) != 0).any(axis=0))
    return key, tuple(kernels)


def _renumbered(found: Found, by: Nodes) -> Found:
    """The same for nodes taken in another order: new node i is old node by[i]."""
    back = np.empty(len(by), dtype=np.int32)
    back[by] = np.arange(len(by), dtype=np.int32)
    return Found(found.rank[by], found.form, found.count, tuple(back[a[by]] for a in found.generators), {})


def _leaves(wires: Wires, key: Nodes, piece: Nodes, check: Check) -> Nodes:
    """Colours by which the nodes of each piece differ; pieces that share a colour are isomorphic."""
    partition = Partition(key)
    while True:
        order = np.lexsort((partition.color, piece))
        a, p = partition.color[order], piece[order]
        cut = np.flatnonzero((np.diff(a, prepend=-1) != 0) | (np.diff(p, prepend=-1) != 0))
        count = np.diff(np.append(cut, len(a)))
        open_ = np.flatnonzero(count > 1)
        if not len(open_):
            return partition.color
        cut, count = cut[open_], count[open_]
        best = np.lexsort((a[cut], count, p[cut]))
        head = best[np.flatnonzero(np.diff(p[cut][best], prepend=-1))]
        chosen = order[cut[head]]
        news = partition.split(chosen.astype(np.int32), np.zeros(len(chosen), dtype=np.int64))
        partition.refine(wires, news, check)
