"""A database as a set-valued functor: rows as numbers, foreign keys as int32 columns, attributes as Arrow columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import lasting
from presheaf.finite.presented.kan_left import check_functor
from presheaf.finite.presented.presentation import Presentation
from presheaf.migration.arrow_types import arrow_type
from presheaf.migration.equations import check_equations
from presheaf.migration.schema import Schema
from presheaf.migration.show import instance_html

__all__ = ["Instance", "arrow_type"]


class Instance:
    """A covariant functor from a schema to finite sets, with columns of values beside it. Immutable.

    Parameters
    ----------
    schema : Schema
    sizes : int sequence, length n: rows of each table
    columns : k int arrays, one a foreign key: for g: a -> b an array (sizes[a],) of row numbers of b
    attributes : Arrow arrays (pyarrow.Array or ChunkedArray), one an attribute of the schema, as long as its table has
        rows, with nulls where no value is known

    Attributes
    ----------
    schema : Schema
    sizes : tuple of int
    columns : tuple of int32 arrays
    attributes : tuple of pyarrow.ChunkedArray

    Raises
    ------
    InputError
        A size, a column, an attribute that does not fit, or a path equation that does not hold; the place is named:
        table, column, row.

    Notes
    -----
    A null is a value that is not known; each stands for itself, so that two nulls are not taken for equal. ``delta``
    carries values along, ``sigma`` gives a row the value of whatever became it, ``pi`` joins on equal values.

    Cost: rows x length of the equations, by gathers. A column that can be written into is copied, so that what its owner does
    afterwards changes nothing; a read-only one is shared. Values are shared, as Arrow arrays are never written into: one
    that Arrow laid over a numpy array without copying is only as constant as that array.
    """

    __slots__ = ("attributes", "columns", "schema", "sizes")

    schema: Schema
    sizes: tuple[int, ...]
    columns: tuple[NDArray[np.int32], ...]
    attributes: tuple[Any, ...]

    def __init__(
        self,
        schema: Schema,
        sizes: Sequence[int],
        columns: Sequence[ArrayLike],
        attributes: Sequence[Any] = (),
        *,
        check: bool = True,
    ) -> None:
        import pyarrow as pa

        many = tuple(int(s) for s in sizes)
        if check:
            free = Presentation(schema.presentation.objects, schema.presentation.generators)
            kept = [lasting(column) for column in check_functor(free, many, columns)]
            check_equations(schema, many, kept)
        else:
            kept = [lasting(np.ascontiguousarray(column, dtype=np.int32)) for column in columns]
        if len(attributes) != len(schema.attributes):
            raise InputError(
                f"the schema has {len(schema.attributes)} attributes, {len(attributes)} columns were given."
            )
        values = []
        for i, given in enumerate(attributes):
            column = given if isinstance(given, pa.ChunkedArray) else pa.chunked_array([given])
            expected = many[schema.attributes[i].object]
            if len(column) != expected:
                raise InputError(
                    f"attribute {schema.show(i)} has {len(column):,} values; its table has {expected:,} rows."
                )
            wanted = arrow_type(schema.attributes[i].type)
            if column.type != wanted:
                raise InputError(f"attribute {schema.show(i)} holds {column.type}; expected {wanted}.")
            values.append(column)
        object.__setattr__(self, "schema", schema)
        object.__setattr__(self, "sizes", many)
        object.__setattr__(self, "columns", tuple(kept))
        object.__setattr__(self, "attributes", tuple(values))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("an Instance does not change; make a new one.")

    @property
    def n_rows(self) -> int:
        """Rows over all tables."""
        return sum(self.sizes)

    def __repr__(self) -> str:
        names = self.schema.presentation.objects
        shown = ", ".join(f"{name}: {size}" for name, size in zip(names[:12], self.sizes, strict=False))
        return f"Instance({shown}{', ...' if len(names) > 12 else ''})"

    def _repr_html_(self) -> str:
        return instance_html(self)
