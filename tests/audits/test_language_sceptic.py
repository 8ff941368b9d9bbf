"""Audits of language models looked at by a sceptic: what must move what, and numbers that were once wrong."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import presheaf as ps
from presheaf.audits.answers import AnswerModel
from presheaf.audits.climb import Climb
from presheaf.audits.context import canonical_order, split
from presheaf.audits.prompting import PromptingOptions, prompting_rungs
from presheaf.audits.prompting_result import Prompting
from presheaf.audits.prompts import UserPrompts
from presheaf.audits.result import Rung
from presheaf.audits.rungs import fine_tune, tuned_prompt
from presheaf.errors import InputError, ModelError
from presheaf.models.cache import FeatureCache
from presheaf.models.lm.completions import CompletionsModel
from presheaf.models.lm.ngram import NGramModel
from presheaf.statistics.intervals import accuracy_interval
from presheaf.tables.task import Task

sys.path.insert(0, str(Path(__file__).parents[1] / "language"))
sys.path.insert(0, str(Path(__file__).parents[1] / "models" / "lm"))
from completion_server import CompletionServer
from prompting_worlds import CueModel


def cues(n: int = 160, seed: int = 0) -> Task:
    """Rows of six cues, of which a share is wrong."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    shares = ([0.2, 0.6, 0.2], [0.6, 0.2, 0.2])
    texts = [f"row {i} " + "".join(rng.choice(["+", "-", "o"], p=shares[c], size=6)) for i, c in enumerate(y)]
    return of(texts, y, ("bad", "good"))


def of(texts: Any, labels: Any, classes: Any) -> Task:
    y = np.asarray(labels, dtype=np.int32)
    return Task(tuple(texts), y, tuple(classes), np.arange(1, len(y) + 1), text_column="note", label_column="mood")


def prompted(model: Any, task: Task, folder: Path, **changes: Any) -> tuple[Any, Prompting]:
    order, hashes = canonical_order(task, 0)
    task = task.take(order)
    options = replace(PromptingOptions(rows=400, cache=folder, shots=(0,)), **changes)
    climbs, found = prompting_rungs(model, task, split(task, hashes, []), options)
    return climbs, replace(found, seconds=0.0)


def audit(model: Any, task: Task, folder: Path, **options: Any) -> ps.Audit:
    settings = {"why": False, "baseline": False, "shots": (0,), **options}
    return ps.audit(model, task, cache=FeatureCache(folder), **settings)


# What must not move, and what must


def test_the_order_of_rows_changes_nothing_but_the_time(tmp_path):
    task = cues()
    shuffled = task.take(np.random.default_rng(1).permutation(len(task)))
    (one, first), (other, second) = (
        prompted(CueModel(0.5), t, tmp_path / name, shots=(0, 1, 2), rows=40)
        for t, name in ((task, "a"), (shuffled, "b"))
    )
    assert first == second
    for name in one:
        np.testing.assert_array_equal(one[name].correct, other[name].correct)


def test_the_order_of_classes_changes_no_raw_number(tmp_path):
    task = cues()
    turned = replace(task, labels=(1 - task.labels).astype(np.int32), classes=task.classes[::-1])
    (_, first), (_, second) = (prompted(CueModel(0.5), t, tmp_path / name) for t, name in ((task, "a"), (turned, "b")))
    raw = [sorted((dict(p.words)["good"], p.raw.accuracy) for p in found.prompts) for found in (first, second)]
    assert raw[0] == raw[1]
    assert first.spread == second.spread


def test_copies_of_every_row_change_no_accuracy_and_narrow_no_interval(tmp_path):
    task = cues()
    double = task.take(np.repeat(np.arange(len(task)), 2))
    double = replace(double, rows=np.arange(1, len(double) + 1))
    (_, first), (_, second) = (prompted(CueModel(0.5), t, tmp_path / name) for t, name in ((task, "a"), (double, "b")))
    for p, q in zip(first.prompts, second.prompts, strict=True):
        assert (p.template, p.words, p.raw.accuracy, p.choosing) == (q.template, q.words, q.raw.accuracy, q.choosing)
        assert q.raw.high - q.raw.low == pytest.approx(p.raw.high - p.raw.low, rel=0.03)


