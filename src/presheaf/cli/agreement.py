"""What a run will take, said before it starts; before anything is sent to an endpoint, it asks."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from presheaf.cli.loading import cache_of, prompts_of
from presheaf.cli.progress import duration
from presheaf.errors import InputError

if TYPE_CHECKING:
    from presheaf.audits.prompting_trial import PromptingOptions
    from presheaf.models.base import Model
    from presheaf.tables.task import Task


def agreed(models: Sequence[Model], task: Task, arguments: Namespace) -> bool:
    """Say what models will be asked and what it takes, and ask before an endpoint is. True when the run may go on.

    Raises
    ------
    InputError
        If there is nobody to ask.
    """
    from presheaf.models.lm.completions import CompletionsModel
    from presheaf.models.openai import OpenAIModel

    to = sys.stdout if arguments.dry_run else sys.stderr
    paid = [model for model in models if isinstance(model, OpenAIModel | CompletionsModel)]
    for model in models:
        if arguments.dry_run:
            print(f"{model.info.name}: {len(task):,} rows of {task.name}, {len(task.classes)} classes")
        said = _said(model, task, arguments)
        if said and (model in paid or arguments.dry_run or not arguments.quiet):
            print(f"{model.info.name}: {said}", file=to, flush=True)
    if arguments.dry_run:
        return False
    if paid and not arguments.yes:
        if not sys.stdin.isatty():
            raise InputError(
                "an endpoint would be called and there is nobody to ask; add --yes to agree, or --dry-run."
            )
        print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    return True


def _said(model: Model, task: Task, arguments: Namespace) -> str:
    """What a model will be asked; empty where there is nothing to say."""
    from presheaf.audits.answers import is_language_model
    from presheaf.models.openai import OpenAIModel

    if isinstance(model, OpenAIModel):
        from presheaf.audits.prompts import UserPrompts, texts_of

        prompts = prompts_of(arguments, task) or UserPrompts()
        return str(model.estimate(list(dict.fromkeys([*(task.texts or ()), *texts_of(task.classes, prompts)]))))
    if is_language_model(model) and task.texts is not None and len(task) > 1:
        return _questions(model, task, arguments)
    return ""


def _questions(model: Model, task: Task, arguments: Namespace) -> str:
    """Questions, and money of an endpoint or time of a model at hand; empty where none are asked."""
    from presheaf.audits.prompting_plan import plan, seconds
    from presheaf.models.lm.completions import CompletionsModel

    options = _options(arguments, task)
    planned = plan(model, task, options, prompts=hasattr(arguments, "shots"))  # type: ignore[arg-type]
    if not planned.questions:
        return ""
    kept = max(0, planned.questions - planned.asked)
    asked = f"about {planned.asked:,} questions" + (f", {kept:,} more are answered already" if kept else "")
    if isinstance(model, CompletionsModel):
        return f"{asked}; {planned.estimate(model)}"
    return f"{asked}; at most about {duration(seconds(model, task, options, planned))} on this machine"  # type: ignore[arg-type]


def _options(arguments: Namespace, task: Task) -> PromptingOptions:
    from presheaf.audits.prompting_trial import PromptingOptions
    from presheaf.audits.prompts import UserPrompts

    user, root = prompts_of(arguments, task) or UserPrompts(), cache_of(arguments).root
    if not hasattr(arguments, "shots"):  # a comparison of categories asks no prompts
        return PromptingOptions(user, seed=arguments.seed, cache=root, tune=False)
    return PromptingOptions(
        user, arguments.shots, arguments.prompt_rows, arguments.seed, root, None, not arguments.no_tune
    )
