"""Left extension by the coend formula, where the target's arrows are listed: pairs of an element and an arrow, glued."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.columns.budget import ROW_LIMIT
from presheaf.finite.columns.components import components
from presheaf.finite.presented.completion import Coincidence
from presheaf.finite.presented.copresheaf import trace
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.finite.presented.propagate import propagate
from presheaf.finite.presented.standard import Table

IntArray = NDArray[np.int32]
Longs = NDArray[np.int64]


class Coend:
    """The functor that units generate freely up to coincidences, from representables that are known.

    Parameters
    ----------
    presentation : Presentation
        D.
    unit_objects : int32 (u,)
    coincidences : as for ``complete``
    homs : for each object s that has a unit the table of D(s, -), with one unit, the identity

    Attributes
    ----------
    nodes, edges : int
        Pairs (unit, arrow out of its object), and pairs of them that are glued: what ``solve`` will cost.

    Notes
    -----
    At object t the elements are pairs (unit x at s, arrow h: s -> t); a coincidence ``x p = y`` glues (x, p h) to (y, h) for
    every h. Connected components of that graph are the coend (Mac Lane 1998, X.4). O(nodes + edges), near-linear, by
    gathers and union-find; no equation of D is looked at again.
    """

    def __init__(
        self,
        presentation: Presentation,
        unit_objects: IntArray,
        coincidences: Sequence[Coincidence],
        homs: dict[int, Table],
    ) -> None:
        self._d, self._units, self._ties, self._homs = presentation, unit_objects, coincidences, homs
        self._local = np.empty(len(unit_objects), dtype=np.int64)
        self._many: dict[int, int] = {}
        for s in homs:
            there = unit_objects == s
            self._many[s] = int(there.sum())
            self._local[there] = np.arange(self._many[s])
        weight = {s: int(t.sizes.sum()) for s, t in homs.items()}
        self.nodes = sum(self._many[s] * weight[s] for s in homs)
        self.edges = sum(len(b) * weight[int(unit_objects[b[0]])] for _, _, b in coincidences if len(b))
        self._widest = max(
            (sum(self._many[s] * int(t.sizes[o]) for s, t in homs.items()) for o in range(len(presentation.objects))),
            default=0,
        )

    @property
    def fits(self) -> bool:
        """Whether the nodes at every object can be numbered in 32 bits."""
        return self._widest <= ROW_LIMIT

    def solve(self, *, compiled: bool = True) -> tuple[Longs, list[IntArray], IntArray]:
        """Sizes, columns, and the element that each unit is, numbered by smallest pair."""
        n = len(self._d.objects)
        slides = [self._slides(a, path, b) if len(a) else {} for a, path, b in self._ties]
        labels, firsts = [], []
        for t in range(n):
            nodes = sum(self._many[s] * int(h.sizes[t]) for s, h in self._homs.items())
            edges = (
                (self._pairs(a, t, slide[t]), self._pairs(b, t, None))
                for (a, _, b), slide in zip(self._ties, slides, strict=True)
                if t in slide
            )
            label, first = components(nodes, edges, compiled=compiled)
            labels.append(label)
            firsts.append(first)
        columns = [self._column(j, labels[b], firsts[a]) for j, (_, a, b) in enumerate(self._d.generators)]
        units = np.empty(len(self._units), dtype=np.int32)
        for s, hom in self._homs.items():
            there = np.flatnonzero(self._units == s)
            units[there] = labels[s][self._pairs(there, s, hom.units[:1])]
        return np.array([len(f) for f in firsts], dtype=np.int64), columns, units

    def _base(self, s: int, t: int) -> int:
        """Where the pairs of units at s and arrows s -> t start among the nodes at t."""
        return sum(self._many[r] * int(h.sizes[t]) for r, h in self._homs.items() if r < s)

    def _pairs(self, units: NDArray[np.integer], t: int, arrows: IntArray | None) -> IntArray:
        """Nodes (unit, arrow to t) for all given units, which live at one object, and arrows (None: all of them)."""
        s = int(self._units[units[0]]) if len(units) else next(iter(self._homs))
        width = int(self._homs[s].sizes[t])
        ends = np.arange(width) if arrows is None else arrows
        nodes = self._base(s, t) + self._local[units][:, None] * width + ends[None, :]
        flat: IntArray = nodes.ravel().astype(np.int32)
        return flat

    def _slides(self, a: IntArray, path: Path, b: IntArray) -> dict[int, IntArray]:
        """D(path, -): for each object t with an arrow from the path's end, the arrows ``path h``."""
        near, far = self._homs[int(self._units[a[0]])], self._homs[int(self._units[b[0]])]
        values = [np.full(int(s), -1, dtype=np.int32) for s in far.sizes]
        values[int(self._units[b[0]])][far.units[0]] = trace(near.columns, path, near.units[:1])[0]
        propagate(self._d, far.columns, near.columns, values)
        return {t: v for t, v in enumerate(values) if len(v)}

    def _column(self, j: int, label: IntArray, first: IntArray) -> IntArray:
        """A generator's column: it moves the smallest pair of each class."""
        _, a, b = self._d.generators[j]
        out = np.empty(len(first), dtype=np.int32)
        for s, hom in self._homs.items():
            width, base = int(hom.sizes[a]), self._base(s, a)
            low, high = np.searchsorted(first, [base, base + self._many[s] * width])
            if low == high:
                continue
            unit, arrow = np.divmod(first[low:high] - base, width)
            moved = self._base(s, b) + unit.astype(np.int64) * int(hom.sizes[b]) + hom.columns[j][arrow]
            out[low:high] = label[moved]
        return out
