"""Yoneda: representables, the lemma in both directions, who represents a functor, which representables cover it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, one_of
from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import Ints, frozen, place, spread, starts
from presheaf.finite.columns.graph import forest, sources
from presheaf.finite.presheaves.flat import objects_of, split
from presheaf.finite.presheaves.presheaf import SetFunctor, Variance
from presheaf.finite.presheaves.transformation import Transformation


def representable(category: Category, c: int, *, variance: Variance) -> SetFunctor:
    """The functor Hom(-, c) (contravariant) or Hom(c, -) (covariant).

    The elements at an object are the arrows of the hom-set in the order of ``Category.hom``. Cost: the arrows at c and
    their steps.
    """
    one_of("variance", variance, ("contravariant", "covariant"))
    c = place("object", c, category.n_objects)
    side = category if variance == "covariant" else category.op
    here = side.out(c)
    sizes = np.bincount(side.cod[here], minlength=side.n_objects)
    first = starts(sizes)
    rank = np.empty(side.n_arrows, dtype=np.int32)
    rank[here] = np.arange(len(here)) - first[side.cod[here]]
    length = sizes[side.generator_dom]
    g, row = spread(length)
    column = frozen(rank[side.then(here[first[side.generator_dom[g]] + row], g)])
    columns = [column[a:b] for a, b in pairwise(starts(length).tolist())]
    return SetFunctor.trusted(category, sizes, columns, variance=variance)


def embed(category: Category, arrow: int, *, variance: Variance) -> Transformation:
    """The Yoneda embedding of an arrow f: a -> b.

    Returns
    -------
    Hom(-, a) -> Hom(-, b), x to x;f (contravariant), or Hom(b, -) -> Hom(a, -), x to f;x (covariant). Cost: linear in the
    arrows at a and b
    """
    arrow = place("arrow", arrow, category.n_arrows)
    a, b = int(category.dom[arrow]), int(category.cod[arrow])
    side, over = (a, b) if variance == "contravariant" else (b, a)
    row = int(np.searchsorted(category.hom(a, b), arrow))
    return from_element(representable(category, over, variance=variance), side, row)


def from_element(t: SetFunctor, c: int, row: int) -> Transformation:
    """Yoneda, one way: the transformation from the representable of c to T that sends the identity to this element.

    Cost: linear in the arrows at c.
    """
    c = place("object", c, t.category.n_objects)
    row = place(f"T has at {t.category.objects[c]} no element {row}: it", row, int(t.sizes[c]))
    values = t.orbit(c, row)
    h = representable(t.category, c, variance=t.variance)
    return Transformation.trusted(h, t, split(values, h))


def to_element(transformation: Transformation, c: int) -> int:
    """Yoneda, the other way: the row at c to which a transformation from the representable of c sends the identity.

    Cost: a search in the hom-set of c.
    """
    h = transformation.source
    category = h.category
    here = category.hom(c, c)
    if int(h.sizes[c]) != len(here):
        raise InputError(f"the source is not the representable of {category.objects[c]}.")
    return int(transformation.components[c][np.searchsorted(here, category.identity[c])])


@dataclass(frozen=True)
class Representability:
    """Whether a functor is representable, by what, or why not.

    Attributes
    ----------
    holds : the verdict
    object, row : the representing object and the universal element; -1 when there is none
    pointwise : the objects c whose hom-sets have the same sizes as T everywhere: a weaker property, which says
        nothing about naturality
    why : one sentence
    apart : two elements ((object, row), (object, row)) that no common element yields, else None
    collapse : an element (object, row) that yields all of T, and arrows f != g that agree on it, else None
    """

    holds: bool
    object: int
    row: int
    pointwise: tuple[int, ...]
    why: str
    apart: tuple[tuple[int, int], tuple[int, int]] | None = None
    collapse: tuple[tuple[int, int], int, int] | None = None

    def __bool__(self) -> bool:
        return self.holds


def _pointwise(t: SetFunctor) -> Ints:
    cov = t.covariant
    source, target, count = cov.category.hom_pairs
    n = cov.category.n_objects
    good = np.bincount(source[count == cov.sizes[target]], minlength=n)
    every = np.bincount(source, minlength=n)
    return np.flatnonzero((good == every) & (good == int((cov.sizes > 0).sum()))).astype(np.int32)


def representability(t: SetFunctor) -> Representability:
    """Whether T is a representable functor.

    Returns
    -------
    Representability, with the representing object and universal element of smallest number, or a witness

    Notes
    -----
    T is represented by (c, x) iff x yields all of T and T has as many elements as Hom(c, -) at every object: the
    Yoneda map is then onto, hence bijective by counting. Elements that yield all of T form the one source component of
    the graph of elements. Cost: linear in elements x generators, plus the arrows of the category; one search, and
    strong components only of what elements that nothing enters don't reach.
    """
    cov = t.covariant
    names = t.category.objects
    fits = _pointwise(t)
    pointwise = tuple(fits.tolist())
    if not t.n_elements:
        return Representability(False, -1, -1, pointwise, "T has no elements, and a representable has its identity.")
    nodes, component = sources(*t.element_graph)
    if component.max() > 0:
        one, two = t.element(int(nodes[0])), t.element(int(nodes[np.flatnonzero(component != component[0])[0]]))
        why = (
            f"elements {one[1]} of {names[one[0]]} and {two[1]} of {names[two[0]]} come from no common element: T needs "
            f"{int(component.max()) + 1} representables to be covered."
        )
        return Representability(False, -1, -1, pointwise, why, apart=(one, two))
    place = np.searchsorted(cov.offsets, nodes, side="right") - 1
    good = np.flatnonzero(np.isin(place, fits))
    if len(good):
        c, row = t.element(int(nodes[good[0]]))
        why = f"represented by {names[c]}: element {row} there is universal."
        return Representability(True, c, row, pointwise, why)
    c, row = t.element(int(nodes[0]))
    arrows, values = t.arrows_from(c), t.orbit(c, row)
    key = cov.offsets[cov.category.cod[arrows]] + values
    first = np.empty(t.n_elements, dtype=np.int64)
    first[key[::-1]] = np.arange(len(key))[::-1]
    again = int(np.flatnonzero(first[key] != np.arange(len(key)))[0])
    f, g = sorted((int(arrows[first[key[again]]]), int(arrows[again])))
    why = (
        f"element {row} of {names[c]} yields all of T, but not freely: arrows {f} ({t.category.name(f)}) and {g} "
        f"({t.category.name(g)}) agree on it."
    )
    return Representability(False, -1, -1, pointwise, why, collapse=((c, row), f, g))


@dataclass(frozen=True)
class Generators:
    """The fewest representables that cover a functor.

    Attributes
    ----------
    objects, rows : int32 (r,), the elements whose representables cover T, one for each source component
    coproduct : whether T is the coproduct of these representables
    excess : elements of the coproduct minus elements of T; 0 when ``coproduct``
    relations : int32 (q, 4), rows (i, f, j, g): arrow f on generator i is arrow g on generator j. T is the coproduct
        modulo these relations; none when ``coproduct``
    """

    objects: Ints
    rows: Ints
    coproduct: bool
    excess: int
    relations: Ints

    def __len__(self) -> int:
        return len(self.objects)


def generators(t: SetFunctor) -> Generators:
    """The fewest representables that cover T, and T as their quotient.

    Notes
    -----
    One element of each source component of the graph of elements, the one with the smallest representable. Relations
    are the edges of that graph outside a breadth-first forest, less those that hold in the category already. Cost:
    linear in elements x generators, plus the arrows of the category.
    """
    cov = t.covariant
    category = cov.category
    first, target = t.element_graph
    nodes, component = sources(first, target)
    weight = np.bincount(category.dom, minlength=category.n_objects)
    place = np.searchsorted(cov.offsets, nodes, side="right") - 1
    order = np.lexsort((nodes, weight[place], component))
    _, at = np.unique(component[order], return_index=True)
    chosen = nodes[order][at]
    objects = place[order][at].astype(np.int32)
    rows = (chosen - cov.offsets[objects]).astype(np.int32)
    excess = int(weight[objects].sum()) - t.n_elements
    relations = np.empty((0, 4), dtype=np.int32)
    if excess:
        root, arrow = addresses(t, chosen)
        object_of = objects_of(cov)
        leave = category._right
        source = np.repeat(np.arange(t.n_elements), np.diff(first))
        slot = np.arange(len(target)) - first[source]
        f = category.then(arrow[source], leave.list[leave.first[object_of[source]] + slot])
        table = np.stack([root[source], f, root[target], arrow[target]], axis=1)
        free = (table[:, 0] == table[:, 2]) & (table[:, 1] == table[:, 3])
        relations = np.unique(table[~free], axis=0).astype(np.int32)
    return Generators(frozen(objects), frozen(rows), excess == 0, excess, frozen(relations))


def addresses(t: SetFunctor, chosen: NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Where each element of T comes from: a chosen element and an arrow that leads from it.

    Parameters
    ----------
    chosen : int (r,), distinct elements in the numbering of ``SetFunctor.offsets``

    Returns
    -------
    root : int32 (elements,), the position in ``chosen`` of the first that yields the element, -1 if none does
    arrow : int32 (elements,), an arrow f with T(f)(chosen element) = the element, its word the first shortest; else -1

    Notes
    -----
    A breadth-first forest over the graph of elements. Cost: linear in elements x generators.
    """
    cov = t.covariant
    category = cov.category
    wood = forest(*t.element_graph, chosen)
    object_of = objects_of(cov)
    arrow = np.full(t.n_elements, -1, dtype=np.int32)
    arrow[chosen] = category.identity[object_of[chosen]]
    leave = category._right
    for layer in wood.layers():
        up = wood.parent[layer]
        arrow[layer] = category.then(arrow[up], leave.list[leave.first[object_of[up]] + wood.slot[layer]])
    return wood.roots(), arrow


def propagate(
    source: SetFunctor, target: SetFunctor, elements: NDArray[np.integer], values: NDArray[np.integer]
) -> Transformation:
    """The transformation with given values at elements that yield all of the source.

    Parameters
    ----------
    elements : int (r,), elements of ``source`` in the numbering of ``SetFunctor.offsets``
    values : int (r,), the rows of ``target`` that they go to

    Notes
    -----
    Not checked: the caller knows that there is such a transformation. Cost: linear in elements x generators.
    """
    side = source.covariant.category
    roots, at = np.unique(elements, return_index=True)
    wood = forest(*source.element_graph, roots)
    object_of = objects_of(source)
    begin, entries = target.flat
    value = np.empty(source.n_elements, dtype=np.int32)
    value[roots] = np.asarray(values)[at]
    for layer in wood.layers():
        up = wood.parent[layer]
        letter = side._right.list[side._right.first[object_of[up]] + wood.slot[layer]]
        value[layer] = entries[begin[letter] + value[up]]
    return Transformation.trusted(source, target, split(value, source))
