"""The card, the drawing and the data frame."""

from __future__ import annotations

import html
import sys
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import samples

from presheaf.errors import InputError, MissingDependencyError
from presheaf.report import card, plot, to_frame

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", ["rich", "bare", "hostile"])
def test_drawing_is_a_whole_svg_document(name, tmp_path):
    display = plot(samples.ALL[name])
    display.save(tmp_path / "ladder.svg")
    root = ElementTree.parse(tmp_path / "ladder.svg").getroot()
    assert root.tag == f"{SVG}svg"
    assert root.find(f".//{SVG}style") is not None
    assert display._repr_svg_() == display.svg
    assert len(root.findall(f"{SVG}g/{SVG}svg")) == {"bare": 1, "rich": 2, "hostile": 3}[name]


def marks(audit, kind):
    root = ElementTree.fromstring(plot(audit).svg)
    return [mark for mark in root.iter() if mark.get("class") == kind]


def test_marks_of_the_ladder_are_where_their_numbers_are():
    """The axis runs from .3 (x = 172) to 1 (x = 602): six estimates, their places by hand."""
    wanted = [172 + (r.accuracy - 0.3) / 0.7 * 430 for r in samples.LADDER if r.kind == "estimate"]
    assert [float(dot.get("cx")) for dot in marks(samples.RICH, "dot")] == pytest.approx(wanted, abs=0.06)
    assert len(marks(samples.RICH, "null")) == sum(len(r.nulls) for r in samples.LADDER)
    assert len(marks(samples.RICH, "rival")) == 3
    limits = [float(line.get("x1")) for line in marks(samples.RICH, "limit")]
    assert limits == pytest.approx([172 + (a - 0.3) / 0.7 * 430 for a in (0.964, 0.991)], abs=0.06)


def test_target_is_drawn_only_when_there_is_one():
    assert len(marks(samples.RICH, "target")) == 2
    audit = replace(samples.RICH, verdict=replace(samples.RICH.verdict, target=None), forecast=None)
    assert marks(audit, "target") == []
    assert marks(audit, "forecast") == []


@pytest.mark.parametrize(
    "forecast",
    [
        replace(samples.RICH.forecast, k=None, low=None, high=None),
        replace(samples.RICH.forecast, high=None),
        replace(samples.RICH.forecast, low=None),
        replace(samples.RICH.forecast, k=1e12, high=1e15),
        replace(samples.RICH.forecast, k=8.0, reached=True),
        replace(samples.RICH.forecast, k=0.3, low=0.1, high=0.5),
    ],
)
def test_any_forecast_can_be_drawn(forecast):
    audit = replace(samples.RICH, forecast=forecast)
    for shape in ElementTree.fromstring(plot(audit).svg).iter():
        for name in ("x", "x1", "x2", "cx"):
            assert -1 <= float(shape.get(name, 0)) <= 800
        assert float(shape.get("width", "0").rstrip("px") or 0) >= 0


def test_saving_says_what_is_wrong(tmp_path):
    with pytest.raises(InputError, match=r"must end in \.svg; got .*a\.png"):
        plot(samples.RICH).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="does not exist"):
        plot(samples.RICH).save(tmp_path / "no" / "a.svg")


def test_card_is_short_and_escaped():
    shown = card(samples.HOSTILE)
    assert "<script" not in shown
    assert len(shown.encode()) < 60_000
    assert "and 5 findings more" in shown
    assert "Only changing the weights can" in card(samples.RICH)
    assert "stopped after 512" in card(samples.BARE)


def test_frame_has_a_row_a_rung():
    pytest.importorskip("pandas")
    frame = to_frame(samples.RICH)
    assert list(frame["rung"]) == [r.name for r in samples.LADDER]
    assert frame.set_index("rung").loc["head", "null: random features"] == 0.588
    assert frame["accuracy"].dtype == "float64"
    assert to_frame(samples.BARE)["accuracy"].isna().all()
    assert len(to_frame(samples.COMPARISON)) == 24
    assert len(to_frame(samples.NOTHING)) == 0


def test_frame_without_pandas_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "presheaf\[frames\]"'):
        to_frame(samples.RICH)


def test_a_comparison_shows_its_models_and_escapes_their_names() -> None:
    comparison = samples.COMPARISON
    first = replace(comparison.audits[0], model=replace(comparison.audits[0].model, name="<script>x</script>"))
    shown = replace(comparison, audits=(first, *comparison.audits[1:]))._repr_html_()
    assert shown is not None
    assert "<script" not in shown
    assert all(html.escape(a.model.name) in shown for a in comparison.audits[1:])
