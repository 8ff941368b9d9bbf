"""Ceilings against every functor there is, listed by brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite import (
    Category,
    all_functors,
    chain,
    core,
    discrete,
    examples,
    from_covers,
    from_maps,
    from_preorder,
)
from presheaf.pretext.label_ceilings import TARGETS, label_ceiling, label_ceilings

DIAMOND = np.array([[1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1]], dtype=bool)
CROWN = np.array([[1, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=bool)


def best_by_listing(category: Category, labels: list[int], target: str, order: np.ndarray | None = None) -> int:
    """The most labels any functor keeps, from a list of all functors."""
    k = max(labels) + 1
    into = {
        "components": discrete(k),
        "isomorphism classes": discrete(k),
        "poset": chain(k) if order is None else from_preorder(order),
        "indiscrete": from_preorder(np.ones((k, k))),
    }[target]
    source = core(category)[0] if target == "isomorphism classes" else category
    objects, _ = all_functors(source, into)
    return int((objects == np.array(labels)).sum(axis=1).max())


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Category, list[int]]:
    n = draw(st.integers(1, 6))
    kind = draw(st.sampled_from(["order", "rotnet", "idempotent"]))
    if kind == "order":
        pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=7))
        category = from_covers(n, [(a, b) for a, b in pairs if a != b])
    elif kind == "rotnet":
        category = examples.rotnet(draw(st.sampled_from([(4,), (2, 1), (1, 1, 2), (4, 2), (2, 2)])))
    else:
        category = from_maps([[0, 0]])
    labels = draw(st.lists(st.integers(0, 2), min_size=category.n_objects, max_size=category.n_objects))
    return category, np.unique(labels, return_inverse=True)[1].tolist()


@given(worlds())
@settings(max_examples=120, deadline=None)
def test_no_functor_beats_a_ceiling_and_one_reaches_it(world: tuple[Category, list[int]]) -> None:
    category, labels = world
    for target, ceiling in label_ceilings(category, labels).items():
        assert ceiling.right == best_by_listing(category, labels, target)
        assert ceiling.exact
        assert int((ceiling.best == np.array(labels)).sum()) == ceiling.right
        assert ceiling.solvable == (ceiling.right == len(labels))


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_the_best_labels_are_a_functor(world: tuple[Category, list[int]]) -> None:
    category, labels = world
    found = label_ceilings(category, labels)
    for dom, cod in zip(category.dom.tolist(), category.cod.tolist(), strict=True):
        assert found["components"].best[dom] == found["components"].best[cod]
        assert found["poset"].best[dom] <= found["poset"].best[cod]
    same = found["isomorphism classes"]
    for leader in np.unique(same.classes):
        assert len(np.unique(same.best[same.classes == leader])) == 1


@given(st.integers(0, 10**6), st.sampled_from([0, 1]))
@settings(max_examples=60, deadline=None)
def test_orders_that_are_no_chain_are_bounded_and_exact_where_they_say_so(seed: int, which: int) -> None:
    rng = np.random.default_rng(seed)
    order = (DIAMOND, CROWN)[which]
    n = 6
    labels = np.concatenate([np.arange(4), rng.integers(0, 4, n - 4)])
    category = from_covers(n, rng.integers(0, n, (5, 2)))
    found = label_ceiling(category, labels, "poset", order)
    most = best_by_listing(category, labels.tolist(), "poset", order)
    assert found.right >= most
    if found.exact:
        assert found.right == most
        assert ((found.best == labels).sum()) == most
        assert order[found.best[category.dom], found.best[category.cod]].all()


def test_rotations_of_images() -> None:
    """The groupoid of quarter turns with orbits of 4, 4, 2 and 1 images: by hand."""
    turned = examples.rotnet((4, 4, 2, 1))
    constant = label_ceilings(turned, ["digit"] * 11)
    assert all(c.share == 1 and c.labels == "constant" for c in constant.values())
    orbitwise = label_ceilings(turned, [0] * 4 + [1] * 4 + [0] * 2 + [1])
    assert {t: c.right for t, c in orbitwise.items()} == dict.fromkeys(TARGETS, 11)
    assert orbitwise["components"].labels == "constant on each class"
    # Upright or not: one of four, one of two, and the last is its own.
    upright = label_ceilings(turned, [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1])
    for target in ("components", "isomorphism classes", "poset"):
        assert upright[target].right == 3 + 3 + 1 + 1
        assert upright[target].labels == "cuts a class"
        assert upright[target].witness == (0, 1)
    assert upright["indiscrete"].right == 11
    assert upright["components"].evidence == pytest.approx(10 / 11)
    # Judged by the others: the upright image of four is wrong, the others right; in the pair both are wrong.
    assert upright["components"].left_out == pytest.approx((3 + 3 + 0) / 10)


def test_the_claim_changes_with_the_label_category() -> None:
    """On an arrow 0 -> 1 discrete labels need one label on all of it, isomorphisms ask nothing, an order asks its direction."""
    arrow = chain(2)
    assert {t: c.right for t, c in label_ceilings(arrow, [1, 0]).items()} == {
        "components": 1,
        "isomorphism classes": 2,
        "poset": 1,
        "indiscrete": 2,
    }
    assert label_ceiling(arrow, [0, 1], "poset").solvable


def test_a_long_chain_keeps_the_longest_rising_run() -> None:
    """On a chain the most labels kept are those of a longest non-decreasing subsequence, here by patience sorting."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 12, 150)
    codes = np.unique(labels, return_inverse=True)[1]
    tails: list[int] = []
    for value in codes.tolist():
        at = int(np.searchsorted(tails, value, side="right"))
        tails[at : at + 1] = [value]
    found = label_ceiling(chain(150), labels, "poset")
    assert found.right == len(tails)
    assert found.exact
    assert (np.diff(found.best) >= 0).all()


def test_all_labellings_of_a_square_sum_to_what_counting_says() -> None:
    """One connected component of 3 objects and 2 labels: 8 labellings, of which 2 keep 3 and 6 keep 2."""
    cone = from_covers(3, [(0, 1), (0, 2)])
    assert (
        sorted(label_ceiling(cone, labels, "components").right for labels in product((0, 1), repeat=3))
        == [2] * 6 + [3] * 2
    )


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(InputError, match="one label for each of 2"):
        label_ceiling(chain(2), [0], "poset")
    with pytest.raises(InputError, match="'target' must be one of"):
        label_ceiling(chain(2), [0, 1], "discrete")
    with pytest.raises(InputError, match=r"shape \(2, 2\)"):
        label_ceiling(chain(2), [0, 1], "poset", DIAMOND)
    assert label_ceilings(discrete(0), [])["components"].share == 1
