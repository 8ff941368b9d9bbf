"""Which column is the text, the label, the vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from presheaf.errors import InputError
from presheaf.tables import read_task


def _table(*names: str) -> dict[str, list[Any]]:
    return {name: [f"{name} {i % 2}" for i in range(4)] for name in names}


@pytest.mark.parametrize(
    ("names", "text", "label"),
    [
        (["text", "label"], "text", "label"),
        (["id", "Review", "Sentiment"], "Review", "Sentiment"),
        (["sentence", "target", "split"], "sentence", "target"),
        (["text", "label", "content", "category"], "text", "label"),
        ([" text", "class"], " text", "class"),
    ],
)
def test_obvious_columns_are_chosen_and_noted(names: list[str], text: str, label: str) -> None:
    task = read_task(_table(*names))
    assert (task.text_column, task.label_column) == (text, label)
    assert f"column {text!r} taken as the text" in task.notes
    assert f"column {label!r} taken as the label" in task.notes


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["said", "label"], "which column holds the text"),
        (["text", "mood"], "which column holds the labels"),
        (["review", "sentence", "label"], "which column holds the text"),
        (["text", "class", "sentiment"], "which column holds the labels"),
    ],
)
def test_unclear_columns_are_listed(names: list[str], told: str) -> None:
    with pytest.raises(InputError) as caught:
        read_task(_table(*names))
    assert told in str(caught.value)
    assert all(repr(name) in str(caught.value) for name in names)


def test_a_named_column_is_no_candidate_for_the_other_role() -> None:
    task = read_task(_table("text", "content", "label"), text="content")
    assert task.text_column == "content"
    assert not any("taken as the text" in note for note in task.notes)
    with pytest.raises(InputError, match="must be different columns"):
        read_task(_table("text", "label"), text="text", label="text")


def test_close_names_are_suggested() -> None:
    with pytest.raises(InputError, match=r"'Lable' does not exist\..* are 'text', 'label'\. Did you mean 'label'"):
        read_task(_table("text", "label"), label="Lable")
    with pytest.raises(InputError, match=r"Did you mean ' label'\?"):
        read_task(_table("text", " label"), label="label")
    wide = _table("text", "label", *[f"c{i}" for i in range(40)])
    with pytest.raises(InputError, match=r"'c27' and 12 more\.$"):
        read_task(wide, text="zzz")


def test_duplicated_names(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label,text,other,other\na,x,b,,\nc,y,d,,\ne,x,f,,\ng,y,h,,\n")
    for text in (None, "text"):
        with pytest.raises(InputError, match=r"2 columns are called 'text' \(columns 1, 3\)"):
            read_task(path, text=text)
    table = pa.table([["a", "b", "c", "d"], [1, 2, 1, 2], [1, 2, 1, 2]], names=["text", "label", "label"])
    with pytest.raises(InputError, match=r"2 columns are called 'label' \(columns 2, 3\)"):
        read_task(table)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([["a", 1, 2], ["b", 2, 2]], columns=["text", "label", "label"])
    with pytest.raises(InputError, match="2 columns are called 'label'"):
        read_task(frame)
    path.write_text("text,label,other,other\na,x,,\nc,y,,\ne,x,,\ng,y,,\n")
    assert len(read_task(path)) == 4


def test_a_key_that_occurs_late_or_twice_in_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = ['{"text":"a"}'] * 1200 + ['{"text":"b","mood":"x"}', '{"text":"c","mood":"y"}'] * 2
    path.write_text("\n".join(lines))
    task = read_task(path, label="mood", on_bad_row="skip")
    assert task.rows.tolist() == [1201, 1202, 1203, 1204]
    path.write_text('{"text":"a","label":1,"label":2}\n{"text":"b","label":1}\n')
    with pytest.raises(InputError, match=r"invalid JSON: row 1 \(line 1: the key 'label' occurs twice"):
        read_task(path)


def test_invalid_lines_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"text":"a","label":1}\n\n{"text":"b" "label":1}\n[1]\n{"text":"c","label":1}\n')
    with pytest.raises(InputError) as caught:
        read_task(path, text="text", label="label")
    # Only one class is left, which is told together with the rows.
    assert "one class only" in str(caught.value)
    assert "invalid JSON: row 2 (line 3, column 13: Expecting ',' delimiter)" in str(caught.value)
    assert "row is no object: row 3 (list)" in str(caught.value)
    path.write_text("not json\nat all\n")
    with pytest.raises(InputError, match=r"2 of 2 rows can't be used:\n  invalid JSON: row 1 \(line 1, column 1"):
        read_task(path)
    path.write_text("[" * 100_000 + "\n")
    with pytest.raises(InputError, match="1 of 1 rows"):
        read_task(path)


def test_invalid_json_array(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text('[{"text": "a",\n "label": }]')
    with pytest.raises(InputError, match=r"invalid JSON at line 2, column 11.*Expected an array"):
        read_task(path)


def test_names_that_are_no_strings() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([["a", 1], ["b", 2], ["c", 1], ["d", 2]])
    assert read_task(frame, text="0", label="1").label_names == ["1", "2", "1", "2"]
