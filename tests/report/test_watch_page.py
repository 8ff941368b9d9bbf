"""The faces of a watched run: text at any width, a page for any screen, JSON that its schema describes, a card."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from schema_check import closed

from presheaf.audits.watch_result import Measure, Moment, MomentRung, RungChange, Watch
from presheaf.report import from_json, to_dict, to_html, to_json, to_text

jsonschema = pytest.importorskip("jsonschema")

SCHEMA = json.loads(files("presheaf.report").joinpath("watch.schema.json").read_text("utf-8"))
RUNGS = ("majority class", "one prompt per label", "k prompts per label", "soft prompt", "head")


def around(value: float) -> Measure:
    return Measure(value, value - 0.03, value + 0.03)


def rungs(shift: float) -> tuple[MomentRung, ...]:
    return tuple(
        MomentRung(name, "estimate", around(0.5 + i / 12 + shift), 0.4, tuple(range(1, 9)), tuple(range(1, 12)))
        for i, name in enumerate(RUNGS)
    )


def moment(step: int) -> Moment:
    part = min(step, 200) / 200
    return Moment(step, None if step == 0 else 4.0 - part, around(0.95 - part / 10), 0.0, 0.4, 0.4, 0.97, around(0.04),
                  around(part / 2), Measure(12.3, 11.0, 14.0), 64, rungs(part / 20), rungs(0.0) if step == 0 else ())  # fmt: skip


WATCH = Watch(
    verdict="simclr on <b>digits</b>, 200 steps: the category forms.",
    pretext={
        "name": "simclr", "temperature": "0.2", "encoder": "conv", "objects": "views of images", "hom": "pi(x, y)",
        "quantale": "probability", "orientation": "symmetric", "kernel": "gaussian(tau=0.4)", "source": "Chen et al. 2020",
    },
    data={"name": "<b>digits</b>", "source": "UCI", "licence": "CC BY 4.0", "training_objects": 1190, "held_out_objects": 607},
    table={"name": "images", "rows": 607, "classes": {"0": 300, "1": 307}},
    moments=tuple(moment(step) for step in range(0, 201, 20)),
    changes=(RungChange("one prompt per label", 0.6, 0.8, around(0.2), 0.0001), RungChange("head", 0.9, 0.9, around(0.0), 1.0)),
    model="trained:runs/simclr/model",
    settings={"steps": 200, "keep": None, "learning_rate": 0.001},
)  # fmt: skip
NONE = Measure(None, None, None, "the model puts all objects at one point")
BARE = replace(
    WATCH, table={}, changes=(), interrupted=True,
    moments=(Moment(0, None, NONE, None, None, None, None, NONE, NONE, NONE, 64),),
)  # fmt: skip
LONG = replace(WATCH, moments=tuple(moment(step) for step in range(0, 4000, 20)))
ALL = {"ten checkpoints": WATCH, "bare": BARE, "two hundred": LONG}


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_every_head_and_number_of_the_text_is_whole(width: int) -> None:
    lines = to_text(WATCH, width=width).splitlines()
    assert max(map(len, lines)) <= width
    start = next(i for i, line in enumerate(lines) if line.startswith("Checkpoints"))
    table = lines[start + 1 : start + 14]
    assert not any("…" in line for line in table)
    heads = table[0].replace("k prompts", "k_prompts").split()
    assert {"step", "ideality", "shuffled", "prompt", "soft", "head"} <= set(heads)
    assert len(heads) == 12 or width < 100
    assert table[-1].split()[:3] == ["without", "a", "model"]
    head = round(0.5 + 4 / 12, 3)
    assert table[1].endswith(f"{head:.3f}".removeprefix("0"))
    assert table[-1].endswith(f"{head:.3f}".removeprefix("0"))
    assert any(line.rstrip().endswith("p < .001") for line in lines)


def test_long_runs_show_first_and_last() -> None:
    text = to_text(LONG, width=100)
    assert "176 checkpoints more in the JSON" in text
    assert re.search(r"^ +0 ", text, re.M)
    assert re.search(r"^ 3,980 ", text, re.M)


@pytest.mark.parametrize("name", ALL)
def test_json_fits_its_schema_and_is_read_back(name: str) -> None:
    assert problems(json.loads(to_json(ALL[name]))) == []
    assert to_json(from_json(to_json(ALL[name]))) == to_json(ALL[name])


def problems(document: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(closed(SCHEMA)).iter_errors(document)]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "presheaf.watch/2"),
        (("verdict",), None),
        (("pretext", "temperature"), 0.2),
        (("data", "training_objects"), -1),
        (("moments",), []),
        (("moments", 0, "step"), 0.5),
        (("moments", 0, "loss"), "low"),
        (("moments", 0, "rungs", 0, "name"), "headless"),
        (("moments", 0, "rungs", 0, "accuracy", "value"), 1.5),
        (("moments", 0, "rungs", 0, "rows", 0), 0),
        (("moments", 0, "ideality", "low"), "far"),
        (("changes", 0, "p_adjusted"), 2),
        (("interrupted",), 1),
    ],
)
def test_a_wrong_value_is_seen(path: tuple[Any, ...], value: Any) -> None:
    document = at = copy.deepcopy(to_dict(WATCH))
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    assert problems(document)


def test_a_missing_field_is_seen() -> None:
    whole = to_dict(WATCH)
    for key in whole:
        assert problems({name: value for name, value in whole.items() if name != key}), key
    for key in whole["moments"][0]:
        first = {name: value for name, value in whole["moments"][0].items() if name != key}
        assert problems({**whole, "moments": [first]}), key


def test_the_page_about_the_file_names_the_schema_and_every_field() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    assert "(../src/presheaf/report/watch.schema.json)" in docs
    section = docs.split("## A watched run")[1]
    for part in (SCHEMA, *SCHEMA["$defs"].values()):
        for name in part["properties"]:
            assert f"`{name}`" in section, name


@pytest.mark.parametrize("name", ALL)
def test_the_page_escapes_names_and_asks_for_nothing(name: str) -> None:
    html = to_html(ALL[name])
    assert "<b>digits</b>" not in html
    assert "<script" not in html
    assert not re.search(r"(src|href)=\"(?!#|data:)", html)
    assert len(html.encode()) < 900_000
    assert ("Stopped early" in html) == ALL[name].interrupted
    assert ("<svg" in html) == (len(ALL[name].moments) > 1)


def test_the_page_shows_options_settings_and_the_numbers_without_a_model() -> None:
    html = to_html(WATCH)
    for said in (
        "simclr, temperature",
        "learning rate",
        "without a model",
        ".833 [.803, .863]",
        "trained:runs/simclr/model",
    ):
        assert said in html, said


def test_the_card_is_a_fragment_of_its_own() -> None:
    card = WATCH._repr_html_()
    assert card is not None
    assert card.startswith('<div class="presheaf card">')
    assert "<svg" in card
    assert "one prompt per label" in card
    assert "<b>digits</b>" not in card
    assert re.findall(r'id="(?!watch-card)', card) == []


NARROWEST_LETTERS = """
() => Math.min(...[...document.querySelectorAll('svg.chart text')].map(text => {
  const svg = text.ownerSVGElement;
  return parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
}))
"""
OUT_OF_THE_DRAWING = """
() => [...document.querySelectorAll('svg.chart text')].filter(text => {
  const box = text.getBBox(), all = text.ownerSVGElement.viewBox.baseVal;
  return box.x < 0 || box.y < 0 || box.x + box.width > all.width || box.y + box.height > all.height;
}).map(text => text.textContent)
"""


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ALL)
def test_no_wider_than_the_screen_and_labels_to_be_read(browser: Any, tmp_path: Any, name: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    (tmp_path / "run.html").write_text(to_html(ALL[name]), encoding="utf-8")
    page.goto((tmp_path / "run.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if page.locator("svg.chart").count():
        assert page.evaluate(NARROWEST_LETTERS) >= 9
        assert page.evaluate(OUT_OF_THE_DRAWING) == []
    if width == 400 and name == "ten checkpoints":
        row = page.locator("tbody th", has_text="20").first
        assert row.evaluate("e => getComputedStyle(e, '::before').content").startswith('"step')
    page.close()
