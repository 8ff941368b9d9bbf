"""Why an audit came out as it did, as plain values: what the model's category says about the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["proof", "estimate", "heuristic"]
Verdict = Literal["representable", "not within the candidates", "cannot say"]
SHUFFLES = 19
"""Shuffles of the labels behind ``null_p``: 1/20 is the least p they can give."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; None where there is no such number."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Setting:
    """What all numbers of the section were made with. Distances are in radians.

    Attributes
    ----------
    hom, quantale, reason : str
        How two objects relate, in which quantale, and why it keeps the laws of a category (or does not).
    lawful : bool or None
    fitted : int
        Numbers fitted on the choosing rows without their labels: ``scale`` and ``lam``.
    choosing, scoring : int
        Rows looked at in each half; rows that are copies of each other count once.
    scale : float
        Distance at which two rows count as unrelated: the median over pairs of choosing rows.
    margin : float
        Deviation from a task that counts as none: a quarter of ``scale``.
    outside : float
        Share of rows that may deviate by more.
    lam : float
        Distance at which two rows count as close: the median distance from a choosing row to the nearest other one.
    """

    hom: str
    quantale: str
    lawful: bool | None
    reason: str
    fitted: int
    choosing: int
    scoring: int
    scale: float
    margin: float
    outside: float
    lam: float


@dataclass(frozen=True)
class LawsSeen:
    """Defects of the hom over triples of distinct rows.

    share : triples that break the triangle law; mean, largest : by how much, in radians; symmetry : mean difference of the
    two directions over the mean distance; floor : what noise alone puts on a triple, by two measurements of the distances (99 %
    of the triples differ by less); None where there are none; noise : which two, or why there are none. kind : "proof" where
    all triples of these rows were looked at.
    """

    kind: Kind
    triples: int
    share: Estimate
    mean: Estimate
    largest: float
    symmetry: Estimate
    floor: float | None = None
    noise: str = ""


@dataclass(frozen=True)
class LevelSeen:
    """Theorem 1 at one level: "value" (T = h_p), "calibrated" (T = g(h_p)), "decision" (nearest prompt), "soft".

    share : held-out rows outside the margin, at value and calibrated level further than `Setting.margin` from the task, in the
    same unit (decision, soft: decided wrongly); each end alone holds with 95 %. prompts : row numbers
    of the table. null_p : share of shuffled tasks for which prompts chosen the same way do as well; None: not computed.
    """

    level: str
    kind: Kind
    verdict: Verdict
    reason: str
    prompts: tuple[int, ...]
    share: Estimate
    null_p: float | None = None


@dataclass(frozen=True)
class LabelWhy:
    """One label as a presheaf: 0 on its rows, ``scale`` elsewhere.

    Attributes
    ----------
    levels : "value", "calibrated" and "soft"
    number_low, number_high : int, and int or None
        The least number of weighted prompts within the margin on the choosing rows lies between them (proof, on these rows
        and candidates); None: no number of candidates comes that near.
    number_least : float
        How near all candidates together come: the least sup error of any number of them, in radians (proof, likewise).
    enough : int or None
        Least number of prompts that is also shown to be enough for further rows (estimate); None: none of those tried.
    coverage, shuffled : Estimate
        Held-out rows whose label lies between the two Kan extensions from the choosing rows, and the same with held-out labels
        shuffled: where both are near, the bounds say nothing.
    """

    label: str
    rows: int
    levels: tuple[LevelSeen, ...]
    number_low: int
    number_high: int | None
    number_least: float
    enough: int | None
    coverage: Estimate
    shuffled: Estimate


@dataclass(frozen=True)
class DensityPoint:
    """The prompt curve at k prompts a label: theory beside measurement.

    rho_low, rho_high : the least sup error of k weighted prompts on the choosing rows lies between them, for the label that is
    worst off (proof, on these rows and candidates). density : held-out accuracy of deciding by these prompts. drawn : held-out
    accuracy of k random rows (max-type), where the ladder measured it.
    """

    k: int
    rho_low: float
    rho_high: float
    density: Estimate
    drawn: Estimate


@dataclass(frozen=True)
class CeilingPoint:
    """What no rule that respects closeness at ``lam`` passes on the rows looked at (proof), and a leave-one-out estimate.

    strict : one label for every chain of close rows. margin : any two close rows that keep their labels agree. neighbours : share
    of rows that have a close one at all; the others can't conflict and say nothing.
    """

    lam: float
    strict: float
    margin: float
    leave_one_out: Estimate
    neighbours: float
    shuffled: float


@dataclass(frozen=True)
class GapRow:
    """A held-out row that the category leaves open: no choosing row is close, or close ones carry different labels."""

    row: int
    label: str
    status: Literal["open", "contradicted"]
    nearest: int
    nearest_label: str
    distance: float
    rival: float
    text: str = ""


@dataclass(frozen=True)
class LossPart:
    """One part of the held-out error; the parts' errors sum to the total.

    name : "collision" (a close choosing row carries another label), "indeterminacy" (no choosing row is close), "estimation" (all
    close ones carry the row's own label, and the predictor misses it). error : rows of this part that are wrong; rows : all rows of
    this part; shuffled : rows of this part if the choosing labels are shuffled. All are shares of the held-out rows.
    """

    name: str
    error: Estimate
    rows: Estimate
    shuffled: Estimate


@dataclass(frozen=True)
class Why:
    """What the model's category says about the task, beside what was measured.

    Attributes
    ----------
    setting : Setting
    laws : LawsSeen
    decision : LevelSeen
    labels : tuple of LabelWhy
        The most common labels; ``labels_left_out`` more are not looked at one by one.
    curve : tuple of DensityPoint
    ceilings : tuple of CeilingPoint
        On ``ceiling_rows`` rows of both halves.
    nearest_conflict : float or None
        lambda*, the least distance of two rows with different labels; None: beyond the last of ``ceilings``.
    open, contradicted : Estimate
        Shares of held-out rows inside the Kan gap at ``setting.lam``.
    gap : tuple of GapRow
        Contradicted rows first, the closest conflict first; ``gap_left_out`` more are not listed.
    predictor : str
        The rung whose error is taken apart in ``loss``.
    error : Estimate
    loss : tuple of LossPart
    cover : float
        Probability that random labels of ``cover_rows`` rows could be separated perfectly in ``cover_dimensions`` dimensions.
    """

    setting: Setting
    laws: LawsSeen
    decision: LevelSeen
    labels: tuple[LabelWhy, ...]
    labels_left_out: int
    curve: tuple[DensityPoint, ...]
    ceilings: tuple[CeilingPoint, ...]
    ceiling_rows: int
    nearest_conflict: float | None
    open: Estimate
    contradicted: Estimate
    gap: tuple[GapRow, ...]
    gap_left_out: int
    predictor: str
    error: Estimate
    loss: tuple[LossPart, ...]
    cover: float
    cover_rows: int
    cover_dimensions: int
