"""What structure forces, against the list of all functors; counts against published numbers."""

from __future__ import annotations

from itertools import product
from math import comb, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite import Category, chain, discrete, from_covers
from presheaf.pretext.functor_count import count_functors, functors, labels_needed, no_free_lunch, rule
from presheaf.pretext.functor_learner import FunctorLearner
from presheaf.pretext.functor_spread import Spread
from presheaf.pretext.functor_structure import Isomorphic, Linear, Monotone, Structure, isomorphic, unrelated


def respects(structure: Structure, labels: tuple[int, ...]) -> bool:
    """From the definition, pair by pair."""
    n = range(structure.n)
    if isinstance(structure, Isomorphic):
        return all(labels[x] == labels[y] for x in n for y in n if structure.classes[x] == structure.classes[y])
    ends = zip(structure.category.dom.tolist(), structure.category.cod.tolist(), strict=True)
    return all(labels[x] <= labels[y] for x, y in ends)


def listed(structure: Structure, k: int) -> np.ndarray:
    every = [labels for labels in product(range(k), repeat=structure.n) if respects(structure, labels)]
    return np.array(every, dtype=np.int64).reshape(len(every), structure.n)


@st.composite
def structures(draw: st.DrawFn) -> Structure:
    n = draw(st.integers(1, 6))
    pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=6))
    pairs = [(a, b) for a, b in pairs if a != b]
    return isomorphic(n, pairs) if draw(st.booleans()) else Monotone(from_covers(n, pairs))


