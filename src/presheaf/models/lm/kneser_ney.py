"""Interpolated Kneser-Ney smoothing with modified discounts, in columns.

Chen and Goodman, "An empirical study of smoothing techniques for language modeling" (1999): with a the adjusted count
(see `counts`), D(a) one discount for a = 1, one for a = 2 and one for a >= 3,

    p(w | h) = max(a(hw) - D(a(hw)), 0) / A(h) + g(h) p(w | h without its first token),    A(h) = sum_w a(hw),
    g(h) = (D1 N1(h) + D2 N2(h) + D3 N3+(h)) / A(h),

Nk(h) being how many w have a(hw) = k. Below the single tokens stands the uniform distribution over the vocabulary, so
every token has a positive probability after every history. A history that was not seen passes the question on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.models.lm.counts import Integers, NGramCounts, Stream

Floats = NDArray[np.float64]

FALLBACK = (0.5, 1.0, 1.5)
"""Discounts where the counts of counts give none (too little text, or a vocabulary used up)."""

_AT_ONCE = 1 << 21  # numbers


def discounts(counts: Integers) -> tuple[tuple[float, float, float], bool]:
    """Chen and Goodman's D1, D2, D3+ of one order, and whether they come from the counts.

    With n_k the number of n-grams of adjusted count k and Y = n1 / (n1 + 2 n2): Dk = k - (k + 1) Y n_{k+1} / n_k. When
    n1, n2 or n3 is zero, or a discount leaves (0, k], all three are `FALLBACK`.
    """
    n1, n2, n3, n4 = (float(np.count_nonzero(counts == k)) for k in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return FALLBACK, False
    y = n1 / (n1 + 2 * n2)
    found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    if not all(0 < d <= k for k, d in enumerate(found, start=1)):
        return FALLBACK, False
    return found, True


@dataclass(frozen=True, eq=False)
class KneserNey:
    """The probabilities that belong to counts.

    Attributes
    ----------
    counts : NGramCounts
    own : tuple of float64 arrays
        ``own[m - 1]``: the first summand of p for each m-gram, shape (m-grams + 1,). The last entry, 0, is for those
        that never occurred, whose row is -1.
    rest : tuple of float64 arrays
        ``rest[m]``: g of each m-gram taken as a history, shape (m-grams + 1,); 1 where nothing followed it and in the
        last entry. ``rest[0]`` is the empty history's.
    estimated : tuple of bool
        For each order, whether its discounts come from the counts.
    """

    counts: NGramCounts
    own: tuple[Floats, ...]
    rest: tuple[Floats, ...]
    estimated: tuple[bool, ...]

    @classmethod
    def of(cls, counts: NGramCounts) -> KneserNey:
        """Cost: linear in the number of n-grams."""
        own: list[Floats] = []
        rest: list[Floats] = []
        estimated: list[bool] = []
        parents = 1
        for m, (keys, adjusted) in enumerate(zip(counts.keys, counts.counts, strict=True)):
            parent = keys // (counts.size + 1) if m else np.zeros(len(keys), dtype=np.int64)
            found, from_counts = discounts(adjusted)
            taken = np.array([0.0, *found])[np.minimum(adjusted, 3)]
            total = np.bincount(parent, weights=adjusted, minlength=parents)
            left = np.bincount(parent, weights=taken, minlength=parents)
            own.append(np.append((adjusted - taken) / total[parent], 0.0))
            rest.append(np.append(np.divide(left, total, out=np.ones(parents), where=total > 0), 1.0))
            estimated.append(from_counts)
            parents = len(keys)
        return cls(counts, tuple(own), tuple(rest), tuple(estimated))

    def probabilities(self, stream: Stream) -> Floats:
        """p(token | its text so far) at each position of a stream; meaningless at the begin symbols.

        Cost: ``order`` binary searches a token.
        """
        rows = self.counts.rows(stream)
        p = np.full(len(stream.tokens), 1.0 / self.counts.size)
        history = np.zeros(len(stream.tokens), dtype=np.int64)
        for row, own, rest in zip(rows, self.own, self.rest, strict=True):
            p *= rest[history]
            p += own[row]
            history = np.concatenate(([-1], row[:-1]))
        return p

    def following(self, histories: Stream, last: Integers) -> NDArray[np.float32]:
        """ln p(token | history), shape (histories, size), for the histories that end at the positions ``last``.

        Cost: histories x size numbers, made in blocks of float64.
        """
        ends = [row[last] for row in self.counts.rows(histories)[: self.counts.order - 1]]
        out = np.empty((len(last), self.counts.size), dtype=np.float32)
        step = max(1, _AT_ONCE // self.counts.size)
        start = self.rest[0][0] / self.counts.size + self.own[0][: self.counts.size]
        for begin in range(0, len(last), step):
            block = slice(begin, begin + step)
            p = np.tile(start, (len(last[block]), 1))
            for m, row in enumerate(ends, start=1):
                self._mix(p, m, row[block])
            np.log(p, out=p)
            out[block] = p
        return out

    def _mix(self, p: Floats, m: int, row: Integers) -> None:
        """Turn p(. | last m - 1 tokens) into p(. | last m tokens), row by row of ``p``, in place."""
        known = np.flatnonzero(row >= 0)
        offsets = self.counts.offsets[m - 1]
        starts, ends = offsets[row[known]], offsets[row[known] + 1]
        lengths = ends - starts
        child = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(int(lengths.sum()))
        p[known] *= self.rest[m][row[known], None]
        p[np.repeat(known, lengths), self.counts.keys[m][child] % (self.counts.size + 1)] += self.own[m][child]
