"""Sources that are missing, damaged, foreign, or no tables at all."""

from __future__ import annotations

import gzip
import json
import os
import random
import sqlite3
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from presheaf.errors import InputError
from presheaf.tables import read_task

ROWS = [{"text": f"réview {i}", "label": "ab"[i % 2], "v": [float(i), 2.0]} for i in range(40)]


def _files(folder: Path) -> list[Path]:
    """The same rows in every format."""
    table = pa.Table.from_pylist(ROWS)
    pq.write_table(table, folder / "t.parquet")
    with pa.ipc.new_file(str(folder / "t.arrow"), table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_stream(str(folder / "t.ipc"), table.schema) as writer:
        writer.write_table(table)
    lines = "".join(f'"{row["text"]}",{row["label"]}\n' for row in ROWS)
    (folder / "t.csv").write_text("text,label\n" + lines, encoding="utf-8")
    (folder / "t.tsv").write_text(("text,label\n" + lines).replace(",", "\t"), encoding="utf-8")
    (folder / "t.csv.gz").write_bytes(gzip.compress((folder / "t.csv").read_bytes()))
    (folder / "t.json").write_text(json.dumps(ROWS, ensure_ascii=False), encoding="utf-8")
    (folder / "t.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in ROWS), encoding="utf-8")
    return sorted(folder.iterdir())


def test_damaged_files_end_in_an_input_error_or_a_task(tmp_path: Path) -> None:
    rng = random.Random(0)
    for path in _files(tmp_path):
        whole = path.read_bytes()
        refused = 0
        for _ in range(60):
            data = bytearray(whole)
            if rng.random() < 0.4:
                data = data[: rng.randrange(len(data))]
            else:
                for _ in range(rng.choice([1, 5, 50])):
                    data[rng.randrange(len(data))] = rng.randrange(256)
            path.write_bytes(data)
            for options in ({"on_bad_row": "skip"}, {"vectors": "v"}):
                try:
                    read_task(path, **options)  # type: ignore[arg-type]
                except InputError as error:
                    str(error).encode("utf-8")
                    refused += 1
        assert refused > 0


def test_truncated_columnar_files(tmp_path: Path) -> None:
    for path in _files(tmp_path):
        if path.suffix in (".parquet", ".arrow"):
            path.write_bytes(path.read_bytes()[:-30])
            with pytest.raises(InputError, match="damaged, cut off or in another format"):
                read_task(path)


def test_text_that_is_not_utf8_in_arrow(tmp_path: Path) -> None:
    letters = pa.array([b"ok", b"caf\xe9", b"a", b"b"])
    text = pa.Array.from_buffers(pa.string(), 4, letters.buffers())
    with pytest.raises(InputError, match=r"column 'text'.*UTF8 sequence at string index 1"):
        read_task(pa.table({"text": text, "label": [1, 2, 1, 2]}))


def test_missing_files(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("text,label\n")
    with pytest.raises(InputError, match=r"does not exist\. Did you mean .*reviews\.csv\?"):
        read_task(tmp_path / "review.csv")
    with pytest.raises(InputError, match="does not exist"):
        read_task(tmp_path / "no" / "such.csv")
    with pytest.raises(InputError, match="Only files on this machine"):
        read_task("https://example.org/t.csv")
    with pytest.raises(InputError, match="can't be read"):
        read_task(tmp_path / "reviews.csv" / "t.csv")
    with pytest.raises(InputError, match="can't be read"):
        read_task(tmp_path / ("n" * 3000))
    for name in ("", "a\0b"):
        with pytest.raises(InputError, match="is not a file name"):
            read_task(name)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux")
def test_file_names_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    path.write_text("text,label\na,1\nb,2\nc,1\nd,2\n")
    task = read_task(path)
    (task.name + task.source).encode("utf-8")
    with pytest.raises(InputError, match="column 'x'") as caught:
        read_task(path, text="x")
    str(caught.value).encode("utf-8")


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="It holds nothing"):
        read_task(tmp_path)
    (tmp_path / "part.csv").write_text("text,label\n")
    with pytest.raises(InputError, match=r"not one that datasets' save_to_disk wrote.*It holds part\.csv"):
        read_task(tmp_path)
    with pytest.raises(InputError, match="takes #"):
        read_task(f"{tmp_path / 'part.csv'}#train")
    for damage in ("{", '{"_data_files": [1]}', '{"_data_files": [{"filename": "gone.arrow"}]}'):
        (tmp_path / "state.json").write_text(damage)
        with pytest.raises(InputError):
            read_task(tmp_path)


def test_a_file_name_with_a_hash(tmp_path: Path) -> None:
    path = tmp_path / "t#1.csv"
    path.write_text("text,label\na,1\nb,2\nc,1\nd,2\n")
    assert read_task(path).texts == ("a", "b", "c", "d")


@pytest.mark.skipif(sys.platform == "win32" or (hasattr(os, "geteuid") and os.geteuid() == 0), reason="root reads all")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label\n")
    path.chmod(0)
    with pytest.raises(InputError, match=r"can't be read.*Permission"):
        read_task(path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs /proc")
def test_a_file_that_fails_when_it_is_read() -> None:
    with pytest.raises(InputError, match="can't be read"):
        read_task("/proc/self/mem")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_are_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(InputError, match="not a regular file"):
        read_task(tmp_path / "t.csv")


def test_foreign_files_named_csv(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "x")
    with pytest.raises(InputError, match="a zip archive or an Excel workbook"):
        read_task(path)
    np.save(tmp_path / "t.npy", np.zeros((3, 2)))
    with pytest.raises(InputError, match="a NumPy array"):
        read_task(tmp_path / "t.npy")
    connection = sqlite3.connect(tmp_path / "t.db")
    connection.execute("create table t (x)")
    connection.commit()
    connection.close()
    with pytest.raises(InputError, match="an SQLite database"):
        read_task(tmp_path / "t.db")
    rng = random.Random(1)
    for _ in range(20):
        path.write_bytes(b"\x7f" + rng.randbytes(3000))
        with pytest.raises(InputError, match=r"not a text file|not valid UTF-8"):
            read_task(path)


def test_contents_win_over_a_wrong_suffix(tmp_path: Path) -> None:
    for path in _files(tmp_path):
        if path.suffix in (".parquet", ".arrow", ".ipc"):
            target = tmp_path / f"{path.suffix[1:]}.csv"
            target.write_bytes(path.read_bytes())
            assert len(read_task(target)) == len(ROWS)


def test_objects_that_are_no_tables() -> None:
    for source in (3, None, {1, 2}, np.zeros(3), object()):
        with pytest.raises(InputError, match="expected a path, a pandas or polars DataFrame"):
            read_task(source)
    with pytest.raises(InputError, match="equal lengths; got text: 1, label: 2"):
        read_task({"text": ["a"], "label": [1, 2]})
    bad: list[Any] = [{"text": "ab", "label": [1, 2]}, {"text": iter("ab"), "label": [1, 2]}]
    for columns in bad:
        with pytest.raises(InputError, match="column 'text' must be a list or an array"):
            read_task(columns)
