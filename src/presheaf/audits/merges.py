"""Rows the model can't tell apart: by input (T0), by exact features (T1), and nearly (T2).

T0 holds for every value of the weights, T1 for every head and prompt on these features; T2 is evidence only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.causes import causes, code_of
from presheaf.audits.ceiling import Ceiling, ceiling
from presheaf.audits.context import Context
from presheaf.audits.image_causes import image_causes
from presheaf.audits.result import RowGroup
from presheaf.models.base import Model, Trace

SHOWN = 200
"""Most groups a finding lists; the counts and row ids are always complete."""
TRACED = 4000
"""Rows (the first by hash) that are traced to estimate how many pass the window or hold unknown tokens."""
ROUNDING = 1e-5
"""Float32 features of different batches differ by less than this; closer pairs are looked at one by one."""
EXACT = 1e-12
"""Relative difference below which two float64 feature vectors are equal but for the order of summation."""
NEAR = 0.02
"""Share of the mean 1 - cosine of two rows below which two rows with different labels count as a near-merge (a heuristic)."""
LOOKED_AT = 60
"""Most pairs that are encoded again one by one."""


@dataclass(frozen=True)
class Merge:
    """Rows with different objects and one input. ``positions`` are in the context's order."""

    positions: tuple[int, ...]
    named: tuple[str, ...]
    codes: tuple[str, ...]
    conflict: bool
    note: str


@dataclass(frozen=True)
class FeatureMerge:
    """Two rows that are equal or near in feature space though their inputs differ (or can't be seen).

    tier : "T1" (equal one by one in the precision named) or "T2" (near)
    """

    a: int
    b: int
    tier: str
    precision: str
    distance: float
    conflict: bool


def number(keys: Sequence[Any]) -> NDArray[np.int64]:
    """Numbers for keys: equal keys, equal numbers. Cost: linear."""
    codes: dict[Any, int] = {}
    return np.fromiter((codes.setdefault(k, len(codes)) for k in keys), dtype=np.int64, count=len(keys))


def row_keys(model: Model, rows: NDArray[np.int64]) -> list[bytes]:
    """Digest of the features of each row of a model that takes row numbers. Memory: a block of them."""
    keys: list[bytes] = []
    for start in range(0, len(rows), 65536):
        block = np.ascontiguousarray(model.encode(rows[start : start + 65536].tolist()))
        keys += [blake2b(vector, digest_size=16).digest() for vector in block]
    return keys


