"""What every format hands over: column names first, then the cells of the columns that are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from presheaf.tables.defects import Defect

Cells = Sequence[Any] | NDArray[Any]
"""The cells of one column, in the order of the rows."""


@dataclass(frozen=True)
class Rows:
    """Cells of the wanted columns.

    Attributes
    ----------
    count : int
        Number of data rows n, malformed ones counted.
    columns : dict of str to cells
        For each wanted name n cells: str, int, float, bool, or None where there is nothing. A column of vectors holds
        sequences of numbers, or is a float array of shape (n, d) with NaN in the rows named in ``defects``.
    defects : tuple of Defect
        Rows the format itself can't read (their cells are None).
    notes : tuple of str
    """

    count: int
    columns: dict[str, Cells]
    defects: tuple[Defect, ...] = ()
    notes: tuple[str, ...] = ()


class RawTable(Protocol):
    """A table that was opened: its columns are known, its rows are not read yet."""

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in the order of the source; a name may occur twice."""
        ...

    def read(self, wanted: Sequence[str], vectors: str | None = None) -> Rows:
        """Cells of the ``wanted`` columns (each occurs once in `names`); ``vectors`` is the one that holds vectors."""
        ...
