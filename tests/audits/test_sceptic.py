"""Sentences that claim a proof are true, and what is reached without a model is not understated."""

from __future__ import annotations

import numpy as np
from worlds import Planted, task_of

import presheaf as ps
from presheaf.audits.result import Audit
from presheaf.models.cache import FeatureCache
from presheaf.models.vectors import VectorModel
from presheaf.tables.task import Task


def coin_cells(cells: int, size: int, seed: int = 0) -> tuple[Planted, Task]:
    """Cells of texts that are one input to the model; each row's label is a coin."""
    rng = np.random.default_rng(seed)
    texts = [f"cell {i} way {j}" for i in range(cells) for j in range(size)]
    model = Planted({t: rng.standard_normal(16) for t in texts}, 16, lambda t: t.split(" way")[0])
    return model, task_of(texts, rng.integers(0, 2, len(texts)))


def audit(model: object, task: Task, target: float, cache: FeatureCache) -> Audit:
    return ps.audit(model, task, target=target, cache=cache, baseline=False)  # type: ignore[arg-type]


def test_what_remembering_these_rows_would_reach_is_never_called_impossible_on_them(tmp_path: object) -> None:
    """Coins in cells of three: 3/4 of these rows can be right, 1/2 of new ones. A target of .68 lies between."""
    model, task = coin_cells(800, 3)
    found = audit(model, task, 0.68, FeatureCache(str(tmp_path)))
    ceiling = found.rung("input ceiling")
    counted = ceiling.evidence["ceiling_on_these_rows"]
    assert ceiling.high is not None
    assert ceiling.high < 0.68 < counted
    finding = found.finding("FT03")
    assert (finding.status, finding.kind) == ("found", "estimate")
    assert "must be wrong" not in finding.message
    assert (found.verdict.kind, found.verdict.reached) == ("estimate", False)
    assert "must be wrong" not in found.verdict.sentence
    surely = audit(model, task, 0.9, FeatureCache(str(tmp_path)))
    assert (surely.finding("FT03").kind, surely.verdict.kind) == ("proof", "proof")


def test_one_text_with_different_vectors_is_no_contradiction(tmp_path: object) -> None:
    """The vectors know the label, the text column does not: nothing is wrong for any model."""
    rng = np.random.default_rng(0)
    y = np.arange(400) % 2
    x = rng.standard_normal((400, 8)) + 6 * y[:, None]
    task = task_of([f"caption {i // 4}" for i in range(400)], y)
    found = audit(VectorModel(x.astype(np.float32)), task, 0.9, FeatureCache(str(tmp_path)))
    assert found.finding("LB01").status == "not found"
    assert found.rung("label ceiling").evidence["rows_proved_wrong"] == 0
    assert (found.rung("head").accuracy or 0) > 0.95
    assert found.verdict.decision not in ("relabel", "cannot say")
    # Where the vectors are equal as well, the rows do contradict each other.
    captions = np.repeat(rng.standard_normal((100, 8)), 4, axis=0)
    same = audit(VectorModel(captions.astype(np.float32)), task, 0.9, FeatureCache(str(tmp_path)))
    assert same.rung("label ceiling").evidence["rows_proved_wrong"] == 200
    assert same.verdict.decision == "relabel"


def test_permuted_labels_reach_the_most_common_class_when_it_is_common(tmp_path: object) -> None:
    """With 85 % of one class the best rule for noise answers with it always; the null must not lie far below."""
    rng = np.random.default_rng(1)
    texts = [f"point {i}" for i in range(300)]
    model = Planted({t: rng.standard_normal(256) for t in texts}, 256)
    found = audit(model, task_of(texts, (rng.random(300) < 0.15).astype(int)), 0.9, FeatureCache(str(tmp_path)))
    majority, soft = found.rung("majority class").accuracy, found.rung("soft prompt")
    assert majority is not None
    assert soft.accuracy is not None
    assert soft.nulls["permuted labels"] > majority - 0.04
    assert abs(soft.accuracy - soft.nulls["permuted labels"]) < 0.05
