"""The answer of an audit as plain values: what text, JSON and HTML all show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from presheaf.audits.prompting_result import Prompting
from presheaf.audits.why_result import Why
from presheaf.models.base import ModelInfo

Kind = Literal["proof", "estimate", "heuristic"]
Status = Literal["found", "not found", "not applicable", "cannot say"]
Severity = Literal["info", "warning", "error"]
Decision = Literal[
    "prompt", "ensemble", "soft prompt", "head", "fine-tune", "change the model", "relabel", "cannot say"
]


VIEWS: dict[str, Callable[[Any], Any]] = {}
"""How a result draws itself in a notebook. `presheaf.report` fills it in, so that no import points up."""


@dataclass(frozen=True)
class Rung:
    """One line of the ladder.

    Attributes
    ----------
    name : str
        "majority class", "one prompt per label", "k prompts per label", "soft prompt", "head",
        "fine-tune forecast", "input ceiling", "label ceiling"; for a language model also "written prompt",
        "few-shot prompt", "tuned soft prompt", "layer probe", and on request "fine-tuned (LoRA)" or "(last layers)".
    kind : "proof", "estimate" or "heuristic"
    accuracy, low, high : float or None
        Accuracy on held-out rows and its 95 % interval, all in [0, 1]; None when there is no number.
    rows : int
        Held-out rows the number stands on.
    cost : str
        What it costs: "2 prompts", "16 labels per class", "training".
    detail : str
        One line: which prompt, which k, which head.
    nulls : dict of str to float
        What can be reached without the model: {"random features": 0.61, "permuted labels": 0.50}.
    evidence : dict
        Further plain values for JSON (number of candidates tried, chosen settings, rows proved wrong, ...).
    missing : str
        Why there is no number; "" when there is one.
    theorem : str
        The statement of the theory that the rung stands on ("T1", "T2, up to symmetry"), "none" for a baseline.
    """

    name: str
    kind: Kind
    accuracy: float | None
    low: float | None
    high: float | None
    rows: int
    cost: str
    detail: str = ""
    nulls: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    missing: str = ""
    theorem: str = ""


@dataclass(frozen=True)
class RowGroup:
    """Rows a finding is about that belong together: a merge, a contradiction, or a single row.

    Attributes
    ----------
    rows : tuple of int
        1-based row numbers of the table.
    labels : tuple of str
        Class name of each.
    texts : tuple of str
        Text of each, or its path where the objects are images (empty when the table has neither).
    cause : str
        "case", "accents", "white space", "order", "truncation", "unknown token", ...; "" when there is none.
    note : str
        E.g. the tokens that became equal, or what was cut off.
    """

    rows: tuple[int, ...]
    labels: tuple[str, ...]
    texts: tuple[str, ...] = ()
    cause: str = ""
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """A coded statement with its evidence. ``rows`` holds every row id; ``groups`` may be cut (``groups_left_out``)."""

    code: str
    title: str
    status: Status
    kind: Kind
    severity: Severity
    message: str
    remedy: str = ""
    rows: tuple[int, ...] = ()
    groups: tuple[RowGroup, ...] = ()
    groups_left_out: int = 0
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def docs(self) -> str:
        """Page that explains the code, relative to the repository."""
        return f"docs/findings/{self.code}.md"


@dataclass(frozen=True)
class PromptChoice:
    """A prompt per label that was tried, best first. Accuracy is on the scoring half; ``choosing`` on the other one.

    origin : "user", "template" or "exemplar" (or "mixed" when labels take theirs from different places).
    prompts : one (class name, prompt text) a label, as copied by a user.
    """

    origin: str
    template: str
    prompts: tuple[tuple[str, str], ...]
    choosing: float
    accuracy: float
    low: float
    high: float
    chosen: bool = False


@dataclass(frozen=True)
class CurvePoint:
    """Accuracy with k prompts per label. type: "max" (the colimit of representables) or "mean"."""

    k: int
    type: Literal["max", "mean"]
    accuracy: float
    low: float
    high: float
    draws: int


@dataclass(frozen=True)
class Forecast:
    """How many prompts per label the target takes, read off the curve. None: not within reach of the fitted curve."""

    target: float
    k: float | None
    low: float | None
    high: float | None
    reached: bool
    detail: str = ""


@dataclass(frozen=True)
class WorstRow:
    """A held-out row that the frozen rungs get wrong, with how many of them do and why it may be."""

    row: int
    label: str
    predicted: str
    wrong_rungs: int
    rungs: int
    confidence: float
    text: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Verdict:
    """One sentence and one decision. ``reached`` is None when no target was given or the rows don't show it."""

    decision: Decision
    sentence: str
    target: float | None
    reached: bool | None
    kind: Kind
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Audit:
    """What a model can be made to do on a task. See `presheaf.report` for its three faces.

    Attributes
    ----------
    verdict : Verdict
    ladder : tuple of Rung
    findings : tuple of Finding
        Every registered finding, found or not, in the order of their codes.
    prompts : tuple of PromptChoice
        Best first; the chosen one is marked.
    curve : tuple of CurvePoint
    forecast : Forecast or None
    rows : tuple of WorstRow
    model : ModelInfo
    baseline : tuple of Rung
        The same rungs for TF-IDF + truncated SVD, of images for pixels; empty when the objects are neither.
    task : dict
        name, source, rows, classes (name to count), objects ("text", "image" or "none"), text_column, label_column, skipped rows, notes.
    settings : dict
        seed, target, halves, margins: everything needed to get the same numbers again.
    interrupted : str
        "" or which part of the rows was seen before the run was stopped.
    why : Why or None
        What the model's category says about the task; None if it was switched off, or ``settings["why"]`` says why not.
    prompting : Prompting or None
        What prompts reached when the model itself scored them; None for a model that is no language model.
    """

    verdict: Verdict
    ladder: tuple[Rung, ...]
    findings: tuple[Finding, ...]
    prompts: tuple[PromptChoice, ...]
    curve: tuple[CurvePoint, ...]
    forecast: Forecast | None
    rows: tuple[WorstRow, ...]
    model: ModelInfo
    baseline: tuple[Rung, ...]
    task: dict[str, Any]
    settings: dict[str, Any]
    interrupted: str = ""
    why: Why | None = None
    prompting: Prompting | None = None

    def __repr__(self) -> str:
        return f"Audit({self.model.name!r} on {self.task.get('name', 'table')!r}: {self.verdict.sentence})"

    def _repr_html_(self) -> str | None:
        return str(VIEWS["card"](self)) if "card" in VIEWS else None

    def plot(self) -> Any:
        """The ladder and the prompt curve as a drawing: `presheaf.report.Display`, shown by a notebook, ``save("x.svg")``."""
        return VIEWS["plot"](self)

    def to_frame(self) -> Any:
        """The ladder as a pandas data frame, a row a rung; MissingDependencyError without pandas."""
        return VIEWS["frame"](self)

    def rung(self, name: str) -> Rung:
        """The rung of that name.

        Raises
        ------
        KeyError
            If the ladder has no rung of that name.
        """
        for rung in self.ladder:
            if rung.name == name:
                return rung
        raise KeyError(f"no rung {name!r}; there are {', '.join(r.name for r in self.ladder)}")

    def finding(self, code: str) -> Finding:
        """The finding with that code (KeyError if there is none)."""
        for finding in self.findings:
            if finding.code == code:
                return finding
        raise KeyError(f"no finding {code!r}; there are {', '.join(f.code for f in self.findings)}")


@dataclass(frozen=True)
class Difference:
    """Two models on the same held-out rows: accuracy of the head of each, and a paired test.

    accuracy is a's minus b's, its interval widened so that all of a comparison hold at once (Bonferroni); p is McNemar's
    exact p, p_adjusted after Holm over all pairs of the comparison.
    """

    a: str
    b: str
    accuracy: float
    low: float
    high: float
    only_a: int
    only_b: int
    p: float
    p_adjusted: float


@dataclass(frozen=True)
class Comparison:
    """Several models on the same rows and the same halves, best first.

    groups : names of models that can't be told apart from the best of their group (each list best first).
    why : one line a pair, e.g. rows merged by one model only.
    """

    audits: tuple[Audit, ...]
    differences: tuple[Difference, ...]
    groups: tuple[tuple[str, ...], ...]
    why: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    verdict: str
    target: float | None

    def _repr_html_(self) -> str | None:
        return str(VIEWS["card"](self)) if "card" in VIEWS else None

    def to_frame(self) -> Any:
        """All ladders as one pandas data frame, a row a rung and model; MissingDependencyError without pandas."""
        return VIEWS["frame"](self)
