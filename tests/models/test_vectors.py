"""Precomputed vectors by row number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presheaf.errors import InputError, ModelError
from presheaf.models.base import Model
from presheaf.models.vectors import VectorModel

TABLE = np.array([[1.0, 2.0], [3.0, 4.0 + 1e-12], [5.0, 6.0]])


def test_rows_are_looked_up_by_their_one_based_number() -> None:
    model = VectorModel(TABLE)
    assert isinstance(model, Model)
    assert (model.takes, model.needs_fit, model.info.trainable, model.info.dim) == ("row", False, False, 2)
    features = model.encode([3, 1, 1])
    assert features.dtype == np.float32
    assert features.tolist() == [[5, 6], [1, 2], [1, 2]]
    assert model.encode(np.array([2]), role="prompt").tolist() == [[3, 4]]
    assert model.encode([]).shape == (0, 2)
    assert model.inputs([1]) is None
    assert model.trace("a") is None


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64"])
def test_the_exact_values_are_the_stored_ones(dtype: str) -> None:
    stored = TABLE.astype(dtype)
    exact, precision = VectorModel(stored).encode_exact([2, 3])
    assert precision == dtype == exact.dtype
    np.testing.assert_array_equal(exact, stored[1:])


def test_float64_keeps_apart_what_float32_merges() -> None:
    model = VectorModel(np.array([[4.0, 1.0], [4.0 + 1e-12, 1.0]]))
    assert (model.encode([1]) == model.encode([2])).all()
    assert (model.encode_exact([1])[0] != model.encode_exact([2])[0]).any()


@given(st.lists(st.integers(1, 50), max_size=30))
def test_files_and_arrays_give_the_same(tmp_path_factory: pytest.TempPathFactory, rows: list[int]) -> None:
    table = np.random.default_rng(0).normal(size=(50, 3))
    path = tmp_path_factory.getbasetemp() / "vectors.npy"
    np.save(path, table)
    mapped = VectorModel.from_file(path)
    np.testing.assert_array_equal(mapped.encode_exact(rows)[0], table[np.array(rows, dtype=int) - 1])
    assert mapped.fingerprint == VectorModel(table).fingerprint


def test_npz_and_its_keys(tmp_path: Path) -> None:
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    np.savez(one, x=TABLE)
    np.savez_compressed(two, x=TABLE, y=TABLE + 1)
    assert VectorModel.from_file(one).encode([1]).tolist() == [[1, 2]]
    model = VectorModel.from_file(two, "y")
    assert model.encode([1]).tolist() == [[2, 3]]
    assert model.info.name == "two.npz#y"
    with pytest.raises(InputError, match=r"2 arrays.*'x', 'y'"):
        VectorModel.from_file(two)
    with pytest.raises(InputError, match=r"no array 'z'.*'x', 'y'"):
        VectorModel.from_file(two, "z")


def test_a_large_file_is_mapped_not_read(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", TABLE)
    assert isinstance(VectorModel.from_file(tmp_path / "v.npy")._vectors.base, np.memmap)


def test_fingerprint_sees_values_shape_and_type() -> None:
    other = TABLE.copy()
    other[2, 1] += 1e-9
    tables = [TABLE, other, TABLE.astype(np.float32), TABLE.T]
    assert len({VectorModel(table).fingerprint for table in tables}) == 4


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1.0, 2.0], r"reshape\(-1, 1\)"),
        (np.zeros((2, 2, 2)), r"\(2, 2, 2\)"),
        (np.zeros((0, 3)), r"\(0, 3\)"),
        (np.array([[1.0], [None]], dtype=object), "object"),
        ([["a", "b"]], "expected integers or floats"),
        (np.zeros((2, 2), dtype=complex), "complex128"),
        ([[1.0, 2.0], [3.0]], "different lengths"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(value: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        VectorModel(value)


def test_bad_values_are_named_by_row_where_they_are_asked_for() -> None:
    table = np.ones((10, 2))
    table[[3, 8], 1] = np.nan, np.inf
    model = VectorModel(table, name="mine.npy")
    assert model.encode([1, 2, 10]).all()
    for ask in (model.encode, model.encode_exact):
        with pytest.raises(ModelError, match=r"mine\.npy .* in 2 rows: 9, 4\."):
            ask([1, 9, 4])
    huge = VectorModel(np.array([[1e300, 0.0]]))
    assert huge.encode_exact([1])[0].tolist() == [[1e300, 0.0]]
    with pytest.raises(ModelError, match="too large for float32 in 1 row: 1"):
        huge.encode([1])


@pytest.mark.parametrize("rows", [[0], [4], [-1], ["a"], [1.5], [[1]], [True]])
def test_bad_row_numbers(rows: list[Any]) -> None:
    with pytest.raises(InputError):
        VectorModel(TABLE).encode(rows)


def test_the_number_of_rows_is_checked() -> None:
    VectorModel(TABLE).check_rows(3)
    with pytest.raises(InputError, match="3 vectors and the table 4 rows"):
        VectorModel(TABLE, name="v").check_rows(4)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    whole = tmp_path / "whole.npy"
    np.save(whole, np.ones((100, 100)))
    cut = tmp_path / "cut.npy"
    cut.write_bytes(whole.read_bytes()[:500])
    head = tmp_path / "head.npy"
    head.write_bytes(whole.read_bytes()[:40])
    noise = tmp_path / "noise.npy"
    noise.write_bytes(b"no numbers here")
    archive = tmp_path / "cut.npz"
    np.savez(archive, x=np.ones((50, 50)))
    archive.write_bytes(archive.read_bytes()[:700])
    for path in (cut, head, noise, archive):
        with pytest.raises(ModelError, match=path.name):
            VectorModel.from_file(path)
    with pytest.raises(InputError, match="no vector file"):
        VectorModel.from_file(tmp_path / "absent.npy")
    with pytest.raises(InputError, match=r"\.npy and \.npz"):
        VectorModel.from_file(_written(tmp_path / "v.csv"))
    with pytest.raises(InputError, match="single array"):
        VectorModel.from_file(whole, "x")


class _Bomb:
    """Unpickling it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_nothing_is_ever_unpickled(tmp_path: Path, suffix: str) -> None:
    canary = tmp_path / "canary"
    bomb = np.array([[_Bomb(canary)]], dtype=object)
    path = tmp_path / f"bomb{suffix}"
    if suffix == ".npy":
        np.save(path, bomb, allow_pickle=True)
    else:
        np.savez(path, x=bomb)
    with pytest.raises(InputError, match="can run code"):
        VectorModel.from_file(path)
    assert not canary.exists()


def _written(path: Path) -> Path:
    path.write_text("1,2\n", encoding="utf-8")
    return path
