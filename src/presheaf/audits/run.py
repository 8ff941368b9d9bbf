"""The public verb: audit(model, task)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from presheaf.audits.answers import is_language_model
from presheaf.audits.baseline import plain_of
from presheaf.audits.climb import Climb
from presheaf.audits.context import Context, Halves, canonical_order, split
from presheaf.audits.defaults import PROMPT_ROWS, SHOTS
from presheaf.audits.findings import run_checks
from presheaf.audits.findings.base import FROZEN, Evidence
from presheaf.audits.ladder import climb_baseline, climb_features
from presheaf.audits.language_rungs import LanguageClimbs, climb_language, climb_weights, in_order, seen_through_answers
from presheaf.audits.merges import Merges
from presheaf.audits.options import OnPreview, OnProgress, Options
from presheaf.audits.prompts import UserPrompts
from presheaf.audits.reading import inputs, objects_of, previews, prompt_encoder, read_features, restrict, same_input
from presheaf.audits.result import Audit
from presheaf.audits.rungs import bounds, fine_tune
from presheaf.audits.statements import NONE, statement
from presheaf.audits.verdict import MARGIN, decide
from presheaf.audits.why import explain
from presheaf.audits.worst import worst_rows
from presheaf.errors import InputError
from presheaf.models.base import Model
from presheaf.models.cache import FeatureCache
from presheaf.tables.task import Task


@dataclass(frozen=True, eq=False)
class Outcome:
    """An audit with what a comparison and a benchmark need besides: the rules and the held-out hits."""

    audit: Audit
    context: Context
    climbs: dict[str, Climb]


def audit(
    model: Model,
    task: Task,
    *,
    target: float | None = None,
    prompts: UserPrompts | None = None,
    seed: int = 0,
    cache: FeatureCache | None = None,
    baseline: bool = True,
    progress: OnProgress | None = None,
    on_preview: OnPreview | None = None,
    why: bool = True,
    shots: Sequence[int] = SHOTS,
    prompt_rows: int = PROMPT_ROWS,
    tune: bool = True,
    fine_tune: str | None = None,
) -> Audit:
    """What this model can be made to do on this task, rung by rung, on rows held out.

    Parameters
    ----------
    model : Model or LanguageModel
        From `load_model`. A language model also climbs the rungs of written, few-shot and tuned prompts.
    task : Task
        From `read_task`.
    target : float in (0, 1], optional
        Accuracy that is wanted; the verdict says what reaches it.
    prompts : UserPrompts, optional
        From `read_prompts`.
    seed : int
        Of the halves, the folds and the draws.
    cache : FeatureCache, optional
        Where features are kept; the user's cache folder by default.
    baseline : bool
        Whether a plain baseline climbs the same ladder beside the model: TF-IDF + SVD for texts, pixels for images.
    progress, on_preview : callables, optional
        Told what is being done, and rough numbers while rows come in.
    why : bool
        Whether to say what the model's category makes of the task (`Audit.why`).
    shots : sequence of int
        Numbers of labelled examples in a language model's prompt.
    prompt_rows : int
        Most rows of each half that all prompts of a language model are tried on.
    tune : bool
        Whether a soft prompt is tuned by gradient where a language model's weights are at hand.
    fine_tune : "lora" or "last_layers", optional
        Fine-tune a copy of the language model and measure it beside the forecast. Minutes.

    Returns
    -------
    Audit
        The same for every order of the rows. After Ctrl-C while features are computed, the audit of the rows seen so
        far, marked as interrupted.

    Raises
    ------
    InputError
        If the model and the task don't fit, there are fewer than two rows, or the target is no accuracy.

    Notes
    -----
    Cost: one pass of the encoder over the distinct objects, then linear in rows.
    """
    options = Options(
        check_target(target),
        prompts or UserPrompts(),
        check_seed(seed),
        cache or FeatureCache(),
        progress,
        on_preview,
        baseline,
        why,
        tuple(shots),
        prompt_rows,
        tune,
        fine_tune,
    )
    return run([model], task, options)[0].audit


def check_target(target: float | None) -> float | None:
    """The target if it is an accuracy (0 < target <= 1); otherwise InputError."""
    if target is None:
        return None
    if isinstance(target, bool) or not isinstance(target, int | float | np.integer | np.floating):
        raise InputError(f"'target' must be an accuracy above 0 and at most 1, e.g. 0.9; got {target!r}.")
    if not 0 < target <= 1:
        hint = f" Did you mean {target / 100:g}?" if 1 < target <= 100 else ""
        raise InputError(f"'target' must be an accuracy above 0 and at most 1, e.g. 0.9; got {target:g}.{hint}")
    return float(target)


def check_seed(seed: int) -> int:
    """The seed if it is a whole number from 0 to 2^63 - 1; otherwise InputError."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise InputError(f"'seed' must be a whole number from 0 to 2^63 - 1; got {seed!r}.")
    return int(seed)


