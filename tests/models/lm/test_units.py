"""Words, characters and bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presheaf.models.lm.units import Unit, Vocabulary, split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The cat's 3.5 stars, 'fine'!", ["The", "cat's", "3", ".", "5", "stars", ",", "'", "fine", "'", "!"]),
        ("北京 is 大", ["北", "京", "is", "大"]),
        ("abc北def", ["abc", "北", "def"]),
        ("हिन्दी", ["हिन्दी"]),
        ("nai\u0308ve\u00a0\ttext\n", ["nai\u0308ve", "text"]),
        ("👍🏽ok", ["👍", "🏽", "ok"]),
        (" \n", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split(text, "word") == words


@given(st.text())
def test_words_lose_white_space_only(text: str) -> None:
    assert "".join(split(text, "word")) == "".join(text.split())


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))), st.sampled_from(["character", "byte"]))
def test_characters_and_bytes_give_known_texts_back(texts: list[str], unit: Unit) -> None:
    vocabulary = Vocabulary.of((split(text, unit) for text in texts), unit)
    for text in texts:
        assert vocabulary.decode(vocabulary.encode(text)) == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_words_of_words_are_the_same_words(texts: list[str]) -> None:
    vocabulary = Vocabulary.of((split(text, "word") for text in texts), "word")
    for text in texts:
        tokens = vocabulary.encode(text)
        assert vocabulary.encode(vocabulary.decode(tokens)) == tokens


def test_ids_follow_frequency_then_code_points_and_strangers_are_unknown() -> None:
    vocabulary = Vocabulary.of([["b", "a"], ["b", "c"]], "word")
    assert vocabulary.units == ("b", "a", "c")
    assert vocabulary.encode("a b z c") == [3, 2, 0, 4]
    assert vocabulary.decode([3, 0, 2, 1]) == "a \ufffd b"
    assert vocabulary.pieces([0, 1, 2]) == ["<unk>", "</s>", "b"]
    assert len(vocabulary) == 5


def test_bytes_are_all_there_and_readable() -> None:
    vocabulary = Vocabulary.of([], "byte")
    assert len(vocabulary) == 258
    assert vocabulary.pieces(vocabulary.encode("aé")) == ["a", "<0xC3>", "<0xA9>"]
    assert vocabulary.decode(vocabulary.encode("é")[:1]) == "\ufffd"
