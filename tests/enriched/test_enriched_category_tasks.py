"""Tasks whose representability changes between two models: planted worlds, brute force, and nothing where nothing changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import presheaf as ps
from presheaf.audits.categories import compare_categories
from presheaf.audits.category_result import CategoryComparison, TaskChange, TaskChanges
from presheaf.audits.category_tasks import task_changes
from presheaf.audits.context import Context, Halves
from presheaf.models.features import encode_all, unit
from presheaf.models.named import is_installed
from presheaf.models.registry import named_models
from presheaf.models.vectors import VectorModel
from presheaf.report import from_json, to_html, to_json, to_text
from presheaf.tables.task import Task

EACH = 150
DIM = 24
NAMES = ("one", "three", "two")


def clusters(noise: float = 0.03, each: int = EACH) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Three tight clusters at right angles, one a label: within a cluster rows are near, others unrelated."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), each).astype(np.int32)
    x = np.eye(DIM)[labels] + noise * rng.standard_normal((len(labels), DIM))
    return x, labels


def mixed(x: NDArray[np.float64], labels: NDArray[np.int32], seed: int = 1) -> tuple[NDArray[np.float64], set[int]]:
    """Features of labels 1 and 2 dealt out at random, and the rows whose cluster is no longer their label's."""
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(labels > 0)
    source = np.arange(len(x))
    source[rows] = rng.permutation(rows)
    return x[source], set((np.flatnonzero(labels[source] != labels) + 1).tolist())


def task_of(labels: NDArray[np.int32]) -> Task:
    return Task(None, labels, NAMES, np.arange(1, len(labels) + 1))


def vectors(x: NDArray[np.floating[Any]], name: str) -> VectorModel:
    return VectorModel(x.astype(np.float32), name=name)


def context(x: NDArray[np.float64], labels: NDArray[np.int32]) -> Context:
    """Even rows choose, odd rows score."""
    rows = np.arange(len(x))
    halves = Halves(rows[::2], rows[1::2], rows)
    return Context(vectors(x, "m"), task_of(labels), unit(x.astype(np.float32)), halves, None, None, 0)


def named(tasks: TaskChanges, label: str, level: str) -> TaskChange:
    (found,) = (task for task in tasks.tasks if (task.label, task.level) == (label, level))
    return found


@pytest.fixture(scope="module")
def planted() -> tuple[CategoryComparison, set[int]]:
    x, labels = clusters()
    other, moved = mixed(x, labels)
    return compare_categories(vectors(x, "whole"), vectors(other, "mixed"), task_of(labels)), moved


def test_the_labels_that_were_mixed_are_named_and_the_other_is_not(
    planted: tuple[CategoryComparison, set[int]],
) -> None:
    found = planted[0].tasks
    assert found is not None
    whole = named(found, "", "decision")
    assert whole.before.verdict == "representable"
    assert whole.after.verdict != "representable"
    assert whole.change == "worse"
    assert whole.before.fits.value == 1
    # The other two labels are dealt out over their two clusters: a third of all rows is wrong.
    assert whole.after.fits.value == pytest.approx(2 / 3, abs=0.07)
    for name in ("three", "two"):
        label = named(found, name, "value")
        assert (label.before.verdict, label.after.verdict) == ("representable", "not within the candidates")
        assert label.verdict_changed
    still = named(found, "one", "value")
    assert still.before.verdict == still.after.verdict == "representable"
    assert not still.verdict_changed
    assert still.change == "not shown"
    assert not still.rows
    assert {task.label for task in found.changed} == {"", "three", "two"}
    assert "Representability changes: the whole task (decision), representable ->" in planted[0].verdict


def test_the_rows_named_are_those_that_were_moved(planted: tuple[CategoryComparison, set[int]]) -> None:
    result, moved = planted
    assert result.tasks is not None
    whole = named(result.tasks, "", "decision")
    held = result.settings["scoring_rows"]
    assert whole.only_before == round(held * (1 - (whole.after.fits.value or 0)))
    assert whole.only_after == 0
    assert len(whole.rows) + whole.rows_left_out == whole.only_before
    for row in whole.rows:
        assert row.label in ("two", "three")
        assert row.before < 0 <= row.after
    for name in ("two", "three"):
        label = named(result.tasks, name, "value")
        # Off is who left the prompt's cluster or came to it: those that moved, or those that stayed if the prompt moved too.
        for row in label.rows:
            assert (row.row in moved) != (label.after.prompts[0] in moved)
            assert row.before <= 0.25 * (result.tasks.scale_before or 0)
            assert row.after > 0.25 * (result.tasks.scale_after or 0)


