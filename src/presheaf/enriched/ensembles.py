"""How many prompts are enough, judged on objects that did not choose them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from presheaf.enriched.density import PromptCurve, prompt_curve
from presheaf.enriched.evidence import Criteria, Level, candidate_objects, cut_at, deviation, split_objects
from presheaf.enriched.functor import as_task
from presheaf.enriched.hom import LIMIT, Hom, Variance
from presheaf.enriched.weights import ensemble, thinned


@dataclass(frozen=True, eq=False)
class Ensembles:
    """The prompt curve on choosing objects, and each of its ensembles on held-out objects.

    Attributes
    ----------
    curve : PromptCurve
        On the objects that chose.
    levels : tuple of Level
        For k = 1..most prompts, with k weights fitted: "representable" or "cannot say", each at level alpha / most. That no
        choice of k prompts will do is said by ``curve.low`` for the objects that chose, and for one prompt by
        ``representability``.
    enough : int or None
        Least k whose ensemble is "representable". Wrong with probability at most alpha (Bonferroni over k).
    """

    curve: PromptCurve
    levels: tuple[Level, ...] = field(repr=False)
    enough: int | None
    criteria: Criteria = field(repr=False)


def ensembles(
    hom: Hom,
    task: ArrayLike,
    variance: Variance,
    margin: float,
    most: int,
    *,
    candidates: ArrayLike | None = None,
    scoring: ArrayLike | None = None,
    outside: float = 0.05,
    alpha: float = 0.05,
    exact: bool = False,
    seed: int = 0,
    limit_bytes: int = LIMIT,
) -> Ensembles:
    """Choose 1..most weighted prompts on some objects and judge them on the others.

    Parameters
    ----------
    hom : Hom
    task : float array of shape (n,)
        In distances.
    variance : "contravariant" or "covariant"
    margin : float
        Deviation |T - T_{A,w}| that counts as none, fixed beforehand.
    most : int
    candidates : int array, optional
        Objects that may be prompts; default those that choose.
    scoring : int array or bool mask, optional
        Objects that score; default a random half.
    outside, alpha : float
        As for ``representability``; alpha is shared among the numbers of prompts.
    exact : bool
        As for ``prompt_curve``.

    Notes
    -----
    As many choosing objects, at random, as fit ``limit_bytes`` with their distances to all candidates take part. Cost: that of
    ``prompt_curve``, and n k distances for each k.
    """
    values, criteria = as_task(hom, task), Criteria(margin, outside, alpha / max(1, most))
    choosing, held = split_objects(hom.n, scoring, seed)
    rng = np.random.default_rng(seed)
    if candidates is None:
        # A square of distances has to fit with the costs.
        side = max(2, int((limit_bytes / 64) ** 0.5))
        choosing = points = choosing if len(choosing) <= side else np.sort(rng.permutation(choosing)[:side])
    else:
        points = candidate_objects(hom.n, candidates, choosing)
        choosing = thinned(choosing, len(points), rng, limit_bytes // 2)
    curve = prompt_curve(
        hom, values, variance, most, candidates=points, objects=choosing, exact=exact, limit_bytes=limit_bytes
    )
    levels = []
    for fit in curve.fits:
        off = deviation(ensemble(hom, fit.prompts, fit.weights, variance, limit_bytes), values)
        bound = cut_at(off[choosing], criteria.margin)
        seen = off[np.setdiff1d(held, fit.prompts)]
        levels.append(criteria.judge("ensemble", fit.prompts, seen, bound, 0.0, len(fit.prompts)))
    enough = next((k for k, level in enumerate(levels, 1) if level.verdict == "representable"), None)
    return Ensembles(curve, tuple(levels), enough, criteria)
