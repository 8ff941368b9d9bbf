"""A column of precomputed vectors becomes one matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.tables.defects import Defect

MISSING = "missing vector"
RAGGED = "vector of another length"


def as_vector(cell: Any) -> Any:
    """``cell`` as a float array of shape (d,) if it is a sequence of numbers; otherwise unchanged.

    Single and half precision become float32, everything else float64.
    """
    if not isinstance(cell, list | tuple | np.ndarray):
        return cell
    try:
        array = np.asarray(cell)
        if array.ndim == 1 and array.dtype == object and len(array):
            array = np.array([np.nan if value is None else value for value in cell])
    except (ValueError, OverflowError):  # nested lists of unequal lengths
        return cell
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        return cell
    return array.astype(np.float32 if array.dtype in (np.float16, np.float32) else np.float64, copy=False)


def as_matrix(cells: Sequence[Any] | NDArray[Any], column: str) -> tuple[NDArray[Any], list[Defect]]:
    """Stack the cells of a column of vectors.

    Parameters
    ----------
    cells : n sequences of numbers, or a float array of shape (n, d)
        A row whose vector is missing may be None or NaN throughout.
    column : str
        Its name, for messages.

    Returns
    -------
    matrix : float32 or float64 array of shape (n, d)
        NaN throughout in the rows of ``cells`` that can't be used.
    defects : list of Defect
        Missing vectors, vectors whose length is not the most common one, cells that are no vectors, NaN or infinity.

    Raises
    ------
    InputError
        If no cell is a vector.
    """
    defects: list[Defect] = []
    if isinstance(cells, np.ndarray) and cells.ndim == 2 and cells.dtype.kind == "f":
        matrix = cells.astype(np.float32) if cells.dtype == np.float16 else cells
    else:
        matrix, defects = _stack([as_vector(cell) for cell in cells], column)
    known = {defect.row for defect in defects}
    finite = np.isfinite(matrix).all(axis=1)
    for row in (np.flatnonzero(~finite) + 1).tolist():
        if row not in known:
            defects.append(Defect(row, "NaN or infinity in the vector"))
    return matrix, defects


def usual_length(lengths: Counter[int], column: str) -> int:
    """The most common vector length (the longer one of a tie).

    Raises
    ------
    InputError
        If there is none, or it is 0.
    """
    usual = max(lengths, key=lambda d: (lengths[d], d), default=0)
    if usual == 0:
        raise InputError(f"column {column!r} holds no vectors; expected a list of numbers in every row.")
    return usual


def _stack(cells: list[Any], column: str) -> tuple[NDArray[Any], list[Defect]]:
    good = [cell for cell in cells if isinstance(cell, np.ndarray) and cell.ndim == 1 and cell.dtype.kind == "f"]
    d = usual_length(Counter(map(len, good)), column)
    single = all(cell.dtype == np.float32 for cell in good)
    matrix = np.full((len(cells), d), np.nan, dtype=np.float32 if single else np.float64)
    defects = []
    for row, cell in enumerate(cells, start=1):
        if cell is None:
            defects.append(Defect(row, MISSING))
        elif not isinstance(cell, np.ndarray) or cell.ndim != 1 or cell.dtype.kind != "f":
            defects.append(Defect(row, "not a vector of numbers", type(cell).__name__))
        elif len(cell) != d:
            defects.append(Defect(row, RAGGED, f"{len(cell)} numbers, most have {d}"))
        else:
            matrix[row - 1] = cell
    return matrix, defects
