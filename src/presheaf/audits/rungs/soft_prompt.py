"""Rung 4: a soft prompt, one free vector per label; for a bilinear k_f this is a linear probe.

The Yoneda lemma makes a perfect prompt of the task itself once prompts need not be objects; with as many dimensions
as rows that always works on the rows seen, so only held-out rows and random features of the same size say anything.
"""

from __future__ import annotations

import numpy as np

from presheaf.audits.baseline import without_model
from presheaf.audits.classifiers import linear_recipes, ridges, select
from presheaf.audits.climb import Climb, absent, measured
from presheaf.audits.context import CURVE_ROWS, SELECTION_ROWS, Context

NAME = "soft prompt"
PERMUTATIONS = 20
NULL_PENALTIES = (0.1, 1.0, 10.0, 100.0)


def climb(context: Context) -> Climb:
    """Recipe and penalty by three-fold selection inside the choosing half, fitted on all of it.

    Nulls: the same on random features of the words (of images: of small pixels) of the same size, and the same with permuted labels.

    Notes
    -----
    Cost: a dozen linear fits on at most 6,000 rows and one on the choosing half.
    """
    if len(np.unique(context.y_choosing)) < 2:
        return absent(NAME, "estimate", "only one class on the choosing half")
    pick = context.pick
    recipe, tried = select(
        linear_recipes(context.classes),
        context.x_choosing[pick],
        context.y_choosing[pick],
        context.fold,
        context.classes,
    )
    fitted = recipe.fit(context.x_choosing, context.y_choosing, context.classes)
    nulls = {"permuted labels": _permuted(context)}
    if context.task.objects is not None:
        nulls = {"random features": _random(context), **nulls}
    return measured(
        context,
        NAME,
        fitted.decide,
        cost=f"{len(context.y_choosing):,} labelled rows; {context.classes} vectors of {context.features.shape[1]}",
        detail=recipe.name,
        nulls=nulls,
        evidence={"recipe": recipe.name, "cross_validated": tried, "choosing_accuracy": tried[recipe.name]},
    )


def _permuted(context: Context) -> float:
    """Mean held-out accuracy of ridge regression on permuted labels, its penalty chosen for each permutation.

    The strongest penalty answers with the most common class, as any rule does well to when there is nothing to learn.
    """
    x, y = context.x_choosing[:SELECTION_ROWS], context.y_choosing[:SELECTION_ROWS]
    test, truth = context.x_scoring[:CURVE_ROWS], context.y_scoring[:CURVE_ROWS]
    draws = max(1, min(PERMUTATIONS, 400 // context.classes))
    rng = np.random.default_rng(context.seed + 11)
    labels = [rng.permutation(y) for _ in range(draws)]
    learn, check = context.fold != 0, context.fold == 0
    choosing = np.zeros((len(NULL_PENALTIES), draws))
    scoring = np.zeros_like(choosing)
    for p, penalty in enumerate(NULL_PENALTIES):
        parts = ridges(x[learn], [label[learn] for label in labels], context.classes, penalty)
        for i, (part, whole) in enumerate(zip(parts, ridges(x, labels, context.classes, penalty), strict=True)):
            choosing[p, i] = (part.decide(x[check]).argmax(axis=1) == labels[i][check]).mean()
            scoring[p, i] = (whole.decide(test).argmax(axis=1) == truth).mean()
    return float(np.mean(scoring[choosing.argmax(axis=0), np.arange(draws)]))


def _random(context: Context) -> float:
    """Held-out accuracy of the best linear recipe on random features of the same size."""
    choosing, scoring = context.halves.choosing[:CURVE_ROWS], context.halves.scoring[:CURVE_ROWS]
    features = without_model(context.task, (*choosing, *scoring), context.features.shape[1], context.seed)
    x, test = features[: len(choosing)], features[len(choosing) :]
    y = context.y_choosing[: len(choosing)]
    fold = context.fold[: len(y)]
    recipes = [r for r in linear_recipes(context.classes) if r.family == "ridge"]
    recipe, _ = select(recipes, x[: len(fold)], y[: len(fold)], fold, context.classes)
    predicted = recipe.fit(x, y, context.classes).decide(test).argmax(axis=1)
    return float((predicted == context.y_scoring[: len(scoring)]).mean())
