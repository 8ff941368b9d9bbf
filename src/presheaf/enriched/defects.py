"""How far a task is from being one prompt, exactly, on the objects given: Theorem 1's defect at value level."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.evidence import candidate_objects
from presheaf.enriched.functor import as_task
from presheaf.enriched.hom import LIMIT, Hom, Variance
from presheaf.enriched.quantale import Quantale, excess
from presheaf.enriched.weights import between, candidate_parts
from presheaf.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Defects:
    """How far a task is from each candidate's representable, in the sup distance over all objects given.

    Attributes
    ----------
    candidates : int64 array of shape (m,)
    own : float64 array of shape (m,)
        a(p) = T(p): how much p fails its own task.
    beyond : float64 array of shape (m,)
        b(p) = sup_x (d(x, p) - T(x))^+: T holds where p does not reach.
    within : float64 array of shape (m,)
        sup_x (T(x) - d(x, p))^+; equal to ``own`` where T is a presheaf and hom(p, p) the unit (Yoneda).
    functor : float
        delta = sup (T(x) - d(x, p) (+) T(p))^+ over objects x and candidates p: by how much T misses being a presheaf.
    complete : bool
        Whether every object is a candidate, so that ``functor`` is the functor defect itself and not a lower bound.
    kind : str
        "proof": a statement about these objects and candidates, up to float64 rounding.
    """

    candidates: Ints = field(repr=False)
    own: Floats = field(repr=False)
    beyond: Floats = field(repr=False)
    within: Floats = field(repr=False)
    functor: float
    complete: bool
    kind: str = "proof"

    @property
    def rho(self) -> Floats:
        """rho_p = sup_x |T(x) - d(x, p)| for each candidate, shape (m,); max(own, beyond) where T is a presheaf."""
        return np.asarray(np.maximum(self.within, self.beyond))

    @property
    def best(self) -> int:
        """The candidate with the least rho_p; the first of several."""
        return int(self.candidates[int(np.argmin(self.rho))])

    @property
    def least(self) -> float:
        """rho_1 over the candidates."""
        return float(self.rho.min())

    def __repr__(self) -> str:
        return f"Defects(rho {self.least:.4g} at object {self.best}, functor defect {self.functor:.4g})"


def class_task(hom: Hom, members: ArrayLike, off: float) -> Floats:
    """The task of a label: distance 0 on its objects and ``off`` elsewhere. Float64, shape (n,). Cost: linear.

    Parameters
    ----------
    members : bool array of shape (n,)
    off : float
        Distance off the class: ``hom.quantale.cap`` (inf where it is) for "not at all", or a finite distance from which on
        objects count as unrelated. With inf a prompt must not reach any object off the class at all, so real models need
        a finite one.

    Raises
    ------
    InputError
        If members are no mask, or ``off`` is no distance above 0.
    """
    mask = np.asarray(members)
    if mask.shape != (hom.n,) or mask.dtype != bool:
        raise InputError(f"members must be a bool array of shape ({hom.n},); got shape {mask.shape} of {mask.dtype}.")
    if not 0 < off <= hom.quantale.cap:
        raise InputError(f"off must be a distance in (0, {hom.quantale.cap:g}] of {hom.quantale.name}; got {off!r}.")
    return np.where(mask, 0.0, off)


def net_radius(hom: Hom, candidates: ArrayLike, limit_bytes: int = LIMIT) -> float:
    """How far an object can be from the nearest candidate: sup_y min_p max(d(p, y), d(y, p)).

    Parameters
    ----------
    candidates : int array of shape (m,)

    Returns
    -------
    float
        eta. Where the hom is lawful, no object at all has rho_y below the candidates' least minus eta, as |rho_y - rho_p| <=
        max(d(p, y), d(y, p)): the Yoneda embedding is isometric. So "not within the candidates" reaches all objects when it
        is said with the margin widened by eta.

    Notes
    -----
    Cost: n m distances, twice where the hom is directed, in float64 blocks within ``limit_bytes``.
    """
    chosen = candidate_objects(hom.n, candidates, np.arange(hom.n))
    nearest = np.full(hom.n, np.inf)
    for part in candidate_parts(hom.n, len(chosen), limit_bytes):
        distances = between(hom, None, chosen[part], "contravariant")
        if not hom.symmetric:
            distances = np.maximum(distances, between(hom, None, chosen[part], "covariant"))
        np.minimum(nearest, distances.min(axis=1), out=nearest)
    return float(nearest.max())


def representability_defects(
    hom: Hom,
    task: ArrayLike,
    variance: Variance,
    candidates: ArrayLike | None = None,
    limit_bytes: int = LIMIT,
) -> Defects:
    """rho_p = sup_x |T(x) - d(x, p)| with its parts, for every candidate, over all objects given.

    Parameters
    ----------
    hom : Hom
    task : float array of shape (n,)
        T in distances of the hom's quantale, 0 where the task holds fully; see ``class_task`` for labels.
    variance : "contravariant" for d(x, p) = hom(x, p), "covariant" for hom(p, x)
    candidates : int array of shape (m,), optional
        Objects that may be the prompt; default all.

    Notes
    -----
    For an exact category given whole this is the answer: T is representable within eps iff ``least`` <= eps. Cost: n m
    distances in float64 blocks within ``limit_bytes``.
    """
    values = as_task(hom, task)
    chosen = candidate_objects(hom.n, candidates, np.arange(hom.n))
    beyond, within, functor = np.zeros(len(chosen)), np.zeros(len(chosen)), 0.0
    for part in candidate_parts(hom.n, len(chosen), limit_bytes):
        distances = between(hom, None, chosen[part], variance)
        beyond[part], within[part], delta = sup_distances(distances, values, values[chosen[part]], hom.quantale)
        functor = max(functor, delta)
    return Defects(chosen, values[chosen], beyond, within, functor, len(chosen) == hom.n)


def sup_distances(distances: Floats, task: Floats, own: Floats, quantale: Quantale) -> tuple[Floats, Floats, float]:
    """sup (d - T)^+ and sup (T - d)^+ for each candidate, and the largest functor defect among them."""
    with np.errstate(invalid="ignore"):
        difference = distances - task[:, None]
    # fmax and fmin pass over inf - inf.
    beyond = np.fmax.reduce(difference, axis=0, initial=0.0)
    within = -np.fmin.reduce(difference, axis=0, initial=0.0)
    if quantale.sums:
        # (T(x) - min(d + T(p), cap))^+ = ((T(x) - d)^+ - T(p))^+, as T keeps within the cap.
        functor = excess(within, own)
    else:
        functor = excess(task[:, None], quantale.add(distances, own))
    return beyond, within, float(functor.max(initial=0.0))
