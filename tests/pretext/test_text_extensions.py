"""The kernel of the text tasks: probabilities along prefixes, against a plain loop."""

from __future__ import annotations

from itertools import pairwise
from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.enriched.construct import hom_from_features
from presheaf.errors import InputError
from presheaf.pretext.text_extensions import extension_kernel, extension_rows

Texts = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4).map(tuple), min_size=2, max_size=8, unique=True)


def cost(tokens: tuple[int, ...]) -> float:
    """-ln of a law in which each token's probability depends on the one before."""
    return sum(log(2 + (a + 2 * b) % 3) for a, b in pairwise(tokens))


@given(Texts)
@settings(max_examples=60, deadline=None)
def test_distances_are_those_of_a_plain_loop(texts: list[tuple[int, ...]]) -> None:
    rows = extension_rows(texts, [cost(text) for text in texts], 5)
    hom = hom_from_features(rows, extension_kernel())
    expected = [[cost(y) - cost(x) if y[: len(x)] == x else inf for y in texts] for x in texts]
    np.testing.assert_allclose(hom.distances(None, None, np.float64), expected, atol=1e-5)
    i, j = np.divmod(np.arange(len(texts) ** 2), len(texts))
    np.testing.assert_allclose(hom.pairs(i, j), np.array(expected).ravel(), atol=1e-5)


def test_it_is_a_category() -> None:
    texts = [(1,), (1, 2), (1, 2, 0), (1, 0), (2,), (2, 2)]
    hom = hom_from_features(extension_rows(texts, [cost(text) for text in texts], 3), extension_kernel())
    d = hom.distances(None, None, np.float64)
    assert (d <= (d[:, :, None] + d).min(axis=1) + 1e-6).all()
    assert (d.diagonal() == 0).all()
    assert not hom.symmetric
    assert hom.fitted == 0


def test_values_are_probabilities() -> None:
    hom = hom_from_features(extension_rows([(7,), (7, 9)], [0.5, 0.5 - log(0.25)], 2), extension_kernel())
    values = hom.quantale.values(hom.distances(None, None, np.float64))
    np.testing.assert_allclose(values, [[1, 0.25], [0, 1]], atol=1e-6)
    assert exp(-hom.row(0, "covariant")[1]) == pytest.approx(0.25)


@pytest.mark.parametrize("tokens", [(), (1, 2, 3)])
def test_objects_of_no_or_too_many_tokens_are_refused(tokens: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="1 to 2 tokens"):
        extension_rows([tokens], [0.0], 2)


def test_other_features_are_refused() -> None:
    with pytest.raises(InputError, match="rows of tokens"):
        hom_from_features(np.array([[0.5, 1.0]]), extension_kernel())
