"""Is one model's category inside another's? What an engineer runs after compressing, tuning or replacing an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.category_parts import (
    Rows,
    change,
    estimate,
    feature_merges,
    finite,
    float_noise,
    input_merges,
    laws_kept,
    rung_changes,
)
from presheaf.audits.category_result import CategoryComparison, Kept
from presheaf.audits.category_tasks import task_changes
from presheaf.audits.category_verdict import decide
from presheaf.audits.context import Context, Halves, canonical_order
from presheaf.audits.merges import Merges
from presheaf.audits.options import OnProgress, Options
from presheaf.audits.prompts import UserPrompts
from presheaf.audits.reading import objects_of, same_input
from presheaf.audits.run import (
    Outcome,
    check_fit,
    check_kinds,
    check_seed,
    check_target,
    describe,
    run,
)
from presheaf.enriched.calibration import on_one_scale
from presheaf.enriched.compare import HomChange, compare_homs, order_and_change, over_objects, shared
from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import angle
from presheaf.errors import InputError
from presheaf.models.base import Model, ModelInfo
from presheaf.models.cache import FeatureCache
from presheaf.models.features import encode_all, unit
from presheaf.statistics.nulls import random_features
from presheaf.tables.task import Task

MOST = 20_000
"""Distinct objects compared at most; of more, a random sample (the first by hash)."""
LEAST = 12
"""Distinct objects a comparison needs."""
SHOWN = 50
"""Most rows listed in each part of the answer."""
WORDS = 384
"""Dimensions of the random word vectors of the null."""


def compare_categories(
    before: Model,
    after: Model,
    objects: Task | Sequence[str],
    *,
    k: int = 10,
    calibrate: bool = False,
    target: float | None = None,
    prompts: UserPrompts | None = None,
    seed: int = 0,
    cache: FeatureCache | None = None,
    progress: OnProgress | None = None,
) -> CategoryComparison:
    """How well the second model keeps the structure of the first: distances, neighbours, merges, tasks, with the rows.

    Parameters
    ----------
    before, after : Model
        The original and what was made of it (quantised, pruned, tuned, distilled), or any two.
    objects : Task or sequence of str
        A task from `read_task` is audited with both models on the same halves besides; texts alone, or paths of images
        for models that take images, are compared without.
    k : int
        Neighbours looked at.
    calibrate : bool
        Fit one factor between the scales of the two on half of the objects and measure distances on the other half.
    target, prompts, seed, cache, progress
        As in `audit`.

    Returns
    -------
    CategoryComparison
        The same for every order of the rows. Rotated or scaled features give the same up to rounding.

    Raises
    ------
    InputError
        If there are fewer than 12 distinct objects, or a model can't take them.

    Notes
    -----
    The hom of each model is the angle between its features, a lawful category; the map is the identity on objects. It is
    full and faithful iff no distance changes (the condition of the structural learning theorem, Yuan 2022). Rows with the
    same text are one object; a task is scored row by row. Of more than 20,000 distinct objects a random sample of 20,000 is
    compared (``objects`` of ``of``): neighbours are those within the sample, rows outside it are not named, and merges and
    the task are still those of all rows. Cost: both models once over the distinct texts, n^2 angles of each for the
    neighbours, n <= 20,000, in blocks (never n x n in memory), and two audits without the baseline if there is a task.
    Language models are compared by their features; written prompts are not tried.
    """
    _check(k)
    options = Options(
        check_target(target), prompts or UserPrompts(), check_seed(seed), cache or FeatureCache(), progress, None, False,
        ask=False,
    )  # fmt: skip
    labelled = isinstance(objects, Task)
    task = objects if isinstance(objects, Task) else _unlabelled(objects, before)
    check_kinds([before, after], task)
    if labelled:
        outcomes = run([before, after], task, options)
        first, second = (o.context for o in outcomes)
    else:
        outcomes = []
        first, second = _contexts([before, after], task, options)
    world = _objects(first, second)
    found = _compare(world, k, calibrate, options.seed)
    return _answer(first, second, outcomes, world, found, options, k, calibrate)


def _check(k: int) -> None:
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise InputError(f"'k' must be a whole number of neighbours, 1 or more; got {k!r}.")


def _named(first: ModelInfo, second: ModelInfo) -> tuple[ModelInfo, ModelInfo]:
    """Both under names that tell them apart: where they have one, with the settings in which they differ."""
    if first.name != second.name:
        return first, second
    own = [tuple(f"{key} {value}" for key, value in i.settings) for i in (first, second)]
    differ = [", ".join(x for x in mine if x not in other) for mine, other in (own, own[::-1])]
    if differ[0] == differ[1]:
        differ = ["", "again"]
    names = [f"{i.name} ({more})" if more else i.name for i, more in zip((first, second), differ, strict=True)]
    return replace(first, name=names[0]), replace(second, name=names[1])


def _unlabelled(objects: Sequence[str], model: Model) -> Task:
    """A task of one class; names of files where the model takes images."""
    if isinstance(objects, str) or not all(isinstance(one, str) for one in objects):
        raise InputError("objects must be a task from read_task, or a sequence of texts (or of paths of images).")
    n, images = len(objects), getattr(model, "takes", "text") == "image"
    return Task(
        tuple(objects), np.zeros(n, dtype=np.int32), ("object",), np.arange(1, n + 1),
        name="images" if images else "texts", media="image" if images else "text",
    )  # fmt: skip


def _contexts(models: Sequence[Model], task: Task, options: Options) -> list[Context]:
    """Features of all rows in canonical order, where there are no labels to audit by."""
    order, _ = canonical_order(task, options.seed)
    task = task.take(order)
    nothing = np.zeros(0, dtype=np.int64)
    out = []
    for model in models:
        check_fit(model, task)
        keys = None if model.takes == "row" else same_input(model, task)
        features = unit(
            encode_all(
                model, objects_of(model, task), cache=options.cache,
                progress=options.said(f"reading rows with {model.info.name}"),
            )
        )  # fmt: skip
        halves = Halves(nothing, nothing, np.arange(len(task)))
        out.append(Context(model, task, features, halves, keys, None, options.seed))
    return out


@dataclass(frozen=True, eq=False)
class _World:
    """The objects compared: positions of the contexts' rows, one for each distinct object, and both homs on them."""

    positions: NDArray[np.int64]
    of: int
    left_out: NDArray[np.int64]
    before: Hom
    after: Hom
    words: Hom | None
    labels: NDArray[np.int32]


