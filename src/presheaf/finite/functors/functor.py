"""Functors between finite categories: given on generators, checked on relations, composed, tested and listed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError
from presheaf.finite.categories.arrows import isomorphism_classes
from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import Ints, Longs, frozen, ids, spread, starts
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.transformation import Transformation


@dataclass(frozen=True)
class Answer:
    """Yes, or no with a witness in words and numbers; true or false in a condition."""

    holds: bool
    why: str
    witness: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return self.holds


class Functor:
    """A functor F: source -> target.

    Parameters
    ----------
    source, target : Category
    objects : int (n,), the image of each object
    arrows : int (k,), the image of each generator of ``source``, an arrow of ``target``

    Raises
    ------
    InputError
        An image with wrong ends (the generator is named), or a relation of ``source`` that breaks (it is written out).

    Notes
    -----
    Cost: arrows of the source x length of words of the target.
    """

    def __init__(self, source: Category, target: Category, objects: ArrayLike, arrows: ArrayLike) -> None:
        self.source, self.target = source, target
        self.objects: Ints = ids("objects", objects, target.n_objects, (source.n_objects,))
        self.arrows: Ints = ids("arrows", arrows, target.n_arrows, (len(source.generators),))
        for ends, mine, theirs in (
            ("start", source.generator_dom, target.dom[self.arrows]),
            ("end", source.generator_cod, target.cod[self.arrows]),
        ):
            wrong = np.flatnonzero(self.objects[mine] != theirs)
            if len(wrong):
                j = int(wrong[0])
                raise InputError(
                    f"generator {source.names[j]} goes to {target.name(int(self.arrows[j]))}, which doesn't {ends} at "
                    f"{target.objects[self.objects[mine[j]]]}."
                )
        x, g, y = source.relations
        one = target.compose(self.images[x], self.arrows[g])
        wrong = np.flatnonzero(one != self.images[y])
        if len(wrong):
            i = int(wrong[0])
            left = ";".join(source.names[a] for a in (*source.word(int(x[i])), int(g[i])))
            raise InputError(
                f"the equation {left} = {source.name(int(y[i]))} breaks: its sides go to {target.name(int(one[i]))} and "
                f"{target.name(int(self.images[y[i]]))}."
            )

    @classmethod
    def identity(cls, category: Category) -> Functor:
        """The identity functor."""
        return cls(category, category, np.arange(category.n_objects), category.generators)

    @cached_property
    def images(self) -> Ints:
        """The image of every arrow, int32 (m,)."""
        out = np.empty(self.source.n_arrows, dtype=np.int32)
        out[self.source.identity] = self.target.identity[self.objects]
        for layer in self.source.tree.layers():
            out[layer] = self.target.compose(out[self.source.parent[layer]], self.arrows[self.source.last[layer]])
        return frozen(out)

    def then(self, other: Functor) -> Functor:
        """This functor, then the other."""
        if other.source is not self.target:
            raise InputError("the second functor must start at the category where the first ends.")
        return Functor(self.source, other.target, other.objects[self.objects], other.images[self.arrows])

    def opposite(self) -> Functor:
        """The same maps between the opposite categories."""
        return Functor(self.source.op, self.target.op, self.objects, self.arrows)

    def restrict(self, t: SetFunctor) -> SetFunctor:
        """Delta: the set-valued functor on ``source`` that reads T at the images. Cost: rows x word lengths.

        The same T gives the same object again, as long as it is kept somewhere.
        """
        if t.category is not self.target:
            raise InputError("the set-valued functor must live on the target of the functor.")
        made = self._restricted.get(t)
        if made is None:
            made = self._restricted[t] = self._restrict(t)
        return made

    @cached_property
    def _restricted(self) -> WeakKeyDictionary[SetFunctor, SetFunctor]:
        return WeakKeyDictionary()

    def _restrict(self, t: SetFunctor) -> SetFunctor:
        columns = []
        ends = self.source.generator_dom if t.variance == "covariant" else self.source.generator_cod
        for j, arrow in enumerate(self.arrows.tolist()):
            columns.append(frozen(t.apply(arrow, np.arange(t.sizes[self.objects[ends[j]]], dtype=np.int32))))
        return SetFunctor.trusted(self.source, t.sizes[self.objects], columns, variance=t.variance)

    def restrict_map(self, f: Transformation) -> Transformation:
        """Delta of a transformation S -> T: its components at the images (whiskering)."""
        source, target = self.restrict(f.source), self.restrict(f.target)
        return Transformation.trusted(source, target, tuple(f.components[c] for c in self.objects.tolist()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Functor):
            return NotImplemented
        if self.source is not other.source or self.target is not other.target:
            return False
        return np.array_equal(self.objects, other.objects) and np.array_equal(self.arrows, other.arrows)

    def __hash__(self) -> int:
        return hash((self.objects.tobytes(), self.arrows.tobytes()))

    @cached_property
    def faithful(self) -> Answer:
        """Whether parallel arrows stay apart; the witness is a pair (f, g) with the same image. O(m log m)."""
        c = self.source
        key = (c.dom.astype(np.int64) * c.n_objects + c.cod) * self.target.n_arrows + self.images
        order = np.argsort(key, kind="stable")
        same = np.flatnonzero(key[order][1:] == key[order][:-1])
        if len(same):
            f, g = int(order[same[0]]), int(order[same[0] + 1])
            return Answer(False, f"{c.name(f)} and {c.name(g)} have the same image.", (f, g))
        return Answer(True, "parallel arrows have different images.")

    @cached_property
    def full(self) -> Answer:
        """Whether every arrow between images is an image; the witness is (a, b, arrow of the target).

        Cost: the arrows of the target between images of objects, over all pairs of objects.
        """
        c, d = self.source, self.target
        key = np.unique((c.dom.astype(np.int64) * c.n_objects + c.cod) * d.n_arrows + self.images)
        pair, reached = np.unique(key // d.n_arrows, return_counts=True)
        fibre = np.argsort(self.objects, kind="stable")
        first = starts(np.bincount(self.objects, minlength=d.n_objects))
        source, target, size = d.hom_pairs
        for a, b, count in zip(source.tolist(), target.tolist(), size.tolist(), strict=True):
            over = (
                fibre[first[a] : first[a + 1], None].astype(np.int64) * c.n_objects
                + fibre[None, first[b] : first[b + 1]]
            ).ravel()
            if not len(over):
                continue
            at = np.searchsorted(pair, over)
            found = np.zeros(len(over), dtype=np.int64)
            hit = at < len(pair)
            hit[hit] = pair[at[hit]] == over[hit]
            found[hit] = reached[at[hit]]
            short = np.flatnonzero(found < count)
            if len(short):
                x, y = int(over[short[0]] // c.n_objects), int(over[short[0]] % c.n_objects)
                rest = np.setdiff1d(d.hom(a, b), self.images[c.hom(x, y)])
                arrow = int(rest[0])
                why = f"no arrow {c.objects[x]} -> {c.objects[y]} goes to {d.name(arrow)}."
                return Answer(False, why, (x, y, arrow))
        return Answer(True, "every arrow between images is an image.")

    @cached_property
    def essentially_surjective(self) -> Answer:
        """Whether every object of the target is isomorphic to an image; the witness is an object that isn't."""
        label = isomorphism_classes(self.target)
        missed = np.flatnonzero(~np.isin(label, label[self.objects]))
        if len(missed):
            c = int(missed[0])
            return Answer(False, f"{self.target.objects[c]} is isomorphic to no image.", (c,))
        return Answer(True, "every object is isomorphic to an image.")

    @property
    def equivalence(self) -> Answer:
        """Whether the functor is an equivalence: full, faithful and essentially surjective."""
        for answer in (self.faithful, self.full, self.essentially_surjective):
            if not answer:
                return answer
        return Answer(True, "full, faithful and essentially surjective.")

    def __repr__(self) -> str:
        c, d = self.source, self.target
        if c.n_objects + len(c.generators) > 12:
            return f"Functor({c.n_objects} -> {d.n_objects} objects, {c.n_arrows} -> {d.n_arrows} arrows)"
        parts = [f"{a} -> {d.objects[b]}" for a, b in zip(c.objects, self.objects.tolist(), strict=True)]
        parts += [f"{a} -> {d.name(b)}" for a, b in zip(c.names, self.arrows.tolist(), strict=True)]
        return f"Functor({', '.join(parts)})"


