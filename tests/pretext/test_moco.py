"""MoCo: the order of the queue and the momentum by hand; all that training changes is in the state."""

from __future__ import annotations

import numpy as np
import pytest

from presheaf.errors import InputError
from presheaf.pretext.base import Data
from presheaf.pretext.moco import MoCo

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")

from presheaf.pretext.momentum_pair import MomentumPair  # noqa: E402


def noise(n: int = 12) -> Data:
    from presheaf.pretext.data import make_data

    pixels = np.random.default_rng(0).integers(0, 256, (n + 8, 8, 8, 1), dtype=np.uint8)
    return make_data("noise", "image", pixels[:n], pixels[n:])


def numbered(*numbers: int) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float32)[:, None]


def pair(size: int) -> MomentumPair:
    return MomentumPair(torch.nn.Linear(1, 1), torch.zeros(size, 1))


def push(network: MomentumPair, *numbers: int) -> list[int]:
    network.waiting = numbered(*numbers)
    network.follow(0.9)
    assert network.waiting is None
    return [int(number) for number in network.queue[:, 0]]


def test_the_oldest_key_goes_first() -> None:
    network = pair(5)
    assert push(network, 1, 2) == [1, 2, 0, 0, 0]
    assert push(network, 3, 4) == [1, 2, 3, 4, 0]
    assert push(network, 5, 6) == [6, 2, 3, 4, 5]
    assert int(network.place) == 1
    assert push(network, 7) == [6, 7, 3, 4, 5]


def test_of_a_batch_larger_than_the_queue_the_last_stay() -> None:
    network = pair(5)
    assert sorted(push(network, 1, 2, 3, 4, 5, 6, 7)) == [3, 4, 5, 6, 7]
    # 3 is the oldest and the next to go.
    assert sorted(push(network, 8)) == [4, 5, 6, 7, 8]
    assert sorted(push(network, 9)) == [5, 6, 7, 8, 9]


def test_momentum_by_hand() -> None:
    network = pair(2)
    with torch.no_grad():
        network.key.weight.fill_(1.0)
        network.query.weight.fill_(3.0)
    network.follow(0.9)
    assert float(network.key.weight.detach()) == pytest.approx(1.2)
    network.follow(0.9)
    assert float(network.key.weight.detach()) == pytest.approx(1.38)
    assert not network.key.weight.requires_grad


def test_nothing_is_queued_by_a_loss_alone_nor_twice() -> None:
    data, task = noise(), MoCo(dim=16, projection=4, queue=6)
    network = task.network(data)
    before = network.queue.clone()
    task.loss(network, data, torch.arange(4)).backward()
    assert torch.equal(network.queue, before)
    task.after_step(network)
    assert int(network.place) == 4
    assert not torch.equal(network.queue[:4], before[:4])
    assert torch.equal(network.queue[4:], before[4:])
    kept = network.queue.clone()
    task.after_step(network)
    assert torch.equal(network.queue, kept)
    np.testing.assert_allclose(network.queue.norm(dim=1).numpy(), 1, atol=1e-5)
    assert all(weight.grad is None for weight in network.key.parameters())


def test_a_queue_larger_than_the_data_and_a_batch_of_one() -> None:
    data, task = noise(5), MoCo(dim=16, projection=4, queue=40)
    network = task.network(data)
    assert network.queue.shape == (40, 4)
    loss = task.loss(network, data, torch.arange(1))
    assert bool(torch.isfinite(loss))


def test_the_state_is_all_that_training_changes() -> None:
    data, task = noise(), MoCo(dim=16, projection=4, queue=6)

    def steps(network: MomentumPair, numbers: range) -> None:
        optimizer = torch.optim.SGD([w for w in network.parameters() if w.requires_grad], lr=0.1)
        for number in numbers:
            torch.manual_seed(number)
            optimizer.zero_grad()
            task.loss(network, data, torch.arange(number % 3, number % 3 + 4)).backward()
            optimizer.step()
            task.after_step(network)

    through, first, second = task.network(data), task.network(data), task.network(data)
    first.load_state_dict(through.state_dict())
    steps(through, range(5))
    steps(first, range(2))
    second.load_state_dict(first.state_dict())
    steps(second, range(2, 5))
    for name, tensor in through.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


def test_embeddings_are_the_query_encoders(tmp_path: object) -> None:
    data, task = noise(), MoCo(dim=16, projection=4, queue=6)
    network = task.network(data)
    before = task.embed(network, data.test)
    with torch.no_grad():
        for weight in network.key.parameters():
            weight.zero_()
    assert np.array_equal(task.embed(network, data.test), before)


@pytest.mark.parametrize("wrong", [{"queue": 0}, {"momentum": 1.0}, {"momentum": -0.1}, {"temperature": 0.0}])
def test_refusals(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        MoCo(**wrong)
