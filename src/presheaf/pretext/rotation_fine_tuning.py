"""Theorem 2 in real fine-tuning: a whole backbone trained on labels of turned images, beside the ceiling of its orbits."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.label_category import encode_labels
from presheaf.errors import InputError, ModelError
from presheaf.pretext.image_batches import device_of, image_tensor, in_batches
from presheaf.pretext.rotation_groupoid import TURNS, orbit_ceiling, rotation_groupoid, square_images
from presheaf.statistics.intervals import Interval, accuracy_interval

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from presheaf.models.nets import ImageNetwork

Images = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class FineTunedTo:
    """What a fine-tuned backbone reaches on held-out rows.

    Attributes
    ----------
    reached : Interval
        Share of the held-out rows right; rows of one orbit are taken together.
    ceiling : float
        ``proof``: the share of the same rows that a function constant on orbits can get right, at most. It binds an
        ``invariant`` model; a plain one tells turned copies apart and may pass it.
    invariant : bool
    answers : array of shape (n,)
        Of the held-out rows, as labels.
    losses : float64 array of shape (steps,)
        Cross-entropy of every step, in nats.
    backbone, head : torch modules
        The tuned copies, in evaluation mode.
    """

    reached: Interval
    ceiling: float
    invariant: bool
    answers: NDArray[Any] = field(repr=False)
    losses: NDArray[np.float64] = field(repr=False)
    backbone: Module = field(repr=False)
    head: Module = field(repr=False)

    @property
    def passes(self) -> bool:
        """Whether more is reached than a function on orbits could: never where the model is invariant."""
        return self.reached.value > self.ceiling + 1e-12


def fine_tune_to(
    backbone: ImageNetwork,
    images: ArrayLike,
    labels: ArrayLike,
    held_out: ArrayLike,
    held_out_labels: ArrayLike,
    *,
    invariant: bool,
    steps: int = 300,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> FineTunedTo:
    """Fine-tune a copy of a backbone, all of its weights and a new linear head, and score it on held-out rows.

    Parameters
    ----------
    backbone : ImageNetwork
        Left as it is.
    images, held_out : uint8 arrays of shape (n, side, side, channels)
        Rows to train on, and rows to score on; put turned copies among both where labels speak of turns
        (`presheaf.pretext.rotation_groupoid.turned`).
    labels, held_out_labels : arrays of shape (n,)
    invariant : bool
        Whether the features are averaged over the four turns of an image, so that the objects that turns make isomorphic are one.
        A held-out orbit is then judged once, on the first of its copies by pixels, so that rounding can't tell them apart.
    steps, batch_size : int
    learning_rate : float
        Largest of AdamW, falling to 0 along half a cosine.
    seed : int
        Of the head's weights and the batches.

    Raises
    ------
    InputError
        If images or labels can't be used, or a number is out of its range.
    ModelError
        If the loss is no longer finite.

    Notes
    -----
    Nothing is chosen by looking at the held-out rows: the steps are fixed. Labels are a discrete category and the task a functor on
    the groupoid of quarter turns iff it is constant on orbits (theorem 2, "up to symmetry"). Cost: ``steps`` passes forward and
    back over the batch, four times as many images where ``invariant``.
    """
    rows, test = square_images(images), square_images(held_out)
    codes, names = encode_labels(labels)
    truth = np.asarray(held_out_labels)
    if len(codes) != len(rows) or truth.shape != (len(test),):
        raise InputError(
            f"each image needs one label; got {len(codes)} for {len(rows)} images and {truth.shape} for {len(test)} held out."
        )
    if steps < 1 or not 1 <= batch_size <= len(rows) or not learning_rate > 0:
        raise InputError(
            f"'steps' must be at least 1, 'batch_size' between 1 and {len(rows)} and 'learning_rate' above 0; got {steps}, "
            f"{batch_size}, {learning_rate}."
        )
    tuned, head, losses = _trained(backbone, rows, codes, len(names), invariant, steps, batch_size, learning_rate, seed)
    made = rotation_groupoid(test)
    orbit = made.orbit[made.position]
    if invariant:
        asked, back = _one_an_orbit(made.images, made.orbit), orbit
    else:
        asked, back = test, np.arange(len(test))
    logits = in_batches(tuned, asked, lambda x: head(_features(tuned, x, invariant)))
    answers = names[logits.argmax(axis=1)[back]]
    reached = accuracy_interval(answers == truth, orbit)
    return FineTunedTo(reached, orbit_ceiling(test, truth), invariant, answers, losses, tuned, head)


def _trained(
    backbone: Module,
    rows: Images,
    codes: NDArray[np.int64],
    classes: int,
    invariant: bool,
    steps: int,
    batch_size: int,
    rate: float,
    seed: int,
) -> tuple[Module, Module, NDArray[np.float64]]:
    import torch

    where = device_of(backbone)
    tuned = copy.deepcopy(backbone).train().requires_grad_(True)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        head = torch.nn.Linear(backbone.config["dim"], classes).to(where)
    weights = [*tuned.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    rng = np.random.default_rng(seed)
    losses = np.empty(steps)
    for step in range(steps):
        batch = rng.choice(len(rows), batch_size, replace=False)
        logits = head(_features(tuned, image_tensor(rows[batch], where), invariant))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(codes[batch]).to(where))
        losses[step] = float(loss.detach())
        if not np.isfinite(losses[step]):
            raise ModelError(
                f"The loss is {losses[step]} at step {step}; train with a learning rate smaller than {rate:g}."
            )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return tuned.eval(), head.eval(), losses


def _features(backbone: Module, images: Tensor, invariant: bool) -> Tensor:
    import torch

    if not invariant:
        plain: Tensor = backbone.features(images)
        return plain
    copies = torch.cat([torch.rot90(images, k, dims=(2, 3)) for k in range(TURNS)])
    mean: Tensor = backbone.features(copies).unflatten(0, (TURNS, -1)).mean(dim=0)
    return mean


def _one_an_orbit(images: Images, orbit: NDArray[np.int64]) -> Images:
    """The copy of each orbit whose pixels come first in lexicographic order, by number of the orbit."""
    flat = images.reshape(len(images), -1)
    order = np.lexsort((*flat.T[::-1], orbit))
    _, first = np.unique(orbit[order], return_index=True)
    return images[order[first]]
