"""What kind of arrow, object or category: isomorphisms, mono, epi, groupoid, initial, skeleton, core, components."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.parts import full_subcategory, wide_part
from presheaf.finite.columns.arrays import Bools, Ints, frozen, spread, starts
from presheaf.finite.columns.graph import strong_components, weak_components


def split_monos(category: Category) -> Bools:
    """Which arrows f have an r with f;r = identity, bool (m,).

    Notes
    -----
    They are the arrows from which steps to the right lead back to the identity: the strongly connected component of
    the identity in the right Cayley graph (Green's relation R). Linear.
    """
    label = strong_components(category._right.at, category._right.flat)
    return np.asarray(label == label[category.identity[category.dom]])


def split_epis(category: Category) -> Bools:
    """Which arrows f have an s with s;f = identity, bool (m,). Linear."""
    return split_monos(category.op)


def isomorphisms(category: Category) -> Bools:
    """Which arrows are isomorphisms, bool (m,). Linear."""
    return np.asarray(split_monos(category) & split_epis(category))


def inverses(category: Category) -> Ints:
    """The inverse of every arrow, int32 (m,); -1 where there is none.

    Notes
    -----
    From f a generator g leads one step nearer to the identity, f;g = f', so the inverse is g;inverse(f'). Breadth
    first from the identities over the steps that stay among isomorphisms; linear.
    """
    iso = isomorphisms(category)
    owner, generator = category._right.entries()
    flat = category._right.flat
    keep = iso[owner] & iso[flat]
    owner, generator, flat = owner[keep], generator[keep], flat[keep]
    inverse = np.full(category.n_arrows, -1, dtype=np.int32)
    inverse[category.identity] = category.identity
    order = np.argsort(flat, kind="stable")
    first = starts(np.bincount(flat, minlength=category.n_arrows))
    front = category.identity
    while len(front):
        part, slot = spread(np.diff(first)[front])
        edge = order[first[front[part]] + slot]
        edge = edge[inverse[owner[edge]] < 0]
        f, at = np.unique(owner[edge], return_index=True)
        edge = edge[at]
        inverse[f] = category.after(inverse[flat[edge]], generator[edge])
        front = f.astype(np.int32)
    return frozen(inverse)


def is_groupoid(category: Category) -> bool:
    """Whether every arrow is an isomorphism. Linear."""
    return bool(isomorphisms(category)[category.generators].all())


def monos(category: Category) -> Bools:
    """Which arrows f are mono (x;f = y;f only for x = y), bool (m,).

    Notes
    -----
    Split monos are known from the Cayley graph; for the others all composites x;f are compared. Cost: composable pairs
    that end with such an arrow, in blocks.
    """
    mono = split_monos(category)
    order = np.argsort(category.cod, kind="stable").astype(np.int32)
    first = starts(np.bincount(category.cod, minlength=category.n_objects))
    open_ = np.flatnonzero(~mono).astype(np.int32)
    mono[open_] = True
    count = np.diff(first)[category.dom[open_]]
    low = 0
    while low < len(open_):
        high = low + max(1, int(np.searchsorted(np.cumsum(count[low:]), 1 << 22, side="right")))
        owner, slot = spread(count[low:high])
        f = open_[low:high][owner]
        x = order[first[category.dom[f]] + slot]
        key = np.sort(f.astype(np.int64) * category.n_arrows + category.compose(x, f))
        twice = key[1:][key[1:] == key[:-1]]
        mono[twice // category.n_arrows] = False
        low = high
    return mono


def epis(category: Category) -> Bools:
    """Which arrows f are epi (f;x = f;y only for x = y), bool (m,). Cost: see ``monos``."""
    return monos(category.op)


def initial_objects(category: Category) -> Ints:
    """The objects with exactly one arrow to every object, in order. Linear in the arrows."""
    source, _, count = category.hom_pairs
    once = np.bincount(source[count == 1], minlength=category.n_objects)
    return np.flatnonzero(once == category.n_objects).astype(np.int32)


def terminal_objects(category: Category) -> Ints:
    """The objects with exactly one arrow from every object, in order. Linear in the arrows."""
    return initial_objects(category.op)


def zero_objects(category: Category) -> Ints:
    """The objects that are both initial and terminal, in order. Linear in the arrows."""
    return np.intersect1d(initial_objects(category), terminal_objects(category)).astype(np.int32)


def components(category: Category) -> Ints:
    """The connected component of every object, int32 (n,), numbered by smallest object. Near-linear."""
    return weak_components(category.n_objects, category.generator_dom, category.generator_cod)


def isomorphism_classes(category: Category) -> Ints:
    """The isomorphism class of every object, int32 (n,), numbered by smallest object. Linear."""
    iso = isomorphisms(category)
    return weak_components(category.n_objects, category.dom[iso], category.cod[iso])


def skeleton(category: Category) -> tuple[Category, Ints]:
    """The full subcategory on the smallest object of each isomorphism class, and its arrows as arrows of the category.

    Cost: see ``full_subcategory``.
    """
    _, first = np.unique(isomorphism_classes(category), return_index=True)
    return full_subcategory(category, np.sort(first))


def core(category: Category) -> tuple[Category, Ints]:
    """The groupoid of all isomorphisms, and its arrows as arrows of the category. Cost: its composable pairs."""
    every = np.arange(category.n_objects, dtype=np.int32)
    return wide_part(category, every, isomorphisms(category))


def groupoid_cardinality(category: Category) -> Fraction:
    """The cardinality of a finite groupoid: the sum of 1 / |automorphisms| over its components, exact.

    It is the sum of all entries of the pseudo-inverse of the matrix of hom counts, and the number of points divided by
    the order of the group for an action groupoid.

    Raises
    ------
    InputError
        Some arrow has no inverse (it is named).

    Notes
    -----
    Baez and Dolan 2001, From finite sets to Feynman diagrams. An object with r isomorphic ones and s automorphisms has
    r s arrows out, so the sum is that of 1 / |arrows out| over the objects. Linear.
    """
    stuck = np.flatnonzero(~isomorphisms(category))
    if len(stuck):
        raise InputError(f"arrow {category.name(int(stuck[0]))} has no inverse; only a groupoid has this cardinality.")
    out, objects = np.unique(np.bincount(category.dom, minlength=category.n_objects), return_counts=True)
    parts = (Fraction(many, arrows) for many, arrows in zip(objects.tolist(), out.tolist(), strict=True))
    return sum(parts, Fraction(0))


def is_thin(category: Category) -> bool:
    """Whether no two arrows are parallel, so that the category is a preorder. Linear in the arrows."""
    return bool((category.hom_pairs[2] <= 1).all())
