"""The trie of some sequences against sets of their prefixes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from presheaf.models.lm.trie import build_trie

SEQUENCES = st.lists(st.lists(st.integers(0, 3), max_size=6).map(tuple), max_size=12)


@given(SEQUENCES)
def test_nodes_are_the_distinct_prefixes(sequences: list[tuple[int, ...]]) -> None:
    trie = build_trie(sequences)
    prefixes = {sequence[: size + 1] for sequence in sequences for size in range(len(sequence))}
    spelled = [tuple(trie.tokens[trie.path(node)].tolist()) for node in range(len(trie))]
    assert len(spelled) == len(prefixes)
    assert set(spelled) == prefixes
    for sequence, end in zip(sequences, trie.ends.tolist(), strict=True):
        assert (spelled[end] if end >= 0 else ()) == sequence


@given(SEQUENCES)
def test_descendants_follow_without_a_gap(sequences: list[tuple[int, ...]]) -> None:
    trie = build_trie(sequences)
    spelled = [tuple(trie.tokens[trie.path(node)].tolist()) for node in range(len(trie))]
    assert spelled == sorted(spelled)
    assert (trie.parents < np.arange(len(trie))).all()
    assert trie.depths.tolist() == [len(one) - 1 for one in spelled]


@given(SEQUENCES)
def test_leaves_are_prefixes_of_nothing_else(sequences: list[tuple[int, ...]]) -> None:
    trie = build_trie(sequences)
    spelled = [tuple(trie.tokens[trie.path(node)].tolist()) for node in range(len(trie))]
    maximal = {one for one in spelled if not any(two != one and two[: len(one)] == one for two in spelled)}
    assert {spelled[leaf] for leaf in trie.leaves()} == maximal


def test_part_of_a_path() -> None:
    trie = build_trie([(5, 6, 7), (5, 6, 8)])
    assert trie.tokens[trie.path(int(trie.ends[1]), 2)].tolist() == [6, 8]
    assert trie.path(int(trie.ends[1]), 0).tolist() == []
    assert len(trie) == 4
