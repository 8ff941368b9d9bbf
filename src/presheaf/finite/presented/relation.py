"""The answers of a conjunctive query over function columns, numbered so that a tuple finds its number by gathers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.columns.buckets import bucket, expand, pair_offsets, shared_keys
from presheaf.finite.columns.budget import ROW_LIMIT, Meter, Stopped
from presheaf.finite.presented.candidates import Reduced, reduce
from presheaf.finite.presented.copresheaf import IntArray
from presheaf.finite.presented.query import Query

Longs = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Step:
    """One variable joined: row r of what was there has numbers ``offset[r] + rank[value]`` afterwards.

    No offset at the first variable; no rank where every row is its own.
    """

    variable: int
    offset: Longs | None
    rank: IntArray | None

    def number(self, before: IntArray | None, value: IntArray) -> IntArray:
        """Numbers of rows after this step from their numbers before it and their values."""
        rank = value if self.rank is None else self.rank[value]
        if self.offset is None or before is None:
            return rank
        return (self.offset[before] + rank).astype(np.int32, copy=False)


@dataclass(frozen=True, slots=True)
class Block:
    """The answers of one connected part of a query: ``size`` of them, how they were joined, int32 values a variable."""

    size: int
    steps: tuple[Step, ...]
    values: dict[int, IntArray]

    def index(self, tuples: Sequence[IntArray]) -> IntArray:
        """Numbers of answers that are there, from their values at all variables of the query."""
        number: IntArray | None = None
        for step in self.steps:
            number = step.number(number, tuples[step.variable])
        assert number is not None
        return number


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Relation:
    """All answers of a query, without repeats.

    Attributes
    ----------
    size : int
    values : one int32 array (size,) a variable
    """

    size: int
    values: tuple[IntArray, ...]
    _blocks: tuple[Block, ...]

    def index(self, tuples: Sequence[IntArray], many: int) -> IntArray:
        """Numbers of ``many`` answers, given by their values at each variable; the answers must be there.

        Cost: two gathers a variable.
        """
        if not self._blocks:
            return np.zeros(many, dtype=np.int32)
        number = self._blocks[0].index(tuples)
        for block in self._blocks[1:]:
            number = number * np.int32(block.size) + block.index(tuples)
        return number

    def __repr__(self) -> str:
        return f"Relation({self.size} answers, {len(self.values)} variables)"


def answer(
    query: Query,
    sizes: Sequence[int],
    columns: Sequence[IntArray],
    meter: Meter,
    name: str,
    *,
    compiled: bool = True,
) -> Relation:
    """All answers of a query about a functor; raises ``Stopped`` before a step that the meter's budget can't bear.

    Notes
    -----
    Conditions within one variable filter its rows; semi-joins take away what meets no partner (Bernstein and Chiu 1981;
    Yannakakis 1981: for a query without cycles what is left is in some answer). Then variables are joined one at a time by
    counting sort, along the tree, or, where there are cycles, the one with the fewest resulting rows first. Parts that no
    condition connects are multiplied. Every join's size is known before it is made. O(input + output) without cycles;
    with them intermediate results may be larger than the output.
    """
    parts = reduce(query, sizes, columns, meter)
    if any(part.exact == 0 for part in parts):
        nothing = np.empty(0, dtype=np.int32)
        values = dict.fromkeys(range(len(query.variables)), nothing)
        steps = tuple(Step(v, None, None) for v in values)
        return Relation(0, tuple(values.values()), (Block(0, steps, values),))
    known = [part.exact for part in parts if part.exact is not None]
    if len(known) == len(parts):
        _admit(meter, prod(known), len(query.variables), name, "elements")
    blocks = [_join(part, meter, name, compiled) for part in parts]
    size = prod(b.size for b in blocks)
    _admit(meter, size, len(query.variables), name, "elements")
    spread_out = _multiplied(blocks, size)
    meter.step(size, size)
    return Relation(size, tuple(spread_out[v] for v in range(len(query.variables))), tuple(blocks))


def _multiplied(blocks: list[Block], size: int) -> dict[int, IntArray]:
    """Values at all variables of the product of blocks, which has ``size`` rows; the last block varies fastest."""
    if len(blocks) == 1:
        return blocks[0].values
    out = {}
    inner = size
    for b in blocks:
        inner = inner // b.size if b.size else 0
        outer = size // (b.size * inner) if inner else 0
        for v, values in b.values.items():
            out[v] = np.tile(np.repeat(values, inner), outer)
    return out


def _admit(meter: Meter, size: int, variables: int, name: str, what: str) -> None:
    why = f"{name!r} would have {size:,} {what}"
    if size > ROW_LIMIT:
        raise Stopped("budget exceeded", "rows", f"{why}, more than 32-bit row numbers reach")
    meter.check(size, 4 * size * (variables + 2), why)


def _join(part: Reduced, meter: Meter, name: str, compiled: bool) -> Block:
    """Join the variables of one connected part."""
    candidates = part.candidates
    start = part.order[0]
    size = candidates[start].many
    _admit(meter, size, 1, name, "candidates")
    whole = candidates[start].whole
    done = {start: candidates[start].rows}
    rank = None if whole else candidates[start].over_rows(np.arange(size, dtype=np.int32))
    steps = [Step(start, None, rank)]
    waiting = list(part.order[1:])
    while waiting:
        v = waiting[0] if part.tree else _cheapest(part, done, waiting)
        waiting.remove(v)
        here = candidates[v]
        left, right, bound = _keys(part, done, v)
        into = bucket(right, bound, compiled=compiled)
        offsets = pair_offsets(left, into, compiled=compiled)
        size = int(offsets[-1])
        _admit(meter, size, len(done) + 1, name, "elements" if not waiting else "rows in a join on the way")
        owner, found = expand(left, offsets, into, compiled=compiled)
        # The first variable's rows may be 0, 1, 2, ...: then their owners are their values.
        done = {w: owner if whole and len(steps) == 1 else values[owner] for w, values in done.items()}
        done[v] = found if here.whole else here.rows[found]
        steps.append(Step(v, offsets, here.over_rows(into.rank)))
    return Block(size, tuple(steps), done)


def _keys(part: Reduced, done: dict[int, IntArray], v: int) -> tuple[IntArray, IntArray, int]:
    """Keys of the rows so far and of v's candidates, from all conditions between them."""
    pairs: list[tuple[IntArray, IntArray]] = []
    bounds: list[int] = []
    for w, edges in part.near[v].items():
        if w not in done:
            continue
        for edge in edges:
            mine, other = edge.seen_from(v)
            pairs.append((other.column[done[w]], part.candidates[v].at(mine.column)))
            bounds.append(edge.bound)
    rows = len(pairs[0][0]) + len(pairs[0][1])
    return shared_keys(pairs, bounds, limit=max(4 * rows, max(bounds) if len(bounds) == 1 else 0) + 1024)


def _cheapest(part: Reduced, done: dict[int, IntArray], waiting: list[int]) -> int:
    """The variable next to those joined whose join has the fewest rows; ties by number."""
    best: tuple[int, int] | None = None
    for v in sorted(waiting):
        if not part.near[v].keys() & done.keys():
            continue
        left, right, bound = _keys(part, done, v)
        count = np.bincount(right, minlength=bound)
        found = int(count[left].sum()), v
        best = found if best is None else min(best, found)
    assert best is not None
    return best[1]
