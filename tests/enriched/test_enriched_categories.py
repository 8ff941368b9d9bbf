"""compare_categories on planted models: rotations change nothing, planted changes are found, and all faces say the same."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ortho_group

import presheaf as ps
from presheaf.audits.categories import compare_categories
from presheaf.audits.category_parts import both_ways
from presheaf.audits.category_result import CategoryComparison
from presheaf.audits.category_verdict import exit_code
from presheaf.cli.main import main
from presheaf.errors import InputError
from presheaf.models.base import ModelInfo, Role, Trace
from presheaf.models.named import is_installed
from presheaf.models.registry import named_models
from presheaf.models.vectors import VectorModel
from presheaf.report import from_json, to_html, to_json, to_text
from presheaf.tables.task import Task

DIM = 12


class Coded:
    """A model with a feature vector for each text, and a function that says what of a text it sees."""

    takes = "text"
    needs_fit = False
    batch_size = 64

    def __init__(self, name: str, features: dict[str, NDArray[np.float64]], sees: Any = str) -> None:
        self.info = ModelInfo(name, "coded", len(next(iter(features.values()))))
        self.features = {sees(text): vector for text, vector in features.items()}
        self.sees = sees
        # Features are cached under it, by all tests in one folder.
        self.fingerprint = blake2b(np.array(list(self.features.values())).tobytes() + name.encode()).hexdigest()

    def fit(self, objects: Any) -> None:
        pass

    def encode(self, objects: Any, role: Role = "object") -> NDArray[np.float32]:
        return self.encode_exact(objects)[0].astype(np.float32)

    def encode_exact(self, objects: Any) -> tuple[NDArray[np.float64], str]:
        # A text that is no object (a prompt) points where its length says.
        fallback = np.ones(self.info.dim or 0)
        return np.array([self.features.get(self.sees(t), fallback + len(t) % 7) for t in objects]), "float64"

    def inputs(self, objects: Any) -> list[bytes]:
        return [self.sees(text).encode() for text in objects]

    def trace(self, text: str) -> Trace:
        return Trace((self.sees(text),))


def world(n: int = 240, seed: int = 0) -> tuple[list[str], NDArray[np.float64], NDArray[np.int32]]:
    """Texts, features and labels: the sign of the first coordinate."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, DIM))
    x[:, 0] *= 4
    return [f"Object {i}" for i in range(n)], x, (x[:, 0] > 0).astype(np.int32)


def task_of(texts: list[str] | None, labels: NDArray[np.int32]) -> Task:
    return Task(None if texts is None else tuple(texts), labels, ("no", "yes"), np.arange(1, len(labels) + 1))


def coded(name: str, texts: list[str], x: NDArray[np.float64], sees: Any = str) -> Coded:
    return Coded(name, dict(zip(texts, x, strict=True)), sees)


@pytest.fixture(scope="module")
def harmed() -> CategoryComparison:
    """The second model keeps 11 of 12 coordinates, and not the one that decides."""
    texts, x, y = world()
    return compare_categories(coded("whole", texts, x), coded("cut", texts, x[:, 1:]), task_of(texts, y))


def test_rotated_and_scaled_features_are_the_same_category() -> None:
    texts, x, y = world()
    turned = 5 * x @ ortho_group.rvs(DIM, random_state=3)
    first, task = coded("first", texts, x), task_of(texts, y)
    found = compare_categories(first, coded("turned", texts, turned), task)
    assert found.decision == "same"
    assert "No change beyond float noise" in found.verdict
    assert found.kept.neighbours.value == 1
    assert found.noise.same
    assert found.noise.exact is not None
    assert found.noise.exact < 1e-3
    assert found.relabelled is not None
    assert found.relabelled.objects == 0
    assert not found.most_changed
    assert exit_code(found) == 0
    assert {(r.only_before, r.only_after) for r in found.rungs} == {(0, 0)}
    # And a comparison with a third model does not see the rotation either.
    third = coded("third", texts, x + 0.5 * np.random.default_rng(1).standard_normal(x.shape))
    plain, other = (compare_categories(m, third, task) for m in (first, coded("turned", texts, turned)))
    assert plain.decision == other.decision != "same"
    assert other.either.mean.value == pytest.approx(plain.either.mean.value, abs=1e-6)
    assert other.kept.neighbours.value == pytest.approx(plain.kept.neighbours.value, abs=1e-9)
    assert [r.row for r in other.most_changed] == [r.row for r in plain.most_changed]


