"""Categories of shapes, schemas and group actions from the literature."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.columns.arrays import spread, starts
from presheaf.finite.examples.example import Example, at_least
from presheaf.finite.functors.elements import action_groupoid
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.finite.presheaves.presheaf import copresheaf

_LAWVERE = "Lawvere 1989, Qualitative distinctions between some toposes of generalized graphs"


def quiver() -> Example:
    """E => V: a presheaf on its opposite, or a covariant functor on it, is a directed multigraph."""
    shape = Presentation(("E", "V"), (("source", 0, 1), ("target", 0, 1)))
    return Example("quiver", shape, 4, _LAWVERE)


def reflexive_quiver() -> Example:
    """E => V with a loop chosen at every vertex."""
    arrows = (("source", 0, 1), ("target", 0, 1), ("loop", 1, 0))
    shape = Presentation(("E", "V"), arrows, (((2, 0), ()), ((2, 1), ())))
    return Example("reflexive quiver", shape, 7, _LAWVERE)


def simplex(n: int) -> Example:
    """The simplex category up to [n]: order-preserving maps between [0], ..., [n], by cofaces and codegeneracies."""
    at_least("n", n, 0)
    arrows: list[tuple[str, int, int]] = []
    number: dict[tuple[str, int, int], int] = {}
    for k in range(1, n + 1):
        for i in range(k + 1):
            number["d", k, i] = len(arrows)
            arrows.append((f"d{k}_{i}", k - 1, k))
        for i in range(k):
            number["s", k, i] = len(arrows)
            arrows.append((f"s{k}_{i}", k, k - 1))
    laws: list[tuple[Path, Path]] = []
    for k in range(1, n + 1):
        # d{k}_i: [k-1] -> [k] leaves out i; s{k}_i: [k] -> [k-1] takes i and i+1 together.
        for j in range(k + 1):
            if k > 1:
                laws += [
                    ((number["d", k - 1, i], number["d", k, j]), (number["d", k - 1, j - 1], number["d", k, i]))
                    for i in range(j)
                ]
        for j in range(k - 1):
            laws += [
                ((number["s", k, i], number["s", k - 1, j]), (number["s", k, j + 1], number["s", k - 1, i]))
                for i in range(j + 1)
            ]
        for i in range(k + 1):
            for j in range(k):
                left = (number["d", k, i], number["s", k, j])
                if i in (j, j + 1):
                    laws.append((left, ()))
                elif i < j:
                    laws.append((left, (number["s", k - 1, j - 1], number["d", k - 1, i])))
                else:
                    laws.append((left, (number["s", k - 1, j], number["d", k - 1, i - 1])))
    objects = tuple(f"[{k}]" for k in range(n + 1))
    arrows_in_all = sum(comb(a + b + 1, a + 1) for a in range(n + 1) for b in range(n + 1))
    source = "Mac Lane 1998, Categories for the Working Mathematician, VII.5"
    return Example(
        f"simplex category up to [{n}]", Presentation(objects, tuple(arrows), tuple(laws)), arrows_in_all, source
    )


def school_square() -> PresentationMap:
    """Faculty <- TA -> Student into the square that adds Person: the running example of fast left Kan extensions.

    Source: Meyers, Spivak and Wisnesky 2022, Fast left Kan extensions using the chase.
    """
    tables = Presentation(("TA", "Faculty", "Student"), (("faculty", 0, 1), ("student", 0, 2)))
    square = Presentation(
        ("TA", "Faculty", "Student", "Person"),
        (("faculty", 0, 1), ("student", 0, 2), ("faculty_is", 1, 3), ("student_is", 2, 3)),
        (((0, 2), (1, 3)),),
    )
    return PresentationMap(tables, square, (0, 1, 2), ((0,), (1,)))


def rotnet(orbits: Sequence[int] = (4, 4, 2, 1)) -> Category:
    """The groupoid of images that are turned by quarter turns: objects are images, arrows x -> y the turns from x to y.

    Parameters
    ----------
    orbits : the number of different images that turning yields, for each image: 4, 2 or 1

    Returns
    -------
    Category
        Its presheaves are what a model that only saw quarter turns may say of images; the pretext task is that of
        RotNet (Gidaris, Singh and Komodakis 2018, Unsupervised representation learning by predicting image rotations).
        The default has 44 arrows and groupoid cardinality 11/4.
    """
    wrong = [size for size in orbits if size not in (1, 2, 4)]
    if wrong:
        raise InputError(f"an orbit of quarter turns has 1, 2 or 4 images; got {wrong[0]}.")
    first = starts(np.array(orbits, dtype=np.int64))
    owner, place = spread(np.diff(first))
    turned = first[owner] + (place + 1) % np.diff(first)[owner]
    group = from_maps([[1, 2, 3, 0]], names=["quarter turn"])
    return action_groupoid(copresheaf(group, [len(turned)], [turned]))
