"""What a natural transformation must satisfy, as candidates for generating elements and relations between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Bools, Ints, Longs, frozen, spread, starts
from presheaf.finite.columns.graph import Forest, forest, sources
from presheaf.finite.presheaves.presheaf import SetFunctor

Test = Callable[[Ints, Ints], NDArray[np.bool_]]
"""Rows of S and rows of T, element by element, to whether the first may go to the second."""


@dataclass(frozen=True)
class Conditions:
    """Natural transformations S -> T as a problem of choices.

    Attributes
    ----------
    roots : int (q,), elements of S that yield all of it, one for each source component
    forest : a breadth-first forest from the roots over the elements
    letter : int32 (elements,), the generator that leads to an element from its parent; -1 at roots
    alive : for each root the rows of T it may go to
    shared : for some roots the elements that other roots yield too, and for each row of ``alive`` their images
    """

    source: SetFunctor
    target: SetFunctor
    roots: Ints
    forest: Forest
    letter: Ints
    alive: tuple[Ints, ...]
    shared: dict[int, tuple[tuple[int, ...], Ints]]

    def images(self, choice: Ints) -> Ints:
        """The images of all elements, given those of the roots."""
        begin, entries = self.target.flat
        value = np.empty(self.source.n_elements, dtype=np.int32)
        value[self.roots] = choice
        for layer in self.forest.layers():
            value[layer] = entries[begin[self.letter[layer]] + value[self.forest.parent[layer]]]
        return value


@dataclass(frozen=True)
class _Values:
    """For every root and candidate the images of the elements that matter: element e's start at ``at[e]``."""

    at: Longs
    flat: Ints


@dataclass(frozen=True)
class _Loose:
    """Edges outside the forest: generator ``letter`` leads from ``a`` to ``b``."""

    a: Ints
    b: Ints
    letter: Ints

    def only(self, keep: Bools) -> _Loose:
        return _Loose(self.a[keep], self.b[keep], self.letter[keep])


def conditions(
    s: SetFunctor,
    t: SetFunctor,
    fixed: tuple[Longs, Ints],
    tests: Mapping[int, Test],
    colors: tuple[Ints, Ints] | None,
    limit: int,
) -> Conditions:
    """Propagate candidates along a forest, and turn every edge outside it into a filter or a relation.

    Parameters
    ----------
    fixed : elements of S, and the rows they must go to
    tests : for some objects what may go where
    colors : a colour for each element of S and of T that must be kept, compatible with the generators
    limit : most entries of an intermediate table

    Notes
    -----
    Cost: candidates x elements that conditions speak of.
    """
    side = s.category
    first, target = s.element_graph
    object_of = np.repeat(np.arange(side.n_objects), s.sizes)
    nodes, component = sources(first, target)
    order = np.lexsort((nodes, t.sizes[object_of[nodes]], component))
    _, at = np.unique(component[order], return_index=True)
    roots = nodes[order][at]
    wood = forest(first, target, roots)
    root = wood.roots()
    letter, loose = _edges(s, wood, object_of)
    # A root that yields one element for each arrow is free (Yoneda): edges within its representable hold in any T.
    arrows = np.bincount(side.dom, minlength=side.n_objects)[object_of[roots]]
    free = np.bincount(root, minlength=len(roots)) == arrows
    loose = loose.only(~(free[root[loose.a]] & (root[loose.a] == root[loose.b])))
    choices = t.sizes[object_of[roots]].astype(np.int64)
    wanted: Bools = np.isin(object_of, list(tests))
    for part in (loose.a, loose.b, fixed[0]):
        wanted[part] = True
    for layer in reversed(list(wood.layers())):
        wanted[wood.parent[layer[wanted[layer]]]] = True
    values = _propagate(t, wood, letter, np.where(wanted, choices[root], 0), limit)
    alive = _Alive(choices, root)
    if colors is not None:
        owner, row = spread(choices)
        place = t.offsets[object_of[roots]][owner] + row
        alive.flat &= colors[0][roots[owner]] == colors[1][place]
    owner, row = spread(choices[root[fixed[0]]])
    alive.drop(fixed[0], owner, row, values.flat[values.at[fixed[0][owner]] + row] != fixed[1][owner])
    for c, test in tests.items():
        elements = np.arange(s.offsets[c], s.offsets[c + 1])
        owner, row = spread(choices[root[elements]])
        image = values.flat[values.at[elements[owner]] + row]
        alive.drop(elements, owner, row, ~_asked(test, side.objects[c], owner.astype(np.int32), image))
    afford(int(choices[root[loose.a]].sum() + choices[root[loose.b]].sum()), limit, "candidates x conditions")
    own = root[loose.a] == root[loose.b]
    _filter(t, values, alive, loose.only(own))
    shared = _relations(t, values, alive, loose.only(~own))
    rows = alive.rows()
    return Conditions(s, t, roots, wood, letter, rows, {r: (v, x[rows[r]]) for r, (v, x) in shared.items()})


