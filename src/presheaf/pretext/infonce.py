"""InfoNCE: the cross-entropy between two laws by which every row picks a neighbour, the task's and the kernel's.

Object i picks j with probability P(i, j) = pi(i, j) / sum_l pi(i, l) by the task, and K(i, j) / sum_l K(i, l) by the
model, never itself (Tan, Zhang, Yang and Yuan 2024, "Contrastive learning is spectral clustering on similarity graph").
Losses are in nats a row; the least is the entropy of the row of P, reached iff the two laws agree. Kernels are given by
their logarithms.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from presheaf.errors import InputError

LogKernel = Callable[[Tensor, Tensor], Tensor]
"""Log K(u, v) of all pairs: features of shape (n, d) and (m, d) to (n, m)."""

NEAR = 1e-6
"""Squared distances below this count as this much where a power below 2 is taken: single precision has no digits of them,
and the gradient of |u - v|^gamma has a pole at 0."""


def log_gamma(u: Tensor, v: Tensor, exponent: float, tau: float) -> Tensor:
    """-|u - v|^exponent / tau for all pairs, shape (n, m): the exponential kernels, Gaussian at 2 and Laplacian at 1.

    Cost: one matrix product.
    """
    squares = (u * u).sum(dim=1)[:, None] + (v * v).sum(dim=1) - 2 * u @ v.T
    if exponent == 2:
        return -squares / tau
    return -(squares.clamp_min(NEAR) ** (exponent / 2)) / tau


def log_sum(first: Tensor, second: Tensor, share: float) -> Tensor:
    """log(share e^first + (1 - share) e^second), elementwise, for 0 < share < 1."""
    return torch.logaddexp(first + log(share), second + log(1 - share))


def nt_xent(first: Tensor, second: Tensor, kernel: LogKernel) -> Tensor:
    """InfoNCE where the one neighbour of a view is the other view of its image (Chen et al. 2020: NT-Xent).

    Parameters
    ----------
    first, second : tensors of shape (n, d)
        Features of two views of n images; every other one of the 2n views is a negative.
    kernel : LogKernel
        Log of a symmetric kernel.

    Returns
    -------
    Tensor
        Mean over the 2n views, in nats. Cost: (2n)^2 kernel values.

    Raises
    ------
    InputError
        Fewer than two images: there would be no negative.
    """
    n = two_or_more(first)
    views = torch.cat([first, second])
    partner = torch.arange(2 * n, device=views.device).roll(n)
    return cross_entropy(_without_self(kernel(views, views)), partner)


def with_negatives(queries: Tensor, keys: Tensor, negatives: Tensor, kernel: LogKernel) -> Tensor:
    """InfoNCE of every query against its own key and the same negatives for all (He et al. 2020).

    Parameters
    ----------
    queries, keys : tensors of shape (n, d)
    negatives : tensor of shape (m, d)

    Returns
    -------
    Tensor
        Mean over the queries, in nats. Cost: n (n + m) kernel values.
    """
    own = kernel(queries, keys).diagonal()[:, None]
    logits = torch.cat([own, kernel(queries, negatives)], dim=1)
    return cross_entropy(logits, torch.zeros(len(queries), dtype=torch.int64, device=queries.device))


def similarity_graph_loss(features: Tensor, pi: Tensor, kernel: LogKernel) -> Tensor:
    """InfoNCE for a whole similarity graph: mean over rows i of -sum_j P(i, j) log(K(i, j) / sum_l K(i, l)).

    Parameters
    ----------
    features : tensor of shape (n, d)
    pi : tensor of shape (n, n), >= 0
        Weights; each row is divided by its sum. The diagonal does not count: nothing is its own neighbour.
    kernel : LogKernel

    Returns
    -------
    Tensor
        In nats a row; at least the mean entropy of the rows of P. `nt_xent` is the case of one neighbour a row. Cost: n^2
        kernel values.

    Raises
    ------
    InputError
        Weights of another shape, a negative one, or a row without any on other objects.
    """
    n = len(features)
    if pi.shape != (n, n) or not bool((pi >= 0).all()):
        raise InputError(f"'pi' must be weights >= 0 of shape ({n}, {n}); got shape {tuple(pi.shape)}.")
    weights = pi.masked_fill(torch.eye(n, dtype=torch.bool, device=pi.device), 0)
    total = weights.sum(dim=1, keepdim=True)
    if not bool((total > 0).all()):
        row = int((total[:, 0] <= 0).nonzero()[0, 0])
        raise InputError(f"Every object needs a neighbour with weight above 0; object {row} has none.")
    law = _without_self(kernel(features, features)).log_softmax(dim=1)
    # 0 times -inf on the diagonal is nan.
    return -(weights / total * law.masked_fill(weights == 0, 0)).sum(dim=1).mean()


def two_or_more(features: Tensor) -> int:
    """How many there are.

    Raises
    ------
    InputError
        Fewer than two.
    """
    if len(features) < 2:
        raise InputError(
            f"This contrastive loss compares the images of a batch with one another and needs at least 2; got {len(features)}. "
            "Raise batch_size."
        )
    return len(features)


def _without_self(log_k: Tensor) -> Tensor:
    own = torch.eye(len(log_k), dtype=torch.bool, device=log_k.device)
    return log_k.masked_fill(own, float("-inf"))
