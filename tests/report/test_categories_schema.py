"""The JSON Schema of compare-categories against real output, and that it can say no."""

from __future__ import annotations

import copy
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from schema_check import closed

import presheaf as ps
from presheaf.models.vectors import VectorModel
from presheaf.report import to_json
from presheaf.tables.task import Task

jsonschema = pytest.importorskip("jsonschema")

SCHEMA = json.loads(files("presheaf.report").joinpath("categories.schema.json").read_text("utf-8"))
DOCS = (Path(__file__).parents[2] / "docs" / "json.md").read_text("utf-8")


def problems(document: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(closed(SCHEMA)).iter_errors(document)]


def documents() -> dict[str, Any]:
    """What is written with labels and without, of rows that change, of rows that are too few, and calibrated."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 60).astype(np.int32)
    x = (np.eye(8)[labels] + 0.05 * rng.standard_normal((180, 8))).astype(np.float32)
    other = x + (0.6 * rng.standard_normal(x.shape)).astype(np.float32)
    other[5] = other[8]

    def task(n: int) -> Task:
        return Task(None, labels[:n] if n == 180 else labels[::9], ("a", "b", "c"), np.arange(1, n + 1))

    def models(*features: Any) -> list[VectorModel]:
        return [VectorModel(f, name=name) for f, name in zip(features, "vw", strict=True)]

    table = Path(__file__).parents[2] / "examples" / "reviews.csv"
    texts = sorted(set(ps.read_task(table, text="review", label="sentiment").texts or ()))[:60]
    plain, changed = ps.load_model("tfidf?dim=20"), ps.load_model("tfidf?dim=10")
    for model in (plain, changed):
        model.fit(texts)
    compared = {
        "changed": ps.compare_categories(*models(x, other), task(180)),
        "calibrated": ps.compare_categories(*models(x, other), task(180), calibrate=True),
        "same": ps.compare_categories(*models(x, 2 * x), task(180)),
        "few": ps.compare_categories(*models(x[::9], other[::9]), task(20), k=3),
        "texts": ps.compare_categories(plain, changed, texts),
    }
    return {name: json.loads(to_json(found)) for name, found in compared.items()}


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    return documents()


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ["changed", "calibrated", "same", "few", "texts"])
def test_real_output_fits_and_holds_nothing_undescribed(written: dict[str, Any], name: str) -> None:
    assert problems(written[name]) == []


def test_the_samples_reach_every_part(written: dict[str, Any]) -> None:
    changed = written["changed"]
    assert changed["tasks"]["tasks"]
    assert any(task["rows"] for task in changed["tasks"]["tasks"])
    assert changed["rungs"]
    assert changed["most_changed"]
    assert changed["relabelled"]["rows"]
    assert written["few"]["tasks"]["missing"]
    assert written["texts"]["tasks"] is None
    assert written["calibrated"]["fitted"] == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "presheaf.categories/2"),
        (("decision",), "splendid"),
        (("objects",), -1),
        (("objects",), "many"),
        (("either", "largest"), "far"),
        (("tasks", "tasks", 0, "level"), "soft"),
        (("tasks", "tasks", 0, "before", "verdict"), "yes"),
        (("tasks", "tasks", 0, "p_adjusted"), 1.5),
        (("rungs", 0, "change"), None),
        (("kept",), None),
    ],
)
def test_a_wrong_value_is_seen(written: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    document = copy.deepcopy(written["changed"])
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    assert problems(document)


def test_a_missing_field_is_seen_but_for_the_one_that_came_later(written: dict[str, Any]) -> None:
    for key in written["changed"]:
        document = {name: value for name, value in written["changed"].items() if name != key}
        assert bool(problems(document)) == (key != "tasks")


def test_the_page_about_the_file_names_the_schema_and_every_field() -> None:
    assert "(../src/presheaf/report/categories.schema.json)" in DOCS
    section = DOCS.split("## A comparison of categories")[1]
    parts = [SCHEMA, *(SCHEMA["$defs"][n] for n in SCHEMA["$defs"] if n not in ("model", "group"))]
    for part in parts:
        for name in part["properties"]:
            assert f"`{name}`" in section, name
