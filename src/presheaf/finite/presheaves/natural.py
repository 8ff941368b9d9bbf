"""Natural transformations from one set-valued functor to another: counted, listed one by one, drawn at random."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice

import numpy as np

from presheaf.errors import InputError, one_of
from presheaf.finite.columns.arrays import Ints, Longs, frozen
from presheaf.finite.columns.joins import Solutions, grouped
from presheaf.finite.presheaves.conditions import Conditions, Test, conditions
from presheaf.finite.presheaves.isomorphism import automorphisms, isomorphism
from presheaf.finite.presheaves.listing import Listing, Search
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.refine import Wires, refined
from presheaf.finite.presheaves.transformation import Transformation, alike

__all__ = ["Transformation", "Transformations", "transformations"]

_KINDS = ("all", "mono", "epi", "iso")


class Transformations:
    """All natural transformations from S to T.

    Parameters
    ----------
    source, target : SetFunctor on the same category, of the same variance
    given : triples (object, row of S, row of T) that every transformation must respect: a partial map
    where : for some objects a test of rows of S and rows of T (two int32 arrays, element by element; a bool array comes
        back): whether the first may go to the second
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
    run into a dead end. Injective and surjective ones are searched for, without solving the join; isomorphisms are first
    confined to elements with like surroundings. Cost of the set-up: candidates x elements involved in conditions.
    """

    def __init__(
        self,
        source: SetFunctor,
        target: SetFunctor,
        *,
        given: Iterable[tuple[int, int, int]] = (),
        where: Mapping[int, Test] | None = None,
        limit: int = 50_000_000,
    ) -> None:
        alike(source, target)
        self.source, self.target, self.limit = source, target, limit
        self._fixed = self._checked(given)
        self._tests = dict(where or {})
        for c in self._tests:
            if not 0 <= c < len(source.sizes):
                raise InputError(f"where[{c}]: the category has objects 0..{len(source.sizes) - 1}.")
        self._problem = self._conditions(None)

    def _checked(self, given: Iterable[tuple[int, int, int]]) -> tuple[Longs, Ints]:
        s, t = self.source, self.target
        element, value = [], []
        for c, row, image in given:
            if not (0 <= c < len(s.sizes) and 0 <= row < s.sizes[c] and 0 <= image < t.sizes[c]):
                raise InputError(f"given ({c}, {row}, {image}) names no element of S or none of T.")
            element.append(int(s.offsets[c]) + row)
            value.append(image)
        return np.array(element, dtype=np.int64), np.array(value, dtype=np.int32)

    def _conditions(self, colors: tuple[Ints, Ints] | None) -> Conditions:
        s, t = self.source.covariant, self.target.covariant
        return conditions(s, t, self._fixed, self._tests, colors, self.limit)

    @cached_property
    def _listing(self) -> Listing:
        factors = [grouped(variables, rows) for variables, rows in self._problem.shared.values()]
        return Listing(self._problem, Solutions.of(factors, self.limit))

    @cached_property
    def _alike(self) -> Conditions:
        """The problem in which elements go only to elements with like surroundings, seen in both functors at once."""
        s, t = self.source, self.target
        objects = np.arange(len(s.sizes), dtype=np.int32)
        partition = refined(Wires.elements(s, t), np.concatenate([np.repeat(objects, x.sizes) for x in (s, t)]))
        return self._conditions((partition.color[: s.n_elements], partition.color[s.n_elements :]))

    @property
    def _free(self) -> bool:
        return not len(self._fixed[0]) and not self._tests

    def count(self, kind: str = "all") -> int:
        """How many there are, exact.

        All are counted without being listed, and so are isomorphisms on which nothing else is asked; otherwise
        ``kind`` "mono", "epi" and "iso" list.
        """
        if kind == "iso" and self._free:
            return automorphisms(self.source).count if isomorphism(self.source, self.target) else 0
        if kind != "all":
            return sum(1 for _ in self._choices(kind))
        total = 1
        for r, rows in enumerate(self._problem.alive):
            if r not in self._problem.shared:
                total *= len(rows)
        return total and total * self._listing.solutions.total

    def __iter__(self) -> Iterator[Transformation]:
        return self.iterate()

    def first(self, kind: str = "all") -> Transformation | None:
        """The first in the order of ``iterate``, or None; an isomorphism on which nothing else is asked may be another."""
        if kind == "iso" and self._free:
            return isomorphism(self.source, self.target).map
        return next(self.iterate(kind), None)

    def iterate(self, kind: str = "all") -> Iterator[Transformation]:
        """All of them, lazily, in a fixed order; ``kind`` is "all", "mono", "epi" or "iso"."""
        return map(self._build, self._choices(kind))

    def _choices(self, kind: str) -> Iterator[Ints]:
        one_of("kind", kind, _KINDS)
        s, t = self.source.sizes, self.target.sizes
        if (kind in ("mono", "iso") and (s > t).any()) or (kind in ("epi", "iso") and (s < t).any()):
            return iter(())
        if kind == "all":
            return self._listing.iterate()
        return iter(Search(self._alike if kind == "iso" else self._problem, kind != "epi", kind == "epi"))

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
            known = self._listing.solutions.draw(rng)
            picks = []
            for r in range(len(self._problem.alive)):
                options = self._listing.candidates(r, known)
                picks.append(int(options[rng.randrange(len(options))]))
            out.append(self._build(np.array(picks, dtype=np.int32)))
        return out

    def _build(self, picks: Ints) -> Transformation:
        s, t = self.source, self.target
        value = self._problem.images(picks)
        parts = tuple(frozen(value[a:b]) for a, b in zip(s.offsets[:-1], s.offsets[1:], strict=True))
        return Transformation.trusted(s, t, parts)

    def __repr__(self) -> str:
        shared = {v for names, _ in self._problem.shared.values() for v in names}
        return (
            f"Transformations({self.source!r} -> {self.target!r}; {len(self._problem.roots)} generators, "
            f"{len(shared)} shared elements)"
        )


def transformations(
    source: SetFunctor,
    target: SetFunctor,
    *,
    given: Iterable[tuple[int, int, int]] = (),
    where: Mapping[int, Test] | None = None,
    limit: int = 50_000_000,
) -> Transformations:
    """All natural transformations from one set-valued functor to another; see ``Transformations``. Cost: see there."""
    return Transformations(source, target, given=given, where=where, limit=limit)
