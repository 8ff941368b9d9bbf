"""The feature cache: exact bits back, nothing lost among processes, nothing raised by a bad disk."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import textwrap
import time
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.models.cache import FeatureCache, default_root, object_keys

PRINT = "c0ffee"


def vectors(n: int, dim: int = 7, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def files(root: Path) -> list[Path]:
    return sorted(root.rglob("*.arrow"))


def test_a_key_is_the_blake2b_of_the_text() -> None:
    texts = ["", "a", "鱿鱼", "lone \ud800 surrogate"]
    keys = object_keys(texts)
    assert keys.shape == (4, 16)
    for key, text in zip(keys, texts, strict=True):
        assert key.tobytes() == hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    assert object_keys([]).shape == (0, 16)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.text(max_size=8), max_size=30), st.sets(st.text(max_size=8), max_size=10), st.integers(0, 2**32 - 1))
def test_what_comes_back_is_what_was_put(tmp_path_factory, kept: set[str], asked: set[str], seed: int) -> None:
    root = tmp_path_factory.mktemp("cache")
    known = sorted(kept)
    # Any finite bit pattern, denormals and minus zero among them.
    bits = np.random.default_rng(seed).integers(0, 2**32, (len(known), 3), dtype=np.uint32)
    values = np.where((bits & 0x7F800000) == 0x7F800000, np.uint32(0x80000000), bits).view(np.float32)
    half = len(known) // 2
    cache = FeatureCache(root)
    cache.put(PRINT, "object", object_keys(known[:half]), values[:half])
    cache.put(PRINT, "object", object_keys(known[half:]), values[half:])
    queries = sorted(kept | asked, reverse=True)
    for reader in (cache, FeatureCache(root)):
        found, got = reader.get(PRINT, "object", object_keys(queries))
        assert found.tolist() == [text in kept for text in queries]
        expected = [values[known.index(text)].tobytes() for text in queries if text in kept]
        assert [row.tobytes() for row in got] == expected
        assert reader.problems == ()


def test_models_and_roles_are_kept_apart(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    keys = object_keys(["a"])
    cache.put(PRINT, "object", keys, vectors(1))
    assert cache.get(PRINT, "object", keys)[0].all()
    assert not cache.get(PRINT, "prompt", keys)[0].any()
    assert not cache.get("abad1dea", "object", keys)[0].any()


def test_keys_that_share_eight_bytes_are_never_taken_for_each_other(tmp_path: Path) -> None:
    keys = np.zeros((3, 16), dtype=np.uint8)
    keys[:, 15] = [1, 2, 3]
    cache = FeatureCache(tmp_path)
    values = vectors(3)
    cache.put(PRINT, "object", keys[:2], values[:2])
    found, got = cache.get(PRINT, "object", keys)
    assert not found[2]
    assert (got == values[:2][found[:2]]).all()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(vectors(1).tobytes())] ^= 1  # the last bit of a number, which no parser can object to
    path.write_bytes(content)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garbage_with_its_checksum(path: Path) -> None:
    content = b"ARROW1\0\0" + bytes(range(256)) * 4 + b"ARROW1"
    path.unlink()
    path.with_name(f"{path.name[:30]}{zlib.crc32(content):08x}.arrow").write_bytes(content)


def other_columns_with_their_checksum(path: Path) -> None:
    sink = pa.BufferOutputStream()
    batch = pa.record_batch({"key": ["a"], "vector": [1.0]})
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    content = sink.getvalue().to_pybytes()
    path.unlink()
    path.with_name(f"{path.name[:30]}{zlib.crc32(content):08x}.arrow").write_bytes(content)


@pytest.mark.parametrize("damage", [flip, cut_off, empty, garbage_with_its_checksum, other_columns_with_their_checksum])
def test_a_damaged_file_is_named_left_out_and_removed(tmp_path: Path, damage) -> None:
    writer = FeatureCache(tmp_path)
    keys = object_keys(["a", "b", "c"])
    values = vectors(3)
    writer.put(PRINT, "object", keys[:2], values[:2])
    (first,) = files(tmp_path)
    writer.put(PRINT, "object", keys[2:], values[2:])
    damage(first)
    bad = files(tmp_path)[0]

    cache = FeatureCache(tmp_path)
    for _ in range(2):
        found, got = cache.get(PRINT, "object", keys)
        assert found.tolist() == [False, False, True]
        assert (got == values[2:]).all()
    (problem,) = cache.problems
    assert str(bad) in problem
    assert "damaged" in problem

    cache.put(PRINT, "object", keys[:2], values[:2])
    assert not bad.exists()
    fresh = FeatureCache(tmp_path)
    found, got = fresh.get(PRINT, "object", keys)
    assert found.all()
    assert (got == values).all()
    assert fresh.problems == ()


def test_a_file_that_was_never_finished_is_not_read(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    keys = object_keys(["a"])
    cache.put(PRINT, "object", keys, vectors(1))
    (path,) = files(tmp_path)
    path.rename(path.with_name(path.name[:29] + ".arrow.tmp"))
    again = FeatureCache(tmp_path)
    assert not again.get(PRINT, "object", keys)[0].any()
    assert again.problems == ()


def test_many_files_are_merged_and_nothing_is_lost(tmp_path: Path) -> None:
    texts = [f"text {i}" for i in range(300)]
    values = vectors(300)
    reader, writer = FeatureCache(tmp_path), FeatureCache(tmp_path)
    stale = tmp_path / "features-1" / PRINT / "object" / "00000000000000000001-00000000.arrow.tmp"
    for i, text in enumerate(texts):
        writer.put(PRINT, "object", object_keys([text]), values[i : i + 1])
        if i == 0:
            stale.write_bytes(b"half a file")
            day_before_yesterday = time.time() - 2 * 86400
            os.utime(stale, (day_before_yesterday, day_before_yesterday))
        assert len(files(tmp_path)) <= 64
        if i % 40 == 0:  # a reader whose files are merged under its feet
            found, got = reader.get(PRINT, "object", object_keys(texts))
            assert found.sum() == i + 1
            assert (got == values[: i + 1]).all()
    found, got = FeatureCache(tmp_path).get(PRINT, "object", object_keys(texts))
    assert found.all()
    assert (got == values).all()
    assert not stale.exists()


def test_another_dimension_is_left_alone(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    keys = object_keys(["a", "b"])
    cache.put(PRINT, "object", keys[:1], vectors(1, 7))
    cache.put(PRINT, "object", keys, vectors(2, 5))
    found, got = cache.get(PRINT, "object", keys, dim=5)
    assert found.all()
    assert (got == vectors(2, 5)).all()
    assert "dimension 7 instead of 5" in " ".join(cache.problems)
    assert cache.get(PRINT, "object", keys)[0].tolist() == [True, False]
    for i in range(70):
        cache.put(PRINT, "object", object_keys([f"{i}"]), vectors(1, 5 + 2 * (i % 2)))
    assert cache.get(PRINT, "object", keys, dim=7)[0].tolist() == [True, False]
    assert cache.get(PRINT, "object", keys, dim=5)[0].all()


WRITER = """
import sys
import numpy as np
from presheaf.models.cache import FeatureCache, object_keys
root, start = sys.argv[1], int(sys.argv[2])
cache = FeatureCache(root)
for i in range(start, start + 150):
    texts = [f"text {i}", f"text {i + 1}"]
    values = np.array([[i, 0.1], [i + 1, 0.1]], dtype=np.float32)
    cache.put("c0ffee", "object", object_keys(texts), values)
    found, got = cache.get("c0ffee", "object", object_keys(texts))
    assert found.all() and (got == values).all(), (i, found)
