"""Watch a category form: a model is trained, and at every checkpoint its hom and its ladder are measured."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from presheaf.audits.options import OnProgress, Options
from presheaf.audits.result import Rung
from presheaf.audits.run import Outcome, describe, run
from presheaf.audits.watch_checks import check_table
from presheaf.audits.watch_result import Measure, Moment, MomentRung, Watch
from presheaf.audits.watch_store import WatchStore
from presheaf.audits.watch_verdict import changes_of, sentence
from presheaf.enriched.ideality import Ideality, ideality
from presheaf.enriched.laws import laws
from presheaf.errors import InputError
from presheaf.models import load_model
from presheaf.models.cache import FeatureCache
from presheaf.models.optional import need
from presheaf.pretext.base import Data, HeldOut, Pretext, len_of
from presheaf.pretext.checkpoint import checkpoints, newest_good
from presheaf.pretext.measures import alignment, effective_rank
from presheaf.pretext.plan import FREE, Plan
from presheaf.statistics.intervals import Interval
from presheaf.tables.task import Task

SIZE = 300
"""Held-out objects on which the hom is measured."""
RUNGS = ("majority class", "one prompt per label", "k prompts per label", "soft prompt", "head")
OnMoment = Callable[[Moment], object]


def watch(
    task: Pretext,
    data: Data,
    folder: str | Path,
    plan: Plan,
    *,
    labelled: Task | None = None,
    size: int = SIZE,
    seed: int = 0,
    progress: OnProgress | None = None,
    on_moment: OnMoment | None = None,
) -> Watch:
    """Train (or go on training), and measure the model at every checkpoint, the random initialisation first.

    Parameters
    ----------
    task : Pretext
        From `presheaf.pretext.pretext`.
    data : Data
        From `presheaf.pretext.load_data`.
    folder : path
        Where the run is kept; a run found there goes on.
    plan : Plan
    labelled : Task, optional
        Labelled objects that the ladder is climbed on at every checkpoint. Its rows should be no training objects.
    size : int
        Held-out objects for ideality, laws, alignment and effective rank.
    seed : int
        Of the draws of objects and of the audit's halves.
    progress, on_moment : callables, optional
        Told (stage, done, total), and each moment when it is there.

    Returns
    -------
    Watch
        After Ctrl-C what was seen until then, marked as interrupted.

    Raises
    ------
    MissingDependencyError
        torch isn't installed.
    InputError, ModelError
        As `train` and `audit` do; a model that can't take the table's objects is refused before training begins.

    Notes
    -----
    Cost: the training, and for each checkpoint 20 times ``size`` squared distances and one audit without baseline. What was
    measured is kept in the folder, so that a resumed run measures nothing twice.
    """
    need("torch", "pretext", "Training")
    from presheaf.pretext.trainer import check_data, train

    folder = Path(folder)
    check_data(task, data, plan)
    if labelled is not None:
        check_table(task, data, labelled)
    told = progress or (lambda stage, done, total: None)
    told("the task's hom on held-out objects", 0, 1)
    external = task.held_out(data, size, seed)
    told("the task's hom on held-out objects", 1, 1)
    store = WatchStore(folder / "watch.jsonl", _key(task, data, plan, labelled, size, seed))

    def look(step: int, network: Any, loss: float) -> None:
        digest = next((one.digest for one in checkpoints(folder) if one.step == step), "")
        if store.holds(step, digest):
            return
        moment = measure(task, network, external, step, loss if np.isfinite(loss) else None, seed)
        if labelled is not None:
            outcome = _climb(task, network, data, folder, labelled, seed, progress, baseline=step == 0)
            moment = replace(moment, rungs=rungs_of(outcome), baseline=_lines(outcome.audit.baseline))
        store.add(moment, digest)
        if on_moment is not None:
            on_moment(moment)

    interrupted = False
    try:
        # Replayed: a run that was trained without being watched, or killed while it was measured, has moments to fill in.
        train(task, data, folder, plan, progress=_told(progress), on_checkpoint=look, replay=True)
    except KeyboardInterrupt:
        interrupted = True
    seen = _of_this_run(store, folder)
    if not seen:
        raise KeyboardInterrupt
    return summary(task, data, folder, plan, seen, labelled, size, seed, interrupted)


def _of_this_run(store: WatchStore, folder: Path) -> tuple[Moment, ...]:
    """The moments of steps that were made, with the weights that are there: a run that lost checkpoints makes steps again."""
    made = newest_good(folder)[0]
    digests = {one.step: one.digest for one in checkpoints(folder)}
    return tuple(
        moment
        for moment in store.moments()
        if made is not None
        and moment.step <= made.step
        and (moment.step not in digests or store.holds(moment.step, digests[moment.step]))
    )


def measure(task: Pretext, network: Any, external: HeldOut, step: int, loss: float | None, seed: int = 0) -> Moment:
    """The category of a network against the task's own, on held-out objects. Cost: one pass over them, and 20 n^2 distances."""
    features = task.embed(network, external.objects)
    model, variance = task.model_hom(features), task.category.variance
    found = _ideality(model, external, variance, seed)
    lawful = laws(model, seed=seed)
    return Moment(
        step=step,
        loss=loss,
        ideality=_measure(
            None if found is None else found.value, "fewer than four objects, or rows that sum to nothing"
        ),
        merges=None if found is None else found.merges.value,
        invented=None if found is None else found.invented.value,
        lost=None if found is None else found.lost.value,
        ideality_null=None if found is None or not len(found.null) else float(found.null.mean()),
        broken=_measure(lawful.share),
        alignment=_measure(
            alignment(model, external.hom, variance, seed, units=external.units),
            "the model puts all objects at one point",
        ),
        effective_rank=_rank(task, features, seed, external.units),
        dim=int(features.shape[1]),
    )


