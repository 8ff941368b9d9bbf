"""TF-IDF with truncated SVD against hand and dense computations."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError, ModelError
from presheaf.models.base import Model
from presheaf.models.tfidf import TfidfModel

WORDS = ["a", "dog", "bites", "man", "the"]
TEXTS = ["the dog bites a man", "a man bites the dog", "the the dog", "a dog", "man the dog a man"]


@pytest.fixture(scope="module")
def model() -> TfidfModel:
    fitted = TfidfModel(3)
    fitted.fit(TEXTS)
    return fitted


def test_gram_matrix_is_that_of_a_dense_computation() -> None:
    texts = ["b c", "b b d", "c c c", "d c"]
    full = TfidfModel(100)
    full.fit(texts)
    assert isinstance(full, Model)
    # By hand: terms of each text, document frequencies, idf = ln((1 + n) / (1 + df)) + 1, unit length.
    bags = [
        {"b": 1, "c": 1, "b c": 1},
        {"b": 2, "d": 1, "b b": 1, "b d": 1},
        {"c": 3, "c c": 2},
        {"d": 1, "c": 1, "d c": 1},
    ]
    terms = sorted(set().union(*bags))
    idf = [math.log(5 / (1 + sum(t in bag for bag in bags))) + 1 for t in terms]
    dense = np.array([[bag.get(t, 0) * w for t, w in zip(terms, idf, strict=True)] for bag in bags])
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    features, precision = full.encode_exact(texts)
    assert precision == "float64"
    assert features.shape == (4, 4)  # no more directions than texts
    np.testing.assert_allclose(features @ features.T, dense @ dense.T, atol=1e-10)
    singular = np.linalg.svd(dense, compute_uv=False)
    np.testing.assert_allclose(np.linalg.norm(features, axis=0), singular, atol=1e-10)


def test_it_must_be_fitted_first() -> None:
    fresh = TfidfModel()
    assert fresh.needs_fit
    assert fresh.info.dim is None
    for ask in (fresh.encode, fresh.encode_exact, fresh.inputs):
        for objects in ([], ["a"]):
            with pytest.raises(ModelError, match="fit"):
                ask(objects)
    with pytest.raises(ModelError, match="fit"):
        fresh.trace("a")


@settings(max_examples=50)
@given(st.lists(st.sampled_from([*WORDS, "new"]), max_size=6), st.integers(1, 3))
def test_equal_inputs_have_equal_bits(model: TfidfModel, words: list[str], factor: int) -> None:
    # An unknown word between the copies: no word pair that reaches from one into the next is known.
    one, many = " ".join(words), " zzz ".join([" ".join(words)] * factor)
    keys = model.inputs([one, "dog", many])
    features, exact = model.encode([one, "dog", many]), model.encode_exact([one, "dog", many])[0]
    assert keys[0] == keys[2]
    assert features[0].tobytes() == features[2].tobytes()
    assert exact[0].tobytes() == exact[2].tobytes() == model.encode_exact([many])[0].tobytes()


def test_word_pairs_keep_some_order_apart_and_case_together(model: TfidfModel) -> None:
    a, b, c, unknown = model.inputs(["dog bites", "bites dog", "DOG Bites", "zebra"])
    assert a == c != b
    assert unknown == b""
    assert not model.encode(["zebra"]).any()
    trace = model.trace("The zebra a dog")
    assert trace.tokens == ("the", "a", "dog", "a dog")
    assert trace.unknown == ("zebra",)
    assert not trace.ordered


def test_the_order_of_the_rows_changes_nothing() -> None:
    rng = random.Random(0)
    texts = [" ".join(rng.choices(WORDS + list("bcdefgh"), k=6)) for _ in range(60)]
    shuffled = rng.sample(texts, k=60)
    first, second = TfidfModel(10), TfidfModel(10)
    first.fit(texts)
    second.fit(shuffled)
    assert first.fingerprint == second.fingerprint
    assert first.encode(texts).tobytes() == second.encode(texts).tobytes()


def test_fingerprint_follows_the_fit(model: TfidfModel) -> None:
    other = TfidfModel(3)
    assert other.fingerprint != TfidfModel(4).fingerprint
    other.fit(TEXTS)
    assert other.fingerprint == model.fingerprint
    other.fit([*TEXTS, "a cat"])
    assert other.fingerprint != model.fingerprint


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (TEXTS, "word"),
        (["我爱北京天安门", "天安门上太阳升", "a few English words in between"], "character"),
        (["สวัสดีครับ", "ขอบคุณครับ"], "character"),
        (["हिन्दी एक भाषा है", "यह एक वाक्य है"], "word"),
        (["cat", "dog"], "character"),
        (["! ! ! !", "? ? ? ?"], "character"),
    ],
)
def test_terms_follow_the_script(texts: list[str], kind: str) -> None:
    model = TfidfModel()
    model.fit(texts)
    assert dict(model.info.settings)["terms"].startswith(kind)
    assert len(set(model.inputs(texts))) == len(texts)


def test_marks_stay_with_their_letters() -> None:
    model = TfidfModel()
    model.fit(["हिन्दी एक भाषा है", "यह एक वाक्य है"])
    assert model.trace("हिन्दी भाषा").tokens == ("हिन्दी", "भाषा")


@pytest.mark.parametrize("texts", [["x"], ["a a a a a a a a a a a a"] * 3, ["", " ", "b"], ["\0", "\ud800"]])
def test_degenerate_texts(texts: list[str]) -> None:
    model = TfidfModel()
    model.fit(texts)
    features = model.encode(texts)
    assert features.shape == (len(texts), model.info.dim)
    assert np.isfinite(features).all()
    assert model.encode([]).shape == (0, model.info.dim)
    assert model.inputs([]) == []


@pytest.mark.parametrize("texts", [[], ["", " \t"]])
def test_nothing_to_learn_from(texts: list[str]) -> None:
    with pytest.raises(ModelError, match="nothing to learn from"):
        TfidfModel().fit(texts)


@pytest.mark.parametrize("options", [{"dim": 0}, {"dim": 2.5}, {"dim": True}, {"max_terms": 0}])
def test_bad_options(options: dict[str, int]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        TfidfModel(**options)


def test_it_separates_what_words_separate() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = random.Random(1)
    common, topics = [f"w{i}" for i in range(50)], [["goal", "team"], ["court", "law"]]
    labels = [i % 2 for i in range(400)]
    texts = [" ".join([*rng.choices(common, k=8), rng.choice(topics[y])]) for y in labels]
    model = TfidfModel(50)
    model.fit(texts)
    features = model.encode(texts)
    head = LogisticRegression(C=100).fit(features[:200], labels[:200])
    assert head.score(features[200:], labels[200:]) > 0.95