def test_numbers_by_brute_force() -> None:
    x, labels = clusters(noise=0.35)
    other = x + 0.6 * np.random.default_rng(3).standard_normal(x.shape)
    found = task_changes(context(x, labels), context(other, labels), None)
    assert (found.choosing, found.scoring) == (225, 225)
    whole = named(found, "", "decision")
    hits = []
    for features, side in ((x, whole.before), (other, whole.after)):
        points = unit(features.astype(np.float32)).astype(np.float64)
        prompts = np.array(side.prompts) - 1
        assert all(p % 2 == 0 for p in prompts), "prompts come from the choosing rows"
        angles = np.arccos(np.clip(points[1::2] @ points[prompts].T, -1, 1))
        hits.append(angles.argmin(axis=1) == labels[1::2])
        assert side.fits.value == pytest.approx(hits[-1].mean())
    assert whole.only_before == int((hits[0] & ~hits[1]).sum())
    assert whole.only_after == int((hits[1] & ~hits[0]).sum())
    assert whole.difference.value == pytest.approx(hits[1].mean() - hits[0].mean())
    points = unit(x.astype(np.float32)).astype(np.float64)
    value = named(found, "two", "value")
    assert found.scale_before is not None
    angle = np.arccos(np.clip(points[1::2] @ points[value.before.prompts[0] - 1], -1, 1))
    task = np.where(labels[1::2] == NAMES.index("two"), 0.0, found.scale_before)
    assert value.before.fits.value == pytest.approx(np.mean(np.abs(angle - task) <= 0.25 * found.scale_before))


def test_all_verdicts_and_tests_share_one_level() -> None:
    x, labels = clusters()
    found = task_changes(context(x, labels), context(mixed(x, labels)[0], labels), None)
    assert len(found.tasks) == 1 + 3 * 3
    # Nothing of 225 rows is off: the one-sided bound at .05 / (2 x 10) is 1 - .0025^(1/225).
    assert named(found, "", "decision").before.fits.low == pytest.approx(0.0025 ** (1 / 225), abs=1e-9)
    for task in found.tasks:
        assert task.p <= task.p_adjusted <= 10 * task.p + 1e-12
        assert (task.change != "not shown") == (task.p_adjusted <= 0.05)


def test_the_target_says_when_prompts_decide() -> None:
    x, labels = clusters()
    other, _ = mixed(x, labels)
    sides = context(x, labels), context(other, labels)
    low, high = (task_changes(*sides, target) for target in (0.5, 1.0))
    assert [low.wrong, high.wrong] == pytest.approx([0.5, 0.001])
    assert named(low, "", "decision").after.verdict == "representable"
    assert named(high, "", "decision").before.verdict == "cannot say"
    # The levels of Theorem 1 know no target.
    assert low.outside == high.outside == 0.05


def test_rotated_features_change_no_task() -> None:
    x, labels = clusters(noise=0.5)
    turned = x @ np.linalg.qr(np.random.default_rng(2).standard_normal((DIM, DIM)))[0]
    found = task_changes(context(x, labels), context(turned, labels), None)
    assert not found.changed
    for task in found.tasks:
        assert task.before.verdict == task.after.verdict
        assert task.before.prompts == task.after.prompts
        assert (task.only_before, task.only_after, task.p) == (0, 0, 1.0)


def test_rows_that_are_read_equally_well_raise_few_alarms() -> None:
    x, labels = clusters(0.3, each=60)
    alarms = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        sides = []
        for _ in range(2):
            # The choosing rows, and so the prompts, are the same; each held-out row is read twice with noise of one size.
            read = x + 0.3 * rng.standard_normal(x.shape)
            read[::2] = x[::2]
            sides.append(context(read, labels))
        found = task_changes(sides[0], sides[1], None)
        alarms += any(task.verdict_changed or task.change != "not shown" for task in found.tasks)
    # Each of 20 draws gives an alarm with at most 5 %: four or more with less than 2 %.
    assert alarms <= 3


