"""Ideality on homs with few arrows: a shuffle may leave nothing to compare."""

from __future__ import annotations

import numpy as np
import pytest

import presheaf.enriched as pe
from presheaf.errors import InputError


def test_shuffles_that_leave_no_row_to_compare_are_left_out() -> None:
    # Three related pairs of 30 objects: about one shuffle in five moves them all to rows where the model has nothing.
    few = np.eye(30)
    few[:2, :2] = few[2:4, 2:4] = few[4:6, 4:6] = 1.0
    hom = pe.hom_from_values(few, pe.PROBABILITY)
    found = pe.ideality(hom, hom, "covariant", "rows", repeats=40)
    assert found.value.value == 0
    assert 20 < len(found.null) < 40
    assert np.isfinite(found.null).all()
    one_way = np.eye(30)
    one_way[0, 1] = 1.0
    lone = pe.hom_from_values(one_way, pe.PROBABILITY)
    with pytest.raises(InputError, match="no row of the homs"):
        pe.ideality(lone, lone, "covariant", "rows")  # a group left out takes the only row with it
