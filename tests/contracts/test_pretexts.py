"""Every pre-training task through the one contract, and the contract against tasks that break it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import Kernel, laplacian
from presheaf.enriched.quantale import ANGLE, PROBABILITY
from presheaf.models import ContractError
from presheaf.pretext import Data, HeldOut, TaskCategory, check_pretext, make_data, pretext_names
from presheaf.pretext.registry import pretext, task_class

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

SMALL = {"dim": 32, "projection": 16, "queue": 16}
SMALL_OF = {
    "mae": {"decoder_dim": 16},
    "deepwalk": {"length": 6, "window": 2},
    "bert": {"vocabulary": 300, "window": 16, "layers": 1},
    "causal": {"vocabulary": 300, "window": 16, "layers": 1},
}


def images() -> Data:
    """Blobs at places of their own: what any image task can learn from."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:8, 0:8]
    centres = rng.uniform(1, 7, (80, 2))
    far = (y - centres[:, 0, None, None]) ** 2 + (x - centres[:, 1, None, None]) ** 2
    blobs = 255 * np.exp(-far / rng.uniform(2, 6, (80, 1, 1)))
    pictures = (blobs * (x + 2) / 10).astype(np.uint8)
    return make_data("blobs", "image", pictures[:40], pictures[40:])


def texts() -> Data:
    rng = np.random.default_rng(0)
    who, what, where = (
        ["the cat", "a dog", "my fish"],
        ["sits", "runs", "eats", "sleeps"],
        ["here", "there", "at home"],
    )
    lines = [f"{who[a]} {what[b]} {where[c]} number {i}" for i, (a, b, c) in enumerate(rng.integers(0, 3, (120, 3)))]
    return make_data("lines", "text", lines[:80], lines[80:])


def nodes() -> Data:
    from scipy.sparse import block_diag, csr_array

    clique = np.ones((8, 8)) - np.eye(8)
    graph = block_diag([clique] * 3).tolil()
    for a, b in ((0, 8), (8, 16)):
        graph[a, b] = graph[b, a] = 1
    return make_data("cliques", "node", csr_array(graph), csr_array(graph))


def pairs() -> Data:
    """Features of two sides that are images of one hidden vector."""
    rng = np.random.default_rng(0)
    hidden, left, right = rng.standard_normal((80, 4)), rng.standard_normal((4, 12)), rng.standard_normal((4, 10))
    sides = [(hidden @ side).astype(np.float32) for side in (left, right)]
    return make_data("planted", "pair", tuple(side[:40] for side in sides), tuple(side[40:] for side in sides))


DATA = {"image": images, "text": texts, "node": nodes, "pair": pairs}


@pytest.mark.parametrize("name", pretext_names())
def test_every_task_keeps_the_contract(name: str) -> None:
    try:
        known = inspect.signature(task_class(name)).parameters
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    small = {option: value for option, value in SMALL.items() if option in known}
    task = pretext(name, **{**small, **SMALL_OF.get(name, {})})
    check_pretext(task, DATA[task.media]())


class Broken:
    """A task that keeps the contract: tells the mean of an image. Each subclass breaks one clause."""

    name = "brightness"
    media = "image"
    category = TaskCategory("images", "likeness", PROBABILITY, "symmetric", "contravariant", "these tests")

    def __init__(self, width: int = 4) -> None:
        self.width = width

    @property
    def options(self) -> dict[str, Any]:
        return {"width": self.width}

    @property
    def kernel(self) -> Kernel:
        return laplacian(1.0)

    def network(self, data: Data) -> Any:
        return torch.nn.Sequential(torch.nn.Linear(64, self.width), torch.nn.Tanh(), torch.nn.Linear(self.width, 1))

    def loss(self, network: Any, data: Data, rows: Any) -> Any:
        x = self.flat(data.train[rows.numpy()])
        return (network(x + 0.01 * torch.randn_like(x))[:, 0] - x.mean(dim=1)).square().mean()

    def after_step(self, network: Any) -> None:
        pass

    def held_out(self, data: Data, size: int, seed: int) -> HeldOut:
        chosen = data.test[:size]
        means = chosen.reshape(len(chosen), -1).mean(axis=1) / 255
        return HeldOut(chosen, hom_from_features(means[:, None], laplacian(0.1)), "rows")

    def embed(self, network: Any, objects: Any) -> Any:
        network.eval()
        with torch.no_grad():
            return network(self.flat(objects)).numpy()

    def model_hom(self, features: Any) -> Hom:
        return hom_from_features(features, self.kernel)

    def save(self, network: Any, data: Data, folder: Path) -> str:
        np.save(folder.with_suffix(".npy"), self.embed(network, data.test))
        return f"vectors:{folder.with_suffix('.npy')}"

    @staticmethod
    def flat(images: Any) -> Any:
        return torch.from_numpy(images.reshape(len(images), -1) / 255).float()


