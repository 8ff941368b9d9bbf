"""MoCo's network: a query encoder, a key encoder that follows it slowly, and a queue of keys; all in one state_dict."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class MomentumPair(nn.Module):  # type: ignore[misc]
    """Two copies of an encoder and a queue.

    Parameters
    ----------
    query : Module
        Trained; the key encoder starts as its copy and never gets a gradient.
    queue : tensor of shape (size, length)
        The keys to start with, oldest first.

    Attributes
    ----------
    queue : tensor of shape (size, length)
    place : int64 tensor of shape ()
        Where the next key is written, over the oldest one.
    waiting : tensor of shape (n, length) or None
        Keys of the last loss, queued by `follow`; never saved, as no step ends with keys waiting.
    """

    def __init__(self, query: nn.Module, queue: Tensor) -> None:
        super().__init__()
        self.query = query
        self.key = copy.deepcopy(query).requires_grad_(False)
        self.register_buffer("queue", queue.clone())
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))
        self.waiting: Tensor | None = None

    def forward(self, images: Tensor) -> Tensor:
        """Of the query encoder."""
        out: Tensor = self.query(images)
        return out

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def follow(self, momentum: float) -> None:
        """key <- momentum key + (1 - momentum) query for every weight, then the waiting keys into the queue."""
        for key, query in zip(self.key.parameters(), self.query.parameters(), strict=True):
            key.mul_(momentum).add_(query, alpha=1 - momentum)
        if self.waiting is not None:
            self._enqueue(self.waiting)
            self.waiting = None

    def _enqueue(self, keys: Tensor) -> None:
        size = len(self.queue)
        start = int(self.place) + max(0, len(keys) - size)
        kept = keys[-size:]
        at = (start + torch.arange(len(kept), device=kept.device)) % size
        self.queue[at] = kept
        self.place.fill_((int(self.place) + len(keys)) % size)
