"""Tests between models against enumeration and against their definitions."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presheaf.statistics.paired import holm, indistinguishable, mcnemar

HITS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=14)


@given(HITS)
def test_mcnemar_is_the_share_of_swaps_at_least_as_lopsided(rows: list[tuple[bool, bool]]) -> None:
    signs = [int(x) - int(y) for x, y in rows if x != y]
    swaps = [abs(sum(swap)) >= abs(sum(signs)) for swap in product((-1, 1), repeat=len(signs))]
    expected = sum(swaps) / len(swaps)
    a, b = [x for x, _ in rows], [y for _, y in rows]
    assert mcnemar(a, b) == pytest.approx(expected)
    assert mcnemar(b, a) == mcnemar(a, b)


def test_mcnemar_counts_each_group_once() -> None:
    a, b = np.array([True] * 6 + [False] * 2), np.array([False] * 6 + [True] * 2)
    plain = mcnemar(a, b)
    assert plain == pytest.approx(2 * (1 + 8 + 28) / 256)
    copies = np.repeat(np.arange(8), 5)
    assert mcnemar(np.repeat(a, 5), np.repeat(b, 5), copies) == plain
    assert mcnemar(np.repeat(a, 5), np.repeat(b, 5)) < 0.01
    assert mcnemar(a, b, np.arange(8)) == plain
    # Groups lead 2 : 0, 2 : 1 and 1 : 1, so a leads in two, nobody in the third: p = 2 * (1/2)^2.
    grouped = mcnemar([1, 1, 1, 1, 0, 1, 0], [0, 0, 0, 0, 1, 0, 1], np.array([0, 0, 1, 1, 1, 2, 2]))
    assert grouped == pytest.approx(0.5)
    assert mcnemar([], []) == 1.0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_bonferroni_test(p: list[float]) -> None:
    """A hypothesis falls when every intersection that holds it falls by Bonferroni (Marcus, Peritz, Gabriel 1976)."""
    m = len(p)
    for i, adjusted in enumerate(holm(p)):
        sets = [s for size in range(1, m + 1) for s in combinations(range(m), size) if i in s]
        assert adjusted == pytest.approx(max(min(1.0, len(s) * min(p[j] for j in s)) for s in sets))


def pairs(**p: float) -> dict[frozenset[str], float]:
    return {frozenset(name): value for name, value in p.items()}


def test_indistinguishable_groups_are_cut_from_the_best_down() -> None:
    assert indistinguishable("abc", pairs(ab=0.2, ac=0.01, bc=0.3)) == (("a", "b"), ("c",))
    assert indistinguishable("abc", pairs(ab=0.01, ac=0.2, bc=0.01)) == (("a", "c"), ("b",))
    assert indistinguishable("abc", pairs(ab=0.05, ac=0.0501, bc=1.0)) == (("a", "c"), ("b",))
    assert indistinguishable("abc", pairs(ab=0.0, ac=0.0, bc=0.0)) == (("a",), ("b",), ("c",))
    assert indistinguishable(["only"], {}) == (("only",),)
    assert indistinguishable([], {}) == ()
