"""How the cost of an audit grows, beside what else one would run on the same vectors.

    python benchmarks/audit_scaling.py [--json] [--rows 1000 10000 100000]

Vectors of 384 dimensions in 20 overlapping classes, in memory before the clock starts. Every method runs in a process of
its own; seconds are of the call alone, memory is the most the process ever held (vectors and libraries included).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

DIM, CLASSES = 384, 20


def vectors(rows: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Twenty classes of three clusters each in a subspace of 40 dimensions, plus noise in all of them."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, CLASSES, rows).astype(np.int32)
    centres = np.zeros((CLASSES * 3, DIM), dtype=np.float32)
    centres[:, :40] = rng.standard_normal((CLASSES * 3, 40))
    x = centres[y * 3 + rng.integers(0, 3, rows)] + 1.1 * rng.standard_normal((rows, DIM), dtype=np.float32)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


def audit(x: NDArray[np.float32], y: NDArray[np.int32]) -> float:
    from presheaf.audits.run import audit as run
    from presheaf.models.vectors import VectorModel
    from presheaf.tables.task import Task

    names = tuple(f"class {i:02d}" for i in range(CLASSES))
    task = Task(None, y, names, np.arange(1, len(y) + 1), name="vectors")
    return run(VectorModel(x), task, target=0.9).rung("head").accuracy or 0.0


def logistic(x: NDArray[np.float32], y: NDArray[np.int32]) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))
    return float(cross_val_score(model, x, y, cv=3).mean())


def neighbours(x: NDArray[np.float32], y: NDArray[np.int32]) -> float:
    from sklearn.model_selection import cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    return float(cross_val_score(KNeighborsClassifier(10), x, y, cv=3).mean())


def cleanlab(x: NDArray[np.float32], y: NDArray[np.int32]) -> float:
    from cleanlab.rank import get_label_quality_scores
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    probabilities = cross_val_predict(LogisticRegression(max_iter=200), x, y, cv=3, method="predict_proba")
    get_label_quality_scores(y, probabilities)
    return float((probabilities.argmax(axis=1) == y).mean())


def _ranker(name: str) -> Callable[[NDArray[np.float32], NDArray[np.int32]], float]:
    def score(x: NDArray[np.float32], y: NDArray[np.int32]) -> float:
        import torch
        from transformer_ranker import estimators

        estimator = getattr(estimators, name)()
        return float(estimator.fit(embeddings=torch.from_numpy(x), labels=torch.from_numpy(y.astype(np.int64))))

    return score


METHODS: dict[str, tuple[str, Callable[[NDArray[np.float32], NDArray[np.int32]], float]]] = {
    "presheaf audit": ("accuracy of the head", audit),
    "scikit-learn logistic regression, 3 folds": ("accuracy", logistic),
    "scikit-learn 10 nearest neighbours, 3 folds": ("accuracy", neighbours),
    "cleanlab label scores on 3-fold logistic regression": ("accuracy", cleanlab),
    "transformer-ranker LogME": ("score without a unit", _ranker("LogME")),
    "transformer-ranker H-score": ("score without a unit", _ranker("HScore")),
    "transformer-ranker nearest neighbours": ("accuracy", _ranker("NearestNeighbors")),
}
LIMIT = 900


def _child(method: str, rows: int) -> None:
    x, y = vectors(rows)
    start = time.perf_counter()
    result = METHODS[method][1](x, y)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "result": result}))


def measure(method: str, rows: int) -> dict[str, float] | str:
    """Run one method in its own process; a sentence where it can't be had."""
    command = [sys.executable, __file__, "--child", method, str(rows)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return f"more than {LIMIT} s"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return f"does not run: {last[:80]}"
    answer: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _child(arguments.child[0], int(arguments.child[1]))
        return
    for rows in arguments.rows:
        mine: dict[str, float] | None = None
        if not arguments.json:
            print(
                f"\n{rows:,} rows x {DIM}, {CLASSES} classes\n{'method':<52} {'seconds':>9} {'ratio':>7} {'peak MB':>8}  result"
            )
        for name, (unit, _) in METHODS.items():
            got = measure(name, rows)
            if mine is None and isinstance(got, dict):
                mine = got
            if arguments.json:
                _line(name, rows, got, mine)
            elif isinstance(got, str):
                print(f"{name:<52} {got}")
            else:
                ratio = f"{mine['seconds'] / got['seconds']:7.2f}" if mine is not None else ""
                print(
                    f"{name:<52} {got['seconds']:9.2f} {ratio:>7} {got['peak_mb']:8.0f}  {got['result']:.3f} ({unit})"
                )
    if not arguments.json:
        print("\nratio: seconds of the audit over seconds of the method (below 1, the audit is faster)")


def _line(name: str, rows: int, got: dict[str, float] | str, mine: dict[str, float] | None) -> None:
    if mine is None or isinstance(got, str):
        print(json.dumps({"name": f"audit_scaling_{rows}", "peer": name, "missing": got}))
        return
    row = {
        "name": f"audit_scaling_{rows}",
        "value": mine["seconds"],
        "unit": "s",
        "peer": name,
        "peer_value": got["seconds"],
    }
    print(json.dumps(row))
    memory = {
        "name": f"audit_memory_{rows}",
        "value": mine["peak_mb"],
        "unit": "MB",
        "peer": name,
        "peer_value": got["peak_mb"],
    }
    print(json.dumps(memory), flush=True)


if __name__ == "__main__":
    main()
