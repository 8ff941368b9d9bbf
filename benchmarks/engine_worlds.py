"""Inputs of benchmarks/engine.py that peers share; numpy only, so that any interpreter can make them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]

SQUARES = {"school_square_4m": 1_000_000, "school_square_20m": 5_000_000}
"""Rows in each of the three tables of the school square; four tables come out."""

CYCLE, COLOURS = 8, 8
"""Hom(C8, K8): maps from a directed cycle to the complete directed graph without loops."""

SIDE = 100
"""The group C_100 x C_100 x C_100 acts on a million points."""

PULLBACK = 2_000_000

MIGRATED = 250_000
"""Rows in each of the three tables of the migrated school; about a million rows come out."""

CHAIN_SQUARES, CHAIN_ROWS = 50, 20_000

COMPONENTS = 2_000_000


def school(n: int) -> tuple[Ints, Ints]:
    """Faculty member and student of each of n teaching assistants, uniformly at random."""
    rng = np.random.default_rng(0)
    return rng.integers(0, n, n).astype(np.int32), rng.integers(0, n, n).astype(np.int32)


def torus_steps(sides: tuple[int, int, int]) -> list[Ints]:
    """The three unit steps on a torus with these sides, on points numbered row by row."""
    points = np.arange(np.prod(sides), dtype=np.int32).reshape(sides)
    return [np.roll(points, -1, axis=i).ravel() for i in range(3)]


def pair_of_functions(n: int) -> tuple[Ints, Ints]:
    """Two random functions from n points to n / 2 points: about 2 n pairs agree."""
    rng = np.random.default_rng(1)
    return rng.integers(0, n // 2, n).astype(np.int32), rng.integers(0, n // 2, n).astype(np.int32)


def graph(n: int) -> tuple[Ints, Ints]:
    """Sources and targets of n random edges between n points."""
    rng = np.random.default_rng(2)
    return rng.integers(0, n, n).astype(np.int32), rng.integers(0, n, n).astype(np.int32)
