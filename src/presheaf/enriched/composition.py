"""Does a concept compose? The defect of an object as the meet (limit) or join (colimit) of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.hom import Hom, Variance
from presheaf.enriched.quantale import excess
from presheaf.enriched.to_anchors import as_objects
from presheaf.enriched.ustatistics import jackknife, quantile_interval
from presheaf.errors import InputError, one_of
from presheaf.statistics.intervals import Interval

Floats = NDArray[np.float64]
Kind = Literal["meet", "join"]
KINDS = ("meet", "join")


@dataclass(frozen=True)
class Composition:
    """How far an object is from the meet or join of its parts, over all objects x, in distances.

    Attributes
    ----------
    kind : "meet" or "join"
    whole : int
    parts : tuple of int
    kappa : float
        sup over x of |d(x, P) - max_i d(x, X_i)| (meet) or |d(P, x) - max_i d(X_i, x)| (join): a fact about these objects.
    missing : float
        The side on which P is further than the parts ask: sup (d(x, P) - max_i d(x, X_i))^+.
    extra : float
        The side on which P is nearer than a part: sup (max_i d(x, X_i) - d(x, P))^+. At x = P it says that a part does
        not follow from P.
    witness : int
        An x at which kappa is reached.
    mean, q95 : Interval
        Of the absolute difference over x; estimates for further objects.
    null : float
        Mean of the same for as many random objects in place of the parts, the whole kept.
    p : float
        Share of these draws, the given parts counted among them, whose mean is no larger; at least 1 / (draws + 1).
    draws : int
    """

    kind: str
    whole: int
    parts: tuple[int, ...]
    kappa: float
    missing: float
    extra: float
    witness: int
    mean: Interval
    q95: Interval
    null: float
    p: float
    draws: int

    def composes(self, tolerance: float) -> bool:
        """Whether the whole is the meet (join) of its parts as far as these objects tell, within ``tolerance``."""
        return self.kappa <= tolerance

    def __repr__(self) -> str:
        return (
            f"Composition({self.whole} as {self.kind} of {self.parts}: kappa {self.kappa:.3g} at object {self.witness}, mean "
            f"{self.mean.value:.3g} [{self.mean.low:.3g}, {self.mean.high:.3g}]; random parts {self.null:.3g}, p = {self.p:.3f})"
        )


def kappa(
    hom: Hom,
    whole: int,
    parts: ArrayLike,
    kind: Kind,
    objects: ArrayLike | None = None,
    draws: int = 199,
    seed: int = 0,
) -> Composition:
    """Test the claim that one object is the meet, or the join, of others.

    Parameters
    ----------
    hom : Hom
    whole : int
        P.
    parts : int array of shape (r,), r >= 1
        X_i.
    kind : "meet" or "join"
        A meet is tested by maps into it, hom(x, P) = meet of hom(x, X_i) (contravariant); a join by maps out of it,
        hom(P, x) = meet of hom(X_i, x) (covariant). In a symmetric hom the two are the same test.
    objects : int array, optional
        The x that test; all objects by default. After a transfer only the image of F carries a claim: name it here.
    draws : int
        Random sets of r parts for the null.

    Raises
    ------
    InputError
        If an object is not one of the hom's, or there is no part.

    Notes
    -----
    In distances the meet is the largest: d(x, P) = max_i d(x, X_i). Cost: linear in objects x (parts + draws x parts).
    """
    one_of("kind", kind, KINDS)
    members = np.asarray(parts)
    if members.ndim != 1 or not len(members):
        raise InputError(f"parts must name at least one object; got shape {members.shape}.")
    variance: Variance = "contravariant" if kind == "meet" else "covariant"
    tests = as_objects(hom, objects, "objects")
    own = hom.row(whole, variance)[tests]
    limit = hom.columns(members, variance, np.float64)[tests].max(axis=1)
    missing, extra = excess(own, limit), excess(limit, own)
    apart = np.maximum(missing, extra)
    value, n = float(apart.mean()), len(tests)
    low, high = jackknife(apart, value, 1) if np.isfinite(value) else (0.0, np.inf)
    null = _random_parts(hom, own, tests, len(members), variance, draws, seed)
    return Composition(
        kind,
        int(whole),
        tuple(int(x) for x in members),
        float(apart.max()),
        float(missing.max()),
        float(extra.max()),
        int(tests[np.argmax(apart)]),
        Interval(value, max(0.0, low), high, n, float(n), "t over objects"),
        quantile_interval(float(np.quantile(apart, 0.95, method="inverted_cdf")), apart, 0.95, n),
        float(null.mean()) if draws else float("nan"),
        (1 + int(np.sum(null <= value))) / (1 + draws),
        draws,
    )


def _random_parts(
    hom: Hom, own: Floats, tests: NDArray[np.int64], count: int, variance: Variance, draws: int, seed: int
) -> Floats:
    """Mean difference for random parts, shape (draws,)."""
    rng = np.random.default_rng(seed)
    means = np.empty(draws)
    for draw in range(draws):
        members = rng.choice(hom.n, size=count, replace=count > hom.n)
        limit = hom.columns(members, variance, np.float64)[tests].max(axis=1)
        means[draw] = np.maximum(excess(own, limit), excess(limit, own)).mean()
    return means
