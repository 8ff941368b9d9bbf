"""Small texts for the tests of the text tasks: film reviews of the examples folder, and a language with a known law."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from presheaf.pretext.base import Data
from presheaf.pretext.data import make_data

REVIEWS = Path(__file__).parents[2] / "examples" / "reviews.csv"


@cache
def reviews(train: int = 600, test: int = 200) -> Data:
    """Product reviews, each once."""
    with REVIEWS.open(encoding="utf-8", newline="") as file:
        texts = list(dict.fromkeys(row["review"] for row in csv.DictReader(file)))
    order = np.random.default_rng(0).permutation(len(texts))
    picked = [texts[i] for i in order[: train + test]]
    return make_data("reviews", "text", tuple(picked[:train]), tuple(picked[train:]))


@cache
def sentences(train: int = 400, test: int = 200) -> Data:
    """ "the cat|dog|bird sat|ran|sang" with a number behind that keeps them apart; the verb depends on the animal."""
    rng = np.random.default_rng(1)
    law = {"cat": (0.8, 0.2, 0.0), "dog": (0.1, 0.9, 0.0), "bird": (0.2, 0.1, 0.7)}
    texts: dict[str, None] = {}
    while len(texts) < train + test:
        animal = str(rng.choice(list(law)))
        verb = str(rng.choice(["sat", "ran", "sang"], p=law[animal]))
        texts[f"the {animal} {verb} by the {rng.integers(10_000)}"] = None
    listed = list(texts)
    return make_data("sentences", "text", tuple(listed[:train]), tuple(listed[train:]))


def steps(task: Any, network: Any, data: Data, count: int, batch: int = 16, rate: float = 3e-3) -> list[float]:
    """The losses of some steps of a plain loop whose learning rate falls along a line."""
    import torch

    optimizer = torch.optim.AdamW(network.parameters(), lr=rate)
    order = np.random.default_rng(0)
    losses = []
    network.train()
    for step in range(count):
        torch.manual_seed(step)
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 - step / count)
        rows = torch.from_numpy(order.choice(len(data.train), batch, replace=False))
        optimizer.zero_grad()
        loss = task.loss(network, data, rows)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
