"""One prompt per label: the least error against brute force, ties, planted labels and nulls."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.enriched import decision
from presheaf.enriched.construct import hom_from_distances, hom_from_features, hom_from_relation
from presheaf.enriched.decision import decision_level
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import angle
from presheaf.enriched.quantale import COST
from presheaf.errors import InputError


def clusters(labels: int, each: int = 60) -> tuple[Hom, np.ndarray]:
    rng = np.random.default_rng(6)
    centres = 5 * rng.standard_normal((labels, 8))
    features = np.concatenate([c + rng.standard_normal((each, 8)) for c in centres])
    return hom_from_features(features, angle()), np.repeat([f"label {i}" for i in range(labels)], each)


def brute(d: np.ndarray, code: np.ndarray, count: int) -> int:
    """Fewest objects whose own label's prompt is not strictly nearest."""
    rows = np.arange(len(code))
    best = len(code)
    for choice in product(range(d.shape[1]), repeat=count):
        gathered = d[:, list(choice)]
        own = gathered[rows, code]
        gathered[rows, code] = np.inf
        best = min(best, int((own >= gathered.min(axis=1)).sum()))
    return best


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([2, 3]))
def test_least_error_agrees_with_brute_force(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    # Whole numbers, so that ties happen; directed, so that the direction counts.
    hom = hom_from_distances(rng.integers(0, 5, (16, 16)).astype(float), COST)
    code = np.concatenate([np.arange(count), rng.integers(0, count, 16 - count)])
    scoring, candidates = np.arange(10, 16), np.array([0, 3, 4, 7, 9])
    for variance in ("contravariant", "covariant"):
        d = hom.dense(10**6) if variance == "contravariant" else hom.dense(10**6).T
        result = decision_level(hom, code, variance, candidates=candidates, scoring=scoring, rounds=0)
        least = brute(d[:10, candidates], code[:10], count)
        assert result.least_error == result.error == least / 10
        wrong = []
        for part in (slice(10), slice(10, 16)):
            chosen = d[part][:, list(result.level.prompts)]
            rows = np.arange(len(chosen))
            own = chosen[rows, code[part]].copy()
            chosen[rows, code[part]] = np.inf
            wrong.append((own >= chosen.min(axis=1)).mean())
        assert wrong == pytest.approx([least / 10, result.level.share.value])


def test_clusters_are_decided_and_shuffled_labels_are_not() -> None:
    hom, labels = clusters(3, 80)
    result = decision_level(hom, labels, "contravariant")
    assert result.labels == ("label 0", "label 1", "label 2")
    assert result.level.verdict == "representable"
    assert [p // 80 for p in result.level.prompts] == [0, 1, 2]
    assert result.null_p == 0.01
    assert result.majority > 0.5
    shuffled = decision_level(hom, np.random.default_rng(0).permutation(labels), "contravariant")
    assert shuffled.level.verdict != "representable"
    assert shuffled.null_p > 0.05


def test_not_within_the_candidates_when_every_choice_fails() -> None:
    # Two labels in a checkerboard of four far groups: no two points have all of them right.
    rng = np.random.default_rng(7)
    corners = np.array([[10, 0], [0, 10], [-10, 0], [0, -10]])
    features = np.concatenate([c + 0.1 * rng.standard_normal((60, 2)) for c in corners])
    hom = hom_from_features(features, angle())
    labels = np.repeat([0, 1, 0, 1], 60)
    result = decision_level(hom, labels, "contravariant", candidates=np.arange(0, 240, 12))
    assert result.least_error is not None
    assert result.least_error > 0.2
    assert result.level.verdict == "not within the candidates"
    assert result.level.least > 0.05


def test_descent_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    hom, labels = clusters(2, 40)
    exact = decision_level(hom, labels, "contravariant", rounds=0)
    monkeypatch.setattr(decision, "EXACT", 0)
    descent = decision_level(hom, labels, "contravariant", rounds=0)
    assert exact.least_error is not None
    assert descent.least_error is None
    assert exact.least_error <= descent.error <= exact.least_error + 0.05
    assert descent.level.least == 0
    # Too little room for all choosing objects: some of them choose.
    small = decision_level(hom, labels, "contravariant", rounds=0, limit_bytes=40 * 8 * 4 * 20)
    assert small.choosing == 20


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_descent_counts_ties_as_errors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d, code = rng.integers(0, 3, (12, 5)).astype(float), np.concatenate([np.arange(3), rng.integers(0, 3, 9)])
    prompts, wrong = decision._descend(d, code, 3)
    assert wrong == 12 - int(decision.decided(d[:, prompts], code).sum())
    assert wrong >= brute(d, code, 3)


def test_ties_and_unreachable_objects_are_wrong() -> None:
    hom = hom_from_relation(np.eye(8))
    result = decision_level(hom, [0, 1] * 4, "contravariant", scoring=np.arange(4, 8), rounds=0)
    # Distinct prompts reach only themselves.
    assert result.error == 0.5
    assert result.level.share.value == 1
    # All objects alike: nothing is decided, whatever the prompts.
    alike = decision_level(hom_from_relation(np.ones((8, 8))), [0, 1] * 4, "covariant", rounds=0)
    assert alike.least_error == 1


def test_renaming_labels_and_rotating_features_change_nothing() -> None:
    hom, labels = clusters(3, 40)
    first = decision_level(hom, labels, "contravariant", rounds=9)
    renamed = decision_level(hom, np.char.add("z ", labels), "contravariant", rounds=9)
    assert first.level == renamed.level
    assert first.null_p == renamed.null_p
    turn, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((8, 8)))
    turned = hom_from_features(hom.source.features @ turn, angle())  # type: ignore[attr-defined]
    assert decision_level(turned, labels, "contravariant", rounds=9).level.share == first.level.share


def test_wrong_input_is_named() -> None:
    hom, labels = clusters(2, 10)
    with pytest.raises(InputError, match="labels must be one"):
        decision_level(hom, labels[:5], "contravariant")
    with pytest.raises(InputError, match="two labels"):
        decision_level(hom, ["a"] * 20, "contravariant")
    with pytest.raises(InputError, match="no room"):
        decision_level(hom, labels, "contravariant", limit_bytes=100)
