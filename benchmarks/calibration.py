"""Do the verdicts and intervals of presheaf.enriched say what they promise? Planted worlds, nulls and coverage, in one run.

    python benchmarks/calibration.py [--json] [--trials 1000] [--only NAME ...]

Worlds have a known answer: a prompt with noise, a minimum of three prompts, isomorphic pairs labelled apart, paired spaces
with a known distortion, and the rotation groupoid (by presheaf.finite, where hom-sets are sets). Nulls hold no prompt: labels
permuted, and the worst case, a task that misses the allowed share by a hair. Coverage draws objects anew each time and counts
how often an interval holds the true value. Every rate has its Clopper-Pearson interval at 95 %. Exit status 1 if a world
is missed, a null's rate is above its level by more than chance, or a coverage is off.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from presheaf.enriched.ceiling import ceiling_curve
from presheaf.enriched.conflicts import close_pairs
from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.density import prompt_number
from presheaf.enriched.dimension import magnitude_dimension
from presheaf.enriched.distortion import distortion
from presheaf.enriched.false_alarms import false_representable_rate
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import angle, gaussian, laplacian
from presheaf.enriched.label_category import ISOMORPHISM_CLASSES
from presheaf.enriched.laws import laws
from presheaf.enriched.population import pair_bound
from presheaf.enriched.representability import Representability, representability
from presheaf.enriched.spread import spread
from presheaf.enriched.transfer import transfer
from presheaf.statistics.intervals import Interval, clopper_pearson

Floats = NDArray[np.float64]
ALPHA = 0.05
OUTSIDE = 0.05
MARGIN = 0.1
POWER = 0.9
"""How often a verdict that can also be "cannot say" should come."""
SLACK = 0.02
"""Coverage of first-order intervals may be off by this much, beyond what chance leaves open."""


@dataclass(frozen=True)
class Rate:
    """How often something happened in independent trials, and what it should be.

    ``kind`` is "world" (always), "power" (at least ``expected``), "null" (at most ``expected``), "interval" (``expected``, to
    first order) or "wide interval" (at least ``expected``: conservative by construction).
    """

    name: str
    kind: str
    count: int
    trials: int
    expected: float

    @property
    def value(self) -> float:
        return self.count / self.trials

    @property
    def bounds(self) -> tuple[float, float]:
        return clopper_pearson(self.count, self.trials)

    @property
    def good(self) -> bool:
        low, high = self.bounds
        if self.kind == "world":
            return self.count == self.trials
        if self.kind == "null":
            return low <= self.expected
        if self.kind == "interval":
            return low <= self.expected + SLACK and high >= self.expected - SLACK
        return high >= self.expected


def share(name: str, kind: str, hits: Iterator[bool], trials: int, expected: float) -> Rate:
    return Rate(name, kind, sum(hits), trials, expected)


def cloud(rng: np.random.Generator, n: int, d: int) -> Floats:
    return rng.standard_normal((n, d))


def angles(rng: np.random.Generator, n: int, d: int = 4) -> Hom:
    return hom_from_features(cloud(rng, n, d), angle())


def holds(interval: Interval, truth: float) -> bool:
    return bool(interval.low <= truth <= interval.high)


def prompt_and_noise(seed: int) -> tuple[int, Representability]:
    """T = h_p + noise inside the margin."""
    rng = np.random.default_rng(seed)
    hom, p = angles(rng, 300), int(rng.integers(300))
    task = np.maximum(0, hom.row(p, "contravariant") + rng.uniform(-MARGIN / 2, MARGIN / 2, hom.n))
    return p, representability(
        hom, task, "contravariant", MARGIN, candidates=np.arange(hom.n), rounds=0, seed=seed, outside=OUTSIDE
    )


def one_prompt(seed: int) -> bool:
    """Representable, by p."""
    p, found = prompt_and_noise(seed)
    return found.value.verdict == "representable" and found.value.prompts == (p,)


def one_calibrated_prompt(seed: int) -> bool:
    """The same at the calibrated level, where what is fitted costs some certainty."""
    p, found = prompt_and_noise(seed)
    return found.calibrated.verdict == "representable" and found.calibrated.prompts == (p,)


def three_prompts(seed: int) -> bool:
    """The minimum of three far representables: three prompts and no fewer, and no single one will do."""
    rng = np.random.default_rng(seed)
    hom = angles(rng, 150)
    chosen = [0]
    for _ in range(2):
        chosen.append(int(np.argmax(hom.columns(chosen, "contravariant").min(axis=1))))
    task = hom.columns(chosen, "contravariant", np.float64).min(axis=1)
    number = prompt_number(hom, task, "contravariant", 1e-6)
    exactly = number.low == number.high == 3 and number.fit is not None and set(number.fit.prompts) == set(chosen)
    single = representability(hom, task, "contravariant", MARGIN, candidates=np.arange(hom.n), rounds=0, seed=seed)
    return exactly and single.value.verdict == "not within the candidates"


def flipped_pairs(seed: int) -> bool:
    """A share s of isomorphic pairs labelled apart: both ceilings are 1 - s/2 at lambda = 0."""
    rng = np.random.default_rng(seed)
    features, apart = cloud(rng, 200, 5), int(rng.integers(1, 200))
    labels = rng.integers(0, 2, 200)
    partner = labels.copy()
    partner[:apart] = 1 - partner[:apart]
    hom = hom_from_features(np.concatenate([features, features]), angle())
    pairs = close_pairs(hom, 0.0, ISOMORPHISM_CLASSES.reading)
    curve = ceiling_curve(pairs, np.concatenate([labels, partner]), ISOMORPHISM_CLASSES, [0.0])
    return bool(np.allclose([curve.strict[0], curve.margin[0]], 1 - apart / 200 / 2))


def paired_spaces(seed: int) -> bool:
    """Distances stretched by a known factor: all of it, and only it, is distortion; a rotation has none and transfers."""
    rng = np.random.default_rng(seed)
    features, factor = cloud(rng, 120, 3), float(rng.uniform(1.1, 2))
    before, after = (hom_from_features(x, laplacian(1.0)) for x in (features, factor * features))
    found = distortion(before, after)
    stretched = found.full.largest < 1e-9 and np.isclose(found.functor.mean.value, (factor - 1) * found.size)
    rotation = np.linalg.qr(cloud(rng, 3, 3))[0]
    rotated = hom_from_features(features @ rotation, laplacian(1.0))
    numbers = np.arange(120)
    carried = transfer(before, rotated, np.stack([numbers, numbers], axis=1), numbers[:30], "contravariant", draws=19)
    same = distortion(before, rotated).keeps_homs(1e-6)
    return bool(stretched and same and carried.found.recall[0][1].value == 1 and carried.shuffled.p == 1 / 20)


def rotations(seed: int) -> bool:
    """RotNet: one prompt for a free orbit, as many as orbits for several, none for an orbit with symmetry."""
    from presheaf.finite.examples import rotnet
    from presheaf.finite.presheaves.presheaf import presheaf
    from presheaf.finite.presheaves.yoneda import generators
    from presheaf.finite.presheaves.yoneda import representability as exactly

    rng = np.random.default_rng(seed)
    sizes = [4] * int(rng.integers(1, 5)) + [2] * int(rng.integers(1, 3)) + [1]
    category = rotnet(sizes)
    orbit = np.repeat(np.arange(len(sizes)), sizes)

    def indicator(orbits: list[int]) -> object:
        inside = np.isin(orbit, orbits)
        columns = [[0] if inside[b] else [] for b in category.generator_cod.tolist()]
        return presheaf(category, inside.astype(int), columns)

    single = all(bool(exactly(indicator([i]))) == (size == 4) for i, size in enumerate(sizes))
    free = [i for i, size in enumerate(sizes) if size == 4]
    cover = generators(indicator(free))
    return single and len(cover) == len(free) and cover.coproduct


WORLDS: dict[str, tuple[str, Callable[[int], bool], int]] = {
    "one prompt and noise": ("world", one_prompt, 50),
    "one prompt and noise, calibrated": ("power", one_calibrated_prompt, 50),
    "minimum of three prompts": ("world", three_prompts, 50),
    "isomorphic pairs labelled apart": ("world", flipped_pairs, 50),
    "paired spaces, known distortion": ("world", paired_spaces, 50),
    "rotation groupoid": ("world", rotations, 20),
}


def mostly_first(hom: Hom, outside: float, rng: np.random.Generator) -> Floats:
    """The first object's representable, but far off for a share of the objects, each by itself."""
    row = hom.row(0, "contravariant")
    off = np.where(row < np.pi / 2, row + 10 * MARGIN, row - 10 * MARGIN)
    return np.where(rng.random(hom.n) < outside, off, row)


