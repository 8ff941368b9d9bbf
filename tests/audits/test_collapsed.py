"""Features that a model has nearly brought to one point: the ladder is climbed all the same."""

from __future__ import annotations

import numpy as np
import pytest

from presheaf.audits.classifiers import smooth


@pytest.mark.parametrize("spread", [1e-2, 1e-4, 1e-5, 1e-6, 1e-7, 0.0])
def test_a_smooth_head_on_nearly_equal_rows(spread: float) -> None:
    """Unit rows around one direction, as the softmax of a network that is sure of one answer gives them."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 600)
    rows = np.zeros((600, 4))
    rows[:, 0] = 1
    rows[:, 1:] += spread * np.abs(rng.standard_normal((600, 3))) * (1 + 3 * labels[:, None])
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    scores = smooth(rows[:400], labels[:400], 2, 0.003).decide(rows[400:])
    assert np.isfinite(scores).all()
    right = float((scores.argmax(axis=1) == labels[400:]).mean())
    if spread >= 1e-5:
        assert right > 0.85  # the classes differ in scale, by a factor of 4 in three directions


def test_a_smooth_head_does_not_move_when_all_rows_do() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((300, 3)).astype(np.float32), rng.integers(0, 3, 300)
    near = smooth(x, y, 3, 0.03).decide(x)
    far = smooth(x + np.float32(8), y, 3, 0.03).decide(x + np.float32(8))
    assert np.abs(near - far).max() < 1e-2
