"""What fine-tuning really reaches on the real tasks, beside what needs none, on one split.

    python benchmarks/finetune_truth.py --out finetune.jsonl            # the truth a forecast is measured against
    python benchmarks/finetune_truth.py --planted --out planted.jsonl   # pairs no fine-tuned model may get right

The first writes one object a task and method: 400 rows to train and 400 to test, by a hash of the text. A task that is
already in the file is not run again. Needs scikit-learn and what `finetune.py` needs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.finetune import Classifier, choose, finetune, pad, token_ids
from benchmarks.planted import Planted, planted_tasks
from benchmarks.tasks import BenchTask, real_tasks, unavailable


def frozen_features(texts: Sequence[str], max_length: int) -> NDArray[np.float32]:
    """Mean over the tokens after each layer of the untouched weights, shape (7, n, 384), rows of length 1."""
    rows, vocabulary = token_ids(texts, max_length)
    encoder = Classifier(2, vocabulary).encoder.eval()
    found: dict[tuple[int, ...], NDArray[np.float32]] = {}
    unique = sorted(set(rows), key=lambda row: (len(row), row))
    with torch.inference_mode():
        for start in range(0, len(unique), 64):
            part = unique[start : start + 64]
            ids, mask = pad(part)
            layers = torch.stack(encoder(ids, attention_mask=mask, output_hidden_states=True).hidden_states)
            pooled = torch.nn.functional.normalize((layers * mask[None, :, :, None]).sum(2), dim=-1)
            found.update(zip(part, pooled.numpy().transpose(1, 0, 2), strict=True))
    return np.stack([found[row] for row in rows], axis=1)


def baselines(task: BenchTask, train: list[int], test: list[int], max_length: int) -> dict[str, dict[str, Any]]:
    """Test accuracy of what needs no fine-tuning, each with the inner cross-validated accuracy it was chosen by."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    labels = np.array(task.labels)
    a, b = labels[train], labels[test]
    layers = frozen_features([task.texts[i] for i in [*train, *test]], max_length)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)

    def search(estimator: Any, strengths: Sequence[float], x: Any) -> Any:
        return GridSearchCV(estimator, {"logisticregression__C": strengths}, cv=folds).fit(x, a)

    def scored(fitted: Any, x: Any) -> dict[str, Any]:
        return {"accuracy": float(np.mean(fitted.predict(x) == b)), "inner": float(fitted.best_score_)}

    n = len(train)
    head = search(make_pipeline(LogisticRegression(max_iter=2000)), (0.3, 1, 3, 10, 30, 100), layers[-1][:n])
    probes = [
        search(make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)), (1e-4, 1e-3, 1e-2, 0.1), layer[:n])
        for layer in layers
    ]
    best = int(np.argmax([probe.best_score_ for probe in probes]))
    words = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(max_iter=2000))
    tfidf = search(words, (1, 10, 100, 1000), [task.texts[i] for i in train])
    neighbours = KNeighborsClassifier(10, metric="cosine").fit(layers[-1][:n], a)
    return {
        "majority": {"accuracy": float(np.mean(b == np.bincount(a).argmax()))},
        "logistic regression": scored(head, layers[-1][n:]),
        "best-layer probe": {**scored(probes[best], layers[best][n:]), "layer": best},
        "kNN-10": {"accuracy": float(neighbours.score(layers[-1][n:], b))},
        "TF-IDF": scored(tfidf, [task.texts[i] for i in test]),
    }


def halves(texts: Sequence[str], most: int) -> tuple[list[int], list[int]]:
    """At most ``most`` positions to train on and to test on, by a hash of each text without case and white space.

    Texts that differ only by case or white space land on the same side.
    """
    sides: tuple[list[int], list[int]] = ([], [])
    for i, text in enumerate(texts):
        side = sides[hashlib.blake2b("".join(text.casefold().split()).encode()).digest()[0] & 1]
        if len(side) < most:
            side.append(i)
    return sides


def bits(values: NDArray[np.bool_]) -> str:
    return "".join("1" if value else "0" for value in values)


