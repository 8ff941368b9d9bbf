"""functor_check against gradients worked out by hand, and against networks that break it for a known reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

from presheaf.errors import InputError  # noqa: E402
from presheaf.pretext.functor_check import STEPS, functor_check  # noqa: E402
from presheaf.pretext.functor_parts import cut  # noqa: E402


def tanh_net(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))


def batch(rows: int = 8, inputs: int = 5, outputs: int = 3, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, inputs, generator=generator), torch.randn(rows, outputs, generator=generator)


def test_a_chain_of_two_numbers_by_hand() -> None:
    net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)).double()
    with torch.no_grad():
        net[0].weight.fill_(2.0)
        net[1].weight.fill_(3.0)
    first, second = cut(net, 1)
    # x = 1, b = 2, output 6, wanted 10: the slope at the output is -4, at b -12, so b is asked to be 14, and x to be 25.
    (b,) = first.implement([torch.ones(1, 1, dtype=torch.float64)])
    (output,) = second.implement([b])
    assert (b.item(), output.item()) == (2.0, 6.0)
    (wanted,), _ = second.learn([torch.full((1, 1), 10.0, dtype=torch.float64)], False, first.trained)
    assert wanted.item() == 14.0
    (request,), past = first.learn([wanted], False, second.trained)
    assert request.item() == 25.0
    assert not past
    assert second.trained[0].grad.item() == -8.0
    assert first.trained[0].grad.item() == -12.0


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("split", [1, 2, (1, 2)])
def test_every_step_that_treats_parameters_alone_is_a_functor(step: str, split: int | tuple[int, int]) -> None:
    found = functor_check(tanh_net(), step, split, *batch(), steps=4, learning_rate=0.1)
    assert found.holds
    assert found.reasons == ()
    assert set(found.differences) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert found.worst[1] <= 1e-14


@given(st.integers(0, 2**20), st.integers(1, 4), st.sampled_from(STEPS))
@settings(max_examples=10, deadline=None)
def test_any_smooth_chain_at_any_cut(seed: int, split: int, step: str) -> None:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(3, 4), nn.Softplus(), nn.Linear(4, 2), nn.LayerNorm(2), nn.Linear(2, 2))
    loss = nn.CrossEntropyLoss()
    x, y = batch(6, 3, 1, seed)[0], torch.arange(6) % 2
    assert functor_check(net, step, split, x, y, loss=loss, steps=2).gradient_gap <= 1e-12


def test_small_pieces_add_up_where_rows_are_apart() -> None:
    assert functor_check(tanh_net(), "momentum", 2, *batch(), micro_batch=3).holds


def test_global_clipping_is_named() -> None:
    x, y = batch()
    found = functor_check(tanh_net(), "sgd", 2, x, y, clip_norm=0.5)
    assert not found.holds
    assert len(found.reasons) == 1
    assert "clipped to a global norm" in found.reasons[0]
    # A norm that is never reached clips nothing.
    assert functor_check(tanh_net(), "sgd", 2, x, y, clip_norm=1e6).holds


def test_clipping_by_hand() -> None:
    """Gradients -12 and -8 end to end: clipped to norm 1 they are 12 and 8 over sqrt(208), in parts 1 and 1."""
    net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)).double()
    with torch.no_grad():
        net[0].weight.fill_(2.0)
        net[1].weight.fill_(3.0)
    x, y = torch.ones(1, 1), torch.full((1, 1), 10.0)
    found = functor_check(net, "sgd", 1, x, y, steps=1, learning_rate=1.0, clip_norm=1.0)
    for name, slope, start in (("0.weight", 12, 2.0), ("1.weight", 8, 3.0)):
        together = start + slope / 208**0.5
        assert found.differences[name] == pytest.approx((start + 1 - together) / together, rel=1e-5)


def test_tied_weights_are_named_on_both_sides_of_a_cut_only() -> None:
    torch.manual_seed(0)
    one = nn.Linear(4, 4)
    x, y = batch(6, 4, 4)
    net = nn.Sequential(one, nn.Tanh(), one, nn.Linear(4, 4))
    found = functor_check(net, "sgd", 1, x, y)
    assert not found.holds
    assert all("one weight on both sides" in reason for reason in found.reasons)
    assert "0.weight and 2.weight" in found.reasons[0]
    assert functor_check(net, "sgd", 3, x, y).holds


def test_batch_statistics_inside_a_part_are_fine_and_pieces_of_a_batch_are_not() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.Tanh(), nn.Linear(7, 3))
    x, y = batch()
    assert functor_check(net, "sgd", 2, x, y).holds
    assert functor_check(net, "sgd", 1, x, y).holds
    found = functor_check(net, "sgd", 2, x, y, micro_batch=4)
    assert not found.holds
    assert found.gradient_gap > 1e-6
    assert any("part 1 uses batch statistics" in reason for reason in found.reasons)
    twice = functor_check(net, "sgd", 2, x, y, recompute=True)
    assert not twice.holds
    assert twice.gradient_gap <= 1e-14
    assert twice.reasons == ("running statistics are counted twice, because parts run again for their update",)
    # With the statistics fixed rows don't meet.
    assert functor_check(net.eval(), "sgd", 2, x, y, micro_batch=4, recompute=True).holds


def test_dropout_agrees_with_the_same_draws_and_is_named_with_others() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 9), nn.Dropout(0.4), nn.Tanh(), nn.Linear(9, 3))
    x, y = batch()
    assert functor_check(net, "adam", 3, x, y).holds
    found = functor_check(net, "sgd", 3, x, y, recompute=True)
    assert not found.holds
    assert len(found.reasons) == 1
    assert "part 1 draws random numbers" in found.reasons[0]


class Noise(nn.Module):
    """Other draws for pieces than for the whole: the columns come one after the other."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.rand(x.shape[1], x.shape[0], dtype=x.dtype).T


