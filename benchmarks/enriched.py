"""The enriched room, presheaf.enriched, beside programs that do the same thing, in one run.

    python benchmarks/enriched.py [--json] [--n 100000] [--only magnitude nearest ...] [--peers PYTHON]

Objects are n x 384 float32 features: 200 groups of unequal width, seed 0. Every value and every peer runs in a process of
its own, with OMP_NUM_THREADS as it is set. Seconds are wall and processor time of the call alone; memory is the most the
process ever held, libraries and input included. A peer's answer must be ours before its time is printed. The ratio is the
peer's processor time over ours, which other programs on the machine disturb least: above 1 presheaf is the faster one.

Peers: magnipy for magnitude and spread of some thousand objects, scikit-learn for neighbours. What holds n x n in memory is
left out where that does not fit. POT (optimal transport) has no part that does the same as one here, so it is not run.
Peers that are not installed are left out; name an interpreter that has them with --peers (pip install magnipy).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
DENSE, LARGE = 3000, 20_000
"""Objects for what solves n x n equations directly, and for what looks at all pairs without a search."""
LIMIT = 1 << 28
PAIRS = 1 << 30
"""Bytes for a search whose answer is all pairs within a radius: some millions of them."""
K = 10
RADIUS = 0.6
"""Euclidean distance between unit vectors: an angle of 0.609."""
SECONDS = 3600

Answer = dict[str, Any]


def features(n: int) -> NDArray[np.float32]:
    """n unit vectors of length 384 in 200 groups of different width."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((200, 384), dtype=np.float32)
    group = rng.integers(0, 200, n)
    noise = rng.standard_normal((n, 384), dtype=np.float32)
    noise *= np.linspace(0.2, 1.5, 200, dtype=np.float32)[group, None]
    noise += centres[group]
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    return noise


def hom(n: int) -> Any:
    from presheaf.enriched.construct import hom_from_features
    from presheaf.enriched.kernel import laplacian

    return hom_from_features(features(n), laplacian(1.0))