assert cache.problems == (), cache.problems
"""


def test_three_processes_write_at_once(tmp_path: Path) -> None:
    starts = (0, 100, 200)  # overlapping
    running = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(start)]) for start in starts]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    cache = FeatureCache(tmp_path)
    found, got = cache.get(PRINT, "object", object_keys([f"text {i}" for i in range(351)]))
    assert found.all()
    assert (got[:, 0] == np.arange(351)).all()
    assert cache.problems == ()
    assert len(files(tmp_path)) < 70


def test_where_nothing_can_be_written_it_says_so_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    cache = FeatureCache(tmp_path / "file" / "cache")
    for text in "abc":
        cache.put(PRINT, "object", object_keys([text]), vectors(1))
        assert not cache.get(PRINT, "object", object_keys([text]))[0].any()
    (problem,) = cache.problems
    assert str(tmp_path / "file") in problem
    assert "can't be written" in problem
    assert not cache.writable
    assert cache.size() == 0


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the super-user can write anywhere")
def test_a_read_only_cache_is_still_read(tmp_path: Path) -> None:
    keys = object_keys(["a", "b"])
    FeatureCache(tmp_path).put(PRINT, "object", keys[:1], vectors(1))
    folder = files(tmp_path)[0].parent
    folder.chmod(0o500)
    try:
        cache = FeatureCache(tmp_path)
        cache.put(PRINT, "object", keys[1:], vectors(1))
        assert cache.get(PRINT, "object", keys)[0].tolist() == [True, False]
        assert len(cache.problems) == 1
    finally:
        folder.chmod(0o700)


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    program = """
        import resource, sys
        import numpy as np
        from presheaf.models.cache import FeatureCache, object_keys
        cache = FeatureCache(sys.argv[1])
        cache.put("c0ffee", "object", object_keys(["small"]), np.ones((1, 8), dtype=np.float32))
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        texts = [f"{i}" for i in range(1000)]
        for _ in range(2):
            cache.put("c0ffee", "object", object_keys(texts), np.ones((1000, 8), dtype=np.float32))
        print(len(cache.problems), cache.get("c0ffee", "object", object_keys(["small", "1"]))[0].tolist())
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert run.stdout == "1 [True, False]\n", run.stderr
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_size_and_clear(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("a user's file")
    cache = FeatureCache(tmp_path)
    assert cache.size() == 0
    keys = object_keys(["a"])
    for fingerprint in (PRINT, "abad1dea"):
        for role in ("object", "prompt"):
            cache.put(fingerprint, role, keys, vectors(1))
    total = cache.size()
    assert total == sum(path.stat().st_size for path in files(tmp_path))
    freed = cache.clear(PRINT)
    assert cache.size() == total - freed == total // 2
    assert not cache.get(PRINT, "object", keys)[0].any()
    assert cache.get("abad1dea", "prompt", keys)[0].all()
    assert cache.clear() == total - freed
    assert cache.size() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    cache.put(PRINT, "object", keys, vectors(1))
    assert cache.get(PRINT, "object", keys)[0].all()


@pytest.mark.parametrize("fingerprint", ["", "../../home", "a/b", "."])
def test_a_fingerprint_can_not_leave_the_folder(tmp_path: Path, fingerprint: str) -> None:
    cache = FeatureCache(tmp_path)
    with pytest.raises(InputError, match="letters and digits"):
        cache.clear(fingerprint)
    with pytest.raises(InputError, match="letters and digits"):
        cache.get(fingerprint, "object", object_keys(["a"]))
    with pytest.raises(InputError, match="letters and digits"):
        cache.put(fingerprint, "object", object_keys(["a"]), vectors(1))


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRESHEAF_CACHE", str(tmp_path / "here"))
    assert default_root() == tmp_path / "here"
    assert FeatureCache().root == tmp_path / "here"
    monkeypatch.setenv("PRESHEAF_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_root() == tmp_path / "xdg" / "presheaf"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the specification says to ignore it
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_root() == tmp_path / "home" / ".cache" / "presheaf"
