"""Prompting as rungs on a language model that is known exactly: chosen on some rows, scored on others."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from presheaf.audits.context import Halves, canonical_order, split
from presheaf.audits.prompting import PromptingOptions, prompting_rungs, zero_shot_questions
from presheaf.audits.prompting_trial import Trial
from presheaf.audits.prompts import UserPrompts, check_prompts, read_prompts, word_sets
from presheaf.audits.rungs import few_shot, written_prompt
from presheaf.errors import InputError
from presheaf.tables.task import Task

sys.path.insert(0, str(Path(__file__).parents[1] / "language"))
from prompting_worlds import CueModel


def cues(n=240, seed=0, noise=0.2, classes=("bad", "good")) -> tuple[Task, Halves]:
    """Rows of six cues, of which a share is wrong."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    shares = ([noise, 0.8 - noise, 0.2], [0.8 - noise, noise, 0.2])
    texts = [f"row {i} " + "".join(rng.choice(["+", "-", "o"], p=shares[c], size=6)) for i, c in enumerate(y)]
    task = Task(tuple(texts), y.astype(np.int32), classes, np.arange(1, n + 1), text_column="note", label_column="mood")
    order, hashes = canonical_order(task, 0)
    task = task.take(order)
    return task, split(task, hashes, [])


def options(tmp_path, **changes) -> PromptingOptions:
    return replace(PromptingOptions(rows=60, cache=tmp_path, shots=(0, 1, 2, 4)), **changes)


def test_the_prompt_that_the_model_hears_is_chosen_and_scored_on_the_whole_scoring_half(tmp_path):
    task, halves = cues()
    model = CueModel(hears="The mood is")
    climbs, found = prompting_rungs(model, task, halves, options(tmp_path))
    climb = climbs["written prompt"]
    chosen = found.prompts[0]
    assert chosen.chosen
    assert "The mood is" in chosen.template.replace("{label}", "")
    assert [p.chosen for p in found.prompts].count(True) == 1
    # By hand: the model answers with the sign of the cues, ties with the first class.
    sign = np.array([t.count("+") - t.count("-") for t in task.texts])[halves.scoring]
    if chosen.calibrate == "none":
        np.testing.assert_array_equal(climb.predicted, (sign > 0).astype(int))
    assert climb.positions is None
    assert len(climb.correct) == len(halves.scoring) == climb.rung.rows
    assert climb.rung.accuracy == pytest.approx(climb.correct.mean())
    assert climb.rung.low < climb.rung.accuracy < climb.rung.high
    np.testing.assert_array_equal(climb.correct, climb.predicted == task.labels[halves.scoring])
    np.testing.assert_array_equal(climb.predicted, climb.scores.argmax(axis=1))


def test_the_number_tried_is_templates_times_words(tmp_path):
    task, halves = cues()
    _, found = prompting_rungs(CueModel(), task, halves, options(tmp_path, shots=(0,)))
    pairs = {(p.template, p.words) for p in found.prompts}
    assert found.tried == len(found.prompts) == len(pairs) == 40
    assert [p.choosing for p in found.prompts] == sorted((p.choosing for p in found.prompts), reverse=True)


def test_nothing_of_the_choice_depends_on_the_labels_of_the_scoring_half(tmp_path):
    task, halves = cues()
    labels = task.labels.copy()
    labels[halves.scoring] = 1 - labels[halves.scoring]
    first, one = prompting_rungs(CueModel(leaning=2.0), task, halves, options(tmp_path))
    second, other = prompting_rungs(CueModel(leaning=2.0), replace(task, labels=labels), halves, options(tmp_path))
    assert [(p.template, p.words, p.choosing, p.calibrate) for p in one.prompts] == [
        (p.template, p.words, p.choosing, p.calibrate) for p in other.prompts
    ]
    assert one.copy == other.copy
    for name in first:
        np.testing.assert_array_equal(first[name].predicted, second[name].predicted)
        np.testing.assert_array_equal(first[name].correct, ~second[name].correct)


def test_a_leaning_model_is_reported_raw_and_calibrated(tmp_path):
    task, halves = cues()
    _, found = prompting_rungs(CueModel(leaning=20.0), task, halves, options(tmp_path, shots=(0,)))
    majority = max(np.mean(task.labels[halves.scoring[:60]] == c) for c in (0, 1))
    chosen = found.prompts[0]
    assert chosen.raw.accuracy <= majority
    assert chosen.contextual.accuracy > 0.7
    assert chosen.calibrated.accuracy > 0.7
    assert chosen.calibrate != "none"
    assert found.spread[2] < found.spread_calibrated[1]


def test_a_deaf_model_gains_nothing_and_its_null_says_so(tmp_path):
    task, halves = cues(n=400)
    climbs, found = prompting_rungs(CueModel(hears="never in a prompt"), task, halves, options(tmp_path, rows=150))
    rung = climbs["written prompt"].rung
    assert rung.low < 0.56
    assert abs(rung.nulls["permuted labels"] - 0.5) < 0.08
    assert abs(found.one_more.accuracy) < 0.05
    assert found.one_more.low <= 0 <= found.one_more.high


