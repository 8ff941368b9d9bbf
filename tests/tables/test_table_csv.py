"""What is hard in CSV: quoting, delimiters, line ends, malformed lines, huge cells."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.tables import read_task

CELLS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(lambda t: t.strip())
TRICKY = st.text(st.sampled_from("ab \"',;|\t\r\n\x00é鱼"), min_size=1, max_size=12).filter(lambda t: t.strip())


@given(
    texts=st.lists(CELLS | TRICKY, min_size=4, max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_any_text_comes_back(texts: list[str], delimiter: str, quoting: int) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["text", "label"])
    writer.writerows([t, "even" if i % 2 == 0 else "odd"] for i, t in enumerate(texts))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(out.getvalue().encode())
        task = read_task(path, text="text", label="label", on_bad_row="error")
    assert list(task.texts or ()) == texts
    assert task.rows.tolist() == list(range(1, len(texts) + 1))


def _write(tmp_path: Path, content: str, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_no_last_one(tmp_path: Path, end: str) -> None:
    path = _write(tmp_path, end.join(["text,label", "a,x", "b,y", "", "c,x", "d,y"]))
    task = read_task(path)
    assert task.texts == ("a", "b", "c", "d")
    assert task.classes == ("x", "y")
    assert task.rows.tolist() == [1, 2, 3, 4]
    assert any("1 blank line passed over" in note for note in task.notes)


def test_delimiter_is_the_one_that_gives_the_named_columns(tmp_path: Path) -> None:
    # Under ";" the header has three fields, under "," two: the names decide.
    path = _write(tmp_path, "so;me;text,label\na,x\nb,y\nc;d;e,x\nf,y\n")
    task = read_task(path, text="so;me;text", label="label")
    assert task.texts == ("a", "b", "c;d;e", "f")
    assert "fields separated by a comma" in task.notes


def test_delimiter_is_stated(tmp_path: Path) -> None:
    path = _write(tmp_path, "text;label\na, and b, and c;x\nb;y\nc;x\nd;y\n")
    assert "fields separated by a semicolon" in read_task(path).notes


def test_malformed_lines_are_all_named(tmp_path: Path) -> None:
    path = _write(tmp_path, 'text,label\na,x\nb\n"two\nlines",y\nc,x,z\n"d" e,x\nf,y\ng,x\n')
    with pytest.raises(InputError) as caught:
        read_task(path)
    message = str(caught.value)
    assert "3 of 7 rows can't be used" in message
    assert "row 2 (line 3: 1 field, the header has 2)" in message
    assert "row 4 (line 6: 3 fields, the header has 2)" in message
    assert "row 5 (line 7: text after a closing double quote)" in message
    assert "--on-bad-row skip" in message
    task = read_task(path, on_bad_row="skip")
    assert task.texts == ("a", "two\nlines", "f", "g")
    assert task.rows.tolist() == [1, 3, 6, 7]
    assert [bad.row for bad in task.bad_rows] == [2, 4, 5]


def test_an_open_quote_is_refused_even_when_skipping(tmp_path: Path) -> None:
    path = _write(tmp_path, 'text,label\na,x\n"b,y\nc,x\nd,y\n')
    with pytest.raises(InputError, match=r"opened in row 2 \(line 3\) is never closed"):
        read_task(path, on_bad_row="skip")


def test_tsv_with_plain_quotes(tmp_path: Path) -> None:
    path = _write(tmp_path, 'text\tlabel\n"a quote, never closed\tx\nb "c" d\ty\n"e" f\tx\ng\ty\n', "t.tsv")
    task = read_task(path)
    assert task.texts == ('"a quote, never closed', 'b "c" d', '"e" f', "g")
    assert any("plain characters" in note for note in task.notes)


def test_tsv_with_quoting(tmp_path: Path) -> None:
    path = _write(tmp_path, 'text\tlabel\n"a ""b""\tc"\tx\nd\ty\ne\tx\nf\ty\n', "t.tsv")
    assert (read_task(path).texts or ())[0] == 'a "b"\tc'


def test_a_cell_of_ten_megabytes(tmp_path: Path) -> None:
    big = "ab,\n" * 2_500_000
    before = csv.field_size_limit(131_072)
    try:
        path = _write(tmp_path, f'text,label\n"{big}",x\nb,y\nc,x\nd,y\n')
        assert (read_task(path).texts or ())[0] == big
        assert csv.field_size_limit() == 131_072
        with pytest.raises(InputError):
            read_task(_write(tmp_path, f'text,label\n"{big},x\n'))
        assert csv.field_size_limit() == 131_072
    finally:
        csv.field_size_limit(before)


def test_vectors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="CSV or TSV cell is text"):
        read_task(_write(tmp_path, 'v,label\n"[1,2]",x\n'), vectors="v")