def permuted(trials: int) -> tuple[Rate, Rate]:
    """Tasks of a prompt, permuted: representable at value and at calibrated level."""
    hom = angles(np.random.default_rng(0), 200)
    found = false_representable_rate(
        hom, hom.row(3, "contravariant"), "contravariant", MARGIN, trials, outside=OUTSIDE, alpha=ALPHA
    )
    rates = zip(("value", "calibrated"), (found.value, found.calibrated), strict=True)
    first, second = (
        Rate(f"permuted labels, {level} level", "null", round(x.value * trials), trials, ALPHA) for level, x in rates
    )
    return first, second


def by_a_hair(trials: int) -> tuple[Rate, Rate]:
    """The worst case: one candidate, with just over the allowed share of objects outside the margin."""
    called = np.zeros(2, dtype=int)
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        hom = angles(rng, 800)
        task = mostly_first(hom, OUTSIDE * 1.001, rng)
        found = representability(
            hom, task, "contravariant", MARGIN, candidates=[0], outside=OUTSIDE, alpha=ALPHA, rounds=0, seed=seed
        )
        called += [level.verdict == "representable" for level in (found.value, found.calibrated)]
    value, calibrated = (int(x) for x in called)
    return (
        Rate("off by a hair, value level", "null", value, trials, ALPHA),
        Rate("off by a hair, calibrated level", "null", calibrated, trials, ALPHA),
    )


