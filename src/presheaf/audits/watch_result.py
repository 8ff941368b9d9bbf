"""What was seen of a model while it was trained: one moment for each checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from presheaf.audits.result import VIEWS


@dataclass(frozen=True)
class Measure:
    """A number with its 95 % interval; ``value`` None where there is none, with the reason in ``missing``."""

    value: float | None
    low: float | None
    high: float | None
    missing: str = ""


@dataclass(frozen=True)
class MomentRung:
    """A rung of the labelled table's ladder at one checkpoint.

    ``null`` is the best that is reached without the model (permuted labels, random features), None where not measured.
    ``right`` are the held-out rows (1-based) that the rung gets right, ``rows`` those it was scored on.
    """

    name: str
    kind: str
    accuracy: Measure
    null: float | None
    right: tuple[int, ...] = field(default=(), repr=False)
    rows: tuple[int, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Moment:
    """One checkpoint.

    Attributes
    ----------
    step : int
        0 is the random initialisation.
    loss : float or None
        Of the pre-training task, mean over the steps since the checkpoint before; None at step 0.
    ideality : Measure
        I(f) against the task's own hom on held-out objects: 0 is ideal.
    merges, invented, lost : float or None
        Its three parts.
    ideality_null : float or None
        I(f) with the objects of the task's hom shuffled, mean.
    broken : Measure
        Share of triples of objects that break the law of composition in the model's hom.
    alignment : Measure
        How much nearer than others the model puts what the task relates.
    effective_rank : Measure
        Directions the embedding uses.
    dim : int
        Directions it has.
    rungs : tuple of MomentRung
        On the labelled table; empty without one.
    baseline : tuple of MomentRung
        The same rungs for the plain baseline of such objects (pixels, TF-IDF); at the first checkpoint only.
    """

    step: int
    loss: float | None
    ideality: Measure
    merges: float | None
    invented: float | None
    lost: float | None
    ideality_null: float | None
    broken: Measure
    alignment: Measure
    effective_rank: Measure
    dim: int
    rungs: tuple[MomentRung, ...] = ()
    baseline: tuple[MomentRung, ...] = ()

    def rung(self, name: str) -> MomentRung | None:
        """The rung of that name, or None."""
        return next((rung for rung in self.rungs if rung.name == name), None)


@dataclass(frozen=True)
class RungChange:
    """What training did to a rung: the last checkpoint minus the first, on the same held-out rows.

    ``p_adjusted`` is McNemar's, Holm over the rungs.
    """

    rung: str
    before: float
    after: float
    difference: Measure
    p_adjusted: float


@dataclass(frozen=True)
class Watch:
    """A training run as a category that forms.

    Attributes
    ----------
    verdict : str
        One or two sentences.
    pretext : dict of str to str
        Name, objects, hom, quantale, orientation, source of the pre-training task.
    data : dict
        Name, source, licence, numbers of objects.
    table : dict
        The labelled table: name, rows, classes; empty without one.
    moments : tuple of Moment
        By step.
    changes : tuple of RungChange
    model : str
        Specification of the trained model, as `load_model` takes it.
    settings : dict
    interrupted : bool
        Whether training was stopped before its last step.
    """

    verdict: str
    pretext: dict[str, str]
    data: dict[str, Any]
    table: dict[str, Any]
    moments: tuple[Moment, ...]
    changes: tuple[RungChange, ...]
    model: str
    settings: dict[str, Any]
    interrupted: bool = False

    def _repr_html_(self) -> str | None:
        return str(VIEWS["watch card"](self)) if "watch card" in VIEWS else None
