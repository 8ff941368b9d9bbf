"""What works in blocks never holds n x n: peak memory beside that of the distances of all pairs, which a limit forbids."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import presheaf.enriched as pe
from presheaf.errors import InputError

N, LIMIT = 6000, 1 << 23
ALL = 4 * N * N
"""Bytes of all distances in float32: 144 MB."""
V = "contravariant"
RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((N, 8)).astype(np.float32)
LABELS = RNG.integers(0, 2, N)
SOME = RNG.permutation(N)[:40]
OTHERS = np.setdiff1d(np.arange(N), SOME)


def hom(noise: float = 0.0) -> pe.Hom:
    return pe.hom_from_features(POINTS + noise * RNG.standard_normal(POINTS.shape).astype(np.float32), pe.angle())


def closeness(noise: float) -> pe.Hom:
    return pe.hom_from_features(POINTS + np.float32(noise), pe.laplacian(1.0))


def task(of: pe.Hom) -> NDArray[np.float64]:
    return pe.class_task(of, LABELS == 1, 1.5)


CASES: dict[str, Callable[[pe.Hom], Any]] = {
    "nearest": lambda h: h.nearest(10, "both", LIMIT),
    "within": lambda h: h.within(0.2, "both", LIMIT),
    "laws": lambda h: pe.laws(h, triples=20_000),
    "symmetry_defect": lambda h: pe.symmetry_defect(replace(h, symmetric=False), pairs=20_000),
    "functor_defect": lambda h: pe.functor_defect(h, task(h), V, LIMIT),
    "repair_presheaf": lambda h: pe.repair_presheaf(h, task(h), V, LIMIT),
    "representability_defects": lambda h: pe.representability_defects(h, task(h), V, limit_bytes=LIMIT),
    "representability": lambda h: pe.representability(h, task(h), V, 0.3, rounds=3, limit_bytes=LIMIT),
    "decision_level": lambda h: pe.decision_level(h, LABELS, V, candidates=SOME, rounds=3, limit_bytes=LIMIT),
    "net_radius": lambda h: pe.net_radius(h, np.arange(N), LIMIT),
    "kan_sandwich": lambda h: pe.kan_sandwich(h, SOME, task(h)[SOME], V, limit_bytes=LIMIT),
    "bagged_sandwich": lambda h: pe.bagged_sandwich(h, SOME, task(h)[SOME], V, limit_bytes=LIMIT),
    "trimmed_anchors": lambda h: pe.trimmed_anchors(h, OTHERS, h.row(0, V)[OTHERS], V, LIMIT),
    "answer_by_anchors": lambda h: pe.answer_by_anchors(h, SOME, LABELS[SOME], pe.COMPONENTS, limit_bytes=LIMIT),
    "consistent_anchors": lambda h: pe.consistent_anchors(h, OTHERS, LABELS[OTHERS], pe.COMPONENTS, 0.2, LIMIT),
    "bayes_bracket": lambda h: pe.bayes_bracket(h, LABELS, OTHERS[:3000], OTHERS[3000:], V, limit_bytes=LIMIT),
    "ceiling_curve": lambda h: pe.ceiling_curve(pe.close_pairs(h, 0.2, "either", LIMIT), LABELS, pe.COMPONENTS),
    "ensemble": lambda h: pe.ensemble(h, SOME, np.zeros(len(SOME)), V, LIMIT),
    "tighten": lambda h: pe.tighten(h, task(h), LIMIT),
    "spread": lambda h: pe.spread(h, [0.5, 2.0], V, limit_bytes=LIMIT),
    "magnitude_lower_bound": lambda h: pe.magnitude_lower_bound(h, 1.0, LIMIT),
    "magnitude": lambda h: pe.magnitude(h, 1.0, LIMIT, tolerance=0.1),
    "distortion": lambda h: pe.distortion(h, hom(0.1), samples=20_000, limit_bytes=LIMIT),
    "compare_homs": lambda h: pe.compare_homs(h, hom(0.1), 10, "both", limit_bytes=LIMIT),
    "ideality": lambda h: pe.ideality(closeness(0.0), closeness(0.1), V, "rows", repeats=1, limit_bytes=LIMIT),
}
WHATEVER_N = {"compare_homs": 100e6}
"""Bytes that samples of a fixed size take."""


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_peak_memory_is_far_below_all_distances(name: str) -> None:
    given = hom()
    tracemalloc.start()
    try:
        CASES[name](given)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < ALL / 2 + WHATEVER_N.get(name, 0), f"{peak / 1e6:.0f} MB"


REFUSED: dict[str, Callable[[pe.Hom], Any]] = {
    "dense": lambda h: h.dense(LIMIT),
    "closure": lambda h: pe.closure(h, LIMIT),
    "resolving_set": lambda h: pe.resolving_set(h, V, limit_bytes=LIMIT),
    "prompt_curve": lambda h: pe.prompt_curve(h, task(h), V, 2, limit_bytes=LIMIT),
    "prompt_number": lambda h: pe.prompt_number(h, task(h), V, 0.1, limit_bytes=LIMIT),
    "magnitude, direct": lambda h: pe.magnitude(h, 1.0, LIMIT, "direct"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_all_distances_refuses_before_it_takes_them(name: str) -> None:
    given = hom()
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="limit_bytes"):
            REFUSED[name](given)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < LIMIT
