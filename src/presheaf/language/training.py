"""One small training loop: AdamW, early stopping on rows kept apart, a budget, checkpoints, and Ctrl-C that keeps the
best so far."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError
from presheaf.models.optional import need

Stopped = Literal["steps", "seconds", "no longer better", "interrupted"]
OnStep = Callable[[int, int], object]
CHECKPOINT = "training.safetensors"
POOL = 16
"""Batches whose rows are sorted by length together."""


@dataclass(frozen=True)
class Budget:
    """How long is trained, and how.

    Attributes
    ----------
    steps : int
        Most steps. The learning rate rises over the first tenth and then falls to 0 along a line.
    seconds : float or None
        Most wall time of this call; the step that is running is finished.
    batch : int
        Rows a step.
    check : int
        Steps between two looks at the rows kept apart.
    patience : int
        Looks without a better one after which training ends.
    rate : float
        Largest learning rate of AdamW.
    """

    steps: int = 120
    seconds: float | None = None
    batch: int = 8
    check: int = 10
    patience: int = 4
    rate: float = 1e-3

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "check", "patience"):
            if getattr(self, name) < 1:
                raise InputError(f"{name!r} must be at least 1; got {getattr(self, name)}.")
        if self.rate <= 0 or (self.seconds is not None and self.seconds <= 0):
            raise InputError(f"'rate' and 'seconds' must be above 0; got {self.rate} and {self.seconds}.")


@dataclass(frozen=True)
class Trained:
    """How training went.

    Attributes
    ----------
    steps : int
        Steps made, those before a resumed checkpoint counted.
    best_step : int
        The step whose parameters were kept: the lowest loss on the rows kept apart. 0: nothing beat the start.
    history : tuple of (step, loss on the rows kept apart in nats)
    stopped : "steps", "seconds", "no longer better" or "interrupted"
    seconds : float
        Of this call.
    """

    steps: int
    best_step: int
    history: tuple[tuple[int, float], ...]
    stopped: Stopped
    seconds: float

    @property
    def loss(self) -> float:
        """Lowest loss on the rows kept apart; infinite when training was stopped before the first look."""
        return min((loss for _, loss in self.history), default=float("inf"))


@dataclass
class _State:
    step: int = 0
    best: float = float("inf")
    best_step: int = 0
    history: list[tuple[int, float]] = field(default_factory=list)


def batch_rows(
    rows: int, batch: int, step: int, seed: int, lengths: NDArray[np.integer[Any]] | None = None
) -> NDArray[np.int64]:
    """Positions of a step's rows: a row at most once an epoch, the order drawn anew; a function of the arguments alone.

    With ``lengths``, rows of about equal length share a batch, so that little is padded: every 16 batches of the drawn
    order are sorted by it, and the batches are shuffled again.
    """
    batch = min(batch, rows)
    per_epoch = rows // batch
    rng = np.random.default_rng([seed, step // per_epoch])
    order = rng.permutation(rows)[: per_epoch * batch]
    if lengths is not None:
        pools = [order[i : i + POOL * batch] for i in range(0, len(order), POOL * batch)]
        alike = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
        order = rng.permutation(alike.reshape(per_epoch, batch)).ravel()
    start = step % per_epoch * batch
    return order[start : start + batch]


class Trainer:
    """Trains some tensors in place.

    Parameters
    ----------
    parameters : mapping of name to tensor that takes gradients
    loss : callable from positions of rows (int array) to a scalar tensor
    check : callable that gives the loss on the rows kept apart, in nats
    rows : int
        Number of rows `loss` can be asked for.
    lengths : int array of shape (rows,), optional
        Tokens of each row; rows of about equal length share a batch.
    folder : path or None
        Where a checkpoint is kept after every look; a run that was stopped goes on from it and ends as if it had not been.
    label : str
        What the checkpoint belongs to; another one is refused.
    """

    def __init__(
        self,
        parameters: Mapping[str, Any],
        loss: Callable[[NDArray[Any]], Any],
        check: Callable[[], float],
        rows: int,
        budget: Budget,
        *,
        lengths: NDArray[np.integer[Any]] | None = None,
        seed: int = 0,
        folder: str | Path | None = None,
        label: str = "",
        progress: OnStep | None = None,
    ) -> None:
        self._parameters = dict(parameters)
        self._loss, self._check, self._rows, self._lengths = loss, check, rows, lengths
        self._budget, self._seed, self._progress = budget, seed, progress
        self._path = None if folder is None else Path(folder) / CHECKPOINT
        settings = asdict(budget) | {"seconds": None, "seed": seed, "rows": rows, "label": label}
        self._settings = json.dumps(settings, sort_keys=True)
        self._optimizer = torch.optim.AdamW(self._parameters.values(), lr=budget.rate, weight_decay=0.0)
        self._state = _State()
        self._kept = self._copy()

    def run(self) -> Trained:
        """Train; the parameters end as they were when the rows kept apart were predicted best.

        Ctrl-C ends the training, not the program: the best parameters so far are put in place.
        """
        start = time.monotonic()
        try:
            self._resume()
            stopped = self._steps(start)
        except KeyboardInterrupt:
            stopped = "interrupted"
        with torch.no_grad():
            for name, tensor in self._parameters.items():
                tensor.copy_(self._kept[name])
        state = self._state
        return Trained(state.step, state.best_step, tuple(state.history), stopped, time.monotonic() - start)

    def _steps(self, start: float) -> Stopped:
        budget, state = self._budget, self._state
        if not state.history:
            self._look()
        while state.step < budget.steps:
            looks = state.step // budget.check
            if looks - state.best_step // budget.check >= budget.patience and state.step % budget.check == 0:
                return "no longer better"
            if budget.seconds is not None and time.monotonic() - start > budget.seconds:
                if state.history[-1][0] < state.step:
                    self._look()
                return "seconds"
            self._one()
            if state.step % budget.check == 0 or state.step == budget.steps:
                self._look()
                self._save()
            if self._progress is not None:
                self._progress(state.step, budget.steps)
        return "steps"

    def _one(self) -> None:
        budget, step = self._budget, self._state.step
        warm = max(1, budget.steps // 10)
        factor = min((step + 1) / warm, (budget.steps - step) / max(1, budget.steps - warm))
        for group in self._optimizer.param_groups:
            group["lr"] = budget.rate * factor
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._loss(batch_rows(self._rows, budget.batch, step, self._seed, self._lengths))
        if not torch.isfinite(loss):
            raise ModelError(f"The training loss is {loss.item()} at step {step + 1}; lower 'rate' ({budget.rate:g}).")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), 1.0)
        self._optimizer.step()
        self._state.step += 1

    def _look(self) -> None:
        state, loss = self._state, self._check()
        state.history.append((state.step, loss))
        if loss < state.best:
            state.best, state.best_step = loss, state.step
            self._kept = self._copy()

    def _copy(self) -> dict[str, Any]:
        return {name: tensor.detach().clone() for name, tensor in self._parameters.items()}

    def _save(self) -> None:
        if self._path is None:
            return
        torch_files = need("safetensors.torch", "torch", "Keeping a checkpoint")
        tensors = {f"now.{name}": tensor.detach().contiguous() for name, tensor in self._parameters.items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self._kept.items()}
        for name, tensor in self._parameters.items():
            for key, value in self._optimizer.state[tensor].items():
                tensors[f"{key}.{name}"] = value
        facts = {"settings": self._settings, "state": json.dumps(asdict(self._state))}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(f".{os.getpid()}.part")
        try:
            torch_files.save_file(tensors, part, metadata=facts)
            os.replace(part, self._path)
        finally:
            part.unlink(missing_ok=True)

    def _resume(self) -> None:
        if self._path is None or not self._path.is_file():
            return
        safetensors = need("safetensors", "torch", "Reading a checkpoint")
        try:
            with safetensors.safe_open(self._path, framework="pt") as stream:
                facts = stream.metadata() or {}
                tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        except (OSError, safetensors.SafetensorError) as error:
            raise ModelError(
                f"The checkpoint {str(self._path)!r} is damaged ({error}); delete it to start anew."
            ) from error
        if facts.get("settings") != self._settings:
            raise InputError(
                f"The checkpoint {str(self._path)!r} belongs to a training with other rows or settings; give another "
                "folder, or delete it to start anew."
            )
        state = _State(**json.loads(facts["state"]))
        state.history = [(int(step), float(loss)) for step, loss in state.history]
        self._state = state
        with torch.no_grad():
            for name, tensor in self._parameters.items():
                tensor.copy_(tensors[f"now.{name}"])
                self._kept[name] = tensors[f"best.{name}"].to(tensor.device)
                keys = ("step", "exp_avg", "exp_avg_sq")
                self._optimizer.state[tensor] = {key: tensors[f"{key}.{name}"].to(tensor.device) for key in keys}
                self._optimizer.state[tensor]["step"] = self._optimizer.state[tensor]["step"].cpu()
