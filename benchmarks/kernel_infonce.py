"""Contrastive losses with several kernels on the same images and the same backbone, beside random weights and raw pixels.

    python benchmarks/kernel_infonce.py                                    # digits and Fashion-MNIST, three seeds
    python benchmarks/kernel_infonce.py --quick                            # two kernels, 40 steps, digits only: a minute
    python benchmarks/kernel_infonce.py --data digits --task simclr --task 'kernel-infonce?gamma=1.0&tau=0.1'
    python benchmarks/kernel_infonce.py --json > rows.jsonl                # one object a run
    python benchmarks/kernel_infonce.py --read rows.jsonl                  # the table of such rows, without training

Every task trains the same network from the same random weights on the same batches, seed by seed. At the end, on held-out
images: "head", logistic regression on the backbone's features; "prototype", the class whose mean direction is nearest;
"ideality", how far the model's hom is from the task's own (0 is ideal; "shuffled" is what a hom of other objects gets).
Nothing is chosen on held-out images: one temperature for all kernels, no tuning. Intervals are 95 % by Student's t over
seeds, for training's randomness on these held-out images; differences are taken seed by seed, and their p values adjusted by
Holm's method over all tasks and both accuracies of a block.
Needs: pip install "presheaf[torch,pretext]" scikit-learn; Fashion-MNIST as `presheaf data` says where it is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import PresheafError
from presheaf.statistics.paired import holm

if TYPE_CHECKING:
    from presheaf.pretext import Data, Pretext

Row = dict[str, Any]

TASKS = (
    "simclr",
    "kernel-infonce?gamma=1.0",
    "kernel-infonce?gamma=0.5",
    "kernel-infonce?gamma=1.0&mix=sum",
    "kernel-infonce?gamma=1.0&mix=concatenation",
    "moco",
    "spectral",
)
"""SimCLR's kernel is the Gaussian, gamma = 2, of width tau = 0.4, the tau of the others."""
STEPS = {"digits": 300, "fashion-mnist": 150}
MOST = 2000
"""Images to train on, and held out, that are drawn from a larger data set."""
QUICK = ("simclr", "kernel-infonce?gamma=1.0")
MEASURES = ("head", "prototype", "ideality")
TESTED = ("head", "prototype")


def images(name: str) -> Data:
    """The data set, or ``MOST`` images of each part; the same ones for every seed."""
    from presheaf.pretext import load_data, make_data

    data = load_data(name)
    if max(len(data.train), len(data.test)) <= MOST:
        return data
    rng = np.random.default_rng(0)
    a, b = (rng.choice(len(part), min(MOST, len(part)), replace=False) for part in (data.train, data.test))
    assert data.train_labels is not None
    assert data.test_labels is not None
    return make_data(f"{name}, {len(a):,} and {len(b):,}", "image", data.train[a], data.test[b], data.train_labels[a],
                     data.test_labels[b], classes=data.classes)  # fmt: skip


def accuracies(data: Data, train: NDArray[Any], test: NDArray[Any]) -> dict[str, float]:
    """What a linear head and class means reach with features of shape (n, d) of both parts."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    y, z = data.train_labels, data.test_labels
    assert y is not None
    scale = StandardScaler().fit(train)
    head = LogisticRegression(max_iter=300).fit(scale.transform(train), y).score(scale.transform(test), z)
    known = directions(train)
    means = directions(np.stack([known[y == k].mean(axis=0) for k in range(len(data.classes))]))
    return {"head": float(head), "prototype": float(np.mean((directions(test) @ means.T).argmax(axis=1) == z))}


def directions(rows: NDArray[Any]) -> NDArray[np.float64]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), dtype=np.float64)


def pixels(name: str, data: Data) -> Row:
    """The images themselves as features."""
    flat = [np.asarray(part, dtype=np.float64).reshape(len(part), -1) / 255 for part in (data.train, data.test)]
    return {"data": name, "task": "pixels", "seed": None, "step": 0, **accuracies(data, flat[0], flat[1])}


def runs(name: str, data: Data, spec: str, seed: int, steps: int) -> list[Row]:
    """One training: a row at random weights and a row at the end."""
    from presheaf.pretext import Plan, pretext, train

    task, rows = pretext(spec), []
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(steps=steps, batch_size=128, checkpoint_every=steps, seed=seed)

        def look(step: int, network: Any, loss: float) -> None:
            rows.append({"data": name, "task": spec, "seed": seed, "step": step,
                         **measured(task, data, network, Path(folder, f"model-{step}"))})  # fmt: skip

        train(task, data, Path(folder, "run"), plan, on_checkpoint=look)
    rows[-1]["seconds"] = round(time.perf_counter() - started, 1)
    return rows


def measured(task: Pretext, data: Data, network: Any, folder: Path) -> Row:
    """A network as it is now, its backbone saved and read back as any model is."""
    from presheaf.enriched.ideality import ideality
    from presheaf.models import load_model

    held = task.held_out(data, 400, 0)
    found = ideality(
        task.model_hom(task.embed(network, held.objects)), held.hom, task.category.variance, held.normalise, repeats=1
    )
    model = load_model(task.save(network, data, folder))
    train, test = (model.encode(list(part)) for part in (data.train, data.test))
    return {
        **accuracies(data, train, test),
        "ideality": found.value.value,
        "shuffled": float(found.null.mean()) if len(found.null) else None,
    }


def spread(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval by Student's t; no width for one value."""
    from scipy.stats import t

    n = len(values)
    half = t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return float(values.mean()), float(half)


