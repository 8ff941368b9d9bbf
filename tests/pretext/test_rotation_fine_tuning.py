"""Theorem 2 in small: fine-tuning a whole backbone on constant, orbit-wise and orbit-cutting labels."""

from __future__ import annotations

import numpy as np
import pytest

from presheaf.errors import InputError
from presheaf.pretext.rotation_groupoid import turned

torch = pytest.importorskip("torch")

from presheaf.models.nets import image_network  # noqa: E402
from presheaf.pretext.rotation_fine_tuning import FineTunedTo, fine_tune_to  # noqa: E402


def ramps(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Brighter below, some steeply and some hardly (two classes that turning leaves)."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    slope = np.linspace(0, 1, 8)[:, None] * np.where(label, 200, 60)[:, None, None]
    return (slope + rng.uniform(0, 50, (n, 8, 8))).astype(np.uint8)[..., None], label


def backbone() -> torch.nn.Module:
    torch.manual_seed(0)
    return image_network("conv", height=8, width=8, channels=1, dim=16)


def tuned(kind: str, invariant: bool, steps: int = 60) -> FineTunedTo:
    (train, label), (test, held) = ramps(40, 0), ramps(30, 1)
    rows, source, turn = turned(train)
    held_rows, held_source, held_turn = turned(test)
    labels = {
        "constant": ("one", "one"),
        "orbit-wise": (np.array(["flat", "steep"])[label[source]], np.array(["flat", "steep"])[held[held_source]]),
        "cutting": (turn, held_turn),
    }[kind]
    chosen = [np.full(len(r), y) if isinstance(y, str) else y for r, y in zip((rows, held_rows), labels, strict=True)]
    return fine_tune_to(
        backbone(),
        rows,
        chosen[0],
        held_rows,
        chosen[1],
        invariant=invariant,
        steps=steps,
        batch_size=32,
        learning_rate=3e-3,
    )


def test_labels_that_cut_orbits_stop_an_invariant_model_at_the_ceiling_and_not_a_plain_one() -> None:
    held = tuned("cutting", invariant=True)
    assert held.ceiling == 0.25
    # Each orbit gets one answer, and one of its four copies carries it as label.
    assert held.reached.value == 0.25
    assert not held.passes
    assert (held.answers.reshape(-1, 4) == held.answers[::4, None]).all()
    plain = tuned("cutting", invariant=False)
    assert plain.ceiling == 0.25
    assert plain.reached.low > 0.8
    assert plain.passes


def test_orbit_wise_labels_are_learnt_by_both() -> None:
    for invariant in (True, False):
        run = tuned("orbit-wise", invariant)
        assert run.ceiling == 1
        assert run.reached.low > 0.8
        assert set(run.answers) == {"flat", "steep"}
        assert run.losses[-10:].mean() < run.losses[:10].mean()


def test_constant_labels_cost_nothing() -> None:
    run = tuned("constant", invariant=True, steps=1)
    assert (run.reached.value, run.ceiling) == (1, 1)


def test_all_of_the_backbone_is_tuned_and_the_one_given_stays() -> None:
    (train, label), (test, held) = ramps(16, 0), ramps(6, 1)
    given = backbone()
    before = {name: tensor.clone() for name, tensor in given.state_dict().items()}
    run = fine_tune_to(given, train, label, test, held, invariant=False, steps=2, batch_size=8)
    again = fine_tune_to(given, train, label, test, held, invariant=False, steps=2, batch_size=8)
    after = run.backbone.state_dict()
    for name, tensor in given.state_dict().items():
        assert torch.equal(tensor, before[name])
        assert not torch.equal(tensor, after[name])
        assert torch.equal(after[name], again.backbone.state_dict()[name])


def test_the_interval_takes_copies_of_one_image_together() -> None:
    run = tuned("orbit-wise", invariant=True, steps=1)
    assert (run.reached.rows, run.reached.effective) == (120, pytest.approx(30))


def test_what_is_refused() -> None:
    (train, label), (test, held) = ramps(8, 0), ramps(4, 1)
    with pytest.raises(InputError, match="each image needs one label; got 7 for 8"):
        fine_tune_to(backbone(), train, label[:7], test, held, invariant=True)
    with pytest.raises(InputError, match="'batch_size' between 1 and 8"):
        fine_tune_to(backbone(), train, label, test, held, invariant=True, batch_size=9)
