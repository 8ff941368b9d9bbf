"""A network cut into learners (P, I, U, r), each of which only ever sees its own input and what the next one asks for."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import Module, Parameter, Sequential

from presheaf.errors import InputError

Split = int | Sequence[int] | Sequence[Module]


class Learner:
    """One part of a network as a learner: parameters P of its own, I, U and r.

    Parameters
    ----------
    module : Module
        The part. It is called with this learner's own copy of its parameters, so weights that two parts share are two
        copies here, as in the product P x Q of the composite's parameters.
    names : dict
        For each parameter's name within the part its name in the whole network.

    Notes
    -----
    With the error err(x, y) = |x - y|^2 / 2 and f_b(z) = b - z, the inverse of its derivative in x: what part I: A -> B is asked
    for is b* = f_b(grad_b E); its update follows the gradient of err(I(p, a), b*) in p, and it asks for
    r = f_a(grad_a err(I(p, a), b*)) (Fong, Spivak and Tuyeras, Backprop as functor).
    """

    def __init__(self, module: Module, names: dict[str, str]) -> None:
        self.module, self.names = module, names
        self.parameters: dict[str, Parameter] = {
            name: Parameter(p.detach().clone(), requires_grad=p.requires_grad) for name, p in module.named_parameters()
        }
        self.leaves: list[Tensor] = []
        self.outputs: list[Tensor] = []

    @property
    def trained(self) -> list[Parameter]:
        """The parameters that learn."""
        return [p for p in self.parameters.values() if p.requires_grad]

    def implement(self, pieces: Sequence[Tensor]) -> list[Tensor]:
        """I(p, a) for each piece of the batch; what is handed on carries no gradient."""
        self.leaves = [a.detach().requires_grad_(a.is_floating_point()) for a in pieces]
        self.outputs = [self._run(leaf) for leaf in self.leaves]
        return [b.detach() for b in self.outputs]

    def learn(self, asked: Sequence[Tensor], recompute: bool, others: Sequence[Parameter]) -> tuple[list[Tensor], bool]:
        """Gradients of U into the parameters' ``grad``; the request r, and whether another part's parameters were reached.

        Parameters
        ----------
        asked : the request b* for each piece
        recompute : whether the part runs again, as one that keeps no activations does
        others : parameters of the other parts; a gradient that reaches them went past the cut
        """
        requests: list[Tensor] = []
        leaked = False
        for parameter in self.trained:
            parameter.grad = None
        for leaf, kept, wanted in zip(self.leaves, self.outputs, asked, strict=True):
            output = self._run(leaf) if recompute else kept
            error = ((output - wanted) ** 2).sum() / 2
            inputs = [leaf] if leaf.requires_grad else []
            known = [*self.trained, *inputs, *others]
            if not error.requires_grad or not known:
                requests.append(leaf.detach())
                continue
            # The graph is kept, because another part may hang on it.
            found = torch.autograd.grad(error, known, allow_unused=True, retain_graph=True)
            for parameter, gradient in zip(self.trained, found, strict=False):
                if gradient is not None:
                    parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
            back = found[len(self.trained)] if inputs else None
            requests.append(leaf.detach() if back is None else leaf.detach() - back)
            leaked |= any(g is not None for g in found[len(self.trained) + len(inputs) :])
        return requests, leaked

    def _run(self, leaf: Tensor) -> Tensor:
        output = functional_call(self.module, dict(self.parameters), (leaf,))
        if not isinstance(output, Tensor):
            raise InputError(
                f"one tensor must cross each cut, and come out at the end; got {type(output).__name__}. Cut elsewhere."
            )
        return output


def cut(model: Module, split: Split) -> list[Learner]:
    """The parts of a network in order, as learners on the modules of the network itself.

    Parameters
    ----------
    model : Module
    split : int or ints, where a Sequential is cut (1 <= position < length, ascending); or the parts as modules of the model

    Raises
    ------
    InputError
        If the split doesn't fit, or leaves out a parameter.
    """
    title = {id(module): name for name, module in model.named_modules()}
    groups = _groups(model, split, title)
    parts = [Learner(Sequential(*(m for _, m in group)), {}) for group in groups]
    for part, group in zip(parts, groups, strict=True):
        for name in part.parameters:
            place, _, rest = name.partition(".")
            part.names[name] = f"{group[int(place)][0]}.{rest}"
    held = {id(p) for part in parts for p in part.module.parameters()}
    missed = [name for name, p in model.named_parameters() if id(p) not in held]
    if missed:
        raise InputError(f"every parameter must lie in a part of the split; {missed[0]!r} lies in none.")
    return parts


def _groups(model: Module, split: Split, title: dict[int, str]) -> list[list[tuple[str, Module]]]:
    if not isinstance(split, int) and split and all(isinstance(part, Module) for part in split):
        return [[(title[id(part)], part)] for part in split if isinstance(part, Module)]
    if not isinstance(model, Sequential):
        raise InputError(
            f"a {type(model).__name__} is cut by naming its parts: split=(model.first, model.second); got {split!r}."
        )
    places = [split] if isinstance(split, int) else list(split)
    children = list(model._modules.items())
    ends = [0, *places, len(children)]
    if not places or not all(isinstance(p, int) for p in places) or any(a >= b for a, b in pairwise(ends)):
        raise InputError(
            f"split must be one or more ascending positions from 1 to {len(children) - 1} in this Sequential; got {split!r}."
        )
    return [children[a:b] for a, b in pairwise(ends)]


class Probe:
    """What each part does that a composite of learners may not carry. Runs on copies; the model is not changed.

    Attributes
    ----------
    mixes : list of bool
        Whether a row's output depends on the other rows of the batch (batch statistics).
    draws : list of bool
        Whether the part draws random numbers (dropout).
    apart : list of bool
        Whether pieces of the batch, run with the same draws to begin with, give another output than the whole batch.
    tied : list of (name, name)
        The same parameter in two parts.

    Raises
    ------
    InputError
        If the parts, one after the other, don't give what the model gives.
    """

    def __init__(self, model: Module, split: Split, inputs: Tensor, micro_batch: int, seed: int) -> None:
        trial = copy.deepcopy(model)
        learners = cut(trial, twin(model, split, trial))
        torch.manual_seed(seed)
        with torch.no_grad():
            whole = copy.deepcopy(model)(inputs)
        self.mixes: list[bool] = []
        self.draws: list[bool] = []
        self.apart: list[bool] = []
        torch.manual_seed(seed)
        at = inputs
        for learner in learners:
            state = torch.get_rng_state()
            (alone,) = learner.implement([at[:1].expand_as(at)])
            torch.set_rng_state(state)
            pieces = torch.cat(learner.implement(at.split(micro_batch)))
            # The whole batch last, so that what it leaves behind is what a later part finds.
            torch.set_rng_state(state)
            (out,) = learner.implement([at])
            self.draws.append(not torch.equal(state, torch.get_rng_state()))
            self.mixes.append(not _same(alone[0], out[0]))
            self.apart.append(not _same(pieces, out))
            at = out
        if at.shape != whole.shape or not _same(at, whole):
            raise InputError(
                "the parts of the split, run one after the other, must give what the model gives; they don't."
            )
        self.tied = _tied(learners)


def _same(first: Tensor, second: Tensor) -> bool:
    return bool(torch.allclose(first, second, rtol=1e-9, atol=1e-9, equal_nan=True))


def _tied(learners: Sequence[Learner]) -> list[tuple[str, str]]:
    first: dict[int, tuple[int, str]] = {}
    found = []
    for number, learner in enumerate(learners):
        for name, parameter in learner.module.named_parameters():
            here = learner.names[name]
            number_before, before = first.setdefault(id(parameter), (number, here))
            if number_before != number and parameter.requires_grad:
                found.append((before, here))
    return found


def twin(module: Module, split: Split, copied: Module) -> Split:
    """The same split on a copy of the module; InputError if it names modules that are not the module's own."""
    if isinstance(split, int) or not split or not all(isinstance(part, Module) for part in split):
        return split
    title: dict[int, str] = {id(m): name for name, m in module.named_modules()}
    if len(split) < 2 or any(id(part) not in title for part in split):
        raise InputError("split must list at least two modules of the model itself, in the order they are run.")
    there: dict[str, Any] = dict(copied.named_modules())
    return [there[title[id(part)]] for part in split]
