"""Splits keep what belongs together on one side and depend on content only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from presheaf.statistics.splits import connected_groups, digest, folds, halves


def test_digest_depends_on_content_and_seed_only() -> None:
    assert digest("fish") == digest(b"fish") == digest("fish", 0)
    assert len({digest("fish", seed) for seed in range(50)} | {digest("Fish"), digest("fish ")}) == 52
    assert 0 <= digest("") < 2**64
    assert digest("half \ud83d") != digest("half ")


def by_union_find(keys: Sequence[Sequence[Hashable]]) -> list[int]:
    parent = list(range(len(keys[0])))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for key in keys:
        for i in range(len(key)):
            for j in range(i):
                if key[i] == key[j]:
                    parent[root(i)] = root(j)
    return [root(i) for i in range(len(parent))]


def partition(groups: Sequence[int] | NDArray[np.int64]) -> set[frozenset[int]]:
    members: dict[int, set[int]] = {}
    for i, g in enumerate(groups):
        members.setdefault(int(g), set()).add(i)
    return {frozenset(m) for m in members.values()}


@given(st.integers(1, 25).flatmap(lambda n: st.lists(st.lists(st.integers(0, 12), min_size=n, max_size=n), min_size=1,
                                                     max_size=3)))  # fmt: skip
def test_connected_groups_against_union_find(keys: list[list[int]]) -> None:
    groups = connected_groups(*keys)
    assert partition(groups) == partition(by_union_find(keys))
    assert sorted(set(groups.tolist())) == list(range(len(set(groups.tolist()))))


def test_connected_groups_joins_across_keys_of_any_kind() -> None:
    groups = connected_groups(["x", "x", "y", "z"], [b"1", b"2", b"2", b"3"])
    assert partition(groups) == {frozenset({0, 1, 2}), frozenset({3})}


@st.composite
def tables(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]:
    n = draw(st.integers(1, 80))
    groups = np.array(draw(st.lists(st.integers(0, 60), min_size=n, max_size=n)))
    labels = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    seed = draw(st.integers(0, 99))
    hashes = np.array([digest(f"row {i}", seed) for i in range(n)], dtype=np.uint64)
    return groups.astype(np.int64), labels.astype(np.int64), hashes


@given(tables())
@settings(max_examples=200)
def test_halves_part_the_rows_and_keep_groups_whole(
    table: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]],
) -> None:
    groups, labels, hashes = table
    n = len(groups)
    choosing, scoring = halves(groups, labels, hashes)
    assert sorted([*choosing.tolist(), *scoring.tolist()]) == list(range(n))
    for half in (choosing, scoring):
        assert (np.diff(hashes[half].astype(object)) > 0).all()
    for g in set(groups[choosing].tolist()) & set(groups[scoring].tolist()):
        assert (groups == g).sum() > 0.1 * n
    if n >= 2:
        assert min(len(choosing), len(scoring)) >= 1


@given(tables(), st.randoms(use_true_random=False), st.permutations(range(4)))
def test_halves_do_not_depend_on_order_or_on_numbering(
    table: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]], random: object, names: list[int]
) -> None:
    groups, labels, hashes = table
    # One label a group: which label speaks for a mixed group is a tie that numbering may break.
    labels = labels[np.unique(groups, return_index=True)[1]][np.unique(groups, return_inverse=True)[1]]
    order = list(range(len(groups)))
    random.shuffle(order)  # type: ignore[attr-defined]
    renumbered = np.array(names)[labels] if len(labels) else labels
    before, after = halves(groups, labels, hashes), halves((60 - groups)[order], renumbered[order], hashes[order])
    for one, other in zip(before, after, strict=True):
        assert hashes[one].tolist() == hashes[np.array(order, dtype=int)[other]].tolist()


def test_halves_are_stratified() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(5, size=997, p=[0.5, 0.3, 0.15, 0.04, 0.01])
    hashes = rng.integers(0, 2**63, 997).astype(np.uint64)
    sides = halves(np.arange(997), labels, hashes)
    counts = np.array([np.bincount(labels[side], minlength=5) for side in sides])
    assert np.abs(counts[0] - counts[1]).max() <= 1
    assert abs(len(sides[0]) - len(sides[1])) <= 1


def test_halves_weigh_groups_by_their_rows() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(200), rng.integers(1, 9, 200))
    labels = (groups % 2).astype(np.int64)
    hashes = np.array([digest(str(i)) for i in range(len(groups))], dtype=np.uint64)
    choosing, scoring = halves(groups, labels, hashes)
    for label in (0, 1):
        assert abs((labels[choosing] == label).sum() - (labels[scoring] == label).sum()) <= 8


def test_a_giant_group_is_split_by_rows() -> None:
    n = 400
    hashes = np.array([digest(str(i)) for i in range(n)], dtype=np.uint64)
    labels = np.arange(n) % 2
    groups = np.where(np.arange(n) < 100, 0, np.arange(n))
    choosing, scoring = halves(groups, labels, hashes)
    assert len(choosing) == len(scoring) == 200
    assert (groups[choosing] == 0).sum() == pytest.approx(50, abs=15)
    everything = halves(np.zeros(n, dtype=np.int64), labels, hashes)
    assert [len(side) for side in everything] == [200, 200]


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_halves_of_tiny_tables(n: int) -> None:
    hashes = np.array([digest(str(i)) for i in range(n)], dtype=np.uint64)
    choosing, scoring = halves(np.arange(n), np.zeros(n, dtype=np.int64), hashes)
    assert sorted([*choosing.tolist(), *scoring.tolist()]) == list(range(n))
    assert abs(len(choosing) - len(scoring)) <= 1


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=60), st.integers(2, 4))
def test_folds_keep_groups_whole_and_are_even(rows: list[tuple[int, int]], k: int) -> None:
    groups, labels = np.array(rows).T
    fold = folds(groups, labels, k)
    assert ((fold >= 0) & (fold < k)).all()
    size = Counter(groups.tolist())
    units = {
        (g if size[g] <= max(len(rows) / k, 1) else (g, i), f)
        for i, (g, f) in enumerate(zip(groups.tolist(), fold.tolist(), strict=True))
    }
    assert len(units) == len({unit for unit, _ in units})
    spread = Counter(f for _, f in units)
    assert max(spread.values()) - min(spread[f] for f in range(k)) <= 1
    assert len(set(fold.tolist())) == min(k, len(rows))
    assert (folds(groups, labels, k) == fold).all()


def test_folds_are_stratified_and_seeded() -> None:
    labels = np.repeat([0, 1, 2], [300, 60, 9])
    fold = folds(np.arange(369), labels, 3, seed=4)
    for label, each in ((0, 100), (1, 20), (2, 3)):
        assert np.bincount(fold[labels == label]).tolist() == [each] * 3
    assert (fold != folds(np.arange(369), labels, 3, seed=5)).any()


def test_no_rows_have_no_folds() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert folds(none, none, 3).shape == (0,)
