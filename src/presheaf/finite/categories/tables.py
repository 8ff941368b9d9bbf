"""Categories and monoids from their full composition tables."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.generating import from_composition, generating_set
from presheaf.finite.columns.arrays import BLOCK, Ints, ids, integers, titles


def from_table(
    table: ArrayLike | Mapping[tuple[Hashable, Hashable], Hashable],
    *,
    dom: ArrayLike | None = None,
    cod: ArrayLike | None = None,
    objects: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> Category:
    """A category from its full composition table.

    Parameters
    ----------
    table : int (m, m), entry (f, g) being "f, then g" and -1 where they don't meet; or a mapping (f, g) -> h, the
        arrows being numbered in the order in which they first appear
    dom, cod : int (m,), optional: source and target objects. Without them the identities are found in the table and
        the objects numbered in their order
    objects, names : names of the objects and of all m arrows

    Raises
    ------
    InputError
        No identity for an arrow, an entry where arrows don't meet, or the triple where associativity fails.

    Notes
    -----
    Arrows that no other arrows compose to become the generators first, then greedily those with the fewest
    factorisations. Light's test: (x g) y = x (g y) for the generators g only. Cost: O(m^2 + generators x composable pairs).
    """
    if isinstance(table, Mapping):
        dense, found = _numbered(table)
        names = found if names is None else names
    else:
        dense = _square(table)
    shown = titles("names", names, len(dense))
    label = _Labels(shown)
    identity, source, target = _ends(dense, label)
    if (dom is None) != (cod is None):
        raise InputError("give both dom and cod, or neither: they are then found in the table.")
    if dom is not None and cod is not None:
        identity, source, target = _agreed(identity, source, target, dom, cod)
    titles("objects", objects, len(identity))
    _check_meeting(dense, source, target, label)

    def compose(x: Ints, y: Ints) -> Ints:
        return np.asarray(dense[x, y], dtype=np.int32)

    chosen = generating_set(source, target, identity, compose)
    _light(dense, source, target, chosen, label)
    return from_composition(
        source, target, identity, compose, generators=chosen, objects=objects, names=[label(h) for h in chosen.tolist()]
    )


def from_monoid(table: ArrayLike, *, names: Sequence[str] | None = None) -> Category:
    """The one-object category of a monoid or group, from its multiplication table (m, m): entry (f, g) is f, then g.

    Raises
    ------
    InputError
        No identity, or the triple where associativity fails; see ``from_table``.

    Notes
    -----
    ``presheaf.finite.categories.arrows.is_groupoid`` tells whether it is a group. Cost: see ``from_table``.
    """
    dense = _square(table)
    holes = np.argwhere(dense < 0)
    if len(holes):
        raise InputError(f"table[{tuple(int(i) for i in holes[0])}] is negative: in a monoid all elements multiply.")
    if not len(dense):
        raise InputError("a monoid has an identity; this table is empty.")
    return from_table(dense, names=names, objects=["*"])


class _Labels:
    """How messages call an arrow: by its name, or by its number."""

    def __init__(self, names: Sequence[str] | None) -> None:
        self.names = names

    def __call__(self, x: int) -> str:
        return str(x) if self.names is None else self.names[x]


def _square(table: ArrayLike) -> Ints:
    raw = integers("table", table)
    if raw.size == 0:
        raw = np.empty((0, 0), dtype=np.int32)
    if raw.ndim != 2 or raw.shape[0] != raw.shape[1]:
        raise InputError(f"the table must be square; got shape {raw.shape}.")
    return ids("table", raw, len(raw), raw.shape, missing=True)


def _numbered(table: Mapping[tuple[Hashable, Hashable], Hashable]) -> tuple[Ints, list[str]]:
    """The table of a mapping (f, g) -> h, arrows numbered as they first appear, and their names."""
    seen: dict[Hashable, int] = {}
    for key, composite in table.items():
        if not isinstance(key, tuple) or len(key) != 2:
            raise InputError(f"a table's keys are pairs (f, g) of arrows that meet; got {key!r}.")
        first, second = key
        for entry in (first, second, composite):
            seen.setdefault(entry, len(seen))
    dense = np.full((len(seen), len(seen)), -1, dtype=np.int32)
    for (first, second), composite in table.items():
        dense[seen[first], seen[second]] = seen[composite]
    return dense, [str(entry) for entry in seen]


def _ends(table: Ints, label: _Labels) -> tuple[Ints, Ints, Ints]:
    m = len(table)
    number = np.arange(m)
    left = ((table == number[None, :]) | (table < 0)).all(axis=1)
    right = ((table == number[:, None]) | (table < 0)).all(axis=0)
    unit = np.flatnonzero(left & right & (table[number, number] == number))
    place = np.full(m, -1, dtype=np.int32)
    place[unit] = np.arange(len(unit))
    ends = []
    for what, part in (("source", table[unit, :] >= 0), ("target", table[:, unit].T >= 0)):
        count = part.sum(axis=0) if len(unit) else np.zeros(m, dtype=np.int64)
        wrong = np.flatnonzero(count != 1)
        if len(wrong):
            x = int(wrong[0])
            raise InputError(f"arrow {label(x)} has {int(count[x])} identities at its {what}; it must have one.")
        ends.append(part.argmax(axis=0).astype(np.int32) if m else np.empty(0, dtype=np.int32))
    return unit.astype(np.int32), ends[0], ends[1]


def _agreed(identity: Ints, source: Ints, target: Ints, dom: ArrayLike, cod: ArrayLike) -> tuple[Ints, Ints, Ints]:
    """Identities, sources and targets in the user's numbering of objects, if it agrees with the table."""
    m = len(source)
    given = ids("dom", dom, len(identity), (m,)), ids("cod", cod, len(identity), (m,))
    place = given[0][identity]
    if len(np.unique(place)) < len(place):
        x = int(identity[np.flatnonzero(np.bincount(place)[place] > 1)[1]])
        raise InputError(f"dom[{x}] = {int(given[0][x])}: another identity starts there too, an object has one.")
    for what, mine, theirs in (("dom", source, given[0]), ("cod", target, given[1])):
        bad = np.flatnonzero(place[mine] != theirs)
        if len(bad):
            x = int(bad[0])
            raise InputError(
                f"{what}[{x}] = {int(theirs[x])} doesn't agree with the identities found in the table: it should be "
                f"{int(place[mine[x]])}."
            )
    return identity[np.argsort(place)], given[0], given[1]


