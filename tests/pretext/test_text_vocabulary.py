"""The vocabulary of a text task: exact, the same again, and as small as the texts make it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tokenizers")

from text_worlds import reviews

from presheaf.errors import InputError
from presheaf.pretext.data import make_data
from presheaf.pretext.text_sizes import check_sizes
from presheaf.pretext.text_vocabulary import CAUSAL, MASKED, TextVocabulary, vocabulary_of

TEXTS = ("the cat sat on the mat", "the dog sat on the log", "naïve café 鱿鱼", "")


@given(st.text())
@settings(max_examples=50, deadline=None)
def test_a_causal_vocabulary_gives_every_text_back(text: str) -> None:
    words = vocabulary_of(reviews(), 400, CAUSAL)
    assert words.decode(words.encode([text])[0]) == text


@given(st.lists(st.text(max_size=20), max_size=5))
@settings(max_examples=50, deadline=None)
def test_characters_that_begin_in_the_tokens_are_the_text_s(texts: list[str]) -> None:
    words = vocabulary_of(reviews(), 400, CAUSAL)
    for text, tokens in zip(texts, words.encode(texts), strict=True):
        assert words.characters[list(tokens)].sum() == len(text)


def test_special_tokens_come_first_and_have_no_characters() -> None:
    words = TextVocabulary.train(TEXTS, 300, MASKED)
    assert [words.id(name) for name in MASKED] == [0, 1, 2, 3]
    assert words.characters[:4].tolist() == [0, 0, 0, 0]


def test_a_text_that_spells_a_special_token_has_none() -> None:
    words = TextVocabulary.train(TEXTS, 300, MASKED)
    (tokens,) = words.encode(["a [MASK] b [PAD]"])
    assert min(tokens) >= len(MASKED)
    assert words.decode(tokens).strip() == "a [MASK] b [PAD]"


def test_the_first_word_of_a_masked_text_reads_like_any_other() -> None:
    words = TextVocabulary.train(TEXTS, 300, MASKED)
    (tokens,) = words.encode(["the the"])
    assert len(set(tokens)) == 1


def test_a_larger_vocabulary_than_the_texts_allow_is_smaller() -> None:
    words = TextVocabulary.train(TEXTS, 5000, CAUSAL)
    # 256 bytes, the end, and merges of pairs that occur twice.
    assert 257 < len(words) < 300


def test_merges_are_the_most_frequent_pairs() -> None:
    words = TextVocabulary.train(["ab ab ab cd cd"], 258, CAUSAL)
    assert words.pieces[257] == "ab"


def test_training_again_in_another_process_gives_the_same() -> None:
    here = vocabulary_of(reviews(), 500, CAUSAL).digest
    code = (
        "from text_worlds import reviews\n"
        "from presheaf.pretext.text_vocabulary import CAUSAL, vocabulary_of\n"
        "print(vocabulary_of(reviews(), 500, CAUSAL).digest)"
    )
    for threads in ("1", "2"):
        settings = {**os.environ, "RAYON_NUM_THREADS": threads, "PYTHONPATH": str(Path(__file__).parent)}
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=settings, check=True)
        assert ran.stdout.strip() == here


def test_it_is_trained_on_the_training_texts_only() -> None:
    first = make_data("a", "text", ("ab ab ab",), ("xy xy xy",))
    second = make_data("b", "text", ("ab ab ab",), ("zz zz zz",))
    assert vocabulary_of(first, 300, CAUSAL).json == vocabulary_of(second, 300, CAUSAL).json


def test_nothing_to_train_on_is_said() -> None:
    with pytest.raises(InputError, match="nothing to train a vocabulary on"):
        TextVocabulary.train(["", ""], 300, CAUSAL)


def test_the_stream_ends_every_text() -> None:
    words = TextVocabulary.train(TEXTS, 257, CAUSAL)
    byte = {piece: number for number, piece in enumerate(words.pieces)}
    assert words.stream(["ab", "", "c"]).tolist() == [byte["a"], byte["b"], 0, 0, byte["c"], 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocabulary": 256}, "at least 257"),
        ({"window": 1}, "'window'"),
        ({"dim": 30}, "multiple of twice 'heads'"),
        ({"layers": 0}, "'layers'"),
        ({"heads": True}, "'heads'"),
        ({"dim": 32.0}, "'dim'"),
    ],
)
def test_sizes_out_of_range_are_refused(changes: dict[str, int], message: str) -> None:
    sizes = {"vocabulary": 300, "window": 8, "dim": 32, "layers": 1, "heads": 4}
    with pytest.raises(InputError, match=message):
        check_sizes({**sizes, **changes}, CAUSAL)
