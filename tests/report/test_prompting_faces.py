"""What a language model's prompts reached, in text, HTML, drawings and the notebook."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import prompting_samples
import pytest
import samples
from prompting_samples import MARKED, PROMPTING

from presheaf.audits.numbers import signed
from presheaf.audits.prompting_result import Score, WrittenPrompt
from presheaf.report import card, from_json, plot, to_html, to_json, to_text
from presheaf.report.chart_prompting import shots_chart
from presheaf.report.html_prompting import prompting_section
from presheaf.report.limits import STEPS
from presheaf.report.prompting_words import cost_sentence, landmarks, one_more_sentence, tuned_sentence


def plain(html: str) -> str:
    """Text of markup, white space kept, entities read."""
    from html import unescape

    return unescape(re.sub(r"<[^>]+>", "", html))


def test_every_number_of_the_landmarks_is_in_text_and_page() -> None:
    text, page = (
        " ".join(to_text(samples.LANGUAGE, width=120).split()),
        plain(to_html(samples.LANGUAGE)).replace(" ✓", ""),
    )
    for shown in (text, page):
        for said in (
            ".622 [.562, .672]",
            ".701 [.641, .751]",
            ".789 [.729, .839]",
            ".741 [.681, .791]",
            ".503 [.443, .553]",
        ):
            assert said in shown
        for said in ("4 prompts", "100 choosing rows", "99 held-out rows", "+.031 [-.004, +.066]", "not shown to be a gain",
                     "Not found: a soft prompt of 8 free vectors", "41,250 tokens", "396,000 (9.6 times as many)",
                     "8-shot: 64 rows", "+.052"):  # fmt: skip
            assert said in shown


def test_landmarks_are_by_raw_accuracy_and_name_a_prompt_once() -> None:
    named = landmarks(PROMPTING)
    assert [name for name, _ in named] == ["chosen, median", "best in hindsight", "worst"] or [
        name for name, _ in named
    ] == ["chosen", "best in hindsight", "median", "worst"]
    found = {name: prompt.raw.accuracy for names, prompt in named for name in names.split(", ")}
    assert found == {"chosen": 0.622, "best in hindsight": 0.741, "median": found["median"], "worst": 0.503}
    ordered = sorted(p.raw.accuracy for p in PROMPTING.prompts)
    assert found["median"] in ordered[1:3]
    only = replace(PROMPTING, prompts=PROMPTING.prompts[:1])
    assert [name for name, _ in landmarks(only)] == ["chosen, best in hindsight, median, worst"]
    assert landmarks(replace(PROMPTING, prompts=())) == []


def test_the_prompt_to_copy_is_exact_and_escaped() -> None:
    page = to_html(samples.LANGUAGE)
    copy = re.search(r'<pre[^>]*class="copy"[^>]*>(.*?)</pre>', page, re.S)
    assert copy is not None
    assert "<" not in copy[1]
    assert plain(copy[1]) == MARKED
    text = to_text(samples.LANGUAGE, width=120)
    assert "\n".join(line[6:] for line in text.splitlines() if line.startswith("    │")) == MARKED


def test_a_prompt_that_is_cut_says_so() -> None:
    long = replace(PROMPTING, copy="x" * 30_000)
    assert "Cut here; the whole prompt is in the JSON." in prompting_section(long, None, STEPS[0])
    assert "Cut here" not in prompting_section(PROMPTING, None, STEPS[0])


def test_the_preferred_calibration_is_marked() -> None:
    first = to_text(samples.LANGUAGE, width=120).split("chosen")[1]
    assert "*fitted .789" in first
    row = re.search(r'<tr class="chosen">.*?</tr>', to_html(samples.LANGUAGE).split('id="prompting"')[1], re.S)
    assert row is not None
    assert re.findall(r"<b[^>]*>([^<]*)</b>", row[0]) == [".789"]


def test_what_is_missing_is_left_out() -> None:
    text = to_text(samples.LANGUAGE_BARE)
    assert "soft prompt" not in text.split("Prompts scored by the model")[1]
    assert "labelled examples" not in text
    assert "left out: stopped" in text
    assert "12 requests" in text
    page = to_html(samples.LANGUAGE_BARE)
    assert "Labelled examples in the prompt" not in page
    assert "tokens through the network" not in page
    assert "Prompts scored by the model" not in to_html(samples.RICH)


def test_the_curve_is_drawn_where_its_numbers_are() -> None:
    chart = shots_chart(PROMPTING, 0.9)
    root = ElementTree.fromstring(chart)
    dots = [c for c in root.iter() if c.tag.endswith("circle") and c.get("class") == "max-dot"]
    heights = [float(dot.get("cy")) for dot in dots]
    wanted = [p.accuracy for p in PROMPTING.shots]
    slope = (heights[2] - heights[0]) / (wanted[2] - wanted[0])
    assert slope < 0
    assert heights[1] == pytest.approx(heights[0] + slope * (wanted[1] - wanted[0]), abs=0.2)
    places = [float(dot.get("cx")) for dot in dots]
    # 0, 1 and 4 examples stand 0, 1 and 3 steps from the left.
    assert (places[2] - places[0]) / (places[1] - places[0]) == pytest.approx(3, abs=0.02)
    assert "target .900" in chart
    assert shots_chart(replace(PROMPTING, shots=PROMPTING.shots[:1]), None) == ""


def test_a_drawing_and_a_card_show_it_too() -> None:
    with_curve, without = plot(samples.LANGUAGE).svg, plot(replace(samples.LANGUAGE, prompting=None)).svg
    assert "labelled examples in the prompt" in with_curve
    assert "labelled examples in the prompt" not in without
    ElementTree.fromstring(with_curve)
    assert plain(card(samples.LANGUAGE)).endswith("Prompt to copy" + MARKED)


def test_a_comparison_has_columns_for_prompts_only_where_there_are_some() -> None:
    text = to_text(samples.MIXED, width=120)
    assert re.search(r"smollm2 +\.712 +\.789 +\.811 +\.781", text)
    assert re.search(r"minilm +\.712 +– +– +\.781", text)
    assert "written" not in to_text(samples.COMPARISON)
    page = to_html(samples.MIXED)
    assert page.count('class="copy"') == 1
    assert "few-shot" in page


def test_json_keeps_it_and_an_older_file_lacks_it() -> None:
    written = to_json(samples.LANGUAGE)
    assert from_json(written).prompting == PROMPTING
    older = re.sub(r',\n "prompting": .*\n}\n$', "\n}\n", to_json(samples.RICH), flags=re.S)
    assert '"prompting"' not in older
    assert from_json(older).prompting is None


def test_sentences() -> None:
    assert [signed(v) for v in (0.0342, -0.0342, 0.0, -0.0001, 1.0)] == ["+.034", "-.034", "+.000", "+.000", "+1.000"]
    gain = replace(PROMPTING, one_more=Score(0.05, 0.01, 0.09))
    assert one_more_sentence(gain) == "One more example at the end of the curve buys +.050 [+.010, +.090] in accuracy."
    assert one_more_sentence(replace(PROMPTING, one_more=None)) == ""
    tuned = prompting_samples.PROMPTING.tuned
    assert tuned is not None
    assert tuned_sentence(replace(tuned, found=True, null=None)).startswith("Found: a soft prompt of 8 free vectors")
    assert "does not show that there is none" in tuned_sentence(tuned)
    assert "impossible" not in tuned_sentence(tuned)
    assert "through the network" not in cost_sentence(prompting_samples.BARE_PROMPTING)


def test_hostile_text_stays_text() -> None:
    section = prompting_section(samples.HOSTILE.prompting, 0.9, STEPS[0])
    assert "<script" not in section
    assert "\x1b" not in section
    assert len(section) < 900_000
    assert isinstance(samples.HOSTILE.prompting.prompts[0], WrittenPrompt)
    assert "\x1b" not in to_text(samples.HOSTILE)
