"""Functor categories: all functors C -> D and all natural transformations between them, as one category."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.generating import from_composition
from presheaf.finite.categories.products import product_category
from presheaf.finite.columns.arrays import Ints, frozen, spread
from presheaf.finite.columns.rows import RowIndex, sorted_rows
from presheaf.finite.functors.functor import Functor, all_functors
from presheaf.finite.functors.functor_natural import NaturalTransformation


@dataclass(frozen=True, eq=False, repr=False)
class FunctorCategory:
    """The category Fun(C, D).

    Attributes
    ----------
    source, target : Category, C and D
    category : its objects are the functors, its arrows the natural transformations
    objects : int32 (r, n), for each functor the images of C's objects
    arrows : int32 (r, k), for each functor the images of C's generators
    components : int32 (m, n), for each natural transformation its components
    """

    source: Category
    target: Category
    category: Category
    objects: Ints
    arrows: Ints
    components: Ints
    _index: RowIndex = field(repr=False)

    def functor(self, number: int) -> Functor:
        """The functor that an object stands for."""
        return Functor(self.source, self.target, self.objects[number], self.arrows[number])

    def transformation(self, arrow: int) -> NaturalTransformation:
        """The natural transformation that an arrow stands for."""
        ends = self.functor(int(self.category.dom[arrow])), self.functor(int(self.category.cod[arrow]))
        return NaturalTransformation.trusted(*ends, self.components[arrow])

    @cached_property
    def _functors(self) -> RowIndex:
        d = self.target
        radix = [d.n_objects] * self.objects.shape[1] + [d.n_arrows] * self.arrows.shape[1]
        return RowIndex(np.concatenate([self.objects, self.arrows], axis=1), radix)

    def object_of(self, functor: Functor) -> int:
        """The object that stands for a functor C -> D."""
        if functor.source is not self.source or functor.target is not self.target:
            raise InputError("the functor must run between the two categories of the functor category.")
        return int(self._functors.find(np.concatenate([functor.objects, functor.arrows])[None, :])[0])

    def arrow_of(self, transformation: NaturalTransformation) -> int:
        """The arrow that stands for a natural transformation."""
        ends = [self.object_of(transformation.source), self.object_of(transformation.target)]
        return int(self._index.find(np.concatenate([ends, transformation.components])[None, :])[0])

    @cached_property
    def evaluation(self) -> Functor:
        """The functor Fun(C, D) x C -> D that takes (F, c) to F(c); its source is ``build.product_category`` of the two."""
        both = product_category(self.category, self.source)
        every = np.repeat(np.arange(self.category.n_objects), len(self.source.generators))
        letter = np.tile(np.arange(len(self.source.generators)), self.category.n_objects)
        images = [self.components[self.category.generators].ravel(), self.arrows[every, letter]]
        return Functor(both, self.target, self.objects.ravel(), np.concatenate(images))

    def curry(self, one: Category, functor: Functor) -> Functor:
        """The functor A -> Fun(C, D) of a functor ``build.product_category(A, C)`` -> D, A being ``one``.

        Raises
        ------
        InputError
            The functor's source has not the size of the product, or its target is not D.
        """
        c = self.source
        n, k = c.n_objects, len(c.generators)
        objects, generators = one.n_objects * n, len(one.generators) * n + one.n_objects * k
        shape = functor.source.n_objects, len(functor.source.generators)
        if functor.target is not self.target or shape != (objects, generators):
            raise InputError(
                f"a functor from the product with {objects} objects and {generators} generators to the target is "
                f"needed; this one starts at {shape[0]} objects and {shape[1]} generators."
            )
        seconds = functor.arrows[len(one.generators) * n :].reshape(one.n_objects, k)
        rows = np.concatenate([functor.objects.reshape(one.n_objects, n), seconds], axis=1)
        images = self._functors.find(rows)
        parts = functor.arrows[: len(one.generators) * n].reshape(len(one.generators), n)
        ends = np.stack([images[one.generator_dom], images[one.generator_cod]], axis=1)
        return Functor(one, self.category, images, self._index.find(np.concatenate([ends, parts], axis=1)))

    def __repr__(self) -> str:
        return f"FunctorCategory({len(self.objects)} functors, {len(self.components)} natural transformations)"


def functor_category(source: Category, target: Category, *, limit: int = 2_000_000) -> FunctorCategory:
    """All functors between two small categories and all natural transformations between those.

    Parameters
    ----------
    limit : most rows of an intermediate table: functors, pairs of functors, partial natural transformations

    Raises
    ------
    InputError
        A table would have more than ``limit`` rows.

    Notes
    -----
    Components are added to pairs of functors object by object, neighbours next, and a square is checked as soon as
    both its components are there. Cost: the partial transformations met, and composites of the category's arrows with
    its generators.
    """
    objects, arrows = all_functors(source, target, limit)
    rows = sorted_rows(_transformations(source, target, objects, arrows, limit))
    radix = [len(objects)] * 2 + [target.n_arrows] * source.n_objects
    index = RowIndex(rows, radix)
    components = frozen(np.ascontiguousarray(rows[:, 2:]))
    dom, cod = frozen(rows[:, 0].copy()), frozen(rows[:, 1].copy())
    every = np.arange(len(objects), dtype=np.int32)[:, None]
    identity = index.find(np.concatenate([every, every, target.identity[objects]], axis=1))

    def compose(x: Ints, y: Ints) -> Ints:
        parts = target.compose(components[x], components[y])
        return index.find(np.concatenate([dom[x][:, None], cod[y][:, None], parts], axis=1))

    made = from_composition(dom, cod, identity, compose)
    return FunctorCategory(source, target, made, objects, arrows, components, index)


def _transformations(source: Category, target: Category, objects: Ints, arrows: Ints, limit: int) -> Ints:
    """Rows (F, G, components) of all natural transformations."""
    _few(len(objects) ** 2, limit, "pairs of functors")
    every = np.arange(len(objects), dtype=np.int32)
    rows = np.stack([np.repeat(every, len(every)), np.tile(every, len(every))], axis=1)
    rows = np.concatenate([rows, np.full((len(rows), source.n_objects), -1, dtype=np.int32)], axis=1)
    flat, key = target._homs
    for c, squares in _schedule(source):
        pair = objects[rows[:, 0], c].astype(np.int64) * target.n_objects + objects[rows[:, 1], c]
        low = np.searchsorted(key, pair)
        count = np.searchsorted(key, pair, side="right") - low
        _few(int(count.sum()), limit, f"partial natural transformations at {source.objects[c]}")
        owner, slot = spread(count)
        rows = rows[owner]
        rows[:, 2 + c] = flat[low[owner] + slot]
        for j in squares:
            a, b = int(source.generator_dom[j]), int(source.generator_cod[j])
            one = target.compose(arrows[rows[:, 0], j], rows[:, 2 + b])
            rows = rows[one == target.compose(rows[:, 2 + a], arrows[rows[:, 1], j])]
    return rows


def _few(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise InputError(f"{count} {what}, more than the limit of {limit}; raise limit if that is meant.")


def _schedule(category: Category) -> list[tuple[int, list[int]]]:
    """Objects, neighbours next, each with the generators whose ends are then all there."""
    ends = list(zip(category.generator_dom.tolist(), category.generator_cod.tolist(), strict=True))
    near: list[list[tuple[int, int]]] = [[] for _ in range(category.n_objects)]
    for j, (a, b) in enumerate(ends):
        near[a].append((b, j))
        if a != b:
            near[b].append((a, j))
    seen: set[int] = set()
    queue: list[int] = []
    out = []
    for start in range(category.n_objects):
        queue.append(start)
        while queue:
            c = queue.pop(0)
            if c not in seen:
                seen.add(c)
                out.append((c, [j for other, j in near[c] if other in seen]))
                queue += [other for other, _ in near[c] if other not in seen]
    return out
