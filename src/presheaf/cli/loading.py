"""From what stands on the command line to loaded models and prompts."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from os.path import exists
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from presheaf.errors import InputError, MissingDependencyError, ModelError

if TYPE_CHECKING:
    from presheaf.audits.prompts import UserPrompts
    from presheaf.models.base import Model
    from presheaf.models.cache import FeatureCache
    from presheaf.tables.task import Task


def load(spec: str | None, task: Task) -> Model:
    """The model of a specification; of None the task's own vectors.

    ``?adapter=FOLDER`` merges a LoRA adapter into a language model's weights (`presheaf.language.lora_variant`).

    Raises
    ------
    InputError
        As `load_model` does, or for an adapter of a model that is no language model with its weights at hand.
    ModelError, MissingDependencyError
        As `load_model` and `with_adapter` do.
    """
    if spec is None:
        from presheaf.models.vectors import VectorModel

        assert task.vectors is not None
        return VectorModel(task.vectors, name="vectors")
    from presheaf.models import load_model

    plain, adapter = split_adapter(spec)
    model = load_model(plain)
    return model if adapter is None else _adapted(model, plain, adapter)


def check_rows(model: Model, task: Task) -> None:
    """Raise InputError when vectors from a file are not one for each row of the table, skipped rows included."""
    from presheaf.models.vectors import VectorModel

    if isinstance(model, VectorModel):
        model.check_rows(max(int(task.rows.max(initial=0)), *(bad.row for bad in task.bad_rows), 0))


def split_adapter(spec: str) -> tuple[str, str | None]:
    """A specification without its option ``adapter``, and that option's value; None where there is none."""
    if exists(spec) or exists(spec.partition(":")[2]):
        return spec, None
    body, mark, written = spec.rpartition("?")
    options = parse_qsl(written, keep_blank_values=True) if mark else []
    adapters = [value for name, value in options if name == "adapter"]
    if not adapters:
        return spec, None
    if len(adapters) > 1 or not adapters[0]:
        raise InputError(f"one adapter is merged, from its folder: smollm2?adapter=FOLDER; got {spec!r}.")
    rest = [(name, value) for name, value in options if name != "adapter"]
    return (f"{body}?{urlencode(rest)}" if rest else body), adapters[0]


def _adapted(model: Model, name: str, adapter: str) -> Model:
    if not (hasattr(type(model), "hidden_layers") and hasattr(type(model), "score")):
        raise InputError(
            f"{name!r} takes no adapter: that needs a causal language model with its weights at hand, e.g. "
            "lm:FOLDER?adapter=FOLDER or smollm2?adapter=FOLDER."
        )
    from presheaf.language.lora_variant import with_adapter

    merged: Model = with_adapter(model, adapter)  # type: ignore[arg-type]
    return merged


def load_all(specs: Sequence[str | None], task: Task) -> tuple[list[Model], list[tuple[str, str]]]:
    """Those that load, and those that don't with the reason; the first error if none does."""
    loaded: list[Model] = []
    failed: list[tuple[str, str]] = []
    first: Exception | None = None
    for spec in specs:
        try:
            model = load(spec, task)
        except (ModelError, MissingDependencyError) as error:
            first = first or error
            failed.append((str(spec), str(error)))
            continue
        try:
            check_rows(model, task)
        except InputError as error:
            first = first or error
            failed.append((str(spec), str(error)))
            continue
        loaded.append(model)
    if not loaded and first is not None:
        raise first
    return loaded, failed


def prompts_of(arguments: Namespace, task: Task) -> UserPrompts | None:
    """The user's prompts; None without --prompts."""
    if arguments.prompts is None:
        return None
    from presheaf.audits.prompts import read_prompts

    return read_prompts(arguments.prompts, task.classes)


def cache_of(arguments: Namespace) -> FeatureCache:
    """Where features and answers are kept."""
    from presheaf.models.cache import FeatureCache

    return FeatureCache(arguments.cache)