class Merges:
    """All that can be said about which rows of a context are one and the same to the model."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @cached_property
    def raw(self) -> NDArray[np.int64]:
        """Number of each row's raw object, an image by its content (each row its own when there are no objects).

        Beside precomputed vectors rows are the same only if their vectors are too: whatever made the vectors may have
        seen more than the object.
        """
        task, model = self.context.task, self.context.model
        if task.contents is None:
            return np.arange(len(task))
        if model.takes != "row":
            return number(task.contents)
        return number(list(zip(task.contents, row_keys(model, task.rows), strict=True)))

    @cached_property
    def cells(self) -> NDArray[np.int64] | None:
        """Number of each row's input; None when the input can't be seen."""
        keys = self.context.keys
        return None if keys is None else number(keys)

    @cached_property
    def label_ceiling(self) -> Ceiling:
        """Bound from identical raw rows alone: no model at all passes it."""
        return ceiling(self.raw, self.context.task.labels, self.context.classes)

    @cached_property
    def input_ceiling(self) -> Ceiling | None:
        """Bound from equal inputs: no weights pass it. None when the input can't be seen."""
        return None if self.cells is None else ceiling(self.cells, self.context.task.labels, self.context.classes)

    @cached_property
    def traces(self) -> list[Trace] | None:
        """Traces of the first rows by hash."""
        texts = self.context.task.texts
        if texts is None or self.context.keys is None:
            return None
        out = []
        for text in texts[:TRACED]:
            trace = self.context.model.trace(text)
            if trace is None:
                return None
            out.append(trace)
        return out

    @cached_property
    def merges(self) -> list[Merge]:
        """Inputs shared by different objects, conflicts first, then in the order of rows. Cost: linear in their rows."""
        cells = self.cells
        if cells is None or self.context.task.objects is None:
            return []
        # An input is a merge when it covers more than one raw object.
        pairs = np.unique(np.stack([cells, self.raw], axis=1), axis=0)
        merged = np.flatnonzero(np.bincount(pairs[:, 0]) > 1)
        wanted = np.isin(cells, merged)
        members: dict[int, list[int]] = {}
        for position in np.flatnonzero(wanted):
            members.setdefault(int(cells[position]), []).append(int(position))
        out = [self._merge(group) for group in members.values()]
        return sorted(out, key=lambda m: (not m.conflict, min(self.context.task.rows[list(m.positions)])))

    def _merge(self, positions: list[int]) -> Merge:
        task = self.context.task
        assert task.objects is not None
        distinct: dict[int, str] = {}
        for p in positions:
            distinct.setdefault(int(self.raw[p]), task.objects[p])
        first, *others = list(distinct.values())[:9]
        explain = self._image_causes if task.media == "image" else self._text_causes
        named, note = explain(first, others)
        rows = sorted(positions, key=lambda p: int(task.rows[p]))
        conflict = len(set(task.labels[positions].tolist())) > 1
        return Merge(tuple(rows), named, code_of(named), conflict, note)

    def _text_causes(self, first: str, others: Sequence[str]) -> tuple[tuple[str, ...], str]:
        """Causes of a merge, and what the model saw of all its texts."""
        trace = self.context.model.trace
        seen = trace(first)
        named: list[str] = []
        for other in others:
            named += causes(first, other, seen, trace(other))
        note = ""
        if seen is not None:
            shown = " ".join(seen.tokens[:12]) + (" ..." if len(seen.tokens) > 12 else "")
            note = f"all reach the model as: {shown}" if seen.ordered else f"all reach the model as the bag: {shown}"
            if seen.cut:
                note += f" (cut after {len(seen.tokens)} tokens)"
        return tuple(dict.fromkeys(named)), note

    def _image_causes(self, first: str, others: Sequence[str]) -> tuple[tuple[str, ...], str]:
        """Causes of a merge, and what reached the weights of all its images."""
        named = [cause for other in others for cause in image_causes(first, other)]
        reached = dict(self.context.model.info.settings).get("input", "the same pixels")
        return tuple(dict.fromkeys(named or ["fine detail"])), f"all reach the model as the same {reached}"

    def group(self, merge: Merge) -> RowGroup:
        """The merge as a report shows it."""
        return self.rows(merge.positions, ", ".join(merge.named), merge.note)

    def rows(self, positions: Sequence[int], cause: str = "", note: str = "") -> RowGroup:
        """Positions of the context as a group of table rows."""
        task = self.context.task
        return RowGroup(
            tuple(int(task.rows[p]) for p in positions),
            tuple(task.classes[task.labels[p]] for p in positions),
            tuple(task.objects[p] for p in positions) if task.objects is not None else (),
            cause,
            note,
        )

    @cached_property
    def contradictions(self) -> list[tuple[int, ...]]:
        """Identical raw rows labelled apart, each group in the order of rows."""
        if self.context.task.contents is None:
            return []
        members: dict[int, list[int]] = {}
        for position in np.flatnonzero(self.label_ceiling.conflicted):
            members.setdefault(int(self.raw[position]), []).append(int(position))
        rows = self.context.task.rows
        groups = [tuple(sorted(g, key=lambda p: int(rows[p]))) for g in members.values()]
        return sorted(groups, key=lambda g: int(rows[g[0]]))

    @cached_property
    def near(self) -> float:
        """1 - cosine that counts as near: ``NEAR`` times the mean over pairs of rows, so that a model all of whose features lie in a
        narrow cone does not call everything near. Cost: linear; for unit rows the mean is (n - |sum|^2 / n) / (n - 1)."""
        x = self.context.features
        n = np.count_nonzero(x.any(axis=1))
        total = x.sum(axis=0, dtype=np.float64)
        return NEAR * max(0.0, n - float(total @ total) / n) / (n - 1) if n > 1 else 0.0

    @cached_property
    def feature_merges(self) -> list[FeatureMerge]:
        """Pairs that are equal (T1) or near (T2) in feature space though raw text and input differ.

        Neighbours are looked for along three fixed random directions, so equal vectors are always found and near
        ones mostly. At most 60 pairs are encoded again, one by one.
        """
        pairs = self._close_pairs()
        if not len(pairs):
            return []
        labels = self.context.task.labels
        order = np.lexsort((pairs[:, 2], labels[pairs[:, 0].astype(int)] == labels[pairs[:, 1].astype(int)]))
        out, looked = [], 0
        for a, b, distance in pairs[order]:
            i, j = int(a), int(b)
            conflict = bool(labels[i] != labels[j])
            if distance <= ROUNDING and looked < LOOKED_AT:
                looked += 1
                tier, precision = self._judge(i, j)
                if tier == "T2" and not conflict:
                    continue
                out.append(FeatureMerge(i, j, tier, precision, float(distance), conflict))
            elif conflict:
                out.append(FeatureMerge(i, j, "T2", "", float(distance), True))
        return out

    def _judge(self, i: int, j: int) -> tuple[str, str]:
        """Encode both alone. In float64 rounding shrinks by eight orders, a real difference does not shrink."""
        task, model = self.context.task, self.context.model
        objects: list[Any] = (
            [int(task.rows[i]), int(task.rows[j])]
            if model.takes == "row" or task.objects is None
            else [task.objects[i], task.objects[j]]
        )
        exact = model.encode_exact(objects)
        if exact is None:
            return "T2", ""
        features, precision = exact
        a, b = np.asarray(features[0], dtype=np.float64), np.asarray(features[1], dtype=np.float64)
        gap = float(np.linalg.norm(a - b)) / max(float(np.linalg.norm(a)), float(np.linalg.norm(b)), 1e-300)
        equal = gap <= EXACT if precision == "float64" else bool(np.array_equal(a, b))
        return ("T1" if equal else "T2"), precision

    def _close_pairs(self) -> NDArray[np.float64]:
        """Rows (a, b, 1 - cosine) of close pairs with different raw texts and, where it is seen, different input."""
        x = self.context.features
        n, d = x.shape
        if n < 2:
            return np.zeros((0, 3))
        directions = np.random.default_rng(5).standard_normal((d, 3)).astype(np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        shadow = x @ directions
        # A vector of length r casts a shadow of about r / sqrt(d) on a random direction.
        most = max(self.near, ROUNDING)
        width = 4 * np.sqrt(2 * most / d)
        block = self.cells if self.cells is not None else self.raw
        found: set[tuple[int, int]] = set()
        for column in shadow.T:
            order = np.argsort(column, kind="stable")
            for step in (1, 2, 3):
                a, b = order[:-step], order[step:]
                near = np.flatnonzero(np.abs(column[a] - column[b]) <= width)
                near = near[(np.abs(shadow[a[near]] - shadow[b[near]]) <= width).all(axis=1)]
                near = near[block[a[near]] != block[b[near]]]
                near = near[self.raw[a[near]] != self.raw[b[near]]]
                for start in range(0, len(near), 65536):
                    part = near[start : start + 65536]
                    left, right = x[a[part]], x[b[part]]
                    distance = 0.5 * np.square(left - right).sum(axis=1)
                    zero = (left == 0).all(axis=1) & (right == 0).all(axis=1)
                    for k in np.flatnonzero((distance <= most) | zero):
                        p, q = int(a[part[k]]), int(b[part[k]])
                        found.add((min(p, q), max(p, q)))
        if not found:
            return np.zeros((0, 3))
        pairs = np.array(sorted(found))
        distance = 0.5 * np.square(x[pairs[:, 0]] - x[pairs[:, 1]]).sum(axis=1, dtype=np.float64)
        return np.column_stack([pairs, distance])
