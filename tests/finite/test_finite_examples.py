"""Named examples have the sizes of the literature, and their relations hold where they should."""

from __future__ import annotations

from math import comb

import pytest

from presheaf.errors import InputError
from presheaf.finite import examples
from presheaf.finite.kan_left import representable

FINITE = [
    *(examples.cyclic(n) for n in (1, 2, 12)),
    *(examples.dihedral(n) for n in (1, 2, 7)),
    examples.quaternion(),
    *(examples.symmetric(n) for n in (2, 3, 6)),
    *(examples.fibonacci(n) for n in (2, 3, 4, 5)),
    *(examples.psl2(p) for p in (5, 7)),
    *(examples.full_transformations(n) for n in (2, 3, 4)),
    examples.quiver(),
    examples.reflexive_quiver(),
    *(examples.simplex(n) for n in range(4)),
]


@pytest.mark.parametrize("example", FINITE, ids=lambda e: e.name)
@pytest.mark.parametrize("compiled", [True, False])
def test_arrows_are_counted(example: examples.Example, compiled: bool) -> None:
    d = example.presentation
    assert sum(int(representable(d, s, compiled=compiled).sizes.sum()) for s in range(len(d.objects))) == example.arrows


def test_simplex_homs() -> None:
    d = examples.simplex(3).presentation
    for a in range(4):
        assert representable(d, a).sizes.tolist() == [comb(a + b + 1, a + 1) for b in range(4)]


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_relations_of_full_transformations_hold_between_maps(n: int) -> None:
    d = examples.full_transformations(n).presentation
    maps = []
    for i in range(n - 1):
        maps.append([i + 1 if x == i else i if x == i + 1 else x for x in range(n)])
    maps.append([0 if x == 1 else x for x in range(n)])
    for left, right in d.equations:
        for x in range(n):
            u = v = x
            for j in left:
                u = maps[j][u]
            for j in right:
                v = maps[j][v]
            assert u == v


def test_full_transformations_of_six_points() -> None:
    assert representable(examples.full_transformations(6).presentation).sizes.tolist() == [46656]


def test_examples_tell_what_they_are() -> None:
    assert "infinitely many" in repr(examples.fibonacci(6))
    assert "24 arrows" in repr(examples.symmetric(4))
    with pytest.raises(InputError, match="prime"):
        examples.psl2(9)
    with pytest.raises(InputError, match="at least 2"):
        examples.symmetric(1)
