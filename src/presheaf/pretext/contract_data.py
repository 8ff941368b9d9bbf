"""Objects of a task as the contract needs them: some of many, the two parts apart, and what a saved model takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.models.base import Model
from presheaf.pretext.base import Data, len_of


def part_of(objects: Any, rows: NDArray[np.int64], n: int) -> Any:
    """Some of a task's objects, or None where they are of a kind of its own."""
    if isinstance(objects, np.ndarray) and len(objects) == n:
        return objects[rows]
    if isinstance(objects, list | tuple) and len(objects) == n:
        return type(objects)([objects[int(i)] for i in rows])
    return None


def disjoint(data: Data) -> bool:
    """Whether no object is both trained on and held out. Nodes of a graph always are."""
    if data.media == "node":
        return True
    return not set(_keys(data.train)) & set(_keys(data.test))


def objects_for(model: Model, data: Data) -> list[Any]:
    """A few held-out objects of the kind that a model takes; all rows where it goes by their number."""
    if model.takes == "row":
        return list(range(1, len_of(data.test) + 1))
    sides = list(data.test) if data.media == "pair" else [data.test]
    for side in sides:
        if isinstance(side, np.ndarray) == (model.takes == "image"):
            return list(side[:8])
    raise TypeError(f"no held-out object is of the kind {model.takes!r}")


def _keys(objects: Any) -> list[bytes]:
    if isinstance(objects, np.ndarray):
        return [np.ascontiguousarray(one).tobytes() for one in objects]
    if len(objects) == 2 and not isinstance(objects[0], str):
        return [a + b"\0" + b for a, b in zip(_keys(objects[0]), _keys(objects[1]), strict=True)]
    return [one.encode("utf-8", "surrogatepass") for one in objects]
