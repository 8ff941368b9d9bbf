"""The rungs that only a language model has: what prompting it reaches, measured, and its weights when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from presheaf.audits.answers import AnswerModel, is_language_model
from presheaf.audits.climb import Climb, absent
from presheaf.audits.context import Context
from presheaf.audits.prompting import prompting_rungs
from presheaf.audits.prompting_result import Prompting
from presheaf.audits.prompting_trial import PromptingOptions
from presheaf.audits.rungs import few_shot, fine_tune, fine_tuned, layer_probe, tuned_prompt, written_prompt
from presheaf.models.base import Model
from presheaf.models.lm.base import LanguageModel
from presheaf.tables.task import Task

ORDER = (
    "majority class",
    "one prompt per label",
    written_prompt.NAME,
    few_shot.NAME,
    "k prompts per label",
    tuned_prompt.NAME,
    "soft prompt",
    layer_probe.NAME,
    "head",
    fine_tune.NAME,
    *fine_tuned.NAMES.values(),
)
"""The ladder, cheapest adaptation first."""


@dataclass(frozen=True, eq=False)
class LanguageClimbs:
    """What was measured: the climbs, the record of prompting, and why it is not whole ("" when it is)."""

    climbs: dict[str, Climb]
    prompting: Prompting | None
    stopped: str = ""


def in_order(climbs: dict[str, Climb]) -> dict[str, Climb]:
    """The ladder in its order; rungs that it does not name come last, as they were."""
    known = [name for name in ORDER if name in climbs]
    return {name: climbs[name] for name in [*known, *(name for name in climbs if name not in known)]}


def seen_through_answers(models: Sequence[object], task: Task, options: PromptingOptions) -> list[Model]:
    """Every model as one with features: a language model without any is seen through its answers to prompts."""
    return [
        AnswerModel(model, task, options)  # type: ignore[arg-type]
        if is_language_model(model) and not hasattr(type(model), "encode") and task.texts is not None
        else model  # type: ignore[misc]
        for model in models
    ]


def language_of(model: Model) -> LanguageModel | None:
    """The language model behind a model; None where there is none."""
    behind = model.language if isinstance(model, AnswerModel) else model
    return behind if is_language_model(behind) else None  # type: ignore[return-value]


def climb_language(context: Context, options: PromptingOptions, interrupted: str = "") -> LanguageClimbs:
    """Written, few-shot and tuned prompts and the layer probe; nothing for a model that is no language model.

    Ctrl-C gives up the rungs that were not reached; scores are kept, and the next run goes on from there. A run that was
    ``interrupted`` before asks nothing: these rungs take longer than everything that was given up.

    Notes
    -----
    Cost: see `prompting_rungs`, `tuned_prompt.climb` and `layer_probe.climb`.
    """
    model = language_of(context.model)
    if model is None or context.task.texts is None:
        return LanguageClimbs({}, None)
    climbs: dict[str, Climb] = {}
    prompting: Prompting | None = None
    if interrupted:
        return LanguageClimbs(_given_up(climbs, options, "stopped before the model was prompted"), None)
    try:
        climbs, prompting = prompting_rungs(model, context.task, context.halves, options)
        climbs[layer_probe.NAME] = layer_probe.climb(context, model, progress=options.progress)
        if options.tune:
            climbs[tuned_prompt.NAME], tuned = tuned_prompt.climb(
                context, model, prompting, climbs[written_prompt.NAME], progress=options.progress
            )
            prompting = replace(prompting, tuned=tuned)
    except KeyboardInterrupt:
        said = "stopped while the model was prompted; its answers are kept, and the next run goes on from there"
        return LanguageClimbs(_given_up(climbs, options, said), prompting, said)
    return LanguageClimbs(climbs, prompting)


def _given_up(climbs: dict[str, Climb], options: PromptingOptions, why: str) -> dict[str, Climb]:
    """The climbs, and the rungs that were not reached with the reason."""
    names = [written_prompt.NAME, few_shot.NAME, layer_probe.NAME, *([tuned_prompt.NAME] if options.tune else [])]
    return climbs | {name: absent(name, "estimate", why) for name in names if name not in climbs}


def climb_weights(
    context: Context, options: PromptingOptions, found: LanguageClimbs, forecast: Climb, method: str
) -> Climb | None:
    """The fine-tuned model, measured; None for a model that is no language model or was stopped before."""
    model = language_of(context.model)
    if model is None or found.prompting is None:
        return None
    return fine_tuned.climb(
        context,
        model,
        found.prompting,
        found.climbs[written_prompt.NAME],
        method=method,
        forecast=forecast,
        progress=options.progress,
    )
