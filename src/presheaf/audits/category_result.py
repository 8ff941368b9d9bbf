"""The answer of `compare_categories` as plain values: what text, JSON and HTML show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from presheaf.audits.result import VIEWS, Kind, RowGroup
from presheaf.models.base import ModelInfo

Decision = Literal["same", "worse", "better", "no loss shown", "changed"]
"""same: no change beyond float noise. worse, better: a rung of the task is shown to be. no loss shown: no rung is, which
proves no equality; the intervals say how much it may be. changed: there is no task to judge by."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; None where there is none (an infinite end, nothing to measure on)."""

    value: float | None
    low: float | None
    high: float | None
    kind: Kind = "estimate"


@dataclass(frozen=True)
class Change:
    """By how much distances change over ordered pairs of distinct objects, in radians (after the scale)."""

    mean: Estimate
    q95: Estimate
    q99: Estimate
    largest: float | None


@dataclass(frozen=True)
class Kept:
    """What is kept of the neighbourhoods and of the order of distances.

    Attributes
    ----------
    k : int
    neighbours : Estimate
        Share of each object's k nearest others that stay among them.
    chance : float
        What unrelated models keep.
    words : float or None
        What random word vectors keep of the first model's neighbours: the part that shared words explain. None without texts.
    order : Estimate
        Spearman's correlation of an object's distances to all others before and after, mean over objects.
    order_words : float or None
        The same between the first model and random word vectors.
    """

    k: int
    neighbours: Estimate
    chance: float
    words: float | None
    order: Estimate
    order_words: float | None


@dataclass(frozen=True)
class LawsKept:
    """Whether a model's hom is a category: known or measured on sampled triples. ``largest`` in radians."""

    model: str
    hom: str
    quantale: str
    lawful: bool | None
    reason: str
    broken: Estimate
    largest: float | None


@dataclass(frozen=True)
class FloatNoise:
    """Some objects encoded again one at a time, in the best precision there is.

    Attributes
    ----------
    objects : int
        0 where a model can't be asked again.
    precisions : (str, str)
        Of the first and the second model.
    usual, exact : float or None
        Largest change of a distance between these objects as encoded in batches, and one at a time. In nanoradians.
    same : bool
        Whether what differs is rounding: nothing differs by more than batches can do, and one at a time next to nothing.
    """

    objects: int
    precisions: tuple[str, str]
    usual: float | None
    exact: float | None
    same: bool


@dataclass(frozen=True)
class MergeChange:
    """Rows that only one of the models can't tell apart.

    Attributes
    ----------
    tier : "T0" (equal input, whatever the weights are) or "T1" (equal features one at a time)
    new, lost : tuple of RowGroup
        Merged by the second model only, by the first only. Row groups beyond 200 are counted.
    new_left_out, lost_left_out : int
    missing : str
        Why it can't be seen; "" when it can.
    """

    tier: Literal["T0", "T1"]
    new: tuple[RowGroup, ...]
    lost: tuple[RowGroup, ...]
    new_left_out: int = 0
    lost_left_out: int = 0
    missing: str = ""


@dataclass(frozen=True)
class RungChange:
    """A rung of the ladder for both models on the same held-out rows.

    difference : after minus before, its interval widened so that those of all rungs hold at once (Bonferroni).
    same_prompts : the same with the first model's prompts under both; None for a rung without, or where they don't fit.
    p : McNemar's exact p, of prompts the larger of both ways, which have to agree in sign; p_adjusted : Holm over the rungs.
    """

    rung: str
    before: Estimate
    after: Estimate
    difference: Estimate
    only_before: int
    only_after: int
    p: float
    p_adjusted: float
    change: Literal["worse", "better", "not shown"]
    same_prompts: Estimate | None = None


@dataclass(frozen=True)
class Represented:
    """How one model's prompt stands for a label or a task, on held-out rows.

    Attributes
    ----------
    verdict : "representable", "not within the candidates" or "cannot say"
        By the tests of `presheaf.enriched`; those of all labels, levels and both models hold at once with 95 %.
    fits : Estimate
        Share of held-out rows within the margin (decision: decided rightly). All lower ends hold at once with 95 %, and so do all
        upper ends.
    prompts : tuple of int
        Row numbers.
    null_p : float or None
        Share of shuffled tasks that a prompt chosen the same way fits as well: where it is not small, a task that few rows
        have is fitted by any far row. None: not computed.
    """

    verdict: Literal["representable", "not within the candidates", "cannot say"]
    fits: Estimate
    prompts: tuple[int, ...]
    null_p: float | None


@dataclass(frozen=True)
class FitRow:
    """A held-out row that the prompt of one model fits and that of the other does not.

    before, after : deviation from the task in radians; at the decision level how much further the row's own prompt is than the
    nearest other one (negative: decided rightly).
    """

    row: int
    text: str
    label: str
    before: float
    after: float


