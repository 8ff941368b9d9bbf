"""Rung 5: a head, any function of the frozen features: the best of a small set by nested selection."""

from __future__ import annotations

import numpy as np

from presheaf.audits.classifiers import Recipe, head_recipes, select
from presheaf.audits.climb import Climb, Decide, absent, measured
from presheaf.audits.context import Context

NAME = "head"


def climb(context: Context, soft: Climb) -> Climb:
    """The soft prompt's recipe against neighbours and smooth functions, selected inside the choosing half.

    Notes
    -----
    Cost: three fits a recipe on at most 6,000 rows, one fit on the choosing half.
    """
    if len(np.unique(context.y_choosing)) < 2 or soft.decide is None:
        return absent(NAME, "estimate", soft.rung.missing or "only one class on the choosing half")
    pick = context.pick
    recipe, tried = select(
        head_recipes(), context.x_choosing[pick], context.y_choosing[pick], context.fold, context.classes
    )
    linear = str(soft.rung.evidence["recipe"])
    tried = {linear: float(soft.rung.evidence["choosing_accuracy"]), **tried}
    if tried[linear] >= tried[recipe.name]:
        name, decide = linear, soft.decide
    else:
        name, decide = recipe.name, _fit(context, recipe)
    return measured(
        context,
        NAME,
        decide,
        cost=f"{len(context.y_choosing):,} labelled rows; training a head",
        detail=f"{name} (best of {len(tried)} kinds)",
        evidence={"recipe": name, "cross_validated": tried, "choosing_accuracy": tried[name]},
    )


def _fit(context: Context, recipe: Recipe) -> Decide:
    return recipe.fit(context.x_choosing, context.y_choosing, context.classes).decide
