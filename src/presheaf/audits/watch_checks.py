"""Whether a labelled table can be put to the model that a pre-training task trains: known before any training."""

from __future__ import annotations

import numpy as np

from presheaf.errors import InputError
from presheaf.pretext.base import Data, Pretext, len_of
from presheaf.tables.task import Task

_OPTION = {"image": "--image", "text": "--text"}


def check_table(task: Pretext, data: Data, labelled: Task) -> None:
    """Refuse a table whose objects the trained model can't take.

    Raises
    ------
    InputError
        Texts where the model takes images or the other way round; or not one row for each object the model has a vector of.
    """
    takes = _takes(task, data)
    if takes is None:
        _check_rows(task, data, labelled)
        return
    if labelled.objects is not None and labelled.media == takes:
        return
    holds = "no objects, only vectors" if labelled.objects is None else f"{labelled.media}s"
    raise InputError(
        f"The model that {task.name!r} trains takes {takes}s; the labelled table {labelled.name!r} holds {holds}. Name a column of "
        f"{takes}s ({_OPTION[takes]}) or another table, or watch none (--watch none)."
    )


def _takes(task: Pretext, data: Data) -> str | None:
    """What the saved model reads; None where it has a vector for each of the data's own objects and reads nothing."""
    if task.media in _OPTION:
        return task.media
    left = data.train[0] if task.media == "pair" else None
    return "image" if isinstance(left, np.ndarray) and left.dtype == np.uint8 else None


def _check_rows(task: Pretext, data: Data, labelled: Task) -> None:
    has = len_of(data.train) + (len_of(data.test) if task.media == "pair" else 0)
    rows = max(int(labelled.rows.max(initial=0)), *(bad.row for bad in labelled.bad_rows), 0)
    if rows != has:
        raise InputError(
            f"{task.name!r} trains a vector for each of the {has:,} objects of {data.name!r}; the labelled table {labelled.name!r} has "
            f"{rows:,} rows. Give one row an object, in the data's order, or watch none (--watch none)."
        )
