"""What a pre-training task is here: a category on data, a kernel fixed in advance, a loss whose optimum is an ideal model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.hom import Hom, Variance
from presheaf.enriched.kernel import Kernel
from presheaf.enriched.quantale import Quantale

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Media = Literal["image", "text", "node", "pair"]
Orientation = Literal["symmetric", "directed", "groupoid", "heteromorphism"]
Option = int | float | str | bool


@dataclass(frozen=True)
class TaskCategory:
    """What a pre-training task teaches about pairs of objects.

    Attributes
    ----------
    objects : str
        What the objects are: "views of images", "prefixes of texts".
    hom : str
        What hom(x, y) is, in a sentence.
    quantale : Quantale
        Where its values live.
    orientation : "symmetric", "directed", "groupoid" or "heteromorphism"
    variance : "contravariant" or "covariant"
        Which rows of the hom a prompt gives, and along which rows the task's loss normalises.
    source : str
        Author, year, title.
    """

    objects: str
    hom: str
    quantale: Quantale
    orientation: Orientation
    variance: Variance
    source: str


@dataclass(frozen=True, eq=False)
class Data:
    """Objects to train on, and objects held out that no training step sees.

    Attributes
    ----------
    name : str
        What it was asked for by.
    media : "image", "text", "node" or "pair"
    train, test : objects
        "image": uint8 array of shape (n, height, width, channels). "text": tuple of str. "node": the same sparse adjacency
        matrix (scipy CSR, symmetric, no loops) in both. "pair": two aligned sequences of the above, (left, right).
    train_labels, test_labels : int32 array of shape (n,), or None
        Index into ``classes``. No pre-training task reads them.
    classes : tuple of str
    source, licence : str
        Where the objects come from.
    digest : str
        Of the objects themselves; a run that is resumed must find the same.
    """

    name: str
    media: Media
    train: Any
    test: Any
    train_labels: NDArray[np.int32] | None
    test_labels: NDArray[np.int32] | None
    classes: tuple[str, ...]
    source: str
    licence: str
    digest: str

    def __repr__(self) -> str:
        return f"Data({self.name!r}, {self.media}, {len_of(self.train):,} to train on, {len_of(self.test):,} held out)"


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out objects with the hom that the task itself puts on them: what ideality is measured against.

    Attributes
    ----------
    objects : objects
        As `Pretext.embed` takes them; n of them.
    hom : Hom
        Of the task on these n objects.
    normalise : "rows" or "none"
        Whether rows are compared as probabilities (contrastive losses know hom only up to a factor a row) or as they are.
    units : int64 array of shape (n,), or None
        What was drawn at random, a number for each object: views of one image are one unit. None: each object by itself. Intervals
        speak of further units.
    """

    objects: Any
    hom: Hom
    normalise: Literal["rows", "none"]
    units: NDArray[np.int64] | None = None


@runtime_checkable
class Pretext(Protocol):
    """A pre-training task. `presheaf.pretext.contract.check_pretext` tests everything said here.

    A task holds options and nothing else: all that training changes, a momentum encoder and a queue too, is in the network's
    ``state_dict``. All draws (weights, augmentations, masks) come from torch's global generator, which the trainer seeds from
    the run's seed and the step; so a run that was stopped goes on as if it had not been.
    """

    name: str
    media: Media
    category: TaskCategory

    @property
    def options(self) -> Mapping[str, Option]:
        """Everything that changes the training, as JSON holds it: ``pretext(name, **options)`` is this task again."""
        ...

    @property
    def kernel(self) -> Kernel:
        """k_f, fixed in advance, on what `embed` gives."""
        ...

    def network(self, data: Data) -> Module:
        """A new network for data of this shape, on the CPU, in training mode."""
        ...

    def loss(self, network: Module, data: Data, rows: Tensor) -> Tensor:
        """Mean loss over ``data.train`` at ``rows`` (int64, on the network's device): a scalar with a gradient."""
        ...

    def after_step(self, network: Module) -> None:
        """What follows an optimiser step (momentum encoder, queue); most tasks do nothing."""
        ...

    def held_out(self, data: Data, size: int, seed: int) -> HeldOut:
        """About ``size`` objects made from ``data.test``, and the task's hom on them."""
        ...

    def embed(self, network: Module, objects: Any) -> NDArray[np.float32]:
        """The features k_f is taken of, shape (n, d), in evaluation mode and without gradients."""
        ...

    def model_hom(self, features: NDArray[np.float32]) -> Hom:
        """k_f(f(x), f(y)) on embedded objects; for most tasks ``hom_from_features(features, self.kernel)``."""
        ...

    def save(self, network: Module, data: Data, folder: Path) -> str:
        """Write the backbone as a model folder; the specification by which `presheaf.load_model` reads it."""
        ...


def len_of(objects: Any) -> int:
    """Number of objects in a part of `Data`."""
    if isinstance(objects, tuple) and len(objects) == 2 and not isinstance(objects[0], str):
        return len_of(objects[0])
    return int(objects.shape[0]) if hasattr(objects, "shape") else len(objects)
