"""Characters are decoded exactly or not at all."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from presheaf.errors import InputError
from presheaf.tables import read_task

ROWS = "text,label\ncafé,x\nnaïve,y\nа,x\n鱼,y\n"
LATIN = "text,label\ncafé,x\nnaïve,y\nb,x\nc,y\n"


def _write(tmp_path: Path, data: bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marked_encodings_are_followed(tmp_path: Path, encoding: str) -> None:
    task = read_task(_write(tmp_path, ROWS.encode(encoding)))
    assert task.texts == ("café", "naïve", "а", "鱼")
    assert any("byte order mark" in note for note in task.notes) == (encoding != "utf-8")


def test_big_endian_utf16(tmp_path: Path) -> None:
    assert read_task(_write(tmp_path, b"\xfe\xff" + ROWS.encode("utf-16-be"))).texts == ("café", "naïve", "а", "鱼")


@pytest.mark.parametrize("asked", ["utf-8", "utf-16-le", "gb18030"])
def test_encoding_that_is_asked_for(tmp_path: Path, asked: str) -> None:
    mark = {"utf-8": "utf-8-sig", "utf-16-le": "utf-16"}.get(asked, asked)
    assert read_task(_write(tmp_path, ROWS.encode(mark)), encoding=asked).texts == ("café", "naïve", "а", "鱼")


@pytest.mark.parametrize("compress", [False, True])
def test_wrong_encoding_says_where_and_how_to_mend_it(tmp_path: Path, compress: bool) -> None:
    filler = 'text,label\n"ok\nok",x\n\n' + "fine,y\n" * 40_000
    data = filler.encode() + LATIN.split("\n", 1)[1].encode("cp1252")
    offset = len(filler) + 3  # c, a, f come before the byte that is wrong
    path = _write(tmp_path, gzip.compress(data) if compress else data, "t.csv.gz" if compress else "t.csv")
    with pytest.raises(InputError) as caught:
        read_task(path)
    message = str(caught.value)
    assert f"0xe9 at byte offset {offset} (row 40002)" in message
    assert "--encoding cp1252" in message
    assert "UTF-8" in message
    assert "café" in (read_task(path, encoding="cp1252").texts or ())


def test_wrong_encoding_in_header_jsonl_and_json(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"0xe9 at byte offset 1 \(in the header\)"):
        read_task(_write(tmp_path, "tét,label\na,x\n".encode("latin-1")))
    lines = '{"text":"a","label":1}\n\n{"text":"é","label":1}\n'.encode("latin-1")
    with pytest.raises(InputError, match=rf"0xe9 at byte offset {lines.index(0xE9)} \(row 2\)"):
        read_task(_write(tmp_path, lines, "t.jsonl"))
    with pytest.raises(InputError, match=r"0xe9 at byte offset 12 \(line 2\)"):
        read_task(_write(tmp_path, '[\n{"text": "é"}]'.encode("latin-1"), "t.json"))


def test_cut_off_character_at_the_end(tmp_path: Path) -> None:
    data = ROWS.encode()[:-4]  # the last line is "鱼,y\n": one of three bytes is left, with ",y\n" gone too
    with pytest.raises(InputError, match=r"\(row 4\) is not valid UTF-8"):
        read_task(_write(tmp_path, data))


def test_utf16_without_mark_names_the_codec(tmp_path: Path) -> None:
    for codec in ("utf-16-le", "utf-16-be"):
        path = _write(tmp_path, ROWS.encode(codec))
        with pytest.raises(InputError, match=f"--encoding {codec}"):
            read_task(path)
        assert read_task(path, encoding=codec).texts == ("café", "naïve", "а", "鱼")


@pytest.mark.parametrize("encoding", ["no-such-codec", "base64", "x\0y"])
def test_unknown_encoding(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(InputError, match="is not known"):
        read_task(_write(tmp_path, ROWS.encode()), encoding=encoding)


def test_encoding_that_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"0xc3 at byte offset 14 \(row 1\) is not valid ascii"):
        read_task(_write(tmp_path, ROWS.encode()), encoding="ascii")


@pytest.mark.parametrize(
    "data",
    [gzip.compress(ROWS.encode() * 900)[:-20], gzip.compress(b"a,b\n")[:10], b"\x1f\x8bxx"],
    ids=["no end", "head only", "no gzip"],  # a compressed text holds the time, and ids have to be those of every run
)
def test_damaged_gzip(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match=r"t\.csv\.gz"):
        read_task(_write(tmp_path, data, "t.csv.gz"))


def test_lone_surrogates_are_bad_rows() -> None:
    rows = [{"text": t, "label": k} for t, k in [("a", "x"), ("b\ud83d", "x"), ("c", "y"), ("d", "y"), ("😀", "x")]]
    rows.append({"text": "e", "label": "\udc00"})
    with pytest.raises(InputError) as caught:
        read_task(rows)
    str(caught.value).encode("utf-8")
    assert "text is not valid Unicode: row 2 (half a surrogate pair, U+D83D at character 2)" in str(caught.value)
    assert "label is not valid Unicode: row 6" in str(caught.value)
    assert read_task(rows, on_bad_row="skip").texts == ("a", "c", "d", "😀")


def test_surrogate_escapes_in_json(tmp_path: Path) -> None:
    pair = r'{"text":"\ud83d\ude00","label":"x"}' + "\n" + r'{"text":"\ud83d","label":"x"}' + "\n"
    rest = '{"text":"a","label":"x"}\n{"text":"b","label":"y"}\n{"text":"c","label":"y"}\n'
    task = read_task(_write(tmp_path, (pair + rest).encode(), "t.jsonl"), on_bad_row="skip")
    assert task.texts == ("😀", "a", "b", "c")
    assert [bad.row for bad in task.bad_rows] == [2]
