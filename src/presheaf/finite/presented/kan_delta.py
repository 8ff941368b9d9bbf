"""Delta: a functor on D, read along a map of presentations C -> D."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import frozen, lasting
from presheaf.finite.presented.copresheaf import IntArray, check_functor, trace
from presheaf.finite.presented.mapping import PresentationMap


def restrict(
    mapping: PresentationMap, sizes: Sequence[int], columns: Sequence[ArrayLike], *, check: bool = True
) -> tuple[list[int], tuple[IntArray, ...]]:
    """F* J = J F, for a covariant functor J: D -> Set and F: C -> D.

    Parameters
    ----------
    mapping : PresentationMap
        F.
    sizes : int sequence, length n of D
    columns : int arrays, one a generator of D
    check : bool
        Whether to check that J is a functor and that C's equations hold on the result.

    Returns
    -------
    sizes : list of int, length n of C
    columns : int32 arrays, one a generator of C, read-only. A read-only column of J is taken over where F sends a
        generator to a generator; one that can be written into is copied, so that the result never changes

    Raises
    ------
    InputError
        If J is no functor; or if F breaks an equation of C on J's rows: names the equation and the first row.

    Notes
    -----
    Cost: one gather for each letter of F's paths.

    Examples
    --------
    Who is whose grandmother, from who is whose mother:

    >>> from presheaf.finite.presented.presentation import Presentation
    >>> people = Presentation(("Person",), (("mother", 0, 0),))
    >>> twice = PresentationMap(Presentation(("Person",), (("grandmother", 0, 0),)), people, (0,), ((0, 0),))
    >>> restrict(twice, [3], [[1, 2, 2]])[1][0].tolist()
    [2, 2, 2]
    """
    given = (
        check_functor(mapping.target, sizes, columns)
        if check
        else [np.asarray(column, dtype=np.int32) for column in columns]
    )
    found = [int(sizes[image]) for image in mapping.objects]
    out = []
    for (_, a, _), path in zip(mapping.source.generators, mapping.paths, strict=True):
        column = lasting(given[path[0]]) if path else np.arange(found[a], dtype=np.int32)
        out.append(frozen(trace(given, path[1:], column)))
    if check:
        _check_equations(mapping, found, out)
    return found, tuple(out)


def _check_equations(mapping: PresentationMap, sizes: list[int], columns: list[IntArray]) -> None:
    c = mapping.source
    for i, (u, v) in enumerate(c.equations):
        s = c.equation_source(i)
        rows = np.arange(sizes[s], dtype=np.int32)
        left, right = trace(columns, u, rows), trace(columns, v, rows)
        bad = np.flatnonzero(left != right)
        if len(bad):
            row, image = int(bad[0]), mapping.target.objects[mapping.objects[s]]
            raise InputError(
                f"the map breaks equation {i} of the source ({c.equation(i)}): its sides go to "
                f"{mapping.target.show(mapping.along(u))} and {mapping.target.show(mapping.along(v))}, which lead row {row} "
                f"of {image!r} to {left[row]} and {right[row]}; {len(bad):,} rows in all."
            )
