"""The engine that a completion runs on, chosen by what the presentation is like."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.compiled import kernel
from presheaf.finite.presented.completion_numpy import PythonEngine
from presheaf.finite.presented.inverses import invertible_generators
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.finite.presented.relators import Groupoid, groupoid

IntArray = NDArray[np.int32]
Strategy = Literal["auto", "hlt", "felsch", "mixed"]
STRATEGIES = ("auto", "hlt", "felsch", "mixed")
LONG_RELATOR = 40
"""Felsch scans all rotations of a relator at every new entry: cheap for short ones, dear for J1's of length 70, where
HLT with look-ahead takes a quarter of the time."""
WIDE_BYTES = 2**32
"""What one step of a completion may take where no budget of bytes was given."""
_MONOID, _GROUPOID = 0, 1


class Machine(Protocol):
    """What the compiled and the Python engine both do. ``identify`` and ``run`` return one of ``ENDINGS``."""

    def identify(self, start: IntArray, end: IntArray, word: IntArray, max_rows: int, max_bytes: int, /) -> int: ...
    def run(self, max_rows: int, max_bytes: int, seconds: float, /) -> int: ...
    def counts(self) -> tuple[int, int, int, int, int]: ...
    def compact(self) -> list[int]: ...
    def export(self, columns: list[IntArray], unit: IntArray, /) -> None: ...


COMPLETE, PAUSED, NO_ROWS, NO_BYTES = ENDINGS = 0, 1, 2, 3


def machine_for(
    presentation: Presentation, units: IntArray, strategy: Strategy, compiled: bool, most: int | None = None
) -> tuple[Machine, str]:
    """An engine with one row for each unit, and the name of its method.

    Parameters
    ----------
    most : the run's budget of bytes; if there is none, a table that takes more than ``WIDE_BYTES`` to begin is refused

    Raises
    ------
    InputError
        The compiled engine's rows are too wide to begin: names the object, its generators and the bytes.
    MemoryError
        They are too wide for the budget.
    """
    if not compiled or kernel is None:
        return PythonEngine(presentation, units.tolist()), "hlt in Python"
    invertible = bool(presentation.generators) and all(invertible_generators(presentation))
    group = groupoid(presentation) if invertible else None
    chosen = strategy
    if strategy == "auto":
        short = group is not None and max(map(len, group.relators), default=0) <= LONG_RELATOR
        chosen = "felsch" if short else "hlt"
    fill, deduce = chosen != "felsch", chosen != "hlt"
    if group is None:
        ends = [g[1] for g in presentation.generators], [g[2] for g in presentation.generators]
        words = [side for pair in presentation.equations for side in pair]
        letters = (*ends, [0] * len(ends[0]), *_flat(words))
        _check_width(presentation, sum(map(len, words)) if fill else 0, most)
        return _engine(_MONOID, fill, deduce, presentation, letters, 0, units), f"{chosen} on equations"
    _check_width(presentation, sum(map(len, group.relators)) if fill else 0, most)
    return (
        _engine(_GROUPOID, fill, deduce, presentation, _relators(group, deduce), len(group.relators), units),
        f"{chosen} on relators",
    )


def _check_width(presentation: Presentation, letters: int, most: int | None) -> None:
    """Refuse a table that is too large to begin: every row has an entry for each generator of the widest object.

    The first step may make a row for each generator and letter; one more row an object tells its generators by entry.
    """
    out = np.bincount(np.array([g[1] for g in presentation.generators], dtype=np.int64), minlength=1)
    width = int(out.max())
    rows = len(presentation.objects) + width + 1 + letters
    if most is not None and 4 * width * len(presentation.objects) > most:
        raise MemoryError
    if most is None and 4 * width * rows > WIDE_BYTES:
        raise InputError(
            f"completion needs {4 * width * rows:,} bytes to begin: {rows:,} rows with an entry for each of the {width:,} "
            f"generators out of {presentation.objects[int(out.argmax())]!r}. Give a budget with these bytes if that is "
            "meant, or put fewer generators on one object."
        )


def _relators(group: Groupoid, deduce: bool) -> tuple[list[int], ...]:
    words = list(group.relators + (group.rotations if deduce else ()))
    return (list(group.sources), list(group.targets), list(group.inverse), *_flat(words))


def _flat(words: list[Path]) -> tuple[list[int], list[int]]:
    offsets = [0]
    for w in words:
        offsets.append(offsets[-1] + len(w))
    return offsets, [x for w in words for x in w]


def _engine(
    kind: int,
    fill: bool,
    deduce: bool,
    presentation: Presentation,
    letters: tuple[list[int], ...],
    relators: int,
    units: IntArray,
) -> Machine:
    assert kernel is not None
    arrays = [np.array(a, dtype=np.int32) for a in letters]
    made: Machine = kernel.Engine(kind, int(fill), int(deduce), len(presentation.objects), *arrays, relators, units)
    return made
