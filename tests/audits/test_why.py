"""What the category says: planted answers, brute force, sums that must hold, and when nothing is said."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from worlds import case_decides, exclusive_or, of_texts, of_vectors, random_labels, task_of

import presheaf as ps
from presheaf.audits.result import Audit
from presheaf.audits.rungs import density_prompts
from presheaf.audits.statements import STATEMENTS
from presheaf.audits.why_result import Why
from presheaf.cli.parser import build
from presheaf.models.vectors import VectorModel

WORLDS = {"exclusive or": exclusive_or, "random labels": random_labels, "case": case_decides}


@cache
def audited(name: str) -> Audit:
    return ps.audit(*WORLDS[name](), baseline=False)


def why_of(audit: Audit) -> Why:
    assert audit.why is not None, audit.settings["why"]
    return audit.why


def blobs(n: int, classes: int, spread: float, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Classes around orthogonal directions."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return np.eye(8)[y] + spread * rng.standard_normal((n, 8)), y


def test_tight_classes_are_one_prompt_each_at_every_level() -> None:
    """Two orthogonal directions with a little noise: T = 0 on the label and about pi/2 off it is h_p up to that noise."""
    x, y = blobs(400, 2, 0.02)
    why = why_of(ps.audit(*of_vectors(x, y), baseline=False))
    assert why.setting.lawful is True
    assert why.decision.verdict == "representable"
    assert why.decision.share.value == 0
    for label in why.labels:
        assert [level.verdict for level in label.levels[:2]] == ["representable"] * 2 or why.setting.scale < 0.5
    assert len(why.decision.prompts) == 2


def test_a_label_of_three_far_clusters_takes_three_prompts() -> None:
    """Six orthogonal clusters, three a label: off its prompts' clusters the label is at pi/2, so fewer than three fail."""
    rng = np.random.default_rng(1)
    cluster = np.arange(600) % 6
    x = np.eye(8)[cluster] + 0.01 * rng.standard_normal((600, 8))
    why = why_of(ps.audit(*of_vectors(x, cluster % 2), baseline=False))
    assert why.setting.scale == pytest.approx(np.pi / 2, abs=0.05)
    for label in why.labels:
        assert (label.number_low, label.number_high, label.enough) == (3, 3, 3)
        assert label.levels[0].verdict == "not within the candidates"
    at = {point.k: point for point in why.curve}
    # With k of three clusters covered, the others are pi/2 away from a task that is 0: residuation halves that.
    assert at[2].rho_low > 0.7
    assert at[3].rho_high < 0.2
    assert at[3].density.value == 1
    # The decision may yet be right: which way a prompt leans towards far clusters is noise of the prompt, and can be chosen.


def test_exclusive_or_is_two_prompts_a_label() -> None:
    why = why_of(audited("exclusive or"))
    at = {point.k: point for point in why.curve}
    assert at[1].density.value is not None
    assert at[1].density.value < 0.8
    assert at[2].density.value == 1
    assert why.decision.verdict == "not within the candidates"


def test_random_labels_are_nobodys_prompt() -> None:
    why = why_of(audited("random labels"))
    assert why.decision.verdict != "representable"
    assert why.decision.null_p is not None
    assert why.decision.null_p > 0.05
    for label in why.labels:
        assert all(level.verdict != "representable" for level in label.levels)


@pytest.mark.parametrize(("share", "ceiling"), [(0.0, 1.0), (0.3, 0.85), (1.0, 0.5)])
def test_twins_labelled_apart_give_the_ceiling_of_theory(share: float, ceiling: float) -> None:
    """Pairs with equal features, this share of them labelled apart: 1 - share / 2 at lambda = 0 (theory's oracle 24)."""
    rng = np.random.default_rng(2)
    half = 100
    x = np.repeat(rng.standard_normal((half, 16)), 2, axis=0)
    y = np.repeat(rng.integers(0, 2, half), 2)
    y[1 : 2 * round(share * half) : 2] ^= 1
    why = why_of(ps.audit(VectorModel(x.astype(np.float32), name="twins"), task_of(None, y), baseline=False))
    first = why.ceilings[0]
    assert (first.lam, first.strict, first.margin) == (0, pytest.approx(ceiling), pytest.approx(ceiling))
    assert first.neighbours == 1
    assert why.nearest_conflict == (0 if share else pytest.approx(why.nearest_conflict))
    assert why.ceiling_rows == 200