_Relation = tuple[tuple[int, ...], tuple[int, ...], int]


def all_functors(source: Category, target: Category, limit: int = 10_000_000) -> tuple[Ints, Ints]:
    """All functors between two small categories.

    Parameters
    ----------
    limit : most rows of an intermediate table

    Returns
    -------
    objects : int32 (r, n), the image of each object, one functor a row, in lexicographic order of (objects, arrows)
    arrows : int32 (r, k), the image of each generator

    Raises
    ------
    InputError
        More than ``limit`` partial functors at once.

    Notes
    -----
    A join: one generator at a time is given every arrow that fits the objects chosen so far, and each relation is
    checked as soon as all its letters have images. Cost: the partial functors met.
    """
    n, k = source.n_objects, len(source.generators)
    rows = np.full((1, n + k), -1, dtype=np.int32)
    x, j, y = (part.tolist() for part in source.relations)
    relations = [((*source.word(a), g), source.word(b), int(source.dom[a])) for a, g, b in zip(x, j, y, strict=True)]
    due: list[list[_Relation]] = [[] for _ in range(k)]
    for relation in relations:
        due[max((*relation[0], *relation[1]))].append(relation)
    for g in range(k):
        rows = _extended(source, target, rows, g, limit)
        for relation in due[g]:
            rows = rows[_holds(target, rows, n, relation)]
    for c in range(n):
        if len(rows) and rows[0, c] < 0:
            owner, slot = _choices(np.full(len(rows), target.n_objects), limit, f"object {source.objects[c]}")
            rows = rows[owner]
            rows[:, c] = slot
    if rows.shape[1]:
        rows = rows[np.lexsort(rows.T[::-1])]
    return frozen(rows[:, :n]), frozen(rows[:, n:])


