"""Embedded nodes as an auditable pair of files: vectors by row, and a table of nodes with their labels."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError

VECTORS, TABLE = "nodes.npy", "nodes.csv"


def save_nodes(
    vectors: ArrayLike, folder: str | Path, labels: ArrayLike | None = None, classes: Sequence[str] = ()
) -> str:
    """Write ``nodes.npy`` and ``nodes.csv`` for ``presheaf audit nodes.csv --model vectors:nodes.npy``.

    Parameters
    ----------
    vectors : array of shape (n, d)
    folder : str or Path
        Made where it is not there.
    labels : integers of shape (n,), optional
        Index into ``classes``, -1 where there is none (``--on-bad-row skip`` leaves such rows out);
        without labels the table has no such column.
    classes : sequence of str

    Returns
    -------
    str
        ``vectors:FOLDER/nodes.npy``, what `presheaf.load_model` reads. Row i of both files is node i, counted from 0 in the table.

    Raises
    ------
    InputError
        If vectors or labels don't fit.
    """
    table = np.asarray(vectors, dtype=np.float32)
    if table.ndim != 2:
        raise InputError(f"vectors must be of shape (n, d); got {table.shape}.")
    names = None if labels is None else _names(np.asarray(labels), len(table), classes)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    np.save(place / VECTORS, table, allow_pickle=False)
    with (place / TABLE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["node"] if names is None else ["node", "label"])
        writer.writerows([i] if names is None else [i, names[i]] for i in range(len(table)))
    return f"vectors:{place / VECTORS}"


def single_labels(labels: Any) -> NDArray[np.int32]:
    """The one label of each node that has exactly one, and -1 elsewhere: the part of a multi-label graph an audit takes.

    Parameters
    ----------
    labels : scipy sparse array or array of shape (n, k)

    Returns
    -------
    int32 array of shape (n,)
    """
    from scipy.sparse import csr_array

    table = csr_array(labels)
    table.eliminate_zeros()
    one = np.diff(table.indptr) == 1
    found = np.full(table.shape[0], -1, dtype=np.int32)
    found[one] = table.indices[table.indptr[:-1][one]]
    return found


def _names(labels: NDArray[Any], n: int, classes: Sequence[str]) -> list[str]:
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise InputError(
            f"labels must be one whole number a node, shape ({n},); got {labels.dtype} of shape {labels.shape}."
        )
    if n and not -1 <= labels.min() <= labels.max() < len(classes):
        raise InputError(f"labels must lie in 0..{len(classes) - 1}, or be -1; got {labels.min()}..{labels.max()}.")
    return ["" if label < 0 else str(classes[label]) for label in labels]