def _told(progress: OnProgress | None) -> Callable[[int, int, float, float], object] | None:
    return None if progress is None else lambda step, steps, loss, left: progress("training", step, steps)


def _measuring(progress: OnProgress | None) -> OnProgress | None:
    """An audit's stages without the name of the model, that has none of its own while it is trained."""
    if progress is None:
        return None
    return lambda stage, done, total: progress(f"measuring, {stage.partition(' with ')[0]}", done, total)


def _key(task: Pretext, data: Data, plan: Plan, labelled: Task | None, size: int, seed: int) -> str:
    """What a moment depends on beside the step: the run, the objects, the table with its labels (not where it lies), and the draws."""
    total = hashlib.blake2b(f"{data.digest} {size} {seed}".encode(), digest_size=16)
    fixed = {name: value for name, value in asdict(plan).items() if name not in FREE}
    total.update(repr((task.name, sorted(task.options.items()), fixed)).encode())
    if labelled is not None:
        total.update(repr((labelled.classes, labelled.contents)).encode("utf-8", "surrogatepass"))
        total.update(labelled.labels.tobytes() + labelled.rows.tobytes())
    return total.hexdigest()


def _rank(task: Pretext, features: Any, seed: int, units: Any) -> Measure:
    if task.media == "text":
        return Measure(None, None, None, "what the hom of texts is read from are tokens, not directions")
    return _measure(effective_rank(features, seed, units))


def _ideality(model: Any, external: HeldOut, variance: Any, seed: int) -> Ideality | None:
    try:
        return ideality(model, external.hom, variance, external.normalise, seed=seed, units=external.units)
    except InputError:
        return None


def _measure(found: Interval | None, missing: str = "") -> Measure:
    if found is None or not np.isfinite(found.value):
        return Measure(None, None, None, missing)
    low, high = (float(end) if np.isfinite(end) else None for end in (found.low, found.high))
    return Measure(float(found.value), low, high)


def _climb(
    task: Pretext,
    network: Any,
    data: Data,
    folder: Path,
    labelled: Task,
    seed: int,
    progress: OnProgress | None,
    baseline: bool,
) -> Outcome:
    """The ladder of the network as it is now; what is written for it is removed again."""
    place = folder / "watching"
    shutil.rmtree(place, ignore_errors=True)
    try:
        model = load_model(task.save(network, data, place / task.name))
        cache = FeatureCache(place / "features")
        options = Options(seed=seed, cache=cache, progress=_measuring(progress), baseline=baseline, ask=False)
        outcome = run([model], labelled, options)[0]
        if outcome.audit.interrupted:  # a ladder on a part of the rows is no moment
            raise KeyboardInterrupt
        return outcome
    finally:
        shutil.rmtree(place, ignore_errors=True)


def rungs_of(outcome: Outcome) -> tuple[MomentRung, ...]:
    """The frozen rungs of an audit with the rows they get right."""
    numbers = outcome.context.task.rows[outcome.context.halves.scoring]
    lines = _lines([climb.rung for climb in outcome.climbs.values()])
    out = []
    for line in lines:
        climb = outcome.climbs[line.name]
        if climb.correct is not None:
            rows = numbers if climb.positions is None else numbers[climb.positions]
            line = replace(line, right=tuple(rows[climb.correct].tolist()), rows=tuple(rows.tolist()))
        out.append(line)
    return tuple(out)


def _lines(ladder: Iterable[Rung]) -> tuple[MomentRung, ...]:
    return tuple(
        MomentRung(
            rung.name,
            rung.kind,
            Measure(rung.accuracy, rung.low, rung.high, rung.missing),
            max(rung.nulls.values(), default=None),
        )
        for rung in ladder
        if rung.name in RUNGS
    )


def summary(
    task: Pretext,
    data: Data,
    folder: Path,
    plan: Plan,
    moments: tuple[Moment, ...],
    labelled: Task | None,
    size: int,
    seed: int,
    interrupted: bool,
) -> Watch:
    """The result of what was seen, with the last checkpoint's model written beside the run."""
    from presheaf.pretext.trainer import load_run

    there = {one.step for one in checkpoints(folder)}
    # Stopped between two checkpoints, with few to keep, only the state it was stopped in is there.
    last = moments[-1].step if moments[-1].step in there else None
    spec = task.save(load_run(folder, last, data)[1], data, folder / "model")
    changes = changes_of(moments)
    category = task.category
    described = {
        "name": task.name,
        **{name: str(value) for name, value in task.options.items()},
        "objects": category.objects,
        "hom": category.hom,
        "quantale": category.quantale.name,
        "orientation": category.orientation,
        "kernel": task.kernel.name,
        "source": category.source,
    }
    about = {
        "name": data.name,
        "source": data.source,
        "licence": data.licence,
        "training_objects": len_of(data.train),
        "held_out_objects": len_of(data.test),
    }
    settings = {**asdict(plan), "measured_objects": size, "measuring_seed": seed}
    table = {} if labelled is None else describe(labelled)
    return Watch(
        sentence(task, data, moments, changes, interrupted, plan.steps),
        described,
        about,
        table,
        moments,
        changes,
        spec,
        settings,
        interrupted,
    )