def test_too_few_rows_say_why_and_texts_alone_have_no_task() -> None:
    x, labels = clusters()
    few = np.r_[0:10, EACH : EACH + 10]
    found = compare_categories(
        vectors(x[few], "a"), vectors(x[few, ::-1], "b"), Task(None, labels[few], NAMES, np.arange(1, 21))
    )
    assert found.tasks is not None
    assert not found.tasks.tasks
    assert "fewer than 20 different rows" in found.tasks.missing
    assert "fewer than 20" in to_text(found)
    assert "ewer than 20" in to_html(found)
    assert to_json(from_json(to_json(found))) == to_json(found)


def test_all_faces_name_the_tasks_and_rows(planted: tuple[CategoryComparison, set[int]]) -> None:
    result = planted[0]
    assert result.tasks is not None
    written = to_json(result)
    assert to_json(from_json(written)) == written
    row = result.tasks.changed[0].rows[0].row
    text, page, card = to_text(result), to_html(result), result._repr_html_() or ""
    for face in (text, page):
        assert "the whole task (decision)" in face
        assert "representable → not within the candidates" in face
        assert str(row) in face
    changed = len(result.tasks.changed)
    assert f"{changed} verdicts changed" in card
    older = written.replace('"tasks"', '"tasks_of_a_later_version"')
    assert from_json(older).tasks is None  # type: ignore[union-attr]


@pytest.mark.slow
def test_real_weights_in_eight_bits_with_layers_dropped_and_turned() -> None:
    for name in ("onnxruntime", "torch"):
        pytest.importorskip(name)
    if not all(is_installed(m) for m in named_models() if m.name in ("minilm", "minilm-int8", "minilm-torch")):
        pytest.skip("needs presheaf[onnx,int8,torch]")
    table = Path(__file__).parents[2] / "examples" / "reviews.csv"
    whole = ps.load_model("minilm")
    task = ps.read_task(table, text="review", label="sentiment")
    found = {
        name: compare_categories(whole, ps.load_model(name), task) for name in ("minilm-int8", "minilm-torch?layer=3")
    }
    for result in found.values():
        assert result.decision != "same"
        assert result.relabelled is not None
        assert result.tasks is not None
        # Rows are named: their neighbours did change, and the text is the row's.
        assert result.most_changed[0].kept < 1
        assert result.relabelled.rows
        assert task.texts is not None
        assert all(task.texts[row.row - 1] == row.text for row in (*result.most_changed, *result.relabelled.rows))
        assert [(t.label, t.level) for t in result.tasks.tasks] == [
            ("", "decision"), *((name, level) for name in task.classes for level in ("value", "calibrated"))
        ]  # fmt: skip
        for t in result.tasks.tasks:
            assert len(t.rows) + t.rows_left_out in (0, t.only_before + t.only_after)
    bits, layers = found["minilm-int8"], found["minilm-torch?layer=3"]
    assert bits.kept.neighbours.low > 0.95 > 0.5 > layers.kept.neighbours.high  # type: ignore[operator]
    assert layers.kept.neighbours.low > 10 * layers.kept.chance  # type: ignore[operator]
    assert {r.change for r in bits.rungs} == {"not shown"}
    # Half of the layers gone: what the task's rungs reach is shown to change.
    assert {r.change for r in layers.rungs} != {"not shown"}
    assert bits.relabelled is not None
    assert layers.relabelled is not None
    assert layers.relabelled.objects > 3 * bits.relabelled.objects > 0

    x = encode_all(whole, list(task.texts or ()))
    turned = x @ np.linalg.qr(np.random.default_rng(0).standard_normal((x.shape[1], x.shape[1])))[0]
    again = compare_categories(vectors(x, "minilm"), vectors(turned, "turned"), task)
    assert again.decision == "same"
    assert not again.most_changed
    assert again.kept.neighbours.value == 1
    assert again.tasks is not None
    for t in again.tasks.tasks:
        assert (t.only_before, t.only_after, t.verdict_changed) == (0, 0, False)
        assert t.before == t.after
    for r in again.rungs:
        assert r.change == "not shown"
        # An iterative fit stops elsewhere in its last digits, so rows on its border may move; prompts don't.
        most = 0 if r.rung in ("one prompt per label", "k prompts per label") else 5
        assert r.only_before + r.only_after <= most
