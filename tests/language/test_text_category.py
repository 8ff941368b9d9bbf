"""Texts as a category: pi on prefixes, its laws, and the check that finds a broken cache."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_toys import (
    END,
    PairTokens,
    StaleCache,
    TableModel,
    WrongPosition,
    all_texts,
    probability,
    random_model,
    two_letter_model,
    uniform_model,
)

import presheaf.enriched as pe
import presheaf.language as pl
from presheaf.errors import InputError, ModelError
from presheaf.models.lm.base import LocalLanguageModel


def test_the_toys_keep_the_protocol() -> None:
    assert isinstance(two_letter_model(), LocalLanguageModel)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 12), zeros=st.booleans())
def test_pi_is_the_product_along_prefixes_and_zero_elsewhere(seed: int, count: int, zeros: bool) -> None:
    model = random_model(3, 3, seed, zeros)
    rng = np.random.default_rng(seed)
    texts = [tuple(rng.integers(0, 3, rng.integers(0, 6)).tolist()) for _ in range(count)]
    category = pl.text_category(model, texts, prefixes=bool(seed % 2), root=bool(seed % 3))
    expected = np.array([[probability(model, x, y) for y in category.texts] for x in category.texts])
    distances = category.hom.dense(1 << 20)
    assert np.exp(-distances) == pytest.approx(expected, abs=1e-12)
    assert (distances.diagonal() == 0).all()
    assert [category.texts[i] for i in category.given] == texts
    x, y = np.divmod(np.arange(len(category) ** 2), len(category))
    assert np.array_equal(category.hom.pairs(x, y), distances.ravel())
    some = rng.permutation(len(category))[: 1 + len(category) // 2]
    assert np.array_equal(category.hom.take(some).dense(1 << 20), distances[np.ix_(some, some)])


def test_composition_along_prefixes_is_an_equality_in_the_hom() -> None:
    model = random_model(2, 4, 5)
    category = pl.text_category(model, all_texts(2, 5))
    d = category.hom.dense(1 << 24)
    for z, text in enumerate(category.texts):
        chain = [category.find(text[:end]) for end in range(len(text) + 1)]
        for i, x in enumerate(chain):
            for y in chain[i:]:
                assert d[x, y] + d[y, z] == pytest.approx(d[x, z], abs=1e-12)
    laws = pe.laws(category.hom, triples=20_000)
    assert laws.largest <= 1e-12
    assert laws.share.value == 0


def test_enriched_engine_runs_on_it_unchanged() -> None:
    category = pl.text_category(random_model(2, 3, 1), all_texts(2, 4))
    hom = category.hom
    assert not hom.symmetric
    assert hom.lawful
    # A text's own copresheaf is represented by it and nothing else: texts are never isomorphic.
    own = hom.row(7, "covariant")
    found = pe.representability_defects(hom, own, "covariant")
    assert found.best == 7
    assert found.rho[7] == 0
    assert np.delete(found.rho, 7).min() > 0
    # Density: with every object as a prompt the presheaf itself comes back.
    target = pe.repair_presheaf(hom, np.random.default_rng(0).uniform(0, 3, hom.n), "covariant").nearest
    assert pe.fit_weights(hom, target, np.arange(hom.n), "covariant").error == pytest.approx(0, abs=1e-12)
    curve = pe.prompt_curve(hom, own, "covariant", 2)
    assert curve.low[0] == curve.high[0] == 0
    # Skeletal: no two texts are one object, so nothing keeps any labelling from being right.
    labels = np.arange(hom.n) % 2
    pairs = pe.close_pairs(hom, 0.0, pe.ISOMORPHISM_CLASSES.reading)
    ceiling = pe.ceiling_curve(pairs, labels, pe.ISOMORPHISM_CLASSES, [0.0])
    assert ceiling.strict is not None
    assert ceiling.strict[0] == ceiling.margin[0] == 1


def test_impossible_text_is_infinitely_far_and_the_rest_is_not() -> None:
    model = TableModel("ab", {(): (1.0, 0.0), (1,): (0.5, 0.5)})
    category = pl.text_category(model, ["b", "ba", "a"], root=True)
    root, b, ba, a = (category.find(text) for text in ("", "b", "ba", "a"))
    d = category.hom.dense(1 << 20)
    assert d[root, b] == d[root, ba] == np.inf
    assert d[b, ba] == pytest.approx(np.log(2))
    assert d[root, a] == 0


def test_equal_tokens_are_one_object_and_unknown_text_is_refused() -> None:
    category = pl.text_category(uniform_model(3), ["ab", (0, 1), "abc"])
    assert len(category) == 2
    assert category.given.tolist() == [0, 0, 1]
    with pytest.raises(InputError, match="no object here"):
        category.find("c")


@pytest.mark.parametrize(
    ("texts", "words"),
    [([], "at least one"), ("ab", "one string"), ([(0, 7)], "must lie in 0..2"), ([1.5], "strings or")],
)
def test_hostile_input_is_named(texts: list[object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        pl.text_category(uniform_model(3), texts)  # type: ignore[arg-type]


def test_a_text_past_the_window_is_refused_not_cut() -> None:
    with pytest.raises(InputError, match="window of 3"):
        pl.text_category(TableModel("ab", {(): (0.5, 0.5)}, window=3), ["abab"])


def test_a_model_that_gives_too_few_numbers_is_named() -> None:
    class Short(TableModel):
        def token_log_probs(self, sequences):  # type: ignore[no-untyped-def]
            return [steps[:-1] for steps in super().token_log_probs(sequences)]

    with pytest.raises(ModelError, match="one number for each token"):
        pl.text_category(Short("ab", {(): (0.5, 0.5)}), ["ab"])


def test_composition_holds_on_an_exact_model() -> None:
    category = pl.text_category(random_model(3, 3, 2), all_texts(3, 3))
    check = pl.check_composition(category)
    assert check.holds
    # Every text of two letters or more has one before it and one before that: 9 + 27.
    assert check.checked == check.chains == 36
    assert check.sharing == 0
    assert check.composing < 1e-6
    assert pl.check_composition(category, chains=10).checked == 10


def test_a_stale_cache_is_found() -> None:
    rows = {(): (0.5, 0.5), (0,): (0.9, 0.1), (1,): (0.2, 0.8)}
    good, bad = TableModel("ab", rows), StaleCache("ab", rows)
    texts = ["aa", "ab", "ba", "bb"]
    assert pl.check_composition(pl.text_category(good, texts, prefixes=True, root=True)).holds
    check = pl.check_composition(pl.text_category(bad, texts, prefixes=True, root=True))
    assert not check.holds
    worst = check.broken[0]
    assert worst.cause == "cache"
    # Letters after "b" are read as after "a": .9 for .2 and .1 for .8, on the scale of the token's own surprise.
    assert check.sharing == pytest.approx(np.log(0.8 / 0.1), abs=1e-12)
    assert "broken" in repr(check)


def test_a_wrong_position_is_found() -> None:
    model = WrongPosition("ab", {(): (0.5, 0.5), (0,): (0.9, 0.1), (1,): (0.2, 0.8)})
    check = pl.check_composition(pl.text_category(model, ["abab"], prefixes=True))
    assert not check.holds
    assert {failure.cause for failure in check.broken} == {"composition"}


def test_a_tokenizer_that_glues_is_shown() -> None:
    model = PairTokens("ab?", {(): (0.3, 0.3, 0.4)})
    category = pl.text_category(model, ["a", "ab"])
    # "a" begins "ab" as a string, not in tokens: no arrow.
    assert category.hom.dense(1 << 10)[0, 1] == np.inf
    check = pl.check_composition(category, strings=("a", "ab", "b", "ba"))
    assert check.holds
    assert check.split == 1
    (shown,) = [one for one in check.broken if one.cause == "tokenizer"]
    assert shown.texts == ("a", "ab")
    assert "['a'] against ['ab']" in shown.detail


def test_the_smallest_is_the_empty_text() -> None:
    category = pl.text_category(two_letter_model(), [()])
    assert category.hom.dense(1 << 10).tolist() == [[0.0]]
    assert pl.check_composition(category).checked == 0
    assert END == 1