def p_of(difference: NDArray[np.float64]) -> float:
    """Two-sided p of a mean of zero, by Student's t; 1 where it can't be asked."""
    from scipy.stats import t

    n = len(difference)
    if n < 2:
        return 1.0
    error = difference.std(ddof=1) / np.sqrt(n)
    if error == 0:
        return 1.0 if difference.mean() == 0 else 0.0
    return float(2 * t.sf(abs(difference.mean()) / error, n - 1))


def by_seed(rows: list[Row], task: str, trained: bool, measure: str) -> dict[int, float]:
    return {row["seed"]: row[measure] for row in rows if row["task"] == task and (row["step"] > 0) == trained}


def paired(rows: list[Row], task: str, base: tuple[str, bool], measure: str) -> NDArray[np.float64]:
    """A task after training minus the base, seed by seed."""
    first, second = by_seed(rows, task, True, measure), by_seed(rows, *base, measure)
    return np.array([first[seed] - second[seed] for seed in sorted(first.keys() & second.keys())])


def cell(values: NDArray[np.float64], sign: str = "") -> str:
    if not len(values):
        return f"{'-':>19}"
    mean, half = spread(values)
    return f"{mean:{sign}.4f} +- {half:.4f}".rjust(19) if np.isfinite(half) else f"{mean:{sign}.4f}".rjust(19)


def table(rows: list[Row]) -> Iterator[str]:
    """The lines for one data set."""
    tasks = list(dict.fromkeys(row["task"] for row in rows if row["task"] != "pixels"))
    yield f"{rows[0]['data']}: {max(row['step'] for row in rows)} steps, seeds {sorted({r['seed'] for r in rows if r['task'] != 'pixels'})}"
    yield f"{'mean over seeds':<44}" + "".join(f"{name:>19}" for name in MEASURES) + f"{'shuffled':>10}"
    for row in rows:
        if row["task"] == "pixels":
            yield f"{'raw pixels (no training)':<44}{row['head']:19.4f}{row['prototype']:19.4f}"
    base = TASKS[0] if TASKS[0] in tasks else tasks[0]
    for task, trained in ((base, False), *((task, True) for task in tasks)):
        values = [np.array(list(by_seed(rows, task, trained, name).values())) for name in (*MEASURES, "shuffled")]
        name = task if trained else "random weights"
        yield f"{name:<44}" + "".join(cell(one) for one in values[:3]) + f"{values[3].mean():10.4f}"
    yield from differences(rows, tasks, (base, True), base)
    yield from differences(rows, tasks, (base, False), "random weights")


def differences(rows: list[Row], tasks: list[str], base: tuple[str, bool], name: str) -> Iterator[str]:
    """Every task beside one of them, or beside random weights."""
    compared = [task for task in tasks if (task, True) != base]
    if not compared:
        return
    p = [p_of(paired(rows, task, base, measure)) for task in compared for measure in TESTED]
    adjusted = iter(holm(p))
    measures = MEASURES if base[1] else TESTED
    yield f"{'minus ' + name:<44}" + "".join(f"{m:>19}" for m in measures) + "   p head, prototype"
    for task in compared:
        cells = "".join(cell(paired(rows, task, base, measure), "+") for measure in measures)
        yield f"{task:<44}{cells}   {next(adjusted):.3f}, {next(adjusted):.3f}"


def read(path: Path) -> list[Row]:
    """Rows that ``--json`` wrote; those without an accuracy are refused."""
    rows: list[Row] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not rows or any(not {"data", "task", "seed", "step", *TESTED} <= row.keys() for row in rows):
        raise SystemExit(f"{path} holds no rows that this program wrote with --json.")
    return rows


def trained(arguments: argparse.Namespace) -> Iterator[Row]:
    """All rows, one training after another; a data set that isn't there is named and left out."""
    names = arguments.data or (["digits"] if arguments.quick else list(STEPS))
    tasks = arguments.task or (QUICK if arguments.quick else TASKS)
    for name in names:
        try:
            data = images(name)
        except PresheafError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        yield pixels(name, data)
        steps = arguments.steps or (40 if arguments.quick else STEPS.get(name, 300))
        for task in tasks:
            for seed in range(arguments.first_seed, arguments.first_seed + (2 if arguments.quick else arguments.seeds)):
                yield from runs(name, data, task, seed, steps)


def main() -> int:
    """Train or read, print, and return the exit code: 0 if there were rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", action="append", help="digits, fashion-mnist, idx:FOLDER, folder:FOLDER; may be repeated"
    )
    parser.add_argument(
        "--task",
        action="append",
        help="pre-training task with its options; the rest are compared with simclr, or the first",
    )
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each task (default 3)")
    parser.add_argument("--first-seed", type=int, default=0, help="to add trainings to rows that are kept (default 0)")
    parser.add_argument("--steps", type=int, help="optimiser steps of 128 images (default 300, Fashion-MNIST 150)")
    parser.add_argument(
        "--quick", action="store_true", help="two kernels, two seeds, 40 steps: shows that it runs, not more"
    )
    parser.add_argument("--json", action="store_true", help="one object a run at random weights and one at the end")
    parser.add_argument("--read", type=Path, metavar="FILE", help="print the table of rows that --json wrote")
    arguments = parser.parse_args()
    started = time.perf_counter()
    rows: list[Row] = []
    for row in read(arguments.read) if arguments.read else trained(arguments):
        rows.append(row)
        if arguments.json:
            print(json.dumps(row), flush=True)
    if not arguments.json:
        print(f"{os.cpu_count()} CPUs, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}")
        for name in dict.fromkeys(row["data"] for row in rows):
            print("", *table([row for row in rows if row["data"] == name]), sep="\n")
    print(f"\n{(time.perf_counter() - started) / 60:.1f} minutes", file=sys.stderr)
    return 0 if rows else 2


if __name__ == "__main__":
    raise SystemExit(main())
