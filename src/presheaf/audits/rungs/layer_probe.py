"""Rung: a linear probe on the best layer of a language model: what its features hold, whatever prompting gets out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from presheaf.audits.climb import Climb, absent
from presheaf.audits.context import Context
from presheaf.audits.rungs.scored_part import first_rows, scored, texts_at
from presheaf.errors import InputError

NAME = "layer probe"
ROWS = 500
"""Most rows of each half whose hidden states are read."""


def climb(
    context: Context,
    lm: Any,
    *,
    rows: int = ROWS,
    progress: Callable[[str, int, int], object] | None = None,
) -> Climb:
    """Layer and penalty by cross-validation inside the choosing half, scored on the other; the curve is evidence.

    Parameters
    ----------
    context : Context
        Of a task with texts.
    lm : model with ``hidden_layers`` (`presheaf.models.lm.causal.CausalLM`); the rung is absent without.
    progress : callable (stage, done, total)

    Notes
    -----
    Null: the same choice with permuted labels. Cost: one forward pass a row, four eigendecompositions a layer.
    """
    if not hasattr(lm, "hidden_layers"):
        return absent(NAME, "estimate", "this model shows no hidden states")
    from presheaf.language.layer_probe import probe_layers

    told = None if progress is None else (lambda done, total: progress("reading every layer", done, total))
    choosing, at = context.halves.choosing[:rows], first_rows(context, rows)
    scoring = context.halves.scoring[at]
    try:
        probe = probe_layers(
            lm,
            texts_at(context, choosing),
            context.task.labels[choosing],
            texts_at(context, scoring),
            context.task.labels[scoring],
            context.classes,
            groups=context.halves.groups[choosing],
            groups_held_out=context.halves.groups[scoring],
            seed=context.seed,
            progress=told,
        )
    except InputError as error:
        return absent(NAME, "estimate", str(error))
    curve = [
        {
            "layer": one.layer,
            "choosing": one.choosing,
            "accuracy": one.held_out.value,
            "low": one.held_out.low,
            "high": one.held_out.high,
        }
        for one in probe.layers
    ]
    return scored(
        context,
        NAME,
        at,
        probe.scores,
        cost=f"{len(choosing):,} labelled rows; training a linear head",
        detail=f"layer {probe.chosen} of {len(probe.layers) - 1}, penalty {probe.best.penalty:g}",
        nulls={"permuted labels": probe.null},
        evidence={
            "layer": probe.chosen,
            "penalty": probe.best.penalty,
            "choosing_accuracy": probe.best.choosing,
            "tried": probe.tried,
            "trained_rows": len(choosing),
            "layers": curve,
        },
    )
