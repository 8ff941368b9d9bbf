"""The subobject classifier: sieves as bit masks, and subobjects as maps into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError, one_of
from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import Bools, Ints, frozen, starts
from presheaf.finite.columns.graph import strong_components
from presheaf.finite.presheaves.presheaf import SetFunctor, Variance
from presheaf.finite.presheaves.transformation import Transformation

Masks = NDArray[np.uint64]


@dataclass(frozen=True)
class _Place:
    """At one object: arrows that generate each other form a class, and a sieve is a set of classes."""

    arrows: Ints
    label: Ints
    chief: Ints
    masks: Masks
    order: NDArray[np.int64]
    keys: NDArray[np.void]

    def find(self, masks: Masks) -> Ints:
        """Rows of given masks; each must be a sieve."""
        return self.order[np.searchsorted(self.keys, _keys(masks))].astype(np.int32)


def _keys(masks: Masks) -> NDArray[np.void]:
    big = np.ascontiguousarray(masks.astype(">u8"))
    return big.view(np.dtype((np.void, 8 * masks.shape[1]))).ravel()


def _bit(masks: Masks, position: int) -> Bools:
    return np.asarray((masks[:, position // 64] >> np.uint64(position % 64)) & np.uint64(1), dtype=bool)


def _place(side: Category, c: int, limit: int, rank: Ints) -> _Place:
    """The sieves on c; ``rank`` is (arrows,) of room that places share, each using the entries of its own arrows."""
    here = side.out(c)
    rank[here] = np.arange(len(here))
    wheel = side._right
    degree = np.diff(wheel.first)[side.cod[here]]
    first = starts(degree)
    owner = np.repeat(np.arange(len(here)), degree)
    slot = np.arange(len(owner)) - first[owner]
    target = rank[side.then(here[owner], wheel.list[wheel.first[side.cod[here[owner]]] + slot])]
    label = strong_components(first, target)
    count = int(label.max()) + 1
    above = np.zeros((count, count), dtype=bool)
    above[label[owner], label[target]] = True
    np.fill_diagonal(above, False)
    # Classes are taken in once all that they lead to is in, so each family of sieves grows from the last one.
    done = np.zeros(count, dtype=bool)
    turn: list[int] = []
    while len(turn) < count:
        ready = np.flatnonzero(~done & ~(above & ~done).any(axis=1))
        turn += ready.tolist()
        done[ready] = True
    position = np.empty(count, dtype=np.int64)
    position[turn] = np.arange(count)
    width = (count + 63) // 64
    masks: Masks = np.zeros((1, width), dtype=np.uint64)
    for p, which in enumerate(turn):
        need = np.zeros(width, dtype=np.uint64)
        for q in position[above[which]].tolist():
            need[q // 64] |= np.uint64(1) << np.uint64(q % 64)
        grown = masks[((masks & need) == need).all(axis=1)].copy()
        grown[:, p // 64] |= np.uint64(1) << np.uint64(p % 64)
        masks = np.concatenate([masks, grown])
        if len(masks) > limit:
            raise InputError(f"object {side.objects[c]} has more than {limit} sieves; raise limit if that is meant.")
    keys = _keys(masks)
    order = np.argsort(keys, kind="stable")
    spot = position[label]
    chief = np.empty(count, dtype=np.int32)
    chief[spot[::-1]] = here[::-1]
    return _Place(here, spot.astype(np.int32), chief, masks, order, keys[order])


class Classifier:
    """The subobject classifier Omega of the set-valued functors on a category.

    Parameters
    ----------
    category : Category
    variance : for presheaves an element of Omega at c is a sieve on c (arrows into c, closed under composition with
        what comes before); for copresheaves a cosieve (arrows out of c, closed under what comes after)
    limit : most sieves on one object

    Attributes
    ----------
    omega : SetFunctor; row 0 of each object is the empty sieve
    truth : int32 (n,), the row of the maximal sieve of each object

    Notes
    -----
    Sieves are the up-sets of a preorder on the arrows at c; classes of arrows that yield each other are taken in one by
    one, so every intermediate set is kept. Cost: sieves x classes at each object, and sieves x classes for each
    generator; besides, one step of Python an object (about half a millisecond). Mac Lane and Moerdijk, Sheaves in Geometry and Logic, I.4.
    """

    def __init__(self, category: Category, *, variance: Variance, limit: int = 10_000_000) -> None:
        one_of("variance", variance, ("contravariant", "covariant"))
        self.category = category
        side = category if variance == "covariant" else category.op
        self._side = side
        room = np.empty(side.n_arrows, dtype=np.int32)
        self._places = [_place(side, c, limit, room) for c in range(category.n_objects)]
        columns = []
        for j, (a, b) in enumerate(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)):
            here, there = self._places[a], self._places[b]
            room[here.arrows] = here.label
            pulled = np.zeros((len(here.masks), there.masks.shape[1]), dtype=np.uint64)
            for p, q in enumerate(room[side.after(there.chief, j)].tolist()):
                pulled[:, p // 64] |= _bit(here.masks, q).astype(np.uint64) << np.uint64(p % 64)
            columns.append(frozen(there.find(pulled)))
        sizes = np.array([len(p.masks) for p in self._places], dtype=np.int32)
        self.omega = SetFunctor.trusted(category, sizes, columns, variance=variance)
        self.truth: Ints = frozen((sizes - 1).astype(np.int32))

    def sieve(self, c: int, row: int) -> Ints:
        """The arrows of a sieve, sorted by their other end."""
        place = self._places[c]
        bits = np.array([bool(_bit(place.masks[row : row + 1], p)[0]) for p in range(len(place.chief))], dtype=bool)
        arrows: Ints = place.arrows[bits[place.label]]
        return arrows

    def characteristic(self, t: SetFunctor, part: Sequence[ArrayLike]) -> Transformation:
        """The map T -> Omega of a subobject.

        Parameters
        ----------
        part : n bool arrays, which elements of T at each object belong to the subobject

        Raises
        ------
        InputError
            The part isn't closed under a generator (generator and row are named).
        """
        if t.category is not self.category or t.variance != self.omega.variance:
            raise InputError("T must live on the classifier's category with its variance.")
        inside = [np.asarray(p, dtype=bool) for p in part]
        for c, mine in enumerate(inside):
            if mine.shape != (int(t.sizes[c]),):
                raise InputError(f"part[{c}] must have shape ({int(t.sizes[c])},); got {mine.shape}.")
        side = self._side
        for j, (a, b) in enumerate(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)):
            lost = np.flatnonzero(inside[a] & ~inside[b][t.columns[j]])
            if len(lost):
                raise InputError(
                    f"generator {side.names[j]} leads row {int(lost[0])} of {side.objects[a]} out of the part."
                )
        parts = []
        for o, place in enumerate(self._places):
            rows = np.arange(int(t.sizes[o]), dtype=np.int32)
            masks = np.zeros((len(rows), place.masks.shape[1]), dtype=np.uint64)
            for p, arrow in enumerate(place.chief.tolist()):
                hit = inside[int(side.cod[arrow])][t.apply(arrow, rows)]
                masks[:, p // 64] |= hit.astype(np.uint64) << np.uint64(p % 64)
            parts.append(frozen(place.find(masks)))
        return Transformation.trusted(t, self.omega, tuple(parts))

    def subobject(self, chi: Transformation) -> tuple[Bools, ...]:
        """The subobject of a map T -> Omega: which elements go to the maximal sieve, one bool array an object."""
        if chi.target is not self.omega:
            raise InputError("the transformation must end at this classifier's omega.")
        return tuple(frozen(part == self.truth[c]) for c, part in enumerate(chi.components))

    def __repr__(self) -> str:
        return f"Classifier({self.omega!r})"
