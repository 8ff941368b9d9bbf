"""Whole audits of worlds whose answer is known beforehand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from worlds import (
    DIM,
    Planted,
    case_decides,
    contradictions,
    exclusive_or,
    of_texts,
    of_vectors,
    random_labels,
    ring,
    task_of,
    two_prompts,
)

import presheaf as ps
from presheaf.audits.prompts import check_prompts
from presheaf.audits.result import Audit
from presheaf.audits.verdict import exit_code
from presheaf.errors import InputError
from presheaf.models.base import Model, Role
from presheaf.models.contract import check_model_source
from presheaf.tables import Task


def run(world: tuple[Model, Task], target: float | None = None, seed: int = 0) -> Audit:
    return ps.audit(*world, target=target, seed=seed, baseline=False)


def check(audit: Audit) -> None:
    """What holds of every audit."""
    for rung in audit.ladder:
        if rung.accuracy is None:
            assert rung.missing
        else:
            assert rung.low is not None
            assert rung.high is not None
            assert 0 <= rung.low <= rung.accuracy <= rung.high <= 1
    forecast, frozen = audit.rung("fine-tune forecast"), ("one prompt per label", "k prompts per label", "head")
    if forecast.accuracy is not None:
        assert forecast.kind == "estimate"
        assert all(forecast.accuracy >= (audit.rung(name).accuracy or 0) for name in frozen)
    assert all(r.rungs >= r.wrong_rungs > 0 and 0 <= r.confidence <= 1 for r in audit.rows)
    assert all(1 <= r.row <= audit.task["rows"] for r in audit.rows)
    if audit.forecast is not None and audit.forecast.k is not None:
        assert (audit.forecast.low or 0) <= audit.forecast.k <= (audit.forecast.high or np.inf)
    assert ps.to_json(ps.from_json(ps.to_json(audit))) == ps.to_json(audit)
    assert sum(p.chosen for p in audit.prompts) == bool(audit.prompts)


def status(audit: Audit) -> dict[str, str]:
    return {finding.code: finding.status for finding in audit.findings}


def test_the_planted_model_keeps_the_contract() -> None:
    model, _ = case_decides()
    other = Planted(model.features, DIM, str.lower, name="other")
    check_model_source(model, ["point 1", "Point 1", "point 2", "anything"], other=other)


def test_one_prompt_solves_it() -> None:
    audit = run(two_prompts(), 0.95)
    check(audit)
    assert (audit.verdict.decision, audit.verdict.reached, exit_code(audit.verdict)) == ("prompt", True, 0)
    best = next(p for p in audit.prompts if p.chosen)
    assert dict(best.prompts) == {"north": "north", "south": "south"}
    rung = audit.rung("one prompt per label")
    assert rung.accuracy == 1.0
    assert rung.nulls["permuted labels"] == pytest.approx(0.5, abs=0.1)
    assert rung.evidence["tried"] >= 16
    assert status(audit)["PR01"] == "found"
    assert status(audit)["PR03"] == status(audit)["FT03"] == "not found"
    assert (audit.rung("majority class").accuracy or 0) == pytest.approx(0.5, abs=0.03)
    assert run(two_prompts()).verdict.decision == "prompt"


def test_the_users_own_prompts_are_tried() -> None:
    model, task = two_prompts()
    mine = Planted(
        {("up" if t == "north" else "down" if t == "south" else t): v for t, v in model.features.items()}, DIM
    )
    without = ps.audit(mine, task, baseline=False)
    user = check_prompts([], {"north": ["sideways", "up"], "south": ["crooked", "down"]}, task.classes)
    audit = ps.audit(mine, task, prompts=user, baseline=False)
    assert (without.rung("one prompt per label").accuracy or 0) < 0.9
    assert audit.rung("one prompt per label").accuracy == 1.0
    assert dict(next(p for p in audit.prompts if p.chosen).prompts) == {"north": "up", "south": "down"}


def test_far_clusters_need_several_prompts() -> None:
    audit = run(ring(), 0.95)
    check(audit)
    one, many = audit.rung("one prompt per label"), audit.rung("k prompts per label")
    assert (one.accuracy or 1) < 0.72
    assert (audit.rung("soft prompt").accuracy or 1) < 0.72
    assert (many.accuracy or 0) > 0.95
    assert audit.verdict.decision == "ensemble"
    assert status(audit)["PR01"] == "not found"
    assert status(audit)["PR02"] == status(audit)["PR03"] == "found"
    # k draws miss a given one of three clusters with chance (2/3)^k, below .05 from k = 8 on.
    assert audit.forecast is not None
    assert audit.forecast.reached
    assert audit.forecast.k is not None
    assert 4 <= audit.forecast.k <= 16
    first = {(p.type, p.k): p for p in audit.curve}
    assert first["max", 1].accuracy == first["mean", 1].accuracy < 0.72
    assert first["max", 16].accuracy > 0.95
    assert first["mean", 16].accuracy < 0.72


def test_exclusive_or_is_beyond_every_soft_prompt_but_not_beyond_a_head() -> None:
    audit = run(exclusive_or())
    check(audit)
    soft, head = audit.rung("soft prompt"), audit.rung("head")
    assert (soft.high or 1) < (head.low or 0)
    assert (head.accuracy or 0) > 0.97
    assert (soft.accuracy or 1) < 0.8
    assert audit.verdict.decision in ("ensemble", "head")


@pytest.mark.parametrize("seed", range(4))
def test_random_labels_are_found_to_be_beyond_everything(seed: int) -> None:
    world = random_labels(seed=seed)
    audit = run(world, seed=seed)
    check(audit)
    assert audit.verdict.decision in ("change the model", "cannot say")
    assert "Nothing" in audit.verdict.sentence
    for name in ("one prompt per label", "k prompts per label", "soft prompt", "head"):
        rung = audit.rung(name)
        assert rung.low is not None
        assert rung.low < 0.55
    wanted = run(world, 0.8, seed=seed)
    assert wanted.verdict.reached is not True
    assert exit_code(wanted.verdict) == 1
    assert {code for code, s in status(wanted).items() if s == "found" and code != "PR03"} == set()


def test_a_model_that_merges_what_decides_is_proved_unfit() -> None:
    audit = run(case_decides(), 0.9)
    check(audit)
    assert (audit.verdict.decision, audit.verdict.kind, audit.verdict.reached) == ("change the model", "proof", False)
    assert exit_code(audit.verdict) == 1
    found = audit.finding("IN01")
    assert (found.status, found.kind, found.severity) == ("found", "proof", "error")
    assert found.evidence["causes"] == ["case"]
    assert len(found.rows) == 400
    assert (len(found.groups), found.groups_left_out) == (200, 0)
    assert found.groups[0].texts == ("point 0", "Point 0")
    assert "cased" in found.remedy
    ceiling = audit.rung("input ceiling")
    assert ceiling.kind == "proof"
    assert ceiling.evidence["rows_proved_wrong"] == 200
    assert ceiling.accuracy == 0.5
    assert status(audit)["FT03"] == "found"
    assert status(audit)["LB01"] == "not found"
    assert audit.rung("label ceiling").accuracy == 1.0
    for name in ("one prompt per label", "k prompts per label", "soft prompt", "head"):
        assert audit.rung(name).accuracy == 0.5  # both of a pair are on one side and exactly one of them is right
    assert all(r.cause == "merged at the input" for r in audit.rows)


def test_contradictory_rows_are_the_tables_fault() -> None:
    audit = run(contradictions(share=0.5), 0.9)
    check(audit)
    assert (audit.verdict.decision, audit.verdict.kind) == ("relabel", "proof")
    assert exit_code(audit.verdict) == 1
    found = audit.finding("LB01")
    assert (found.status, len(found.rows), found.evidence["texts"]) == ("found", 400, 200)
    assert found.groups[0].rows[1] - found.groups[0].rows[0] == 400
    assert status(audit)["IN01"] == "not found"
    assert audit.rung("label ceiling").evidence["rows_proved_wrong"] == 200
    assert audit.rung("input ceiling").evidence["rows_proved_wrong"] == 200
    assert any(r.cause == "contradictory labels" for r in audit.rows)


def test_a_ceiling_is_told_even_when_it_does_not_bind() -> None:
    audit = run(contradictions(share=0.05), 0.7)
    assert audit.verdict.decision == "prompt"
    assert "20 rows are proved wrong" in audit.verdict.sentence
    assert status(audit)["FT03"] == "not found"


def test_twelve_rows_can_not_say() -> None:
    for target in (None, 0.9):
        audit = run(two_prompts(12), target)
        check(audit)
        assert audit.verdict.decision == "cannot say"
        assert audit.finding("ST01").severity == "error"
        assert audit.verdict.reached is None
        assert exit_code(audit.verdict) == (0 if target is None else 1)


def test_copies_of_twelve_rows_still_can_not_say() -> None:
    model, task = two_prompts(12)
    audit = ps.audit(model, task_of(list(task.texts or ()) * 20, task.label_names * 20), baseline=False)
    assert audit.verdict.decision == "cannot say"
    assert audit.finding("ST01").status == "found"


def test_a_target_inside_the_interval_is_not_decided_for_or_against() -> None:
    model, task = two_prompts(noise=0.15)
    best = run((model, task)).rung("one prompt per label")
    assert best.accuracy is not None
    assert best.high is not None
    audit = run((model, task), (best.accuracy + best.high) / 2)
    assert status(audit)["PR01"] == status(audit)["PR03"] == "cannot say"
    assert audit.verdict.kind == "estimate"
    assert audit.verdict.decision in ("cannot say", "fine-tune")
    assert exit_code(audit.verdict) == (0 if audit.verdict.reached else 1)


@pytest.mark.parametrize("target", [0, -0.1, 1.01, 90, float("nan"), float("inf")])
def test_a_target_that_is_no_accuracy_is_refused(target: float) -> None:
    with pytest.raises(InputError, match="target") as caught:
        run(two_prompts(40), target)
    assert ("Did you mean 0.9?" in str(caught.value)) == (target == 90)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_that_is_none_is_refused(seed: int) -> None:
    with pytest.raises(InputError, match="seed"):
        run(two_prompts(40), None, seed)


def test_texts_are_asked_for_where_the_model_reads_them() -> None:
    model, _ = two_prompts(40)
    _, task = exclusive_or(40)
    with pytest.raises(InputError, match="--text"):
        ps.audit(model, task, baseline=False)
    short, _ = exclusive_or(30)
    with pytest.raises(InputError, match="rows 1 to 30"):
        ps.audit(short, task, baseline=False)


def test_a_single_row_is_refused() -> None:
    with pytest.raises(InputError, match="at least two rows"):
        run(two_prompts(1))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_almost_no_rows(n: int) -> None:
    for world in (two_prompts(n), of_vectors(np.arange(n * 2.0).reshape(n, 2), np.arange(n) % 2)):
        audit = run(world, 0.9)
        check(audit)
        assert audit.verdict.decision == "cannot say"


def test_all_rows_equal() -> None:
    rng = np.random.default_rng(0)
    vectors = run(of_vectors(np.ones((200, 8)), rng.integers(0, 2, 200)))
    check(vectors)
    assert vectors.verdict.decision != "head"
    texts = Planted({}, DIM), task_of(["the same"] * 200, ["a", "b"] * 100)
    audit = run(texts, 0.9)
    check(audit)
    assert audit.rung("label ceiling").evidence["rows_proved_wrong"] == 100
    assert audit.verdict.decision in ("cannot say", "relabel")
    assert audit.finding("LB01").status == "found"


def test_all_features_zero() -> None:
    audit = run(of_texts(np.zeros((200, 4)), np.arange(200) % 2))
    check(audit)
    assert audit.finding("FE01").status == "found"
    assert (audit.rung("head").low or 0) <= 0.5


def test_one_class() -> None:
    audit = run(of_vectors(np.random.default_rng(0).standard_normal((100, 4)), ["only"] * 100))
    check(audit)
    assert audit.verdict.decision == "cannot say"
    assert "one class" in audit.verdict.sentence


def test_one_dimension() -> None:
    x = np.random.default_rng(0).standard_normal((300, 1))
    audit = run(of_vectors(x, x[:, 0] > 0), 0.95)
    check(audit)
    assert audit.verdict.reached  # a cosine in one dimension is the sign


def test_one_huge_group() -> None:
    model, task = two_prompts(300)
    huge = task_of([*(task.texts or ()), *["point 0"] * 200], [*task.label_names, *[task.label_names[0]] * 200])
    audit = ps.audit(model, huge, baseline=False)
    check(audit)
    assert audit.verdict.decision == "prompt"
    assert audit.rung("head").evidence["effective_rows"] < 250


def test_a_thousand_classes_of_three_rows() -> None:
    rng = np.random.default_rng(0)
    centre = rng.standard_normal((1000, 64))
    label = np.repeat(np.arange(1000), 3)
    audit = run(of_vectors(centre[label] + 0.1 * rng.standard_normal((3000, 64)), [f"c{i:04}" for i in label]), 0.9)
    check(audit)
    assert audit.finding("ST01").status == "found"
    assert "One prompt per label" not in audit.verdict.sentence or audit.rung("one prompt per label").accuracy
    assert (audit.rung("head").accuracy or 0) > 0.5


def rare_class(n: int = 500, seed: int = 0) -> tuple[Planted, Task]:
    """Features that know nothing of the labels, of which nine in ten are the same."""
    rng = np.random.default_rng(seed)
    return of_texts(rng.standard_normal((n, DIM)), np.where(np.arange(n) % 10, "usual", "rare"))


@pytest.mark.parametrize("seed", range(3))
def test_pure_noise_gets_no_forecast_and_no_target_above_it(seed: int) -> None:
    audit = run(random_labels(seed=seed), 0.62, seed)
    check(audit)
    forecast = audit.rung("fine-tune forecast")
    assert forecast.accuracy is None
    assert "most common class" in forecast.missing
    assert audit.verdict.decision in ("change the model", "cannot say")
    assert exit_code(audit.verdict) == 1
    assert "no number" not in audit.verdict.sentence


def test_a_target_that_a_constant_answer_reaches_is_called_so() -> None:
    audit = run(rare_class(), 0.85)
    check(audit)
    majority = audit.rung("majority class")
    assert majority.accuracy == pytest.approx(0.9, abs=0.01)
    assert "so does always answering the most common class" in audit.verdict.sentence
    assert "is not shown to beat" in audit.verdict.sentence
    easy = run(two_prompts(), 0.4)
    assert "so does always answering the most common class" in easy.verdict.sentence
    assert "is not shown to beat" not in easy.verdict.sentence
    assert audit.rung("fine-tune forecast").accuracy is None


def test_a_rung_that_only_touches_the_target_is_not_called_shown_and_the_one_that_is_gets_named() -> None:
    # The cheapest rung is right on the target; k prompts and a head are far above it.
    model, task = two_prompts(noise=0.05)
    sure = run((model, task))
    one = sure.rung("one prompt per label").accuracy
    assert one is not None
    audit = ps.audit(model, task, target=one, baseline=False)
    assert audit.verdict.decision == "prompt"
    assert "is shown to reach" not in audit.verdict.sentence.split(".")[0]
    assert "too few to show it for new ones" in audit.verdict.sentence


def test_what_is_counted_on_the_rows_outweighs_an_interval_that_reaches_up_to_the_target() -> None:
    # A perfect prompt misses one row of each of 21 contradictory pairs: one of the halves holds fewer of them.
    lucky = 0
    for seed in range(8):
        world = contradictions(share=21 / 400, seed=seed)
        counted = 1 - 21 / 421
        rung = run(world).rung("one prompt per label")
        assert rung.accuracy is not None
        if rung.accuracy > counted + 1e-9:
            lucky += 1
            verdict = run(world, (counted + rung.accuracy) / 2).verdict
            assert (verdict.decision, verdict.reached, verdict.kind) == ("relabel", False, "proof")
    assert lucky, "no seed put the question"


def test_weights_that_nobody_can_change_get_no_forecast() -> None:
    audit = run(ring(), 0.99)
    assert audit.rung("fine-tune forecast").missing == "this model's weights can't be changed"
    assert "ine-tuning is forecast" not in audit.verdict.sentence


class Silent(Planted):
    """Does not say its dimension, like an endpoint that was not asked because every answer is in the cache."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        said, self.info = self.info, replace(self.info, dim=DIM)
        features = super().encode(objects, role)
        self.info = said
        return features


