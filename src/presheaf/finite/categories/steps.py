"""Steps between arrows by generators: the two Cayley tables of a category, kept flat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.columns.arrays import Ints, Longs, frozen, spread, starts
from presheaf.finite.columns.graph import Forest


class Wheel:
    """The generators that leave (or enter) each object, and for each arrow the arrows one such step away.

    Parameters
    ----------
    ends : int32 (m,), the object at which each arrow can be continued
    joint : int32 (k,), the object at which each generator can be put on
    objects : number of objects

    Attributes
    ----------
    list, first : the generators by object, flat; those of object c are ``list[first[c] : first[c + 1]]``
    slot : int32 (k,), the place of each generator among those of its object
    at : int64 (m + 1,), where the steps of each arrow start in ``flat``
    flat : int32, the steps: for arrow 0, 1, ... one for each generator at its end, in order
    place : ``ends``
    """

    __slots__ = ("at", "first", "flat", "list", "place", "slot")

    def __init__(self, ends: Ints, joint: Ints, objects: int) -> None:
        degree = np.bincount(joint, minlength=objects)
        self.list: Ints = frozen(np.argsort(joint, kind="stable").astype(np.int32))
        self.first: Longs = starts(degree)
        self.slot: Ints = np.empty(len(joint), dtype=np.int32)
        self.slot[self.list] = np.arange(len(joint)) - self.first[joint[self.list]]
        self.at: Longs = starts(degree[ends])
        self.flat: Ints = np.empty(0, dtype=np.int32)
        self.place: Ints = ends

    def entries(self) -> tuple[Longs, Ints]:
        """Arrow and generator of every entry of ``flat``."""
        owner, slot = spread(np.diff(self.at))
        return owner, self.list[self.first[self.place[owner]] + slot]

    def step(self, arrow: NDArray[np.integer], generator: NDArray[np.integer]) -> Ints:
        """The arrow one step away; the caller has seen to it that the step exists."""
        found: Ints = self.flat[self.at[arrow] + self.slot[generator]]
        return found


def left_steps(right: Wheel, left: Wheel, generators: Ints, tree: Forest, last: Ints) -> Ints:
    """The flat steps to the left, from those to the right of arrows that act freely by words.

    Parameters
    ----------
    right : with its steps
    left : without them
    generators : int32 (k,), the arrow that each generator is
    tree : shortest words, rooted at the identities
    last : int32 (m,), the last letter of each arrow's word

    Returns
    -------
    int32, laid out as ``left.flat``

    Notes
    -----
    "g, then x" for x = "p, then l" is "g, then p", then l: layer by layer, each in one gather. Linear in the steps.
    """
    flat = np.empty(int(left.at[-1]), dtype=np.int32)
    degree = np.diff(left.first)
    units = tree.order[: tree.bounds[1]]
    owner, slot = spread(degree[left.place[units]])
    x = units[owner]
    flat[left.at[x] + slot] = generators[left.list[left.first[left.place[x]] + slot]]
    for layer in tree.layers():
        owner, slot = spread(degree[left.place[layer]])
        x = layer[owner]
        flat[left.at[x] + slot] = right.step(flat[left.at[tree.parent[x]] + slot], last[x])
    return frozen(flat)
