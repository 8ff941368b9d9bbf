"""Small array tools that the exact engine is written in: checked ids, flat ragged arrays, read-only results."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Bools = NDArray[np.bool_]

BLOCK = 1 << 22
"""How many entries a blockwise check holds in memory at once."""


def frozen(values: NDArray[Any]) -> NDArray[Any]:
    """The same array, marked read-only."""
    values.setflags(write=False)
    return values


def lasting(values: NDArray[Any]) -> NDArray[Any]:
    """The same entries in an array that nobody writes into: itself, if all that it is a view of is read-only; else a copy."""
    at: Any = values
    while isinstance(at, np.ndarray):
        if at.flags.writeable:
            return frozen(values.copy())
        at = at.base
    return values


def integers(what: str, values: ArrayLike) -> NDArray[Any]:
    """An array of integers, of any shape; an empty one may have been of any type.

    Raises
    ------
    InputError
        Rows of different lengths, or entries that aren't integers: the first such entry is named.
    """
    try:
        raw = np.asarray(values)
    except ValueError as error:
        raise InputError(f"{what} must be an array of integers with rows of equal length.") from error
    except OverflowError as error:
        raise InputError(f"{what} holds a number beyond 64 bits; ids are int32.") from error
    if raw.size == 0:
        return raw.astype(np.int32)
    if raw.dtype.kind not in "iu":
        first = np.ravel(raw)[0]
        raise InputError(f"{what} must hold integers; got {raw.dtype}, the first entry being {first!r}.")
    return raw


def distinct(what: str, names: Sequence[str]) -> None:
    """Check that names are text and differ.

    Raises
    ------
    InputError
        A name that is no text, or the first that came before: its place is named.
    """
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        if not isinstance(name, str):
            raise InputError(f"{what} must be text; {what}[{i}] is {name!r}.")
        if name in seen:
            raise InputError(f"{what}[{seen[name]}] and {what}[{i}] are both {name!r}; names must differ.")
        seen[name] = i


def ids(what: str, values: ArrayLike, bound: int, shape: tuple[int, ...] | None = None, missing: bool = False) -> Ints:
    """Check integers of range 0..bound-1 and return them as a read-only int32 array.

    Parameters
    ----------
    what : how an error message names the array
    values : array-like of integers
    bound : one more than the largest id allowed
    shape : the shape asked for; None lets any one-dimensional array pass
    missing : True when -1 stands for "none"

    Raises
    ------
    InputError
        Not integers, a wrong shape, or an entry out of range: the first such entry is named.
    """
    raw = integers(what, values)
    if (shape is None and raw.ndim != 1) or (shape is not None and raw.shape != shape):
        raise InputError(f"{what} must have shape {shape if shape is not None else '(any,)'}; got {raw.shape}.")
    if bound > 2**31:
        raise InputError(f"{what}: {bound} ids don't fit int32 (at most {2**31}).")
    low = -1 if missing else 0
    bad = (raw < low) | (raw >= bound)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        at = place[0] if len(place) == 1 else place
        raise InputError(f"{what}[{at}] = {int(raw[place])} is outside {low}..{bound - 1}.")
    return frozen(raw.astype(np.int32, copy=True))


def count(what: str, value: int) -> int:
    """Check a number of things: a whole number from 0 to 2^31 - 1; InputError names it otherwise."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise InputError(f"{what} must be a whole number; got {value!r}.")
    if not 0 <= value < 2**31:
        raise InputError(f"{what} must lie between 0 and 2^31 - 1, so that ids fit int32; got {value}.")
    return int(value)


def place(what: str, value: int, bound: int) -> int:
    """Check the number of one thing, 0 to bound - 1; InputError names it otherwise."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise InputError(f"{what} must be a whole number; got {value!r}.")
    if not 0 <= value < bound:
        raise InputError(f"{what} {value} is outside 0..{bound - 1}.")
    return int(value)


def pairs(what: str, values: ArrayLike, bound: int) -> Ints:
    """Check pairs of ids below ``bound`` and return them as int32 (p, 2); InputError names the entry that doesn't fit."""
    raw = integers(what, values)
    if raw.size == 0:
        raw = np.empty((0, 2), dtype=np.int32)
    if raw.ndim != 2 or raw.shape[1] != 2:
        raise InputError(f"{what} must have shape (p, 2), one pair a row; got {raw.shape}.")
    return ids(what, raw, bound, raw.shape)


def titles(what: str, names: Sequence[str] | None, many: int) -> list[str] | None:
    """Check names that a user gave for ``many`` things: as many, all text, no two equal; None stays None."""
    if names is None:
        return None
    if isinstance(names, str) or len(names) != many:
        raise InputError(f"{what}: {many} are needed, as a list of names; got {names!r:.60}.")
    distinct(what, names)
    return list(names)


def starts(counts: NDArray[Any]) -> Longs:
    """Offsets of shape (r + 1,) of a flat ragged array whose r parts have the given lengths."""
    out = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=out[1:])
    return out


def spread(counts: NDArray[Any]) -> tuple[Longs, Longs]:
    """Owner and position of every entry of a flat ragged array: (2, 0, 1) -> owners 0, 0, 2 and positions 0, 1, 0."""
    first = starts(counts)
    owner = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    return owner, np.arange(first[-1], dtype=np.int64) - first[owner]


def blocks(counts: NDArray[Any], size: int = BLOCK) -> list[tuple[int, int]]:
    """Cut 0..r-1 into runs whose lengths add up to about ``size`` (a run has at least one part)."""
    ends = np.cumsum(counts, dtype=np.int64)
    cuts = [0]
    while cuts[-1] < len(counts):
        done = int(ends[cuts[-1] - 1]) if cuts[-1] else 0
        cuts.append(max(int(np.searchsorted(ends, done + size, side="right")), cuts[-1] + 1))
    return list(pairwise(cuts))
