"""RotNet on stripes whose turn can be told: what its head can know and what it can't."""

from __future__ import annotations

import numpy as np
import pytest

from presheaf.errors import InputError
from presheaf.pretext.data import make_data

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from presheaf.models.registry import load_model  # noqa: E402
from presheaf.pretext.base import Data  # noqa: E402
from presheaf.pretext.rotnet import RotNet, rotation_ideality  # noqa: E402


def ramps(n: int = 120, side: int = 8) -> Data:
    """Darker above, brighter below, with noise: a turn shows at once, and no two images are copies."""
    rng = np.random.default_rng(0)
    slope = np.linspace(0, 200, side)[:, None] * rng.uniform(0.6, 1, (n, 1, 1))
    images = (slope + rng.uniform(0, 55, (n, side, side))).astype(np.uint8)
    return make_data("ramps", "image", images[: n // 2, ..., None], images[n // 2 :, ..., None])


def trained(task: RotNet, data: Data, steps: int = 80) -> torch.nn.Module:
    torch.manual_seed(0)
    network = task.network(data)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(steps):
        loss = task.loss(network, data, torch.randint(0, len(data.train), (16,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def test_the_loss_is_the_cross_entropy_of_the_four_turns() -> None:
    data, task = ramps(), RotNet(dim=16)
    torch.manual_seed(0)
    network = task.network(data)
    rows = [3, 5]
    total = 0.0
    for k in range(4):
        copies = np.stack([np.rot90(data.train[r], k).copy() for r in rows])
        total += float(-np.log(task.embed(network, copies)[:, k]).sum())
    assert float(task.loss(network, data, torch.tensor(rows)).detach()) == pytest.approx(total / 8, rel=1e-5)
    with torch.no_grad():
        network["head"].weight.zero_()
        network["head"].bias.zero_()
    assert float(task.loss(network, data, torch.tensor(rows)).detach()) == pytest.approx(np.log(4))


def test_held_out_copies_and_their_groupoid() -> None:
    data = ramps()
    held = RotNet().held_out(data, 40, 1)
    assert held.objects.shape == (40, 8, 8, 1)
    values = held.hom.quantale.values(held.hom.distances())
    np.testing.assert_array_equal(values, np.kron(np.eye(10), np.ones((4, 4))))
    kept = {x.tobytes() for x in data.train}
    assert not any(x.tobytes() in kept for x in held.objects)
    for k in range(4):
        np.testing.assert_array_equal(held.objects[k], np.rot90(held.objects[0], k))


def test_a_copy_of_another_image_is_in_its_orbit() -> None:
    data = ramps()
    doubled = np.concatenate([data.test[:1], np.rot90(data.test[:1], 3, axes=(1, 2))])
    twice = make_data("twice", "image", data.train, doubled)
    values = RotNet().held_out(twice, 8, 0).hom.distances()
    assert (values == 0).all()


def test_a_trained_head_is_ideal_for_turned_alike_and_not_for_the_groupoid() -> None:
    data, task = ramps(), RotNet(dim=16)
    before = rotation_ideality(task, trained(task, data, 0), data, 120)
    after = rotation_ideality(task, trained(task, data), data, 120)
    assert after.accuracy == 1
    assert after.turned_alike.value.high < 0.2 < 0.5 < before.turned_alike.value.low
    # In every row all of the groupoid's weight lies on the three other turns, where an ideal head puts none.
    assert after.groupoid.value.value > 0.9
    assert after.groupoid.p > 0.05


def test_what_it_says_of_itself() -> None:
    task = RotNet(encoder="vit", dim=32)
    assert task.options == {"encoder": "vit", "dim": 32}
    assert (task.category.orientation, task.category.quantale.name, task.media) == ("groupoid", "bool", "image")
    assert task.kernel.fitted == 0
    assert task.kernel.lawful


def test_the_backbone_is_a_model_source(tmp_path) -> None:
    data, task = ramps(), RotNet(dim=16)
    network = trained(task, data, 2)
    source = load_model(task.save(network, data, tmp_path / "rotnet"))
    with torch.no_grad():
        pixels = torch.tensor(data.test[:3]).permute(0, 3, 1, 2) / 255
        expected = network["backbone"].eval().features(pixels).numpy()
    np.testing.assert_allclose(source.encode(list(data.test[:3])), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RotNet(encoder="linear"), "'encoder' must be one of conv, vit"),
        (lambda: RotNet(dim=10).network(ramps()), "'dim' must be a multiple of 16"),
        (lambda: rotation_ideality(RotNet(), None, ramps(), 4), "at least 8"),
        (
            lambda: RotNet().network(
                make_data("wide", "image", np.zeros((3, 8, 12, 1), np.uint8), np.ones((2, 8, 12, 1), np.uint8))
            ),
            "needs square images; these are 8 x 12",
        ),
    ],
)
def test_what_is_refused(make, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make()