def _choices(counts: NDArray[np.integer], limit: int, what: str) -> tuple[Longs, Longs]:
    if int(counts.sum()) > limit:
        raise InputError(f"more than {limit} partial functors at {what}; raise limit if that is meant.")
    return spread(counts)


def _extended(source: Category, target: Category, rows: Ints, g: int, limit: int) -> Ints:
    """Partial functors, each with every image of generator g that fits."""
    n = source.n_objects
    a, b = int(source.generator_dom[g]), int(source.generator_cod[g])
    what = f"generator {source.names[g]}"
    known = [len(rows) > 0 and rows[0, c] >= 0 for c in (a, b)]
    if any(known):
        ends, c = (target.dom, a) if known[0] else (target.cod, b)
        by = np.argsort(ends, kind="stable").astype(np.int32)
        first = starts(np.bincount(ends, minlength=target.n_objects))
        owner, slot = _choices(np.diff(first)[rows[:, c]], limit, what)
        arrow = by[first[rows[owner, c]] + slot]
    else:
        owner, slot = _choices(np.full(len(rows), target.n_arrows), limit, what)
        arrow = slot.astype(np.int32)
    fits = np.ones(len(arrow), dtype=bool)
    for c, end in ((a, target.dom[arrow]), (b, target.cod[arrow])):
        fits &= (rows[owner, c] < 0) | (rows[owner, c] == end)
    if a == b:
        fits &= target.dom[arrow] == target.cod[arrow]
    rows, arrow = rows[owner[fits]], arrow[fits]
    rows[:, n + g] = arrow
    rows[:, a], rows[:, b] = target.dom[arrow], target.cod[arrow]
    return rows


def _holds(target: Category, rows: Ints, n: int, relation: _Relation) -> NDArray[np.bool_]:
    sides = []
    for word in relation[:2]:
        image = target.identity[rows[:, relation[2]]]
        for letter in word:
            image = target.compose(image, rows[:, n + letter])
        sides.append(image)
    return np.asarray(sides[0] == sides[1])
