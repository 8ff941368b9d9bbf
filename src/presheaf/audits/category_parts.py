"""The parts of a comparison of categories: merges, float noise, rungs, neighbours' labels."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.category_result import (
    Change,
    ChangedRow,
    Estimate,
    FloatNoise,
    LawsKept,
    MergeChange,
    Relabelled,
    RungChange,
)
from presheaf.audits.climb import Climb
from presheaf.audits.context import Context
from presheaf.audits.findings.base import FROZEN
from presheaf.audits.merges import ROUNDING, SHOWN, Merges, number
from presheaf.audits.result import Kind, RowGroup
from presheaf.audits.run import Outcome
from presheaf.enriched.compare import HomChange
from presheaf.enriched.distortion import Side
from presheaf.enriched.hom import Hom
from presheaf.enriched.laws import laws
from presheaf.statistics.intervals import Interval, accuracy_interval, paired_difference
from presheaf.statistics.paired import holm, mcnemar

Ints = NDArray[np.int64]
Hits = NDArray[np.bool_]

ALPHA = 0.05
TRIPLES = 20_000
"""Triples sampled for the laws of each model."""
AGAIN = 40
"""Objects encoded again one at a time."""
BATCHES = 1e-3
"""Radians: more than different batches change an angle between float32 features."""
ALONE = {"float64": 1e-9}
"""Radians up to which angles of features encoded one at a time are equal but for rounding, by precision."""
ALONE_SINGLE = 1e-5


def estimate(interval: Interval, kind: Kind = "estimate") -> Estimate:
    """An interval as plain values, None for what is not finite."""
    return Estimate(finite(interval.value), finite(interval.low), finite(interval.high), kind)


def finite(value: float) -> float | None:
    """The number, or None where it is not finite."""
    return float(value) if isfinite(value) else None


def change(side: Side, kind: Kind) -> Change:
    """One side of a distortion as plain values."""
    return Change(estimate(side.mean, kind), estimate(side.q95, kind), estimate(side.q99, kind), finite(side.largest))


def laws_kept(name: str, hom: Hom, seed: int) -> LawsKept:
    """What is known and what is measured of a hom's laws."""
    seen = laws(hom, exact_up_to=0, triples=TRIPLES, seed=seed)
    return LawsKept(
        name, hom.name, hom.quantale.name, hom.lawful, hom.reason, estimate(seen.share), finite(seen.largest)
    )


def input_merges(before: Context, after: Context) -> MergeChange:
    """Rows with different texts that reach only one of the models as one input (T0, exact)."""
    if before.keys is None or after.keys is None:
        which = before.model.info.name if before.keys is None else after.model.info.name
        return MergeChange("T0", (), (), missing=f"the input of {which} can't be seen")
    first, second = number(before.keys), number(after.keys)
    merges = Merges(after)
    new, lost = _only(second, first, merges), _only(first, second, merges)
    return MergeChange("T0", new[:SHOWN], lost[:SHOWN], max(0, len(new) - SHOWN), max(0, len(lost) - SHOWN))


def _only(merged: Ints, other: Ints, merges: Merges) -> tuple[RowGroup, ...]:
    """Groups of one number in ``merged`` that have several in ``other``, in the order of their first rows."""
    kinds = np.unique(np.stack([merged, other], axis=1), axis=0)
    several = np.flatnonzero(np.bincount(kinds[:, 0]) > 1)
    members: dict[int, list[int]] = {}
    for position in np.flatnonzero(np.isin(merged, several)):
        members.setdefault(int(merged[position]), []).append(int(position))
    rows = merges.context.task.rows
    groups = [sorted(group, key=lambda p: int(rows[p])) for group in members.values()]
    return tuple(merges.rows(group) for group in sorted(groups, key=lambda g: int(rows[g[0]])))


def feature_merges(before: Context, after: Context) -> MergeChange:
    """Pairs of rows with different inputs that only one of the models gives equal features, one at a time (T1)."""
    sides = []
    for context, other in ((after, before), (before, after)):
        merges = Merges(context)
        pairs = [(m.a, m.b) for m in merges.feature_merges if m.tier == "T1" and _apart(other, m.a, m.b)]
        sides.append(tuple(merges.rows(pair) for pair in pairs))
    new, lost = sides
    return MergeChange("T1", new[:SHOWN], lost[:SHOWN], max(0, len(new) - SHOWN), max(0, len(lost) - SHOWN))


def _apart(context: Context, a: int, b: int) -> bool:
    """Whether features differ by more than batches can make them differ."""
    return float(np.linalg.norm(context.features[a] - context.features[b])) > ROUNDING


def float_noise(before: Context, after: Context, positions: Ints, largest: float) -> FloatNoise:
    """Encode objects one at a time with both models and see whether what changed was rounding.

    Parameters
    ----------
    positions : int array
        Of the contexts' rows; at most ``AGAIN`` are looked at.
    largest : float
        Largest change of a distance seen over all objects, in radians.
    """
    chosen = positions[:AGAIN]
    one, two = _alone(before, chosen), _alone(after, chosen)
    if one is None or two is None:
        return FloatNoise(0, ("", ""), None, None, False)
    usual = [_angles(context.features[chosen].astype(np.float64)) for context in (before, after)]
    (first, p), (second, q) = one, two
    gaps = [float(np.abs(u - v).max(initial=0.0)) for u, v in (usual, (_angles(first), _angles(second)))]
    allowed = max(ALONE.get(precision, ALONE_SINGLE) for precision in (p, q))
    same = largest <= BATCHES and gaps[1] <= allowed
    return FloatNoise(len(chosen), (p, q), gaps[0] * 1e9, gaps[1] * 1e9, same)