def test_the_dimension_is_that_of_the_features() -> None:
    model, task = two_prompts(100)
    silent = Silent(model.features, DIM)
    silent.info = replace(silent.info, dim=None)
    assert run((silent, task)).model.dim == DIM


def test_names_and_tables_in_the_place_of_models_and_tasks_are_told_what_to_pass() -> None:
    model, task = two_prompts(60)
    wrong: list[tuple[object, object, dict[str, object], str]] = [
        ("minilm", task, {}, "ps.load_model('minilm')"),
        (model, [("a text", "label")], {}, "ps.read_task"),
        (model, task, {"target": "high"}, "'target'"),
        (model, task, {"target": True}, "'target'"),
        (model, task, {"seed": "x"}, "'seed'"),
    ]
    for first, second, more, words in wrong:
        with pytest.raises(InputError, match=re.escape(words)):
            ps.audit(first, second, **more)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"ps\.load_model"):
        ps.compare(["minilm", "tfidf"], task)  # type: ignore[list-item]


def test_the_repr_of_an_audit_is_a_line_and_not_all_its_rows() -> None:
    audit = run(two_prompts(60))
    assert repr(audit) == f"Audit('planted' on 'table': {audit.verdict.sentence})"
    assert len(repr(audit.plot())) < 100


def test_the_forecast_of_a_model_that_merges_stays_below_its_ceiling_whatever_the_baseline_reads() -> None:
    """Half of the rows are cut before the word that decides; counting words reads it. Ceiling 1/2 on those."""
    rng = np.random.default_rng(0)
    openings = [f"opening {i} of the letter" for i in range(100)]
    texts = [f"{o} {end}" for o in openings for end in ("gladly yes", "sadly no")]
    labels = ["yes", "no"] * 100
    model = Planted({t: rng.standard_normal(DIM) for t in openings}, DIM, lambda t: " ".join(t.split()[:5]))
    audit = ps.audit(model, task_of(texts, labels), target=0.9)
    baseline = next(r for r in audit.baseline if r.name == "soft prompt")
    assert baseline.accuracy == 1.0
    ceiling, forecast = audit.rung("input ceiling"), audit.rung("fine-tune forecast")
    assert ceiling.accuracy == 0.5
    assert forecast.accuracy is None or (forecast.accuracy <= 0.6 and (forecast.high or 0) <= 0.65)
    assert (audit.verdict.decision, audit.verdict.kind) == ("change the model", "proof")


