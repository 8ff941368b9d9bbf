"""Why the ladder came out as it did: laws, representability, prompt curve, ceilings, Kan gap and losses of a model's hom."""

from __future__ import annotations

import numpy as np

from presheaf.audits.climb import Climb
from presheaf.audits.context import Context
from presheaf.audits.result import CurvePoint
from presheaf.audits.rungs import head
from presheaf.audits.why_labels import decision, per_label
from presheaf.audits.why_limits import ceilings, gap, loss
from presheaf.audits.why_result import LawsSeen, Setting, Why
from presheaf.audits.why_sample import OUTSIDE, Sample, estimate, sample
from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.kernel import angle
from presheaf.enriched.laws import laws
from presheaf.enriched.soft import cover_probability

TRIPLES = 30_000
LEAST_FEATURES = 8
"""Features below which a half of them says too little to measure noise by."""
TURNED = 1024
"""Features up to which the directions that part them are made orthogonal."""


def explain(context: Context, climbs: dict[str, Climb], curve: tuple[CurvePoint, ...]) -> tuple[Why | None, str]:
    """What the model's category says about the task, and "computed"; or None and why nothing is said.

    Parameters
    ----------
    context : Context
    climbs : dict of Climb
        The ladder; errors of its head are taken apart.
    curve : tuple of CurvePoint
        Measured prompt curve, shown beside the theory's.

    Returns
    -------
    Why or None
        None where there are too few rows, labels or directions.
    str
        For the settings.

    Notes
    -----
    The hom is the angle between features, lawful for every model. Two distances are fixed on the choosing rows without their
    labels. Prompts and anchors come from the choosing half, every estimate from the other. Cost: independent of the rows beyond
    1,200 a half (6,000 in all for ceilings); a few blocks of 2,400 x 1,200 distances in memory, never rows x rows.
    """
    taken = sample(context)
    if isinstance(taken, str):
        return None, taken
    labels, left_out, points = per_label(taken, curve)
    top, open_rows = ceilings(taken), gap(taken)
    total, parts = loss(taken, climbs[head.NAME])
    rows = len(np.unique(context.halves.groups[context.halves.choosing]))
    dimensions = context.features.shape[1]
    found = Why(
        _setting(taken),
        _laws(taken),
        decision(taken),
        labels,
        left_out,
        points,
        top.points,
        top.rows,
        top.nearest_conflict,
        open_rows.open,
        open_rows.contradicted,
        open_rows.rows,
        open_rows.left_out,
        head.NAME,
        total,
        parts,
        cover_probability(rows, dimensions),
        rows,
        dimensions,
    )
    return found, "computed"


def _setting(taken: Sample) -> Setting:
    hom = taken.hom
    return Setting(
        hom.name,
        hom.quantale.name,
        hom.lawful,
        hom.reason,
        2,
        taken.choosing,
        len(taken.rows) - taken.choosing,
        taken.scale,
        taken.margin,
        OUTSIDE,
        taken.lam,
    )


def _laws(taken: Sample) -> LawsSeen:
    seen = laws(taken.hom, triples=TRIPLES, exact_up_to=100, seed=taken.context.seed)
    return LawsSeen(
        "proof" if seen.exact else "estimate",
        seen.triples,
        estimate(seen.share),
        estimate(seen.mean),
        seen.largest,
        estimate(seen.symmetry),
        *_noise(taken),
    )


def _noise(taken: Sample) -> tuple[float | None, str]:
    """The noise floor of a triple, and between which two measurements; None and why where there are none.

    Every model has two measurements of the same rows without another encoding: its features along a random half of the
    directions and along the other half. What a triple says by the one and not by the other is noise (theory's split halves).
    """
    features = taken.context.features[taken.rows]
    d = features.shape[1]
    if d < LEAST_FEATURES:
        return None, f"{d} features are too few to part"
    turn = np.random.default_rng([taken.context.seed, 6]).standard_normal((d, d // 2 * 2), dtype=np.float32)
    if d <= TURNED:
        turn = np.linalg.qr(turn)[0]
    one, other = (hom_from_features(part, angle()) for part in np.hsplit(features @ turn, 2))
    seen = laws(one, noise=other, triples=TRIPLES, exact_up_to=100, seed=taken.context.seed)
    return seen.floor, "two halves of the features"
