"""A task: objects with labels, as read from a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.images import content_key


@dataclass(frozen=True)
class BadRow:
    """A row that can't be used, and why. ``row`` is the 1-based number of the data row (a header is not counted)."""

    row: int
    reason: str


@dataclass(frozen=True, eq=False)
class Task:
    """Labelled objects: what should be known of each.

    Attributes
    ----------
    objects : tuple of str, or None
        The objects, one a row: texts, or paths of image files. None when the table has neither (precomputed vectors only).
    labels : int32 array of shape (n,)
        Index into ``classes``.
    classes : tuple of str
        Class names in sorted order (numeric order when all are numbers).
    rows : int64 array of shape (n,)
        1-based number of each kept row in the source, a header not counted. The row ids of every report.
    name, source : str
        Short name for headings; where the rows were read from.
    text_column, label_column : str or None
        ``text_column`` is the column of the objects, whichever kind they are.
    bad_rows : tuple of BadRow
        Rows left out under ``on_bad_row="skip"``, each with its reason.
    notes : tuple of str
        What the reader did that a user should know (encoding guessed, labels trimmed, duplicated rows kept).
    vectors : float array of shape (n_source_rows, d), or None
        A column of precomputed vectors, aligned with the source (index it with ``rows - 1``).
    media : "text" or "image"
        What the objects are.
    digests : tuple of str, or None
        Names of the images' contents as `presheaf.images.content_key` gives them, where they are known already.
    """

    objects: tuple[str, ...] | None
    labels: NDArray[np.int32]
    classes: tuple[str, ...]
    rows: NDArray[np.int64]
    name: str = "table"
    source: str = ""
    text_column: str | None = None
    label_column: str | None = None
    bad_rows: tuple[BadRow, ...] = ()
    notes: tuple[str, ...] = ()
    vectors: NDArray[Any] | None = field(default=None, repr=False)
    media: Literal["text", "image"] = "text"
    digests: tuple[str, ...] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Task({self.name!r}, {len(self)} rows, {len(self.classes)} classes)"

    @property
    def texts(self) -> tuple[str, ...] | None:
        """The objects where they are texts; None where they are images or there are none."""
        return self.objects if self.media == "text" else None

    @cached_property
    def contents(self) -> tuple[str, ...] | None:
        """What makes two objects one and the same: the texts themselves; of image files their bytes, not their names."""
        if self.objects is None or self.media == "text":
            return self.objects
        return self.digests if self.digests is not None else tuple(map(content_key, self.objects))

    @property
    def label_names(self) -> list[str]:
        """Class name of every row."""
        return [self.classes[i] for i in self.labels]

    def take(self, index: Sequence[int] | NDArray[Any]) -> Task:
        """The task restricted to the given positions (0-based), classes unchanged. Cost: linear in their number."""
        index = np.asarray(index, dtype=np.int64)
        return replace(
            self,
            objects=None if self.objects is None else tuple(self.objects[i] for i in index),
            labels=self.labels[index],
            rows=self.rows[index],
            digests=None if self.digests is None else tuple(self.digests[i] for i in index),
        )