def unrelated_pairs(trials: int) -> tuple[Rate]:
    """Two spaces that have nothing to do with each other: the transfer's permutation test says they do."""

    def alarm(seed: int) -> bool:
        rng = np.random.default_rng(seed)
        before, after = angles(rng, 60), angles(rng, 60)
        numbers = np.arange(60)
        pairs = np.stack([numbers, numbers], axis=1)
        return transfer(before, after, pairs, numbers[:20], "contravariant", draws=19, seed=seed).shuffled.p <= ALPHA

    count = max(1, trials // 4)
    return (share("unrelated spaces, transfer", "null", map(alarm, range(count)), count, ALPHA),)


NULLS: dict[str, Callable[[int], tuple[Rate, ...]]] = {
    "permuted labels": permuted,
    "off by a hair": by_a_hair,
    "unrelated spaces": unrelated_pairs,
}


def broken_triples(seed: int, n: int) -> bool:
    """Share of triples that a Gaussian kernel breaks: for normal points in R^3 a beta distribution's value at 1/4."""
    hom = hom_from_features(cloud(np.random.default_rng(seed), n, 3), gaussian(1.0, unlawful=True))
    found = laws(hom, exact_up_to=150, triples=20_000, seed=seed).share
    return holds(found, float(beta.cdf(0.25, 1.5, 1.5)))


def stretched(seed: int, quantile: bool) -> bool:
    """Uniform points on a line, stretched by 1.2: mean 0.2 / 3, and quantiles of 0.2 |x - y|, P(<= t) = 2 t - t^2."""
    points = np.random.default_rng(seed).random((150, 1))
    before, after = (hom_from_features(x, laplacian(1.0)) for x in (points, 1.2 * points))
    found = distortion(before, after, seed=seed).functor
    if quantile:
        return holds(found.q95, 0.2 * (1 - np.sqrt(0.05)))
    return holds(found.mean, 0.2 / 3)


def sampled_spread(seed: int) -> bool:
    """Spread from 150 of 600 rows against that of all."""
    rng = np.random.default_rng(seed)
    hom = hom_from_features(np.concatenate([cloud(rng, 300, 3), 0.2 * cloud(rng, 300, 3)]), laplacian(1.0))
    found = spread(hom, 1.0, "covariant", rows=150, seed=seed)
    truth = spread(hom, 1.0, "covariant").value[0]
    return bool(found.low[0] <= truth <= found.high[0])


def pairs_apart(seed: int) -> bool:
    """Half of P(labels of a pair differ) = 0.15."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 1000)
    return holds(pair_bound(labels, labels ^ (rng.random(1000) < 0.3)).error, 0.15)


def outside_margin(seed: int) -> bool:
    """The upper end of the share of objects outside the margin; the true share is 0.2."""
    rng = np.random.default_rng(seed)
    hom = angles(rng, 800)
    task = mostly_first(hom, 0.2, rng)
    found = representability(
        hom, task, "contravariant", MARGIN, candidates=[0], outside=OUTSIDE, alpha=ALPHA, rounds=0, seed=seed
    )
    return found.value.share.high >= 0.2


def line_slope(points: Floats) -> Floats:
    """Slope of ln magnitude over ln t in [1, 4] of points on a line, closed form; points of shape (samples, n)."""
    gaps = np.diff(np.sort(points, axis=1), axis=1)
    at = [1 + np.tanh(t * gaps / 2).sum(axis=1) for t in (1.0, 4.0)]
    return np.asarray(np.log(at[1] / at[0]) / np.log(4))


def dimension(seed: int, truth: float) -> bool:
    points = np.random.default_rng(seed).uniform(0, 5, (60, 1))
    return holds(magnitude_dimension(hom_from_features(points, laplacian(1.0)), 1.0, 4.0, seed=seed).slope, truth)


def coverages(trials: int, only: list[str] | None) -> Iterator[Rate]:
    truth = float(line_slope(np.random.default_rng(1).uniform(0, 5, (20_000, 60))).mean())
    cases: dict[str, tuple[str, Callable[[int], bool], int]] = {
        "broken triples, all": ("interval", partial(broken_triples, n=100), trials),
        "broken triples, sampled": ("interval", partial(broken_triples, n=200), trials),
        "mean distortion": ("interval", partial(stretched, quantile=False), trials),
        "spread from sampled rows": ("interval", sampled_spread, trials),
        "pairs labelled apart": ("interval", pairs_apart, trials),
        "share outside the margin, upper end": ("interval", outside_margin, trials),
        "95 % quantile of distortion": ("wide interval", partial(stretched, quantile=True), trials),
        "magnitude dimension": ("wide interval", partial(dimension, truth=truth), max(1, trials // 10)),
    }
    for name, (kind, hit, count) in cases.items():
        if only is None or name in only:
            yield share(name, kind, map(hit, range(count)), count, 0.95)


def rates(trials: int, only: list[str] | None) -> Iterator[Rate]:
    for name, (kind, world, most) in WORLDS.items():
        if only is None or name in only:
            count = min(trials, most)
            yield share(name, kind, map(world, range(count)), count, 1.0 if kind == "world" else POWER)
    for name, null in NULLS.items():
        if only is None or name in only:
            yield from null(trials)
    yield from coverages(trials, only)


def line(rate: Rate) -> str:
    low, high = rate.bounds
    wanted = {"world": "always", "null": f"<= {rate.expected:.0%}", "interval": f"{rate.expected:.0%}"}
    said = wanted.get(rate.kind, f">= {rate.expected:.0%}")
    verdict = "met" if rate.good else "MISSED"
    numbers = f"{rate.count:5} of {rate.trials:5} {rate.value:8.1%} [{low:6.1%}, {high:6.1%}]"
    return f"{rate.name:38} {rate.kind:14} {numbers}  {said:>7} {verdict}"


def summary(found: list[Rate]) -> dict[str, object]:
    """What --json prints."""
    alarms = [r.value for r in found if r.kind == "null" and "level" in r.name]
    first_order = [r.value for r in found if r.kind == "interval"]
    lines = [asdict(r) | {"rate": r.value, "low": r.bounds[0], "high": r.bounds[1], "met": r.good} for r in found]
    return {
        "false_representable_rate": max(alarms, default=None),
        "interval_coverage": float(np.mean(first_order)) if first_order else None,
        "worlds": [x for x in lines if x["kind"] in ("world", "power")],
        "nulls": [x for x in lines if x["kind"] == "null"],
        "intervals": [x for x in lines if x["kind"].endswith("interval")],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--trials", type=int, default=1000, help="nulls, and draws for each coverage")
    parser.add_argument("--only", nargs="+", metavar="NAME")
    given = parser.parse_args()
    found = []
    for rate in rates(given.trials, given.only):
        found.append(rate)
        if not given.json:
            print(line(rate), flush=True)
    if given.json:
        print(json.dumps(summary(found), indent=1))
    sys.exit(0 if all(r.good for r in found) else 1)


if __name__ == "__main__":
    main()
