"""Completion: published orders, one answer from every strategy and both engines, honest endings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite import examples
from presheaf.finite.columns.budget import Budget, Progress
from presheaf.finite.columns.compiled import have_kernel
from presheaf.finite.presented.completion import STRATEGIES, Outcome, complete
from presheaf.finite.presented.inverses import invertible_generators
from presheaf.finite.presented.kan_left import hom_from, left_kan
from presheaf.finite.presented.presentation import Presentation
from presheaf.finite.presented.relators import groupoid
from presheaf.finite.presented.standard import Table
from presheaf.finite.presented.words import parse_word

needs_kernel = pytest.mark.skipif(not have_kernel(), reason="the compiled kernel is not built")


def same(a: Table, b: Table) -> bool:
    arrays = zip((a.sizes, *a.columns, a.units, *a.first), (b.sizes, *b.columns, b.units, *b.first), strict=True)
    return all(np.array_equal(x, y) for x, y in arrays)


def table(outcome: Outcome) -> Table:
    assert outcome.table is not None, outcome
    return outcome.table


@needs_kernel
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("example", "order"),
    [
        (examples.symmetric(7), 5040),
        (examples.fibonacci(5), 11),
        (examples.fibonacci(7), 29),
        (examples.mathieu_11(), 7920),
        (examples.mathieu_12(), 95040),
        (examples.full_transformations(5), 3125),
    ],
    ids=lambda x: getattr(x, "name", str(x)),
)
def test_published_orders_under_every_strategy(example: examples.Example, order: int, strategy: str) -> None:
    if example.name == "T_5" and strategy in ("felsch", "mixed"):
        example, order = examples.full_transformations(4), 256
    assert table(complete(example.presentation, [0], strategy=strategy)).sizes.tolist() == [order]


@needs_kernel
def test_the_first_janko_group() -> None:
    assert hom_from(examples.janko_1().presentation).sizes.tolist() == [175560]


@needs_kernel
@pytest.mark.parametrize("p", [5, 7, 11, 31, 53, 101])
def test_cosets_of_s_in_psl2(p: int) -> None:
    cosets = left_kan(examples.psl2_over_s(p), [1], [[0]])
    assert cosets.sizes.tolist() == [(p * p - 1) // 2]
    cosets.verify([[0]])


SMALL = [
    examples.symmetric(4),
    examples.dihedral(5),
    examples.quaternion(),
    examples.fibonacci(4),
    examples.fibonacci(5),
    examples.full_transformations(3),
    examples.full_transformations(4),
    examples.reflexive_quiver(),
    examples.simplex(2),
]


@pytest.mark.parametrize("example", SMALL, ids=lambda e: e.name)
def test_every_strategy_and_both_engines_give_the_same_table(example: examples.Example) -> None:
    n = len(example.presentation.objects)
    units = [s for s in range(n) for _ in range(2)]
    path = next((u for u, v in example.presentation.equations if len(u) > 1), ())
    start = example.presentation.source(path) if path else 0
    end = example.presentation.target(path) if path else 0
    first, second = np.array([2 * start], dtype=np.int32), np.array([2 * end + 1], dtype=np.int32)
    coincidences = [(first, path[:1] if len(path) == 1 else path, second)]
    plain = table(complete(example.presentation, units, coincidences, compiled=False))
    for strategy in STRATEGIES:
        assert same(plain, table(complete(example.presentation, units, coincidences, strategy=strategy))), strategy


@st.composite
def finite_monoids(draw: st.DrawFn) -> Presentation:
    """Every word of length 3 equals a shorter one, so that the monoid has at most 7 elements on two letters."""
    equations = []
    letters = range(2)
    for word in ((a, b, c) for a in letters for b in letters for c in letters):
        short = draw(st.lists(st.integers(0, 1), max_size=2))
        equations.append((word, tuple(short)))
    return Presentation(("*",), (("a", 0, 0), ("b", 0, 0)), tuple(equations))


@needs_kernel
@settings(max_examples=150, deadline=None)
@given(finite_monoids(), st.permutations(range(8)))
def test_random_monoids_agree_and_do_not_depend_on_the_order_of_equations(d: Presentation, turn: list[int]) -> None:
    plain = table(complete(d, [0, 0], compiled=False))
    assert plain.sizes[0] <= 14
    turned = Presentation(d.objects, d.generators, tuple(d.equations[i] for i in turn))
    for strategy in STRATEGIES:
        assert same(plain, table(complete(d, [0, 0], strategy=strategy)))
        assert same(plain, table(complete(turned, [0, 0], strategy=strategy)))


@needs_kernel
@settings(max_examples=150, deadline=None)
@given(finite_monoids(), st.integers(1, 4), st.integers(40, 120))
def test_reclaiming_rows_on_the_way_changes_nothing(d: Presentation, units: int, rows: int) -> None:
    plain = table(complete(d, [0] * units))
    for strategy in STRATEGIES:
        outcome = complete(d, [0] * units, strategy=strategy, budget=Budget(rows=rows))
        assert outcome.status == "budget exceeded" or same(plain, table(outcome))


@needs_kernel
@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), max_size=3), st.integers(2, 4))
def test_random_quotients_of_a_finite_group_agree(words: list[list[int]], m: int) -> None:
    s4 = examples.symmetric(4).presentation
    more = tuple((tuple(w) * m, ()) for w in words)
    d = Presentation(s4.objects, s4.generators, s4.equations + more)
    plain = table(complete(d, [0], compiled=False))
    assert 24 % plain.sizes[0] == 0
    for strategy in STRATEGIES:
        assert same(plain, table(complete(d, [0], strategy=strategy)))


@pytest.mark.parametrize("compiled", [True, False])
def test_an_infinite_group_ends_on_every_kind_of_budget(compiled: bool) -> None:
    f26 = examples.fibonacci(6).presentation
    for budget, limit in (
        (Budget(rows=3000), "rows"),
        (Budget(seconds=0.05), "seconds"),
        (Budget(bytes=200_000), "bytes"),
    ):
        result = hom_from(f26, budget=budget, compiled=compiled)
        assert (result.status, result.limit, result.complete) == ("budget exceeded", limit, False)
        assert limit in repr(result)
        with pytest.raises(InputError, match="budget exceeded"):
            result.sizes  # noqa: B018


def test_progress_and_cancel() -> None:
    f26 = examples.fibonacci(6).presentation
    seen: list[Progress] = []
    outcome = complete(f26, [0], progress=seen.append, cancel=lambda: len(seen) >= 2, budget=Budget(rows=50_000_000))
    assert outcome.status == "cancelled"
    assert len(seen) == 2
    assert seen[0].made < seen[1].made


def test_units_beyond_the_budget_are_refused() -> None:
    assert complete(examples.cyclic(3).presentation, [0] * 10, budget=Budget(rows=5)).limit == "rows"


def test_units_must_be_somewhere() -> None:
    with pytest.raises(InputError, match="unit 1 is at object 3"):
        complete(examples.cyclic(3).presentation, [0, 3])


@pytest.mark.parametrize(
    ("start", "path", "end", "said"),
    [
        ([0], (0,), [2], "coincidence 0: there are units 0 to 1"),
        ([-1], (0,), [1], "coincidence 0: there are units"),
        ([0, 1], (0,), [1], "coincidence 0: units of shape"),
        ([0], (7,), [1], "no generator 7"),
        ([0], (0, 0), [1], "coincidence 0: step 0"),
        ([1], (0,), [0], "coincidence 0, pair 0: source does not lead"),
        ([0], (), [1], "coincidence 0, pair 0"),
    ],
)
def test_coincidences_must_fit(start: list[int], path: tuple[int, ...], end: list[int], said: str) -> None:
    first, second = np.array(start, dtype=np.int32), np.array(end, dtype=np.int32)
    with pytest.raises(InputError, match=said):
        complete(examples.quiver().presentation, [0, 1], [(first, path, second)])


@needs_kernel
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rows_are_reclaimed_before_the_budget_ends(strategy: str) -> None:
    """M11 holds 7920 rows and makes more than a hundred thousand under HLT."""
    outcome = complete(examples.mathieu_11().presentation, [0], strategy=strategy, budget=Budget(rows=100_000))
    assert table(outcome).sizes.tolist() == [7920]


def test_budgets_are_positive() -> None:
    with pytest.raises(InputError, match="'rows' must be positive"):
        Budget(rows=0)


def test_unknown_strategy() -> None:
    with pytest.raises(InputError, match="'strategy' must be one of"):
        complete(examples.cyclic(3).presentation, [0], strategy="fast")  # type: ignore[arg-type]


def test_inverses_are_found_by_rotation() -> None:
    assert invertible_generators(Presentation.monoid("a", ["a^3 = 1"])) == (True,)
    assert invertible_generators(Presentation.monoid("a b", ["a b = 1"])) == (False, False)
    assert invertible_generators(Presentation.monoid("a b", ["a b = 1", "b a = 1"])) == (True, True)
    assert invertible_generators(Presentation.monoid("a b c", ["a^2 = 1", "a b a c = 1", "c b = 1"])) == (
        True,
        True,
        True,
    )
    assert invertible_generators(Presentation.monoid("a b", ["a^3 = a"])) == (False, False)


def test_relators_lose_inverses_powers_and_repeats() -> None:
    group = groupoid(Presentation.group("a b", ["a^2", "b^3", "b a a b b", "(a b)^2", "(b a)^2"]))
    assert group.relators == ((1, 1, 1), (0, 1, 0, 1))
    assert group.inverse == (0, 2, 1)


def test_a_groupoid_with_two_objects() -> None:
    d = Presentation(
        ("x", "y"),
        (("a", 0, 1), ("b", 1, 0), ("c", 0, 0)),
        (((0, 1), ()), ((1, 0), ()), ((2, 2, 2), ())),
    )
    for compiled in (True, False):
        assert hom_from(d, 0, compiled=compiled).sizes.tolist() == [3, 3]
        assert hom_from(d, 1, compiled=compiled).sizes.tolist() == [3, 3]


def test_words() -> None:
    names = ["a", "b"]
    assert parse_word("[a, b]", names) == (-1, -2, 1, 2)
    assert parse_word("(a b^-1)^2 1", names) == (1, -2, 1, -2)
    assert parse_word("(a b)^-1", names) == (-2, -1)
    assert parse_word("", names) == ()
    for text in ("a c", "(a", "a)", "^2", "[a b]", "a %"):
        with pytest.raises(InputError, match=r"column \d+"):
            parse_word(text, names)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Presentation(("x", "x"), ()), "objects 0 and 1"),
        (lambda: Presentation(("x",), (("a", 0, 1),)), "generator 0.*target"),
        (lambda: Presentation(("x",), (("a", 0, 0),), (((), ()),)), "equation 0"),
        (lambda: Presentation(("x",), (("a", 0, 0),), (((3,), ()),)), "equation 0.*no generator 3"),
        (lambda: Presentation(("x", "y"), (("a", 0, 1),), (((0, 0), ()),)), "equation 0: step 0"),
        (lambda: Presentation(("x", "y"), (("a", 0, 1),), (((0,), ()),)), "no identity does"),
        (lambda: Presentation(("x", "y"), (("a", 0, 1), ("b", 0, 0)), (((0,), (1,)),)), "must be parallel"),
        (lambda: Presentation.monoid("a", ["a^-1 = 1"]), "relation 0.*no inverses"),
        (lambda: Presentation.monoid("a", ["a"]), "relation 0"),
    ],
)
def test_malformed_presentations_name_the_place(make: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        make()  # type: ignore[operator]