@dataclass(frozen=True)
class TaskChange:
    """A label or the whole task as a presheaf, under both models (Theorem 1).

    Attributes
    ----------
    label : str
        "" for the whole task.
    level : "value" (T = h_p), "calibrated" (T = g(h_p)) or "decision" (the nearest prompt decides)
    before, after : Represented
    difference : Estimate
        Share of rows that fit, after minus before, each model with its own prompt. The intervals of all hold at once.
    only_before, only_after : int
        Held-out rows that fit under one model only.
    p, p_adjusted : float
        McNemar's exact test, and after Holm over all labels and levels.
    change : "worse", "better" or "not shown"
        By the paired test.
    verdict_changed : bool
        The verdicts differ, and that is shown: by the paired test, or as they exclude each other.
    rows : tuple of FitRow
        Rows that carry the change, those lost first; only where one is shown. ``rows_left_out`` more.
    """

    label: str
    level: Literal["value", "calibrated", "decision"]
    before: Represented
    after: Represented
    difference: Estimate
    only_before: int
    only_after: int
    p: float
    p_adjusted: float
    change: Literal["worse", "better", "not shown"]
    verdict_changed: bool
    rows: tuple[FitRow, ...] = ()
    rows_left_out: int = 0


@dataclass(frozen=True)
class TaskChanges:
    """Which labels one prompt stands for, under both models, on the same held-out rows.

    Attributes
    ----------
    choosing, scoring : int
        Rows of either half that are looked at; the prompts are chosen on the first.
    scale_before, scale_after : float or None
        Distance from which rows count as unrelated to a label, in radians: each model's median.
    margin : float
        Deviation that counts as none, as a share of the scale.
    outside : float
        Share of rows that may deviate by more.
    wrong : float
        Share of rows that prompts may decide wrongly: 1 - target, or ``outside`` without one.
    tasks : tuple of TaskChange
        The whole task, then the most common labels; ``labels_left_out`` more.
    missing : str
        Why there are none; "" where there are.
    """

    choosing: int
    scoring: int
    scale_before: float | None
    scale_after: float | None
    margin: float
    outside: float
    wrong: float
    tasks: tuple[TaskChange, ...]
    labels_left_out: int
    missing: str = ""

    @property
    def changed(self) -> tuple[TaskChange, ...]:
        """Those whose verdict is shown to have changed."""
        return tuple(task for task in self.tasks if task.verdict_changed)


@dataclass(frozen=True)
class ChangedRow:
    """An object that changed much, with its nearest neighbours' rows and what their labels say.

    kept : share of its k nearest that stay. moved : mean change of its distances, in radians. nearest_before, nearest_after :
    row numbers. label_before, label_after : most common label of the k nearest; "" without labels.
    """

    row: int
    text: str
    label: str
    kept: float
    moved: float
    nearest_before: int
    nearest_after: int
    text_before: str = ""
    text_after: str = ""
    label_before: str = ""
    label_after: str = ""


@dataclass(frozen=True)
class Relabelled:
    """Objects whose k nearest vote for another label under the second model (share: of all objects; lost: right before)."""

    share: Estimate
    objects: int
    lost: int
    gained: int
    rows: tuple[ChangedRow, ...]


@dataclass(frozen=True)
class CategoryComparison:
    """Is one model's category inside another's? Two models' homs on the same objects.

    Attributes
    ----------
    before, after : ModelInfo
    verdict : str
    decision : see `Decision`
    objects : int
        Distinct objects compared; ``of`` is how many there are (more than ``objects`` when sampled).
    left_out : tuple of int
        Rows to which a model gives no direction (features all zero).
    scale : float
        Factor on the first model's distances, fitted on half of the objects and scored on the other; 1 and ``fitted`` 0
        without calibration.
    full, functor, either : Change
        Closeness the second model adds (D_before - D_after)^+, closeness it loses (D_after - D_before)^+, and both.
        ``largest`` is of the pairs looked at: ``settings["pairs"]``, all of them if ``settings["all_pairs"]``.
    size : float or None
        Mean distance before, in radians.
    rungs : tuple of RungChange
        Empty without labels. ``verdicts`` holds the audits' decisions before and after.
    most_changed : tuple of ChangedRow
        Fewest neighbours kept first.
    tasks : TaskChanges or None
        Labels that one prompt stands for under both models; None without labels.
    """

    before: ModelInfo
    after: ModelInfo
    verdict: str
    decision: Decision
    task: dict[str, Any]
    settings: dict[str, Any]
    objects: int
    of: int
    left_out: tuple[int, ...]
    scale: float
    fitted: int
    full: Change
    functor: Change
    either: Change
    size: float | None
    kept: Kept
    laws: tuple[LawsKept, ...]
    noise: FloatNoise
    merges: tuple[MergeChange, ...]
    rungs: tuple[RungChange, ...]
    verdicts: tuple[str, ...]
    relabelled: Relabelled | None
    most_changed: tuple[ChangedRow, ...] = field(default=())
    tasks: TaskChanges | None = None

    def __repr__(self) -> str:
        return f"CategoryComparison({self.before.name!r} -> {self.after.name!r}: {self.verdict})"

    def _repr_html_(self) -> str | None:
        return str(VIEWS["categories card"](self)) if "categories card" in VIEWS else None
