"""Checkpoints: the whole state of a run after a step in one file, that is either there and whole or not there."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import ModelError
from presheaf.models.files import first_line
from presheaf.models.optional import need

_NAME = re.compile(r"step-(\d{8,})-([0-9a-f]{16})\.safetensors")
_PART = ".part"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in a run's folder.

    Attributes
    ----------
    step : int
        Optimiser steps made; 0 is the random initialisation.
    path : Path
        Its name carries the step and the first 16 digits of its sha256.
    """

    step: int
    path: Path

    @property
    def digest(self) -> str:
        found = _NAME.fullmatch(self.path.name)
        return found[2] if found else ""


@dataclass(frozen=True, eq=False)
class State:
    """What a checkpoint holds.

    Attributes
    ----------
    network : dict of str to tensor
        The network's ``state_dict``, on the CPU.
    optimizer : dict of int to dict of str to tensor
        The optimiser's state for each parameter; empty where it has none yet.
    losses : float64 array of shape (step,)
        The loss of every step so far.
    """

    network: Mapping[str, Any]
    optimizer: Mapping[int, Mapping[str, Any]]
    losses: NDArray[np.float64]


def checkpoints(folder: Path) -> tuple[Checkpoint, ...]:
    """The checkpoints in a folder, by step; their contents are not looked at."""
    found = [(_NAME.fullmatch(path.name), path) for path in folder.iterdir()] if folder.is_dir() else []
    return tuple(sorted((Checkpoint(int(name[1]), path) for name, path in found if name), key=lambda one: one.step))


def write_checkpoint(folder: Path, step: int, state: State) -> Checkpoint:
    """Write a checkpoint: to a temporary name, to the disk, then under its own name.

    A process killed at any moment leaves either the whole file or a temporary one, that is never read. Cost: a copy of the state in
    memory, and one write of it.
    """
    torch_files, torch = need("safetensors.torch", "pretext", "Training"), need("torch", "pretext", "Training")
    tensors = {f"network/{name}": _plain(tensor) for name, tensor in state.network.items()}
    for index, values in state.optimizer.items():
        tensors |= {f"optimizer/{index}/{name}": _plain(tensor) for name, tensor in values.items()}
    tensors["losses"] = torch.from_numpy(np.ascontiguousarray(state.losses, dtype=np.float64))
    content = torch_files.save(tensors, metadata={"format": "pt"})
    path = folder / f"step-{step:08d}-{hashlib.sha256(content).hexdigest()[:16]}.safetensors"
    write_whole(path, content)
    for other in checkpoints(folder):
        if other.step == step and other.path != path:  # a damaged one, or of another version
            other.path.unlink(missing_ok=True)
    return Checkpoint(step, path)


def read_checkpoint(checkpoint: Checkpoint) -> State:
    """The state a checkpoint holds.

    Raises
    ------
    ModelError
        If the file can't be read or its content isn't what its name says.
    """
    torch_files = need("safetensors.torch", "pretext", "Training")
    try:
        content = checkpoint.path.read_bytes()
    except OSError as error:
        raise ModelError(f"The checkpoint {checkpoint.path.name} can't be read: {error.strerror or error}.") from error
    found = hashlib.sha256(content).hexdigest()[:16]
    if found != checkpoint.digest:
        raise ModelError(
            f"The checkpoint {checkpoint.path.name} is damaged: its sha256 begins with {found}. Delete it; the run goes on from "
            "the one before."
        )
    network: dict[str, Any] = {}
    optimizer: dict[int, dict[str, Any]] = {}
    losses: NDArray[np.float64] = np.empty(0)
    for name, tensor in torch_files.load(content).items():
        part, _, rest = name.partition("/")
        if part == "network":
            network[rest] = tensor
        elif part == "optimizer":
            index, _, key = rest.partition("/")
            optimizer.setdefault(int(index), {})[key] = tensor
        else:
            losses = tensor.numpy()
    return State(network, optimizer, losses)


def load_weights(network: Any, state: State, folder: Path) -> None:
    """Put a state's weights into a network that the run's task made.

    Raises
    ------
    ModelError
        If the network's parts are others than those of the state.
    """
    try:
        network.load_state_dict(dict(state.network))
    except RuntimeError as error:
        raise ModelError(
            f"The checkpoints in {str(folder)!r} don't fit the network that this version makes for the task: {first_line(error)}. Use "
            "the version named in run.json, or train again in another folder."
        ) from error


def newest_good(folder: Path) -> tuple[Checkpoint | None, State | None, list[str]]:
    """The newest checkpoint that is whole, what it holds, and a sentence for each damaged one that was passed over."""
    passed: list[str] = []
    for checkpoint in reversed(checkpoints(folder)):
        try:
            return checkpoint, read_checkpoint(checkpoint), passed
        except ModelError as error:
            passed.append(str(error))
    return None, None, passed


def prune(folder: Path, keep: int | None) -> None:
    """Delete all checkpoints but that of step 0 and the newest ``keep``; None deletes nothing."""
    if keep is not None:
        for checkpoint in [one for one in checkpoints(folder) if one.step][:-keep]:
            checkpoint.path.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files that a killed run left."""
    for path in folder.glob(f".*{_PART}"):
        path.unlink(missing_ok=True)


def _plain(tensor: Any) -> Any:
    """A copy on the CPU that shares memory with nothing: safetensors refuses tied weights that do."""
    if not hasattr(tensor, "detach"):
        raise ModelError(
            f"A network's state may hold tensors only; got a {type(tensor).__name__}. Keep it as a buffer of bytes (uint8)."
        )
    return tensor.detach().to("cpu", copy=True).contiguous()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file to a temporary name, to the disk, then under its own name: it is there and whole, or not there."""
    part = path.with_name(f".{path.name}{_PART}")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk too, where folders can be opened (not on Windows)."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