def afford(rows: int, limit: int, what: str) -> None:
    """Refuse a table of more than ``limit`` entries."""
    if rows > limit:
        raise InputError(f"{what}: {rows} entries, more than the limit of {limit}.")


def _edges(s: SetFunctor, wood: Forest, object_of: Longs) -> tuple[Ints, _Loose]:
    first, target = s.element_graph
    wheel = s.category._right
    inner = np.flatnonzero(wood.parent >= 0)
    letter = np.full(s.n_elements, -1, dtype=np.int32)
    letter[inner] = wheel.list[wheel.first[object_of[wood.parent[inner]]] + wood.slot[inner]]
    source = np.repeat(np.arange(s.n_elements), np.diff(first))
    place = np.arange(len(target)) - first[source]
    extra = np.flatnonzero((wood.parent[target] != source) | (wood.slot[target] != place))
    a = source[extra].astype(np.int32)
    return letter, _Loose(a, target[extra], wheel.list[wheel.first[object_of[a]] + place[extra]])


def _propagate(t: SetFunctor, wood: Forest, letter: Ints, count: Longs, limit: int) -> _Values:
    afford(int(count.sum()), limit, "candidates x elements")
    at = starts(count)
    flat = np.empty(int(at[-1]), dtype=np.int32)
    begin, entries = t.flat
    for depth, layer in enumerate([wood.order[: wood.bounds[1]], *wood.layers()]):
        owner, row = spread(count[layer])
        e = layer[owner]
        flat[at[e] + row] = row if not depth else entries[begin[letter[e]] + flat[at[wood.parent[e]] + row]]
    return _Values(at, flat)


class _Alive:
    """Which candidates of each root are left."""

    def __init__(self, choices: Longs, root: Ints) -> None:
        self.choices, self.root = choices, root
        self.offset = starts(choices)
        self.flat: Bools = np.ones(int(self.offset[-1]), dtype=bool)

    def drop(self, elements: NDArray[np.integer], owner: Longs, row: Longs, bad: Bools) -> None:
        """Candidates ``row`` of the roots of ``elements[owner]`` go where ``bad``."""
        self.flat[(self.offset[self.root[elements]][owner] + row)[bad]] = False

    def rows(self) -> tuple[Ints, ...]:
        """The candidates left, root by root."""
        return tuple(frozen(np.flatnonzero(self.flat[i:j]).astype(np.int32)) for i, j in pairwise(self.offset.tolist()))


def _asked(test: Test, name: str, rows: Ints, images: Ints) -> Bools:
    answer = np.asarray(test(rows, images))
    if answer.shape != rows.shape or answer.dtype != np.bool_:
        raise InputError(
            f"the test at {name} must return a bool array of shape {rows.shape}; got {answer.dtype}, {answer.shape}."
        )
    return answer


def _filter(t: SetFunctor, values: _Values, alive: _Alive, loose: _Loose) -> None:
    """Edges within what one root yields: a candidate stays if both ways around agree."""
    begin, entries = t.flat
    owner, row = spread(alive.choices[alive.root[loose.a]])
    one = entries[begin[loose.letter[owner]] + values.flat[values.at[loose.a[owner]] + row]]
    alive.drop(loose.a, owner, row, one != values.flat[values.at[loose.b[owner]] + row])


def _relations(t: SetFunctor, values: _Values, alive: _Alive, loose: _Loose) -> dict[int, tuple[tuple[int, ...], Ints]]:
    """Elements that several roots yield: for each such root and element a column of images by candidate."""
    begin, entries = t.flat
    meeting = np.unique(loose.b)
    who = np.concatenate([alive.root[meeting], alive.root[loose.a]])
    what = np.concatenate([meeting, loose.b])
    owner, row = spread(alive.choices[who])
    column = np.empty(len(owner), dtype=np.int32)
    direct = owner < len(meeting)
    column[direct] = values.flat[values.at[what[owner[direct]]] + row[direct]]
    other = owner[~direct] - len(meeting)
    column[~direct] = entries[begin[loose.letter[other]] + values.flat[values.at[loose.a[other]] + row[~direct]]]
    at = starts(alive.choices[who])
    pair = who.astype(np.int64) * max(len(alive.root), 1) + what
    _, leader, group = np.unique(pair, return_index=True, return_inverse=True)
    bad = column != column[at[leader[group][owner]] + row]
    alive.flat[(alive.offset[who][owner] + row)[bad]] = False
    out: dict[int, tuple[tuple[int, ...], Ints]] = {}
    lead = who[leader]
    cuts = np.flatnonzero(np.diff(lead, prepend=-1, append=-1)) if len(leader) else np.empty(0, dtype=np.int64)
    for i, j in pairwise(cuts.tolist()):
        table = np.stack([column[at[x] : at[x + 1]] for x in leader[i:j]], axis=1)
        out[int(lead[i])] = tuple(what[leader[i:j]].tolist()), table
    return out
