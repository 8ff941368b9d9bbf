"""The trainer: any pre-training task on any data, in a folder that a stopped run goes on from, bit for bit on a CPU."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import Module

from presheaf.errors import InputError, ModelError
from presheaf.models.torch_tools import pick_device
from presheaf.pretext.base import Data, Pretext, len_of
from presheaf.pretext.checkpoint import (
    Checkpoint,
    State,
    checkpoints,
    load_weights,
    newest_good,
    prune,
    read_checkpoint,
    write_checkpoint,
)
from presheaf.pretext.plan import Plan
from presheaf.pretext.registry import pretext
from presheaf.pretext.run_folder import alone, opened, read_run
from presheaf.pretext.steps import Rows, draws, new_optimizer, optimizer_state, set_rate
from presheaf.pretext.stopping import Stopping

__all__ = ["Checkpoint", "Plan", "Run", "load_run", "train"]

Progress = Callable[[int, int, float, float], object]
OnCheckpoint = Callable[[int, Module, float], object]


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run.

    Attributes
    ----------
    folder : Path
    task : Pretext
    plan : Plan
    losses : float64 array of shape (steps,)
        The loss of every step, those before a resumption counted.
    checkpoints : tuple of Checkpoint
        By step; the first is the random initialisation.
    network : Module
        In evaluation mode, on the device of the run.
    notes : tuple of str
        What a reader should know: damaged checkpoints passed over, another version of torch than before.
    """

    folder: Path
    task: Pretext
    plan: Plan
    losses: NDArray[np.float64] = field(repr=False)
    checkpoints: tuple[Checkpoint, ...] = field(repr=False)
    network: Module = field(repr=False)
    notes: tuple[str, ...] = ()


def train(
    task: Pretext,
    data: Data,
    folder: str | Path,
    plan: Plan | None = None,
    progress: Progress | None = None,
    on_checkpoint: OnCheckpoint | None = None,
    *,
    replay: bool = False,
    device: str | None = None,
) -> Run:
    """Train a network for a task, or go on where the run in ``folder`` stopped.

    Parameters
    ----------
    task : Pretext
    data : Data
    folder : str or Path
        Made where it isn't there. Holds ``run.json`` and the checkpoints.
    plan : Plan
    progress : callable, optional
        ``progress(step, steps, loss, seconds left)`` after each step.
    on_checkpoint : callable, optional
        ``on_checkpoint(step, network, loss)`` after a checkpoint is written, that of step 0 (the random initialisation) too;
        the network is in evaluation mode, the loss the mean since the checkpoint before (nan at step 0). What it draws
        doesn't change the run.
    replay : bool
        Whether a resumed run calls ``on_checkpoint`` for the checkpoints that are there already, too.
    device : str, optional
        By default the GPU where there is one.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        Data of another media, too few objects; the folder is in use, or holds a run of another task, other data or another
        plan (steps, the distance of checkpoints and how many are kept may change).
    ModelError
        The loss or a weight is no longer a number; the last good checkpoint is kept.
    KeyboardInterrupt
        Ctrl-C: the step is finished and a checkpoint written first. A second Ctrl-C doesn't wait.

    Notes
    -----
    Rows of epoch e are a permutation by numpy's generator of (seed, e), cut into whole batches; what step s draws comes from
    torch's generator seeded by (seed, s). So a step depends on the state before it and on nothing else, and a run that was
    killed ends with the same weights as one that was not, bit for bit, on a CPU of the same kind with the same torch, whose
    deterministic algorithms and recorded number of threads are set for the run; on a GPU up to what its kernels repeat.
    """
    plan = plan or Plan()
    rows = check_data(task, data, plan)
    folder = Path(folder)
    where = pick_device(device)
    with alone(folder):
        record, notes = opened(folder, task, data, plan)
        with _reproducible(record["threads"], where):
            trainer = _Trainer(task, data, folder, plan, rows, where, on_checkpoint)
            notes += trainer.begin(replay)
            for note in notes:
                warnings.warn(note, stacklevel=2)
            with Stopping() as stopping:
                trainer.run(stopping, progress)
    network = trainer.network.eval()
    return Run(folder, task, plan, np.array(trainer.losses), checkpoints(folder), network, tuple(notes))


_MANY = {"image": "images", "text": "texts", "node": "nodes of a graph", "pair": "pairs"}


def check_data(task: Pretext, data: Data, plan: Plan) -> Rows:
    """The rows of every step; raise InputError where the data are of another kind than the task takes, or too few."""
    if task.media != data.media:
        raise InputError(f"The task {task.name!r} is for {_MANY[task.media]}; {data.name!r} holds {_MANY[data.media]}.")
    return Rows(len_of(data.train), plan.batch_size, plan.seed)


