"""The audit of language models from Python: order of the rungs, a stop that keeps what is known, refusals."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import presheaf as ps
from presheaf.audits.answers import AnswerModel
from presheaf.audits.language_rungs import ORDER, in_order
from presheaf.audits.prompting_trial import PromptingOptions
from presheaf.errors import InputError
from presheaf.models.cache import FeatureCache
from presheaf.models.lm.ngram import NGramModel
from presheaf.tables.task import Task

REVIEWS = Path(__file__).parents[2] / "examples" / "reviews.csv"


@pytest.fixture(scope="module")
def task() -> Task:
    with REVIEWS.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if len(row["review"]) < 60][:80]
    labels = np.array([row["sentiment"] == "positive" for row in rows], dtype=np.int32)
    texts = tuple(row["review"] for row in rows)
    return Task(
        texts, labels, ("negative", "positive"), np.arange(1, 81), text_column="review", label_column="sentiment"
    )


@pytest.fixture(scope="module")
def model(task: Task) -> NGramModel:
    assert task.texts is not None
    return NGramModel.train([f"{text} It was fine" for text in task.texts], 3, "byte")


def options(tmp_path: Path, **more: object) -> dict[str, object]:
    return {
        "cache": FeatureCache(tmp_path),
        "prompt_rows": 12,
        "shots": (0, 1),
        "why": False,
        "baseline": False,
        **more,
    }


def test_the_ladder_is_in_its_order_and_the_same_for_every_order_of_the_rows(
    task: Task, model: NGramModel, tmp_path: Path
) -> None:
    first = ps.audit(model, task, **options(tmp_path))
    names = [rung.name for rung in first.ladder if rung.name in ORDER]
    assert names == [name for name in ORDER if name in names]
    assert {"written prompt", "few-shot prompt", "head"} <= set(names)
    turned = ps.audit(model, task.take(np.arange(80)[::-1]), **options(tmp_path / "other"))
    assert [(r.name, r.accuracy) for r in turned.ladder] == [(r.name, r.accuracy) for r in first.ladder]
    assert turned.prompting is not None
    assert first.prompting is not None
    assert turned.prompting.copy == first.prompting.copy
    assert first.rung("fine-tune forecast").accuracy is None


def test_a_stop_keeps_what_is_known_and_says_so(task: Task, model: NGramModel, tmp_path: Path) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if stage == "trying prompts" and done > total // 2:
            raise KeyboardInterrupt

    found = ps.audit(model, task, **options(tmp_path, progress=stop))
    assert "stopped while the model was prompted" in found.interrupted
    assert found.prompting is None
    assert "goes on from there" in found.rung("written prompt").missing
    assert found.rung("head").accuracy is not None
    seen: list[int] = []

    def watch(stage: str, done: int, total: int) -> None:
        if stage == "trying prompts":
            seen.append(done / total)

    again = ps.audit(model, task, **options(tmp_path, progress=watch))
    assert again.interrupted == ""
    # More than half was answered before it began.
    assert seen[0] > 0.5
    assert again.rung("written prompt").accuracy is not None


def test_a_stop_while_rows_are_read_asks_nothing_more(task: Task, model: NGramModel, tmp_path: Path) -> None:
    """The ladder on the rows that were read, at once: prompts would take longer than what was given up."""
    assert task.texts is not None
    rows = np.resize(np.arange(80), 400)
    texts = tuple(f"{task.texts[i]} {n}" for n, i in enumerate(rows))
    many = Task(
        texts, task.labels[rows], task.classes, np.arange(1, 401), text_column="review", label_column="sentiment"
    )
    stages: list[str] = []

    def stop(stage: str, done: int, total: int) -> None:
        stages.append(stage.split(" with ")[0])
        if stages[-1] == "reading rows" and done > 200:
            raise KeyboardInterrupt

    found = ps.audit(model, many, **options(tmp_path, progress=stop))
    assert found.interrupted == "stopped after 128 of 400 rows; the numbers stand on those"
    assert set(stages) == {"reading rows", "climbing the ladder"}
    assert "stopped before the model was prompted" in found.rung("written prompt").missing
    assert found.rung("head").accuracy is not None


def test_answers_are_normalised_over_the_labels(task: Task, model: NGramModel, tmp_path: Path) -> None:
    seen = AnswerModel(model, task, PromptingOptions(cache=tmp_path))
    assert task.texts is not None
    features = seen.encode(list(task.texts[:5]))
    assert features.shape == (5, seen.info.dim)
    # Two labels, centred: what one template says of them adds up to nothing. The last column is constant.
    assert np.allclose(features[:, :-1].reshape(5, -1, 2).sum(axis=2), 0, atol=1e-5)
    asked = list(seen.questions([*task.texts[:5], task.texts[0]]))
    assert len(asked) == 5 * (features.shape[1] - 1) // 2
    told = model.score(asked[:1])[0]
    assert features[0, 0] - features[0, 1] == pytest.approx(told[0] - told[1], abs=1e-4)


def test_a_comparison_of_models_without_features(task: Task, model: NGramModel, tmp_path: Path) -> None:
    more = options(tmp_path)
    more.pop("baseline")
    other = NGramModel.train(["other words altogether"], 2, "byte", name="other")
    found = ps.compare([model, other], task, **more)
    assert {audit.model.name for audit in found.audits} == {model.info.name, "other"}
    assert all(audit.prompting is not None for audit in found.audits)


def test_rungs_without_a_place_come_last() -> None:
    assert list(in_order({"odd": 1, "head": 2, "written prompt": 3})) == ["written prompt", "head", "odd"]  # type: ignore[dict-item]


def test_refusals(task: Task, model: NGramModel, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fine_tune"):
        ps.audit(model, task, fine_tune="everything")
    with pytest.raises(InputError, match="reads text"):
        ps.audit(model, Task(None, task.labels, task.classes, task.rows, vectors=np.zeros((80, 2), np.float32)))
    with pytest.raises(InputError, match="rows"):
        ps.audit(model, task, prompt_rows=0)
