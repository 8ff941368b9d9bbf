"""The rungs that go by features alone, for the model and for the baseline beside it."""

from __future__ import annotations

from collections.abc import Callable

from presheaf.audits.baseline import plain_model, plain_of
from presheaf.audits.climb import Climb
from presheaf.audits.context import Context
from presheaf.audits.options import Options
from presheaf.audits.reading import prompt_encoder
from presheaf.audits.result import CurvePoint, Forecast, PromptChoice
from presheaf.audits.rungs import head, k_prompts, majority, one_prompt, soft_prompt
from presheaf.errors import ModelError
from presheaf.models.features import encode_all, unit

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
    """The same rungs of the plain baseline on the same halves; empty without objects or when the model is the baseline."""
    task = context.task
    if not options.baseline or task.objects is None:
        return {}
    plain = plain_model(task)
    if context.model.info.kind == plain.info.kind:
        return {}
    try:
        plain.fit([task.objects[i] for i in context.halves.choosing])
    except ModelError:  # texts without a word
        return {}
    features = unit(encode_all(plain, task.objects))

    other = Context(plain, task, features, context.halves, None, prompt_encoder(plain, None), options.seed)
    return climb_features(other, options, options.said(f"the same ladder for {plain_of(task.media).name}"))[0]
