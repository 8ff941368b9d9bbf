"""Hostile input: every refusal is an InputError that names the place."""

from __future__ import annotations

import numpy as np
import pytest
from finite_worlds import C4, QUIVER, S3, T3
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.categories.orders import discrete, from_covers, from_preorder
from presheaf.finite.categories.parts import full_subcategory
from presheaf.finite.categories.paths import free_category
from presheaf.finite.categories.tables import from_monoid, from_table
from presheaf.finite.presented.presentation import Presentation
from presheaf.finite.presheaves.presheaf import copresheaf

SQUARE = {("e", "e"): "e", ("e", "f"): "f", ("f", "e"): "f", ("f", "f"): "e"}


def parts(category: Category) -> dict[str, object]:
    names = ("dom", "cod", "identity", "generators", "right", "left")
    return {name: getattr(category, name).copy() for name in names}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: from_table([[0, 1], [1]]), "rows of equal length"),
        (lambda: from_table([["a"]]), "must hold integers; got <U1"),
        (lambda: from_table([[True]]), "must hold integers; got bool"),
        (lambda: from_table([[None]]), "must hold integers; got object"),
        (lambda: from_table([[2**70]]), "must hold integers|beyond 64 bits"),
        (lambda: from_table([[np.nan]]), "must hold integers; got float64"),
        (lambda: from_table([[-2]]), r"table\[\(0, 0\)\] = -2 is outside -1\.\.0"),
        (lambda: from_table([[2**40]]), r"= 1099511627776 is outside"),
        (lambda: from_table(5), "must be square"),
        (lambda: from_table([[0]], names=[3]), r"names\[0\] is 3"),
        (lambda: from_table([[0, 1], [1, 0]], names=["a", "a"]), r"names\[0\] and names\[1\] are both 'a'"),
        (lambda: from_table([[0]], objects=["a", "b"]), "objects: 1 are needed"),
        (lambda: from_table([[0]], objects="a"), "as a list of names"),
        (lambda: from_table([[0]], dom=[0]), "both dom and cod"),
        (lambda: from_table([[0, -1], [-1, 1]], dom=[0, 0], cod=[0, 0]), r"dom\[1\] = 0: another identity"),
        (lambda: from_table({"ef": "e"}), "keys are pairs"),
        (lambda: from_table({**SQUARE, ("f", "f"): "g"}), "arrow g has 0 identities"),
        (lambda: from_monoid([]), "this table is empty"),
        (lambda: from_monoid([[0, -1], [-1, 1]]), "negative"),
        (lambda: from_maps([[0, 1], [1]]), "rows of equal length"),
        (lambda: from_maps([0, 1]), r"shape \(k, d\)"),
        (lambda: from_maps([[0.0, 1.0]]), "must hold integers; got float64"),
        (lambda: from_maps([[1, 0]], names=["a", "b"]), "names: 1 are needed"),
        (lambda: from_maps([[1, 0], [0, 0]], names=["a", "a"]), "both 'a'"),
        (lambda: from_maps([[1, 2, 3, 4, 5, 6, 7, 0], [1, 0, 2, 3, 4, 5, 6, 7]], limit=100), "more than 100 elements"),
        (lambda: from_covers(-1, []), "between 0 and 2"),
        (lambda: from_covers(2**31 + 1, []), "fit int32"),
        (lambda: from_covers(2.0, []), "n must be a whole number; got 2.0"),
        (lambda: from_covers(2, [(0, 1, 1)]), r"shape \(p, 2\)"),
        (lambda: from_covers(2, [("0", "1")]), "must hold integers"),
        (lambda: discrete(2, objects=["x", "x"]), r"objects\[0\] and objects\[1\] are both 'x'"),
        (lambda: from_preorder([[1, 0]]), "must be square"),
        (lambda: from_preorder([["a"]]), "truth values"),
        (lambda: free_category(True, []), "whole number; got True"),
        (lambda: free_category(2, [(0, 1)], names=["f", "g"]), "names: 1 are needed"),
        (lambda: free_category(1, [(0, 0)]), "cycle 0 -> 0"),
        (lambda: free_category(4, [(0, 1), (1, 2), (2, 3), (3, 1)], objects=["a", "b", "c", "d"]), "b -> c -> d -> b"),
        (lambda: full_subcategory(S3, [1]), r"objects\[0\] = 1 is outside 0\.\.0"),
        (lambda: copresheaf(QUIVER, [2**31 - 1, 2], [[], []]), "don't fit int32"),
        (lambda: copresheaf(QUIVER, [1, 1], [[0], [1]]), r"column of generator t\[0\] = 1 is outside 0\.\.0"),
        (lambda: copresheaf(C4, [2], [[0, 0]]), "fails at row 1"),
    ],
)
def test_hostile_input_is_refused(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()


@pytest.mark.parametrize(
    ("what", "place", "value", "says"),
    [
        ("dom", 0, 5, r"dom\[0\] = 5 is outside 0\.\.1"),
        ("cod", 1, -1, r"cod\[1\] = -1 is outside"),
        ("identity", 0, 2, r"identity\[0\] = 2 doesn't start and end at object A"),
        ("generators", 0, 9, r"generators\[0\] = 9 is outside 0\.\.3"),
        ("generators", 0, 3, "generator s is arrow 3, but one step from the identities it is 2"),
        ("right", (0, 0), -1, r"right\[0, 0\]: arrow 0 and generator s meet, yet the entry is -1"),
        ("right", (2, 0), 1, r"right\[2, 0\]: arrow 2 and generator s don't meet"),
        ("left", (1, 1), 0, "arrow 1 after generator t is given as arrow 0, which has other ends"),
    ],
)
def test_every_part_of_a_category_is_checked(what: str, place: int, value: int, says: str) -> None:
    given_parts = parts(QUIVER)
    given_parts[what][place] = value
    with pytest.raises(InputError, match=says):
        Category(**given_parts, objects=QUIVER.objects, names=QUIVER.names)


def test_an_arrow_that_no_generators_make_is_named() -> None:
    with pytest.raises(InputError, match="arrow 1: 0 -> 0 is no composite of generators"):
        Category([0, 0], [0, 0], [0], [], np.empty((2, 0), dtype=int), np.empty((2, 0), dtype=int))


def test_names_of_a_category_differ() -> None:
    with pytest.raises(InputError, match=r"names\[0\] and names\[1\] are both 'f'"):
        Category(**parts(QUIVER), names=["f", "f"])
    with pytest.raises(InputError, match="2 objects and 2 generators need as many names"):
        Category(**parts(QUIVER), objects=["x"])


def test_empty_categories() -> None:
    for nothing in (from_table([]), from_table({}), from_covers(0, []), from_preorder([]), free_category(0, [])):
        assert (nothing.n_objects, nothing.n_arrows) == (0, 0)
        assert "0 objects, 0 arrows" in repr(nothing)
        assert nothing.op.op is nothing


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Presentation(("A", "A"), ()), "objects 0 and 1 are both called 'A'"),
        (lambda: Presentation(("A",), (("f", 0, 0), ("f", 0, 0))), "generators 0 and 1 are both called 'f'"),
        (lambda: Presentation(("A",), (("f", 0, 1),)), r"generator 0 \('f'\): its target is object 1"),
        (lambda: Presentation(("A",), (("f", 0, 0),), (((), ()),)), "equation 0: both sides are empty"),
        (lambda: Presentation(("A",), (("f", 0, 0),), (((0, 3), (0,)),)), "equation 0: there is no generator 3"),
        (
            lambda: Presentation(("A", "B"), (("f", 0, 1),), (((0, 0), (0,)),)),
            r"equation 0: step 0 \('f'\) ends at 'B'",
        ),
        (lambda: Presentation(("A", "B"), (("f", 0, 1),), (((0,), ()),)), "no identity does"),
        (
            lambda: Presentation(("A", "B"), (("f", 0, 1), ("g", 0, 0)), (((0,), (1,)),)),
            "equation 0: f leads from 'A' to 'B', g from 'A' to 'A'",
        ),
        (lambda: Presentation.monoid("a", ["a a"]), r"relation 0 \('a a'\): expected 'word = word'"),
        (lambda: Presentation.monoid("a", ["a^-1 = 1"]), "a monoid has no inverses"),
        (lambda: Presentation.group("a", ["a b"]), "no generator is called 'b'"),
        (lambda: Presentation.group("a", ["(a"]), "column 3"),
    ],
)
def test_malformed_presentations(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()


@settings(max_examples=200, deadline=None)
@given(arrays.arrays(np.int64, arrays.array_shapes(min_dims=2, max_dims=2, max_side=4), elements=st.integers(-2, 4)))
def test_a_random_table_is_a_category_or_refused(table: np.ndarray) -> None:
    try:
        made = from_table(table)
    except InputError:
        return
    assert made.n_arrows == len(table)
    assert (np.sort(made.table, axis=None) == np.sort(table, axis=None)).all()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 26), st.integers(0, 2), st.integers(-2, 30), st.sampled_from(["right", "left"]))
def test_one_wrong_step_is_refused(x: int, j: int, value: int, side: str) -> None:
    given_parts = parts(T3)
    right = given_parts[side]
    if right[x, j] == value:
        return
    right[x, j] = value
    with pytest.raises(InputError, match=r"not associative|one step|no composite|outside|entry is -1"):
        Category(**given_parts)
