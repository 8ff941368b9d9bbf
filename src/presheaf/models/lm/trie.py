"""Token sequences that share beginnings, as one tree: each shared prefix is one node, and is run once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.models.lm.base import Tokens


@dataclass(frozen=True, eq=False)
class Trie:
    """The distinct non-empty prefixes of some sequences, in preorder: a node's descendants follow it without a gap.

    Attributes
    ----------
    tokens : int64 array of shape (nodes,)
        Last token of each prefix.
    parents : int64 array of shape (nodes,)
        Node of the prefix without its last token; -1 for one token. Always smaller than the node itself.
    depths : int64 array of shape (nodes,)
        Tokens before the last one, so the position of the last.
    ends : int64 array of shape (sequences,)
        Node of each sequence, in the order they were given; -1 for the empty one.
    """

    tokens: NDArray[np.int64]
    parents: NDArray[np.int64]
    depths: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.tokens)

    def path(self, node: int, length: int | None = None) -> NDArray[np.int64]:
        """The last ``length`` nodes (all, when None) on the way from the root to ``node``, in that order."""
        left = int(self.depths[node]) + 1 if length is None else length
        nodes = np.empty(left, dtype=np.int64)
        for place in range(left - 1, -1, -1):
            nodes[place] = node
            node = int(self.parents[node])
        return nodes

    def leaves(self) -> NDArray[np.int64]:
        """Nodes that no sequence goes beyond. In preorder these are the ones whose successor isn't a child."""
        last = np.ones(len(self), dtype=np.bool_)
        last[:-1] = self.parents[1:] != np.arange(len(self) - 1)
        return np.flatnonzero(last)


def build_trie(sequences: Sequence[Tokens]) -> Trie:
    """The trie of some sequences. Cost: sorting them, then one step a token."""
    tokens: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    ends = np.full(len(sequences), -1, dtype=np.int64)
    path: list[int] = []
    before: Tokens = ()
    for place in sorted(range(len(sequences)), key=sequences.__getitem__):
        sequence = sequences[place]
        shared = _common(before, sequence)
        del path[shared:]
        for depth in range(shared, len(sequence)):
            parents.append(path[-1] if path else -1)
            path.append(len(tokens))
            tokens.append(sequence[depth])
            depths.append(depth)
        if path:
            ends[place] = path[-1]
        before = sequence
    columns = [np.asarray(column, dtype=np.int64) for column in (tokens, parents, depths)]
    return Trie(columns[0], columns[1], columns[2], ends)


def _common(a: Tokens, b: Tokens) -> int:
    """Length of the longest common prefix."""
    for length, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return length
    return min(len(a), len(b))
