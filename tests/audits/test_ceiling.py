"""The ceiling: counted exactly on the rows, and an upper limit that holds for new ones."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from presheaf.audits.ceiling import ceiling

ROWS = st.integers(2, 4).flatmap(
    lambda k: st.tuples(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, k - 1)), min_size=1, max_size=8), st.just(k)
    )
)


@given(ROWS)
def test_wrong_rows_is_the_least_error_of_all_functions_of_the_cell(case: tuple[list[tuple[int, int]], int]) -> None:
    rows, classes = case
    names = sorted({cell for cell, _ in rows})
    least = min(
        sum(dict(zip(names, answer, strict=True))[cell] != label for cell, label in rows)
        for answer in product(range(classes), repeat=len(names))
    )
    cells, labels = np.array(rows).T
    found = ceiling(cells, labels, classes)
    assert found.wrong_rows == least
    assert (found.accuracy == 1.0) == (least == 0)
    sizes = [sum(cell == name for cell, _ in rows) for name in names]
    assert (found.rows, found.merged_rows, found.cells) == (
        len(rows),
        sum(size for size in sizes if size > 1),
        sum(size > 1 for size in sizes),
    )
    for (cell, _), conflicted in zip(rows, found.conflicted, strict=True):
        assert conflicted == (len({label for other, label in rows if other == cell}) > 1)
    assert 0 <= found.low <= found.accuracy <= found.high <= 1


def plug_in(cells: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    return 1 - ceiling(cells, labels, int(labels.max()) + 1).wrong_rows / len(cells)


def test_pure_noise_in_cells_of_three_is_one_half_where_the_plug_in_says_more() -> None:
    """300 rows in 100 cells of 3: the majority holds max(X, 3 - X), X ~ Bin(3, 1/2), of 3 rows: 3/4 on average."""
    cells = np.repeat(np.arange(100), 3)
    rng = np.random.default_rng(0)
    found, naive = [], []
    for _ in range(200):
        labels = rng.integers(0, 2, 300)
        bound = ceiling(cells, labels, 2)
        found.append(bound.accuracy)
        naive.append(plug_in(cells, labels))
    assert np.mean(naive) == pytest.approx(0.75, abs=0.005)
    # The bound is concave in the agreement and cut at one half, so its mean lies a little above one half.
    assert 0.5 <= np.mean(found) < 0.62
    assert np.median(found) < 0.60


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 1.0])
def test_twins_labelled_apart(share: float) -> None:
    """Twin pairs with a share s labelled apart: 1 - s/2 on these rows."""
    pairs = 200
    cells = np.repeat(np.arange(pairs), 2)
    labels = np.stack([np.zeros(pairs), np.arange(pairs) < share * pairs], axis=1).astype(int).ravel()
    found = ceiling(cells, labels, 2)
    assert 1 - found.wrong_rows / found.rows == pytest.approx(1 - share / 2)
    assert found.accuracy >= 0.5
    assert found.high >= 1 - share / 2


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_pairs_labelled_apart_by_design_are_never_given_less_than_one_half(classes: int) -> None:
    cells = np.repeat(np.arange(500), 2)
    labels = np.stack([np.arange(500) % classes, (np.arange(500) + 1) % classes], axis=1).ravel()
    found = ceiling(cells, labels, classes)
    assert found.wrong_rows == 500
    assert found.accuracy >= 0.5
    assert found.high >= 0.5


def test_no_conflict_no_bound() -> None:
    found = ceiling(np.array([5, 5, 9, 2, 2]), np.array([1, 1, 0, 0, 0]), 2)
    assert (found.accuracy, found.high, found.wrong_rows, found.merged_rows, found.cells) == (1.0, 1.0, 0, 4, 2)
    assert not found.conflicted.any()
    alone = ceiling(np.arange(4), np.array([0, 1, 2, 0]), 3)
    assert (alone.accuracy, alone.low, alone.high, alone.merged_rows) == (1.0, 1.0, 1.0, 0)
    empty = ceiling(np.zeros(0, dtype=int), np.zeros(0, dtype=int), 2)
    assert (empty.accuracy, empty.wrong_rows, empty.rows) == (1.0, 0, 0)


@given(ROWS, st.randoms(use_true_random=False))
def test_names_and_order_of_cells_rows_and_labels_change_nothing(
    case: tuple[list[tuple[int, int]], int], random: object
) -> None:
    rows, classes = case
    cells, labels = np.array(rows).T
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    one, other = ceiling(cells, labels, classes), ceiling(90 - 7 * cells[order], (classes - 1 - labels)[order], classes)
    numbers = ("accuracy", "low", "high", "wrong_rows", "rows", "merged_rows", "cells")
    assert [getattr(other, n) for n in numbers] == pytest.approx([getattr(one, n) for n in numbers])
    assert other.conflicted.tolist() == one.conflicted[order].tolist()


def world(rng: np.random.Generator, classes: int, sharp: float, sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(rng.dirichlet(np.full(classes, sharp), len(sizes)))


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("sharp", [0.1, 1.0, 20.0])
@pytest.mark.parametrize("mixed", [False, True])
def test_the_upper_limit_is_seldom_below_the_truth(classes: int, sharp: float, mixed: bool) -> None:
    """In a cell with label chances p the best accuracy is max p; the limit may fall below the mean in 2.5 % at most."""
    rng = np.random.default_rng([classes, int(10 * sharp), mixed])
    below = 0
    worlds = 300
    for _ in range(worlds):
        sizes = rng.integers(1, 40, 30) if mixed else np.full(120, rng.integers(2, 5))
        chance = world(rng, classes, sharp, sizes)
        if rng.random() < 0.3:  # the hardest case: as close to the uniform limit as the inequality allows
            chance = np.full_like(chance, 1 / classes)
        truth = float(np.sum(sizes * np.where(sizes > 1, chance.max(axis=1), 1.0)) / sizes.sum())
        cells = np.repeat(np.arange(len(sizes)), sizes)
        labels = np.concatenate([rng.choice(classes, size, p=p) for size, p in zip(sizes, chance, strict=True)])
        below += ceiling(cells, labels, classes).high < truth - 1e-12
    assert below <= 0.025 * worlds + 3 * np.sqrt(0.025 * worlds)


def test_the_limit_closes_in_on_the_truth_with_the_rows() -> None:
    """Two classes at .8 : .2 in 30 cells: the inequality is an equality for two classes and equal cells."""
    rng = np.random.default_rng(2)
    widths = []
    for size in (20, 200, 2000):
        cells = np.repeat(np.arange(30), size)
        found = ceiling(cells, (rng.random(30 * size) < 0.2).astype(int), 2)
        assert found.low <= 0.8 <= found.high
        widths.append(found.high - found.low)
    assert widths[2] < widths[1] < widths[0]
    assert widths[2] < 0.05
    assert found.accuracy == pytest.approx(0.8, abs=0.01)


def test_only_merged_rows_count_against_the_bound() -> None:
    """Half the rows are alone, the other half are coin flips in large cells: 1 - 1/2 * 1/2."""
    rng = np.random.default_rng(3)
    cells = np.concatenate([np.repeat(np.arange(10), 400), 10 + np.arange(4000)])
    found = ceiling(cells, rng.integers(0, 2, 8000), 2)
    assert found.accuracy == pytest.approx(0.75, abs=0.02)
    assert found.merged_rows == 4000
