"""Contexts and what follows them, against counts by a plain loop."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from presheaf.errors import InputError
from presheaf.pretext.text_contexts import LEAST, branching, contexts_and_followers, continuation_hom

RNG = np.random.default_rng(3)
TRAIN = RNG.choice(6, 3000, p=[0.4, 0.25, 0.15, 0.1, 0.06, 0.04])
TEST = RNG.choice(6, 2000, p=[0.35, 0.25, 0.2, 0.1, 0.06, 0.04])


def counted(stream: np.ndarray, order: int) -> Counter[tuple[int, ...]]:
    n = len(stream)
    return Counter(tuple(int(stream[(i + k) % n]) for k in range(order)) for i in range(n))


def test_the_hom_is_the_continuation_frequency() -> None:
    objects = contexts_and_followers(TRAIN, TEST, 120, 0)
    hom = continuation_hom(objects, TEST)
    values = hom.quantale.values(hom.distances(None, None, np.float64))
    counts = counted(TEST, 1) + counted(TEST, 2) + counted(TEST, 3)
    for i, x in enumerate(objects):
        for j, y in enumerate(objects):
            expected = counts[y] / counts[x] if y[: len(x)] == x and counts[x] else float(i == j)
            assert values[i, j] == pytest.approx(expected, abs=1e-12)
    d = hom.distances(None, None, np.float64)
    assert (d <= (d[:, :, None] + d).min(axis=1) + 1e-6).all()
    assert (d.diagonal() == 0).all()


def test_half_of_the_continuations_are_the_most_frequent_ones_of_training() -> None:
    objects = contexts_and_followers(TRAIN, TEST, 300, 0)
    assert branching(300) == 4
    pairs = counted(TRAIN, 2)
    for token in {x[0] for x in objects if len(x) == 1}:
        best = sorted((pair for pair in pairs if pair[0] == token), key=lambda pair: (-pairs[pair], pair))[:2]
        assert set(best) <= set(objects)


def test_contexts_are_frequent_and_depend_on_the_seed() -> None:
    counts = counted(TEST, 1) + counted(TEST, 2)
    objects = contexts_and_followers(TRAIN, TEST, 30, 0)
    for x in objects:
        if any(y[:-1] == x for y in objects):
            assert counts[x] >= LEAST
    assert objects == contexts_and_followers(TRAIN, TEST, 30, 0)
    assert objects != contexts_and_followers(TRAIN, TEST, 30, 1)


def test_the_held_out_text_does_not_choose_the_continuations() -> None:
    # In the held-out text 0 is followed by 1 only, in training by 2 only.
    train, test = np.tile([0, 2, 3], 200), np.tile([0, 1, 2, 3], 200)
    objects = contexts_and_followers(train, test, 20, 0)
    assert (0, 2) in objects
    assert all(1 not in tokens for tokens in objects)
    hom = continuation_hom(objects, test)
    assert np.isinf(hom.distances([objects.index((0,))], [objects.index((0, 2))], np.float64)[0, 0])


def test_too_little_held_out_text_is_said() -> None:
    with pytest.raises(InputError, match="Hold more text out"):
        contexts_and_followers(TRAIN, np.arange(5), 50, 0)


@pytest.mark.parametrize("size", [24, 100, 300, 1000])
def test_enough_objects_have_a_row(size: int) -> None:
    rng = np.random.default_rng(0)
    train, test = rng.zipf(1.3, 20_000) % 400, rng.zipf(1.3, 20_000) % 400
    objects = contexts_and_followers(train, test, size, 0)
    with_row = sum(any(y[: len(x)] == x and y != x for y in objects) for x in objects)
    assert 0.8 * size <= len(objects) <= size
    assert with_row**2 / len(objects) >= min(10, size / 10)
