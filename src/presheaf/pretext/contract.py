"""What every pre-training task must keep, as a check that names the clause which doesn't hold."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import Module

from presheaf.enriched.hom import VARIANCES
from presheaf.enriched.ideality import ideality
from presheaf.errors import InputError
from presheaf.models.contract import ContractError
from presheaf.models.registry import load_model
from presheaf.pretext.base import Data, HeldOut, Pretext, len_of
from presheaf.pretext.contract_data import disjoint, objects_for, part_of
from presheaf.pretext.plan import Plan
from presheaf.pretext.registry import pretext, pretext_names
from presheaf.pretext.steps import draws, new_optimizer

_ROUNDING = 1e-4
"""Of float32 features through a small network, relative to the largest row."""
_ORIENTATIONS = ("symmetric", "directed", "groupoid", "heteromorphism")


def check_pretext(task: Pretext, data: Data, *, steps: int = 30, size: int = 24, learning_rate: float = 3e-3) -> None:
    """Check that a task keeps everything that `presheaf.pretext.base.Pretext` says.

    For people who write a task: call it in a test with a few dozen objects and a small network. It passes in silence.

    Parameters
    ----------
    task : Pretext
    data : Data
        Of the task's media; as small as the task allows, its parts disjoint.
    steps : int
        After which the loss must be lower.
    size : int
        Held-out objects asked for.
    learning_rate : float
        Of those steps.

    Raises
    ------
    ContractError
        Naming the clause: protocol, options, import, seed, loss, gradient, draws, labels, state, learning, disjoint, held out,
        hom, embed, companions, save.

    Notes
    -----
    Cost: about ``3 * steps`` training steps on at most 16 objects, a dozen embeddings, and a new Python for a task that has a name.
    """
    _protocol(task, data)
    _options(task)
    rows = torch.arange(min(16, len_of(data.train)))
    _seeds(task, data)
    _loss(task, data, rows)
    _hidden(task, data, rows)
    _state(task, data, rows)
    network = _learning(task, data, rows, steps, learning_rate)
    _hold(disjoint(data), "disjoint", "an object to train on is also held out")
    held = _held_out(task, data, size)
    features = _embed(task, network, held)
    _homs(task, held, features)
    _save(task, network, data)


def _hold(condition: object, clause: str, message: str) -> None:
    if not condition:
        raise ContractError(f"clause {clause!r}: {message}")


def _protocol(task: Pretext, data: Data) -> None:
    _hold(isinstance(task, Pretext), "protocol", f"{type(task).__name__} lacks members of the Pretext protocol")
    _hold(task.media == data.media, "protocol", f"the task takes {task.media!r} and the data are {data.media!r}")
    category = task.category
    _hold(category.orientation in _ORIENTATIONS, "protocol", f"the orientation is {category.orientation!r}")
    _hold(category.variance in VARIANCES, "protocol", f"the variance is {category.variance!r}")
    for name in ("objects", "hom", "source"):
        _hold(getattr(category, name).strip(), "protocol", f"the category says nothing of its {name}")


def _options(task: Pretext) -> None:
    options = dict(task.options)
    try:
        plain = json.loads(json.dumps(options))
    except (TypeError, ValueError) as error:
        raise ContractError(f"clause 'options': they aren't plain JSON ({error})") from error
    named = task.name in pretext_names()
    again = pretext(task.name, **plain) if named else type(task)(**plain)
    _hold(dict(again.options) == options, "options", f"{options} became {dict(again.options)}")
    _hold(type(again) is type(task), "options", f"the name {task.name!r} belongs to {type(again).__name__}")
    if named:
        _without_torch(task.name, plain)


def _without_torch(name: str, options: dict[str, Any]) -> None:
    code = (
        "import json, sys; sys.modules['torch'] = None\n"
        "from presheaf.pretext.registry import pretext\n"
        "task = pretext(sys.argv[1], **json.loads(sys.argv[2]))\n"
        "task.name, task.media, task.category, task.options, task.kernel"
    )
    ran = subprocess.run([sys.executable, "-c", code, name, json.dumps(options)], capture_output=True, text=True)
    last = ran.stderr.strip().splitlines()[-1:] or ["no message"]
    _hold(ran.returncode == 0, "import", f"without torch the task can't be made and looked at: {last[0]}")


def _new(task: Pretext, data: Data, seed: int = 0) -> Module:
    with draws(seed):
        return task.network(data)


def _weights(network: Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def _seeds(task: Pretext, data: Data) -> None:
    network = _new(task, data)
    _hold(network.training, "seed", "a new network isn't in training mode")
    devices = {weight.device.type for weight in network.parameters()}
    _hold(devices == {"cpu"}, "seed", f"a new network is on {devices}, not on the CPU")
    first = _weights(network)
    _hold(_same(first, _weights(_new(task, data))), "seed", "equal seeds of torch give different networks")
    _hold(not _same(first, _weights(_new(task, data, 1))), "seed", "different seeds of torch give the same network")


def _loss_of(task: Pretext, network: Module, data: Data, rows: torch.Tensor, seed: int = 2) -> torch.Tensor:
    with draws(seed):
        return task.loss(network, data, rows)


def _loss(task: Pretext, data: Data, rows: torch.Tensor) -> None:
    network = _new(task, data)
    loss = _loss_of(task, network, data, rows)
    _hold(isinstance(loss, torch.Tensor) and loss.shape == (), "loss", "it is no scalar tensor")
    _hold(bool(torch.isfinite(loss)), "loss", f"it is {float(loss.detach())}")
    _hold(loss.requires_grad, "gradient", "the loss has none")
    loss.backward()
    for name, weight in network.named_parameters():
        if weight.requires_grad:
            _hold(weight.grad is not None, "gradient", f"none reaches {name}, which is said to be trainable")
            _hold(bool(torch.isfinite(weight.grad).all()), "gradient", f"that of {name} isn't finite")


def _hidden(task: Pretext, data: Data, rows: torch.Tensor) -> None:
    """The loss depends on torch's generator and nothing else that is hidden, and sees no label."""
    network = _new(task, data)
    start = _weights(network)

    def value(on: Data) -> float:
        network.load_state_dict(start)
        return float(_loss_of(task, network, on, rows).detach())

    first = value(data)
    before = _other_generators()
    _hold(value(data) == first, "draws", "equal seeds of torch give different losses: something else is drawn from")
    _hold(_other_generators() == before, "draws", "the loss draws from numpy's or Python's global generator")
    blind = replace(data, train_labels=None, test_labels=None, classes=())
    _hold(value(blind) == first, "labels", "the loss changes when the labels are taken away")