def test_a_change_that_only_the_choice_of_prompts_makes_is_not_shown() -> None:
    """By hand: McNemar's exact p of n rows lost and none won is 2 / 2^n."""
    first = np.ones(40, dtype=bool)
    lost = np.arange(40) >= 20
    few = np.arange(40) >= 10
    assert both_ways(first, lost, None, None) == pytest.approx(2 / 2**20)
    assert both_ways(first, lost, few, None) == pytest.approx(2 / 2**10)
    assert both_ways(first, few, lost, None) == pytest.approx(2 / 2**10)
    assert both_ways(first, lost, first, None) == 1
    assert both_ways(lost, few, ~first, None) == 1


def test_the_same_prompts_are_scored_under_the_second_model(harmed: CategoryComparison) -> None:
    texts, x, y = world()
    turned = x @ ortho_group.rvs(DIM, random_state=3)
    copy = compare_categories(coded("a", texts, x), coded("b", texts, turned), task_of(texts, y))
    kept = {r.rung: r.same_prompts for r in copy.rungs if r.same_prompts is not None}
    assert set(kept) == {"one prompt per label", "k prompts per label"}
    assert all(same.value == 0 for same in kept.values())
    changed = {r.rung: r for r in harmed.rungs}["k prompts per label"]
    assert changed.same_prompts is not None
    assert changed.same_prompts.high is not None
    assert changed.same_prompts.high < 0
    assert changed.change == "worse"
    # Without the coordinate that decides, either set of prompts is left with chance.
    assert changed.after.value is not None
    assert changed.before.value is not None
    assert changed.before.value + (changed.same_prompts.value or 0) == pytest.approx(0.5, abs=0.15)


def test_a_small_real_change_is_not_taken_for_noise() -> None:
    texts, x, _ = world()
    moved = x + 1e-4 * np.random.default_rng(2).standard_normal(x.shape)
    found = compare_categories(coded("a", texts, x), coded("b", texts, moved), texts)
    assert found.decision == "changed"
    assert found.noise.exact == pytest.approx(found.noise.usual, rel=0.05)
    assert found.kept.neighbours.value is not None
    assert found.kept.neighbours.value > 0.99


def test_a_lost_coordinate_makes_the_task_worse_and_names_rows(harmed: CategoryComparison) -> None:
    texts, _, y = world()
    assert harmed.decision == "worse"
    assert exit_code(harmed) == 1
    head = next(r for r in harmed.rungs if r.rung == "head")
    assert head.change == "worse"
    assert head.before.value is not None
    assert head.before.value > 0.9
    assert head.difference.high is not None
    assert head.difference.high < -0.2
    assert head.only_before > head.only_after
    # Every distance is one less coordinate: neighbours by coordinates that stay are kept more than by chance.
    assert harmed.kept.neighbours.low is not None
    assert harmed.kept.chance == pytest.approx(10 / 239)
    assert harmed.kept.neighbours.low > harmed.kept.chance
    again = harmed.relabelled
    assert again is not None
    assert again.objects > 60
    assert again.lost > again.gained
    for row in again.rows:
        assert row.label_before != row.label_after
        assert row.text == texts[row.row - 1]
        assert row.label == ("no", "yes")[y[row.row - 1]]
        assert row.text_before == texts[row.nearest_before - 1]
    assert sorted(r.kept for r in harmed.most_changed) == [r.kept for r in harmed.most_changed]


