"""Every rung and every bound through the same checks, and the checks against faults planted on purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from presheaf.audits.ceiling import ceiling
from presheaf.audits.climb import measured
from presheaf.audits.context import Context, Halves
from presheaf.audits.contract import RUNGS, check_bound, check_rung
from presheaf.models.vectors import VectorModel
from presheaf.tables.task import Task


def context(seed: int = 0, rows: int = 240, classes: int = 3) -> Context:
    """Three noisy clusters; halves alternate."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows).astype(np.int32)
    x = (2 * rng.standard_normal((classes, 12)))[labels] + 1.5 * rng.standard_normal((rows, 12))
    unit = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    names = tuple(f"class {i}" for i in range(classes))
    task = Task(None, labels, names, np.arange(1, rows + 1))
    halves = Halves(np.arange(0, rows, 2), np.arange(1, rows, 2), np.arange(rows))
    return Context(VectorModel(unit), task, unit, halves, None, None)


@pytest.mark.parametrize("name", list(RUNGS))
@pytest.mark.parametrize("seed", [0, 1])
def test_every_rung_keeps_the_contract(name: str, seed: int) -> None:
    check_rung(RUNGS[name], context(seed))


def test_the_bound_keeps_the_contract() -> None:
    check_bound(ceiling)


def test_a_rung_that_looks_at_the_scoring_labels_is_caught() -> None:
    def cheat(world: Context):
        rule = np.linalg.lstsq(world.features, np.eye(world.classes)[world.task.labels], rcond=None)[0]
        return measured(world, "cheat", lambda x: x @ rule.astype(np.float32), cost="honesty", detail="")

    with pytest.raises(AssertionError, match="reads scoring labels"):
        check_rung(cheat, context())


def test_a_rung_that_centres_on_all_rows_is_caught() -> None:
    def cheat(world: Context):
        centre = world.features.mean(axis=0)
        means = np.stack([world.x_choosing[world.y_choosing == c].mean(axis=0) for c in range(world.classes)])
        return measured(
            world, "cheat", lambda x: (x - 30 * centre) @ (means - 30 * centre).T, cost="honesty", detail=""
        )

    with pytest.raises(AssertionError, match="reads scoring features"):
        check_rung(cheat, context())


def test_the_plug_in_bound_is_caught_when_it_undercounts() -> None:
    with pytest.raises(AssertionError, match="rows called wrong"):
        check_bound(lambda cells, labels, classes: replace(ceiling(cells, labels, classes), wrong_rows=0))