def test_more_rows_than_are_scored_are_said_and_placed(tmp_path, monkeypatch):
    task, halves = cues()
    monkeypatch.setattr("presheaf.audits.prompting_trial.MOST_SCORED", 80)
    climbs, _ = prompting_rungs(CueModel(), task, halves, options(tmp_path))
    for climb in climbs.values():
        np.testing.assert_array_equal(climb.positions, np.arange(80))
        assert len(climb.correct) == climb.rung.rows == 80


def test_examples_come_from_rows_that_nothing_is_judged_on(tmp_path):
    for n in (240, 60):  # with and without rows to spare
        task, halves = cues(n=n)
        trial = Trial(CueModel(), task, halves, options(tmp_path, rows=60))
        shots = few_shot.curve(trial, written_prompt.candidates(trial)[0])
        assert not isinstance(shots, str)
        judged = {task.texts[i] for i in shots.choosing}
        scoring = {task.texts[i] for i in halves.scoring}
        for k, draws in zip(shots.sizes, shots.tried, strict=True):
            for candidate in draws:
                shown = [text for text, _ in candidate.examples]
                assert len(shown) == k
                assert not judged & set(shown)
                assert not scoring & set(shown)
                labels = dict(zip(task.texts, task.label_names, strict=True))
                assert [labels[text].lower() for text in shown] == [word.lower() for _, word in candidate.examples]
                words = [word for _, word in candidate.examples]
                assert k < 2 or abs(words.count(candidate.words[0]) - words.count(candidate.words[1])) <= 1


def test_one_more_example_is_worth_the_slope_between_the_last_two_points(tmp_path):
    task, halves = cues()
    climbs, found = prompting_rungs(CueModel(leaning=1.0), task, halves, options(tmp_path))
    assert [point.shots for point in found.shots] == [0, 1, 2, 4]
    last, before = found.shots[-1], found.shots[-2]
    assert found.one_more.accuracy == pytest.approx((last.accuracy - before.accuracy) / 2)
    assert found.one_more.low < found.one_more.accuracy < found.one_more.high
    for point in found.shots:
        assert point.low <= point.worst <= point.accuracy <= point.best <= point.high or point.shots == 0
    assert climbs["few-shot prompt"].rung.evidence["tried"] == 12


def test_the_prompt_to_copy_is_what_the_model_was_asked(tmp_path):
    task, halves = cues()
    model = CueModel()
    _, found = prompting_rungs(model, task, halves, options(tmp_path, shots=(0,)))
    chosen = found.prompts[0].template.removesuffix("{label}").rstrip(" ")
    assert found.copy == chosen


def test_without_examples_asked_for_the_rung_says_why(tmp_path):
    task, halves = cues()
    climbs, found = prompting_rungs(CueModel(), task, halves, options(tmp_path, shots=(0,)))
    assert climbs["few-shot prompt"].rung.accuracy is None
    assert "no number of examples was asked for" in climbs["few-shot prompt"].rung.missing
    assert found.shots == ()
    assert found.one_more is None


def test_prompts_past_the_window_are_counted_and_left_out_where_most_do_not_fit(tmp_path):
    class Narrow(CueModel):
        def lost(self, question):
            return max(0, question.prompt.count("row") - 9)

    task, halves = cues()
    _, found = prompting_rungs(Narrow(), task, halves, options(tmp_path, shots=(1, 8, 12, 64)))
    assert [point.shots for point in found.shots] == [0, 1, 8]
    assert "12-shot: 240 of 240 prompts do not fit the window, so they were not tried" in found.missing
    assert "64-shot: 512 rows to choose by are needed" in found.missing


def test_ctrl_c_at_the_examples_keeps_what_there_is_and_the_next_run_goes_on(tmp_path):
    task, halves = cues()
    model = CueModel()
    whole = CueModel()
    prompting_rungs(whole, task, halves, options(tmp_path / "other"))
    zero = CueModel()
    prompting_rungs(zero, task, halves, options(tmp_path / "third", shots=(0,)))
    model.stop_after = zero.asked + 100
    climbs, found = prompting_rungs(model, task, halves, options(tmp_path))
    assert climbs["written prompt"].rung.accuracy is not None
    assert "stopped" in found.missing
    again = CueModel()
    _, complete = prompting_rungs(again, task, halves, options(tmp_path))
    assert again.asked == whole.asked - zero.asked - 100
    assert [point.shots for point in complete.shots] == [0, 1, 2, 4]


def test_ctrl_c_before_anything_is_known_is_passed_on(tmp_path):
    task, halves = cues()
    model = CueModel()
    model.stop_after = 10
    with pytest.raises(KeyboardInterrupt):
        prompting_rungs(model, task, halves, options(tmp_path))


