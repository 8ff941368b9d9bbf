"""The rungs that go by features alone, for the model and for the baseline beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.climb import Climb
from presheaf.audits.context import Context
from presheaf.audits.options import Options
from presheaf.audits.result import CurvePoint, Forecast, PromptChoice
from presheaf.audits.rungs import head, k_prompts, majority, one_prompt, soft_prompt
from presheaf.errors import ModelError
from presheaf.models.features import encode_all, unit

BASELINE_DIM = 300
Ladder = tuple[dict[str, Climb], tuple[PromptChoice, ...], tuple[CurvePoint, ...], Forecast | None]


def climb_features(context: Context, options: Options, told: Callable[[int, int], object] | None) -> Ladder:
    """The rungs that every model has: from the majority class to the head."""
    climbs: dict[str, Climb] = {majority.NAME: majority.climb(context)}
    steps = 4
    if told:
        told(0, steps)
    climbs[one_prompt.NAME], prompts = one_prompt.climb(context, options.user)
    if told:
        told(1, steps)
    climbs[k_prompts.NAME], curve, forecast = k_prompts.climb(context, options.target)
    if told:
        told(2, steps)
    climbs[soft_prompt.NAME] = soft_prompt.climb(context)
    if told:
        told(3, steps)
    climbs[head.NAME] = head.climb(context, climbs[soft_prompt.NAME])
    if told:
        told(4, steps)
    return climbs, prompts, curve, forecast


def climb_baseline(context: Context, options: Options) -> dict[str, Climb]:
    """The same rungs of TF-IDF + SVD on the same halves; empty without words to count or when the model is TF-IDF itself."""
    task = context.task
    if not options.baseline or task.texts is None or context.model.info.kind == "tfidf":
        return {}
    from presheaf.models.tfidf import TfidfModel

    plain = TfidfModel(dim=BASELINE_DIM)
    try:
        plain.fit([task.texts[i] for i in context.halves.choosing])
    except ModelError:  # texts without a word
        return {}
    features = unit(encode_all(plain, task.texts))

    def encode_prompts(texts: Sequence[str]) -> NDArray[np.float32]:
        return unit(encode_all(plain, list(texts)))

    other = Context(plain, task, features, context.halves, None, encode_prompts, options.seed)
    return climb_features(other, options, options.said("the same ladder for TF-IDF + SVD"))[0]
