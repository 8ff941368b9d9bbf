"""Results that stay what they are, wide and long categories, and refusals that say what ran out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from finite_presented import Problem, problems
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import presheaf.finite as pf
from presheaf.errors import InputError
from presheaf.finite.columns.budget import Budget
from presheaf.finite.columns.compiled import kernel
from presheaf.finite.presented import machines
from presheaf.finite.presented.kan_delta import restrict
from presheaf.finite.presented.kan_left import hom_from, left_kan
from presheaf.finite.presented.kan_right import right_kan, right_kan_sizes
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Presentation
from presheaf.finite.presented.query import conjunctive_queries

LOOP = Presentation(("Person",), (("mother", 0, 0),))
TARGETS = [
    Presentation(("x", "y", "z"), (("f", 0, 1), ("g", 1, 2), ("h", 0, 2), ("k", 1, 2)), (((0, 1), (2,)),)),
    Presentation.monoid("a", ["a^3 = a"]),
    Presentation(("E", "V"), (("s", 0, 1), ("t", 0, 1), ("l", 1, 0)), (((2, 0), ()), ((2, 1), ()))),
]


def line(n: int) -> Presentation:
    """0 -> 1 -> ... -> n - 1."""
    return Presentation(tuple(f"o{i}" for i in range(n)), tuple((f"g{i}", i, i + 1) for i in range(n - 1)))


@pytest.mark.parametrize("check", [True, False])
def test_a_restriction_does_not_change_with_what_it_was_made_from(check: bool) -> None:
    column = np.array([1, 2, 2], dtype=np.int32)
    seen = column[:]
    seen.setflags(write=False)  # a read-only view of what its owner writes into
    for given_ in (column, seen):
        _, (moved,) = restrict(PresentationMap.identity(LOOP), [3], [given_], check=check)
        column[0] = 0
        assert moved.tolist() == [1, 2, 2]
        assert not moved.flags.writeable
        column[0] = 1
    column.setflags(write=False)
    assert restrict(PresentationMap.identity(LOOP), [3], [column], check=check)[1][0] is column


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems(st.sampled_from(TARGETS)))
def test_a_word_leads_from_its_unit_to_its_element(problem: Problem) -> None:
    mapping, sizes, columns = problem
    result = left_kan(mapping, sizes, columns, budget=Budget(rows=10_000))
    if not result.complete:
        return
    for d, many in enumerate(result.sizes.tolist()):
        met = set()
        for element in range(many):
            c, row, path = result.word(d, element)
            at, x = mapping.objects[c], int(result.unit[c][row])
            for g in path:
                assert mapping.target.generators[g][1] == at
                at, x = mapping.target.generators[g][2], int(result.columns[g][x])
            assert (at, x) == (d, element)
            met.add((c, row, path))
        assert len(met) == many


def test_words_along_a_chain_and_its_right_extension() -> None:
    n = 2000
    there = PresentationMap.point(line(n), 0)
    result = left_kan(there, [2], [])
    assert result.word(n - 1, 1) == (0, 1, tuple(range(n - 1)))
    # Pi of a set at the end is that set everywhere, each arrow the identity of it.
    back = right_kan(PresentationMap.point(line(n), n - 1), [3], [])
    assert back.sizes.tolist() == [3] * n
    assert all(column.tolist() == [0, 1, 2] for column in back.columns)
    assert back.queries.queries[0].variables == ((0, tuple(range(n - 1))),)


def test_an_only_way_is_taken_only_where_nothing_else_holds() -> None:
    # a -> b with b two parallel arrows to c, made equal after a: two arrows b -> c, one a -> c.
    target = Presentation(("a", "b", "c"), (("f", 0, 1), ("s", 1, 2), ("t", 1, 2)), (((0, 1), (0, 2)),))
    assert right_kan_sizes(PresentationMap.point(target, 2), [3], []) == (3, 9, 3)
    free = Presentation(target.objects, target.generators)
    found = right_kan(PresentationMap.point(free, 2), [3], [])
    assert found.sizes.tolist() == [9, 9, 3]
    found.verify([])
    # A loop of two objects that leads out at one of them: a -> b, b -> a, b -> c, once around from b being nothing.
    around = Presentation(("a", "b", "c"), (("f", 0, 1), ("g", 1, 0), ("h", 1, 2)), (((1, 0), ()),))
    assert right_kan_sizes(PresentationMap.point(around, 2), [3], []) == (3, 3, 3)


@pytest.mark.parametrize("compute", [lambda m, b: right_kan_sizes(m, [1], [], budget=b), conjunctive_queries])
def test_seconds_that_ran_out_are_named(compute: Callable[..., object]) -> None:
    mapping = PresentationMap.point(line(50), 0)
    budget = Budget(seconds=1e-9)
    with pytest.raises(InputError, match=r"budget exceeded \(seconds\): 1e-09 s are over"):
        compute(mapping, budget) if compute is not conjunctive_queries else conjunctive_queries(mapping, budget=budget)


@pytest.mark.parametrize(
    "make",
    [
        lambda: pf.chain(2**31),
        lambda: pf.chain(2**16),
        lambda: pf.discrete(2**31),
        lambda: pf.constant(pf.discrete(1), 2**31, variance="covariant"),
        lambda: pf.constant(pf.discrete(4), 2**29, variance="contravariant"),
    ],
)
def test_what_int32_ids_cannot_number_is_refused_before_it_is_made(make: Callable[[], object]) -> None:
    with pytest.raises(InputError, match="fit int32"):
        make()


def hub(n: int) -> Presentation:
    """n spokes: out to each and back, once there and back being nothing."""
    arrows = [(f"out{i}", 0, i + 1) for i in range(n)] + [(f"back{i}", i + 1, 0) for i in range(n)]
    return Presentation(
        ("hub", *(f"spoke{i}" for i in range(n))), tuple(arrows), tuple(((i, n + i), ()) for i in range(n))
    )


@pytest.mark.skipif(kernel is None, reason="rows of the Python engine are as wide as what they hold")
def test_rows_too_wide_to_begin_are_refused_with_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hom_from(hub(40)).sizes.tolist() == [1] * 41
    # 41 + 41 + 80 rows (objects; generators and one; letters of the equations) of 40 entries, 4 bytes each.
    monkeypatch.setattr(machines, "WIDE_BYTES", 10_000)
    with pytest.raises(InputError, match=r"needs 25,920 bytes .* the 40 generators out of 'hub'"):
        hom_from(hub(40))
    assert hom_from(hub(40), budget=Budget(bytes=10**7)).sizes.tolist() == [1] * 41
    short = hom_from(hub(40), budget=Budget(bytes=5_000))
    assert (short.status, short.limit) == ("budget exceeded", "bytes")
    assert hom_from(hub(40), compiled=False).complete
