"""The sentences of "Why": what they may claim, and where they must not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples

from presheaf.audits.why_result import Estimate, LossPart
from presheaf.report import to_html, to_text
from presheaf.report.why_words import (
    ceiling_sentence,
    decision_sentence,
    label_sentence,
    laws_sentence,
    level_answer,
    loss_sentence,
    prompts_needed,
    short_sentence,
)

NONE = Estimate(0.0, 0.0, 0.1)


def losses(**errors: tuple[float, float, float]) -> tuple[LossPart, ...]:
    return tuple(LossPart(name, Estimate(*errors.get(name, (0.0, 0.0, 0.01))), NONE, NONE)
                 for name in ("collision", "indeterminacy", "estimation"))  # fmt: skip


@pytest.mark.parametrize(
    ("part", "remedy"),
    [("collision", "fine-tuning"), ("indeterminacy", "label more rows"), ("estimation", "another head")],
)
def test_the_remedy_is_that_of_the_largest_part(part, remedy):
    why = replace(samples.WHY, loss=losses(**{part: (0.1, 0.08, 0.12)}))
    said = short_sentence(why)
    assert remedy in said
    assert ".100 of .139" in said
    assert "(heuristic)" in said


def test_no_part_is_called_the_largest_where_intervals_meet():
    why = replace(samples.WHY, loss=losses(collision=(0.1, 0.07, 0.12), estimation=(0.06, 0.05, 0.08)))
    assert "No kind of row is shown" in short_sentence(why)
    assert "heuristic" not in short_sentence(why)


def test_without_errors_or_a_rule_nothing_is_advised():
    for why in (replace(samples.WHY, error=Estimate(0.0, 0.0, 0.01)), replace(samples.WHY, loss=())):
        assert short_sentence(why).endswith("wrongly (estimate).")
    assert "can't be taken apart" in loss_sentence(replace(samples.WHY, loss=()))


@pytest.mark.parametrize(
    ("verdict", "low", "said"),
    [
        ("representable", 0.0, "shown to be enough"),
        ("not within the candidates", 0.2, "whichever candidate rows"),
        ("cannot say", 0.2, "other candidates are not ruled out"),
        ("cannot say", 0.01, "can't say from so many rows"),
    ],
)
def test_what_the_decision_shows(verdict, low, said):
    seen = replace(samples.WHY.decision, verdict=verdict, share=Estimate(0.3, low, 0.4))
    assert said in decision_sentence(replace(samples.WHY, decision=seen))


def test_a_ceiling_at_a_distance_is_not_said_to_bind_fine_tuning():
    assert "nor for fine-tuning" in ceiling_sentence(samples.WHY)
    for text in (to_text(samples.RICH), to_html(samples.RICH)):
        assert "fine-tuning can't pass" not in text


def test_a_proof_about_all_triples_carries_no_interval():
    laws = replace(samples.WHY.laws, kind="proof", share=Estimate(0.0, 0.0, 0.168))
    said = laws_sentence(replace(samples.WHY, laws=laws))
    assert "(proof, these rows)" in said
    assert ".168" not in said


def test_prompts_needed_in_words():
    few, several, none = samples.WHY.labels
    assert prompts_needed(few) == "3 (proof, choosing rows); 4 shown to be enough for new rows (estimate)"
    assert prompts_needed(several) == "12 to 14 (proof, choosing rows)"
    assert prompts_needed(none) == "no number of those tried, all together miss a row by .728"


def test_a_soft_prompt_that_was_not_found_is_not_called_impossible():
    soft = replace(samples.WHY.labels[0].levels[2], verdict="cannot say")
    assert level_answer(soft).startswith("not found: ")
    assert " wrong (" in level_answer(soft)
    value = replace(samples.WHY.labels[0].levels[0], verdict="cannot say")
    assert level_answer(value).startswith("not shown: ")
    assert " off (" in level_answer(value)


def test_what_shuffled_labels_do_as_well_is_said_to_be_no_evidence():
    label = samples.WHY.labels[0]
    for p, said in ((0.75, True), (0.05, False), (None, False)):
        levels = (replace(label.levels[0], null_p=p), *label.levels[1:])
        assert ("like shuffled labels (p" in label_sentence(replace(label, levels=levels))) is said


def test_a_noise_floor_says_what_it_stands_on_or_why_there_is_none():
    assert "noise up to .210 (two halves of the features, 99 %)" in laws_sentence(samples.WHY)
    none = replace(samples.WHY.laws, floor=None, noise="3 features are too few to part")
    assert "noise not measured: 3 features are too few to part" in laws_sentence(replace(samples.WHY, laws=none))


def test_a_p_at_its_least_is_said_to_come_of_few_shuffles():
    seen = samples.WHY.decision
    for p, said in (
        (0.05, "better than all 19 shuffles of the labels (p = .050)"),
        (0.1, "p = .100 against 19 shuffles"),
    ):
        assert said in decision_sentence(replace(samples.WHY, decision=replace(seen, null_p=p)))
    assert "shuffles" not in decision_sentence(replace(samples.WHY, decision=replace(seen, null_p=None)))
