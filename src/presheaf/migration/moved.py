"""What a move of data along a schema map returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.budget import Status
from presheaf.finite.presented.presentation import Path
from presheaf.migration.instance import Instance
from presheaf.migration.origins import family_names, row_names, word_names
from presheaf.migration.schema import Attribute, Schema, SchemaMap

IntArray = NDArray[np.int32]
Move = Literal["delta", "sigma", "pi"]
Families = tuple[tuple[tuple[int, Path], ...], ...]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Moved:
    """The moved instance and where its rows come from, or an honest account of why it isn't there.

    Attributes
    ----------
    move : "delta", "sigma" or "pi"
    map : SchemaMap
        F: C -> D.
    status : "complete", "infinite", "budget exceeded" or "cancelled"
    ending : str
        The status in words: which limit ran out after how many rows, or what proves the result infinite.
    method : str
        How it was computed.
    rows_made : int
        Rows made on the way, those included that turned out equal to others.
    seconds : float

    ``instance``, ``legs``, ``origins`` and ``with_origins`` are there only when the status is "complete"; asking for them
    earlier is an InputError that says what ended the move.
    """

    move: Move
    map: SchemaMap
    status: Status
    ending: str
    method: str
    rows_made: int
    seconds: float
    _instance: Instance | None = None
    _legs: tuple[IntArray, ...] = ()
    _families: Families = ()

    @property
    def complete(self) -> bool:
        return self._instance is not None

    @property
    def instance(self) -> Instance:
        """The result: on D for sigma and pi, on C for delta."""
        if self._instance is None:
            raise InputError(f"{self.move} has no result: {self.ending}.")
        return self._instance

    @property
    def legs(self) -> tuple[IntArray, ...]:
        """Row numbers, one int32 array for each table c of C.

        sigma: the unit I -> F* Sigma I; entry r is the row of F(c) that row r of c became.
        pi: the counit F* Pi I -> I; entry r is the row of c that row r of F(c) projects to.
        delta: entry r is the row of F(c) that row r of the new c is, r itself.
        """
        result = self.instance
        if self.move == "delta":
            return tuple(np.arange(size, dtype=np.int32) for size in result.sizes)
        return self._legs

    def origins(self) -> tuple[Any, ...]:
        """Where each row comes from, one pyarrow string array a table of the result; rows count from 0.

        sigma: ``Student 3 . student_is``, a row of the source and a shortest path of foreign keys from what it became.
        delta: ``Person 3``, the row of the input.
        pi: ``Student 3, faculty: Faculty 1``, the rows that make up the row, each after the path of foreign keys that leads
        from it to the place where that row stands.

        Notes
        -----
        Made by whole columns; for sigma one step for each length of path.
        """
        result, mapping = self.instance, self.map.mapping
        if self.move == "delta":
            names = self.map.target.presentation.objects
            return tuple(row_names(names[d], s) for d, s in zip(mapping.objects, result.sizes, strict=True))
        if self.move == "pi":
            return family_names(self.map.source, mapping.objects, result, self._legs, self._families)
        return word_names(self.map.source, mapping.objects, result, self._legs)

    def with_origins(self, name: str = "origin") -> Instance:
        """The result with ``origins`` as one more text attribute of every table.

        Raises
        ------
        InputError
            If a table has a column of that name.
        """
        old, texts = self.instance, self.origins()
        more = tuple(Attribute(name, c, "string") for c in range(len(texts)))
        schema = Schema(old.schema.presentation, (*old.schema.attributes, *more))
        return Instance(schema, old.sizes, old.columns, (*old.attributes, *texts), check=False)

    def __repr__(self) -> str:
        shown = self.ending if self._instance is None else repr(self._instance)
        return f"Moved({self.move}: {shown}; {self.method}, {self.seconds:.3f} s)"
