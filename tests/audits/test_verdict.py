"""When a rung may be called enough: not on labels that mean nothing, and on labels that mean something."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import of_vectors

import presheaf as ps
from presheaf.audits.result import Audit

SEEDS = range(12)


def noise(classes: int, rows: int, seed: int, balanced: bool) -> Audit:
    """Features that know nothing of the labels; balanced labels are each as common, so that any answer is right as often."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(rows) % classes) if balanced else rng.integers(0, classes, rows)
    return ps.audit(*of_vectors(rng.standard_normal((rows, 16)), labels), baseline=False, why=False)


def signal(classes: int, seed: int = 0) -> Audit:
    """Each label around a direction of its own, with noise that leaves some rows wrong."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, 900)
    centres = 3 * rng.standard_normal((classes, 32))
    return ps.audit(
        *of_vectors(centres[labels] + 4 * rng.standard_normal((900, 32)), labels), baseline=False, why=False
    )


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("classes", [2, 5, 30])
def test_on_random_labels_nothing_is_enough(classes: int, balanced: bool) -> None:
    """At level 5 % for all rungs together, 12 audits of noise show more than 3 gains with probability below .003."""
    audits = [noise(classes, 300, seed, balanced) for seed in SEEDS]
    claimed = [audit.verdict.sentence for audit in audits if "enough" in audit.verdict.sentence]
    assert len(claimed) <= (0 if classes == 30 else 1), claimed
    for audit in audits:
        if audit.verdict.sentence not in claimed:
            assert audit.verdict.decision == "change the model"
            assert audit.verdict.sentence.startswith("Nothing tried on this model is shown to beat")
            assert audit.verdict.reached is None


@pytest.mark.parametrize("classes", [2, 5, 30])
def test_on_real_labels_a_rung_is_enough_and_beats_every_constant(classes: int) -> None:
    audit = signal(classes)
    assert "enough" in audit.verdict.sentence
    answer = {"prompt": "one prompt per label", "ensemble": "k prompts per label"}.get(
        audit.verdict.decision, audit.verdict.decision
    )
    rung, majority = audit.rung(answer), audit.rung("majority class")
    assert (rung.low or 0) > (majority.high or 1)


def test_a_constant_known_in_hindsight_is_a_rival_too() -> None:
    """Halves of uneven labels differ: where another label is more common on the held-out rows, that is the constant to beat."""
    audits = [noise(30, 300, seed, False) for seed in SEEDS]
    hindsight = [audit for audit in audits if "for the most common held-out one" in audit.verdict.sentence]
    for audit in hindsight:
        told = float(audit.verdict.sentence.split("; ")[1].split(" ")[0])
        assert told > (audit.rung("majority class").accuracy or 0)
    assert hindsight


@pytest.mark.parametrize("classes", [5, 30])
def test_a_low_target_on_random_labels_is_not_shown_to_be_worth_anything(classes: int) -> None:
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(900) % classes)
    world = of_vectors(rng.standard_normal((900, 16)), labels)
    audit = ps.audit(*world, target=0.5 / classes, baseline=False, why=False)
    assert "not shown to beat always answering the most common class" in audit.verdict.sentence