def test_a_merging_model_that_reads_half_of_the_rows_is_forecast_no_further_than_its_ceiling() -> None:
    """200 rows are one input to the model in pairs labelled apart, 200 more it tells apart: at most 3/4 are right."""
    rng = np.random.default_rng(1)
    openings = [f"opening {i} of the letter" for i in range(100)]
    cut = [f"{o} {end}" for o in openings for end in ("gladly yes", "sadly no")]
    short = [f"{word} letter number {i}" for i in range(100) for word in ("yes", "no")]
    far = {t: (np.eye(DIM)[0] * (8 if t.startswith("yes") else -8) + rng.standard_normal(DIM)) for t in short}
    planted = {**far, **{o: rng.standard_normal(DIM) for o in openings}}
    model = Planted(planted, DIM, lambda t: " ".join(t.split()[:5]) if t.startswith("opening") else t)
    audit = ps.audit(model, task_of([*cut, *short], ["yes", "no"] * 200))
    ceiling, forecast = audit.rung("input ceiling"), audit.rung("fine-tune forecast")
    assert ceiling.accuracy == pytest.approx(0.75)
    own = max(
        audit.rung(n).accuracy or 0 for n in ("one prompt per label", "k prompts per label", "soft prompt", "head")
    )
    assert forecast.accuracy == pytest.approx(max(own, 0.75), abs=1e-9)


@pytest.mark.parametrize("cone", [0.0, 3.0, 30.0])
def test_near_is_measured_by_the_models_own_distances(cone: float) -> None:
    """Adding one vector to all features draws every pair together and makes no pair special."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((300, 40))
    x[1::2][:10] = x[::2][:10] + 0.02 * rng.standard_normal((10, 40))  # ten pairs that are near, labelled apart
    labels = np.arange(300) % 2
    along = rng.standard_normal(40)
    audit = run(of_vectors((x + cone * along).astype(np.float32), labels))
    found = next(f for f in audit.findings if f.code == "FE02")
    assert found.evidence["pairs"] == 10
    assert sorted(found.rows) == list(range(1, 21))
    features = x + cone * along
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[~np.eye(300, dtype=bool)]
    assert found.evidence["threshold"] == pytest.approx(0.02 * np.mean(1 - cosines), rel=1e-3)