def truth(task: BenchTask, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One record a method and seed. ``right`` has a 1 for every test row that was predicted right, in test order."""
    train, test = halves(task.texts, options.rows)
    labels = np.array(task.labels)
    texts = [task.texts[i] for i in train], [task.texts[i] for i in test]
    common = {
        "task": task.name,
        "classes": len(task.classes),
        "train": len(train),
        "test": len(test),
        "window": options.window,
    }
    for method, record in baselines(task, train, test, options.window).items():
        yield {**common, "method": method, **record}
    settings: dict[str, Any] = {
        "n_classes": len(task.classes),
        "max_length": options.window,
        "threads": options.threads,
        "bfloat16": True,
    }
    lr, epochs = choose(texts[0], labels[train], **settings)
    for seed in range(options.seeds):
        result = finetune(texts[0], labels[train], texts[1], labels[test], seed=seed, lr=lr, epochs=epochs, **settings)
        yield {
            **common,
            "method": "fine-tuning",
            "seed": seed,
            "accuracy": result.accuracy,
            "train_accuracy": result.train_accuracy,
            "lr": lr,
            "epochs": epochs,
            "seconds": round(result.seconds, 1),
            "right": bits(result.predictions == labels[test]),
        }
    yield {**common, "method": "split", "rows_train": train, "rows_test": test}


def planted_truth(task: Planted, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Fine-tune on all rows and predict the same rows: the best case, and still no pair may come out right twice.

    ``equal`` counts the pairs that reach the network as the same ids, ``both_right`` those of them predicted right on
    both sides. Runs in float32.
    """
    window = options.window
    labels = np.array(task.labels)
    ids, _ = token_ids(task.texts, window)
    equal = [(i, j) for i, j in task.pairs if ids[i] == ids[j]]
    for seed in range(options.seeds):
        result = finetune(
            task.texts, labels, task.texts, labels,
            n_classes=len(task.classes), seed=seed, epochs=6, max_length=window, threads=options.threads,
        )  # fmt: skip
        right = result.predictions == labels
        yield {
            "task": task.name,
            "seed": seed,
            "rows": len(labels),
            "pairs": len(task.pairs),
            "equal": len(equal),
            "both_right": sum(bool(right[i] and right[j]) for i, j in equal),
            "pair_accuracy": float(np.mean([right[i] for pair in task.pairs for i in pair])) if task.pairs else None,
            "accuracy": result.accuracy,
            "seconds": round(result.seconds, 1),
        }


def show(record: dict[str, Any]) -> str:
    """One line of the printed table."""
    if "pairs" in record:
        counts = f"{record['pairs']:4} pairs {record['equal']:4} equal {record['both_right']:4} both right"
        return f"{record['task']:38} seed {record['seed']} {counts}  accuracy {record['accuracy']:.3f}"
    seed = f" seed {record['seed']} (lr {record['lr']:g}, {record['epochs']} epochs)" if "seed" in record else ""
    return f"{record['task']:38} {record['accuracy']:.3f}  {record['method']}{seed}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="JSON lines; tasks that are in it are not run again")
    parser.add_argument("--planted", action="store_true", help="the planted pairs instead of the real tasks")
    parser.add_argument("--rows", type=int, default=400, help="most rows to train on, and to test on")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--window", type=int, default=64, help="most tokens of a text")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", help="names of tasks, run in this order")
    options = parser.parse_args()
    known = options.out.read_text(encoding="utf-8").splitlines() if options.out.is_file() else []
    done = {json.loads(line)["task"] for line in known}
    tasks: list[Any] = planted_tasks(0, options.window) if options.planted else real_tasks(5 * options.rows)
    named = {task.name: task for task in tasks}
    for name in options.only or named:
        if name in done:
            continue
        if name not in named:
            parser.error(f"no task {name!r}; there are {', '.join(named)}")
        run = planted_truth if options.planted else truth
        records = []
        for record in run(named[name], options):
            records.append(record)
            if record.get("method") != "split":
                print(show(record), flush=True)
        with open(options.out, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)
    for source, reason in {} if options.planted else unavailable().items():
        print(f"{source:38} skipped: {reason}")


if __name__ == "__main__":
    main()
