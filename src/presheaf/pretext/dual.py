"""Dual learning: a map and its opposite, learnt from few pairs and the law that a round trip comes home.

F takes left objects to right ones and G back. Two readings of G F = 1, with no pairs needed:

"vectors": G F x = x as vectors. Every invertible F has such a G, also one that pairs everything wrongly, so this law alone says nothing of
which F is meant.

"objects": F x is read as a distribution over the right *objects* (softmax of cosines), G likewise, and their composite as profunctors,
sum over b of p(b | x) q(x' | b), has to be the identity profunctor: x comes home through the objects that there are. This uses
what the unpaired objects of the other side look like.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.ustatistics import bounded_interval
from presheaf.errors import InputError, ModelError, one_of
from presheaf.models.optional import need
from presheaf.pretext.pair_retrieval import unit_rows
from presheaf.statistics.intervals import Interval, accuracy_interval

Floats = NDArray[np.float64]
Law = Literal["none", "vectors", "objects"]
Map = Callable[[Floats], Floats]

LAWS = ("none", "vectors", "objects")
RIDGE = 0.1
"""Penalty of the ridge regression that both maps start from."""


@dataclass(frozen=True, eq=False)
class DualMaps:
    """A linear map of features and its opposite.

    Attributes
    ----------
    there : float64 array of shape (d, e)
        F x = x there.
    back : float64 array of shape (e, d)
    law : "none", "vectors" or "objects"
        By which they were trained.
    loss : float
        Of the last step.
    """

    there: Floats
    back: Floats
    law: str
    loss: float

    def forward(self, left: ArrayLike) -> Floats:
        """F of left objects, shape (n, d) to (n, e)."""
        return np.asarray(np.asarray(left, dtype=np.float64) @ self.there)

    def backward(self, right: ArrayLike) -> Floats:
        """G of right objects, shape (n, e) to (n, d)."""
        return np.asarray(np.asarray(right, dtype=np.float64) @ self.back)


@dataclass(frozen=True)
class DualPlan:
    """How a pair of maps is trained.

    Attributes
    ----------
    law : "none", "vectors" or "objects"
    weight : float
        Of the law beside the loss on pairs.
    temperature : float
        Of the softmax over objects.
    steps : int
    rate : float
        Learning rate of Adam.
    """

    law: Law = "objects"
    weight: float = 0.3
    temperature: float = 0.1
    steps: int = 150
    rate: float = 0.01

    def __post_init__(self) -> None:
        one_of("law", self.law, LAWS)
        if self.weight < 0 or self.temperature <= 0 or self.steps < 0 or self.rate <= 0:
            raise InputError(
                "'weight' and 'steps' must be at least 0, 'temperature' and 'rate' above 0; got "
                f"{self.weight!r}, {self.steps!r}, {self.temperature!r}, {self.rate!r}."
            )


def train_dual(
    left: ArrayLike, right: ArrayLike, free_left: ArrayLike, free_right: ArrayLike, plan: DualPlan | None = None
) -> DualMaps:
    """Learn F and G from pairs, and from objects without partners by the round-trip law.

    Parameters
    ----------
    left, right : float array of shape (k, d), (k, e)
        Pairs, as features; rows are scaled to length one.
    free_left, free_right : float array of shape (u, d), (v, e)
        Objects of each side whose partners are not known, in any order.
    plan : DualPlan

    Returns
    -------
    DualMaps

    Raises
    ------
    InputError
        Shapes don't fit, or a law is asked for without free objects.
    ModelError
        The loss is no number.

    Notes
    -----
    Loss: mean |F x - y|^2 + |G y - x|^2 over pairs, plus ``weight`` times the law on free objects of both sides. Dual learning: He et
    al. 2016, Dual learning for machine translation. Both maps start from ridge regression on the pairs; nothing is drawn, so the result is a
    function of the arguments. Cost of a step with the law "objects": (u + k) (v + k) (d + e), float32; give some hundred free objects.
    """
    plan = plan or DualPlan()
    torch: Any = need("torch", "torch", "Dual learning")
    given = [unit_rows(_matrix(name, rows)) for name, rows in _named(left, right, free_left, free_right)]
    _fit(given, plan)
    x, y, u, v = (torch.from_numpy(rows).float() for rows in given)
    there, back = (torch.from_numpy(_ridge(a, b)).float().requires_grad_() for a, b in (given[:2], given[1::-1]))
    optimizer = torch.optim.Adam([there, back], lr=plan.rate)
    loss = torch.zeros(())
    for step in range(plan.steps):
        loss = ((x @ there - y) ** 2).sum(1).mean() + ((y @ back - x) ** 2).sum(1).mean()
        if plan.law != "none":
            loss = loss + plan.weight * _law(plan, there, back, (x, y, u, v))
        if not torch.isfinite(loss):
            raise ModelError(f"The loss is {loss.item()} at step {step + 1}; lower 'rate' ({plan.rate:g}) or 'weight'.")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    learnt = [weights.detach().numpy().astype(np.float64) for weights in (there, back)]
    return DualMaps(learnt[0], learnt[1], plan.law, loss.item())


def round_trip_defect(forward: Map, backward: Map, objects: ArrayLike) -> Interval:
    """Mean angle between x and G F x in radians, over objects of shape (n, d); t interval over objects.

    0 is the law as vectors; pi / 2 is what unrelated vectors have. For F G = 1 exchange the maps and give right objects.
    """
    given = unit_rows(_matrix("objects", objects))
    home = unit_rows(backward(forward(given)))
    angles = 2 * np.arcsin(np.minimum(np.linalg.norm(given - home, axis=1) / 2, 1))
    value = float(angles.mean())
    return Interval(value, *bounded_interval(angles, value, 0.0, pi), len(angles), float(len(angles)), "t over objects")


def share_home(forward: Map, backward: Map, objects: ArrayLike, through: ArrayLike) -> Interval:
    """Share of objects that come home through objects: the nearest object to G of the nearest of ``through`` to F x is x.

    Parameters
    ----------
    objects : float array of shape (n, d)
    through : float array of shape (m, e)
        Of the other side. Nearest by cosine; equal objects are one.
    """
    given, others = unit_rows(_matrix("objects", objects)), unit_rows(_matrix("through", through))
    _, same = np.unique(given.round(9), axis=0, return_inverse=True)
    stop = (unit_rows(forward(given)) @ others.T).argmax(axis=1)
    home = (unit_rows(backward(others[stop])) @ given.T).argmax(axis=1)
    return accuracy_interval(same.ravel()[home] == same.ravel())


def _law(plan: DualPlan, there: Any, back: Any, objects: tuple[Any, Any, Any, Any]) -> Any:
    x, y, u, v = objects
    if plan.law == "vectors":
        return ((u @ there @ back - u) ** 2).sum(1).mean() + ((v @ back @ there - v) ** 2).sum(1).mean()
    import torch

    every_left, every_right = torch.cat([x, u]), torch.cat([y, v])
    return _home(u, every_right, there, back, plan.temperature) + _home(v, every_left, back, there, plan.temperature)


def _home(objects: Any, through: Any, forward: Any, backward: Any, temperature: float) -> Any:
    """Mean -ln of the probability to come home, over p(b | x) q(x' | b), with b in ``through``; nats."""
    from torch.nn.functional import log_softmax, normalize

    there = log_softmax(normalize(objects @ forward, dim=1) @ through.T / temperature, dim=1)
    back = log_softmax(normalize(through @ backward, dim=1) @ objects.T / temperature, dim=1)
    return -(there + back.T).logsumexp(dim=1).mean()


def _ridge(x: Floats, y: Floats) -> Floats:
    return np.asarray(np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y))


def _named(*rows: ArrayLike) -> list[tuple[str, ArrayLike]]:
    return list(zip(("left", "right", "free_left", "free_right"), rows, strict=True))


def _matrix(name: str, rows: ArrayLike) -> Floats:
    given = np.asarray(rows)
    if given.ndim != 2 or given.dtype.kind not in "fiu" or not np.isfinite(given).all():
        raise InputError(f"{name!r} must be finite numbers of shape (n, d); got {given.dtype} of shape {given.shape}.")
    return given.astype(np.float64)


def _fit(given: list[Floats], plan: DualPlan) -> None:
    x, y, u, v = given
    if len(x) != len(y) or not len(x):
        raise InputError(f"pairs need as many left as right objects, at least one; got {len(x)} and {len(y)}.")
    if x.shape[1] != u.shape[1] or y.shape[1] != v.shape[1]:
        raise InputError(
            f"free objects need the pairs' features, {x.shape[1]} and {y.shape[1]}; got {u.shape[1]} and {v.shape[1]}."
        )
    if plan.law != "none" and (len(u) < 2 or len(v) < 2):
        raise InputError(f"the law {plan.law!r} needs free objects on both sides; got {len(u)} and {len(v)}.")