def run(models: Sequence[Model], task: Task, options: Options, done: list[Outcome] | None = None) -> list[Outcome]:
    """Audit several models on the same halves: rows that any of them merges stay on one side.

    Outcomes are appended to ``done`` as they come, so that a caller knows which model failed.
    """
    done = [] if done is None else done
    check_kinds(models, task)
    models = seen_through_answers(models, task, options.prompting)
    if len(task) < 2:
        raise InputError(f"an audit needs at least two rows, one to choose by and one to score; got {len(task)}.")
    for model in models:
        check_fit(model, task)
    order, hashes = canonical_order(task, options.seed)
    task = task.take(order)
    keys = [k for k in (same_input(m, task) for m in models) if k is not None]
    halves = split(task, hashes, keys)
    for model in models:
        done.append(audit_halves(model, task, halves, options))
        if done[-1].audit.interrupted and len(models) > 1:
            raise KeyboardInterrupt  # models seen on different rows can't be compared
    return done


def check_kinds(models: Sequence[object], task: object) -> None:
    """Raise InputError when names stand where loaded models belong, or a table where a task does."""
    for model in models:
        # isinstance would compute every property, and a fingerprint reads all weights.
        if not hasattr(type(model), "takes") and not is_language_model(model):
            what = f"ps.load_model({model!r})" if isinstance(model, str) else "what ps.load_model(name) returns"
            raise InputError(f"expected a loaded model; got {type(model).__name__}. Pass {what}.")
    if not isinstance(task, Task):
        raise InputError(f"expected a task; got {type(task).__name__}. Pass what ps.read_task(table, ...) returns.")


def check_fit(model: Model, task: Task) -> None:
    """Raise InputError when the model can't take the task's objects."""
    reads = "text" if is_language_model(model) else model.takes
    if reads == "text" and task.texts is None:
        if task.media == "image" and task.objects is not None:
            raise InputError(
                f"model {model.info.name!r} reads text and the task's objects are images; take a model of images, e.g. "
                "efficientnet-lite0 or pixels."
            )
        raise InputError(f"model {model.info.name!r} reads text and the task has none; name the text column (--text).")
    if reads == "image" and (task.media != "image" or task.objects is None):
        raise InputError(
            f"model {model.info.name!r} reads images and the task has none; name the column of image files (--image), or "
            "pass a folder of images with a sub-folder for each class."
        )
    if model.takes == "row":
        model.encode([int(task.rows.max())])  # raises when the vectors don't reach as far as the table