class Changed(Broken):
    @property
    def options(self) -> dict[str, Any]:
        return {"width": self.width + 1}


class NoJson(Broken):
    @property
    def options(self) -> dict[str, Any]:
        return {"width": np.int64(self.width)}


class OwnDraws(Broken):
    def loss(self, network: Any, data: Data, rows: Any) -> Any:
        return super().loss(network, data, rows) * np.random.default_rng().uniform(1, 2)


class NumpyDraws(Broken):
    def loss(self, network: Any, data: Data, rows: Any) -> Any:
        np.random.rand()  # noqa: NPY002
        return super().loss(network, data, rows)


class Labels(Broken):
    def loss(self, network: Any, data: Data, rows: Any) -> Any:
        return super().loss(network, data, rows) * (1 + (data.train_labels is not None))


class Fixed(Broken):
    def network(self, data: Data) -> Any:
        torch.manual_seed(0)
        return super().network(data)


class Unused(Broken):
    def network(self, data: Data) -> Any:
        network = super().network(data)
        network.extra = torch.nn.Parameter(torch.zeros(2))
        return network


class Vector(Broken):
    def loss(self, network: Any, data: Data, rows: Any) -> Any:
        return super().loss(network, data, rows)[None]


class Hidden(Broken):
    """Counts steps outside the network."""

    def __init__(self, width: int = 4) -> None:
        super().__init__(width)
        self.seen = 0

    def after_step(self, network: Any) -> None:
        self.seen += 1
        with torch.no_grad():
            network[0].bias += 0.01 * self.seen


class Worse(Broken):
    def loss(self, network: Any, data: Data, rows: Any) -> Any:
        loss = super().loss(network, data, rows)
        return 2 * loss.detach() - loss


class Companions(Broken):
    def embed(self, network: Any, objects: Any) -> Any:
        features = super().embed(network, objects)
        return features - features.mean()


class TrainingMode(Broken):
    def network(self, data: Data) -> Any:
        return torch.nn.Sequential(torch.nn.BatchNorm1d(64), *super().network(data))

    def embed(self, network: Any, objects: Any) -> Any:
        with torch.no_grad():
            return network(self.flat(objects)).numpy()


class OtherQuantale(Broken):
    category = TaskCategory("images", "likeness", ANGLE, "symmetric", "contravariant", "these tests")


class Fewer(Broken):
    def model_hom(self, features: Any) -> Hom:
        return super().model_hom(features[1:])


class Fitted(Broken):
    def model_hom(self, features: Any) -> Hom:
        return hom_from_features(features, laplacian(1.0, fitted=1))


class Forgets(Broken):
    def save(self, network: Any, data: Data, folder: Path) -> str:
        return super().save(self.network(data).requires_grad_(False).apply(zero), data, folder)


def zero(module: Any) -> None:
    for weight in module.parameters(recurse=False):
        weight.fill_(0.5)


def test_a_task_of_ones_own() -> None:
    check_pretext(Broken(), labelled())


def labelled() -> Data:
    data = images()
    marks = np.arange(40) % 2
    return make_data("blobs", "image", data.train, data.test, marks, marks, ("a", "b"))


@pytest.mark.parametrize(
    ("task", "clause"),
    [
        (Changed(), "options"),
        (NoJson(), "options"),
        (OwnDraws(), "draws"),
        (NumpyDraws(), "draws"),
        (Labels(), "labels"),
        (Fixed(), "seed"),
        (Unused(), "gradient"),
        (Vector(), "loss"),
        (Hidden(), "state"),
        (Worse(), "learning"),
        (Companions(), "companions"),
        (TrainingMode(), "embed"),
        (OtherQuantale(), "hom"),
        (Fewer(), "hom"),
        (Fitted(), "hom"),
        (Forgets(), "save"),
    ],
)
def test_what_breaks_a_clause_is_named(task: Any, clause: str) -> None:
    with pytest.raises(ContractError, match=f"clause '{clause}'"):
        check_pretext(task, labelled())


def test_data_whose_parts_overlap() -> None:
    data = labelled()
    with pytest.raises(ContractError, match="clause 'disjoint'"):
        check_pretext(Broken(), make_data("blobs", "image", data.train, data.train[:20]))


def test_data_of_another_media() -> None:
    with pytest.raises(ContractError, match="clause 'protocol'"):
        check_pretext(Broken(), texts())