@pytest.mark.parametrize("name", WORLDS)
def test_what_must_add_up_does(name: str) -> None:
    audit = audited(name)
    why = why_of(audit)
    assert sum(part.error.value or 0 for part in why.loss) == pytest.approx(why.error.value)
    assert sum(part.rows.value or 0 for part in why.loss) == pytest.approx(1)
    assert (why.loss[1].rows.value, why.open.value) == (pytest.approx(why.open.value), why.loss[1].rows.value)
    if why.setting.scoring == audit.settings["scoring_rows"]:  # no copies: the same rows
        assert why.error.value == pytest.approx(1 - (audit.rung("head").accuracy or 0))
    for before, after in zip(why.ceilings, why.ceilings[1:], strict=False):
        assert after.strict <= before.strict + 1e-12
        assert after.margin <= before.margin + 1e-12
    assert all(point.strict <= point.margin + 1e-12 for point in why.ceilings)
    for one, more in zip(why.curve, why.curve[1:], strict=False):
        assert more.rho_high <= one.rho_high + 1e-12
    assert all(point.rho_low <= point.rho_high + 1e-9 for point in why.curve)
    assert audit.settings["why"] == "computed"
    for rung in audit.ladder:
        assert rung.theorem == STATEMENTS[rung.name]


def test_rows_of_the_gap_are_so_by_brute_force() -> None:
    x, y = blobs(300, 3, 0.4, seed=3)
    why = why_of(ps.audit(*of_vectors(x, y), baseline=False))
    assert why.gap
    unit = x.astype(np.float32).astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    angle = np.arccos(np.clip(unit @ unit.T, -1, 1))
    listed = {row.row - 1 for row in why.gap}
    for row in why.gap:
        i, p = row.row - 1, row.nearest - 1
        assert p not in listed
        assert row.distance == pytest.approx(angle[i, p], abs=1e-4)
        assert (row.label, row.nearest_label) == (str(y[i]), str(y[p]))
        assert row.rival >= row.distance
        assert row.status == ("contradicted" if row.rival <= why.setting.lam else "open")
        assert row.status == "contradicted" or row.distance > why.setting.lam
    states = [row.status for row in why.gap]
    assert states == sorted(states)  # contradictions come first


def test_the_distances_do_not_look_at_labels() -> None:
    x, y = blobs(300, 3, 0.4)
    one, other = (why_of(ps.audit(*of_vectors(x, labels), baseline=False)) for labels in (y, (y + 1) % 3))
    assert one.setting == other.setting
    assert one.laws == other.laws


def test_a_rotation_changes_nothing_but_the_last_digits() -> None:
    x, y = blobs(300, 2, 0.3)
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((8, 8)))[0]
    one, other = (why_of(ps.audit(*of_vectors(v, y), baseline=False)) for v in (x, x @ turn))
    assert other.setting.lam == pytest.approx(one.setting.lam, abs=1e-4)
    assert other.decision.verdict == one.decision.verdict
    for a, b in zip(one.labels, other.labels, strict=True):
        assert [level.verdict for level in b.levels[:2]] == [level.verdict for level in a.levels[:2]]
    assert [p.rho_high for p in other.curve] == pytest.approx([p.rho_high for p in one.curve], abs=0.05)


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (np.eye(8)[np.arange(24) % 8] + np.arange(24)[:, None] / 50, np.arange(24) % 2, "fewer than 20 different rows"),
        (np.ones((100, 4)) * np.linspace(1, 2, 100)[:, None], np.arange(100) % 2, "most rows have equal features"),
    ],
)
def test_when_nothing_can_be_said_the_settings_say_why(x: NDArray[np.float64], y: NDArray[np.int64], said: str) -> None:
    audit = ps.audit(*of_vectors(x, y), baseline=False)
    assert audit.why is None
    assert said in audit.settings["why"]


def test_it_can_be_switched_off() -> None:
    x, y = blobs(100, 2, 0.3)
    audit = ps.audit(*of_vectors(x, y), baseline=False, why=False)
    assert audit.why is None
    assert audit.settings["why"] == "switched off"
    assert "Why" not in ps.to_text(audit).split()
    for command in (["audit", "t.csv", "--no-why"], ["compare", "t.csv", "--no-why"]):
        assert build().parse_args(command).no_why is True
        assert build().parse_args(command[:2]).no_why is False


