"""The exact engine, presheaf.finite, beside peers that answer the same question, in one run.

    python benchmarks/engine.py [--json] [--only s9 j1 ...] [--repeat 3]

Every value and every peer runs in a process of its own; seconds are wall time of the call alone, the least of --repeat
runs; memory is the most the process ever held, libraries and input included. Sizes are checked before a number is
printed. Peers that are not installed are left out: scipy's connected components knows the closed form of the school
square, egglog (pip install egglog) runs it as rules.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SQUARES = {"school_square_4m": 1_000_000, "school_square_20m": 5_000_000}
EGGLOG_LIMIT = 1_000_000


def enumerate_example(name: str) -> tuple[float, int, int]:
    """Seconds, size found, size expected."""
    from presheaf.finite import examples
    from presheaf.finite.kan_left import left_kan, representable

    if name == "psl2_101":
        mapping = examples.psl2_over_s(101)
        start = time.perf_counter()
        found = int(left_kan(mapping, [1], [[0]]).sizes[0])
        return time.perf_counter() - start, found, (101 * 101 - 1) // 2
    example = {
        "s9": lambda: examples.symmetric(9),
        "m12": examples.mathieu_12,
        "j1": examples.janko_1,
        "t6": lambda: examples.full_transformations(6),
    }[name]()
    start = time.perf_counter()
    found = int(representable(example.presentation).sizes[0])
    return time.perf_counter() - start, found, example.arrows or -1


def school(n: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    rng = np.random.default_rng(0)
    return rng.integers(0, n, n).astype(np.int32), rng.integers(0, n, n).astype(np.int32)


def square_presheaf(n: int) -> tuple[float, int]:
    from presheaf.finite.examples import school_square
    from presheaf.finite.kan_left import left_kan

    faculty, student = school(n)
    mapping = school_square()
    start = time.perf_counter()
    result = left_kan(mapping, [n, n, n], [faculty, student])
    return time.perf_counter() - start, int(result.sizes[3])


def square_scipy(n: int) -> tuple[float, int]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    faculty, student = school(n)
    start = time.perf_counter()
    graph = coo_array((np.ones(n, dtype=np.int8), (faculty, student + n)), shape=(2 * n, 2 * n))
    count, _ = connected_components(graph, directed=False)
    return time.perf_counter() - start, int(count)


def square_egglog(n: int) -> tuple[float, int]:
    """The chase alone: the rows are loaded before the clock starts. Two terms that are united are one person."""
    from egglog.bindings import EGraph

    faculty, student = school(n)
    with tempfile.TemporaryDirectory() as folder:
        everyone = np.arange(n)
        np.savetxt(Path(folder, "ta.csv"), np.stack([faculty, student], axis=1), fmt="%d", delimiter="\t")
        np.savetxt(Path(folder, "row.csv"), everyone[:, None], fmt="%d")
        graph = EGraph(fact_directory=folder)
        load = """
            (sort Person)
            (constructor FacultyIs (i64) Person) (constructor StudentIs (i64) Person)
            (relation TA (i64 i64)) (relation Faculty (i64)) (relation Student (i64))
            (rule ((Faculty x)) ((FacultyIs x))) (rule ((Student x)) ((StudentIs x)))
            (rule ((TA f s)) ((union (FacultyIs f) (StudentIs s))))
            (input TA "ta.csv") (input Faculty "row.csv") (input Student "row.csv")
        """
        graph.run_program(*graph.parse_program(load))
        start = time.perf_counter()
        graph.run_program(*graph.parse_program("(run 1)"))
        return time.perf_counter() - start, 0


def measure(task: str) -> dict[str, float]:
    """Run one task here; seconds, size and megabytes."""
    name, _, who = task.partition(":")
    if name in SQUARES:
        ways: dict[str, Callable[[int], tuple[float, int]]] = {
            "presheaf": square_presheaf,
            "scipy": square_scipy,
            "egglog": square_egglog,
        }
        seconds, size = ways[who](SQUARES[name])
    else:
        seconds, size, expected = enumerate_example(name)
        if size != expected:
            raise SystemExit(f"{name}: found {size} elements, expected {expected}.")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "size": size, "megabytes": peak}


def in_a_process(task: str, repeat: int) -> dict[str, float]:
    runs = []
    for _ in range(repeat):
        done = subprocess.run([sys.executable, __file__, "--task", task], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{task}: {done.stderr.strip() or done.stdout.strip()}")
        runs.append(json.loads(done.stdout))
    return min(runs, key=lambda r: r["seconds"])


def main() -> None:
    names = ["s9", "m12", "j1", "psl2_101", "t6", *SQUARES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        print(json.dumps(measure(given.task)))
        return
    if not given.json:
        print(f"{'name':18} {'size':>10} {'s':>8} {'MB':>6}   peer, seconds, MB, ratio")
    for name in given.only:
        ours = in_a_process(f"{name}:presheaf", given.repeat)
        peers = {}
        if name in SQUARES:
            peers["scipy connected_components"] = in_a_process(f"{name}:scipy", given.repeat)
            if peers["scipy connected_components"]["size"] != ours["size"]:
                raise SystemExit(f"{name}: scipy finds another number of persons.")
            if SQUARES[name] <= EGGLOG_LIMIT and importlib.util.find_spec("egglog"):
                peers["egglog"] = in_a_process(f"{name}:egglog", 1)
        if given.json:
            for peer, theirs in peers.items() or [(None, None)]:
                row = {"name": name, "value": ours["seconds"], "unit": "s", "peer": peer}
                row["peer_value"] = theirs["seconds"] if theirs else None
                row |= {"size": ours["size"], "peak_mb": ours["megabytes"]}
                print(json.dumps(row), flush=True)
            continue
        shown = "; ".join(
            f"{peer} {t['seconds']:.3f} s, {t['megabytes']:.0f} MB, {t['seconds'] / ours['seconds']:.1f}x"
            for peer, t in peers.items()
        )
        print(f"{name:18} {ours['size']:10.0f} {ours['seconds']:8.3f} {ours['megabytes']:6.0f}   {shown}", flush=True)


if __name__ == "__main__":
    main()
