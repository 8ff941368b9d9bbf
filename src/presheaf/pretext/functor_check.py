"""Backprop as a functor: does training a network in parts, each on its own, equal training it as a whole?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from presheaf.errors import InputError, one_of
from presheaf.models.optional import need

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module, Parameter
    from torch.optim import Optimizer

    from presheaf.pretext.functor_parts import Probe, Split
    from presheaf.pretext.functor_runs import Seen, Way

STEPS = ("sgd", "momentum", "adam", "adamw")
"""Optimisers by name: plain gradient steps, momentum 0.9, Adam, and Adam with decoupled weight decay 0.01."""


@dataclass(frozen=True)
class FunctorCheck:
    """Whether layer-wise training is end-to-end training.

    Attributes
    ----------
    differences : dict, for each parameter and buffer the largest difference after any step, in units of max(1, |value|)
    gradient_gap : float
        Largest difference of the gradients of the first step, in units of max(1, largest gradient).
    rounding : float
        How far end-to-end training gets from itself when its gradients are off by rounding. Above the tolerance where the
        optimiser magnifies it, as Adam does where a gradient is 0 but for rounding (a bias before a batch norm).
    holds : bool
        Whether no difference is above the tolerance; or gradients, and steps given equal gradients, agree within it and
        ``rounding`` explains the rest (no difference above ten times that).
    reasons : tuple of str
        Why they differ, in sentences; empty where ``holds``.
    steps : int
    tolerance : float
    """

    differences: Mapping[str, float] = field(repr=False)
    gradient_gap: float
    rounding: float
    holds: bool
    reasons: tuple[str, ...]
    steps: int
    tolerance: float

    @property
    def worst(self) -> tuple[str, float]:
        """The parameter or buffer that differs most, and by how much."""
        name = max(self.differences, key=lambda n: self.differences[n])
        return name, self.differences[name]

    def __repr__(self) -> str:
        name, difference = self.worst
        verdict = "equal" if self.holds else "NOT equal"
        if self.holds and difference > self.tolerance:
            verdict = "equal but for rounding that the optimiser magnifies"
        head = f"FunctorCheck({verdict} over {self.steps} steps: {name} differs by {difference:.2g}"
        return "; ".join((head, *self.reasons)) + ")"


def functor_check(
    model: Module,
    step: str | Callable[[list[Parameter]], Optimizer],
    split: Split,
    inputs: Tensor,
    targets: Tensor,
    *,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    steps: int = 3,
    learning_rate: float = 0.01,
    clip_norm: float | None = None,
    micro_batch: int | None = None,
    recompute: bool = False,
    tolerance: float = 1e-12,
    seed: int = 0,
) -> FunctorCheck:
    """Train a network end to end and as a composite of learners, and compare every parameter after every step.

    Each part is a learner (P, I, U, r): it sees its input, and what the next part asks its output to be; it takes a step
    towards that request with its own squared error and its own optimiser, and passes a request on. No gradient crosses a
    cut. That the outcome is the same says that backpropagation is a functor for this network and this optimiser.

    Parameters
    ----------
    model : Module
        In the mode it is to be trained in. It is not changed: all is worked out on copies, on the CPU, in float64.
    step : "sgd", "momentum", "adam", "adamw", or a callable
        A callable gets a list of parameters and returns a torch optimiser whose ``step`` needs no closure.
    split : int, ints or modules
        Where a ``Sequential`` is cut; for any other module its parts, ``(model.first, model.second)``, which must give the
        model's output when run one after the other.
    inputs, targets : tensors with n rows each
        One batch, used at every step. Floating-point numbers become float64.
    loss : callable (output, targets) -> scalar tensor, optional
        Default: half the sum of squared errors.
    steps : int, at least 1
    learning_rate : float
        Of the named steps.
    clip_norm : float, optional
        Gradients are clipped to this norm: the whole network's end to end, each part's own in the composite.
    micro_batch : int, optional
        Rows that the composite handles at a time, gradients added up (a pipeline); default: all.
    recompute : bool
        Whether parts keep no activations and run again when the request comes.
    tolerance : float
    seed : int
        Of dropout and the like; the draws of both ways begin at the same place in each step.

    Returns
    -------
    FunctorCheck

    Raises
    ------
    InputError
        A split that doesn't fit, an option out of range, a loss that is no finite number.
    MissingDependencyError
        Without torch.

    Notes
    -----
    Fong, Spivak and Tuyeras, Backprop as functor: with f_a(z) = a - z, the inverse of the squared error's derivative, the
    request a - grad_a carries the whole gradient. Equal for every optimiser that treats each parameter by itself. Cost:
    about six passes over the batch a step, and five copies of the network.
    """
    need("torch", "torch", "Checking a torch network")
    import torch

    from presheaf.pretext.functor_parts import Probe, twin
    from presheaf.pretext.functor_runs import Way, compare

    _check(steps, learning_rate, clip_norm, micro_batch, len(inputs), len(targets))
    make = _optimiser(step, learning_rate)
    way = Way(make, loss or _squared_error, clip_norm, micro_batch or len(inputs), recompute)
    x, y = (t.detach().cpu().double() if t.is_floating_point() else t.detach().cpu() for t in (inputs, targets))
    base = copy.deepcopy(model).cpu().double()
    placed = twin(model, split, base)
    with torch.random.fork_rng(devices=[]):
        probe = Probe(base, placed, x, way.micro_batch, seed)
        seen = compare(base, placed, way, x, y, steps, seed)
    holds = _holds(seen, tolerance)
    reasons = () if holds else _reasons(seen, probe, way, len(inputs), tolerance)
    return FunctorCheck(seen.differences, seen.gradient_gap, seen.rounding, holds, reasons, steps, tolerance)


def _holds(seen: Seen, tolerance: float) -> bool:
    worst = max(seen.differences.values())
    alike = seen.gradient_gap <= tolerance and seen.step_gap <= tolerance and not seen.leaked
    return worst <= tolerance or (alike and worst <= 10 * seen.rounding)


def _reasons(seen: Seen, probe: Probe, way: Way, rows: int, tolerance: float) -> tuple[str, ...]:
    """The causes that were found at work, in sentences."""
    found = [
        f"{first} and {second} are one weight on both sides of a cut: end to end it gets the sum of both gradients, in parts "
        "each copy gets its own"
        for first, second in probe.tied
    ]
    if seen.leaked:
        found.append(
            "a later part reaches an earlier part's parameters past the cut, by a gradient that no request carries"
        )
    if seen.step_gap > tolerance and seen.clipped:
        found.append(
            "gradients were clipped to a global norm, which needs the norm of all parts; each part only knows its own"
        )
    elif seen.step_gap > tolerance:
        found.append("given equal gradients the optimiser still steps differently: it looks at several parts at once")
    for part, (mixes, draws, apart) in enumerate(zip(probe.mixes, probe.draws, probe.apart, strict=True), 1):
        if apart and mixes:
            found.append(
                f"part {part} uses batch statistics, and in parts it sees {way.micro_batch} rows at a time instead of {rows}"
            )
        if draws and way.recompute:
            found.append(f"part {part} draws random numbers (dropout) and runs again for its update: other draws")
        elif draws and apart and not mixes:
            found.append(f"part {part} draws random numbers (dropout) for a piece of the batch at a time: other draws")
    if way.recompute and any(seen.differences.get(name, 0) > tolerance for name in seen.buffers):
        found.append("running statistics are counted twice, because parts run again for their update")
    return tuple(found) or (
        "the gradients differ, and not for a cause this check knows (an output that is not repeatable?)",
    )


def _optimiser(
    step: str | Callable[[list[Parameter]], Optimizer], rate: float
) -> Callable[[list[Parameter]], Optimizer]:
    if not isinstance(step, str):
        return step
    one_of("step", step, STEPS)

    def make(parameters: list[Parameter]) -> Optimizer:
        from torch.optim import SGD, Adam, AdamW

        if step == "adam":
            return Adam(parameters, lr=rate)
        if step == "adamw":
            return AdamW(parameters, lr=rate, weight_decay=0.01)
        return SGD(parameters, lr=rate, momentum=0.9 if step == "momentum" else 0.0)

    return make


def _squared_error(output: Tensor, targets: Tensor) -> Any:
    return ((output - targets) ** 2).sum() / 2


def _check(steps: int, rate: float, clip_norm: float | None, micro_batch: int | None, rows: int, targets: int) -> None:
    if rows < 1 or rows != targets:
        raise InputError(f"inputs and targets must have equally many rows, at least one; got {rows} and {targets}.")
    if steps < 1 or not rate > 0:
        raise InputError(f"a check needs at least 1 step and a learning rate > 0; got {steps!r} and {rate!r}.")
    if clip_norm is not None and not clip_norm > 0:
        raise InputError(f"clip_norm must be > 0, or None for no clipping; got {clip_norm!r}.")
    if micro_batch is not None and not 1 <= micro_batch <= rows:
        raise InputError(f"micro_batch must lie in 1..{rows}, the rows of the batch; got {micro_batch!r}.")
