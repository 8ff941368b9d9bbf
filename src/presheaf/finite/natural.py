"""Natural transformations: checked, composed, counted without listing, listed one by one, drawn at random."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, islice, pairwise

import numpy as np
from numpy.typing import ArrayLike

from presheaf.errors import InputError
from presheaf.finite.arrays import Bools, Ints, Longs, frozen, ids, spread, starts
from presheaf.finite.graph import forest, sources
from presheaf.finite.joins import Bucket, eliminate, grouped
from presheaf.finite.presheaf import SetFunctor


def _alike(one: SetFunctor, two: SetFunctor) -> None:
    if one.category is not two.category or one.variance != two.variance:
        raise InputError("both functors must live on the same category with the same variance.")


class Transformation:
    """A natural transformation between set-valued functors.

    Parameters
    ----------
    source, target : SetFunctor on the same category, of the same variance
    components : n int arrays; component c has ``source.sizes[c]`` entries below ``target.sizes[c]``

    Raises
    ------
    InputError
        A component of wrong shape or range, or a naturality square that doesn't commute (generator and row are named).

    Notes
    -----
    Cost: two gathers a generator.
    """

    def __init__(self, source: SetFunctor, target: SetFunctor, components: Sequence[ArrayLike]) -> None:
        _alike(source, target)
        category = source.category
        if len(components) != category.n_objects:
            raise InputError(f"{category.n_objects} components are needed; got {len(components)}.")
        parts = tuple(
            ids(f"component at {name}", part, int(target.sizes[c]), (int(source.sizes[c]),))
            for c, (name, part) in enumerate(zip(category.objects, components, strict=True))
        )
        side = source.covariant.category
        for j, (a, b) in enumerate(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)):
            one, two = parts[b][source.columns[j]], target.columns[j][parts[a]]
            wrong = np.flatnonzero(one != two)
            if len(wrong):
                raise InputError(
                    f"not natural at generator {category.names[j]}, row {int(wrong[0])} of {category.objects[a]}: "
                    f"{int(one[wrong[0]])} one way, {int(two[wrong[0]])} the other."
                )
        self._set(source, target, parts)

    def _set(self, source: SetFunctor, target: SetFunctor, components: tuple[Ints, ...]) -> None:
        self.source, self.target, self.components = source, target, components

    @classmethod
    def trusted(cls, source: SetFunctor, target: SetFunctor, components: tuple[Ints, ...]) -> Transformation:
        """A transformation that its maker knows to be natural."""
        self = cls.__new__(cls)
        self._set(source, target, components)
        return self

    @classmethod
    def identity(cls, t: SetFunctor) -> Transformation:
        """The identity of T."""
        return cls.trusted(t, t, tuple(frozen(np.arange(s, dtype=np.int32)) for s in t.sizes.tolist()))

    def then(self, other: Transformation) -> Transformation:
        """This transformation, then the other (vertical composition)."""
        if other.source is not self.target:
            raise InputError("the second transformation must start at the functor where the first ends.")
        parts = tuple(frozen(g[f]) for f, g in zip(self.components, other.components, strict=True))
        return Transformation.trusted(self.source, other.target, parts)

    @cached_property
    def is_mono(self) -> bool:
        """Whether every component is injective."""
        return all(len(np.unique(part)) == len(part) for part in self.components)

    @cached_property
    def is_epi(self) -> bool:
        """Whether every component is surjective."""
        sizes = self.target.sizes.tolist()
        return all(len(np.unique(part)) == s for part, s in zip(self.components, sizes, strict=True))

    @property
    def is_iso(self) -> bool:
        """Whether every component is a bijection."""
        return self.is_mono and self.is_epi

    def inverse(self) -> Transformation:
        """The inverse of an isomorphism.

        Raises
        ------
        InputError
            Not an isomorphism.
        """
        if not self.is_iso:
            raise InputError("the transformation is no isomorphism.")
        parts = tuple(frozen(np.argsort(part).astype(np.int32)) for part in self.components)
        return Transformation.trusted(self.target, self.source, parts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Transformation):
            return NotImplemented
        same = self.source is other.source and self.target is other.target
        return same and all(np.array_equal(a, b) for a, b in zip(self.components, other.components, strict=True))

    def __hash__(self) -> int:
        return hash(b"".join(part.tobytes() for part in self.components))

    def __repr__(self) -> str:
        kind = "iso" if self.is_iso else "mono" if self.is_mono else "epi" if self.is_epi else "neither mono nor epi"
        if self.source.n_elements > 24:
            return f"Transformation({self.source.n_elements} -> {self.target.n_elements} elements, {kind})"
        names = self.source.category.objects
        parts = ", ".join(f"{c}: {part.tolist()}" for c, part in zip(names, self.components, strict=True))
        return f"Transformation({parts}; {kind})"


class Transformations:
    """All natural transformations from S to T.

    Parameters
    ----------
    source, target : SetFunctor on the same category, of the same variance
    given : triples (object, row of S, row of T) that every transformation must respect
    limit : most rows of an intermediate table

    Raises
    ------
    InputError
        A table would have more than ``limit`` rows: S is too large or its generators are too entangled.

    Notes
    -----
    A transformation is fixed by the images of one element for each source component of S's graph of elements. Images
    are propagated along a breadth-first forest; every edge outside it is a condition. Conditions on one generator
    filter its candidates; elements that several generators yield become variables of a join, which is summed out one
    variable at a time (bucket elimination, Dechter 1999), fewest neighbours first. So the count is polynomial where
    the overlap has bounded tree width, a representable component costs nothing (Yoneda), and listing and sampling never
    run into a dead end. Cost of the set-up: candidates x elements involved in conditions.
    """

    def __init__(
        self,
        source: SetFunctor,
        target: SetFunctor,
        *,
        given: Iterable[tuple[int, int, int]] = (),
        limit: int = 50_000_000,
    ) -> None:
        _alike(source, target)
        self.source, self.target, self.limit = source, target, limit
        self._fixed = self._checked(given)
        self._prepare()

    def _checked(self, given: Iterable[tuple[int, int, int]]) -> tuple[Longs, Ints]:
        s, t = self.source, self.target
        element, value = [], []
        for c, row, image in given:
            if not (0 <= c < len(s.sizes) and 0 <= row < s.sizes[c] and 0 <= image < t.sizes[c]):
                raise InputError(f"given ({c}, {row}, {image}) names no element of S or none of T.")
            element.append(int(s.offsets[c]) + row)
            value.append(image)
        return np.array(element, dtype=np.int64), np.array(value, dtype=np.int32)

    def _prepare(self) -> None:
        s, t = self.source.covariant, self.target.covariant
        side = s.category
        wheel = side._right
        first, target = s.element_graph
        nodes, component = sources(first, target)
        object_of = np.repeat(np.arange(side.n_objects), s.sizes)
        order = np.lexsort((nodes, t.sizes[object_of[nodes]], component))
        _, at = np.unique(component[order], return_index=True)
        self._roots = nodes[order][at]
        self._forest = forest(first, target, self._roots)
        parent, slot = self._forest.parent, self._forest.slot
        root = self._forest.roots()
        inner = np.flatnonzero(parent >= 0)
        self._letter = np.full(s.n_elements, -1, dtype=np.int32)
        self._letter[inner] = wheel.list[wheel.first[object_of[parent[inner]]] + slot[inner]]
        begin, entries = t.flat
        source = np.repeat(np.arange(s.n_elements), np.diff(first))
        place = np.arange(len(target)) - first[source]
        extra = np.flatnonzero((parent[target] != source) | (slot[target] != place))
        a, b = source[extra], target[extra]
        letter = wheel.list[wheel.first[object_of[a]] + place[extra]]
        fixed, image = self._fixed
        # Candidates of every root, and their values at the elements that conditions speak of.
        self._choices = t.sizes[object_of[self._roots]].astype(np.int64)
        wanted: Bools = np.zeros(s.n_elements, dtype=bool)
        wanted[a], wanted[b], wanted[fixed] = True, True, True
        for layer in reversed(list(self._forest.layers())):
            wanted[parent[layer[wanted[layer]]]] = True
        count = np.where(wanted, self._choices[root], 0)
        self._afford(int(count.sum()), "candidates x elements")
        at = starts(count)
        values = np.empty(int(at[-1]), dtype=np.int32)
        for depth, layer in enumerate([self._roots, *self._forest.layers()]):
            owner, row = spread(count[layer])
            e = layer[owner]
            values[at[e] + row] = row if not depth else entries[begin[self._letter[e]] + values[at[parent[e]] + row]]
        offset = starts(self._choices)
        alive: Bools = np.ones(int(offset[-1]), dtype=bool)
        owner, row = spread(self._choices[root[fixed]])
        alive[(offset[root[fixed]][owner] + row)[values[at[fixed[owner]] + row] != image[owner]]] = False
        own = root[a] == root[b]
        self._afford(int(self._choices[root[a]].sum() + self._choices[root[b]].sum()), "candidates x conditions")
        owner, row = spread(self._choices[root[a[own]]])
        one = entries[begin[letter[own][owner]] + values[at[a[own][owner]] + row]]
        bad = one != values[at[b[own][owner]] + row]
        alive[(offset[root[a[own]]][owner] + row)[bad]] = False
        # Elements yielded by several roots: for each such root a column of values.
        a, b, letter = a[~own], b[~own], letter[~own]
        meeting = np.unique(b)
        who = np.concatenate([root[meeting], root[a]])
        what = np.concatenate([meeting, b])
        owner, row = spread(self._choices[who])
        column = np.empty(len(owner), dtype=np.int32)
        direct = owner < len(meeting)
        column[direct] = values[at[what[owner[direct]]] + row[direct]]
        other = owner[~direct] - len(meeting)
        column[~direct] = entries[begin[letter[other]] + values[at[a[other]] + row[~direct]]]
        at = starts(self._choices[who])
        pair = who.astype(np.int64) * max(s.n_elements, 1) + what
        _, leader, group = np.unique(pair, return_index=True, return_inverse=True)
        bad = column != column[at[leader[group][owner]] + row]
        alive[(offset[who][owner] + row)[bad]] = False
        self._alive = [np.flatnonzero(alive[i:j]).astype(np.int32) for i, j in pairwise(offset)]
        self._columns: dict[int, tuple[tuple[int, ...], Ints]] = {}
        lead_root = who[leader]
        cuts = np.flatnonzero(np.diff(lead_root, prepend=-1, append=-1)) if len(leader) else np.empty(0, dtype=np.int64)
        for i, j in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            r = int(lead_root[i])
            table = np.stack([column[at[x] : at[x + 1]] for x in leader[i:j]], axis=1)[self._alive[r]]
            self._columns[r] = tuple(what[leader[i:j]].tolist()), table

    def _afford(self, rows: int, what: str) -> None:
        if rows > self.limit:
            raise InputError(f"{what}: {rows} entries, more than the limit of {self.limit}.")

    @cached_property
    def _solved(self) -> tuple[list[Bucket], int]:
        factors = [grouped(variables, rows) for variables, rows in self._columns.values()]
        return eliminate(factors, self.limit)

    def count(self, kind: str = "all") -> int:
        """How many there are; of ``kind`` "all" without listing them, else ("mono", "epi", "iso") by listing."""
        if kind != "all":
            return sum(1 for _ in self.iterate(kind))
        total = 1
        for r, choices in enumerate(self._alive):
            if r not in self._columns:
                total *= len(choices)
        return total and total * self._solved[1]

    def __iter__(self) -> Iterator[Transformation]:
        return self.iterate()

    def first(self, kind: str = "all") -> Transformation | None:
        """The first in the order of ``iterate``, or None."""
        return next(self.iterate(kind), None)

    def iterate(self, kind: str = "all") -> Iterator[Transformation]:
        """All of them, lazily, in a fixed order; ``kind`` is "all", "mono", "epi" or "iso"."""
        tests: dict[str, Callable[[Transformation], bool]] = {
            "all": lambda _: True,
            "mono": lambda f: f.is_mono,
            "epi": lambda f: f.is_epi,
            "iso": lambda f: f.is_iso,
        }
        if kind not in tests:
            raise InputError(f"'kind' must be one of {', '.join(tests)}; got {kind!r}.")
        s, t = self.source.sizes, self.target.sizes
        if (kind in ("mono", "iso") and (s > t).any()) or (kind in ("epi", "iso") and (s < t).any()):
            return
        yield from filter(tests[kind], map(self._build, self._assignments()))

    def take(self, number: int, kind: str = "all") -> list[Transformation]:
        """The first ``number`` of them."""
        return list(islice(self.iterate(kind), number))

    def sample(self, number: int, seed: int) -> list[Transformation]:
        """Independent uniform draws (with replacement).

        Raises
        ------
        InputError
            There are none to draw from.
        """
        if not self.count():
            raise InputError("there is no natural transformation to draw.")
        rng = random.Random(seed)
        out = []
        for _ in range(number):
            known: dict[int, int] = {}
            for bucket in reversed(self._solved[0]):
                values, weights = bucket.options(known)
                sums = list(accumulate(int(w) for w in weights))
                known[bucket.variable] = int(values[bisect_right(sums, rng.randrange(sums[-1]))])
            picks = []
            for r in range(len(self._alive)):
                options = self._candidates(r, known)
                picks.append(int(options[rng.randrange(len(options))]))
            out.append(self._build(picks))
        return out

    @cached_property
    def _lookup(self) -> dict[int, dict[tuple[int, ...], Ints]]:
        out: dict[int, dict[tuple[int, ...], Ints]] = {}
        for r, (_, rows) in self._columns.items():
            table: dict[tuple[int, ...], list[int]] = {}
            for row, y in zip(map(tuple, rows.tolist()), self._alive[r].tolist(), strict=True):
                table.setdefault(row, []).append(y)
            out[r] = {row: np.array(ys, dtype=np.int32) for row, ys in table.items()}
        return out

    def _candidates(self, r: int, known: dict[int, int]) -> Ints:
        if r not in self._columns:
            return self._alive[r]
        return self._lookup[r][tuple(known[v] for v in self._columns[r][0])]

    def _assignments(self) -> Iterator[list[int]]:
        """One candidate for each root, in every way that satisfies all conditions: no choice is ever a dead end."""
        if not self.count():
            return
        buckets = list(reversed(self._solved[0]))
        depth = len(buckets) + len(self._alive)
        known: dict[int, int] = {}
        picks = [0] * len(self._alive)

        def options(level: int) -> Iterator[int]:
            if level < len(buckets):
                return iter(buckets[level].options(known)[0].tolist())
            return iter(self._candidates(level - len(buckets), known).tolist())

        if not depth:
            yield []
            return
        stack = [options(0)]
        while stack:
            value = next(stack[-1], None)
            if value is None:
                stack.pop()
                continue
            level = len(stack) - 1
            if level < len(buckets):
                known[buckets[level].variable] = value
            else:
                picks[level - len(buckets)] = value
            if level + 1 == depth:
                yield list(picks)
            else:
                stack.append(options(level + 1))

    def _build(self, picks: Sequence[int]) -> Transformation:
        s, t = self.source, self.target
        begin, entries = t.flat
        value = np.empty(s.n_elements, dtype=np.int32)
        value[self._roots] = picks
        for layer in self._forest.layers():
            value[layer] = entries[begin[self._letter[layer]] + value[self._forest.parent[layer]]]
        parts = tuple(frozen(value[a:b]) for a, b in zip(s.offsets[:-1], s.offsets[1:], strict=True))
        return Transformation.trusted(s, t, parts)

    def __repr__(self) -> str:
        return (
            f"Transformations({self.source!r} -> {self.target!r}; {len(self._roots)} generators, "
            f"{len({v for names, _ in self._columns.values() for v in names})} shared elements)"
        )


def transformations(
    source: SetFunctor,
    target: SetFunctor,
    *,
    given: Iterable[tuple[int, int, int]] = (),
    limit: int = 50_000_000,
) -> Transformations:
    """All natural transformations from one set-valued functor to another; see ``Transformations``."""
    return Transformations(source, target, given=given, limit=limit)
