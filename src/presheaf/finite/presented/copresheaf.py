"""Set-valued functors on a presentation, as sizes and columns: checks, and moving rows along paths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import integers
from presheaf.finite.presented.presentation import Path, Presentation

IntArray = NDArray[np.int32]


def trace(columns: Sequence[IntArray], path: Path, rows: IntArray) -> IntArray:
    """Where ``rows`` of the path's source are sent by a covariant functor's ``columns``. Cost: one gather a letter."""
    for j in path:
        rows = columns[j][rows]
    return rows


def whole_sizes(presentation: Presentation, sizes: ArrayLike) -> list[int]:
    """How many rows each object has, as Python integers; InputError names the first that is no size."""
    n = len(presentation.objects)
    given = integers("sizes", sizes)
    if given.shape != (n,):
        raise InputError(f"{n} objects, but {len(given) if given.ndim == 1 else given.shape} sizes.")
    for name, many in zip(presentation.objects, given.tolist(), strict=True):
        if not 0 <= many < 2**31:
            raise InputError(f"object {name!r}: size {many} is not between 0 and 2^31 - 1.")
    return [int(many) for many in given.tolist()]


def check_functor(presentation: Presentation, sizes: Sequence[int], columns: Sequence[ArrayLike]) -> list[IntArray]:
    """Columns as int32 arrays, if they are a covariant functor to Set.

    Parameters
    ----------
    presentation : Presentation
    sizes : int sequence, length n
    columns : k int arrays; for g: a -> b an array (sizes[a],) of rows of b

    Raises
    ------
    InputError
        Names the generator and row of a value out of range, or the equation and row where it fails.

    Notes
    -----
    O(rows times the length of the equations), by gathers.
    """
    sizes = whole_sizes(presentation, sizes)
    if len(columns) != len(presentation.generators):
        raise InputError(f"{len(presentation.generators)} generators, but {len(columns)} columns.")
    out = []
    for (name, a, b), given in zip(presentation.generators, columns, strict=True):
        ends = presentation.objects[a], presentation.objects[b]
        out.append(_column(f"column of {name!r}", given, ends, (sizes[a], sizes[b])))
    for i, (u, v) in enumerate(presentation.equations):
        rows = np.arange(sizes[presentation.equation_source(i)], dtype=np.int32)
        left, right = trace(out, u, rows), trace(out, v, rows)
        bad = np.flatnonzero(left != right)
        if len(bad):
            row = int(bad[0])
            raise InputError(
                f"equation {i} ({presentation.equation(i)}) fails at row {row}: {left[row]} on the left, {right[row]} on "
                f"the right; {len(bad):,} rows in all."
            )
    return out


def check_morphism(
    presentation: Presentation,
    source: tuple[Sequence[int], Sequence[IntArray]],
    target: tuple[Sequence[int], Sequence[IntArray]],
    maps: Sequence[ArrayLike],
) -> tuple[IntArray, ...]:
    """Maps as int32 arrays, if they are a natural transformation between two functors, each (sizes, columns).

    Parameters
    ----------
    maps : n int arrays; at object c an array (source sizes[c],) of rows of the target at c

    Raises
    ------
    InputError
        Names the object and row of a value out of range, or the generator and row where naturality fails.
    """
    if len(maps) != len(presentation.objects):
        raise InputError(f"{len(presentation.objects)} objects, but {len(maps)} maps.")
    out = []
    for name, given, many, bound in zip(presentation.objects, maps, source[0], target[0], strict=True):
        out.append(_column(f"map at {name!r}", given, (name, name), (int(many), int(bound))))
    for j, (name, a, b) in enumerate(presentation.generators):
        bad = np.flatnonzero(out[b][source[1][j]] != target[1][j][out[a]])
        if len(bad):
            raise InputError(
                f"the maps are not natural in generator {name!r} at row {bad[0]}; {len(bad):,} rows in all."
            )
    return tuple(out)


def _column(place: str, given: ArrayLike, ends: tuple[str, str], sizes: tuple[int, int]) -> IntArray:
    try:
        column = np.asarray(given)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{place} must be an array of row numbers; got {given!r:.60}.") from error
    if column.shape != (sizes[0],):
        raise InputError(f"{place} has shape {column.shape}; {ends[0]!r} has {sizes[0]:,} rows.")
    if column.size and not np.issubdtype(column.dtype, np.integer):
        raise InputError(f"{place} holds {column.dtype}; expected integers.")
    if column.size and (column.min() < 0 or column.max() >= sizes[1]):
        row = int(np.flatnonzero((column < 0) | (column >= sizes[1]))[0])
        raise InputError(f"{place}, row {row}: {column[row]} is no row of {ends[1]!r}, which has {sizes[1]:,}.")
    return np.ascontiguousarray(column, dtype=np.int32)
