"""Completion without the compiled kernel: the same answers from plain Python, hundreds of times slower.

HLT on the generators and equations as they are given: every equation is traced at every row in order of row number, and
missing steps are made on the way. The class keeps the calls of the compiled engine, so one driver runs both.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.presented.presentation import Path, Presentation

IntArray = NDArray[np.int32]
BYTES_A_ROW = 200
"""What a row of lists takes, roughly, beside eight bytes an entry."""


class PythonEngine:
    """State of one completion: rows with one entry a generator, a union-find, the smaller row wins."""

    def __init__(self, presentation: Presentation, unit_objects: Sequence[int]) -> None:
        self._targets = [g[2] for g in presentation.generators]
        n = len(presentation.objects)
        self._out = [[j for j, g in enumerate(presentation.generators) if g[1] == s] for s in range(n)]
        self._laws: list[list[tuple[Path, Path]]] = [[] for _ in range(n)]
        for i, pair in enumerate(presentation.equations):
            self._laws[presentation.equation_source(i)].append(pair)
        self._need = sum(len(u) + len(v) for u, v in presentation.equations) + len(self._targets) + 1
        self._rows: list[dict[int, int]] = []
        self._parent: list[int] = []
        self._sort: list[int] = []
        self._live = 0
        self._pos = 0
        self._units = [self._make(int(s)) for s in unit_objects]
        self._given = len(self._rows)
        self._row_bytes = BYTES_A_ROW + 100 * max((len(o) for o in self._out), default=0)

    def _make(self, sort: int) -> int:
        self._rows.append({})
        self._parent.append(len(self._parent))
        self._sort.append(sort)
        self._live += 1
        return len(self._rows) - 1

    def _find(self, x: int) -> int:
        parent = self._parent
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    def _merge(self, a: int, b: int) -> None:
        todo = [(a, b)]
        while todo:
            a, b = todo.pop()
            a, b = self._find(a), self._find(b)
            if a == b:
                continue
            a, b = min(a, b), max(a, b)
            self._parent[b] = a
            self._live -= 1
            kept = self._rows[a]
            for j, y in self._rows[b].items():
                if j in kept:
                    todo.append((kept[j], y))
                else:
                    kept[j] = y
            self._rows[b] = {}

    def _trace(self, x: int, word: Sequence[int]) -> int:
        for j in word:
            y = self._rows[x].get(j, -1)
            if y < 0:
                y = self._make(self._targets[j])
                self._rows[x][j] = y
            x = self._find(y)
        return x

    def _meet(self, x: int, u: Sequence[int], y: int, v: Sequence[int]) -> None:
        """Make word u at x and word v at y end in the same row."""
        p, q = self._trace(x, u[:-1]), self._trace(y, v[:-1])
        a = self._rows[p].get(u[-1], -1) if u else p
        b = self._rows[q].get(v[-1], -1) if v else q
        if a < 0 and b < 0:
            a = self._rows[p][u[-1]] = self._make(self._targets[u[-1]])
            self._rows[q][v[-1]] = a
        elif a < 0:
            self._rows[p][u[-1]] = b
        elif b < 0:
            self._rows[q][v[-1]] = a
        else:
            self._merge(a, b)

    def _room(self, more: int, max_rows: int, max_bytes: int) -> int:
        limit = min(max_rows, max_bytes // self._row_bytes)
        if len(self._rows) + more > limit and len(self._rows) - self._live > len(self._rows) // 16:
            self.compact()  # that many dead at least, so that its cost stays linear in the rows made
        if len(self._rows) + more <= limit:
            return 0
        return 2 if limit == max_rows else 3

    def identify(self, start: IntArray, end: IntArray, word: IntArray, max_rows: int, max_bytes: int) -> int:
        path = word.tolist()
        for a, b in zip(start.tolist(), end.tolist(), strict=True):
            if path and (short := self._room(len(path) + 1, max_rows, max_bytes)):
                return short
            self._meet(self._find(self._units[a]), path, self._find(self._units[b]), ())
        return 0

    def run(self, max_rows: int, max_bytes: int, seconds: float) -> int:
        end = time.perf_counter() + seconds
        while self._pos < len(self._rows):
            if self._parent[self._pos] != self._pos:
                self._pos += 1
                continue
            if short := self._room(self._need, max_rows, max_bytes):
                return short
            x = self._pos
            for u, v in self._laws[self._sort[x]]:
                self._meet(x, u, x, v)
                if self._parent[x] != x:
                    break
            else:
                for j in self._out[self._sort[x]]:
                    if j not in self._rows[x]:
                        self._rows[x][j] = self._make(self._targets[j])
            self._pos += 1
            if self._pos % 64 == 0 and time.perf_counter() > end:
                return 1
        return 0

    def counts(self) -> tuple[int, int, int, int, int]:
        held = len(self._rows)
        return held, self._live, self._pos, held - self._given, held * self._row_bytes

    def compact(self) -> list[int]:
        live = [x for x in range(len(self._rows)) if self._parent[x] == x]
        number = {x: i for i, x in enumerate(live)}
        self._pos = sum(x < self._pos for x in live)
        self._units = [number[self._find(u)] for u in self._units]
        self._rows = [{j: number[self._find(y)] for j, y in self._rows[x].items()} for x in live]
        self._sort = [self._sort[x] for x in live]
        self._given -= len(self._parent) - len(live)
        self._parent = list(range(len(live)))
        return [self._sort.count(s) for s in range(len(self._out))]

    def export(self, columns: list[IntArray], unit: IntArray) -> None:
        local, count = [], [0] * len(self._out)
        for s in self._sort:
            local.append(count[s])
            count[s] += 1
        for x, row in enumerate(self._rows):
            for j, y in row.items():
                columns[j][local[x]] = local[y]
        unit[:] = [local[u] for u in self._units]