def test_stopped_in_the_middle_the_ladder_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    x, y = blobs(100, 2, 0.3)
    whole = ps.audit(*of_vectors(x, y), baseline=False)
    monkeypatch.setattr("presheaf.audits.why.decision", stopped)
    audit = ps.audit(*of_vectors(x, y), baseline=False)
    assert (audit.why, audit.settings["why"]) == (None, "stopped")
    assert audit.ladder == whole.ladder
    assert "the ladder is complete" in audit.interrupted


def test_the_density_rule_is_the_weighted_colimit() -> None:
    rng = np.random.default_rng(4)
    unit = rng.standard_normal((20, 5)).astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    weights = [np.array([0.1, 0.4]), np.array([0.0, 0.3, 0.2])]
    scores = density_prompts.rule([unit[:2], unit[2:5]], weights)(unit)
    for i in range(20):
        for label, (points, added) in enumerate(zip((unit[:2], unit[2:5]), weights, strict=True)):
            least = min(np.arccos(np.clip(unit[i] @ p, -1, 1)) + w for p, w in zip(points, added, strict=True))
            assert scores[i, label] == pytest.approx(-least, abs=1e-3)


def test_the_rung_takes_density_prompts_only_where_they_win_and_says_so() -> None:
    """Whichever family loses on the choosing half, its accuracy there stands beside the winner's."""
    for name in WORLDS:
        rung = audited(name).rung("k prompts per label")
        evidence = rung.evidence
        if evidence["type"] == "density":
            assert evidence["choosing_accuracy"] >= evidence["without_density"]
        else:
            assert evidence["density_choosing_accuracy"] <= evidence["choosing_accuracy"]
            assert "the density theorem's k" in rung.detail


def test_rare_parts_of_a_label_get_their_prompts_by_the_density_theorem() -> None:
    """Three far clusters a label, two of them rare: random rows miss those, a cover of the label can't."""
    rng = np.random.default_rng(5)
    share = np.array([0.44, 0.44, 0.03, 0.03, 0.03, 0.03])
    cluster = rng.choice(6, 800, p=share)
    x = np.eye(8)[cluster] + 0.02 * rng.standard_normal((800, 8))
    rung = ps.audit(*of_vectors(x, cluster % 2), baseline=False, why=False).rung("k prompts per label")
    assert rung.accuracy == 1
    assert (rung.evidence["type"], rung.evidence["k"], rung.cost) == ("density", 3, "6 labelled rows as prompts")


def test_texts_stand_beside_the_rows_of_the_gap() -> None:
    x, y = blobs(200, 2, 0.5)
    model, task = of_texts(x, y)
    why = why_of(ps.audit(model, task, baseline=False))
    assert why.gap
    assert task.texts is not None
    for row in why.gap:
        assert row.text == task.texts[row.row - 1]


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_the_curve_is_measured_as_the_distance_is_and_loses_to_it_by_chance_only(share: float) -> None:
    """Labels that mean nothing: "unrelated" for all rows misses those of the label, "related" the others."""
    rng = np.random.default_rng(6)
    y = (rng.random(400) < share).astype(int)
    why = why_of(ps.audit(*of_vectors(rng.standard_normal((400, 12)), y), baseline=False))
    for label, common in zip(why.labels, (1 - share, share), strict=True):
        value, calibrated, _ = label.levels
        assert value.share.value is not None
        assert calibrated.share.value is not None
        assert calibrated.share.value <= value.share.value + 0.05
        assert calibrated.share.value == pytest.approx(min(common, 1 - common), abs=0.1)
        assert calibrated.null_p is not None
        assert calibrated.null_p >= 0.05


def test_noise_between_halves_of_the_features_grows_with_it() -> None:
    rng = np.random.default_rng(8)
    y = np.arange(300) % 2
    wide, narrow = rng.standard_normal((300, 400)), rng.standard_normal((300, 12))
    floors = [why_of(ps.audit(*of_vectors(x, y), baseline=False)).laws for x in (wide, narrow)]
    assert all(laws.noise == "two halves of the features" for laws in floors)
    assert 0 < (floors[0].floor or 0) < (floors[1].floor or 0)
    # An angle between n random features is known to about 1 / sqrt(n); a triple has three, and 99 % reach 2.6 times that.
    assert floors[0].floor == pytest.approx(2.6 * np.sqrt(3 / 200), rel=0.3)


def test_too_few_features_have_no_noise_floor_and_say_so() -> None:
    rng = np.random.default_rng(9)
    laws = why_of(ps.audit(*of_vectors(rng.standard_normal((200, 3)), np.arange(200) % 2), baseline=False)).laws
    assert (laws.floor, laws.noise) == (None, "3 features are too few to part")
