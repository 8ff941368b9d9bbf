"""HTML without a browser: size, escaping, structure, and that all three faces show the same numbers."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import pytest
import samples
from prompting_samples import hostile

from presheaf.audits.numbers import number
from presheaf.audits.result import Comparison
from presheaf.report import to_html, to_text
from presheaf.report.axis import Axis, accuracy_range
from presheaf.report.limits import STEPS
from presheaf.report.markup import el, style, user

VOID = {"meta", "br", "hr", "col"}


class Checker(HTMLParser):
    """Collects tags, attributes and text, and complains when an element is not closed where it should be."""

    def __init__(self):
        super().__init__()
        self.stack, self.seen, self.ids, self.labels, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.seen.append((tag, values))
        self.ids += [values["id"]] if "id" in values else []
        self.labels += values.get("aria-labelledby", "").split()
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def checked(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.stack == []
    return checker


@pytest.fixture(scope="module")
def pages():
    return {name: to_html(sample) for name, sample in samples.ALL.items()}


@pytest.mark.parametrize("name", samples.ALL)
def test_structure(pages, name):
    checker = checked(pages[name])
    tags = [tag for tag, _ in checker.seen]
    assert tags.count("h1") == 1
    assert not {"script", "iframe", "img", "link", "object", "form", "b-old"} & set(tags)
    assert len(checker.ids) == len(set(checker.ids))
    assert set(checker.labels) <= set(checker.ids)
    for tag, values in checker.seen:
        assert not {"href", "src"} & set(values)
        assert not [key for key in values if key.startswith("on")], tag
    policy = next(v["content"] for t, v in checker.seen if v.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@pytest.mark.parametrize("name", samples.ALL)
def test_size_and_no_address(pages, name):
    assert len(pages[name].encode("utf-8")) < 1_000_000
    assert set(re.findall(r"https?://[^\s\"'<&;)]+", pages[name])) <= {"http://www.w3.org/2000/svg", "http://x"}
    assert "url(http" not in pages[name]


@pytest.mark.parametrize("char", ["'", "\U0001f600", "\x00"])
def test_size_stays_small_whatever_the_character(char):
    """Five and six bytes for an escaped sign, nine characters of three bytes for one that can't be seen."""
    long = char * 20_000
    group = samples.RowGroup(tuple(range(30)), (long,) * 30, (long,) * 30, long, long)
    finding = samples.replace(samples.FINDINGS[4], title=long, message=long, remedy=long, groups=(group,) * 40,
                              evidence={f"{i}{long}": [long] * 3 for i in range(70)})  # fmt: skip
    prompt = samples.replace(samples.PROMPTS[0], template=long, prompts=((long, long),) * 300)
    audit = samples.replace(
        samples.RICH,
        verdict=samples.replace(samples.RICH.verdict, sentence=long, reasons=(long,) * 99),
        ladder=tuple(samples.replace(r, detail=long, cost=long, nulls={long: 0.1}) for r in samples.LADDER),
        findings=(finding,) * 10,
        prompts=(prompt,) * 99,
        rows=(samples.WorstRow(1, long, long, 1, 1, 0.5, long, long),) * 99,
        settings={f"{i}{long[:500]}": long for i in range(99)},
        prompting=hostile(long, long, long),
    )
    page = to_html(audit)
    assert len(page.encode("utf-8")) < 1_000_000
    checked(page)
    many = Comparison((audit,) * 4, samples.COMPARISON.differences * 200, ((long,) * 40,), (long,) * 200,
                      ((long, long),) * 200, long, 0.9)  # fmt: skip
    assert len(to_html(many).encode("utf-8")) < 1_000_000


def test_the_last_step_is_the_smallest():
    for before, after in pairwise(STEPS):
        assert all(getattr(after, name) <= getattr(before, name) for name in vars(before) if name != "pictures")


