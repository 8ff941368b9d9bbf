"""Mean-pooled static vectors, and the reader of word-vector files."""

from __future__ import annotations

import gzip
import math
from collections import Counter
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presheaf.errors import InputError, ModelError
from presheaf.models.base import Model, Trace
from presheaf.models.static import StaticModel, WordSplitter
from presheaf.models.word_vectors import read_word_vectors
from presheaf.models.words import word_pattern

GLOVE = "the 1 0\ndog 0 2\nbites 4 4\nman -2 6\ndo 1 1\nn't 3 3\n' 0 1\n. 5 5\n"


@pytest.fixture
def glove(tmp_path: Path) -> Path:
    path = tmp_path / "glove.txt"
    path.write_text(GLOVE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def wordllama() -> StaticModel:
    pytest.importorskip("wordllama")
    pytest.importorskip("safetensors")
    return StaticModel.wordllama()


def test_features_are_the_mean_of_the_known_words(glove: Path) -> None:
    model = StaticModel.from_text(glove)
    assert isinstance(model, Model)
    features = model.encode(["Dog bites man.", "the the dog", "", "zebra", "the zebra"])
    # (0+4-2+5)/4, (2+4+6+5)/4; (1+1+0)/3, (0+0+2)/3
    expected = [[7 / 4, 17 / 4], [2 / 3, 2 / 3], [0, 0], [0, 0], [1, 0]]
    np.testing.assert_allclose(features, np.float32(expected), rtol=1e-7)
    exact = model.encode_exact(["the the dog"])
    assert exact is not None
    assert exact[1] == "float64"
    assert exact[0].dtype == np.float64
    assert exact[0].tolist() == [[2 / 3, 2 / 3]]
    assert (model.encode([]).shape, model.inputs([])) == ((0, 2), [])


def test_a_mean_sees_neither_order_nor_a_common_factor(glove: Path) -> None:
    model = StaticModel.from_text(glove)
    a, b, c, d, e = model.inputs(["dog bites man", "man bites dog", "dog dog man bites man bites", "dog bites", "oov"])
    assert a == b == c != d
    assert e == b""
    assert model.trace("The zebra doesn't bite the dog") == Trace(
        tokens=("the", "n't", "the", "dog"), unknown=("zebra", "does", "bite"), ordered=False
    )


@given(st.lists(st.sampled_from(["the", "dog", "bites", "man", "."]), max_size=8), st.integers(1, 4), st.randoms())
def test_equal_up_to_order_and_factor_means_equal_bits(words: list[str], factor: int, shuffle: object) -> None:
    vectors = np.random.default_rng(1).normal(size=(5, 7))
    model = StaticModel(vectors, _splitter(["the", "dog", "bites", "man", "."]), name="toy")
    many = words * factor
    shuffle.shuffle(many)  # type: ignore[attr-defined]
    texts = [" ".join(words), "dog", " ".join(many)]
    keys, features, exact = model.inputs(texts), model.encode(texts), model.encode_exact(texts)
    assert keys[0] == keys[2]
    assert features[0].tobytes() == features[2].tobytes()
    assert exact[0][0].tobytes() == exact[0][2].tobytes()
    assert exact[0][0].tobytes() == model.encode_exact(texts[:1])[0][0].tobytes()
    expected = vectors.astype(np.float32)[[["the", "dog", "bites", "man", "."].index(w) for w in words]].astype(float)
    if words:
        np.testing.assert_allclose(exact[0][0], expected.mean(axis=0), rtol=1e-12, atol=1e-14)


@given(*[st.lists(st.sampled_from("abc"), max_size=6)] * 2)
def test_keys_are_equal_exactly_when_the_reduced_counts_are(left: list[str], right: list[str]) -> None:
    model = StaticModel(np.eye(3), _splitter(["a", "b", "c"]), name="toy")
    a, b = model.inputs([" ".join(left), " ".join(right)])
    assert (a == b) == (_reduced(left) == _reduced(right))


def _splitter(words: list[str]) -> WordSplitter:
    return WordSplitter({word: i for i, word in enumerate(words)}, lowercase=False)


def _reduced(words: list[str]) -> dict[str, int]:
    counts = Counter(words)
    divisor = reduce(math.gcd, counts.values(), 0)
    return {word: count // divisor for word, count in counts.items()}


@pytest.mark.parametrize(
    ("text", "vocabulary", "known", "unknown"),
    [
        ("don't", ["don't", "do", "n't"], ["don't"], []),
        ("don’t", ["do", "n't"], ["do", "n't"], []),
        ("it's", ["it", "'s"], ["it", "'s"], []),
        ("it's", ["it", "'", "s"], ["it", "'", "s"], []),
        ("well-known 3.5", ["well-known", "3.5"], ["well-known", "3.5"], []),
        ("well-known", ["well", "known"], ["well", "known"], ["-"]),
        ("Dog, dog!", ["dog", "!"], ["dog", "!"], ["Dog", ","]),
        ("我爱北京,我", ["我", "爱", "北京"], ["我", "爱", "北京", "我"], [","]),
        ("हिन्दी भाषा", ["हिन्दी"], ["हिन्दी"], ["भाषा"]),
        ("مَرحَبا 🧬", ["مَرحَبا", "🧬"], ["مَرحَبا", "🧬"], []),
        (" \t\n", ["a"], [], []),
    ],
)
def test_words(text: str, vocabulary: list[str], known: list[str], unknown: list[str]) -> None:
    splitter = _splitter(vocabulary)
    assert splitter.pieces(text) == (known, unknown)
    assert splitter.ids([text]) == [[vocabulary.index(word) for word in known]]


@given(st.text(max_size=40))
def test_every_visible_character_is_in_some_piece(text: str) -> None:
    known, unknown = _splitter([]).pieces(text)
    assert known == []
    assert "".join(unknown) == "".join(text.replace("’", "'").split())


def test_the_word_pattern_compiles_without_groups() -> None:
    import re

    assert re.compile(word_pattern()).groups == 0


def test_lower_casing_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cased.vec"
    path.write_text("Dog 1 0\ndog 0 1\n", encoding="utf-8")
    cased = StaticModel.from_text(path)
    assert cased.encode(["Dog"]).tolist() == [[1, 0]]
    assert ("lower-cased", "no (1 of 2 words have capitals)") in cased.info.settings
    lowered = StaticModel.from_text(path, lowercase=True)
    assert lowered.encode(["Dog"]).tolist() == [[0, 1]]
    assert cased.fingerprint != lowered.fingerprint == StaticModel.from_text(path, lowercase=True).fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "a 1 2\nb 3 4.5\n",
        "2 2\na 1 2\nb 3 4.5\n",
        "a 1 2\r\nb 3 4.5\r\n",
        "2 2\na 1 2 \nb 3 4.5 \n",
        "a\t1\t2\nb  +3e0   4.5",
        "a 1 2\nb 3 4.5\na 9 9\n",
        "a 1 2\n\nb 3 4.5\n\n",
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_dialects_of_the_format(tmp_path: Path, text: str, zipped: bool) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    read = read_word_vectors(path)
    assert read.words == {"a": 0, "b": 1}
    assert read.vectors.tolist() == [[1, 2], [3, 4.5]]
    assert read.duplicates == text.count("a 9 9")


def test_words_with_spaces_bad_bytes_and_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(b"a 1 2\n. . . 3 4\nat b@c.org 5 6\n\xff\xfe 7 8\nDog 9 10\n")
    read = read_word_vectors(path)
    assert list(read.words) == ["a", ". . .", "at b@c.org", "\ufffd\ufffd", "Dog"]
    assert read.vectors[:, 1].tolist() == [2, 4, 6, 8, 10]
    assert read.capitals == 1
    assert list(read_word_vectors(path, limit=2).words) == ["a", ". . ."]


@given(st.lists(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=3, max_size=3), min_size=1, max_size=20))
def test_numbers_come_back_as_written(tmp_path_factory: pytest.TempPathFactory, rows: list[list[float]]) -> None:
    path = tmp_path_factory.mktemp("v") / "v.txt"
    path.write_text("".join(f"w{i} " + " ".join(map(repr, row)) + "\n" for i, row in enumerate(rows)), encoding="utf-8")
    assert read_word_vectors(path).vectors.tolist() == np.float32(rows).tolist()


def test_blocks_join_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("presheaf.models.word_vectors._BLOCK", 64)
    path = tmp_path / "v.txt"
    path.write_text("100 2\n" + "".join(f"w{i} {i} {-i}\n" for i in range(100)), encoding="utf-8")
    read = read_word_vectors(path)
    assert read.vectors[:, 0].tolist() == list(range(100))
    path.write_text(path.read_text().replace("w90 90 -90", "w90 90 -9o"), encoding="utf-8")
    with pytest.raises(ModelError, match="line 92"):
        read_word_vectors(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"hello\n", "starts with 'hello'"),
        (b"a 1 2\nb 3\n", r"line 2: expected a word and 2 numbers; got 2 fields"),
        (b"a 1 2\nb 3 4 5\n", r"line 2: expected a word and 2 numbers; got 4 fields"),
        (b"a 1 2\nb 3 x\nc 4 y\n", r"line 2: expected 2 numbers; got '3 x'"),
        (b"2 2\na 1 2\nb nan 4\n", r"line 3: a number is NaN"),
        (b"a 1 2\nb 1e39 4\n", r"line 2: .*too large"),
        (b"3 2\na 1 2\nb 3 4\n", "promises 3 words .* holds 2"),
        (b"2 0\na\n", "no dimension"),
        (b"2 3\nab \x00\x01\x02\x03", "binary"),
        (b"\x00\x01\x02\n", "no text file"),
        (b"\x1f\x8bnothing", "can't be read"),
        # Without the time, so that every worker of a parallel run gives the test the same name.
        (gzip.compress(GLOVE.encode() * 50, mtime=0)[:-40], "can't be read"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "broken.txt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=words) as caught:
        read_word_vectors(path)
    assert "broken.txt" in str(caught.value)


def test_bad_options(tmp_path: Path, glove: Path) -> None:
    with pytest.raises(InputError, match="no word-vector file"):
        StaticModel.from_text(tmp_path / "absent.txt")
    with pytest.raises(InputError, match="'limit'"):
        StaticModel.from_text(glove, limit=0)
    with pytest.raises(InputError, match="64, 128, 256"):
        StaticModel.wordllama(dim=100)
    with pytest.raises(InputError, match="int at position 1"):
        StaticModel.from_text(glove).encode(["a", 3])
    with pytest.raises(ModelError, match=r"shape \(3,\)"):
        StaticModel(np.ones(3), _splitter(["a"]), name="toy")


HARD = ["", " ", "a\0b", "<s> <unk>", "\ud800", "السلام عليكم", "鱿 鲐 鲇", "🧬" * 3, "word " * 5000, "Dog bites man"]


def test_wordllama_agrees_with_its_own_package(wordllama: StaticModel) -> None:
    inference = pytest.importorskip("wordllama.inference")
    texts = [text for text in HARD if text not in ("", "\ud800")]
    tokenizer = wordllama._splitter._tokenizer  # type: ignore[attr-defined]
    theirs = inference.WordLlamaInference(wordllama._vectors, tokenizer).embed(texts, batch_size=1)
    tokenizer.no_padding()
    np.testing.assert_allclose(wordllama.encode(texts), theirs, rtol=2e-4, atol=2e-5)


def test_wordllama_on_hard_texts(wordllama: StaticModel) -> None:
    features = wordllama.encode(HARD)
    assert features.shape == (len(HARD), 256)
    assert np.isfinite(features).all()
    assert not features[0].any()
    together, precision = wordllama.encode_exact(HARD)
    assert precision == "float64"
    np.testing.assert_array_equal(together, np.concatenate([wordllama.encode_exact([text])[0] for text in HARD]))
    np.testing.assert_allclose(features, together, rtol=1e-4, atol=1e-6)


def test_wordllama_merges_word_order_and_keeps_case(wordllama: StaticModel) -> None:
    a, b, upper, lower = wordllama.inputs(["is it new", "new is it", "it is US", "it is us"])
    assert upper != lower
    tokens = [wordllama.trace(text) for text in ("dog bites man", "man bites dog")]
    assert sorted(tokens[0].tokens) == sorted(tokens[1].tokens)
    assert not tokens[0].ordered
    assert a == b


def test_wordllama_dimensions_are_a_prefix(wordllama: StaticModel) -> None:
    short = StaticModel.wordllama(dim=64)
    np.testing.assert_array_equal(short.encode(HARD), wordllama.encode(HARD)[:, :64])
    assert short.fingerprint != wordllama.fingerprint == StaticModel.wordllama().fingerprint
    assert (short.info.dim, short.info.window, short.info.trainable, short.info.licence) == (64, None, True, "MIT")
