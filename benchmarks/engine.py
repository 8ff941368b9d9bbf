"""The exact engine, presheaf.finite, beside other programs that answer the same question, in one run.

    python benchmarks/engine.py [--json] [--more] [--only s9 j1 ...] [--repeat 3] [--peers PYTHON]

Every value and every peer runs in a process of its own. Seconds are wall time of the call alone, the least of --repeat
runs; where a task has several cases the slowest is its value. Memory is the most the process ever held, libraries and
input included. A size is checked before its number is printed, and peers must find the same. The ratio is the fastest
peer's time over ours: above 1 presheaf is the faster one.

Peers that are not installed are left out. numpy and scipy are always there; ``pip install duckdb egglog`` gives two
more. GAP (pip install passagemath-gap) and libsemigroups (pip install libsemigroups_pybind11) are GPL programs to
measure against; put them into an environment of their own and name its interpreter with --peers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import engine_ours
from engine_peers import PEERS

HERE = Path(__file__).resolve().parent
PEER_SECONDS = 120

TARGETS = {
    "school_square_4m": 0.3,
    "school_square_20m": 2.0,
    "s9": 0.5,
    "m12": 0.2,
    "j1": 0.8,
    "t6": 0.5,
    "representability_1m": 0.5,
    "validate_100k": 0.1,
    "hom_c8_k8": 0.05,
    "omega_simplex_3": 0.05,
    "omega_simplex_4": 5.0,
}
"""Seconds to stay under, on two cores; psl2_101 has to be solved, in whatever time."""


def given_to_peers(name: str) -> dict[str, Any]:
    """A task's presentation for other programs: as a monoid, and as a group with signed letters where it is one."""
    from presheaf.finite import examples

    fixing = []
    if name == "psl2_101":
        presentation, fixing = examples.psl2(101).presentation, [[0]]
    else:
        presentation = engine_ours.example(name).presentation
    names = [g[0] for g in presentation.generators]
    signed = [-1 - names.index(n[:-3]) if n.endswith("^-1") else 1 + j for j, n in enumerate(names)]
    relators = []
    for u, v in presentation.equations:
        word = [signed[x] for x in u] + [-signed[x] for x in reversed(v)]
        if len(word) != 2 or word[0] != -word[1]:
            relators.append(word)
    return {
        "letters": len(names),
        "equations": presentation.equations,
        "fixing": fixing,
        "group letters": sum(s > 0 for s in signed),
        "relators": relators,
        "group fixing": [[signed[x] for x in w] for w in fixing],
    }


def run(command: list[str], text: str | None = None, seconds: float | None = None) -> dict[str, Any]:
    """A process's one line of JSON; {"failed": why} when it ends otherwise."""
    try:
        done = subprocess.run(command, input=text or "", capture_output=True, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {seconds:.0f} s"}
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit {done.returncode}").splitlines()[-1]
        return {"failed": said}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def best(runs: list[dict[str, Any]]) -> dict[str, Any]:
    good = [r for r in runs if "failed" not in r]
    return min(good, key=lambda r: r["seconds"]) if good else runs[0]


def interpreter(peer: str, choices: list[str]) -> str | None:
    """The first interpreter that has a peer."""
    for python in choices:
        if run([python, str(HERE / "engine_peers.py"), "--installed", peer]) is True:
            return python
    return None


def measure(name: str, repeat: int, interpreters: list[str]) -> dict[str, Any]:
    """One row of the table: our value and every installed peer's."""
    ours = best([run([sys.executable, __file__, "--task", name]) for _ in range(repeat)])
    if "failed" in ours:
        raise SystemExit(f"{name}: {ours['failed']}")
    row = {"name": name, "value": ours["seconds"], "unit": "s", "size": ours["size"]}
    row |= {"peak_memory_mb": ours["megabytes"], "cases": ours["cases"], "target": TARGETS.get(name)}
    peers, memory, failed = {}, {}, {}
    for peer in PEERS.get(name, {}):
        python = interpreter(peer, interpreters)
        if python is None:
            continue
        needs_words = peer.split()[0] in ("GAP", "libsemigroups")
        text = json.dumps(given_to_peers(name)) if needs_words else None
        command = [python, str(HERE / "engine_peers.py"), name, peer]
        first = run(command, text, PEER_SECONDS)
        again = 0 if "failed" in first or first["seconds"] > 5 else repeat - 1
        theirs = best([first, *(run(command, text, PEER_SECONDS) for _ in range(again))])
        if "failed" in theirs:
            failed[peer] = theirs["failed"]
            continue
        if theirs["size"] and theirs["size"] != ours["size"]:
            raise SystemExit(f"{name}: {peer} finds {theirs['size']}, presheaf {ours['size']}.")
        peers[peer], memory[peer] = theirs["seconds"], theirs["megabytes"]
    row |= {"peers": peers, "peers_memory_mb": memory, "peers_failed": failed}
    row["ratio"] = min(peers.values()) / ours["seconds"] if peers else None
    return row


def line(row: dict[str, Any]) -> str:
    parts = [
        f"{peer} {seconds:.4f} s, {row['peers_memory_mb'][peer]:.0f} MB, {seconds / row['value']:.2g}x"
        for peer, seconds in row["peers"].items()
    ]
    parts += [f"{peer}: {why}" for peer, why in row["peers_failed"].items()]
    over = row["target"] is not None and row["value"] > row["target"]
    verdict = f"missed by {row['value'] / row['target'] - 1:.0%}" if over else "" if row["target"] is None else "met"
    target = "" if row["target"] is None else f"{row['target']:g}"
    head = (
        f"{row['name']:20} {row['size']:10} {row['value']:9.4f} {target:>6} {verdict:14} {row['peak_memory_mb']:6.0f}"
    )
    cases = [f"{'':22}{case}: {seconds:.4f} s" for case, seconds in row["cases"].items()]
    return "\n".join([f"{head}   {'; '.join(parts)}", *cases])


def main() -> None:
    tasks = {**engine_ours.REQUIRED, **engine_ours.MORE}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one list of objects")
    parser.add_argument("--more", action="store_true", help="the other families, too")
    parser.add_argument("--only", nargs="+", choices=list(tasks), metavar="NAME")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peers", action="append", default=[], metavar="PYTHON", help="an interpreter that has peers")
    parser.add_argument("--task", choices=list(tasks), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        found = tasks[given.task]()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        size = {"seconds": found.seconds, "size": found.size, "cases": found.cases, "megabytes": peak}
        print(json.dumps(size))
        return
    names = given.only or [*engine_ours.REQUIRED, *(engine_ours.MORE if given.more else ())]
    if not given.json:
        print(f"Python {platform.python_version()}, {len(os.sched_getaffinity(0))} cores")
        print(f"{'name':20} {'size':>10} {'s':>9} {'target':>6} {'':14} {'MB':>6}   peers: seconds, MB, ratio")
    rows = []
    for name in names:
        rows.append(measure(name, given.repeat, [sys.executable, *given.peers]))
        if not given.json:
            print(line(rows[-1]), flush=True)
    if given.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
