"""Tuples looked up in sorted tables, narrow and wide."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.finite.columns.rows import RowIndex, sorted_rows


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 60), st.integers(1, 40), st.sampled_from([1, 2, 3, 1000, 2**31 - 1]), st.integers(0, 10**6))
def test_a_row_is_found_where_it_is(rows: int, width: int, bound: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Few different values, so that rows share prefixes; 40 columns of 31 bits need many replacements by ranks.
    pool = np.unique(rng.integers(0, bound, 4))
    table = sorted_rows(np.unique(rng.choice(pool, (rows, width)), axis=0).astype(np.int32))
    index = RowIndex(table, [bound] * width)
    assert index.find(table).tolist() == list(range(len(table)))
    wanted = rng.choice(pool, (20, width))
    known = {tuple(row): i for i, row in enumerate(table.tolist())}
    assert index.find(wanted).tolist() == [known.get(tuple(row), -1) for row in wanted.tolist()]


def test_tables_without_columns_or_rows() -> None:
    one = RowIndex(np.zeros((1, 0), dtype=np.int32), [])
    assert one.find(np.zeros((3, 0), dtype=np.int32)).tolist() == [0, 0, 0]
    none = RowIndex(np.zeros((0, 2), dtype=np.int32), [2, 0])
    assert none.find(np.zeros((2, 2), dtype=np.int32)).tolist() == [-1, -1]
    whole = np.stack(np.meshgrid(range(3), range(4), indexing="ij"), -1).reshape(-1, 2)
    assert RowIndex(whole, [3, 4]).find(whole[::-1]).tolist() == list(range(11, -1, -1))


def test_rows_are_sorted_lexicographically() -> None:
    table = np.random.default_rng(1).integers(0, 3, (50, 4)).astype(np.int32)
    assert sorted_rows(table).tolist() == sorted(table.tolist())
