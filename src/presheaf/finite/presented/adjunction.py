"""Sigma -| Delta -| Pi: units, counits and transposes of Kan extensions along a map of presentations.

A functor is a pair ``sizes, columns``, a natural transformation a list of int32 arrays, one an object. The unit of Sigma is
``LeftKan.unit``, the counit of Pi is ``RightKan.counit``; all else is here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from presheaf.finite.presented.copresheaf import IntArray, check_functor, check_morphism, trace
from presheaf.finite.presented.kan_delta import restrict
from presheaf.finite.presented.kan_left import LeftKan
from presheaf.finite.presented.kan_right import RightKan
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Presentation
from presheaf.finite.presented.propagate import propagate

Functor = tuple[Sequence[int], Sequence[ArrayLike]]
Maps = tuple[IntArray, ...]


def from_left(kan: LeftKan, source: Functor, target: Functor, maps: Sequence[ArrayLike]) -> Maps:
    """The transformation Sigma_F I -> K that a transformation I -> F*K stands for.

    Parameters
    ----------
    kan : LeftKan of I along F
    source, target : I on C, and K on D
    maps : at object c of C an array of rows of K(F c), one for each row of I(c)

    Raises
    ------
    InputError
        If K is no functor, or the maps are not natural; names the place.

    Notes
    -----
    Every element of Sigma_F I is a unit moved along a path of D; its value is the unit's moved along the same path. O(rows
    times generators), by gathers.
    """
    sizes, columns = _checked(kan.mapping.target, target)
    pulled = restrict(kan.mapping, sizes, columns, check=False)
    natural = check_morphism(kan.mapping.source, _checked(kan.mapping.source, source), pulled, maps)
    out = [np.full(int(s), -1, dtype=np.int32) for s in kan.sizes]
    for c, image in enumerate(kan.mapping.objects):
        out[image][kan.unit[c]] = natural[c]
    propagate(kan.mapping.target, kan.columns, columns, out)
    return tuple(out)


def to_left(kan: LeftKan, maps: Sequence[IntArray]) -> Maps:
    """The transformation I -> F*K that a transformation Sigma_F I -> K stands for: its values at the unit."""
    return tuple(maps[image][kan.unit[c]] for c, image in enumerate(kan.mapping.objects))


def left_counit(kan: LeftKan, functor: Functor) -> Maps:
    """Sigma_F F* J -> J, for a functor J on D and ``kan`` the left extension of its restriction (``restrict``)."""
    sizes, columns = _checked(kan.mapping.target, functor)
    pulled = restrict(kan.mapping, sizes, columns, check=False)
    identity = [np.arange(s, dtype=np.int32) for s in pulled[0]]
    return from_left(kan, pulled, (sizes, columns), identity)


def left_on(source: LeftKan, target: LeftKan, functor: Functor, maps: Sequence[ArrayLike]) -> Maps:
    """Sigma_F of a transformation I -> J, from the extensions of both; ``functor`` is I.

    Raises
    ------
    InputError
        If the maps are not natural, given that J's own unit is.
    """
    moved = [target.unit[c][np.asarray(m, dtype=np.int64)] for c, m in enumerate(maps)]
    return from_left(source, functor, (target.sizes.tolist(), target.columns), moved)


def to_right(kan: RightKan, source: Functor, target: Functor, maps: Sequence[ArrayLike]) -> Maps:
    """The transformation J -> Pi_F I that a transformation F*J -> I stands for.

    Parameters
    ----------
    kan : RightKan of I along F
    source, target : J on D, and I on C
    maps : at object c of C an array of rows of I(c), one for each row of J(F c)

    Raises
    ------
    InputError
        If J is no functor, or the maps are not natural; names the place.

    Notes
    -----
    Element x of J(d) goes to the family that takes an arrow h: d -> F(c) to the value of x moved along h. O(rows times the
    length of the variables' paths), by gathers.
    """
    c = kan.mapping.source
    sizes, columns = _checked(kan.mapping.target, source)
    natural = check_morphism(c, restrict(kan.mapping, sizes, columns, check=False), _checked(c, target), maps)
    out = []
    for d, query in enumerate(kan.queries.queries):
        rows = np.arange(sizes[d], dtype=np.int32)
        tuples = [natural[at][trace(columns, path, rows)] for at, path in query.variables]
        out.append(kan.index(d, tuples, len(rows)))
    return tuple(out)


def from_right(kan: RightKan, maps: Sequence[IntArray]) -> Maps:
    """The transformation F*J -> I that a transformation J -> Pi_F I stands for: it, then the counit."""
    return tuple(kan.counit[c][maps[image]] for c, image in enumerate(kan.mapping.objects))


def right_unit(kan: RightKan, functor: Functor) -> Maps:
    """J -> Pi_F F* J, for a functor J on D and ``kan`` the right extension of its restriction (``restrict``)."""
    sizes, columns = _checked(kan.mapping.target, functor)
    pulled = restrict(kan.mapping, sizes, columns, check=False)
    identity = [np.arange(s, dtype=np.int32) for s in pulled[0]]
    return to_right(kan, (sizes, columns), pulled, identity)


def right_on(source: RightKan, target: RightKan, functor: Functor, maps: Sequence[ArrayLike]) -> Maps:
    """Pi_F of a transformation I -> J, from the extensions of both; ``functor`` is J.

    Raises
    ------
    InputError
        If the maps are not natural, given that I's own counit is.
    """
    given = [np.asarray(m, dtype=np.int32) for m in maps]
    moved = [m[source.counit[c]] for c, m in enumerate(given)]
    return to_right(target, (source.sizes.tolist(), source.columns), functor, moved)


def restrict_maps(mapping: PresentationMap, maps: Sequence[IntArray]) -> Maps:
    """F* of a transformation between functors on D."""
    return tuple(maps[image] for image in mapping.objects)


def _checked(presentation: Presentation, functor: Functor) -> tuple[list[int], list[IntArray]]:
    sizes = [int(s) for s in functor[0]]
    return sizes, check_functor(presentation, sizes, functor[1])
