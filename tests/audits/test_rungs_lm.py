"""The rungs that use a language model's weights: tuned soft prompt, layer probe, fine-tuned."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
sys.path.insert(0, str(Path(__file__).parents[1] / "language"))

from tuning_networks import NAMES, TEMPLATE, load_tiny_llama, texts_and_labels  # noqa: E402

from presheaf.audits.climb import Climb  # noqa: E402
from presheaf.audits.context import Context, canonical_order, split  # noqa: E402
from presheaf.audits.prompting_result import Prompting, Score, WrittenPrompt  # noqa: E402
from presheaf.audits.result import Rung  # noqa: E402
from presheaf.audits.rungs import fine_tuned, layer_probe, tuned_prompt  # noqa: E402
from presheaf.audits.rungs.scored_part import chosen_words, first_rows, gain  # noqa: E402
from presheaf.language.templates import parse_template  # noqa: E402
from presheaf.tables.task import Task  # noqa: E402

ROWS = 160
NONE = Score(0.5, 0.4, 0.6)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_tiny_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def context(model: Any) -> Context:
    """A task that the weights can learn and that the written prompt fails at. Classes sorted: bad, good."""
    texts, labels = texts_and_labels(ROWS)
    task = Task(tuple(texts), (1 - labels).astype(np.int32), ("bad", "good"), np.arange(1, ROWS + 1))
    order, hashes = canonical_order(task, 0)
    task = task.take(order)
    halves = split(task, hashes, [])
    return Context(model, task, model.encode(list(task.texts)), halves, None, None)


@pytest.fixture(scope="module")
def prompting() -> Prompting:
    best = WrittenPrompt(TEMPLATE, (("good", "good"), ("bad", "bad")), "user", 0.5, NONE, NONE, NONE, chosen=True)
    other = replace(best, template="{text} {label}", chosen=False)
    return Prompting((other, best), 2, (0.5,) * 3, (0.5,) * 3, (), None, "", (), (), None, 80, 80, 0, 0.0, 0)


@pytest.fixture(scope="module")
def written(context: Context, model: Any) -> Climb:
    """The written prompt's hits on all held-out rows but the last ten."""
    at = np.arange(len(context.halves.scoring) - 10)
    template = parse_template(TEMPLATE)
    texts = [context.task.texts[i] for i in context.halves.scoring[at]]
    said = np.array(model.score([template.question(text, ("bad", "good")) for text in texts])).argmax(axis=1)
    correct = said == context.y_scoring[at]
    rung = Rung("written prompt", "estimate", float(correct.mean()), 0.0, 1.0, len(at), "")
    return Climb(rung, said, correct, positions=at)


def test_words_follow_the_classes_and_the_chosen_prompt(context: Context, prompting: Prompting) -> None:
    assert NAMES == ("good", "bad")
    assert chosen_words(context, prompting) == (TEMPLATE, ("bad", "good"))


def test_rows_are_those_that_the_written_prompt_was_scored_on(context: Context, written: Climb) -> None:
    assert len(first_rows(context, 1000)) == len(context.halves.scoring)
    assert len(first_rows(context, 1000, written)) == len(context.halves.scoring) - 10
    assert list(first_rows(context, 3, written)) == [0, 1, 2]


def test_the_gain_is_over_common_rows(context: Context, written: Climb) -> None:
    assert written.correct is not None
    perfect = Climb(written.rung, correct=np.ones(len(context.halves.scoring), dtype=bool))
    more = gain(context, perfect, written)
    assert more is not None
    assert more.rows == len(written.correct)
    assert more.value == pytest.approx(1 - written.correct.mean())
    late = Climb(written.rung, correct=np.ones(5, dtype=bool), positions=np.arange(5) + len(written.correct))
    assert gain(context, late, written) is None
    assert gain(context, Climb(written.rung), written) is None


