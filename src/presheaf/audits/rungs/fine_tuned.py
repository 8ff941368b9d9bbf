"""Rung: a language model that was really fine-tuned, on the choosing half: the truth beside the forecast. On request only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from presheaf.audits.climb import Climb, absent
from presheaf.audits.context import Context
from presheaf.audits.prompting_result import Prompting
from presheaf.audits.rungs.scored_part import chosen_words, first_rows, gain, plain, scored, texts_at
from presheaf.errors import InputError, ModelError

NAMES = {"lora": "fine-tuned (LoRA)", "last_layers": "fine-tuned (last layers)"}
TRAINED, SCORED = 1000, 400
"""Most rows of the choosing half that are trained on, and most of the scoring half that are scored."""


def climb(
    context: Context,
    lm: Any,
    prompting: Prompting,
    written: Climb,
    *,
    method: str = "lora",
    forecast: Climb | None = None,
    steps: int = 120,
    seconds: float | None = None,
    trained: int = TRAINED,
    rows: int = SCORED,
    folder: Path | None = None,
    progress: Callable[[str, int, int], object] | None = None,
) -> Climb:
    """Fine-tune a copy with the chosen prompt's template and label words, and score it on held-out rows.

    Parameters
    ----------
    context : Context
        Of a task with texts.
    lm : language model
        With ``network`` and ``tokenizer`` (`presheaf.models.lm.causal.CausalLM`); the rung is absent without.
    prompting : Prompting
        Its chosen prompt gives template and label words.
    written : Climb
        What that prompt reached; the gain over it is evidence.
    method : "lora" or "last_layers"
    forecast : Climb, optional
        The fine-tuning forecast; whether the truth lies in its interval is evidence.
    folder : path, optional
        Where a checkpoint is kept; the same call goes on from it.
    progress : callable (stage, done, total)

    Notes
    -----
    Cost: see `presheaf.language.fine_tune.fine_tune`; then one pass over the scored rows. A budget of some hundred steps
    shows what a short training reaches, which is less than what a long one may.
    """
    name = NAMES.get(method, f"fine-tuned ({method})")
    if not (hasattr(lm, "network") and hasattr(lm, "tokenizer")):
        return absent(name, "estimate", "this model's weights are not at hand")
    from presheaf.language.fine_tune import METHODS, RATES, fine_tune
    from presheaf.language.training import Budget

    rate = next((RATES[one] for one in METHODS if one == method), 1e-4)
    template, words = chosen_words(context, prompting)
    told = None if progress is None else (lambda done, total: progress("fine-tuning", done, total))
    choosing = context.halves.choosing[:trained]
    try:
        tuned = fine_tune(
            lm,
            texts_at(context, choosing),
            context.task.labels[choosing],
            words,
            template,
            method=method,
            budget=Budget(steps=steps, seconds=seconds, rate=rate),
            groups=context.halves.groups[choosing],
            folder=folder,
            seed=context.seed,
            progress=told,
        )
        at = first_rows(context, rows, written)
        scores = tuned.log_probs(lm, texts_at(context, context.halves.scoring[at]))
    except (InputError, ModelError) as error:
        return absent(name, "estimate", str(error))
    done = scored(
        context,
        name,
        at,
        scores,
        cost=f"{len(choosing):,} labelled rows; training {tuned.weights:,} weights",
        detail=f"{tuned.trained.steps} steps, best after {tuned.trained.best_step}",
        evidence={
            "method": method,
            "weights": tuned.weights,
            "steps": tuned.trained.steps,
            "best_step": tuned.trained.best_step,
            "stopped": tuned.trained.stopped,
            "seconds": round(tuned.trained.seconds, 1),
            "history": plain(tuned.trained.history),
            "trained_rows": tuned.rows,
            "rows_kept_apart": tuned.kept_apart,
            "cut_prompts": tuned.cut,
            "template": template,
            "words": list(words),
        },
    )
    more = gain(context, done, written)
    if more is not None:
        done.rung.evidence["gain"] = [more.value, more.low, more.high]
    if forecast is not None and forecast.rung.low is not None and forecast.rung.high is not None:
        held = forecast.rung.low <= (done.rung.accuracy or 0.0) <= forecast.rung.high
        done.rung.evidence["forecast"] = {"low": forecast.rung.low, "high": forecast.rung.high, "held": held}
    return done