@given(structures(), st.integers(2, 3), st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_possible_is_what_some_functor_does(structure: Structure, k: int, data: st.DataObject) -> None:
    anchors = np.array(data.draw(st.lists(st.integers(0, structure.n - 1), min_size=1, max_size=3, unique=True)))
    codes = np.array(data.draw(st.lists(st.integers(0, k - 1), min_size=len(anchors), max_size=len(anchors))))
    every = listed(structure, k)
    fitting = every[(every[:, anchors] == codes).all(axis=1)]
    learner = FunctorLearner(structure, range(k)).fit(anchors, codes)
    found = learner.possible()
    if len(fitting):
        by_list = np.array([[(fitting[:, x] == label).any() for label in range(k)] for x in range(structure.n)])
        assert np.array_equal(found, by_list)
        sure = learner.sure()
        assert np.array_equal(learner.predict()[sure], fitting[0][sure])
        assert [answer is None for answer in learner.answers()] == (~sure).tolist()
        assert found[np.arange(structure.n), learner.predict()].all()
    else:
        assert not found.any(axis=1).all()
    assert (learner.predict() < k).all()


@given(structures(), st.integers(2, 3))
@settings(max_examples=100, deadline=None)
def test_functors_are_counted_and_listed(structure: Structure, k: int) -> None:
    every = listed(structure, k)
    assert count_functors(structure, k) == len(every)
    assert labels_needed(structure, k) == pytest.approx(log(len(every)) / log(k))
    assert np.array_equal(functors(structure, k), every)


def test_monotone_maps_of_cubes_are_dedekind_numbers() -> None:
    for d, known in enumerate((2, 3, 6, 20, 168, 7581)):
        covers = [(x, x | 1 << i) for x in range(2**d) for i in range(d) if not x >> i & 1]
        assert count_functors(Monotone(from_covers(2**d, covers)), 2) == known


def test_counts_in_closed_form() -> None:
    assert count_functors(Monotone(chain(10)), 4) == comb(13, 3)
    assert count_functors(Monotone(discrete(40)), 3) == 3**40
    # A root above m leaves: if the root is c, each leaf is one of c + 1 labels.
    star = Monotone(from_covers(501, [(leaf, 500) for leaf in range(500)]))
    assert count_functors(star, 3) == 1 + 2**500 + 3**500
    # Two isomorphic objects count once.
    assert count_functors(Monotone(from_covers(3, [(0, 1), (1, 0), (1, 2)])), 2) == 3
    # With n objects and no structure n labels, with r classes r; a chain of n needs less than one a label.
    assert labels_needed(unrelated(7), 5) == pytest.approx(7)
    assert labels_needed(Isomorphic(np.arange(12) % 3), 5) == pytest.approx(3)
    assert labels_needed(Monotone(chain(8)), 2) == pytest.approx(log(9, 2))


def test_too_wide_an_order_is_refused() -> None:
    covers = [(a, 30 + b) for a in range(30) for b in range(30)]
    with pytest.raises(InputError, match="too wide"):
        count_functors(Monotone(from_covers(60, covers)), 2)
    with pytest.raises(InputError, match="more than limit"):
        functors(unrelated(30), 2)
    with pytest.raises(InputError, match="at least 2"):
        labels_needed(unrelated(3), 1)
    with pytest.raises(InputError, match="no finite number"):
        count_functors(Linear(np.eye(3)), 2)


@given(st.integers(0, 2**20), st.integers(2, 3), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_no_learner_beats_chance_without_structure(seed: int, k: int, labelled: int) -> None:
    """Any rule at all, here a random table of what was seen, has mean accuracy 1 / k on unlabelled objects."""

    def learner(anchors: np.ndarray, codes: np.ndarray) -> np.ndarray:
        return np.random.default_rng([seed, *codes.tolist()]).integers(0, k, 5)

    found = no_free_lunch(unrelated(5), learner, np.arange(labelled), k)
    assert found.exact
    assert found.functors == k**5
    assert found.accuracy.value == pytest.approx(1 / k, abs=1e-12)
    wise = no_free_lunch(unrelated(5), rule(isomorphic(5, [(0, 4), (1, 3)]), k), np.arange(labelled), k)
    assert wise.accuracy.value == pytest.approx(1 / k, abs=1e-12)


def test_structure_is_the_lunch() -> None:
    """Classes {0, 1}, {2, 3}, {4}, {5}, labels on 0 and 2: 1 and 3 are known, 4 and 5 at chance, by hand."""
    world = isomorphic(6, [(0, 1), (2, 3)])
    found = no_free_lunch(world, rule(world, 3), [0, 2], 3)
    assert found.accuracy.value == pytest.approx((2 + 2 / 3) / 4)
    drawn = no_free_lunch(world, rule(world, 3), [0, 2], 3, draws=2000)
    assert drawn.accuracy.low <= found.accuracy.value <= drawn.accuracy.high
    assert (found.kind, drawn.kind) == ("proof", "estimate")
    # The wrong structure earns nothing in a world without that structure, and in this one it costs.
    wrong = rule(isomorphic(6, [(0, 3), (2, 1)]), 3)
    assert no_free_lunch(world, wrong, [0, 2], 3).accuracy.value == pytest.approx(1 / 3)
    with pytest.raises(InputError, match="every object is labelled"):
        no_free_lunch(world, wrong, np.arange(6), 3)
    with pytest.raises(InputError, match="drawn at random"):
        no_free_lunch(Monotone(chain(3)), wrong, [0], 2, draws=10)


def test_along_an_order_by_hand() -> None:
    """0 -> 1 -> 2 -> 3 -> 4 with 1 labelled "b" and 3 labelled "c": 2 is b or c, 0 is a or b, 4 is c."""
    learner = FunctorLearner(Monotone(chain(5)), ["a", "b", "c"]).fit([1, 3], ["b", "c"])
    assert learner.possible().tolist() == [
        [True, True, False],
        [False, True, False],
        [False, True, True],
        [False, False, True],
        [False, False, True],
    ]
    assert learner.answers().tolist() == [None, "b", None, "c", "c"]
    assert learner.sure([0, 4]).tolist() == [False, True]
    # Labels that fall along an arrow: nothing is possible between them.
    broken = FunctorLearner(Monotone(chain(3)), ["a", "b"]).fit([0, 2], ["b", "a"])
    assert not broken.possible().any()
    assert set(broken.predict()) <= {"a", "b"}


def test_along_isomorphisms_by_hand() -> None:
    learner = FunctorLearner(isomorphic(5, [(0, 1), (1, 2)])).fit([0, 3], ["cat", "dog"])
    assert learner.answers().tolist() == ["cat", "cat", "cat", "dog", None]
    assert learner.score([1, 2, 3], ["cat", "dog", "dog"]) == pytest.approx(2 / 3)
    torn = FunctorLearner(isomorphic(3, [(0, 1), (1, 2)])).fit([0, 1], ["cat", "dog"])
    assert not torn.possible().any()
    assert torn.answers().tolist() == [None] * 3


@given(structures(), st.data())
@settings(max_examples=100, deadline=None)
def test_labels_never_seen_are_not_ruled_out_by_never_having_been_seen(
    structure: Structure, data: st.DataObject
) -> None:
    """The true labelling is any functor to 4 labels, of which the learner sees what its anchors have; what it is sure of is true."""
    every = listed(structure, 4)
    truth = every[data.draw(st.integers(0, len(every) - 1))]
    anchors = np.array(data.draw(st.lists(st.integers(0, structure.n - 1), min_size=1, max_size=3, unique=True)))
    learner = FunctorLearner(structure).fit(anchors, truth[anchors])
    sure = learner.sure()
    assert np.array_equal(learner.predict()[sure], truth[sure])
    assert learner.sure(anchors).all()
    fitting = every[(every[:, anchors] == truth[anchors]).all(axis=1)]
    assert (sure <= (fitting == fitting[0]).all(axis=0)).all()


def test_one_label_seen_says_nothing_of_unrelated_objects() -> None:
    learner = FunctorLearner(unrelated(3)).fit([0], ["cat"])
    assert learner.answers().tolist() == ["cat", None, None]
    assert learner.predict().tolist() == ["cat"] * 3
    assert FunctorLearner(Monotone(chain(3))).fit([1], ["cat"]).answers().tolist() == [None, "cat", None]
    assert FunctorLearner(Linear(np.eye(3))).fit([1], ["cat"]).answers().tolist() == [None, "cat", None]


def test_linear_labels_are_forced_in_the_span_only() -> None:
    """On a line two labels force the rest; in the plane the line through them."""
    line = FunctorLearner(Linear(np.array([[0.0], [1.0], [2.0], [-3.0]]), 0)).fit([0, 1], [0, 1])
    assert line.answers().tolist() == [0, 1, 1, 0]
    plane = Linear(np.array([[0.0, 0], [1, 0], [2, 0], [0, 1]]), 0)
    assert FunctorLearner(plane).fit([0, 1], [0, 1]).sure().tolist() == [True, True, True, False]
    assert labels_needed(plane, 2) == 3
    # 0, 1, 0 at 0, 1, 2 is not affine.
    torn = FunctorLearner(Linear(np.array([[0.0], [1.0], [2.0], [5.0]]))).fit([0, 1, 2], [0, 1, 0])
    assert not torn.possible().any()


@given(st.integers(0, 2**20), st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_labels_of_an_affine_map_are_recovered_from_as_many_objects_as_its_rank(seed: int, d: int) -> None:
    """Features are one-hot cells in a random frame, so labels of cells are exactly affine in them."""
    rng = np.random.default_rng(seed)
    cell = np.concatenate([np.arange(d), rng.integers(0, d, 20)])
    features = np.eye(d)[cell] @ rng.standard_normal((d, d))
    labels = rng.integers(0, 3, d)[cell]
    structure = Linear(features, 0)
    assert structure.rank == d
    learner = FunctorLearner(structure, range(3)).fit(np.arange(d), labels[:d])
    assert learner.sure().all()
    assert np.array_equal(learner.predict(), labels)


def test_a_classifier_is_asked_where_structure_cannot_say() -> None:
    asked = []

    def base(objects: np.ndarray, codes: np.ndarray) -> np.ndarray:
        asked.append((objects.tolist(), codes.tolist()))
        return np.full(5, 1)

    both = Spread(isomorphic(5, [(0, 1), (2, 3)]), base)
    learner = FunctorLearner(both, [0, 1]).fit([0], [0])
    assert learner.predict().tolist() == [0, 0, 1, 1, 1]
    assert asked == [([0, 1], [0, 0])]
    assert learner.sure().tolist() == [True, True, False, False, False]
    assert labels_needed(both, 2) == pytest.approx(3)


def renamed(category: Category, new: np.ndarray) -> Monotone:
    ends = np.stack([new[category.generator_dom], new[category.generator_cod]], axis=1)
    return Monotone(from_covers(category.n_objects, ends))


@given(st.integers(0, 2**20))
@settings(max_examples=25, deadline=None)
def test_renaming_objects_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = np.sort(rng.integers(0, 8, (9, 2)), axis=1)
    structure = Monotone(from_covers(8, pairs[pairs[:, 0] != pairs[:, 1]]))
    anchors, codes, new = rng.permutation(8)[:3], np.sort(rng.integers(0, 3, 3)), rng.permutation(8)
    one = FunctorLearner(structure, range(3)).fit(anchors, codes)
    two = FunctorLearner(renamed(structure.category, new), range(3)).fit(new[anchors], codes)
    assert np.array_equal(one.possible(), two.possible(new))
    assert np.array_equal(one.predict(), two.predict(new))


@pytest.mark.parametrize(
    ("objects", "labels", "message"),
    [
        ([], [], "at least one object"),
        ([0, 0], [1, 1], "each once"),
        ([0, 1], [1], "1 labels"),
        ([9], [1], r"0\.\.3"),
        ([0.5], [1], "numbers of objects"),
        ([0], [7], "not among the classes"),
    ],
)
def test_what_does_not_fit_is_said(objects: list[float], labels: list[int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        FunctorLearner(unrelated(4), [0, 1]).fit(objects, labels)


def test_structures_are_checked() -> None:
    with pytest.raises(InputError, match="call fit"):
        FunctorLearner(unrelated(4)).predict()
    with pytest.raises(InputError, match="one whole number an object"):
        Isomorphic(np.array([0.5]))
    with pytest.raises(InputError, match="ridge"):
        Linear(np.eye(2), -1)
    with pytest.raises(InputError):
        isomorphic(3, [(0, 3)])
    with pytest.raises(InputError, match="one label for each of 2"):
        FunctorLearner(unrelated(4)).fit([0], [1]).score([0, 1], [1])