def test_a_tuned_prompt_says_found_or_not_found(
    context: Context, model: Any, prompting: Prompting, written: Climb
) -> None:
    told: list[str] = []
    climb, said = tuned_prompt.climb(
        context, model, prompting, written, length=3, steps=20, progress=lambda stage, done, total: told.append(stage)
    )
    assert said is not None
    facts = climb.rung.evidence
    assert climb.positions is not None
    assert written.correct is not None
    assert list(climb.positions) == list(range(len(written.correct)))
    assert facts["gain"][0] == pytest.approx(np.mean(climb.correct) - np.mean(written.correct))
    assert said.found == facts["found"] == (facts["gain"][1] > 0)
    assert said.score.accuracy == climb.rung.accuracy == np.mean(climb.correct)
    assert said.null == climb.rung.nulls["permuted labels"]
    assert 0.2 < said.null < 0.8
    assert "impossible" not in said.detail + climb.rung.detail
    assert told == ["tuning a soft prompt"] * 40  # the null takes as many steps


def test_the_probe_reads_the_word_off_the_embeddings(context: Context, model: Any) -> None:
    climb = layer_probe.climb(context, model)
    assert climb.rung.accuracy is not None
    assert climb.rung.accuracy > 0.9
    curve = climb.rung.evidence["layers"]
    assert [one["layer"] for one in curve] == [0, 1, 2]
    assert curve[climb.rung.evidence["layer"]]["accuracy"] == climb.rung.accuracy
    assert climb.rung.nulls["permuted labels"] < 0.7
    assert climb.positions is None
    assert len(layer_probe.climb(context, model, rows=30).positions) == 30


def test_fine_tuning_beats_the_prompt_and_is_held_against_the_forecast(
    context: Context, model: Any, prompting: Prompting, written: Climb
) -> None:
    pytest.importorskip("peft")
    forecast = Climb(Rung("fine-tune forecast", "estimate", 0.5, 0.0, 0.1, 80, ""))
    climb = fine_tuned.climb(context, model, prompting, written, method="last_layers", forecast=forecast, steps=120)
    assert climb.rung.name == "fine-tuned (last layers)"
    climb = fine_tuned.climb(context, model, prompting, written, forecast=forecast, steps=120)
    assert climb.rung.name == "fine-tuned (LoRA)"
    assert climb.rung.evidence["forecast"] == {"low": 0.0, "high": 0.1, "held": False}
    assert climb.rung.evidence["gain"][0] == pytest.approx(np.mean(climb.correct) - np.mean(written.correct))
    assert climb.rung.low is not None
    assert climb.rung.low <= climb.rung.accuracy


def test_what_has_no_weights_has_no_rung(context: Context, prompting: Prompting, written: Climb) -> None:
    class Endpoint:
        """A model that only answers."""

    climb, said = tuned_prompt.climb(context, Endpoint(), prompting, written)
    assert said is None
    for one in (
        climb,
        layer_probe.climb(context, Endpoint()),
        fine_tuned.climb(context, Endpoint(), prompting, written),
    ):
        assert one.rung.accuracy is None
        assert one.rung.missing


def test_too_few_rows_are_said(context: Context, model: Any, prompting: Prompting, written: Climb) -> None:
    climb, said = tuned_prompt.climb(context, model, prompting, written, trained=1)
    assert said is None
    assert "rows of every class" in climb.rung.missing
    assert "rows of every class" in fine_tuned.climb(context, model, prompting, written, trained=1).rung.missing
    assert "two classes" in layer_probe.climb(context, model, rows=1).rung.missing


def test_categories_of_variants_drift_with_what_was_done_to_the_weights(model: Any, tmp_path: Path) -> None:
    from presheaf.audits.categories import compare_categories
    from presheaf.language.lora_variant import rounded

    texts = texts_and_labels(40, seed=3)[0]
    drift = [
        compare_categories(model, rounded(model, bits, folder=tmp_path / str(bits)), texts).either.mean.value
        for bits in (8, 4, 2)
    ]
    assert 0 < drift[0] < drift[1] < drift[2]


def test_categories_of_language_models_are_compared_without_prompting(model: Any, tmp_path: Path) -> None:
    from presheaf.audits.categories import compare_categories
    from presheaf.language.lora_variant import pruned

    texts, labels = texts_and_labels(60, seed=3)
    task = Task(tuple(texts), np.asarray(labels, dtype=np.int32), NAMES, np.arange(1, 61))
    other, before = pruned(model, 0.5, folder=tmp_path / "half"), model.work.tokens
    found = compare_categories(model, other, task)
    assert [change.rung for change in found.rungs][-1] == "head"
    assert (model.work.tokens, other.work.tokens) == (before, 0)
