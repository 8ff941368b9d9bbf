"""Other programs on the tasks of benchmarks/engine.py, one task a process: ``python engine_peers.py TASK PEER``.

Prints one line of JSON with seconds and the size found. Nothing of presheaf is imported, so that a peer can live in an
interpreter of its own; presentations come as JSON on standard input. Loading and conversion of the input are outside
the clock wherever the peer lets them be. Each peer is optional: ``NEEDS`` says what must be importable. GAP and
libsemigroups (GPL) are programs to measure against; nothing here links to them or installs them.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine_timing import clock
from engine_worlds import (
    COLOURS,
    COMPONENTS,
    CYCLE,
    MIGRATED,
    PULLBACK,
    SIDE,
    SQUARES,
    graph,
    pair_of_functions,
    school,
    torus_steps,
)

Found = tuple[float, int]


def components(nodes: int, a: Any, b: Any) -> Found:
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    def run() -> int:
        made = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(nodes, nodes))
        return int(connected_components(made, directed=False)[0])

    return clock(run)


def square_scipy(task: str) -> Found:
    """The closed form of the square: persons are the components of the graph of faculty and students."""
    n = SQUARES[task]
    faculty, student = school(n)
    return components(2 * n, faculty, student + n)


def terminal_scipy(task: str) -> Found:
    return components(COMPONENTS, *graph(COMPONENTS))


def square_egglog(task: str) -> Found:
    """Rows loaded as facts before the clock starts; the chase alone is timed. United terms are one person."""
    import numpy as np
    from egglog.bindings import EGraph

    n = SQUARES[task]
    faculty, student = school(n)
    load = """
        (sort Person)
        (constructor FacultyIs (i64) Person) (constructor StudentIs (i64) Person)
        (relation TA (i64 i64)) (relation Faculty (i64)) (relation Student (i64))
        (rule ((Faculty x)) ((FacultyIs x))) (rule ((Student x)) ((StudentIs x)))
        (rule ((TA f s)) ((union (FacultyIs f) (StudentIs s))))
        (input TA "ta.csv") (input Faculty "row.csv") (input Student "row.csv")
    """
    with tempfile.TemporaryDirectory() as folder:
        np.savetxt(Path(folder, "ta.csv"), np.stack([faculty, student], axis=1), fmt="%d", delimiter="\t")
        np.savetxt(Path(folder, "row.csv"), np.arange(n)[:, None], fmt="%d")
        machine = EGraph(fact_directory=folder)
        machine.run_program(*machine.parse_program(load))
        seconds, _ = clock(lambda: machine.run_program(*machine.parse_program("(run 1)")))
    return seconds, 0


def closure_libsemigroups(task: str, strategy: str) -> Found:
    """Todd-Coxeter on the same presentation: two-sided for a monoid, one-sided with the words that fix the point."""
    from libsemigroups_pybind11 import Presentation, ReportGuard, ToddCoxeter, congruence_kind, presentation

    given = json.load(sys.stdin)
    quiet = ReportGuard(False)
    made = Presentation(list(range(given["letters"])))
    made.contains_empty_word(True)
    for u, v in given["equations"]:
        presentation.add_rule(made, u, v)
    kind = congruence_kind.onesided if given["fixing"] else congruence_kind.twosided
    machine = ToddCoxeter(kind, made)
    for word in given["fixing"]:
        machine.add_generating_pair(word, [])
    machine.strategy(getattr(ToddCoxeter.options.strategy, strategy))
    result = clock(lambda: int(machine.number_of_classes()))
    del quiet
    return result


def gap_program() -> list[str] | None:
    """GAP as the pip package passagemath-gap lays it down."""
    root = Path(sysconfig.get_path("purelib"), "gap")
    return [str(root / "gap"), "-l", str(root), "-A", "-q", "-T"] if (root / "gap").exists() else None


def cosets_gap(task: str) -> Found:
    """GAP's own coset enumeration (Felsch), at its default limits."""
    given = json.load(sys.stdin)

    def product(word: list[int]) -> str:
        return "*".join(f"g[{abs(x)}]" + ("^-1" if x < 0 else "") for x in word)

    lines = [
        f"F := FreeGroup({given['group letters']});; g := GeneratorsOfGroup(F);;",
        f"rels := [{', '.join(product(w) for w in given['relators'])}];;",
        f"fixing := [{', '.join(product(w) for w in given['group fixing'])}];;",
        "t := NanosecondsSinceEpoch();; tab := CosetTableFromGensAndRels(g, rels, fixing);;",
        't := NanosecondsSinceEpoch() - t;; Print(t, " ", Length(tab[1]), "\\n"); QUIT;',
    ]
    command = gap_program()
    assert command is not None
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "task.g")
        script.write_text("\n".join(lines) + "\n")
        done = subprocess.run([*command, script], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    try:
        nanoseconds, size = done.stdout.split()[-2:]
        return int(nanoseconds) / 1e9, int(size)
    except ValueError:
        raise SystemExit("gave up at its default limit") from None


def representability_scipy(task: str) -> Found:
    """The yes case by hand: strong components, the one source component, and one comparison of counts."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    steps = torus_steps((SIDE, SIDE, SIDE))

    def run() -> int:
        target = np.stack(steps, axis=1).ravel()
        first = np.arange(len(steps[0]) + 1) * 3
        made = csr_matrix((np.ones(len(target), dtype=np.int8), target, first), shape=(len(steps[0]),) * 2)
        count, label = connected_components(made, directed=True, connection="strong")
        entered = np.zeros(count, dtype=bool)
        source = np.repeat(label, 3)
        entered[label[target][source != label[target]]] = True
        return int((~entered).sum() == 1 and len(steps[0]) == SIDE**3) * SIDE**3

    return clock(run)


def hom_duckdb(task: str) -> Found:
    """Closed walks of eight steps in K8, as one cyclic join."""
    import duckdb

    base = duckdb.connect()
    base.execute(f"CREATE TABLE e AS SELECT a, b FROM range({COLOURS}) x(a), range({COLOURS}) y(b) WHERE a <> b")
    tables = ", ".join(f"e e{i}" for i in range(CYCLE))
    joins = " AND ".join(f"e{i}.b = e{(i + 1) % CYCLE}.a" for i in range(CYCLE))
    return clock(lambda: int(base.execute(f"SELECT count(*) FROM {tables} WHERE {joins}").fetchone()[0]))


def omega_python(task: str) -> Found:
    """Sieves by plain Python: every simplex's faces and degenerate simplices, up-closed sets by search."""
    from itertools import combinations_with_replacement

    top = int(task[-1])
    maps = [
        (m, n, f)
        for m in range(top + 1)
        for n in range(top + 1)
        for f in combinations_with_replacement(range(n + 1), m + 1)
    ]

    def run() -> int:
        total = 0
        for c in range(top + 1):
            into = [(m, f) for m, n, f in maps if n == c]
            number = {key: i for i, key in enumerate(into)}
            below = []
            for m, f in into:
                bits = 0
                for k, n, g in maps:
                    if n == m:
                        bits |= 1 << number[k, tuple(f[x] for x in g)]
                below.append(bits)
            sieves, front = {0}, [0]
            while front:
                grown = {s | b for s in front for b in below} - sieves
                sieves |= grown
                front = list(grown)
            total += len(sieves)
        return total

    return clock(run)


def light_numpy(task: str) -> Found:
    """Light's test on the full table of T_5: (x g) y = x (g y) for the three generators, in plain numpy."""
    import numpy as np

    points = np.array(np.meshgrid(*[np.arange(5)] * 5, indexing="ij")).reshape(5, -1).T
    key = 5 ** np.arange(4, -1, -1)
    table = np.empty((3125, 3125), dtype=np.int32)
    for i, f in enumerate(points):
        table[i] = points[:, f] @ key
    generators = [int(np.array(g) @ key) for g in ([1, 0, 2, 3, 4], [1, 2, 3, 4, 0], [0, 0, 2, 3, 4])]

    def run() -> int:
        good = all((table[table[:, g]] == table[:, table[g]]).all() for g in generators)
        return 3125 if good else 0

    return clock(run)


def pullback_duckdb(task: str) -> Found:
    """The join, its pairs fetched as numpy arrays."""
    import duckdb
    import numpy as np

    f, g = pair_of_functions(PULLBACK)
    rows = np.arange(PULLBACK, dtype=np.int32)
    base = duckdb.connect()
    for name, columns in (("one", {"x": rows, "f": f}), ("two", {"y": rows, "g": g})):
        base.register("given", columns)
        base.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        base.unregister("given")
    seconds, made = clock(lambda: base.execute("SELECT x, y FROM one JOIN two ON f = g").fetchnumpy())
    return seconds, len(made["x"])


def pullback_numpy(task: str) -> Found:
    """Sort one side, look up runs, repeat."""
    import numpy as np

    f, g = pair_of_functions(PULLBACK)

    def run() -> int:
        order = np.argsort(g, kind="stable")
        count = np.bincount(g, minlength=PULLBACK // 2)
        first = np.concatenate([[0], np.cumsum(count)])
        many = count[f]
        x = np.repeat(np.arange(PULLBACK, dtype=np.int32), many)
        start = np.repeat(first[f] - np.concatenate([[0], np.cumsum(many)[:-1]]), many)
        y = order[start + np.arange(len(x))]
        return len(y)

    return clock(run)


def square_duckdb(task: str) -> Found:
    """The same migration written by hand in SQL: components by least labels until nothing changes, then four tables."""
    import duckdb
    import numpy as np

    n = MIGRATED
    faculty, student = school(n)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder, "in.duckdb")
        with duckdb.connect(str(given)) as base:
            ids = np.arange(n, dtype=np.int32)
            base.register("given", {"id": ids, "faculty": faculty, "student": student})
            base.execute("CREATE TABLE TA AS SELECT * FROM given")
            for name in ("Faculty", "Student"):
                base.execute(f"CREATE TABLE {name} AS SELECT id, '{name} ' || id AS name FROM given")

        def run() -> int:
            with duckdb.connect(str(Path(folder, "out.duckdb"))) as base:
                base.execute(f"ATTACH '{given}' AS src (READ_ONLY)")
                base.execute(
                    f"CREATE TEMP TABLE edge AS SELECT faculty a, student + {n} b FROM src.TA "
                    f"UNION ALL SELECT student + {n}, faculty FROM src.TA"
                )
                base.execute(
                    f"CREATE TEMP TABLE lab AS SELECT range::INTEGER node, range::INTEGER l FROM range({2 * n})"
                )
                while True:
                    base.execute(
                        "CREATE OR REPLACE TEMP TABLE hooked AS SELECT lab.node, least(lab.l, coalesce(m.l, lab.l)) l "
                        "FROM lab LEFT JOIN (SELECT a, min(l) l FROM edge JOIN lab ON b = node GROUP BY a) m ON lab.node = a"
                    )
                    base.execute(
                        "CREATE OR REPLACE TEMP TABLE next AS SELECT h.node, g.l FROM hooked h JOIN hooked g ON h.l = g.node"
                    )
                    moved = base.execute(
                        "SELECT count(*) FROM next JOIN lab USING (node) WHERE next.l <> lab.l"
                    ).fetchone()
                    base.execute("CREATE OR REPLACE TEMP TABLE lab AS SELECT * FROM next")
                    if not moved[0]:
                        break
                base.execute(
                    "CREATE TABLE Person AS SELECT row_number() OVER (ORDER BY l) - 1 id, l FROM lab GROUP BY l"
                )
                base.execute("CREATE TABLE TA AS SELECT * FROM src.TA")
                for name, shift in (("Faculty", 0), ("Student", n)):
                    base.execute(
                        f'CREATE TABLE {name} AS SELECT t.id, t.name, p.id "is" FROM src.{name} t '
                        f"JOIN lab ON node = t.id + {shift} JOIN Person p USING (l)"
                    )
                base.execute("ALTER TABLE Person DROP COLUMN l")
                return int(base.execute("SELECT count(*) FROM Person").fetchone()[0])

        return clock(run)


PEERS: dict[str, dict[str, Callable[[str], Found]]] = {
    **{name: {"scipy components": square_scipy} for name in SQUARES},
    **{
        name: {
            "GAP": cosets_gap,
            "libsemigroups HLT": lambda task: closure_libsemigroups(task, "hlt"),
            "libsemigroups Felsch": lambda task: closure_libsemigroups(task, "felsch"),
        }
        for name in ("s9", "m12", "j1", "psl2_101")
    },
    "t6": {
        "libsemigroups HLT": lambda task: closure_libsemigroups(task, "hlt"),
        "libsemigroups Felsch": lambda task: closure_libsemigroups(task, "felsch"),
    },
    "representability_1m": {"scipy strong components": representability_scipy},
    "hom_c8_k8": {"DuckDB": hom_duckdb},
    "omega_simplex_3": {"plain Python": omega_python},
    "validate_t5_table": {"numpy Light": light_numpy},
    "pullback_2m": {"DuckDB": pullback_duckdb, "numpy": pullback_numpy},
    "migrate_1m": {"DuckDB by hand": square_duckdb},
    "terminal_target": {"scipy components": terminal_scipy},
}
PEERS["school_square_4m"]["egglog"] = square_egglog

NEEDS = {
    "GAP": "gap",
    "libsemigroups HLT": "libsemigroups_pybind11",
    "libsemigroups Felsch": "libsemigroups_pybind11",
    "DuckDB": "duckdb",
    "DuckDB by hand": "duckdb",
    "egglog": "egglog",
    "plain Python": "json",
}
"""The module that says a peer is installed; numpy and scipy otherwise."""


def installed(peer: str) -> bool:
    import importlib.util

    if peer == "GAP":
        return gap_program() is not None
    return importlib.util.find_spec(NEEDS.get(peer, "scipy")) is not None


def main() -> None:
    task, peer = sys.argv[1:3]
    if task == "--installed":
        print(json.dumps(installed(peer)))
        return
    seconds, size = PEERS[task][peer](task)
    who = resource.RUSAGE_CHILDREN if peer == "GAP" else resource.RUSAGE_SELF
    print(json.dumps({"seconds": seconds, "size": size, "megabytes": resource.getrusage(who).ru_maxrss / 1024}))
    sys.stdout.flush()
    os._exit(0)  # large peers take seconds to free what they hold


if __name__ == "__main__":
    main()
