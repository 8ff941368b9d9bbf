"""Texts ordered by prefix: theory oracle 19, and the closed form against the inverse of the whole zeta matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from presheaf.enriched.magnitude import magnitude
from presheaf.enriched.prefix import prefix_magnitude, prefix_parents
from presheaf.errors import InputError

TOY = [-1, 0, 0, 1, 1], [1, 0.6, 0.4, 0.3, 0.7]
"""Start, a, end, aa, a end: a language model of two tokens cut at length 2."""


def whole_zeta(parent: list[int], probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """zeta[x, y] = P(y | x) by walking up from every text."""
    n = len(parent)
    zeta = np.eye(n)
    for y in range(n):
        x, p = y, 1.0
        while parent[x] >= 0:
            p *= probability[x]
            x = parent[x]
            zeta[x, y] = p
    return zeta


def test_toy_language_model() -> None:
    found = prefix_magnitude(*TOY, [0, 1, 2])
    assert found.value == pytest.approx([1, 3, 3.90])
    assert found.derivative[1] == pytest.approx(1.283876, abs=1e-6)
    assert found.weighting(1.0) == pytest.approx([0, 0, 1, 1, 1])
    assert found.kind == "proof"


def test_toy_by_the_general_way() -> None:
    with np.errstate(divide="ignore"):
        distances = -np.log(whole_zeta(TOY[0], np.array(TOY[1])))
    for t in (0.5, 1.0, 2.0):
        general = magnitude(distances, t)
        closed = prefix_magnitude(*TOY, t)
        assert general.value == pytest.approx(closed.value[0], abs=1e-12)
        assert general.derivative == pytest.approx(closed.derivative[0], abs=1e-12)
        assert general.weighting == pytest.approx(closed.weighting(t), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    texts=st.sets(st.lists(st.integers(0, 2), max_size=5).map(tuple), min_size=1, max_size=40),
    t=st.floats(0.1, 4),
    seed=st.integers(0, 99),
)
def test_any_set_of_texts_against_the_inverse_matrix(texts: set[tuple[int, ...]], t: float, seed: int) -> None:
    ordered = list(texts)
    np.random.default_rng(seed).shuffle(ordered)
    step = np.random.default_rng(seed).uniform(0.05, 1, (6, 3))
    # P(y | x) is the product over the tokens of y after x; brute force over all pairs.
    zeta = np.array(
        [
            [np.prod([step[i, y[i]] for i in range(len(x), len(y))]) if y[: len(x)] == x else 0.0 for y in ordered]
            for x in ordered
        ]
    )
    parent = prefix_parents(ordered)
    probability = np.array([zeta[p, i] if p >= 0 else 1.0 for i, p in enumerate(parent)])
    inverse = np.linalg.inv(np.where(zeta > 0, zeta**t, 0))
    assert prefix_magnitude(parent, probability, t).value[0] == pytest.approx(inverse.sum(), abs=1e-10)
    assert prefix_magnitude(parent, probability, t).weighting(t) == pytest.approx(inverse.sum(axis=1), abs=1e-10)


@settings(deadline=None)
@given(texts=st.sets(st.lists(st.integers(0, 3), max_size=6).map(tuple), min_size=1, max_size=60))
def test_parents_are_the_longest_prefixes(texts: set[tuple[int, ...]]) -> None:
    ordered = sorted(texts, key=hash)
    for text, parent in zip(ordered, prefix_parents(ordered), strict=True):
        prefixes = [text[:k] for k in range(len(text)) if text[:k] in texts]
        assert (ordered[parent] if parent >= 0 else None) == (prefixes[-1] if prefixes else None)


def test_a_full_distribution_counts_its_endings_at_scale_one() -> None:
    # All continuations there: the magnitude at 1 is the number of texts that end (theory 2.2).
    rng = np.random.default_rng(0)
    parent, probability, open_texts = [-1], [1.0], [0]
    for _ in range(4):
        following = []
        for x in open_texts:
            for p in rng.dirichlet(np.ones(3)):
                parent.append(x)
                probability.append(p)
                following.append(len(parent) - 1)
        open_texts = following[::2]
    ends = len(parent) - len({p for p in parent if p >= 0})
    found = prefix_magnitude(parent, probability, [1.0, 50.0])
    assert found.value[0] == pytest.approx(ends)
    assert found.value[1] == pytest.approx(len(parent), abs=1e-3)
    entropy = -sum(p * np.log(p) for p in probability[1:])
    assert found.derivative[0] == pytest.approx(entropy)


def test_impossible_texts_and_bad_input() -> None:
    assert prefix_magnitude([-1, 0], [1, 0], [0, 1]).value == pytest.approx([2, 2])
    assert len(prefix_parents([])) == 0
    assert prefix_magnitude([], [], 1).value == pytest.approx([0])
    with pytest.raises(InputError, match="texts 0 and 2 are equal"):
        prefix_parents([(1, 2), (1,), (1, 2)])
    with pytest.raises(InputError, match="go round"):
        prefix_magnitude([1, 0], [0.5, 0.5], 1)
    with pytest.raises(InputError, match=r"\[0, 1\]"):
        prefix_magnitude([-1, 0], [1, 1.5], 1)
    with pytest.raises(InputError, match="one shape"):
        prefix_magnitude([-1, 0], [1], 1)
    with pytest.raises(InputError, match=">= 0"):
        prefix_magnitude([-1], [1], -1)
    with pytest.raises(InputError, match=r"texts 0\.\.1 or -1"):
        prefix_magnitude([-1, 2], [1, 1], 1)
