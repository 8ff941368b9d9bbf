"""Scores on disk: whole or not there, whatever happens to the file."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.language.score_store import ScoreStore, question_key
from presheaf.models.lm.base import Question


def key(i: int) -> bytes:
    return question_key(Question(str(i), ("a",)))


def filled(root, n=20, fingerprint="abc"):
    store = ScoreStore(fingerprint, root)
    for i in range(n):
        store.put(key(i), np.arange(i % 4) * 1.5 - i)
    store.flush()
    return store


def intact(found, n):
    return [i for i in range(n) if key(i) in found and np.array_equal(found[key(i)], np.arange(i % 4) * 1.5 - i)]


def test_what_is_put_is_read_back_bit_for_bit(tmp_path):
    values = np.array([-0.1, -np.inf, -700.0, 5e-324])
    store = ScoreStore("f00", tmp_path)
    store.put(key(1), values)
    store.flush()
    found = ScoreStore("f00", tmp_path).read([key(1), key(2)])
    assert list(found) == [key(1)]
    assert found[key(1)].tobytes() == values.tobytes()


def test_models_do_not_share_a_file(tmp_path):
    filled(tmp_path, fingerprint="abc")
    assert ScoreStore("abd", tmp_path).read([key(1)]) == {}


def test_keys_tell_prompts_and_answers_apart():
    asked = [
        Question("ab", ("c",)),
        Question("a", ("bc",)),
        Question("a", ("b", "c")),
        Question("a", ("c", "b")),
        Question("", ()),
    ]
    assert len({question_key(q) for q in asked}) == len(asked)
    assert question_key(Question("\ud800", ("x",))) != question_key(Question("\ud801", ("x",)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2000))
def test_a_file_cut_anywhere_loses_one_record_at_most_and_takes_new_ones(tmp_path_factory, cut):
    root = tmp_path_factory.mktemp("store")
    store = filled(root)
    data = store.path.read_bytes()
    cut = min(cut, len(data))
    store.path.write_bytes(data[:cut])
    before = intact(ScoreStore("abc", root).read([key(i) for i in range(20)]), 20)
    assert before == list(range(len(before)))
    # Another run appends after the half record.
    again = ScoreStore("abc", root)
    again.put(key(19), np.arange(19 % 4) * 1.5 - 19)
    again.flush()
    after = intact(ScoreStore("abc", root).read([key(i) for i in range(20)]), 20)
    assert after == sorted({*before, 19})


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_byte_costs_one_record_and_never_gives_a_wrong_number(tmp_path_factory, at, flip):
    root = tmp_path_factory.mktemp("store")
    store = filled(root)
    data = bytearray(store.path.read_bytes())
    data[at % len(data)] ^= flip
    store.path.write_bytes(data)
    found = ScoreStore("abc", root).read([key(i) for i in range(20)])
    assert len(intact(found, 20)) == len(found) >= 19


def test_several_processes_write_at_once(tmp_path):
    program = (
        "import sys, numpy as np\n"
        "from presheaf.language.score_store import ScoreStore, question_key\n"
        "from presheaf.models.lm.base import Question\n"
        "store = ScoreStore('abc', sys.argv[1])\n"
        "for i in range(400):\n"
        "    store.put(question_key(Question(f'{sys.argv[2]}-{i}', ('a',))), np.full(50, float(i)))\n"
        "    store.flush()\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), name]) for name in "xy"]
    assert [process.wait() for process in running] == [0, 0]
    keys = {question_key(Question(f"{name}-{i}", ("a",))): float(i) for name in "xy" for i in range(400)}
    found = ScoreStore("abc", tmp_path).read(keys)
    assert len(found) == 800
    assert all(np.array_equal(found[k], np.full(50, value)) for k, value in keys.items())


def test_a_disk_that_cannot_be_written_is_told_and_not_raised(tmp_path):
    (tmp_path / "scores-1").write_text("a file where the folder should be")
    store = filled(tmp_path)
    assert "could not be kept" in store.problems[0]
    store.put(key(1), np.zeros(1))
    store.flush()
    assert len(store.problems) == 1


def test_a_fingerprint_is_no_path(tmp_path):
    with pytest.raises(InputError, match="letters and digits"):
        ScoreStore("../x", tmp_path)
