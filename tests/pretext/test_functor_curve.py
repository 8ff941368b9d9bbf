"""Learning curves on real data, and what is predicted of them before any label is seen."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.datasets import load_digits, load_wine
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from presheaf.errors import InputError
from presheaf.finite import chain, from_covers
from presheaf.finite.examples.wordnet import wordnet_hypernyms
from presheaf.pretext.functor_count import labels_needed
from presheaf.pretext.functor_curve import learning_curve, predicted_reach, predicted_sure
from presheaf.pretext.functor_spread import Spread
from presheaf.pretext.functor_structure import Isomorphic, Linear, Monotone, isomorphic, unrelated
from presheaf.pretext.label_ceilings import label_ceiling


@given(st.lists(st.integers(0, 3), min_size=3, max_size=7))
@settings(max_examples=40, deadline=None)
def test_the_predicted_share_is_the_mean_over_all_sets_of_labels(classes: list[int]) -> None:
    structure = Isomorphic(np.array(classes))
    n, c = structure.n, structure.classes
    numbers = np.arange(1, n)
    by_list = []
    for m in numbers:
        shares = [
            np.mean([c[x] in {c[a] for a in chosen} for x in range(n) if x not in chosen])
            for chosen in combinations(range(n), m)
        ]
        by_list.append(np.mean(shares))
    assert predicted_sure(structure, numbers) == pytest.approx(by_list, abs=1e-9)


def test_labels_predicted_for_a_target_by_hand() -> None:
    """100 classes of 4. One a class: m labels reach 3 m of 400 - m, at least 0.95 of them from m = 97 on (291 of 303)."""
    structure = Isomorphic(np.arange(400) % 100)
    assert predicted_reach(structure, 0.95, plan="one a class") == 97
    assert predicted_reach(structure, 1.0, plan="one a class") == 100
    assert predicted_reach(unrelated(10), 0.5) is None
    assert predicted_reach(unrelated(10), 0.5, guess=0.5) == 1
    # At random more are needed: an object is missed by m labels with probability near (1 - m / n)^3.
    assert predicted_reach(structure, 0.95) == pytest.approx(400 * (1 - 0.05 ** (1 / 3)), rel=0.02)


@pytest.fixture(scope="module")
def rotated_digits() -> tuple[Isomorphic, NDArray[np.uint8], NDArray[np.int64]]:
    """120 digits in four positions; which images are rotations of each other is found from the pixels."""
    digits = load_digits()
    chosen = np.random.default_rng(0).permutation(len(digits.target))[:120]
    images = np.concatenate([np.rot90(digits.images[chosen], turns, axes=(1, 2)) for turns in range(4)]).astype(
        np.uint8
    )
    least = [min(np.rot90(image, turns).tobytes() for turns in range(4)) for image in images]
    classes = np.unique(least, return_inverse=True)[1]
    return Isomorphic(classes), images.reshape(len(images), -1), np.tile(digits.target[chosen], 4)


def test_one_label_an_orbit_is_all_it_takes(
    rotated_digits: tuple[Isomorphic, NDArray[np.uint8], NDArray[np.int64]],
) -> None:
    structure, _, labels = rotated_digits
    assert (structure.n, structure.r) == (480, 120)
    curve = learning_curve(structure, unrelated(480), labels, [12, 60, 108, 120], draws=8, plan="one a class")
    assert curve.needed == pytest.approx(120)
    # r of n labels say everything: log_k of the number of functors.
    assert curve.structured[-1].value == 1
    assert curve.reach(0.95) == 120
    assert curve.sure == pytest.approx(curve.predicted_sure)
    assert curve.sure == pytest.approx([12 * 3 / 468, 60 * 3 / 420, 108 * 3 / 372, 1])
    # Rotations keep the digit, so what is forced is right.
    assert all(right.value == 1 for right in curve.sure_right)
    assert curve.reach(0.95, "unstructured") is None
    for plain, null in zip(curve.unstructured, curve.shuffled, strict=True):
        assert plain.value < 0.2
        assert null.value < 0.2


def test_structure_helps_a_classifier_on_the_same_pixels(
    rotated_digits: tuple[Isomorphic, NDArray[np.uint8], NDArray[np.int64]],
) -> None:
    structure, pixels, labels = rotated_digits

    def nearest(objects: NDArray[np.int64], codes: NDArray[np.int64]) -> NDArray[np.int64]:
        return KNeighborsClassifier(1).fit(pixels[objects], codes).predict(pixels)

    curve = learning_curve(Spread(structure, nearest), nearest, labels, [30, 120], draws=5)
    assert curve.sure == pytest.approx(curve.predicted_sure, abs=0.03)
    for with_, without, null in zip(curve.structured, curve.unstructured, curve.shuffled, strict=True):
        assert with_.low > without.high
        assert null.high < without.low


def test_linear_structure_on_wine() -> None:
    wine = load_wine()
    structure = Linear(StandardScaler().fit_transform(wine.data))
    curve = learning_curve(structure, unrelated(structure.n), wine.target, [6, 40], draws=10)
    assert curve.needed == 14
    assert curve.predicted_sure is None
    assert curve.structured[1].low > 0.9 > 0.6 > curve.shuffled[1].high
    assert curve.structured[0].value < curve.structured[1].value


def test_an_order_on_wordnet() -> None:
    """Organisms that lexicographers filed under noun.person, read from sense keys, are closed under hyponyms."""
    try:
        words = wordnet_hypernyms()
    except InputError:
        pytest.skip("WordNet is not installed")
    below = words.below(words.find("organism")[0])
    chosen = np.random.default_rng(0).permutation(below)[:300]
    kept = np.unique(np.concatenate([words.above(int(synset)) for synset in chosen]))
    new = np.full(len(words), -1)
    new[kept] = np.arange(len(kept))
    covers = new[words.covers]
    order = from_covers(len(kept), covers[(covers >= 0).all(axis=1)])
    labels = np.array([words.names[i].split(":")[1] != "18" for i in kept.tolist()])
    assert label_ceiling(order, labels, "poset").solvable
    assert not label_ceiling(order, labels, "components").solvable
    structure = Monotone(order)
    assert labels_needed(structure, 2) < structure.n
    curve = learning_curve(structure, unrelated(structure.n), labels, [20, 200], draws=5)
    assert all(right.value == 1 for right in curve.sure_right)
    assert curve.sure[1] > curve.sure[0] > 0
    assert curve.structured[1].low > curve.unstructured[1].high
    assert curve.structured[1].low > curve.shuffled[1].high


def test_options_are_checked() -> None:
    structure, labels = isomorphic(4, [(0, 1)]), [0, 0, 1, 1]
    for numbers in ([], [0], [4], [2, 1]):
        with pytest.raises(InputError, match=r"ascend within 1\.\.3"):
            learning_curve(structure, unrelated(4), labels, numbers)
    with pytest.raises(InputError, match="at least 2 draws"):
        learning_curve(structure, unrelated(4), labels, [1], draws=1)
    with pytest.raises(InputError, match="at least 2 classes"):
        learning_curve(structure, unrelated(4), [1] * 4, [1])
    with pytest.raises(InputError, match="'plan' must be one of"):
        learning_curve(structure, unrelated(4), labels, [1], plan="best")
    with pytest.raises(InputError, match="needs classes of isomorphic"):
        learning_curve(Monotone(chain(4)), unrelated(4), labels, [1], plan="one a class")


def test_draws_follow_the_seed() -> None:
    structure, labels = isomorphic(8, [(0, 1), (2, 3), (4, 5)]), [0, 0, 1, 1, 0, 0, 1, 0]
    one, two, other = (learning_curve(structure, unrelated(8), labels, [2], draws=3, seed=seed) for seed in (1, 1, 2))
    assert (one.structured, one.shuffled) == (two.structured, two.shuffled)
    assert (one.structured, one.unstructured, one.shuffled) != (other.structured, other.unstructured, other.shuffled)
