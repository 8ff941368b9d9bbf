"""The laws of each quantale, on values drawn from its carrier."""

from __future__ import annotations

from math import inf, log, pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presheaf.enriched.quantale import (
    ANGLE,
    BOOL,
    COST,
    FUZZY_MIN,
    LUKASIEWICZ,
    PROBABILITY,
    QUANTALES,
    SPHERE,
    Quantale,
    excess,
)
from presheaf.errors import InputError

# arccos has unbounded slope at 1, so an error of 1e-15 in a cosine can be one of 3e-8 in an angle.
CLOSE = 1e-6


def carrier(quantale: Quantale) -> st.SearchStrategy[float]:
    """Multiples of 1/32: products and quotients stay well away from rounding."""
    if quantale is BOOL:
        return st.sampled_from([0.0, 1.0])
    if quantale is COST:
        return st.one_of(st.integers(0, 200).map(lambda i: i / 32), st.just(inf))
    return st.integers(int(32 * quantale.low), 32).map(lambda i: i / 32)


@st.composite
def with_values(draw: st.DrawFn, count: int) -> tuple[Quantale, list[float]]:
    quantale = draw(st.sampled_from(QUANTALES))
    return quantale, [draw(carrier(quantale)) for _ in range(count)]


def same(a: object, b: object) -> None:
    np.testing.assert_allclose(np.asarray(a, dtype=float), np.asarray(b, dtype=float), atol=CLOSE)


def below(quantale: Quantale, a: object, b: object) -> bool:
    """a <= b in distances, up to rounding."""
    return float(quantale.distance(a)) >= float(quantale.distance(b)) - CLOSE


@given(with_values(3))
def test_tensor_is_a_commutative_monoid(drawn: tuple[Quantale, list[float]]) -> None:
    q, (a, b, c) = drawn
    same(q.tensor(a, q.tensor(b, c)), q.tensor(q.tensor(a, b), c))
    same(q.tensor(a, b), q.tensor(b, a))
    same(q.tensor(q.unit, a), a)


@given(with_values(3))
def test_tensor_is_monotone_and_hom_is_its_adjoint(drawn: tuple[Quantale, list[float]]) -> None:
    q, (a, b, c) = drawn
    if q.leq(a, b):
        assert below(q, q.tensor(a, c), q.tensor(b, c))
    if q.leq(q.tensor(a, b), c):
        assert below(q, b, q.hom(a, c))
    # The greatest such b is one itself.
    assert below(q, q.tensor(a, q.hom(a, c)), c)


@given(with_values(4))
def test_joins_are_least_upper_bounds_that_the_tensor_distributes_over(drawn: tuple[Quantale, list[float]]) -> None:
    q, (a, b, c, d) = drawn
    join, meet = q.join([b, c, d]), q.meet([b, c, d])
    assert all(q.leq(v, join) and q.leq(meet, v) for v in (b, c, d))
    assert any(float(join) == v for v in (b, c, d))
    same(q.tensor(a, join), q.join([q.tensor(a, v) for v in (b, c, d)]))
    assert float(q.join([])) == q.bottom
    assert float(q.meet([])) == q.top
    same(q.tensor(a, q.bottom), q.bottom)


@given(with_values(2))
def test_distance_reverses_order_and_turns_tensor_into_sum(drawn: tuple[Quantale, list[float]]) -> None:
    q, (a, b) = drawn
    da, db = q.distance(a), q.distance(b)
    assert q.leq(a, b) == (da >= db)
    same(q.distance(q.tensor(a, b)), q.add(da, db))
    same(q.distance(q.hom(a, b)), q.residual(da, db))
    same(q.values(da), a)
    same(q.distance(q.values(da)), da)
    assert float(q.distance(q.unit)) == 0
    assert float(q.distance(q.bottom)) == pytest.approx(q.cap)


def test_values_by_hand() -> None:
    assert float(PROBABILITY.hom(0.5, 0.25)) == 0.5
    assert float(PROBABILITY.distance(0.25)) == pytest.approx(log(4))
    assert float(PROBABILITY.hom(0.0, 0.0)) == 1
    assert float(COST.hom(2, 5)) == 3
    assert float(COST.hom(inf, inf)) == 0
    assert float(LUKASIEWICZ.tensor(0.75, 0.5)) == 0.25
    assert float(FUZZY_MIN.hom(0.5, 0.25)) == 0.25
    assert not bool(BOOL.hom(1, 0))
    # 60 degrees twice is 120: cut at 90 in ANGLE, kept in SPHERE.
    assert float(ANGLE.tensor(0.5, 0.5)) == pytest.approx(0, abs=1e-15)
    assert float(SPHERE.tensor(0.5, 0.5)) == pytest.approx(-0.5)
    assert ANGLE.cap == pi / 2


def test_single_precision_stays_single() -> None:
    for q in QUANTALES:
        d = q.distance(np.array([1.0, 0.0], dtype=np.float32))
        if q is not BOOL:
            assert d.dtype == np.float32
            assert q.add(d, d).dtype == np.float32


@pytest.mark.parametrize(
    ("quantale", "value"), [(PROBABILITY, 1.1), (COST, -1), (BOOL, 0.5), (ANGLE, -0.5), (COST, np.nan)]
)
def test_values_outside_the_carrier_are_refused(quantale: Quantale, value: float) -> None:
    with pytest.raises(InputError, match=f"quantale {quantale.name} must lie in"):
        quantale.distance([quantale.top, value])


def test_cosines_that_rounding_took_above_one_are_at_distance_zero() -> None:
    assert float(ANGLE.distance(1 + 1e-7)) == 0


def test_excess_of_infinities() -> None:
    np.testing.assert_array_equal(excess([inf, inf, 1, 3], [inf, 1, inf, 1]), [0, inf, 0, 2])