def clock(call: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """Wall and processor seconds of a call, and what it returns."""
    wall, processor = time.perf_counter(), time.process_time()
    found = call()
    return {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - processor}, found


def our_magnitude(n: int) -> Answer:
    from presheaf.enriched.magnitude import magnitude_function

    objects = hom(min(n, DENSE))
    seconds, found = clock(lambda: magnitude_function(objects, SCALES, 1 << 30))
    return {**seconds, "answer": [m.value for m in found], "n": objects.n}


def our_large_magnitude(n: int) -> Answer:
    from presheaf.enriched.magnitude import magnitude

    objects = hom(min(n, LARGE))
    limit = 4 * objects.n**2 + LIMIT
    seconds, found = clock(lambda: magnitude(objects, 2.0, limit, "iterative"))
    # A residual far from the end would make a fast wrong number.
    if not found.defined or found.error > 1e-4 * found.value:
        raise SystemExit(f"not solved: {found}")
    return {**seconds, "answer": [found.value], "n": objects.n}


def our_spread(n: int) -> Answer:
    from presheaf.enriched.spread import spread

    objects = hom(min(n, DENSE))
    seconds, found = clock(lambda: spread(objects, SCALES, "covariant", limit_bytes=LIMIT))
    return {**seconds, "answer": list(found.value), "n": objects.n}


def our_large_spread(n: int) -> Answer:
    from presheaf.enriched.spread import spread

    objects = hom(min(n, LARGE))
    seconds, found = clock(lambda: spread(objects, 2.0, "covariant", limit_bytes=LIMIT))
    return {**seconds, "answer": list(found.value), "n": objects.n}


def our_sampled_spread(n: int) -> Answer:
    from presheaf.enriched.spread import spread

    objects = hom(n)
    seconds, found = clock(lambda: spread(objects, 2.0, "covariant", rows=min(n, 2000), limit_bytes=LIMIT))
    return {**seconds, "answer": [found.value[0], found.low[0], found.high[0]], "n": n}


def our_nearest(n: int) -> Answer:
    objects = hom(n)
    seconds, found = clock(lambda: objects.nearest(K, "both", LIMIT))
    return {**seconds, "answer": [float(found[1].sum(dtype=np.float64))], "n": n}


def our_within(n: int) -> Answer:
    objects = hom(n)
    seconds, found = clock(lambda: objects.within(RADIUS, "both", PAIRS))
    return {**seconds, "answer": [float(len(found.rows))], "n": n}


def our_laws(n: int) -> Answer:
    from presheaf.enriched.laws import laws

    objects = hom(n)
    seconds, found = clock(lambda: laws(objects))
    return {**seconds, "answer": [found.share.value], "n": n}


def magnipy_magnitude(n: int) -> Answer:
    from magnipy.magnitude.compute import compute_magnitude_from_distances
    from scipy.spatial.distance import cdist

    points = features(min(n, DENSE)).astype(np.float64)

    def call() -> Any:
        return compute_magnitude_from_distances(cdist(points, points), ts=np.array(SCALES), method="cholesky")

    seconds, found = clock(call)
    return {**seconds, "answer": [float(x) for x in found], "n": len(points)}


def magnipy_spread(n: int) -> Answer:
    from magnipy.magnitude.compute import compute_magnitude_from_distances
    from scipy.spatial.distance import cdist

    points = features(min(n, DENSE)).astype(np.float64)

    def call() -> Any:
        return compute_magnitude_from_distances(cdist(points, points), ts=np.array(SCALES), method="spread")

    seconds, found = clock(call)
    return {**seconds, "answer": [float(x) for x in found], "n": len(points)}


def sklearn_nearest(n: int) -> Answer:
    from sklearn.neighbors import NearestNeighbors

    points = features(n)
    seconds, found = clock(lambda: NearestNeighbors(n_neighbors=K, algorithm="brute").fit(points).kneighbors())
    return {**seconds, "answer": [float(found[0].sum(dtype=np.float64))], "n": n}


def sklearn_within(n: int) -> Answer:
    from sklearn.neighbors import NearestNeighbors

    points = features(n)

    def call() -> int:
        found = NearestNeighbors(radius=RADIUS, algorithm="brute").fit(points).radius_neighbors(return_distance=True)
        return sum(len(x) for x in found[0])

    seconds, pairs = clock(call)
    return {**seconds, "answer": [float(pairs)], "n": n}


OURS: dict[str, Callable[[int], Answer]] = {
    "magnitude": our_magnitude,
    "spread": our_spread,
    "magnitude_iterative": our_large_magnitude,
    "spread_sampled": our_sampled_spread,
    "laws": our_laws,
    "within": our_within,
    "nearest": our_nearest,
    "spread_large": our_large_spread,
}
PEERS: dict[str, dict[str, Callable[[int], Answer]]] = {
    "magnitude": {"magnipy": magnipy_magnitude},
    "spread": {"magnipy": magnipy_spread},
    "nearest": {"scikit-learn": sklearn_nearest},
    "within": {"scikit-learn": sklearn_within},
}
MODULE = {"magnipy": "magnipy", "scikit-learn": "sklearn"}


def run(python: str, arguments: list[str]) -> Answer:
    """One process's answer, or {"failed": why}."""
    try:
        done = subprocess.run(
            [python, __file__, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {SECONDS} s"}
    if done.returncode:
        return {"failed": (done.stderr.strip() or f"exit {done.returncode}").splitlines()[-1]}
    found: Answer = json.loads(done.stdout.splitlines()[-1])
    return found


def has(python: str, module: str) -> bool:
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def measure(name: str, n: int, interpreters: list[str]) -> dict[str, Any]:
    ours = run(sys.executable, ["--task", name, "--n", str(n)])
    if "failed" in ours:
        raise SystemExit(f"{name}: {ours['failed']}")
    row: dict[str, Any] = {"name": name, **ours, "peers": {}}
    for peer in PEERS.get(name, {}):
        python = next((p for p in interpreters if has(p, MODULE[peer])), None)
        if python is None:
            continue
        theirs = run(python, ["--task", name, "--n", str(n), "--peer", peer])
        if "failed" not in theirs:
            if not np.allclose(theirs["answer"], ours["answer"], rtol=1e-4):
                raise SystemExit(f"{name}: {peer} finds {theirs['answer']}, presheaf {ours['answer']}.")
            theirs["ratio"] = theirs["cpu"] / ours["cpu"]
        row["peers"][peer] = theirs
    return row


def line(row: dict[str, Any]) -> str:
    parts = [
        f"{peer}: {found['failed']}"
        if "failed" in found
        else f"{peer} {found['seconds']:.2f} s, {found['cpu']:.2f} s, {found['megabytes']:.0f} MB, {found['ratio']:.2g}x"
        for peer, found in row["peers"].items()
    ]
    ours = f"{row['seconds']:9.2f} {row['cpu']:9.2f} {row['megabytes']:7.0f}"
    return f"{row['name']:20} {row['n']:8} {ours}   {'; '.join(parts)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one list of objects")
    parser.add_argument("--n", type=int, default=100_000, help="objects where nothing n x n is needed")
    parser.add_argument("--only", nargs="+", choices=list(OURS), metavar="NAME")
    parser.add_argument("--alone", action="store_true", help="no peers")
    parser.add_argument("--peers", action="append", default=[], metavar="PYTHON", help="an interpreter that has peers")
    parser.add_argument("--task", choices=list(OURS), help=argparse.SUPPRESS)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        found = (PEERS[given.task][given.peer] if given.peer else OURS[given.task])(given.n)
        print(json.dumps(found | {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    if not given.json:
        threads = os.environ.get("OMP_NUM_THREADS", "not set")
        print(f"Python {platform.python_version()}, {len(os.sched_getaffinity(0))} cores, OMP_NUM_THREADS {threads}")
        print(f"{'name':20} {'n':>8} {'s':>9} {'cpu s':>9} {'MB':>7}   peers: s, cpu s, MB, ratio")
    rows = []
    for name in given.only or OURS:
        rows.append(measure(name, given.n, [] if given.alone else [sys.executable, *given.peers]))
        if not given.json:
            print(line(rows[-1]), flush=True)
    if given.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