def _objects(first: Context, second: Context) -> _World:
    same = Merges(second if second.model.takes == "row" else first).raw
    _, one, number = np.unique(same, return_index=True, return_inverse=True)
    has = (np.linalg.norm(first.features, axis=1) > 0) & (np.linalg.norm(second.features, axis=1) > 0)
    kept = np.sort(one[has[one]])
    if len(kept) < LEAST:
        raise InputError(f"a comparison needs at least {LEAST} distinct objects with features; got {len(kept)}.")
    chosen = kept[:MOST]
    task = first.task
    # An object whose rows are labelled apart has the label of most of them.
    table = np.zeros((len(one), len(task.classes)), dtype=np.int32)
    np.add.at(table, (number, task.labels), 1)
    labels = table.argmax(axis=1)[number[chosen]].astype(np.int32)
    homs = [hom_from_features(c.features[chosen], angle()) for c in (first, second)]
    return _World(chosen, len(kept), np.sort(task.rows[~has]), homs[0], homs[1], _words(task, chosen), labels)


def _words(task: Task, positions: NDArray[np.int64]) -> Hom | None:
    """The hom of random word vectors: what shared words alone bring close."""
    if task.texts is None:
        return None
    features = random_features([task.texts[p] for p in positions], WORDS)
    # Texts without any word are alike to whoever knows words only.
    features[~features.any(axis=1)] = 1
    return hom_from_features(features, angle(), "random word vectors")


def _compare(world: _World, k: int, calibrate: bool, seed: int) -> tuple[HomChange, float]:
    n = world.before.n
    if k >= n:
        raise InputError(f"'k' must be less than the number of distinct objects, {n:,}; got {k}.")
    if not calibrate:
        return compare_homs(world.before, world.after, k, "both", seed=seed), 1.0
    half = np.arange(n // 2)
    near, far, scale = on_one_scale(world.before, world.after, np.stack([half, half], axis=1), seed)
    scored = np.arange(n // 2, n)
    return compare_homs(world.before, world.after, k, "both", (near, far), scored, seed=seed), scale


def _answer(
    first: Context,
    second: Context,
    outcomes: Sequence[Outcome],
    world: _World,
    result: tuple[HomChange, float],
    options: Options,
    k: int,
    calibrate: bool,
) -> CategoryComparison:
    found, scale = result
    moved = found.distortion
    labels = world.labels if outcomes else None
    rows = Rows(first, world.positions, found, labels)
    most = world.positions[np.argsort(-found.moved_by_object, kind="stable")]
    infos = _named(*(replace(c.model.info, dim=c.features.shape[1]) for c in (first, second)))
    homs = zip(infos, (world.before, world.after), strict=True)
    answer = CategoryComparison(
        before=infos[0],
        after=infos[1],
        verdict="",
        decision="changed",
        task=describe(first.task),
        settings=_settings(first, second, options, k, calibrate, found),
        objects=len(world.positions),
        of=world.of,
        left_out=tuple(int(row) for row in world.left_out),
        scale=scale,
        fitted=int(calibrate),
        full=change(moved.full, "estimate"),
        functor=change(moved.functor, "estimate"),
        either=change(moved.either, "estimate"),
        size=finite(moved.size),
        kept=_kept(world, found),
        laws=tuple(laws_kept(info.name, hom, options.seed) for info, hom in homs),
        noise=float_noise(first, second, most, moved.either.largest),
        merges=(input_merges(first, second), feature_merges(first, second)),
        rungs=rung_changes(*outcomes) if outcomes else (),
        verdicts=tuple(o.audit.verdict.decision for o in outcomes),
        relabelled=rows.relabelled(SHOWN),
        most_changed=rows.most_changed(SHOWN),
        tasks=task_changes(first, second, options.target) if outcomes else None,
    )
    decision, sentence = decide(answer)
    return replace(answer, decision=decision, verdict=sentence)


def _kept(world: _World, found: HomChange) -> Kept:
    near = order = None
    if world.words is not None:
        near = float(shared(found.before, world.words.nearest(found.k, "both")[0]).mean())
        correlation = order_and_change(world.before, world.words, found.references)[0]
        order = finite(over_objects(correlation, -1.0, 1.0).value)
    return Kept(found.k, estimate(found.kept), found.chance, near, estimate(found.order), order)


def _settings(
    first: Context, second: Context, options: Options, k: int, calibrate: bool, found: HomChange
) -> dict[str, Any]:
    return {
        "seed": options.seed,
        "target": options.target,
        "neighbours": k,
        "calibrate": calibrate,
        "kernel": "angle",
        "references": len(found.references),
        "pairs": found.distortion.pairs,
        "all_pairs": found.distortion.exact,
        "choosing_rows": len(first.halves.choosing),
        "scoring_rows": len(first.halves.scoring),
        "level": 0.95,
        "fingerprints": [first.model.fingerprint, second.model.fingerprint],
    }