def _alone(context: Context, positions: Ints) -> tuple[NDArray[np.float64], str] | None:
    task, model = context.task, context.model
    if model.takes == "row" or task.objects is None:
        objects: Sequence[Any] = [int(row) for row in task.rows[positions]]
    else:
        objects = [task.objects[p] for p in positions]
    found = model.encode_exact(objects)
    return None if found is None else (np.asarray(found[0], dtype=np.float64), found[1])


def _angles(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles between all rows, small ones exact. Shape (m, m)."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    chord = np.linalg.norm(unit[:, None] - unit[None], axis=2)
    return np.asarray(2 * np.arcsin(np.minimum(chord / 2, 1)))


def rung_changes(before: Outcome, after: Outcome) -> tuple[RungChange, ...]:
    """The frozen rungs of both audits on the same held-out rows, with paired tests; rungs without a rule left out."""
    hits = {}
    for name in FROZEN:
        first, second = before.climbs[name].correct, after.climbs[name].correct
        if first is not None and second is not None:
            hits[name] = first, second, _same_prompts(before.climbs[name], after.context)
    groups = before.context.groups_scoring
    raw = [both_ways(first, second, same, groups) for first, second, same in hits.values()]
    level = 1 - ALPHA / max(1, len(hits))
    out = []
    for (name, (first, second, same)), p, adjusted in zip(hits.items(), raw, holm(raw), strict=True):
        gap = paired_difference(second, first, groups, level)
        shown = adjusted <= ALPHA
        out.append(
            RungChange(
                name,
                estimate(accuracy_interval(first, groups)),
                estimate(accuracy_interval(second, groups)),
                estimate(gap),
                int((first & ~second).sum()),
                int((second & ~first).sum()),
                p,
                float(adjusted),
                ("worse" if gap.value < 0 else "better") if shown else "not shown",
                None if same is None else estimate(paired_difference(same, first, groups, level)),
            )
        )
    return tuple(out)


def _same_prompts(before: Climb, after: Context) -> Hits | None:
    """Hits of the first model's prompts under the second model; None where the rung has none or it can't take them."""
    decide = None if before.prompts is None else before.prompts(after)
    return None if decide is None else np.asarray(decide(after.x_scoring).argmax(axis=1) == after.y_scoring)


def both_ways(first: Hits, second: Hits, same: Hits | None, groups: NDArray[Any] | None) -> float:
    """McNemar's p. Of prompts the larger one, chosen anew and kept, which have to change the same way.

    Two sets of prompts that do equally well where they are chosen may do unequally on other rows, and the least change of
    a model can swap them: what only one of the two comparisons shows is a matter of the choice, not of the model.
    """
    p = mcnemar(second, first, groups)
    if same is None:
        return p
    ways = {np.sign(int(hits.sum()) - int(first.sum())) for hits in (second, same)}
    return 1.0 if len(ways) > 1 else max(p, mcnemar(same, first, groups))


class Rows:
    """Turns objects of the comparison into rows of the report."""

    def __init__(self, context: Context, positions: Ints, found: HomChange, labels: NDArray[np.int32] | None) -> None:
        self.task = context.task
        self.positions = positions
        self.found = found
        self.labels = labels
        classes = len(context.task.classes)
        self.votes = None if labels is None else tuple(_votes(n, labels, classes) for n in (found.before, found.after))

    def most_changed(self, count: int) -> tuple[ChangedRow, ...]:
        """Fewest neighbours kept first, then by how far distances moved."""
        order = np.lexsort((-self.found.moved_by_object, self.found.kept_by_object))
        return tuple(self._row(int(i)) for i in order[:count] if self.found.kept_by_object[i] < 1)

    def relabelled(self, count: int) -> Relabelled | None:
        """Objects whose neighbours vote for another label; losses first."""
        if self.votes is None or self.labels is None:
            return None
        first, second = self.votes
        changed = first != second
        lost, gained = changed & (first == self.labels), changed & (second == self.labels)
        order = np.lexsort((self.found.kept_by_object, ~lost))
        rows = [int(i) for i in order if changed[i]][:count]
        share = estimate(accuracy_interval(changed))
        return Relabelled(
            share, int(changed.sum()), int(lost.sum()), int(gained.sum()), tuple(self._row(i) for i in rows)
        )

    def _row(self, i: int) -> ChangedRow:
        nearest = [int(n[i, 0]) for n in (self.found.before, self.found.after)]
        name = self.task.classes
        votes = ("", "") if self.votes is None else tuple(name[int(vote[i])] for vote in self.votes)
        return ChangedRow(
            int(self.task.rows[self.positions[i]]),
            self._text(i),
            "" if self.labels is None else name[int(self.labels[i])],
            float(self.found.kept_by_object[i]),
            float(self.found.moved_by_object[i]),
            int(self.task.rows[self.positions[nearest[0]]]),
            int(self.task.rows[self.positions[nearest[1]]]),
            self._text(nearest[0]),
            self._text(nearest[1]),
            votes[0],
            votes[1],
        )

    def _text(self, i: int) -> str:
        return "" if self.task.objects is None else self.task.objects[self.positions[i]]


def _votes(neighbours: Ints, labels: NDArray[np.int32], classes: int) -> Ints:
    """Most common label of each object's neighbours, of equal ones the first class. Shape (n,)."""
    n = len(neighbours)
    flat = labels[neighbours].astype(np.int64) + np.arange(n)[:, None] * classes
    return np.asarray(np.bincount(flat.ravel(), minlength=n * classes).reshape(n, classes).argmax(axis=1))