def audit_halves(model: Model, task: Task, halves: Halves, options: Options) -> Outcome:
    """Audit on given halves (positions of the task as it is; the first ones of each half serve as samples of it)."""
    keys = inputs(model, task)
    if model.needs_fit:
        objects = objects_of(model, task)
        model.fit([objects[i] for i in halves.choosing])
    encode_prompts = prompt_encoder(model, options.cache)
    told = options.on_preview
    features, seen = read_features(
        model,
        task,
        cache=options.cache,
        progress=options.said(f"reading rows with {model.info.name}"),
        watch=None if told is None else previews(task, halves, options.user, encode_prompts, told),
    )
    interrupted = ""
    if len(seen) < len(task):
        interrupted = f"stopped after {len(seen):,} of {len(task):,} rows; the numbers stand on those"
        task, halves = restrict(task, halves, seen)
        features = features[seen]
        keys = None if keys is None else [keys[i] for i in seen]
    context = Context(model, task, features, halves, keys, encode_prompts, options.seed)
    return _climb_all(context, options, interrupted)


def _climb_all(context: Context, options: Options, interrupted: str) -> Outcome:
    climbs, prompts, curve, forecast = climb_features(
        context, options, options.said(f"climbing the ladder with {context.model.info.name}")
    )
    asked = climb_language(context, options.prompting, interrupted) if options.ask else LanguageClimbs({}, None)
    climbs |= asked.climbs
    interrupted = interrupted or asked.stopped
    baseline = climb_baseline(context, options)
    merges = Merges(context)
    known = [merges.label_ceiling, *([merges.input_ceiling] if merges.input_ceiling is not None else [])]
    climbs[fine_tune.NAME] = fine_tune.climb(
        climbs, baseline, known, trainable=context.model.info.trainable, plain=plain_of(context.task.media)
    )
    if options.fine_tune is not None:
        measured = climb_weights(context, options.prompting, asked, climbs[fine_tune.NAME], options.fine_tune)
        climbs |= {} if measured is None else {measured.rung.name: measured}
    climbs = in_order(climbs)
    climbs[bounds.INPUT] = bounds.input_ceiling(merges)
    climbs[bounds.LABELS] = bounds.label_ceiling(merges)
    evidence = Evidence(context, merges, climbs, baseline, prompts, forecast, options.target)
    why, said = None, "switched off"
    if options.why:
        try:
            why, said = explain(context, climbs, curve)
        except KeyboardInterrupt:  # the ladder stands; what took long to compute is not thrown away
            said = "stopped"
            interrupted = interrupted or "stopped before 'Why' was done; the ladder is complete"
    result = Audit(
        verdict=decide(evidence),
        ladder=tuple(replace(c.rung, theorem=statement(c.rung.name)) for c in climbs.values()),
        findings=run_checks(evidence),
        prompts=prompts,
        curve=curve,
        forecast=forecast,
        rows=worst_rows(context, [climbs[name] for name in FROZEN], merges),
        # A source that learns its dimension from its first answer says the same when every answer is cached.
        model=replace(context.model.info, dim=context.features.shape[1]),
        baseline=tuple(replace(c.rung, theorem=NONE) for c in baseline.values()),
        task=describe(context.task),
        settings={
            "seed": options.seed,
            "target": options.target,
            "margin_without_target": MARGIN,
            "choosing_rows": len(context.halves.choosing),
            "scoring_rows": len(context.halves.scoring),
            "groups": len(np.unique(context.halves.groups)),
            "level": 0.95,
            "fingerprint": context.model.fingerprint,
            "why": said,
            **({} if asked.prompting is None else options.language_settings()),
        },
        interrupted=interrupted,
        why=why,
        prompting=asked.prompting,
    )
    return Outcome(result, context, climbs)


def describe(task: Task) -> dict[str, Any]:
    """The task as a report names it."""
    counts = np.bincount(task.labels, minlength=len(task.classes))
    return {
        "name": task.name,
        "source": task.source,
        "rows": len(task),
        "classes": {name: int(c) for name, c in zip(task.classes, counts, strict=True)},
        "objects": "none" if task.objects is None else task.media,
        "text_column": task.text_column,
        "label_column": task.label_column,
        "skipped": [{"row": bad.row, "reason": bad.reason} for bad in task.bad_rows],
        "notes": list(task.notes),
    }