def _other_generators() -> tuple[object, ...]:
    """The states of numpy's and Python's global generators."""
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002
    return json.dumps(numpy_state, default=lambda array: array.tolist()), random.getstate()


def _steps(task: Pretext, network: Module, data: Data, rows: torch.Tensor, seeds: range, rate: float) -> None:
    optimizer = new_optimizer(network, Plan(learning_rate=rate))
    network.train()
    for seed in seeds:
        with draws(7, seed):
            optimizer.zero_grad()
            task.loss(network, data, rows).backward()
            optimizer.step()
            task.after_step(network)


def _state(task: Pretext, data: Data, rows: torch.Tensor) -> None:
    """Whatever training changes is in the state: a copy of it goes on the same way."""
    network = _new(task, data)
    _steps(task, network, data, rows, range(3), 1e-3)
    twin = _new(task, data, 1)
    twin.load_state_dict(_weights(network))
    for one in (network, twin):
        _steps(task, one, data, rows, range(3, 5), 1e-3)
    _hold(_same(_weights(network), _weights(twin)), "state", "a network made from the state_dict trains otherwise")


def _learning(task: Pretext, data: Data, rows: torch.Tensor, steps: int, rate: float) -> Module:
    network = _new(task, data)
    start = _weights(network)

    def mean_loss() -> float:
        kept = _weights(network)
        values = [float(_loss_of(task, network, data, rows, seed).detach()) for seed in range(8)]
        network.load_state_dict(kept)
        return float(np.mean(values))

    before = mean_loss()
    _hold(_same(start, _weights(network)), "learning", "the network's state can't be put back")
    _steps(task, network, data, rows, range(steps), rate)
    after = mean_loss()
    _hold(after < before, "learning", f"{steps} steps bring the loss from {before:.4g} to {after:.4g}")
    return network