def test_unrelated_models_keep_what_chance_keeps() -> None:
    texts, x, y = world()
    other = np.random.default_rng(9).standard_normal(x.shape)
    found = compare_categories(coded("a", texts, x), coded("b", texts, other), task_of(texts, y))
    assert found.kept.neighbours.value == pytest.approx(found.kept.chance, abs=0.02)
    assert found.kept.order.value == pytest.approx(0, abs=0.05)


def test_new_and_lost_merges_are_counted_exactly() -> None:
    texts, x, _ = world(40)
    texts += ["object 3", "OBJECT 3", "object 5"]
    x = np.concatenate([x, np.random.default_rng(1).standard_normal((3, DIM))])
    exact, folded = coded("exact", texts, x), coded("folded", texts, x, str.lower)
    found = compare_categories(exact, folded, texts, k=3)
    inputs = found.merges[0]
    assert inputs.tier == "T0"
    assert {frozenset(g.rows) for g in inputs.new} == {frozenset({4, 41, 42}), frozenset({6, 43})}
    assert not inputs.lost
    back = compare_categories(folded, exact, texts, k=3).merges[0]
    assert {frozenset(g.rows) for g in back.lost} == {frozenset({4, 41, 42}), frozenset({6, 43})}
    assert not back.new


def test_features_that_become_equal_are_merges_whatever_the_inputs() -> None:
    texts, x, _ = world(40)
    merged = x.copy()
    merged[7] = merged[21]
    found = compare_categories(coded("a", texts, x), coded("b", texts, merged), texts, k=3)
    assert [set(g.rows) for g in found.merges[1].new] == [{8, 22}]
    assert not found.merges[1].lost
    assert "merges 1 group of rows" in found.verdict


def test_the_order_of_rows_changes_nothing_but_row_numbers() -> None:
    texts, x, y = world(120)
    other = x + 0.5 * np.random.default_rng(1).standard_normal(x.shape)
    first, second = coded("a", texts, x), coded("b", texts, other)
    order = np.random.default_rng(5).permutation(120)
    shuffled = replace(task_of([texts[i] for i in order], y[order]), rows=order + 1)
    plain, again = (to_json(compare_categories(first, second, t)) for t in (task_of(texts, y), shuffled))
    assert plain == again


def test_repeated_texts_are_one_object_and_empty_directions_are_left_out() -> None:
    texts, x, y = world(60)
    x[3] = 0
    task = task_of([*texts, *texts[:20]], np.concatenate([y, y[:20]]))
    found = compare_categories(coded("a", texts, x), coded("b", texts, x * 2), task)
    assert found.objects == 59
    assert found.left_out == (4, 64)


def test_calibration_is_fitted_on_one_half_and_counted() -> None:
    rng = np.random.default_rng(0)
    # Angles within a narrow cone, and the same cone half as wide.
    flat = rng.uniform(-0.3, 0.3, (100, 2))
    cone = np.hstack([np.tan(flat), np.ones((100, 1))])
    narrow = np.hstack([np.tan(flat / 2), np.ones((100, 1))])
    task = task_of(None, (flat[:, 0] > 0).astype(np.int32))
    models = [VectorModel(f.astype(np.float32), name=n) for f, n in ((cone, "wide"), (narrow, "narrow"))]
    found = compare_categories(models[0], models[1], task, calibrate=True)
    assert found.fitted == 1
    assert found.scale == pytest.approx(0.5, abs=0.03)
    plain = compare_categories(models[0], models[1], task)
    assert plain.scale == 1
    assert found.either.mean.value is not None
    assert plain.either.mean.value is not None
    assert found.either.mean.value < 0.1 * plain.either.mean.value
    assert plain.full.mean.value == pytest.approx(plain.either.mean.value)
    assert plain.kept.words is None
    assert plain.merges[0].missing


