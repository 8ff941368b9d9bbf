"""Magnitude of texts: closed forms of the literature, the inverse zeta matrix, and all that can follow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_toys import END, A, TableModel, all_texts, random_model, two_letter_model, uniform_model

import presheaf.enriched as pe
import presheaf.language as pl
from presheaf.errors import InputError

SCALES = [0.0, 0.5, 1.0, 2.0, 7.5]


def test_the_published_small_language() -> None:
    """Theory's oracle 19: 5 texts, 3 of them complete; 5 - (.6^t + .4^t + .3^t + .7^t)."""
    model = two_letter_model()
    texts = all_texts(2, 2, stop=lambda text: text[-1:] == (END,))
    assert sorted(texts) == [(), (A,), (A, A), (A, END), (END,)]
    found = pl.text_magnitude(pl.text_category(model, texts), [0, 1, 2])
    assert found.value == pytest.approx([1, 3, 3.90], abs=1e-12)
    assert found.slope_at_one == pytest.approx(1.283876, abs=1e-6)
    entropy = -sum(p * np.log(p) for p in (0.6, 0.4, 0.3, 0.7))
    assert found.slope_at_one == pytest.approx(entropy, abs=1e-12)
    assert found.derivative[1] == found.slope_at_one
    assert found.kind == "proof"


def test_growing_the_small_language_gives_the_same() -> None:
    # The texts that can go on are the empty one and "a"; what follows them is added.
    grown = pl.text_magnitude(pl.text_category(two_letter_model(), [(), (A,)]), [0, 1, 2], grown=True)
    assert grown.objects == 5
    # Whole distributions are float32.
    assert grown.value == pytest.approx([1, 3, 3.90], abs=1e-6)
    assert grown.slope_at_one == pytest.approx(1.283876, abs=1e-6)
    assert "all that can follow" in repr(grown)


@pytest.mark.parametrize(("k", "depth"), [(1, 4), (2, 3), (3, 2), (4, 3)])
def test_uniform_tree_closed_form(k: int, depth: int) -> None:
    """Mag(t) = sum over d < L of k^d (1 - k^(1 - t)) + k^L; slope at 1 is ln k for each text that goes on."""
    found = pl.text_magnitude(pl.text_category(uniform_model(k), all_texts(k, depth)), SCALES)
    inner = sum(k**d for d in range(depth))
    expected = [inner * (1 - k ** (1 - t)) + k**depth for t in SCALES]
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.slope_at_one == pytest.approx(inner * np.log(k), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 14))
def test_any_set_of_texts_agrees_with_the_inverse_of_zeta(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    texts = [tuple(rng.integers(0, 3, rng.integers(0, 7)).tolist()) for _ in range(count)]
    category = pl.text_category(random_model(3, 3, seed, zeros=seed % 2 == 0), texts)
    found = pl.text_magnitude(category, SCALES)
    distances = category.hom.dense(1 << 20)
    for t, value, _ in found.rows():
        zeta = np.where(np.isfinite(distances), np.exp(-t * np.where(np.isfinite(distances), distances, 0)), 0)
        assert value == pytest.approx(np.linalg.inv(zeta).sum(), abs=1e-12 * max(1, len(category)))
    by_parents = pe.prefix_magnitude(category.parent, category.probability, SCALES)
    assert found.value == pytest.approx(by_parents.value, abs=1e-12)
    assert found.derivative == pytest.approx(by_parents.derivative, abs=1e-12)
    assert pe.magnitude(category.hom, 1.0).value == pytest.approx(found.value[2], abs=1e-10)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_grown_is_the_set_with_every_continuation_added(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = random_model(3, 3, seed, zeros=seed % 2 == 0)
    texts = [tuple(rng.integers(0, 3, rng.integers(0, 4)).tolist()) for _ in range(4)]
    category = pl.text_category(model, texts, prefixes=True)
    added = list(dict.fromkeys([*category.texts, *((*x, a) for x in category.texts for a in range(3))]))
    # Added texts that are given ones without one before them now have one only if it was added too: none is.
    roots = {x for x, parent in zip(category.texts, category.parent, strict=True) if parent < 0}
    if any(x[:-1] in added for x in roots if x):
        return
    expected = pl.text_magnitude(pl.text_category(model, added), SCALES)
    found = pl.text_magnitude(category, SCALES, grown=True)
    assert found.objects == expected.objects
    assert found.value == pytest.approx(expected.value, abs=1e-5)
    assert found.slope_at_one == pytest.approx(expected.slope_at_one, abs=1e-5)


def test_a_long_step_does_not_underflow() -> None:
    # 800 letters of probability 1/3: pi = e^-879 is 0 in float64, its power at t = 0.01 is e^-8.8.
    category = pl.text_category(uniform_model(3), [(), (0,) * 800])
    found = pl.text_magnitude(category, [0.0, 0.01])
    assert found.value == pytest.approx([1, 2 - 3 ** (-8.0)], rel=1e-12)


def test_gaps_and_bad_scales_are_refused() -> None:
    category = pl.text_category(uniform_model(2), ["a", "aba"])
    with pytest.raises(InputError, match="without gaps"):
        pl.text_magnitude(category, 1.0, grown=True)
    for bad in (-1.0, np.nan, [[1.0]]):
        with pytest.raises(InputError, match="scales"):
            pl.text_magnitude(category, bad)


def test_memory_of_grown_is_bounded_by_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = TableModel("abcd", {(): (0.1, 0.2, 0.3, 0.4)})
    category = pl.text_category(model, all_texts(4, 3))
    whole = pl.text_magnitude(category, [0.5, 1], grown=True)
    monkeypatch.setattr("presheaf.language.continuations.ROWS_BYTES", 32 * 4 * 5)
    model.calls.clear()
    blocked = pl.text_magnitude(category, [0.5, 1], grown=True)
    assert max(model.calls) == 5
    assert blocked.value == pytest.approx(whole.value, abs=1e-9)
