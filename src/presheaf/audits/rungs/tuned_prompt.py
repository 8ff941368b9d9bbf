"""Rung: a soft prompt in the language model's embedding space, found by gradient in front of the chosen written prompt.

Its verdict is "found" or "not found": that gradient descent did not find a better prompt shows nothing about whether
there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from presheaf.audits.climb import Climb, absent
from presheaf.audits.context import Context
from presheaf.audits.numbers import signed
from presheaf.audits.prompting_result import Prompting, Score, TunedPrompt
from presheaf.audits.rungs.scored_part import chosen_words, first_rows, gain, plain, scored, texts_at
from presheaf.errors import InputError, ModelError

NAME = "tuned soft prompt"
STEPS, BATCH = 40, 8
"""Of training, and the rows of each; the null takes as many again."""
TRAINED, SCORED = 400, 400
"""Most rows of the choosing half that are trained on, and most of the scoring half that are scored."""


def climb(
    context: Context,
    lm: Any,
    prompting: Prompting,
    written: Climb,
    *,
    length: int = 8,
    steps: int = STEPS,
    seconds: float | None = None,
    trained: int = TRAINED,
    rows: int = SCORED,
    progress: Callable[[str, int, int], object] | None = None,
) -> tuple[Climb, TunedPrompt | None]:
    """Tune on the choosing half in front of the chosen written prompt; found when it beats that prompt, paired.

    Parameters
    ----------
    context : Context
        Of a task with texts.
    lm : language model
        With ``network`` and ``tokenizer`` (`presheaf.models.lm.causal.CausalLM`); the rung is absent without.
    prompting : Prompting
        Its chosen prompt gives template and label words.
    written : Climb
        What that prompt reached, calibrated as the choosing half preferred.
    seconds : float, optional
        Most wall time of the training, the null's included.
    progress : callable (stage, done, total)

    Notes
    -----
    Null: the same with permuted labels. Cost: see `presheaf.language.soft_prompt.tune_soft_prompt`; then two passes
    over the scored rows. Ctrl-C while it trains keeps the best vectors so far.
    """
    if not (hasattr(lm, "network") and hasattr(lm, "tokenizer")):
        return absent(NAME, "estimate", "this model's weights are not at hand, so there are no gradients"), None
    from presheaf.language.soft_prompt import STEP, tune_soft_prompt
    from presheaf.language.training import Budget

    template, words = chosen_words(context, prompting)
    told = None if progress is None else (lambda done, total: progress("tuning a soft prompt", done, total))
    choosing = context.halves.choosing[:trained]
    try:
        tuned = tune_soft_prompt(
            lm,
            texts_at(context, choosing),
            context.task.labels[choosing],
            words,
            template,
            length=length,
            budget=Budget(steps=steps, seconds=seconds, batch=BATCH, rate=STEP),
            groups=context.halves.groups[choosing],
            seed=context.seed,
            progress=told,
        )
        at = first_rows(context, rows, written)
        texts = texts_at(context, context.halves.scoring[at])
        scores = tuned.log_probs(lm, texts)
        random = None if tuned.null is None else tuned.log_probs(lm, texts, null=True).argmax(axis=1)
    except (InputError, ModelError) as error:
        return absent(NAME, "estimate", str(error)), None
    nulls = {} if random is None else {"permuted labels": float(np.mean(random == context.y_scoring[at]))}
    evidence: dict[str, Any] = {
        "length": length,
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
    }
    done = scored(
        context,
        NAME,
        at,
        scores,
        cost=f"{len(choosing):,} labelled rows; {length} vectors of {tuned.vectors.shape[1]}, trained",
        detail=f"{length} free vectors before the chosen prompt, {tuned.trained.steps} steps",
        nulls=nulls,
        evidence=evidence,
    )
    more = gain(context, done, written)
    found = more is not None and more.low > 0
    if more is not None:
        done.rung.evidence.update(gain=[more.value, more.low, more.high], gain_rows=more.rows, found=found)
    rung = done.rung
    assert rung.accuracy is not None
    assert rung.low is not None
    assert rung.high is not None
    said = TunedPrompt(
        found,
        length,
        Score(rung.accuracy, rung.low, rung.high),
        nulls.get("permuted labels"),
        tuned.trained.steps,
        _detail(more, tuned.trained.stopped),
    )
    return done, said


def _detail(more: Any, stopped: str) -> str:
    ended = "" if stopped in ("steps", "no longer better") else f"; training ended early ({stopped})"
    if more is None:
        return f"no row was scored by the written prompt too{ended}"
    return f"{signed(more.value)} [{signed(more.low)}, {signed(more.high)}] beside the chosen prompt on {more.rows:,} rows{ended}"