def test_one_more_template_adds_its_own_lines_only(tmp_path):
    task = cues()
    _, first = prompted(CueModel(0.5), task, tmp_path / "a")
    user = UserPrompts(language=("My own: {text} =>{label}",))
    _, second = prompted(CueModel(0.5), task, tmp_path / "a", user=user)
    kept = [replace(p, chosen=False) for p in second.prompts if p.origin == "grammar"]
    assert kept == [replace(p, chosen=False) for p in first.prompts]
    assert second.tried == first.tried + len({p.words for p in first.prompts})


def test_the_name_of_a_column_matters_as_far_as_the_model_hears_it(tmp_path):
    task = cues()
    other = replace(task, text_column="remark", label_column="tone")
    deaf, hears = (prompted(CueModel(0.5), t, tmp_path)[1] for t in (task, other))
    assert sorted(p.raw.accuracy for p in deaf.prompts) == sorted(p.raw.accuracy for p in hears.prompts)
    assert {p.template for p in deaf.prompts} != {p.template for p in hears.prompts}
    best = [prompted(CueModel(0.5, hears="The mood is"), t, tmp_path)[1].spread[2] for t in (task, other)]
    # The one hears its name and counts the cues; to the other every prompt is silence and the leaning decides.
    assert best[0] > 0.8
    assert best[1] < 0.65


# Numbers that were once wrong


def test_a_head_on_answers_finds_a_threshold_far_from_even(tmp_path):
    """By hand: more than three cues is good, and the answers' difference grows with the cues, whatever it leans to."""
    cue = np.random.default_rng(0).integers(1, 7, 200)
    task = of([f"row {i} " + "+" * int(k) for i, k in enumerate(cue)], cue > 3, ("bad", "good"))
    for leaning in (0.0, 10.0):
        found = audit(CueModel(leaning), task, tmp_path / str(leaning))
        assert found.rung("head").accuracy == 1.0


def test_answers_have_the_dimension_they_state(tmp_path):
    task = cues(20)
    model = AnswerModel(CueModel(), task, PromptingOptions(cache=tmp_path))
    features = model.encode(list(task.texts or ()))
    assert features.shape == (20, model.info.dim)
    assert np.all(np.linalg.norm(features, axis=1) > 0)


def test_more_rows_to_try_than_are_scored_by_default(tmp_path, monkeypatch):
    monkeypatch.setattr("presheaf.audits.prompting_trial.MOST_SCORED", 20)
    climbs, found = prompted(CueModel(), cues(), tmp_path, rows=60)
    assert climbs["written prompt"].rung.rows == 60 == found.scoring_rows
    assert "scored on 60 of 80" in found.missing


def test_rows_that_features_merge_and_prompts_tell_apart_are_not_proved_wrong(tmp_path):
    """Features keep the beginning of a text past the window, a prompt its end, where these rows differ."""
    from small_lm import llama, save_causal

    from presheaf.models.lm.causal import CausalLM

    pytest.importorskip("transformers")
    save_causal(tmp_path / "lm", llama(max_position_embeddings=128))
    model = CausalLM(str(tmp_path / "lm"), window=24)
    heads = [" ".join([f"the cat sat on {i} mat"] * 6) for i in range(30)]
    task = of([head + end * 6 for head in heads for end in (" bad", " good")], [0, 1] * 30, ("bad", "good"))
    assert len(set(model.inputs(task.texts[:2]))) == 1
    found = audit(model, task, tmp_path / "cache", tune=False, target=0.9)
    ceiling, written = found.rung("input ceiling"), found.rung("written prompt")
    assert (written.accuracy or 0) <= (ceiling.accuracy or 0)
    assert ceiling.evidence["rows_proved_wrong"] == 0
    assert found.verdict.kind != "proof"


