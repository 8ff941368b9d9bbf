"""Two vectors a node, random walks, and skip-gram with negative sampling, in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Module, Parameter
from torch.nn.functional import logsigmoid

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SHARED = 512
"""Negatives that a batch shares; where a graph has no more nodes, each counts with its exact weight instead."""


class NodeVectors(Module):  # type: ignore[misc]
    """Vectors w and contexts c of the nodes of a graph, which is kept beside them and is not in the ``state_dict``.

    Parameters
    ----------
    graph : scipy CSR array of shape (n, n)
        Without isolated nodes.
    occurrences : float64 array of shape (n,)
        The law of negatives; sums to 1.
    dim : int

    Notes
    -----
    w begins uniform in (-0.5, 0.5) / dim and c at 0, as word2vec does.
    """

    digest = ""
    """Of the data the graph came from."""

    def __init__(self, graph: csr_array, occurrences: NDArray[np.float64], dim: int) -> None:
        super().__init__()
        n = graph.shape[0]
        self.vectors = Parameter((torch.rand(n, dim) - 0.5) / dim)
        self.contexts = Parameter(torch.zeros(n, dim))
        weights = np.concatenate([[0.0], np.cumsum(graph.data, dtype=np.float64)])
        for name, array in (
            ("first", graph.indptr[:-1].astype(np.int64)),
            ("last", graph.indptr[1:].astype(np.int64) - 1),
            ("below", weights[graph.indptr[:-1]]),
            ("strength", weights[graph.indptr[1:]] - weights[graph.indptr[:-1]]),
            ("sums", weights[1:]),
            ("targets", graph.indices.astype(np.int64)),
            ("noise", np.asarray(occurrences, dtype=np.float64)),
        ):
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)), persistent=False)

    def walks(self, starts: Tensor, length: int) -> Tensor:
        """One walk of ``length`` nodes from each start, int64 of shape (b, length); an edge is taken in proportion to its weight.

        Draws come from torch's generator on the CPU, so they are the same on every device. Cost: length searches of the edges.
        """
        draws = torch.rand(length - 1, len(starts), dtype=torch.float64).to(starts.device)
        visited = [starts]
        for draw in draws:
            here = visited[-1]
            edge = torch.searchsorted(self.sums, self.below[here] + draw * self.strength[here], right=True)
            # Sums of weights are rounded, so a draw next to an end could fall into the next node's edges.
            edge = torch.minimum(torch.maximum(edge, self.first[here]), self.last[here])
            visited.append(self.targets[edge])
        return torch.stack(visited, dim=1)

    def skip_gram(self, walks: Tensor, window: int, negatives: int) -> Tensor:
        """Mean loss, in nats, over the ordered pairs of different positions at most ``window`` apart.

        Parameters
        ----------
        walks : int64 of shape (b, length)
        window, negatives : int
        """
        centres, around = self.vectors[walks], self.contexts[walks]
        position = torch.arange(walks.shape[1], device=walks.device)
        apart = (position[:, None] - position).abs()
        near = ((apart > 0) & (apart <= window)).to(centres.dtype)
        count = near.sum() * len(walks)
        positive = (logsigmoid(centres @ around.transpose(1, 2)) * near).sum()
        drawn, weight = self._negatives()
        away = logsigmoid(-(centres @ self.contexts[drawn].T)) @ weight.to(centres.dtype)
        return -(positive + negatives * (away * near.sum(dim=1)).sum()) / count

    def _negatives(self) -> tuple[Tensor, Tensor]:
        """Nodes and weights that sum to 1, whose weighted mean is, in expectation, that over the law of negatives."""
        if len(self.noise) <= SHARED:
            return torch.arange(len(self.noise), device=self.noise.device), self.noise
        drawn = torch.multinomial(self.noise.cpu(), SHARED, replacement=True).to(self.noise.device)
        return drawn, torch.full((SHARED,), 1 / SHARED, device=drawn.device)
