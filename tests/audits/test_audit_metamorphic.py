"""What must not move an audit, and what a comparison must not do to its members."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray
from worlds import DIM, Planted, of_texts, of_vectors, task_of, two_prompts

import presheaf as ps
from presheaf.audits.findings import bl01
from presheaf.audits.findings.base import Evidence
from presheaf.audits.merges import Merges
from presheaf.audits.options import Options
from presheaf.audits.result import Audit
from presheaf.audits.run import run as run_all
from presheaf.errors import InputError
from presheaf.models.base import Model
from presheaf.models.vectors import VectorModel
from presheaf.statistics.intervals import wilson
from presheaf.tables import Task

RUNGS = ("majority class", "one prompt per label", "k prompts per label", "soft prompt", "head", "fine-tune forecast")


def blobs(n: int = 400, classes: int = 3, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Overlapping Gaussian classes as unit rows; a linear head gets most of them right."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    x = 0.4 * rng.standard_normal((n, 8)) + np.eye(8)[y]
    return x / np.linalg.norm(x, axis=1, keepdims=True), y


def run(world: tuple[Model, Task], target: float | None = 0.9) -> Audit:
    return ps.audit(*world, target=target, baseline=False)


def numbers(audit: Audit) -> dict[str, float]:
    return {name: audit.rung(name).accuracy or 0.0 for name in RUNGS}


def close(one: Audit, other: Audit, tolerance: float) -> None:
    assert one.verdict.decision == other.verdict.decision
    assert one.verdict.reached == other.verdict.reached
    assert numbers(other) == pytest.approx(numbers(one), abs=tolerance)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_changes_not_a_byte(seed: int) -> None:
    model, task = two_prompts(300, noise=0.1)
    shuffled = task.take(np.random.default_rng(seed).permutation(len(task)))
    one = ps.audit(model, task, target=0.9)
    other = ps.audit(model, shuffled, target=0.9)
    assert one == other
    assert ps.to_json(one) == ps.to_json(other)
    assert one.baseline


def test_the_order_of_rows_changes_nothing_without_texts() -> None:
    x, y = blobs()
    model, task = of_vectors(x, y)
    assert run((model, task)) == run((model, task.take(np.arange(len(task))[::-1])))


def test_the_same_call_gives_the_same_answer_and_another_seed_another_split() -> None:
    model, task = two_prompts(300, noise=0.1)
    one = run((model, task), 0.75)
    assert run((model, task), 0.75) == one
    other = ps.audit(model, task, target=0.75, seed=1, baseline=False)
    assert other.verdict.decision == one.verdict.decision
    assert numbers(other) != numbers(one)


def test_renaming_the_classes_in_order_changes_no_number() -> None:
    x, y = blobs()
    one = run(of_vectors(x, np.array(["a", "b", "c"])[y]))
    other = run(of_vectors(x, np.array(["q", "r", "s"])[y]))
    assert [replace(r, detail="") for r in one.ladder] == [replace(r, detail="") for r in other.ladder]
    assert one.curve == other.curve
    assert one.forecast == other.forecast


def test_renaming_the_classes_out_of_order_leaves_the_verdict() -> None:
    x, y = blobs(900)
    close(run(of_vectors(x, np.array(["a", "b", "c"])[y])), run(of_vectors(x, np.array(["c", "a", "b"])[y])), 0.04)


def test_rotating_the_features_leaves_the_verdict() -> None:
    x, y = blobs(900)
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((8, 8)))[0]
    one, other = run(of_vectors(x, y)), run(of_vectors(x @ turn, y))
    for name in ("one prompt per label", "k prompts per label", "soft prompt", "head"):  # all go by angles only
        assert other.rung(name).accuracy == pytest.approx(one.rung(name).accuracy, abs=0.005)


def test_scaling_the_rows_changes_next_to_nothing() -> None:
    x, y = blobs(900)
    length = np.random.default_rng(4).uniform(0.1, 50, (900, 1))
    close(run(of_vectors(x, y)), run(of_vectors(x * length, y)), 0.01)


@pytest.mark.parametrize("constant", [0.0, 0.7])
def test_a_constant_feature_leaves_the_verdict(constant: float) -> None:
    x, y = blobs(900)
    close(run(of_vectors(x, y)), run(of_vectors(np.hstack([x, np.full((900, 1), constant)]), y)), 0.02)


def test_copying_every_row_decides_nothing_and_sharpens_nothing() -> None:
    model, task = two_prompts(240, noise=0.15)
    for target in (None, 0.8):
        one = ps.audit(model, task, target=target)
        copied = task_of(list(task.texts or ()) * 3, task.label_names * 3)
        other = ps.audit(model, copied, target=target)
        assert other.verdict.decision == one.verdict.decision
        for name in ("one prompt per label", "k prompts per label", "soft prompt", "head"):
            a, b = one.rung(name), other.rung(name)
            assert a.low is not None
            assert a.high is not None
            assert b.low is not None
            assert b.high is not None
            width = np.sqrt(max((b.accuracy or 0) * (1 - (b.accuracy or 0)), 0.01))
            before = np.sqrt(max((a.accuracy or 0) * (1 - (a.accuracy or 0)), 0.01))
            assert (b.high - b.low) / width > 0.9 * (a.high - a.low) / before
        assert b.rows == 3 * a.rows
        for point in other.curve:
            low, high = wilson(point.accuracy * 120, 120)  # 120 different rows were scored
            assert point.high - point.low > 0.99 * (high - low)


@pytest.mark.parametrize("copies", [1, 5])
def test_copies_do_not_sharpen_the_comparison_with_counting_words(copies: int) -> None:
    """10 rows only the baseline gets right against 3 only the model does: p = .09 by McNemar, however often copied."""
    mine = np.repeat(np.arange(60) < 43, copies)
    plain = np.repeat((np.arange(60) < 40) | (np.arange(60) >= 50), copies)
    model, task = two_prompts(120)
    task = task_of(list(task.texts or ()) * copies, task.label_names * copies)
    outcome = run_all([model], task, Options(baseline=False))[0]
    groups = np.repeat(np.arange(60), copies)
    context = replace(outcome.context, halves=replace(outcome.context.halves, scoring=np.arange(60 * copies)))
    context.__dict__["groups_scoring"] = groups
    head = outcome.climbs["head"]
    climbs, baseline = {"head": replace(head, correct=mine)}, {"head": replace(head, correct=plain)}
    found = bl01.CHECK.run(Evidence(context, Merges(context), climbs, baseline, (), None, None))
    assert found.severity == "warning"
    assert "can't be told apart" in found.message
    assert found.evidence["p"] == pytest.approx(2 * sum(comb(13, i) for i in range(4)) / 2**13)
    assert found.evidence["low"] < 0 < found.evidence["high"]


def test_copies_never_sit_on_both_sides() -> None:
    """A memoriser of copies would get everything right; the labels are noise."""
    rng = np.random.default_rng(0)
    model, task = of_texts(rng.standard_normal((150, DIM)), rng.integers(0, 2, 150))
    texts = [*(task.texts or ()), *(t.upper() for t in task.texts or ()), *(f" {t}  " for t in task.texts or ())]
    copies = Planted(model.features, DIM, lambda t: t.strip().lower())
    audit = run((copies, task_of(texts, task.label_names * 3)))
    assert (audit.rung("head").accuracy or 1) < 0.65


def test_a_model_more_changes_no_other_models_numbers() -> None:
    x, y = blobs(300)
    rng = np.random.default_rng(5)
    models = [
        VectorModel(m.astype(np.float32), name=name)
        for name, m in (
            ("good", x),
            ("worse", x + 0.4 * rng.standard_normal(x.shape)),
            ("noise", rng.standard_normal(x.shape)),
        )
    ]
    task = task_of(None, y)
    two, three = ps.compare(models[:2], task), ps.compare(models, task)
    alone = {m.info.name: ps.audit(m, task) for m in models}
    for comparison in (two, three):
        for audit in comparison.audits:
            assert audit == alone[audit.model.name]
    assert [a.model.name for a in three.audits] == ["good", "worse", "noise"]
    assert three.groups[-1] == ("noise",)
    pair = {(d.a, d.b): d for d in three.differences}
    d = pair["good", "noise"]
    assert d.accuracy > 0
    assert d.low > 0
    assert d.p <= d.p_adjusted < 0.001
    assert d.accuracy == pytest.approx((d.only_a - d.only_b) / two.audits[0].settings["scoring_rows"])


def test_a_model_that_can_not_take_the_table_is_the_one_that_is_blamed() -> None:
    x, y = blobs(120)
    good, other, short = (
        VectorModel(m.astype(np.float32), name=n) for m, n in ((x, "good"), (x[::-1], "other"), (x[:50], "short"))
    )
    task = task_of(None, y)
    comparison = ps.compare([good, other, short], task)
    assert {a.model.name for a in comparison.audits} == {"good", "other"}
    assert [name for name, _ in comparison.failed] == ["short"]
    with pytest.raises(InputError, match="named twice"):
        ps.compare([good, good], task)
    with pytest.raises(InputError, match="at least two"):
        ps.compare([good], task)
    with pytest.raises(InputError, match="rows 1 to 50"):
        ps.compare([short, VectorModel(x[:40].astype(np.float32), name="shorter")], task)


def test_equal_models_can_not_be_told_apart() -> None:
    x, y = blobs(300)
    twins = [VectorModel(x.astype(np.float32), name=n) for n in ("one", "two")]
    comparison = ps.compare(twins, task_of(None, y))
    assert comparison.groups == (("one", "two"),)
    assert (comparison.differences[0].accuracy, comparison.differences[0].p) == (0.0, 1.0)
    assert "can't be told apart" in comparison.verdict
