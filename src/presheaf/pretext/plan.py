"""How long is trained, and how: the part of a run that is neither task nor data."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import cos, isfinite, pi
from typing import Any

from presheaf.errors import InputError, one_of

OPTIMIZERS = ("adamw", "sgd")
FREE = ("steps", "checkpoint_every", "keep")
"""What may differ when a run is resumed."""


@dataclass(frozen=True)
class Plan:
    """How long is trained, and how.

    Attributes
    ----------
    steps : int
        Optimiser steps in all.
    batch_size : int
        Objects a step.
    learning_rate : float
        The largest; see `rate`.
    weight_decay : float
        Decoupled for "adamw", added to the gradient for "sgd"; on matrices and filters, not on biases and norms.
    optimizer : "adamw" (Loshchilov and Hutter 2019) or "sgd" with momentum
    momentum : float
        Of "sgd".
    warmup : int
        Steps over which the learning rate rises along a line.
    seed : int
        Of the weights, the order of rows and all draws.
    checkpoint_every : int
        Steps between two checkpoints; the first (step 0) and the last step always have one.
    keep : int or None
        Newest checkpoints to keep beside the one of step 0; None keeps all.

    Raises
    ------
    InputError
        A value out of its range.
    """

    steps: int = 300
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    optimizer: str = "adamw"
    momentum: float = 0.9
    warmup: int = 10
    seed: int = 0
    checkpoint_every: int = 50
    keep: int | None = None

    def __post_init__(self) -> None:
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        for name, least in (("steps", 0), ("batch_size", 1), ("warmup", 0), ("seed", 0), ("checkpoint_every", 1)):
            _whole(name, getattr(self, name), least)
        if self.keep is not None:
            _whole("keep", self.keep, 1)
        if not (isfinite(self.learning_rate) and self.learning_rate > 0):
            raise InputError(f"'learning_rate' must be above 0; got {self.learning_rate!r}.")
        if not (isfinite(self.weight_decay) and self.weight_decay >= 0 and 0 <= self.momentum < 1):
            raise InputError(
                f"'weight_decay' must be at least 0 and 'momentum' in [0, 1); got {self.weight_decay!r}, {self.momentum!r}."
            )

    def rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0: up along a line over `warmup` steps, then down along a cosine to 0.

        It equals torch's LinearLR(start_factor=1 / (warmup + 1), total_iters=warmup) followed by CosineAnnealingLR
        (Loshchilov and Hutter 2017, without restarts). A function of the step alone, so a resumed run finds it again; where a
        run is resumed with more steps, the rest follows the longer curve.
        """
        if step < self.warmup:
            return self.learning_rate * (step + 1) / (self.warmup + 1)
        return self.learning_rate * (1 + cos(pi * (step - self.warmup) / max(1, self.steps - self.warmup))) / 2

    def differences(self, other: Plan) -> list[str]:
        """What `other` has otherwise and may not have when it goes on from a run of this plan, one sentence part each."""
        named = [field.name for field in fields(self) if field.name not in FREE]
        pairs = [(name, getattr(self, name), getattr(other, name)) for name in named]
        return [f"{name} was {mine!r} and is {theirs!r}" for name, mine, theirs in pairs if mine != theirs]


def _whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{name!r} must be a whole number, at least {least}; got {value!r}.")