def load_run(folder: str | Path, step: int | None = None, data: Data | None = None) -> tuple[Pretext, Module]:
    """Look back at a run: its task, and the network as it was at a checkpoint.

    Parameters
    ----------
    folder : str or Path
    step : int, optional
        By default that of the newest good checkpoint.
    data : Data, optional
        What the run was trained on; by default loaded again by its name.

    Returns
    -------
    (Pretext, Module)
        The network on the CPU, in evaluation mode.

    Raises
    ------
    InputError
        The folder holds no run, no checkpoint of that step, or the data aren't those of the run.
    ModelError
        The checkpoint is damaged.
    """
    folder = Path(folder)
    record = read_run(folder)
    if record is None:
        raise InputError(f"The folder {str(folder)!r} holds no training run (no run.json).")
    task = pretext(record["task"]["name"], **record["task"]["options"])
    if data is None:
        from presheaf.pretext.data import load_data

        data = load_data(record["data"]["name"])
    if data.digest != record["data"]["digest"]:
        raise InputError(f"The run was trained on {record['data']['name']!r}; {data.name!r} holds other objects.")
    if step is None:
        _, state, _ = newest_good(folder)
    else:
        found = [one for one in checkpoints(folder) if one.step == step]
        state = read_checkpoint(found[0]) if found else None
    if state is None:
        there = ", ".join(str(one.step) for one in checkpoints(folder)) or "none"
        raise InputError(f"There is no good checkpoint of step {step} in {str(folder)!r}; steps there: {there}.")
    with draws(0):
        network = task.network(data)
    load_weights(network, state, folder)
    return task, network.eval()


class _Trainer:
    """The state of a run and what moves it."""

    def __init__(
        self,
        task: Pretext,
        data: Data,
        folder: Path,
        plan: Plan,
        rows: Rows,
        device: torch.device,
        on_checkpoint: OnCheckpoint | None,
    ) -> None:
        self.task, self.data, self.folder, self.plan = task, data, folder, plan
        self.rows, self.device, self.on_checkpoint = rows, device, on_checkpoint
        with draws(plan.seed, 0):
            self.network = task.network(data).to(device)
        self.optimizer = new_optimizer(self.network, plan)
        self.losses: list[float] = []
        self.saved: int | None = None

    def begin(self, replay: bool) -> list[str]:
        """Go on from the newest good checkpoint, or write that of step 0; what was passed over."""
        newest, state, passed = newest_good(self.folder)
        if newest is None or state is None:
            self.checkpoint()
            return passed
        if newest.step > self.plan.steps:
            raise InputError(
                f"The run in {str(self.folder)!r} has made {newest.step:,} steps; it can go on to more, not back to "
                f"{self.plan.steps:,}. Use load_run(folder, step) to look back, or choose another folder."
            )
        if replay and self.on_checkpoint is not None:
            for earlier in checkpoints(self.folder):
                if earlier.step <= newest.step:
                    passed += self._replayed(earlier)
        self._load(state)
        self.saved = newest.step
        return passed

    def _replayed(self, earlier: Checkpoint) -> list[str]:
        """Tell the observer of a checkpoint; what was wrong with it."""
        try:
            self._load(read_checkpoint(earlier))
        except ModelError as error:
            return [str(error)]
        self._tell(earlier.step)
        return []

    def run(self, stopping: Stopping, progress: Progress | None) -> None:
        plan, began, first = self.plan, time.monotonic(), len(self.losses)
        for step in range(first, plan.steps):
            self.step(step)
            done = step + 1
            if stopping.asked:
                self.checkpoint(tell=False)
                raise KeyboardInterrupt
            if progress is not None:
                left = (time.monotonic() - began) / (done - first) * (plan.steps - done)
                progress(done, plan.steps, self.losses[-1], left)
            if done % plan.checkpoint_every == 0 or done == plan.steps:
                self.checkpoint()

    def step(self, step: int) -> None:
        """One optimiser step, counted from 0."""
        self.network.train()
        with draws(self.plan.seed, step + 1):
            rows = torch.from_numpy(self.rows.of_step(step)).to(self.device)
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.task.loss(self.network, self.data, rows)
            value = float(loss.detach())
            if not np.isfinite(value):
                raise self._broken(step, f"The loss is {value}")
            loss.backward()
            set_rate(self.optimizer, self.plan.rate(step))
            self.optimizer.step()
            self.task.after_step(self.network)
        self.losses.append(value)

    def checkpoint(self, tell: bool = True) -> None:
        """Write the state after the steps made; then tell the observer."""
        step = len(self.losses)
        if step == self.saved:
            return
        for name, weight in self.network.named_parameters():
            if not torch.isfinite(weight).all():
                raise self._broken(step, f"A weight of {name!r} is no longer a finite number")
        state = self.network.state_dict()
        write_checkpoint(self.folder, step, State(state, optimizer_state(self.optimizer), np.array(self.losses)))
        prune(self.folder, self.plan.keep)
        self.saved = step
        if tell:
            self._tell(step)

    def _tell(self, step: int) -> None:
        if self.on_checkpoint is None:
            return
        since = self.losses[(step - 1) // self.plan.checkpoint_every * self.plan.checkpoint_every :] if step else []
        self.network.eval()
        with draws(self.plan.seed, 0):
            self.on_checkpoint(step, self.network, float(np.mean(since)) if since else float("nan"))
        self.network.train()

    def _load(self, state: State) -> None:
        load_weights(self.network, state, self.folder)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state.optimizer, "param_groups": groups})
        self.losses = state.losses.tolist()

    def _broken(self, step: int, what: str) -> ModelError:
        kept = "no checkpoint was written" if self.saved is None else f"the checkpoint of step {self.saved:,} is good"
        return ModelError(
            f"{what} at step {step:,}, so training stopped; {kept} ({str(self.folder)!r}). Train with a smaller learning rate "
            f"than {self.plan.learning_rate:g} or a longer warm-up, in another folder."
        )


@contextmanager
def _reproducible(threads: int, device: torch.device) -> Iterator[None]:
    """Deterministic algorithms and the run's number of threads; all settings are restored."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1], warn_only=warn)