def _held_out(task: Pretext, data: Data, size: int) -> HeldOut:
    held = task.held_out(data, size, 0)
    _hold(held.normalise in ("rows", "none"), "held out", f"normalise is {held.normalise!r}")
    _hold(4 <= held.hom.n <= 4 * size, "held out", f"{held.hom.n} objects where about {size} were asked for")
    if held.units is not None:
        shape = held.units.shape
        _hold(shape == (held.hom.n,), "held out", f"units have shape {shape} for {held.hom.n} objects")
    again = task.held_out(data, size, 0)
    _hold(_distances(held.hom) == _distances(again.hom), "held out", "equal seeds give different homs")
    quantale = task.category.quantale
    _hold(held.hom.quantale == quantale, "hom", f"it is in {held.hom.quantale.name}, the category in {quantale.name}")
    return held


def _distances(hom: Any) -> list[list[float]]:
    listed: list[list[float]] = hom.distances(None, None, np.float64).tolist()
    return listed


def _embed(task: Pretext, network: Module, held: HeldOut) -> NDArray[np.float32]:
    before = _weights(network)
    network.train()
    features = task.embed(network, held.objects)
    _hold(_same(before, _weights(network)), "embed", "it changes the network (statistics of a batch?)")
    _hold(isinstance(features, np.ndarray) and features.dtype == np.float32, "embed", "features are no float32 array")
    _hold(features.ndim == 2 and len(features) == held.hom.n, "embed", f"{features.shape} for {held.hom.n} objects")
    _hold(np.isfinite(features).all(), "embed", "features aren't all finite")
    network.eval()
    _hold(np.array_equal(features, task.embed(network, held.objects)), "embed", "a second call gives other features")
    order = np.random.default_rng(0).permutation(held.hom.n)
    some = part_of(held.objects, order[: held.hom.n // 2], held.hom.n)
    if some is not None:
        scale = float(np.linalg.norm(features, axis=1).max()) + 1e-30
        gap = float(np.abs(task.embed(network, some) - features[order[: held.hom.n // 2]]).max()) / scale
        _hold(gap <= _ROUNDING, "companions", f"features depend on what else is embedded, by {gap:.2g} of the largest")
    return features


def _homs(task: Pretext, held: HeldOut, features: NDArray[np.float32]) -> None:
    hom = task.model_hom(features)
    _hold(hom.n == held.hom.n, "hom", f"the model's is on {hom.n} objects, the task's on {held.hom.n}")
    _hold(hom.fitted == 0, "hom", f"{hom.fitted} parameters were chosen by looking at the data; k_f is to be fixed")
    try:
        found = ideality(hom, held.hom, task.category.variance, held.normalise, repeats=1)
    except InputError as error:
        raise ContractError(f"clause 'hom': ideality can't be measured: {error}") from error
    _hold(0 <= found.value.value <= 1, "hom", f"ideality is {found.value.value}")


def _save(task: Pretext, network: Module, data: Data) -> None:
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place) / name for name in ("first", "second", "other")]
        networks = [network, network, _new(task, data, 3)]
        sources = [load_model(task.save(one, data, folder)) for one, folder in zip(networks, folders, strict=True)]
        objects = objects_for(sources[0], data)
        first, second, other = (source.encode(objects) for source in sources)
        _hold(
            np.isfinite(first).all() and len(first) == len(objects), "save", "the saved model's features are unusable"
        )
        _hold(np.array_equal(first, second), "save", "saved twice, the model gives two kinds of features")
        _hold(not np.array_equal(first, other), "save", "another network's features are the same")