def test_an_endpoint_that_can_not_score_a_texts_first_token_is_audited(tmp_path):
    lm = NGramModel.train(["row 1 ++o- good", "row 2 --o bad", "Answer: good"] * 5, 3, "byte")
    with CompletionServer(lm) as server:
        climbs, found = prompted(CompletionsModel(server.url, "any", key_env=None), cues(24), tmp_path, rows=4)
    assert climbs["written prompt"].rung.accuracy is not None
    assert found.tried == 40


def test_a_language_model_needs_texts():
    lm = NGramModel.train(["good bad"], 2)
    with pytest.raises(InputError, match="name the text column"):
        ps.audit(lm, replace(cues(20), objects=None))


@pytest.mark.parametrize("said", [[np.nan, 0.0], [0.0]])
def test_a_model_that_gives_no_numbers_is_refused_and_nothing_is_kept(tmp_path, said):
    class Broken(CueModel):
        def score(self, questions, on_scored=None):
            for i, _ in enumerate(questions):
                on_scored(i, np.array(said))
            return []

    with pytest.raises(ModelError, match="cues answered a question with numbers of shape"):
        prompted(Broken(), cues(), tmp_path)
    assert not list(tmp_path.rglob("*.bin"))


def test_a_class_may_be_called_like_a_placeholder(tmp_path):
    task = of([f"row {i} {{label}}" for i in range(24)], [0, 1] * 12, ("{label}", "{text}"))
    model = NGramModel.train(list(task.texts or ()), 2)
    _, found = prompted(model, task, tmp_path)
    assert any("{label} or {text}?" in p.template for p in found.prompts)
    _, found = prompted(model, replace(task, text_column="{label}", label_column="{text}"), tmp_path)
    assert found.tried


def test_a_network_that_fails_in_padded_batches_has_no_tuned_prompt_instead_of_a_number(tmp_path):
    """Bloom in double precision gives nan for rows padded on the left; whole rows are scored all the same."""
    from small_lm import bloom, save_causal

    from presheaf.language.label_scores import LabelScores
    from presheaf.language.templates import parse_template
    from presheaf.models.lm.causal import CausalLM

    pytest.importorskip("transformers")
    save_causal(tmp_path / "lm", bloom())
    model = CausalLM(str(tmp_path / "lm"), dtype="float64")
    scores = LabelScores(model, parse_template("{text} {label}"), ("bad", "good"))
    with pytest.raises(ModelError, match="no number for 1 rows"):
        scores.all(["the cat sat on the mat", "the cat"])
    found = audit(model, cues(60), tmp_path / "cache")
    assert found.rung("written prompt").accuracy is not None
    assert found.rung(tuned_prompt.NAME).accuracy is None


def rung_of(name: str, hits: int, rows: int = 120) -> Climb:
    interval = accuracy_interval(np.arange(rows) < hits)
    numbers = (interval.value, interval.low, interval.high, rows)
    return Climb(Rung(name, "estimate", *numbers, "", evidence={"effective_rows": float(rows)}))


def test_the_luckiest_of_many_rungs_is_no_reason_for_a_forecast():
    """.600 of 120 rows beats .500 if it was looked at alone (from .510 on); not as the best of twelve. .750 does."""
    rest = {f"rung {i}": rung_of(f"rung {i}", 58) for i in range(10)}
    for hits, alone, among in ((72, True, False), (90, True, True)):
        own = {"majority class": rung_of("majority class", 60), "head": rung_of("head", hits)}
        assert (fine_tune.climb(own, {}, []).rung.accuracy is not None) == alone
        assert (fine_tune.climb({**own, **rest}, {}, []).rung.accuracy is not None) == among
