"""The same rows through every format are the same task."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from presheaf.tables import read_task

TEXTS = [
    "plain",
    'quotes "inside", and a comma',
    "two\nlines",
    "a\r\ncarriage return",
    "tab\tand | and ;",
    "النص العربي من اليمين \u200fإلى اليسار",
    "हिन्दी में एक वाक्य",
    "鱿鱼和鲸鱼",
    "emoji 👩‍🔬🇫🇷 and e\u0301",
    "line\u2028separator\u0085next",
    "a NUL \x00 inside",
    "  spaces kept  ",
]
LABELS = ["नकारात्मक", "正面", "سلبي", "正面", "नकारात्मक", "سلبي"] * 2


def _rows(label: str = "mood", labels: list[Any] | None = None) -> list[dict[str, Any]]:
    values = labels if labels is not None else LABELS
    return [{"id": i, "said": t, label: v} for i, (t, v) in enumerate(zip(TEXTS, values, strict=True))]


def _delimited(path: Path, rows: list[dict[str, Any]], **how: Any) -> Path:
    with path.open("w", newline="", encoding=how.pop("encoding", "utf-8")) as file:
        writer = csv.DictWriter(file, list(rows[0]), **how)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _json_lines(path: Path, rows: list[dict[str, Any]], ascii_only: bool = False) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=ascii_only) + "\n" for r in rows), encoding="utf-8", newline="")
    return path


def _gz(path: Path) -> Path:
    target = path.with_name(path.name + ".gz")
    target.write_bytes(gzip.compress(path.read_bytes()))
    return target


def _pandas(rows: list[dict[str, Any]], index: bool = False) -> Any:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows)
    return frame.set_index("id") if index else frame


def _parquet(path: Path, table: pa.Table) -> Path:
    pq.write_table(table, path, row_group_size=5)
    return path


def _ipc(path: Path, table: pa.Table, opener: Callable[..., Any]) -> Path:
    with opener(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=5)
    return path


def _feather(path: Path, table: pa.Table) -> Path:
    feather.write_feather(table, str(path), compression="lz4")
    return path


def _json_array(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return path


def _array_with_names(rows: list[dict[str, Any]]) -> pa.Table:
    table = pa.Table.from_pylist(rows)
    position = table.schema.names.index("mood")
    return table.set_column(position, "mood", table.column("mood").dictionary_encode())


FORMATS: dict[str, Callable[[Path, list[dict[str, Any]]], Any]] = {
    "csv": lambda d, r: _delimited(d / "t.csv", r),
    "csv, lf": lambda d, r: _delimited(d / "t.csv", r, quoting=csv.QUOTE_ALL, lineterminator="\n"),
    "csv, cr": lambda d, r: _delimited(d / "t.csv", r, quoting=csv.QUOTE_ALL, lineterminator="\r"),
    "csv, semicolon": lambda d, r: _delimited(d / "t.csv", r, delimiter=";"),
    "csv, bar": lambda d, r: _delimited(d / "t.csv", r, delimiter="|"),
    "csv, tab": lambda d, r: _delimited(d / "t.csv", r, delimiter="\t"),
    "csv, utf-8 bom": lambda d, r: _delimited(d / "t.csv", r, encoding="utf-8-sig"),
    "csv, utf-16": lambda d, r: _delimited(d / "t.csv", r, encoding="utf-16"),
    "csv, utf-32": lambda d, r: _delimited(d / "t.csv", r, encoding="utf-32"),
    "csv, gz": lambda d, r: _gz(_delimited(d / "t.csv", r)),
    "csv without suffix": lambda d, r: _delimited(d / "t", r),
    "txt": lambda d, r: _delimited(d / "t.txt", r, delimiter="\t"),
    "tsv": lambda d, r: _delimited(d / "t.tsv", r, delimiter="\t"),
    "tsv, gz": lambda d, r: _gz(_delimited(d / "t.tsv", r, delimiter="\t")),
    "jsonl": lambda d, r: _json_lines(d / "t.jsonl", r),
    "jsonl, escaped": lambda d, r: _json_lines(d / "t.ndjson", r, ascii_only=True),
    "jsonl, gz": lambda d, r: _gz(_json_lines(d / "t.jsonl", r)),
    "jsonl called json": lambda d, r: _json_lines(d / "t.json", r),
    "jsonl without suffix": lambda d, r: _json_lines(d / "t", r),
    "json": lambda d, r: _json_array(d / "t.json", r),
    "json, gz": lambda d, r: _gz(_json_array(d / "t.json", r)),
    "json without suffix": lambda d, r: _json_array(d / "t", r),
    "parquet": lambda d, r: _parquet(d / "t.parquet", pa.Table.from_pylist(r)),
    "parquet, dictionary": lambda d, r: _parquet(d / "t.pq", _array_with_names(r)),
    "parquet without suffix": lambda d, r: _parquet(d / "t", pa.Table.from_pylist(r)),
    "ipc file": lambda d, r: _ipc(d / "t.arrow", pa.Table.from_pylist(r), pa.ipc.new_file),
    "ipc stream": lambda d, r: _ipc(d / "t.arrow", pa.Table.from_pylist(r), pa.ipc.new_stream),
    "ipc stream without suffix": lambda d, r: _ipc(d / "t", pa.Table.from_pylist(r), pa.ipc.new_stream),
    "feather": lambda d, r: _feather(d / "t.feather", pa.Table.from_pylist(r)),
    "pandas": lambda d, r: _pandas(r),
    "pandas, other index": lambda d, r: _pandas(r, index=True),
    "pandas, categories": lambda d, r: _pandas(r).astype({"mood": "category"}),
    "polars": lambda d, r: pytest.importorskip("polars").DataFrame(r),
    "polars, categories": lambda d, r: pytest.importorskip("polars").DataFrame(
        r, schema_overrides={"mood": pytest.importorskip("polars").Categorical}
    ),
    "pyarrow": lambda d, r: pa.Table.from_pylist(r),
    "pyarrow, large and chunked": lambda d, r: pa.concat_tables(
        [pa.Table.from_pylist(part).cast(pa.schema([("id", pa.int64()), ("said", pa.large_string()),
                                                    ("mood", pa.large_string())])) for part in (r[:5], r[5:])]
    ),
    "list of dicts": lambda d, r: r,
    "dict of columns": lambda d, r: {name: [row[name] for row in r] for name in r[0]},
    "duckdb's parquet": lambda d, r: _by_duckdb(d / "t.parquet", r, "parquet"),
    "duckdb's csv": lambda d, r: _by_duckdb(d / "t.csv", r, "csv"),
}  # fmt: skip


def _by_duckdb(path: Path, rows: list[dict[str, Any]], form: str) -> Path:
    duckdb = pytest.importorskip("duckdb")
    table = pa.Table.from_pylist(rows)
    with duckdb.connect() as connection:
        connection.register("rows", table)
        connection.execute(f"copy rows to '{path}' (format {form})")
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_same_rows_same_task(form: str, tmp_path: Path) -> None:
    task = read_task(FORMATS[form](tmp_path, _rows()), text="said", label="mood")
    assert task.texts is not None
    assert list(task.texts) == TEXTS
    assert task.label_names == LABELS
    assert list(task.classes) == sorted(set(LABELS))
    assert task.rows.tolist() == list(range(1, len(TEXTS) + 1))
    assert (task.text_column, task.label_column) == ("said", "mood")
    assert task.bad_rows == ()
    assert task.vectors is None


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([10, 9, 2] * 4, ("2", "9", "10")),
        ([1.0, 0.0, 3.0] * 4, ("0", "1", "3")),
        ([-1, 0, 1] * 4, ("-1", "0", "1")),
        ([True, False] * 6, ("False", "True")),
        ([" pos", "neg ", "pos"] * 4, ("neg", "pos")),
        ([0.5, 4.5, 4.0] * 4, ("0.5", "4.0", "4.5")),
        (["b", "10", "9"] * 4, ("10", "9", "b")),
    ],
)
@pytest.mark.parametrize(
    "form",
    ["csv", "csv, semicolon", "tsv", "jsonl", "json", "parquet", "ipc file", "pandas", "polars", "list of dicts"],
)
def test_labels_of_every_type(form: str, labels: list[Any], expected: tuple[str, ...], tmp_path: Path) -> None:
    task = read_task(FORMATS[form](tmp_path, _rows(labels=labels)), text="said", label="mood")
    assert task.classes == expected
    # Two rows share a class exactly when their labels are equal up to white space.
    plain = [v.strip() if isinstance(v, str) else v for v in labels]
    assert len(task) == len(plain)
    for name, value in zip(task.label_names, plain, strict=True):
        assert [name == other for other in task.label_names] == [value == other for other in plain]


@pytest.mark.parametrize("form", [f for f in FORMATS if "cr" not in f and "bom" not in f])
def test_empty_cells_are_named_alike(form: str, tmp_path: Path) -> None:
    rows = _rows()
    rows[2]["said"] = None
    rows[6]["mood"] = None
    task = read_task(FORMATS[form](tmp_path, rows), text="said", label="mood", on_bad_row="skip")
    assert [(bad.row, bad.reason) for bad in task.bad_rows] == [(3, "empty text"), (7, "missing label")]
    assert task.rows.tolist() == [1, 2, 4, 5, 6, 8, 9, 10, 11, 12]
    assert task.label_names == [LABELS[r - 1] for r in task.rows]


@pytest.mark.parametrize("form", FORMATS)
def test_missing_column_is_named_in_every_format(form: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"column 'moods' does not exist.*'mood'.*Did you mean 'mood'\?"):
        read_task(FORMATS[form](tmp_path, _rows()), text="said", label="moods")


def test_names(tmp_path: Path) -> None:
    path = _gz(_delimited(tmp_path / "film.reviews.csv", _rows()))
    task = read_task(path, text="said", label="mood")
    assert (task.name, task.source) == ("film.reviews", str(path))
    assert read_task(str(path), text="said", label="mood", name="mine").name == "mine"
    assert read_task(_rows(), text="said", label="mood").source == "list of dicts"


def test_huggingface_folders(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = _rows()
    plain = datasets.Dataset.from_list(rows)
    plain.save_to_disk(tmp_path / "plain", num_shards=3)
    task = read_task(tmp_path / "plain", text="said", label="mood")
    assert task.texts == tuple(TEXTS)
    assert task.label_names == LABELS
    assert task.name == "plain"

    names = ["bad", "good", "so-so"]
    coded = [{"text": r["said"], "label": -1 if i == 4 else i % 3} for i, r in enumerate(rows)]
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)})
    both = datasets.DatasetDict(
        {"train": datasets.Dataset.from_list(coded, features=features), "test": datasets.Dataset.from_list(coded[:6])}
    )
    both.save_to_disk(tmp_path / "both")
    with pytest.raises(ValueError, match=r"several splits \(train, test\): name one as .*both#train"):
        read_task(tmp_path / "both")
    with pytest.raises(ValueError, match="no split 'dev'; it has train, test"):
        read_task(f"{tmp_path / 'both'}#dev")
    train = read_task(f"{tmp_path / 'both'}#train", on_bad_row="skip")
    assert train.label_names == [names[i % 3] for i in range(12) if i != 4]
    assert [bad.row for bad in train.bad_rows] == [5]
    assert train.name == "both#train"
    assert any("class names stored with it" in note for note in train.notes)
    with pytest.raises(ValueError, match="has no splits"):
        read_task(f"{tmp_path / 'plain'}#train")
