"""Formal concepts: theory oracle 14, and brute force over all sets of attributes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.enriched.concepts import formal_concepts
from presheaf.errors import InputError


def test_counts_of_known_relations() -> None:
    identity = np.eye(3, dtype=bool)
    assert len(formal_concepts(~identity)) == 8
    assert len(formal_concepts(identity)) == 5
    for n in (1, 2, 7):
        assert len(formal_concepts(np.tril(np.ones((n, n), dtype=bool)))) == n
    full = formal_concepts(np.ones((4, 6), dtype=bool))
    assert len(full) == 1
    assert full.extents.all()
    assert full.intents.all()


@settings(deadline=None, max_examples=80)
@given(n=st.integers(0, 6), m=st.integers(0, 6), share=st.floats(0, 1), seed=st.integers(0, 999))
def test_brute_force(n: int, m: int, share: float, seed: int) -> None:
    table = np.random.default_rng(seed).random((n, m)) < share
    expected = set()
    for k in range(m + 1):
        for attributes in combinations(range(m), k):
            extent = frozenset(i for i in range(n) if all(table[i, a] for a in attributes))
            expected.add((extent, frozenset(a for a in range(m) if all(table[i, a] for i in extent))))
    found = formal_concepts(table)
    listed = [
        (frozenset(np.flatnonzero(e)), frozenset(np.flatnonzero(i)))
        for e, i in zip(found.extents, found.intents, strict=True)
    ]
    assert found.complete
    assert len(listed) == len(set(listed))
    assert set(listed) == expected


def test_a_budget_stops_the_list_and_says_so() -> None:
    table = ~np.eye(20, dtype=bool)
    some = formal_concepts(table, most=500)
    assert len(some) == 500
    assert not some.complete
    assert "not all" in repr(some)
    assert len({tuple(row) for row in some.extents}) == 500
    exact = formal_concepts(~np.eye(9, dtype=bool), most=512)
    assert len(exact) == 512
    assert exact.complete
    assert not formal_concepts(~np.eye(9, dtype=bool), most=511).complete
    assert len(formal_concepts(table, most=1)) == 1


def test_bad_tables() -> None:
    with pytest.raises(InputError, match="bool table"):
        formal_concepts(np.ones((2, 2)))
    with pytest.raises(InputError, match="most"):
        formal_concepts(np.ones((2, 2), dtype=bool), most=0)
