"""The coend of two set-valued functors: pairs, with what arrows do to one side glued to what they do to the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Ints, Longs, frozen, starts
from presheaf.finite.columns.components import components
from presheaf.finite.presheaves.presheaf import SetFunctor


@dataclass(frozen=True)
class Coend:
    """The quotient of the pairs (c, w, x), w in W(c) and x in T(c), by (w u, x) ~ (w, u x) for each arrow u.

    Attributes
    ----------
    weight, value : W and T
    base : int64 (n + 1,), where the pairs of each object start; pair (w, x) at c is ``base[c] + w * |T(c)| + x``
    label : int32 (pairs,), the class of each pair
    first : int32 (classes,), the smallest pair of each class, ascending
    """

    weight: SetFunctor
    value: SetFunctor
    base: Longs
    label: Ints
    first: Ints

    def pair(
        self, c: NDArray[np.integer] | int, w: NDArray[np.integer] | int, x: NDArray[np.integer] | int
    ) -> NDArray[np.int64]:
        """The number of a pair."""
        number: NDArray[np.int64] = self.base[c] + np.int64(1) * w * self.value.sizes[c] + x
        return number

    def unpair(self, pair: NDArray[np.integer]) -> tuple[Longs, Longs, Longs]:
        """Object, w and x of pairs."""
        c = np.searchsorted(self.base, pair, side="right") - 1
        rest = pair - self.base[c]
        return c, rest // self.value.sizes[c], rest % self.value.sizes[c]


def coend(weight: SetFunctor, value: SetFunctor, *, most: int = 2**31 - 1) -> Coend:
    """The coend over a category S of a contravariant W and a covariant T.

    Parameters
    ----------
    weight : covariant SetFunctor on S.op
    value : covariant SetFunctor on S
    most : most pairs

    Raises
    ------
    InputError
        More than ``most`` pairs.

    Notes
    -----
    Connected components of pairs, one edge for each generator u: a -> b, w in W(b) and x in T(a) (generators are
    enough, since their edges compose). Cost: near-linear in sum_c |W(c)| |T(c)| + sum_u |W(b)| |T(a)|.
    """
    side = value.category
    counts = weight.sizes.astype(np.int64) * value.sizes
    total = int(counts.sum())
    if total > min(most, 2**31 - 1):
        raise InputError(f"a coend over {total} pairs is needed, more than the limit of {min(most, 2**31 - 1)}.")
    base = starts(counts)

    def edges() -> Iterator[tuple[Ints, Ints]]:
        ends = zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)
        for j, (a, b) in enumerate(ends):
            w = np.arange(int(weight.sizes[b]), dtype=np.int64)
            x = np.arange(int(value.sizes[a]), dtype=np.int64)
            there = base[b] + w[:, None] * value.sizes[b] + value.columns[j][None, :]
            here = base[a] + weight.columns[j].astype(np.int64)[:, None] * value.sizes[a] + x[None, :]
            yield there.ravel().astype(np.int32), here.ravel().astype(np.int32)

    label, first = components(total, edges())
    return Coend(weight, value, base, frozen(label), frozen(first))
