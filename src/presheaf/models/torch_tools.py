"""Small torch helpers the two torch sources share. Import it only where torch is known to be there."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from presheaf.errors import InputError


def pick_device(device: str | None) -> torch.device:
    """The device asked for; by default the GPU where there is one.

    Raises
    ------
    InputError
        If there is no such device on this machine.
    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.zeros(1, device=device).device
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise InputError(f"'device' must be one torch can use here, e.g. cpu or cuda; got {device!r}.") from error


@contextmanager
def quietly() -> Iterator[None]:
    """Hold back progress bars and warnings of transformers while weights are read; both are restored."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def weights_digest(network: torch.nn.Module) -> str:
    """sha256 over names, shapes and bytes of every parameter and buffer."""
    total = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        total.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        total.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return total.hexdigest()


def in_double(network: torch.nn.Module) -> torch.nn.Module:
    """A copy of the network in double precision, on a device that has it (the CPU instead of Apple's GPU)."""
    twin = copy.deepcopy(network).double().eval()
    return twin.to("cpu") if any(tensor.device.type == "mps" for tensor in twin.parameters()) else twin


def one_by_one(forward: Callable[[Any], torch.Tensor], objects: Any, dim: int) -> tuple[NDArray[np.float64], str]:
    """Run ``forward`` on one object at a time; the features, of shape (n, dim), and the precision that was kept.

    Some architectures force part of their arithmetic (norms, rotary angles) into single precision whatever the
    weights are. The first object is watched for that, and the precision's name says so.
    """
    rows, low = [], False
    for position, one in enumerate(objects):
        if position:
            rows.append(forward(one).cpu().numpy())
            continue
        with _Watch() as watch:
            rows.append(forward(one).cpu().numpy())
        low = watch.low
    features = np.asarray(rows, dtype=np.float64).reshape(len(rows), dim)
    return features, "float64 weights, partly float32 arithmetic" if low else "float64"


class _Watch(TorchDispatchMode):  # type: ignore[misc]
    """Notices every result in less than double precision."""

    def __init__(self) -> None:
        super().__init__()
        self.low = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, torch.Tensor) and leaf.is_floating_point() and leaf.dtype != torch.float64:
                self.low = True
        return out
