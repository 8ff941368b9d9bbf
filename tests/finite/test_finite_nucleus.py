"""Formal concepts: counts from the literature, and all concepts by brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.arrows import initial_objects, terminal_objects
from presheaf.finite.categories.nucleus import concepts
from presheaf.finite.functors.limits_in import coproduct_in, product_in


def test_counts() -> None:
    eye = np.eye(3, dtype=bool)
    assert len(concepts(~eye)) == 8
    assert len(concepts(eye)) == 5
    for n in (1, 2, 7, 130):
        assert len(concepts(np.tri(n, dtype=bool))) == n
    assert len(concepts(np.ones((4, 6), dtype=bool))) == 1
    assert len(concepts(np.zeros((4, 6), dtype=bool))) == 2
    assert len(concepts(~np.eye(12, dtype=bool))) == 2**12


def test_a_matrix_and_its_transpose_have_the_same_concepts() -> None:
    table = np.random.default_rng(3).random((70, 20)) < 0.4
    one, two = concepts(table), concepts(table.T)
    assert len(one) == len(two)
    assert {a.tobytes() + b.tobytes() for a, b in zip(one.extents, one.intents, strict=True)} == {
        a.tobytes() + b.tobytes() for a, b in zip(two.intents, two.extents, strict=True)
    }


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 10**6))
def test_all_closed_pairs(n: int, m: int, seed: int) -> None:
    table = np.random.default_rng(seed).random((n, m)) < 0.6
    truth = set()
    for bits in product([False, True], repeat=n):
        intent = tuple(all(table[i, j] for i in range(n) if bits[i]) for j in range(m))
        extent = tuple(all(table[i, j] for j in range(m) if intent[j]) for i in range(n))
        truth.add((extent, intent))
    found = concepts(table)
    assert {(tuple(a.tolist()), tuple(b.tolist())) for a, b in zip(found.extents, found.intents, strict=True)} == truth
    assert len(found) == len(truth)
    lattice = found.lattice()
    assert len(initial_objects(lattice)) == len(terminal_objects(lattice)) == 1
    i, j = (int(x) for x in np.random.default_rng(seed).integers(0, len(found), 2))
    meet, join = product_in(lattice, [i, j]), coproduct_in(lattice, [i, j])
    assert (found.extents[meet.object] == (found.extents[i] & found.extents[j])).all()
    assert (found.intents[join.object] == (found.intents[i] & found.intents[j])).all()


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match="more than 100 concepts after 7 of 12"):
        concepts(~np.eye(12, dtype=bool), most=100)
    with pytest.raises(InputError, match="bool table"):
        concepts([[1, 0]])
