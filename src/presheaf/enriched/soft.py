"""Soft prompts: a point of feature space that is no object, under the bilinear kernel <f(x), P>.

The image of all such points is the column space of the features, so soft prompting is a linear probe: it reaches T up to
the norm of (I - Phi Phi^+) T. With no more objects than features that is 0 whatever T is, so only held-out objects count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.evidence import Criteria, Level, cut_at, permutation_p, split_objects
from presheaf.enriched.quantale import as_numbers
from presheaf.enriched.sources import as_features
from presheaf.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SoftPrompt:
    """The point of feature space nearest to a task, and how it does on objects that did not choose it.

    Attributes
    ----------
    point : float64 array of shape (d,)
        The least-squares solution of least norm.
    level : Level
        On held-out objects; ``level.fitted`` is the rank of the choosing objects' features.
    rho : float
        rho_soft: root mean square of T - <f(x), P> on the held-out objects; ``level.root`` has an interval where few deviations
        were cut.
    spread : float
        Root mean square of T on the held-out objects: rho_soft of the point 0.
    cover : float
        Probability that labels drawn at random for the choosing objects could be separated perfectly (Cover's count): where it
        is not small, a perfect fit on them says nothing.
    null_p : float
        Share of shuffled tasks that a point fitted to them meets as well on held-out objects.
    """

    point: Floats = field(repr=False)
    level: Level
    rho: float
    spread: float
    cover: float
    null_p: float

    @property
    def found(self) -> bool:
        """Whether a soft prompt was found. If not, that is no proof that there is none."""
        return self.level.verdict == "representable"

    def __repr__(self) -> str:
        said = "found" if self.found else "not found"
        return (
            f"SoftPrompt({said}, rho_soft {self.rho:.4g} of {self.spread:.4g} on held-out objects, "
            f"null p {self.null_p:.3g}, Cover {self.cover:.3g})"
        )


def soft_prompt(
    features: ArrayLike,
    task: ArrayLike,
    margin: float,
    *,
    scoring: ArrayLike | None = None,
    outside: float = 0.05,
    alpha: float = 0.05,
    rounds: int = 99,
    seed: int = 0,
) -> SoftPrompt:
    """Look for a point P of feature space with <f(x), P> = T(x), and judge it on held-out objects.

    Parameters
    ----------
    features : array of shape (n, d)
        f(x). Add a column of ones for an offset; it counts as a feature.
    task : float array of shape (n,)
        T as finite real numbers (not distances: this kernel has no quantale); for a label +1 and -1, say.
    margin : float
        Deviation |T(x) - <f(x), P>| that counts as none, fixed beforehand; 1 for labels +1 and -1 and a decision by sign.
    scoring : int array or bool mask, optional
        Objects that score; the others choose. Default a random half.
    outside, alpha : float
        As for ``representability``.
    rounds : int
        Shuffled tasks for the null; 0 for none.

    Raises
    ------
    InputError
        If features or task are not finite, or their lengths differ.

    Notes
    -----
    Cost: one singular value decomposition of the choosing objects' features, n d^2.
    """
    array = as_features(features)
    values = as_numbers(task, "task")
    if values.shape != (len(array),) or not np.isfinite(values).all():
        raise InputError(f"task must be one finite number for each of {len(array)} objects; got shape {values.shape}.")
    criteria = Criteria(margin, outside, alpha)
    choosing, held = split_objects(len(array), scoring, seed)
    rng = np.random.default_rng(seed)
    shuffles = [rng.permutation(len(array)) for _ in range(rounds)]
    tasks = values[np.stack([np.arange(len(array)), *shuffles])].T
    points, _, rank, _ = np.linalg.lstsq(array[choosing].astype(np.float64), tasks[choosing], rcond=None)
    seen = np.abs(tasks[held] - array[held].astype(np.float64) @ points)
    fitted = np.abs(values[choosing] - array[choosing].astype(np.float64) @ points[:, 0])
    # The fit leaves nothing where there are few objects, so the task's own size counts too.
    bound = cut_at(np.concatenate([fitted, np.abs(values[choosing])]), margin)
    level = criteria.judge("soft", (), seen[:, 0], bound, 0.0, int(rank))
    squares = np.mean(seen**2, axis=0)
    return SoftPrompt(
        np.asarray(points[:, 0], dtype=np.float64),
        level,
        float(np.sqrt(squares[0])),
        float(np.sqrt(np.mean(values[held] ** 2))),
        cover_probability(len(choosing), int(rank)),
        permutation_p(int(np.count_nonzero(squares[1:] <= squares[0])), rounds),
    )


def cover_probability(n: int, d: int) -> float:
    """Probability that a random labelling of n points in general position in R^d is linearly separable through the origin.

    2 sum_{k < d} binom(n - 1, k) / 2^n = P(Binomial(n - 1, 1/2) <= d - 1) (Cover 1965). 1 for n <= d, 1/2 for n = 2 d.
    Cost: one value of a distribution function.

    Raises
    ------
    InputError
        If n or d is below 1.
    """
    from scipy.special import bdtr

    if n < 1 or d < 0:
        raise InputError(f"Cover's count needs n >= 1 points and d >= 0 dimensions; got {n} and {d}.")
    if d == 0:
        return 0.0
    return float(bdtr(min(d, n) - 1, n - 1, 0.5))


def linearly_separable(features: ArrayLike, positive: ArrayLike) -> bool:
    """Whether some P has <f(x), P> > 0 exactly on the positive objects.

    Parameters
    ----------
    features : array of shape (n, d)
    positive : bool array of shape (n,)

    Notes
    -----
    Cost: one linear program with n rows and d unknowns, solved within its floating-point tolerance.
    """
    from scipy.optimize import linprog

    array = as_features(features).astype(np.float64)
    mask: NDArray[Any] = np.asarray(positive)
    if mask.shape != (len(array),) or mask.dtype != bool:
        raise InputError(f"positive must be a bool array of shape ({len(array)},); got {mask.shape} of {mask.dtype}.")
    if not array.shape[1]:
        return not len(array)
    signed = np.where(mask[:, None], array, -array)
    result = linprog(
        np.zeros(array.shape[1]), A_ub=-signed, b_ub=-np.ones(len(array)), bounds=(None, None), method="highs"
    )
    return bool(result.status == 0)
