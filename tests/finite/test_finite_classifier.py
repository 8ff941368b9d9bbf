"""Sizes of the subobject classifier that are known from the literature or by hand, for larger categories."""

from __future__ import annotations

import pytest
from finite_functors import checked
from finite_worlds import simplices

from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.categories.tables import from_table
from presheaf.finite.presheaves.classifier import Classifier


def globes(top: int) -> Category:
    """Globular shapes up to dimension n: two arrows from each lower dimension to each higher one."""
    arrows = [(a, b, side) for a in range(top + 1) for b in range(a, top + 1) for side in ((0,) if a == b else (0, 1))]
    # The first step decides: s;s = s;t and t;s = t;t.
    table = {((a, b, s), (b, c, t)): (a, c, t if a == b else s) for a, b, s in arrows for b2, c, t in arrows if b2 == b}
    return from_table(table)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 6])
def test_globular_sets(n: int) -> None:
    omega = Classifier(globes(n), variance="contravariant").omega
    assert sorted(omega.sizes.tolist()) == [3 * i + 2 for i in range(n + 1)]
    checked(omega)


def test_simplices_up_to_dimension_four() -> None:
    # One less than the Dedekind numbers of 1 to 5 variables.
    omega = Classifier(simplices(4), variance="contravariant").omega
    assert omega.sizes.tolist() == [2, 5, 19, 167, 7580]


def test_reflexive_quivers() -> None:
    omega = Classifier(simplices(1), variance="contravariant").omega
    assert omega.sizes.tolist() == [2, 5]
    assert Classifier(simplices(1).op, variance="covariant").omega.sizes.tolist() == [2, 5]


@pytest.mark.parametrize(("variance", "size"), [("contravariant", 5), ("covariant", 3)])
def test_two_constant_maps_with_a_unit(variance, size: int) -> None:
    # "x, then a constant" is the constant: each alone is a sieve. "A constant, then x" is any of them: both or none.
    assert Classifier(from_maps([[0, 0], [1, 1]]), variance=variance).omega.sizes.tolist() == [size]
