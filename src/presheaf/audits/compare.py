"""Several models on the same rows: which is better, by how much, and why."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.defaults import PROMPT_ROWS, SHOTS
from presheaf.audits.findings.base import plural, span
from presheaf.audits.language_rungs import seen_through_answers
from presheaf.audits.numbers import number, signed
from presheaf.audits.options import OnPreview, OnProgress, Options
from presheaf.audits.prompts import UserPrompts
from presheaf.audits.result import Audit, Comparison, Difference
from presheaf.audits.run import (
    Outcome,
    check_fit,
    check_kinds,
    check_seed,
    check_target,
    run,
)
from presheaf.errors import InputError, PresheafError
from presheaf.models.base import Model
from presheaf.models.cache import FeatureCache
from presheaf.statistics.intervals import paired_difference
from presheaf.statistics.paired import holm, indistinguishable, mcnemar
from presheaf.tables.task import Task


def compare(
    models: Sequence[Model],
    task: Task,
    *,
    target: float | None = None,
    prompts: UserPrompts | None = None,
    seed: int = 0,
    cache: FeatureCache | None = None,
    progress: OnProgress | None = None,
    on_preview: OnPreview | None = None,
    failed: Sequence[tuple[str, str]] = (),
    why: bool = True,
    shots: Sequence[int] = SHOTS,
    prompt_rows: int = PROMPT_ROWS,
    tune: bool = True,
    fine_tune: str | None = None,
) -> Comparison:
    """Audit every model on the same halves and test the differences of their heads, row by row.

    A head is the best of the frozen rungs by selection, so models are compared at what each can be made to do without
    changing its weights. A model that fails is named in ``failed`` and does not stop the others.

    Parameters are those of `audit`; models need different names. ``failed`` names models that could not even be loaded,
    with the reason, so that the report holds them too. ``shots`` to ``fine_tune`` concern language models.

    Raises
    ------
    InputError
        If there are fewer than two models or two of one name.
    ModelError, InputError
        If every model fails: the first one's error.
    """
    check_kinds(models, task)
    names = [m.info.name for m in models]
    if len(models) + len(failed) < 2:
        raise InputError(f"a comparison needs at least two models; got {len(models)}.")
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise InputError(f"model {twice!r} is named twice; a comparison needs different models.")
    options = Options(
        check_target(target),
        prompts or UserPrompts(),
        check_seed(seed),
        cache or FeatureCache(),
        progress,
        on_preview,
        True,
        why,
        tuple(shots),
        prompt_rows,
        tune,
        fine_tune,
    )
    outcomes, more = _run_all(seen_through_answers(models, task, options.prompting), task, options)
    return _compare(outcomes, [*failed, *more], options.target)


def _run_all(models: Sequence[Model], task: Task, options: Options) -> tuple[list[Outcome], list[tuple[str, str]]]:
    """Run all on one split; when a model fails, leave it out and start again with the rest (features are cached)."""
    rest: list[Model] = []
    failed: list[tuple[str, str]] = []
    first: PresheafError | None = None
    for model in models:
        try:
            check_fit(model, task)
            rest.append(model)
        except PresheafError as error:
            first = first or error
            failed.append((model.info.name, str(error)))
    while rest:
        done: list[Outcome] = []
        try:
            return run(rest, task, options, done), failed
        except PresheafError as error:
            first = first or error
            failed.append((rest.pop(len(done)).info.name, str(error)))
    raise first or InputError("no model could be compared.")


def _score(outcome: Outcome) -> float:
    return outcome.audit.rung("head").accuracy or 0.0


def _hits(outcome: Outcome) -> NDArray[np.bool_]:
    correct = outcome.climbs["head"].correct
    assert correct is not None
    return correct


def _compare(outcomes: list[Outcome], failed: list[tuple[str, str]], target: float | None) -> Comparison:
    outcomes = sorted(outcomes, key=lambda o: (-_score(o), o.audit.model.name))
    usable = [o for o in outcomes if o.climbs["head"].correct is not None]
    pairs = list(combinations(usable, 2))
    p = [mcnemar(_hits(a), _hits(b), a.context.groups_scoring) for a, b in pairs]
    adjusted = holm(p)
    # All intervals hold at once, as the adjusted p values do (Bonferroni).
    level = 1 - 0.05 / max(1, len(pairs))
    differences = []
    for (a, b), raw, corrected in zip(pairs, p, adjusted, strict=True):
        first, second = _hits(a), _hits(b)
        d = paired_difference(first, second, a.context.groups_scoring, level)
        differences.append(
            Difference(
                a.audit.model.name,
                b.audit.model.name,
                d.value,
                d.low,
                d.high,
                int((first & ~second).sum()),
                int((second & ~first).sum()),
                raw,
                float(corrected),
            )
        )
    order = [o.audit.model.name for o in usable]
    table = {frozenset((d.a, d.b)): d.p_adjusted for d in differences}
    groups = indistinguishable(order, table)
    audits = tuple(o.audit for o in outcomes)
    return Comparison(
        audits,
        tuple(differences),
        groups,
        tuple(_why(audits)),
        tuple(failed),
        _verdict(audits, differences, groups),
        target,
    )


def _verdict(audits: tuple[Audit, ...], differences: list[Difference], groups: tuple[tuple[str, ...], ...]) -> str:
    best = audits[0]
    name = best.model.name
    if not groups:
        return "Cannot say: no model has a head to compare."
    if len(groups[0]) > 1:
        others = ", ".join(groups[0][1:])
        text = f"{name} is best at {span(best.rung('head'))}, but can't be told apart from {others}."
    elif differences:
        d = differences[0]
        text = f"{name} is best: {span(best.rung('head'))}, {signed(d.accuracy)} [{signed(d.low)}, {signed(d.high)}] over {d.b}."
    else:
        text = f"{name}: {span(best.rung('head'))}."
    return f"{text} {best.verdict.sentence}"


def _why(audits: tuple[Audit, ...]) -> list[str]:
    """Rows merged by one model and not by another, and prompts that work on one only."""
    lines = []
    for audit in audits:
        ceiling = audit.rung("input ceiling")
        wrong = ceiling.evidence.get("rows_proved_wrong", 0)
        if ceiling.accuracy is None:
            lines.append(f"{audit.model.name}: its input can't be seen, so what it merges can't be proved.")
            continue
        by_code = {
            f.code: f.evidence.get("rows", 0) for f in audit.findings if f.code.startswith("IN") and f.status == "found"
        }
        merged = ", ".join(f"{code} {plural(int(n), 'row')}" for code, n in by_code.items() if n)
        lines.append(
            f"{audit.model.name}: merges {merged or 'no rows'}; {plural(int(wrong), 'row')} proved wrong "
            f"(ceiling {number(ceiling.evidence['ceiling_on_these_rows'])} on these rows)."
        )
    prompts = [a for a in audits if a.rung("one prompt per label").accuracy is not None]
    if len(prompts) > 1:
        best = max(prompts, key=lambda a: a.rung("one prompt per label").accuracy or 0)
        lines.append(f"by one prompt per label {best.model.name} leads: {span(best.rung('one prompt per label'))}.")
    return lines
