"""Natural transformations one by one: all of them without dead ends, injective and surjective ones by search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from operator import gt

import numpy as np

from presheaf.finite.columns.arrays import Ints
from presheaf.finite.columns.joins import Solutions
from presheaf.finite.presheaves.conditions import Conditions


class Listing:
    """All transformations, once the relations between roots are solved.

    Parameters
    ----------
    problem : Conditions
    solutions : its shared elements
    """

    def __init__(self, problem: Conditions, solutions: Solutions) -> None:
        self.problem, self.solutions = problem, solutions

    @cached_property
    def _lookup(self) -> dict[int, dict[tuple[int, ...], Ints]]:
        p = self.problem
        return {r: _by_columns(rows, list(range(rows.shape[1])), p.alive[r]) for r, (_, rows) in p.shared.items()}

    def candidates(self, r: int, known: dict[int, int]) -> Ints:
        """Where root r may go, once the shared elements that it yields have images."""
        if r not in self.problem.shared:
            return self.problem.alive[r]
        return self._lookup[r][tuple(known[v] for v in self.problem.shared[r][0])]

    def iterate(self) -> Iterator[Ints]:
        """Images of the roots for every transformation, in a fixed order."""
        roots = len(self.problem.alive)
        if not all(len(rows) for rows in self.problem.alive):
            return
        for known in self.solutions.iterate():
            options = [self.candidates(r, known) for r in range(roots)]
            digits = [0] * roots
            at = roots
            while at >= 0:
                yield np.array([rows[i] for rows, i in zip(options, digits, strict=True)], dtype=np.int32)
                at = roots - 1
                while at >= 0 and digits[at] + 1 == len(options[at]):
                    digits[at] = 0
                    at -= 1
                if at >= 0:
                    digits[at] += 1


def _by_columns(rows: Ints, columns: list[int], values: Ints) -> dict[tuple[int, ...], Ints]:
    table: dict[tuple[int, ...], list[int]] = {}
    for key, y in zip(map(tuple, rows[:, columns].tolist()), values.tolist(), strict=True):
        table.setdefault(key, []).append(y)
    return {key: np.array(ys, dtype=np.int32) for key, ys in table.items()}


@dataclass(frozen=True)
class _Turn:
    """A root's turn in a search.

    Attributes
    ----------
    values : the root's candidates
    rows : for each candidate the images of the shared elements that the root yields
    known : shared elements that earlier roots have settled
    options : positions of candidates, by the images of ``known``
    fresh : shared elements settled now, with their columns in ``rows``
    own : 1 if the root is not shared, so that its own image counts, else 0
    rest : elements of the root's tree that are neither the root nor shared
    steps : how to get at those: layers of elements, parents, generators
    objects : the objects of the root (if ``own``), of ``fresh`` and of ``rest``
    """

    root: int
    values: list[int]
    rows: list[list[int]]
    known: tuple[int, ...]
    options: dict[tuple[int, ...], list[int]]
    fresh: tuple[tuple[int, int], ...]
    own: int
    rest: Ints
    steps: tuple[tuple[Ints, Ints, Ints], ...]
    objects: list[int]


class Search:
    """Injective (``mono``) or surjective (``epi``) transformations by depth-first search.

    Parameters
    ----------
    problem : Conditions

    Notes
    -----
    The roots take turns in a fixed order, next the one with most shared elements settled, then with fewest candidates.
    A choice is dropped when two elements of an object get one image (``mono``), or when fewer elements of an object are
    left than images are missing (``epi``).
    """

    def __init__(self, problem: Conditions, mono: bool, epi: bool) -> None:
        self.problem, self.mono, self.epi = problem, mono, epi

    def _order(self) -> list[int]:
        p = self.problem
        speaks: dict[int, list[int]] = {}
        for r, (names, _) in p.shared.items():
            for v in names:
                speaks.setdefault(v, []).append(r)
        settled = [0] * len(p.alive)
        heap = [(0, len(rows), r) for r, rows in enumerate(p.alive)]
        heapify(heap)
        done: set[int] = set()
        seen: set[int] = set()
        order = []
        while heap:
            known, _, r = heappop(heap)
            if r in done or -known != settled[r]:
                continue
            done.add(r)
            order.append(r)
            for v in p.shared[r][0] if r in p.shared else ():
                if v not in seen:
                    seen.add(v)
                    for other in speaks[v]:
                        settled[other] += 1
                        heappush(heap, (-settled[other], len(p.alive[other]), other))
        return order

    def _turns(self) -> list[_Turn]:
        p = self.problem
        trees = self._trees()
        settled: set[int] = set()
        turns = []
        for r in self._order():
            names, rows = p.shared.get(r, ((), np.empty((len(p.alive[r]), 0), dtype=np.int32)))
            old = [i for i, v in enumerate(names) if v in settled]
            fresh = [(v, i) for i, v in enumerate(names) if v not in settled]
            root = int(p.roots[r])
            settled.update(names)
            rest = [e for step in trees[r] for e in step[0].tolist() if e not in settled]
            own = int(root not in settled)
            every = np.array([root] * own + [v for v, _ in fresh] + rest, dtype=np.int32)
            objects = (np.searchsorted(p.source.offsets, every, side="right") - 1).tolist()
            positions = np.arange(len(p.alive[r]), dtype=np.int32)
            options = {key: found.tolist() for key, found in _by_columns(rows, old, positions).items()}
            turns.append(
                _Turn(
                    r,
                    p.alive[r].tolist(),
                    rows.tolist(),
                    tuple(names[i] for i in old),
                    options,
                    tuple(fresh),
                    own,
                    np.array(rest, dtype=np.int32),
                    tuple(trees[r]) if rest else (),
                    objects,
                )
            )
        return turns

    def _trees(self) -> list[list[tuple[Ints, Ints, Ints]]]:
        p = self.problem
        owner = p.forest.roots()
        out: list[list[tuple[Ints, Ints, Ints]]] = [[] for _ in p.alive]
        for layer in p.forest.layers():
            order = layer[np.argsort(owner[layer], kind="stable")]
            cut = np.flatnonzero(np.diff(owner[order], prepend=-1, append=-1))
            for a, b in zip(cut[:-1].tolist(), cut[1:].tolist(), strict=True):
                e = order[a:b]
                out[int(owner[e[0]])].append((e, p.forest.parent[e], p.letter[e]))
        return out

    def __iter__(self) -> Iterator[Ints]:
        p = self.problem
        turns = self._turns()
        state = _State(p, self.mono, self.epi)
        known: dict[int, int] = {}
        picks = np.zeros(len(p.alive), dtype=np.int32)
        if not turns:
            if not (self.epi and any(state.missing)):
                yield picks
            return

        def options(turn: _Turn) -> Iterator[int]:
            return iter(turn.options.get(tuple([known[v] for v in turn.known]), ()))

        stack = [options(turns[0])]
        while stack:
            depth = len(stack) - 1
            state.undo(depth)
            position = next(stack[-1], None)
            if position is None:
                stack.pop()
                continue
            turn = turns[depth]
            choice, row = turn.values[position], turn.rows[position]
            picks[turn.root] = choice
            for v, i in turn.fresh:
                known[v] = row[i]
            if not state.do(turn, choice, row):
                continue
            if depth + 1 == len(turns):
                yield picks.copy()
            else:
                stack.append(options(turns[depth + 1]))


class _State:
    """How often each element of T is hit, and how many elements and images are left at each object.

    Choices settle a few elements each, as a rule, so these are Python lists.
    """

    def __init__(self, problem: Conditions, mono: bool, epi: bool) -> None:
        self.problem, self.mono, self.epi = problem, mono, epi
        t = problem.target
        self.offsets: list[int] = t.offsets.tolist()
        self.hits = [0] * t.n_elements
        self.value = np.zeros(problem.source.n_elements, dtype=np.int32)
        self.left: list[int] = problem.source.sizes.tolist()
        self.missing: list[int] = t.sizes.tolist()
        self.done: list[tuple[list[int], list[int]]] = []

    def _images(self, turn: _Turn, choice: int, row: list[int]) -> list[int]:
        rows = [choice] * turn.own + [row[i] for _, i in turn.fresh]
        if turn.steps:
            begin, entries = self.problem.target.flat
            self.value[self.problem.roots[turn.root]] = choice
            for elements, parent, letter in turn.steps:
                self.value[elements] = entries[begin[letter] + self.value[parent]]
            rows += self.value[turn.rest].tolist()
        return [self.offsets[c] + y for c, y in zip(turn.objects, rows, strict=True)]

    def do(self, turn: _Turn, choice: int, row: list[int]) -> bool:
        """Settle a choice; False when the kind is out of reach (what was done is undone by ``undo``)."""
        images = self._images(turn, choice, row)
        twice = False
        for c, image in zip(turn.objects, images, strict=True):
            self.left[c] -= 1
            if not self.hits[image]:
                self.missing[c] -= 1
            else:
                twice = True
            self.hits[image] += 1
        self.done.append((turn.objects, images))
        return not (self.mono and twice) and not (self.epi and any(map(gt, self.missing, self.left)))

    def undo(self, depth: int) -> None:
        """Go back to the state in which ``depth`` choices are settled."""
        while len(self.done) > depth:
            for c, image in zip(*self.done.pop(), strict=True):
                self.left[c] += 1
                self.hits[image] -= 1
                if not self.hits[image]:
                    self.missing[c] += 1
