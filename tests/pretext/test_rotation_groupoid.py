"""The rotation groupoid against brute force, the published counts of the task, and the enriched ceiling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.enriched.ceiling import ceiling_curve
from presheaf.enriched.conflicts import close_pairs
from presheaf.enriched.construct import hom_from_relation
from presheaf.enriched.label_category import ISOMORPHISM_CLASSES
from presheaf.errors import InputError
from presheaf.finite import groupoid_cardinality, transformations
from presheaf.finite import presheaf as make_presheaf
from presheaf.pretext.rotation_groupoid import (
    indicator,
    orbit_ceiling,
    rotation_groupoid,
    rotation_verdict,
    turned,
)


def image(rows: list[list[int]]) -> np.ndarray:
    return np.array(rows, dtype=np.uint8)[:, :, None]


FREE = image([[1, 2], [3, 4]])
OTHER = image([[9, 0], [0, 0]])
HALF = image([[1, 2], [2, 1]])  # the same after half a turn
ROUND = image([[7, 7], [7, 7]])  # the same after a quarter turn


def brute_orbits(images: np.ndarray) -> list[frozenset[bytes]]:
    return [frozenset(np.ascontiguousarray(np.rot90(x, k)).tobytes() for k in range(4)) for x in images]


def many() -> tuple[np.ndarray, np.ndarray]:
    """24 images with symmetric ones among them, a turned and an equal copy, three classes."""
    rng = np.random.default_rng(5)
    free = rng.integers(0, 9, size=(18, 4, 4, 1), dtype=np.uint8)
    half = np.concatenate([free[:2, :2], np.rot90(free[:2, :2], 2, axes=(1, 2))], axis=1)
    corner = free[2:4, :2, :2]
    turned_corners = [np.rot90(corner, k, axes=(1, 2)) for k in range(4)]
    top = np.concatenate([turned_corners[0], turned_corners[3]], axis=2)
    bottom = np.concatenate([turned_corners[1], turned_corners[2]], axis=2)
    whole = np.concatenate([top, bottom], axis=1)
    images = np.concatenate([free, half, whole, np.rot90(free[:1], 1, axes=(1, 2)), free[1:2]])
    labels = np.array(["a"] * 9 + ["b"] * 9 + ["b", "c", "b", "c"] + ["a", "a"])
    return images, labels


def test_orbits_of_sizes_4_4_2_1_weigh_eleven_quarters() -> None:
    made = rotation_groupoid([FREE, OTHER, HALF, ROUND])
    category = made.category
    assert made.orbit_sizes.tolist() == [4, 4, 2, 1]
    assert (category.n_objects, category.n_arrows) == (11, 44)
    assert [len(category.hom(o, o)) for o in made.position] == [1, 1, 2, 4]
    counts = np.array([[len(category.hom(a, b)) for b in range(11)] for a in range(11)], dtype=float)
    assert float(groupoid_cardinality(category)) == pytest.approx(np.linalg.pinv(counts).sum()) == 2.75


def test_arrows_are_the_turns_from_one_image_to_the_other() -> None:
    images, _ = many()
    made = rotation_groupoid(images)
    for a, x in enumerate(made.images):
        for b, y in enumerate(made.images):
            turns = sum(np.array_equal(np.rot90(x, k), y) for k in range(4))
            assert len(made.category.hom(a, b)) == turns
    assert [np.array_equal(made.images[p], x) for p, x in zip(made.position, images, strict=True)] == [True] * len(
        images
    )
    orbits = brute_orbits(made.images)
    same = np.array([[a == b for b in orbits] for a in orbits])
    np.testing.assert_array_equal(made.orbit[:, None] == made.orbit, same)


def test_one_free_orbit_is_one_prompt_a_symmetric_one_none_two_orbits_two() -> None:
    images = [FREE, OTHER, HALF, ROUND]
    alone = rotation_verdict(images, [0, 1, 2, 3])
    assert [v.representable for v in alone] == [True, True, False, False]
    assert [(v.orbits, v.symmetric, v.prompts, v.free) for v in alone] == [
        (1, 0, 1, True),
        (1, 0, 1, True),
        (1, 1, 1, False),
        (1, 1, 1, False),
    ]
    both, rest = rotation_verdict(images, [0, 0, 1, 1])
    assert (both.representable, both.prompts, both.free) == (False, 2, True)
    assert (rest.representable, rest.prompts, rest.free, rest.symmetric) == (False, 2, False, 2)
    (everything,) = rotation_verdict(images, [0, 0, 0, 0])
    assert (everything.representable, everything.prompts) == (False, 4)  # the terminal presheaf


def test_a_free_orbit_is_represented_by_each_of_its_four_turns_and_by_nothing_else() -> None:
    made = rotation_groupoid([FREE, OTHER])
    task = indicator(made, made.orbit == made.orbit[made.position[0]])
    for p in range(made.category.n_objects):
        sizes = [len(made.category.hom(x, p)) for x in range(made.category.n_objects)]
        columns = [
            np.zeros(sizes[b], dtype=int) for b in made.category.generator_cod
        ]  # homs have at most one arrow here
        representable = make_presheaf(made.category, sizes, columns)
        isomorphic = sizes == task.sizes.tolist() and transformations(representable, task).count() == 1
        assert isomorphic == (made.orbit[p] == made.orbit[made.position[0]])


def test_twenty_four_images_against_brute_force() -> None:
    images, labels = many()
    orbits = brute_orbits(images)
    for verdict in rotation_verdict(images, labels):
        mine = {o for o, label in zip(orbits, labels, strict=True) if label == verdict.label}
        symmetric = sum(len(o) < 4 for o in mine)
        assert (verdict.orbits, verdict.symmetric, verdict.prompts) == (len(mine), symmetric, len(mine))
        assert verdict.representable == (len(mine) == 1 and symmetric == 0)
        assert verdict.free == (symmetric == 0)
        assert verdict.kind == "proof"


def test_a_class_that_cuts_an_orbit_is_no_presheaf() -> None:
    six, nine = FREE, np.rot90(FREE, 2)
    first, second, third = rotation_verdict([six, nine, OTHER], ["6", "9", "other"])
    assert [v.is_presheaf for v in (first, second, third)] == [False, False, True]
    assert (first.representable, first.prompts, second.prompts) == (False, None, None)
    assert "another" in first.why
    made = rotation_groupoid([six])
    with pytest.raises(InputError, match="whole orbits"):
        indicator(made, [True, False, False, False])


def test_ceilings_of_constant_orbit_wise_and_cutting_labels() -> None:
    rng = np.random.default_rng(0)
    images, source, turn = turned(rng.integers(0, 256, size=(20, 4, 4, 1), dtype=np.uint8))
    assert orbit_ceiling(images, np.zeros(80)) == 1
    assert orbit_ceiling(images, source % 3) == 1
    assert orbit_ceiling(images, turn) == 0.25
    assert orbit_ceiling(images, turn // 2) == 0.5
    share = 0.3
    flipped = np.where((turn == 1) & (source < share * 20), 1, 0)
    assert orbit_ceiling(images, flipped) == pytest.approx(1 - share / 4)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_ceiling_is_the_enriched_one_and_that_of_the_best_function_on_orbits(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    pixels = data.draw(st.lists(st.integers(0, 1), min_size=4 * n, max_size=4 * n))
    images = np.array(pixels, dtype=np.uint8).reshape(n, 2, 2, 1)
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    orbits = brute_orbits(images)
    best = sum(max(np.bincount([y for o, y in zip(orbits, labels, strict=True) if o == one])) for one in set(orbits))
    assert orbit_ceiling(images, labels) == pytest.approx(best / n)
    hom = hom_from_relation([[a == b for b in orbits] for a in orbits])
    curve = ceiling_curve(close_pairs(hom, 0.0, "both"), labels, ISOMORPHISM_CLASSES, [0.0])
    assert curve.strict is not None
    assert orbit_ceiling(images, labels) == pytest.approx(curve.strict[0])


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (np.zeros((2, 3, 4, 1), dtype=np.uint8), "square images; these are 3 x 4"),
        (np.zeros((2, 3, 3, 1)), "must be uint8"),
        (np.zeros((3, 3, 1), dtype=np.uint8), "must be uint8 of shape"),
        (np.zeros((0, 3, 3, 1), dtype=np.uint8), "at least one image"),
    ],
)
def test_what_is_refused(images: np.ndarray, says: str) -> None:
    with pytest.raises(InputError, match=says):
        rotation_groupoid(images)


def test_one_label_an_image() -> None:
    with pytest.raises(InputError, match="one label for each of 2 images; got 1"):
        orbit_ceiling([FREE, OTHER], [0])
