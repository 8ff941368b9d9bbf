"""A network trained end to end, in parts, and in the ways between that tell causes apart."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import Module, Parameter
from torch.optim import Optimizer

from presheaf.errors import InputError
from presheaf.pretext.functor_parts import Learner, Split, cut, twin

ROUNDING = 1e-14
"""Gradients in float64 are off by about this share of the largest one."""


@dataclass(frozen=True)
class Way:
    """How the composite is trained."""

    make: Callable[[list[Parameter]], Optimizer]
    loss: Callable[[Tensor, Tensor], Tensor]
    clip_norm: float | None
    micro_batch: int
    recompute: bool


@dataclass
class Seen:
    """What the comparison found."""

    differences: dict[str, float]
    buffers: frozenset[str]
    gradient_gap: float = 0.0
    step_gap: float = 0.0
    rounding: float = 0.0
    clipped: bool = False
    leaked: bool = False


class Composite:
    """Learners with an optimiser each."""

    def __init__(self, learners: list[Learner], way: Way) -> None:
        self.learners, self.way = learners, way
        self.optimisers = [way.make(part.trained) if part.trained else None for part in learners]

    def gradients(self, x: Tensor, y: Tensor) -> bool:
        """Every part's gradients by requests alone; whether one went past a cut."""
        pieces: list[Tensor] = list(x.split(self.way.micro_batch))
        for part in self.learners:
            pieces = part.implement(pieces)
        out = torch.cat(pieces).requires_grad_()
        (slope,) = torch.autograd.grad(self.way.loss(out, y), out)
        asked: list[Tensor] = list((out.detach() - slope).split(self.way.micro_batch))
        leaked = False
        for number in reversed(range(len(self.learners))):
            others = [p for part in (*self.learners[:number], *self.learners[number + 1 :]) for p in part.trained]
            asked, past = self.learners[number].learn(asked, self.way.recompute, others)
            leaked |= past
        return leaked

    def step(self) -> None:
        """Clip and step each part on its own."""
        for part, optimiser in zip(self.learners, self.optimisers, strict=True):
            if optimiser is not None:
                if self.way.clip_norm is not None:
                    torch.nn.utils.clip_grad_norm_(part.trained, self.way.clip_norm)
                optimiser.step()

    def values(self) -> dict[str, Tensor]:
        """Every parameter under its name in the whole network."""
        return {part.names[name]: p for part in self.learners for name, p in part.parameters.items()}


class EndToEnd:
    """The whole network with one optimiser; ``shaken`` gradients are off by rounding."""

    def __init__(self, base: Module, way: Way, shaken: float = 0.0) -> None:
        self.network, self.way, self.shaken = copy.deepcopy(base), way, shaken
        self.parameters: dict[str, Tensor] = dict(self.network.named_parameters(remove_duplicate=False))
        self.trained = [p for p in self.network.parameters() if p.requires_grad]
        if not self.trained:
            raise InputError("the model has no parameter that requires a gradient; there is nothing to train.")
        self.optimiser = way.make(self.trained)
        self.noise = torch.Generator().manual_seed(0)

    def gradients(self, x: Tensor, y: Tensor) -> dict[str, Tensor | None]:
        """Into the parameters' ``grad``, and a copy; None where the loss doesn't depend on a parameter."""
        value = self.way.loss(self.network(x), y)
        if value.dim() or not torch.isfinite(value):
            raise InputError(f"the loss must be one finite number at every step; got {value.detach()}.")
        self.optimiser.zero_grad(set_to_none=True)
        value.backward()
        found = {name: None if p.grad is None else p.grad.detach().clone() for name, p in self.parameters.items()}
        if self.shaken:
            for p in self.trained:
                if p.grad is not None:
                    noise = torch.randn(p.shape, generator=self.noise, dtype=p.dtype)
                    p.grad += self.shaken * _largest(found) * noise
        return found

    def step(self) -> bool:
        """Clip and step; whether clipping changed anything."""
        clip = self.way.clip_norm
        clipped = clip is not None and bool(torch.nn.utils.clip_grad_norm_(self.trained, clip) > clip)
        self.optimiser.step()
        return clipped

    def values(self) -> dict[str, Tensor]:
        """Parameters and buffers by name."""
        return {**self.parameters, **dict(self.network.named_buffers())}


def compare(base: Module, split: Split, way: Way, x: Tensor, y: Tensor, steps: int, seed: int) -> Seen:
    """Train end to end and in parts; and, to tell causes apart, in parts with the end-to-end gradients and end to end with
    gradients off by rounding."""
    copied, other = copy.deepcopy(base), copy.deepcopy(base)
    whole, shaken = EndToEnd(base, way), EndToEnd(base, way, ROUNDING)
    composite = Composite(cut(copied, twin(base, split, copied)), way)
    told = Composite(cut(other, twin(base, split, other)), way)
    seen = Seen({}, frozenset(name for name, _ in base.named_buffers()))
    for number in range(steps):
        torch.manual_seed(seed + number)
        given = whole.gradients(x, y)
        torch.manual_seed(seed + number)
        shaken.gradients(x, y)
        torch.manual_seed(seed + number)
        seen.leaked |= composite.gradients(x, y)
        if number == 0:
            seen.gradient_gap = _gap(given, composite.values())
        for name, p in told.values().items():
            gradient = given[name]
            p.grad = None if gradient is None else gradient.clone()
        seen.clipped |= whole.step()
        for follower in (shaken, composite, told):
            follower.step()
        here, there = whole.values(), {**composite.values(), **dict(copied.named_buffers())}
        for name, p in there.items():
            seen.differences[name] = max(seen.differences.get(name, 0.0), _difference(here[name], p))
        seen.step_gap = max(seen.step_gap, _furthest(here, told.values()))
        seen.rounding = max(seen.rounding, _furthest(here, shaken.values()))
    return seen


def _largest(gradients: Mapping[str, Tensor | None]) -> float:
    return max((float(g.abs().max()) for g in gradients.values() if g is not None and g.numel()), default=0.0)


def _gap(gradients: Mapping[str, Tensor | None], stepped: Mapping[str, Tensor]) -> float:
    """Largest difference from the gradients of parameters, in units of max(1, the largest gradient)."""
    worst = 0.0
    for name, p in stepped.items():
        one, two = gradients[name], p.grad
        if p.numel() and not (one is None and two is None):
            zero = torch.zeros_like(p)
            worst = max(worst, float(((zero if one is None else one) - (zero if two is None else two)).abs().max()))
    return worst / max(1.0, _largest(gradients))


def _furthest(here: Mapping[str, Tensor], there: Mapping[str, Tensor]) -> float:
    return max(_difference(here[name], p) for name, p in there.items())


def _difference(first: Tensor, second: Tensor) -> float:
    if not first.numel():
        return 0.0
    a, b = first.detach().double(), second.detach().double()
    return float(((a - b).abs() / a.abs().clamp(min=1)).max())
