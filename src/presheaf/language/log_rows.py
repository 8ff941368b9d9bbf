"""D_inf between rows of log-probabilities: the hom that a table of ln pi(c | x) induces on its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.forms import log_ratio_block, log_ratio_pairs
from presheaf.enriched.sources import Index

Floats = NDArray[np.float64]

AT_ONCE = 1 << 21
"""Log-probabilities made float64 at once."""


@dataclass(frozen=True, eq=False)
class LogRows:
    """n rows of ln M(x, c) over the same continuations, shape (n, continuations), float32 or float64, -inf allowed.

    Logarithms, because the probability of a long continuation underflows.
    """

    logs: NDArray[Any]

    @property
    def n(self) -> int:
        return len(self.logs)

    def block(self, rows: Index, columns: Index, dtype: type[np.floating[Any]]) -> NDArray[Any]:
        """max_c (ln M(x, c) - ln M(y, c))^+ in nats, shape (rows, columns). Cost: rows x columns x continuations."""
        u, v = self.logs[rows], self.logs[columns]
        return log_ratios(u, v).astype(dtype, copy=False)

    def pairs(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        """The same for listed pairs, shape (m,)."""
        out = np.empty(len(rows))
        step = max(1, AT_ONCE // max(1, self.logs.shape[1]))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            u, v = self.logs[rows[part]].astype(np.float64), self.logs[columns[part]].astype(np.float64)
            out[part] = log_ratio_pairs(u, v)
        return out

    def take(self, objects: NDArray[np.int64]) -> LogRows:
        return LogRows(self.logs[objects])


def log_ratios(u: NDArray[Any], v: NDArray[Any]) -> Floats:
    """D_inf of all pairs of rows, shape (len(u), len(v)), in float64, a band of continuations at a time."""
    out = np.zeros((len(u), len(v)))
    step = max(1, AT_ONCE // max(1, len(u) + len(v)))
    for start in range(0, u.shape[1], step):
        # By continuation in memory: the loop over them then reads rows that lie together.
        left = np.ascontiguousarray(u[:, start : start + step].T, dtype=np.float64).T
        right = np.ascontiguousarray(v[:, start : start + step].T, dtype=np.float64).T
        np.maximum(out, log_ratio_block(left, right), out=out)
    return out