def test_draws_that_differ_for_pieces_are_named() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), Noise(), nn.Linear(4, 3))
    x, y = batch()
    assert functor_check(net, "sgd", 2, x, y).holds
    found = functor_check(net, "sgd", 2, x, y, micro_batch=4)
    assert not found.holds
    assert found.reasons == ("part 2 draws random numbers (dropout) for a piece of the batch at a time: other draws",)


def test_rounding_that_adam_magnifies_is_told_from_a_difference() -> None:
    """A bias in front of a batch norm has slope 0: Adam steps by what rounding leaves of it."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 3))
    found = functor_check(net, "adam", 3, *batch(), steps=5, learning_rate=0.1)
    assert found.holds
    assert found.gradient_gap <= 1e-14
    assert found.rounding > 1e-12
    plain = functor_check(net, "sgd", 3, *batch(), steps=5)
    assert plain.rounding <= 1e-13
    # A difference that is real is far above what rounding explains.
    for options in ({"clip_norm": 0.1}, {"micro_batch": 4}):
        broken = functor_check(net, "adam", 3, *batch(), steps=5, learning_rate=0.1, **options)
        assert not broken.holds
        assert broken.worst[1] > 10 * broken.rounding


def test_a_parameter_the_loss_does_not_reach_is_left_alone_by_both() -> None:
    """Without a gradient decoupled weight decay does not decay."""

    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.idle = nn.Linear(5, 4), nn.Linear(5, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.used(x)

    torch.manual_seed(0)
    found = functor_check(nn.Sequential(Idle(), nn.Linear(4, 3)), "adamw", 1, *batch())
    assert found.holds
    assert found.differences["0.idle.weight"] == 0


class Leak(nn.Module):
    """Centres by the mean of an earlier part's output, which it gets past the cut."""

    def __init__(self, notes: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.notes, self.linear = notes, nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.tanh() - self.notes["mean"])


class Note(nn.Module):
    def __init__(self, notes: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.notes, self.linear = notes, nn.Linear(3, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.linear(x)
        self.notes["mean"] = out.mean(0)
        return out


def test_statistics_that_pass_the_cut_are_named() -> None:
    torch.manual_seed(0)
    notes: dict[str, torch.Tensor] = {}
    net = nn.Sequential(Note(notes), Leak(notes))
    found = functor_check(net, "sgd", 1, *batch(6, 3, 2))
    assert not found.holds
    assert any("past the cut" in reason for reason in found.reasons)


def normalised(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """A step of length 1 over all parameters together."""

    class Unit(torch.optim.Optimizer):
        def __init__(self) -> None:
            super().__init__(parameters, {})

        def step(self, closure: Callable[[], float] | None = None) -> None:
            given = [p for group in self.param_groups for p in group["params"]]
            length = torch.stack([p.grad.norm() for p in given]).norm()
            for p in given:
                p.data -= 0.1 * p.grad / length

    return Unit()


def test_an_optimiser_that_looks_at_all_parts_is_named() -> None:
    found = functor_check(tanh_net(), normalised, 2, *batch())
    assert not found.holds
    assert found.gradient_gap <= 1e-14
    assert "looks at several parts" in found.reasons[0]


class Halves(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = nn.Embedding(6, 4), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stem(x).tanh())


def test_parts_by_name_must_give_the_model() -> None:
    torch.manual_seed(0)
    net = Halves()
    x, y = torch.arange(6), batch(6, 1, 2)[1]
    with pytest.raises(InputError, match="must give what the model gives"):
        functor_check(net, "sgd", (net.stem, net.head), x, y)
    net.forward = lambda x: net.head(net.stem(x))  # type: ignore[method-assign]
    chain = nn.Sequential(net.stem, net.head)
    assert functor_check(chain, "adamw", (chain[0], chain[1]), x, y).holds


def test_the_model_and_the_draws_are_left_alone() -> None:
    net = nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.Dropout(0.5), nn.Linear(7, 3))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    functor_check(net, "sgd", 2, *batch())
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert all(p.grad is None and p.dtype == torch.float32 for p in net.parameters())


def test_frozen_parameters_stay() -> None:
    net = tanh_net()
    net[0].requires_grad_(False)
    found = functor_check(net, "adamw", 2, *batch())
    assert found.holds
    assert found.differences["0.weight"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": 0}, "from 1 to 2"),
        ({"split": (2, 1)}, "ascending"),
        ({"split": (nn.Linear(1, 1), nn.Linear(1, 1))}, "modules of the model itself"),
        ({"step": "newton"}, "'step' must be one of sgd"),
        ({"steps": 0}, "at least 1 step"),
        ({"micro_batch": 9}, r"1\.\.8"),
        ({"clip_norm": 0.0}, "clip_norm must be > 0"),
        ({"targets": torch.zeros(7, 3)}, "equally many rows"),
        ({"targets": torch.full((8, 3), float("nan"))}, "one finite number"),
    ],
)
def test_what_does_not_fit_is_said(change: dict[str, object], message: str) -> None:
    x, y = batch()
    given = {"model": tanh_net(), "step": "sgd", "split": 2, "inputs": x, "targets": y, **change}
    with pytest.raises(InputError, match=message):
        functor_check(**given)


def test_a_split_that_leaves_out_a_parameter_is_refused() -> None:
    net = tanh_net()
    with pytest.raises(InputError, match=r"'2.weight' lies in none"):
        functor_check(net, "sgd", (net[0], net[1]), *batch())