def test_rows_on_which_prompts_disagree_come_with_their_votes(tmp_path):
    task, halves = cues()
    _, found = prompting_rungs(CueModel(hears="mood"), task, halves, options(tmp_path, shots=(0,)))
    assert found.disagreements
    most = [max(n for _, n in row.votes) for row in found.disagreements]
    assert most == sorted(most)
    for row in found.disagreements:
        assert sum(n for _, n in row.votes) == found.tried
        at = int(np.flatnonzero(task.rows == row.row)[0])
        assert (task.texts[at], task.label_names[at]) == (row.text, row.label)
        assert at in halves.scoring[:60]


def test_a_word_the_model_does_not_know_carries_less(tmp_path):
    class Reader(CueModel):
        """Knows nothing of the word "poor": it is as likely as "good" whatever stands before it."""

        def one(self, prompt, answer):
            return super().one(prompt, "good" if "poor" in answer else answer)

    task, halves = cues(n=600)
    user = UserPrompts(words={"bad": ("poor", "bad"), "good": ("good", "good")})
    _, found = prompting_rungs(Reader(), task, halves, options(tmp_path, rows=200, shots=(0,), user=user))
    effects = {effect.words: effect for effect in found.words if effect.label == "bad"}
    assert effects["poor"].effect < -0.2
    assert effects["poor"].accuracy < 0.62 < effects["bad"].accuracy
    assert {p.origin for p in found.prompts if dict(p.words)["bad"] == "poor"} == {"user"}


def test_the_users_templates_are_tried_first_of_equals(tmp_path):
    task, halves = cues()
    user = UserPrompts(language=("My own: {text} =>{label}",))
    _, found = prompting_rungs(CueModel(), task, halves, options(tmp_path, shots=(0,), user=user))
    mine = [p for p in found.prompts if p.origin == "user"]
    assert {p.template for p in mine} == {"My own: {text} =>{label}"}
    assert found.tried == 42


def test_a_dry_run_counts_the_questions_that_are_asked(tmp_path):
    task, halves = cues()
    model = CueModel()
    planned = zero_shot_questions(model, task, halves, options(tmp_path))
    assert model.asked == 0
    trial = Trial(model, task, halves, options(tmp_path))
    written_prompt.candidates(trial)
    assert len(planned) == model.asked - 20 * 3  # besides three content-free texts a template


def test_tasks_that_cannot_be_prompted_are_refused(tmp_path):
    task, halves = cues()
    with pytest.raises(InputError, match="text column"):
        prompting_rungs(CueModel(), replace(task, objects=None), halves, options(tmp_path))
    with pytest.raises(InputError, match="has no row"):
        prompting_rungs(CueModel(), task, replace(halves, choosing=halves.choosing[:0]), options(tmp_path))
    with pytest.raises(InputError, match="at least 1"):
        options(tmp_path, rows=0)
    with pytest.raises(InputError, match="whole numbers"):
        options(tmp_path, shots=(0, -1))


def test_very_few_rows_give_no_curve(tmp_path):
    task, halves = cues(n=16)
    climbs, found = prompting_rungs(CueModel(), task, halves, options(tmp_path))
    assert "left to choose by" in climbs["few-shot prompt"].rung.missing
    assert climbs["written prompt"].rung.accuracy is not None
    assert "left to choose by" in found.missing


def test_reading_templates_and_words(tmp_path):
    classes = ("bad", "good")
    path = tmp_path / "prompts.json"
    path.write_text(
        '{"templates": ["It was {label}.", "{text}\\nIt was {label}"], "words": {"bad": "awful", "good": ["great", "fine"]}}'
    )
    user = read_prompts(path, classes)
    assert user.templates == ("It was {label}.",)
    assert user.language == ("{text}\nIt was {label}",)
    assert word_sets(classes, user)[:2] == [("awful", "great"), ("awful", "fine")]
    path = tmp_path / "prompts.txt"
    path.write_text("{text}\\nIt was {label}\n")
    assert read_prompts(path, classes).language == ("{text}\nIt was {label}",)


@pytest.mark.parametrize(
    ("templates", "words", "said"),
    [
        (["{text} {label}."], {}, "ends in"),
        ([], {"bad": ["x"]}, "no label words for 'good'"),
        ([], {"worse": ["x"]}, "no class is called 'worse'"),
        ([], {}, "no prompt found"),
    ],
)
def test_what_cannot_be_used_is_refused(templates, words, said):
    with pytest.raises(InputError, match=said):
        check_prompts(templates, {}, ("bad", "good"), words=words)


def test_choices_of_words_never_give_two_classes_the_same():
    assert word_sets(("a_b", "a b"), UserPrompts()) == [("a_b", "a b")]
    assert word_sets(("noun.act", "noun.body"), UserPrompts()) == [
        ("noun.act", "noun.body"),
        ("act", "body"),
        ("Act", "Body"),
    ]
