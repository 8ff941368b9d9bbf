"""What a training step is made of: its rows, its draws, its optimiser. All are functions of the seed and the step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import Module
from torch.optim import SGD, AdamW, Optimizer

from presheaf.errors import InputError
from presheaf.pretext.plan import Plan


class Rows:
    """Which objects a step sees: every epoch a new order of all, cut into whole batches; a rest waits for another epoch.

    Parameters
    ----------
    objects, batch_size, seed : int

    Raises
    ------
    InputError
        Fewer than two objects, or a batch larger than the data.
    """

    def __init__(self, objects: int, batch_size: int, seed: int) -> None:
        if objects < 2:
            raise InputError(f"Training needs at least 2 objects; there {'is 1' if objects == 1 else 'are none'}.")
        if batch_size > objects:
            raise InputError(
                f"A batch of {batch_size:,} is larger than the data, {objects:,} objects. Set batch_size to at most {objects:,}."
            )
        self._objects, self._batch, self._seed = objects, batch_size, seed
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def of_step(self, step: int) -> NDArray[np.int64]:
        """Rows of a step, counted from 0, shape (batch_size,). Cost: a permutation where an epoch begins."""
        epoch, batch = divmod(step, self._objects // self._batch)
        if epoch != self._epoch:
            self._order = np.random.default_rng([self._seed, epoch]).permutation(self._objects)
            self._epoch = epoch
        return self._order[batch * self._batch : (batch + 1) * self._batch]


@contextmanager
def draws(*seed: int) -> Iterator[None]:
    """Seed torch's global generators, of the CPU and of the GPUs, from whole numbers; their states are restored."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices):
        state = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
        torch.manual_seed(int(state >> np.uint64(1)))
        yield


def new_optimizer(network: Module, plan: Plan) -> Optimizer:
    """The plan's optimiser on what is trainable; weight decay on matrices and filters only.

    Raises
    ------
    InputError
        Nothing in the network is trainable.
    """
    trainable = [weight for weight in network.parameters() if weight.requires_grad]
    if not trainable:
        raise InputError("The network has no parameter to train.")
    groups = [
        {"params": [weight for weight in trainable if weight.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [weight for weight in trainable if weight.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if plan.optimizer == "sgd":
        return SGD(groups, lr=plan.learning_rate, momentum=plan.momentum)
    return AdamW(groups, lr=plan.learning_rate)


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """The learning rate of the next step."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def optimizer_state(optimizer: Optimizer) -> dict[int, dict[str, torch.Tensor]]:
    """The optimiser's tensors by number of the parameter; momentum that doesn't exist yet is left out."""
    state = optimizer.state_dict()["state"]
    return {
        int(index): {name: value for name, value in values.items() if isinstance(value, torch.Tensor)}
        for index, values in state.items()
    }
