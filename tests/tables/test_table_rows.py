"""Rows that can't be used, duplicated rows, and labels that are no classes."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.tables import BadRow, Task, read_task


def _rows(*pairs: tuple[Any, Any]) -> list[dict[str, Any]]:
    return [{"text": text, "label": label} for text, label in pairs]


GOOD = [("a", "x"), ("b", "y"), ("c", "x"), ("d", "y")]


def test_every_kind_of_bad_row_is_told_at_once() -> None:
    rows = _rows(*GOOD, ("", "x"), (None, "y"), (" \t\n", "x"), ("e", None), ("f", "  "), ("g", "once"), (7, "x"))
    rows.append([1, 2])  # type: ignore[arg-type]
    rows += _rows(("h", ["x"]), (float("nan"), "x"), ("i", float("inf")))
    with pytest.raises(InputError) as caught:
        read_task(rows)
    lines = str(caught.value).splitlines()
    assert lines[0] == "the table: 11 of 15 rows can't be used:"
    assert "  empty text: rows 5, 6, 7, 14" in lines
    assert "  missing label: rows 8, 9" in lines
    assert "  label seen once, so it can't be both learnt and tested: row 10 ('once')" in lines
    assert "  text is no string: row 11 (int)" in lines
    assert "  row is no object: row 12 (list)" in lines
    assert "  label is no string, number or boolean: row 13 (list)" in lines
    assert "  label is infinite: row 15 ('inf')" in lines
    assert lines[-1].endswith('--on-bad-row skip (on_bad_row="skip").')

    task = read_task(rows, on_bad_row="skip")
    assert task.texts == ("a", "b", "c", "d")
    assert task.rows.tolist() == [1, 2, 3, 4]
    assert task.classes == ("x", "y")
    assert [bad.row for bad in task.bad_rows] == list(range(5, 16))
    assert task.bad_rows[0] == BadRow(5, "empty text")
    assert any(note.startswith("11 of 15 rows left out") for note in task.notes)


def test_only_the_first_ten_rows_are_listed() -> None:
    rows = _rows(*GOOD, *[("", "x")] * 23)
    with pytest.raises(InputError, match=r"empty text: rows 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 and 13 more\n"):
        read_task(rows)
    rows = _rows(*GOOD, *[(f"t{i}", f"k{i}") for i in range(12)])
    with pytest.raises(InputError, match=r"row 14 \('k9'\) and 2 more\n"):
        read_task(rows)


def test_a_label_may_become_lonely_through_another_bad_row() -> None:
    rows = _rows(*GOOD, ("e", "z"), ("", "z"))
    task = read_task(rows, on_bad_row="skip")
    assert [bad.row for bad in task.bad_rows] == [5, 6]
    assert task.classes == ("x", "y")
    assert task.labels.tolist() == [0, 1, 0, 1]


def test_class_indices_close_up_after_skipping() -> None:
    rows = _rows(("a", "m"), ("b", "z"), ("c", "a"), ("d", "z"), ("e", "c"), ("f", "c"))
    task = read_task(rows, on_bad_row="skip")
    assert task.classes == ("c", "z")
    assert task.label_names == ["z", "z", "c", "c"]
    assert task.rows.tolist() == [2, 4, 5, 6]
    assert task.labels.dtype == np.int32
    assert task.rows.dtype == np.int64


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", " ", None, "a", "b", "é", "\udc80"]),
            st.sampled_from([None, "", "p", "q", "r", " p"]),
        ),
        max_size=14,
    )
)
def test_skip_keeps_exactly_the_usable_rows(pairs: list[tuple[Any, Any]]) -> None:
    def usable(pair: tuple[Any, Any]) -> bool:
        text, label = pair
        return text in ("a", "b", "é") and bool(label)

    named = [(i, t, str(k).strip()) for i, (t, k) in enumerate(pairs, start=1) if usable((t, k))]
    kept = [row for row in named if sum(other[2] == row[2] for other in named) > 1]
    classes = sorted({row[2] for row in kept})
    if len(classes) < 2:
        with pytest.raises(InputError):
            read_task(_rows(*pairs), text="text", label="label", on_bad_row="skip")
        return
    task = read_task(_rows(*pairs), text="text", label="label", on_bad_row="skip")
    assert list(zip(task.rows.tolist(), task.texts or (), task.label_names, strict=True)) == kept
    assert list(task.classes) == classes
    assert [b.row for b in task.bad_rows] == sorted(set(range(1, len(pairs) + 1)) - {row[0] for row in kept})
    if task.bad_rows:
        with pytest.raises(InputError, match=f"{len(task.bad_rows)} of {len(pairs)} rows"):
            read_task(_rows(*pairs), text="text", label="label")


def test_duplicated_rows_are_kept_and_counted() -> None:
    task = read_task(_rows(*GOOD, ("a", "x"), ("a", "x"), ("a", "y")))
    assert len(task) == 7
    assert "2 rows repeat an earlier row (same object, same label); duplicates are kept" in task.notes
    assert not any("repeat" in note for note in read_task(_rows(*GOOD, ("a", "y"))).notes)


def test_duplicated_vectors_are_counted() -> None:
    task = read_task({"v": np.array([[1.0, 2], [1, 2], [1, 2], [3, 4]]), "label": [0, 0, 1, 1]}, vectors="v")
    assert any(note.startswith("1 row repeats") for note in task.notes)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([True, False], ("False", "True")),
        ([np.bool_(True), np.bool_(False)], ("False", "True")),
        ([np.int8(3), np.int64(-20)], ("-20", "3")),
        ([3.0, np.float32(4)], ("3", "4")),
        ([1e20, 2e20], ("100000000000000000000", "200000000000000000000")),
        ([2**70, 3], ("3", str(2**70))),
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["10", "9", "-1", "x"], ("-1", "10", "9", "x")),
        ([4, 4.5], ("4.0", "4.5")),
        (["007", "7"], ("007", "7")),
        (["1.0", "2.00", "10"], ("1", "2", "10")),
        (["1.0", "1.1", "v"], ("1.0", "1.1", "v")),
        (["None", "nan", "NA"], ("NA", "None", "nan")),
        (["ye\u200fs", "no"], ("no", "ye\u200fs")),
        (["\x00", "b"], ("\x00", "b")),
        ([True, 1, "a"], ("1", "True", "a")),
        (["1_0", "2", "٣"], ("1_0", "2", "٣")),
    ],
)
def test_class_names(labels: list[Any], classes: tuple[str, ...]) -> None:
    rows = _rows(*[(f"{i}{j}", label) for j in range(3) for i, label in enumerate(labels)])
    task = read_task(rows)
    assert task.classes == classes
    assert len(task) == len(rows)
    # The same value is the same class everywhere.
    names = task.label_names
    assert names[: len(labels)] == names[len(labels) : 2 * len(labels)]
    assert len(set(names[: len(labels)])) == len(classes)


def test_equal_names_of_several_types_are_one_class_and_told() -> None:
    task = read_task(_rows(("a", 1), ("b", "1"), ("c", 0), ("d", "0"), ("e", 1.0), ("f", " 1.0")))
    assert task.label_names == ["1", "1", "0", "0", "1", "1"]
    assert any("several types (number, string)" in note for note in task.notes)


def test_trimmed_labels_are_told_with_their_rows() -> None:
    task = read_task(_rows(("a", "x"), ("b", "x "), ("c", "\ty"), ("d", "y")))
    assert task.label_names == ["x", "x", "y", "y"]
    assert "white space around the label trimmed in rows 2, 3" in task.notes


def test_quantities_are_no_classes() -> None:
    values = [i / 7 for i in range(60)]
    for labels in (values, [str(v) for v in values]):
        with pytest.raises(InputError, match="looks like a quantity to predict"):
            read_task({"text": [f"t{i}" for i in range(60)], "label": labels})
    stars = [0.5 * (1 + i % 10) for i in range(60)]
    task = read_task({"text": [f"t{i}" for i in range(60)], "label": stars})
    assert task.classes == ("0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0")


def test_number_of_classes() -> None:
    def labelled(classes: int) -> dict[str, list[Any]]:
        return {"text": [f"t{i}" for i in range(2 * classes)], "label": [i % classes for i in range(2 * classes)]}

    assert read_task(labelled(2)).classes == ("0", "1")
    assert len(read_task(labelled(1000)).classes) == 1000
    with pytest.raises(InputError, match=r"1,001 different labels.*'0', '1', '2'.*free text"):
        read_task(labelled(1001))
    with pytest.raises(InputError, match="has one class only, '0'"):
        read_task(labelled(1))
    with pytest.raises(InputError, match="No label is repeated"):
        read_task(_rows(("a", "one"), ("b", "two"), ("c", "three")))
    with pytest.raises(InputError, match="3 of 3 rows can't be used"):
        read_task(_rows(("a", None), ("b", None), ("c", "")))
    with pytest.raises(InputError, match="1 class with two usable rows or more left"):
        read_task(_rows(("a", "x"), ("b", "x"), ("c", "y")), on_bad_row="skip")


def test_dates_are_no_labels() -> None:
    rows = _rows(*GOOD, ("e", datetime.date(2020, 1, 1)))
    with pytest.raises(InputError, match=r"label is no string, number or boolean: row 5 \(date\)"):
        read_task(rows)


def test_nothing_to_read(tmp_path: Path) -> None:
    for source in ([], {}, {"text": [], "label": []}):
        with pytest.raises(InputError, match="no data rows"):
            read_task(source)
    for name, content in [
        ("t.csv", "text,label\n"),
        ("t.tsv", "text\tlabel\r\n\r\n"),
        ("t.jsonl", "\n\n"),
        ("t.json", "[]"),
    ]:
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match="no data rows"):
            read_task(tmp_path / name)
    for name in ("t.csv", "t.jsonl", "t.parquet", "t.arrow", "t"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(InputError, match="is empty"):
            read_task(tmp_path / name)
    (tmp_path / "blank.csv").write_text("\n\n\n")
    with pytest.raises(InputError, match="only blank lines"):
        read_task(tmp_path / "blank.csv")


def test_options_are_checked() -> None:
    with pytest.raises(InputError, match="'on_bad_row' must be one of error, skip; got 'drop'"):
        read_task(_rows(*GOOD), on_bad_row="drop")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="label must be a string or None; got 3"):
        read_task(_rows(*GOOD), label=3)  # type: ignore[arg-type]


def test_the_task_can_be_cut() -> None:
    task = read_task(_rows(*GOOD, ("", "x")), on_bad_row="skip")
    half = task.take([3, 0])
    assert isinstance(half, Task)
    assert (half.texts, half.label_names, half.rows.tolist()) == (("d", "a"), ["y", "x"], [4, 1])