def test_all_faces_show_the_numbers_and_json_reads_back(harmed: CategoryComparison) -> None:
    written = to_json(harmed)
    assert to_json(from_json(written)) == written
    document = json.loads(written)
    assert document["schema"] == "presheaf.categories/1"
    assert document["decision"] == "worse"
    assert len(document["rungs"]) == len(harmed.rungs) == 4
    text, page = to_text(harmed), to_html(harmed)
    near = re.compile(rf"{harmed.kept.neighbours.value:.3f}"[1:])
    for face in (text, page, harmed._repr_html_() or ""):
        assert near.search(face)
        assert "worse" in face
    assert len(page.encode()) < 900_000
    assert "<script" not in page
    assert max(map(len, to_text(harmed, width=70).splitlines())) <= 70
    with pytest.raises(InputError, match="categories"):
        from_json(written.replace('"decision": "worse"', '"decision": "splendid"'))


def test_hostile_texts_are_escaped() -> None:
    texts, x, y = world(40)
    texts = [f"<script>alert({i})</script>\x1b[31m" for i in range(40)]
    page = to_html(compare_categories(coded("<b>", texts, x), coded("b", texts, x[:, 1:]), task_of(texts, y)))
    assert "<script" not in page
    assert "<b>" not in page.split("<main>")[1].split("</h1>")[0]


@pytest.mark.parametrize(
    ("objects", "options", "message"),
    [
        ("one text", {}, "sequence of texts"),
        (["a", "b", "c"], {}, "12 distinct objects"),
        (world(20)[0], {"k": 20}, "less than the number"),
        (world(20)[0], {"k": 0}, "1 or more"),
    ],
)
def test_what_cannot_be_compared_is_named(objects: Any, options: dict[str, Any], message: str) -> None:
    texts, x, _ = world()
    with pytest.raises(InputError, match=message):
        compare_categories(coded("a", texts, x), coded("b", texts, x), objects, **options)


def test_the_command_line_gates_on_a_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts, x, y = world(400)
    table = tmp_path / "t.csv"
    table.write_text("text,label\n" + "\n".join(f"{t},{['no', 'yes'][i]}" for t, i in zip(texts, y, strict=True)))
    for name, features in (("whole", x), ("cut", x[:, 1:])):
        np.save(tmp_path / f"{name}.npy", features.astype(np.float32))
    specs = [f"vectors:{tmp_path / name}.npy" for name in ("whole", "cut")]
    models = [part for spec in specs for part in ("--model", spec)]
    base = ["compare-categories", str(table), "--text", "text", "--label", "label", "--quiet"]
    out = tmp_path / "out.json"
    assert main([*base, *models, "--json", str(out), "--report", str(tmp_path / "out.html")]) == 1
    assert "The task gets worse" in capsys.readouterr().out
    assert isinstance(ps.from_json(out.read_text("utf-8")), CategoryComparison)
    assert main([*base, *models[:2], *models[:2]]) == 0
    assert "No change beyond float noise" in capsys.readouterr().out
    assert main([*base, *models[:2]]) == 2
    assert "two models" in capsys.readouterr().err
    assert main(["rows", str(out)]) == 2
    assert "compare-categories" in capsys.readouterr().err


@pytest.mark.slow
def test_real_models_one_runtime_for_another_eight_bits_and_a_layer_less() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("torch")
    if not all(is_installed(m) for m in named_models() if m.name.startswith("minilm")):
        pytest.skip("needs presheaf[onnx,int8,torch]")
    table = Path(__file__).parents[2] / "examples" / "reviews.csv"
    texts = sorted(set(ps.read_task(table, text="review", label="sentiment").texts or ()))[:400]
    whole = ps.load_model("minilm-torch")
    kept = {}
    for name in ("minilm", "minilm-int8", "minilm-torch?layer=5"):
        found = compare_categories(whole, ps.load_model(name), texts)
        kept[name] = found.kept.neighbours.value or 0.0
        # The same weights in another runtime are the same category; rounded or missing ones are not.
        assert (found.decision == "same") == (name == "minilm")
    assert kept["minilm"] == 1
    assert 1 > kept["minilm-int8"] > 0.9 > kept["minilm-torch?layer=5"] > 10 / 399
