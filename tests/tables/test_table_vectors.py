"""A column of precomputed vectors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from presheaf.errors import InputError
from presheaf.tables import read_task

VECTORS: list[Any] = [[1.0, 2.0, -0.5], [0.25, 0.0, 8.0], [3.0, 3.0, 3.0], [-1.0, 4.0, 1e-3]]
LABELS = ["x", "y", "x", "y"]


def _parquet(path: Path, kind: pa.DataType, vectors: list[Any], labels: list[Any]) -> Path:
    pq.write_table(pa.table({"v": pa.array(vectors, kind), "label": labels}), path, row_group_size=3)
    return path


def _jsonl(path: Path, vectors: list[Any], labels: list[Any]) -> Path:
    path.write_text("".join(json.dumps({"v": v, "label": k}) + "\n" for v, k in zip(vectors, labels, strict=True)))
    return path


def _frame(library: str, vectors: list[Any], labels: list[Any]) -> Any:
    return pytest.importorskip(library).DataFrame({"v": vectors, "label": labels})


FORMATS: dict[str, Callable[[Path, list[Any], list[Any]], Any]] = {
    "parquet": lambda d, v, k: _parquet(d / "t.parquet", pa.list_(pa.float64()), v, k),
    "parquet, large": lambda d, v, k: _parquet(d / "t.parquet", pa.large_list(pa.float64()), v, k),
    "arrow, chunked": lambda d, v, k: pa.concat_tables(
        [pa.table({"v": pa.array(p, pa.list_(pa.float64())), "label": q}) for p, q in ((v[:2], k[:2]), (v[2:], k[2:]))]
    ),
    "arrow, sliced": lambda d, v, k: pa.table(
        {"v": pa.array([[9.0], *v], pa.list_(pa.float64())), "label": ["no", *k]}
    ).slice(1),
    "jsonl": lambda d, v, k: _jsonl(d / "t.jsonl", v, k),
    "pandas": lambda d, v, k: _frame("pandas", v, k),
    "polars": lambda d, v, k: _frame("polars", v, k),
    "list of dicts": lambda d, v, k: [{"v": a, "label": b} for a, b in zip(v, k, strict=True)],
    "dict of columns": lambda d, v, k: {"v": v, "label": k},
}


@pytest.mark.parametrize("form", FORMATS)
def test_same_vectors_same_task(form: str, tmp_path: Path) -> None:
    task = read_task(FORMATS[form](tmp_path, VECTORS, LABELS), vectors="v")
    assert task.texts is None
    assert task.text_column is None
    assert task.label_names == LABELS
    assert task.vectors is not None
    assert task.vectors.dtype == np.float64
    assert task.vectors.tolist() == VECTORS


@pytest.mark.parametrize("form", FORMATS)
def test_bad_vectors_are_named(form: str, tmp_path: Path) -> None:
    vectors = [*VECTORS, None, [1.0, 2.0], [1.0, float("nan"), 0.0], [0.0, 1.0, float("inf")], [5.0, 6.0, 7.0]]
    labels = [*LABELS, "x", "y", "x", "y", "x"]
    with pytest.raises(InputError) as caught:
        read_task(FORMATS[form](tmp_path, vectors, labels), vectors="v")
    message = str(caught.value)
    assert "missing vector: row 5\n" in message
    assert "vector of another length: row 6 (2 numbers, most have 3)" in message
    assert "NaN or infinity in the vector: rows 7, 8" in message
    task = read_task(FORMATS[form](tmp_path, vectors, labels), vectors="v", on_bad_row="skip")
    assert task.rows.tolist() == [1, 2, 3, 4, 9]
    assert task.vectors is not None
    assert task.vectors.shape == (9, 3)
    assert task.vectors[task.rows - 1].tolist() == [*VECTORS, [5.0, 6.0, 7.0]]


@pytest.mark.parametrize(
    ("number", "dtype"),
    [(pa.float16(), np.float32), (pa.float32(), np.float32), (pa.float64(), np.float64), (pa.int8(), np.float64)],
)
@pytest.mark.parametrize("fixed", [True, False])
def test_number_types(number: pa.DataType, dtype: type, fixed: bool, tmp_path: Path) -> None:
    rows = [[1, 2], [3, 4], [5, 6], [7, 8]]
    if number == pa.float16():
        rows = [[np.float16(x) for x in row] for row in rows]
    path = _parquet(tmp_path / "t.parquet", pa.list_(number, 2) if fixed else pa.list_(number), rows, LABELS)
    task = read_task(path, vectors="v")
    assert task.vectors is not None
    assert task.vectors.dtype == dtype
    assert task.vectors.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]


def test_fixed_size_lists_with_missing_vectors(tmp_path: Path) -> None:
    path = _parquet(tmp_path / "t.parquet", pa.list_(pa.float32(), 3), [*VECTORS, None], [*LABELS, "x"])
    task = read_task(path, vectors="v", on_bad_row="skip")
    assert [bad.row for bad in task.bad_rows] == [5]
    assert task.vectors is not None
    np.testing.assert_array_equal(task.vectors[:4], np.array(VECTORS, np.float32))


def test_missing_numbers_inside_a_vector(tmp_path: Path) -> None:
    for form in ("parquet", "jsonl", "list of dicts"):
        source = FORMATS[form](tmp_path, [*VECTORS, [1.0, None, 2.0]], [*LABELS, "x"])
        with pytest.raises(InputError, match="NaN or infinity in the vector: row 5"):
            read_task(source, vectors="v")


def test_text_beside_vectors() -> None:
    table = {"text": ["a", "b", "c", "d"], "v": np.array(VECTORS, np.float32), "label": LABELS}
    task = read_task(table, vectors="v")
    assert task.texts == ("a", "b", "c", "d")
    assert task.vectors is not None
    assert task.vectors.dtype == np.float32


@pytest.mark.parametrize("cells", [["[1, 2]"] * 4, [1.0, 2.0, 3.0, 4.0], [[]] * 4, [[[1.0]]] * 4, [["a"]] * 4])
def test_columns_that_hold_no_vectors(cells: list[Any]) -> None:
    for source in ({"v": cells, "label": LABELS}, pa.table({"v": cells, "label": LABELS})):
        with pytest.raises(InputError, match=r"column 'v' holds .*expected"):
            read_task(source, vectors="v")


def test_single_cells_that_are_no_vectors() -> None:
    rows = {"v": [*VECTORS, "text", ["a", "b", "c"], [[1.0], [2.0, 3.0]]], "label": [*LABELS, "x", "y", "x"]}
    with pytest.raises(InputError, match=r"not a vector of numbers: row 5 \(str\), row 6 \(list\), row 7 \(list\)"):
        read_task(rows, vectors="v")