def _check_meeting(table: Ints, source: Ints, target: Ints, label: _Labels) -> None:
    """Composites are there exactly where arrows meet, and have the right ends."""
    meet = target[:, None] == source[None, :]
    wrong = np.argwhere(meet != (table >= 0))
    if len(wrong):
        a, b = (int(i) for i in wrong[0])
        said = "meet but have no" if meet[a, b] else "do not meet but have a"
        raise InputError(f"table[{a}, {b}]: {label(a)} and {label(b)} {said} composite.")
    f, g = np.nonzero(meet)
    off = np.flatnonzero((source[table[f, g]] != source[f]) | (target[table[f, g]] != target[g]))
    if len(off):
        a, b = int(f[off[0]]), int(g[off[0]])
        raise InputError(
            f"table[{a}, {b}]: the composite {label(int(table[a, b]))} of {label(a)} and {label(b)} has other ends."
        )


def _light(table: Ints, source: Ints, target: Ints, generators: Ints, label: _Labels) -> None:
    """Light's test: (x h) y = x (h y) for all generators h, in blocks."""
    for h in generators.tolist():
        before, after = np.flatnonzero(target == source[h]), np.flatnonzero(source == target[h])
        step = max(1, BLOCK // max(1, len(after)))
        for low in range(0, len(before), step):
            part = before[low : low + step]
            one, two = table[table[part, h][:, None], after[None, :]], table[part[:, None], table[h, after][None, :]]
            wrong = np.argwhere(one != two)
            if len(wrong):
                at = tuple(wrong[0])
                x, y, z = label(int(part[at[0]])), label(h), label(int(after[at[1]]))
                raise InputError(
                    f"not associative at the triple ({x}, {y}, {z}): ({x};{y});{z} = {label(int(one[at]))}, "
                    f"{x};({y};{z}) = {label(int(two[at]))}."
                )