def test_text_is_escaped_and_isolated(pages):
    checker = checked(pages["rich"])
    assert samples.SCRIPT in checker.text
    assert "<script" not in pages["rich"]
    assert samples.ARABIC in checker.text
    assert "‹U+202E›" in pages["rich"]
    assert str(user("<a>", 9)) == '<bdi dir="auto">&lt;a&gt;</bdi>'
    assert str(el("p", "a", el("b", "&"), title='"')) == '<p title="&quot;">a<b>&amp;</b></p>'


def test_all_numbers_of_the_ladder_are_on_the_page_and_in_the_text(pages):
    for shown in ("".join(checked(pages["rich"]).text), to_text(samples.RICH)):
        for rung in samples.LADDER:
            assert number(rung.accuracy) in shown
            assert f"[{number(rung.low)}, {number(rung.high)}]" in shown


def test_what_is_cut_is_counted(pages):
    page = pages["hostile"]
    assert "rows more of this group in the JSON" in page
    assert re.search(r"\d+ labels more in the JSON", page)
    assert "9 groups more in the JSON." in pages["rich"]


def test_missing_numbers_and_interruption_are_said(pages):
    shown = "".join(checked(pages["bare"]).text)
    assert "Stopped early: stopped after 512 of 2,000 rows" in shown
    assert "none given" in shown
    assert "precomputed vectors: what reaches the network can't be seen" in shown
    assert "nan" not in shown.lower().split()


def test_settings_and_kinds_are_explained(pages):
    shown = "".join(checked(pages["rich"]).text)
    assert "choosing rows" in shown
    assert "What was done" in shown
    assert "How to read this" in shown
    for kind in ("proof", "estimate", "heuristic"):
        assert f'class="badge {kind}"' in pages["rich"]


@pytest.mark.parametrize("name", ["rich", "bare", "comparison", "language", "mixed"])
def test_drawings_are_well_formed_and_named(pages, name):
    for drawing in re.findall(r"<svg .*?</svg>", pages[name], re.S):
        root = ElementTree.fromstring(drawing.replace("xmlns=", "xmlns:x=") if "xmlns" not in drawing else drawing)
        named = root.get("aria-labelledby")
        assert named or root.get("aria-hidden") == "true"
        assert "NaN" not in drawing
        assert "inf" not in re.sub(r"<(title|desc)[^>]*>.*?</\1>|>[^<]*<", "", drawing)


def test_same_result_same_bytes(pages):
    assert to_html(samples.RICH) == pages["rich"]


def contrast(a: str, b: str) -> float:
    """WCAG 2 contrast of two #rrggbb colours."""

    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(a), light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
def test_colours_pass_wcag_aa(scheme):
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    blocks = str(style("palette")).split("@media screen")
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", blocks[scheme]))
    for ground in ("paper", "panel"):
        for name in ("ink", "soft", "estimate", "proof", "heuristic", "target"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    for kind in ("estimate", "proof", "heuristic"):
        assert contrast(colours[kind], colours[f"{kind}-fill"]) >= 4.5, kind


def test_axis_maps_ends_and_clips():
    axis = Axis(0.5, 1.0, 100, 200)
    assert [axis.at(v) for v in (0.5, 0.75, 1.0, 0.2, 1.2)] == [100, 150, 200, 100, 200]
    assert axis.ticks() == [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert accuracy_range([0.73, 0.79], end=1.0) == (pytest.approx(0.7), 1.0)
    assert accuracy_range([None], end=1.0) == (0.0, 1.0)
    start, end = accuracy_range([1.0, 1.0])
    assert start < end


def test_long_lists_of_rows_show_five_and_count_the_others():
    many = tuple(samples.replace(samples.WHY.gap[0], row=i) for i in range(1, 31))
    audit = samples.replace(samples.RICH, why=samples.replace(samples.WHY, gap=many, gap_left_out=600))
    gap = to_html(audit).split("Kan gap)</h3>")[1].split("<h2")[0]
    shown, folded = gap.split("<details>")
    assert shown.count('data-name="row"') == 5
    assert folded.count('data-name="row"') == 25
    assert "25 rows more" in folded
    assert "600 rows more in the JSON" in folded
