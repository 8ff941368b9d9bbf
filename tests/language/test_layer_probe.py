"""The probe over layers, on features whose best layer is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from presheaf.errors import InputError
from presheaf.language.layer_probe import PENALTIES, _Ridge, probe_layers, read_layers


class Planted:
    """Texts are numbers; layer 2 holds the label in one direction, the others noise alone."""

    def __init__(self, labels: np.ndarray, dim: int = 12, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.states = rng.standard_normal((4, len(labels), dim)).astype(np.float32)
        self.states[2, :, 3] += 3 * (labels * 2 - 1)
        self.asked: list[int] = []

    def hidden_layers(self, texts: Sequence[str]) -> np.ndarray:
        self.asked.append(len(texts))
        return self.states[:, [int(text) for text in texts]]


LABELS = np.random.default_rng(1).integers(0, 2, 700)
ROWS = [str(i) for i in range(700)]


def test_the_layer_that_holds_the_label_is_found() -> None:
    probe = probe_layers(Planted(LABELS), ROWS[:300], LABELS[:300], ROWS[300:], LABELS[300:], 2)
    assert probe.chosen == 2
    # Two normal clouds 6 apart: Bayes' accuracy is Phi(3) = 0.9987.
    assert probe.best.held_out.value > 0.98
    assert all(abs(layer.held_out.value - 0.5) < 0.12 for layer in probe.layers if layer.layer != 2)
    assert abs(probe.null - 0.5) < 0.1
    assert probe.tried == 4 * len(PENALTIES)
    assert (probe.scores.argmax(axis=1) == LABELS[300:]).mean() == probe.best.held_out.value
    assert probe.best.held_out.low < probe.best.held_out.value < probe.best.held_out.high


def test_noise_is_chance_though_the_best_of_all_layers_is_taken() -> None:
    rng = np.random.default_rng(5)
    inside, outside = [], []
    for seed in range(12):
        noise = rng.permutation(LABELS)
        probe = probe_layers(Planted(LABELS, seed=seed), ROWS[:60], noise[:60], ROWS[60:], noise[60:], 2)
        inside.append(probe.best.choosing)
        outside.append(probe.best.held_out.value)
    assert np.mean(inside) > 0.55  # what the choice alone fakes
    assert abs(np.mean(outside) - 0.5) < 0.02


def test_the_ridge_is_sklearns() -> None:
    rng = np.random.default_rng(2)
    x, test = rng.standard_normal((50, 9)).astype(np.float32), rng.standard_normal((20, 9)).astype(np.float32)
    labelings = rng.integers(0, 3, (2, 50))
    ridge = _Ridge(x, labelings, 3)
    scaler = StandardScaler().fit(x.astype(np.float64))
    for penalty in (0.1, 10.0):
        ours = ridge.decide(test, penalty)
        for labels, said in zip(labelings, ours, strict=True):
            theirs = Ridge(alpha=penalty * 50).fit(scaler.transform(x), np.eye(3)[labels])
            assert np.allclose(said, theirs.predict(scaler.transform(test)), atol=1e-6)


def test_hidden_states_are_read_in_blocks() -> None:
    model = Planted(LABELS)
    told: list[tuple[int, int]] = []
    states = read_layers(model, ROWS, lambda *at: told.append(at))
    assert np.array_equal(states, model.states)
    assert model.asked == [256, 256, 188]
    assert told[-1] == (700, 700)


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match="two classes"):
        probe_layers(Planted(LABELS), ROWS[:9], np.zeros(9, dtype=int), ROWS[9:], LABELS[9:], 2)
    with pytest.raises(InputError, match="two classes"):
        probe_layers(Planted(LABELS), ROWS, LABELS, [], LABELS[:0], 2)


def test_a_constant_layer_and_a_class_that_is_only_held_out() -> None:
    model = Planted(LABELS)
    model.states[0] = 1.0
    labels = LABELS.copy()
    labels[-5:] = 2
    probe = probe_layers(model, ROWS[:300], labels[:300], ROWS[300:], labels[300:], 3)
    assert probe.chosen == 2
    assert probe.scores.shape == (400, 3)
