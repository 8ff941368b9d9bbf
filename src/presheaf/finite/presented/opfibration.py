"""Left extension along a discrete opfibration: nothing is made and nothing merges, so tables are laid end to end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.columns.budget import Meter
from presheaf.finite.presented.copresheaf import IntArray, check_functor
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.standard import Table


def laid_end_to_end(
    mapping: PresentationMap, sizes: Sequence[int], columns: Sequence[IntArray], meter: Meter
) -> Table | None:
    """The left extension of a functor if generators and rows show plainly that it is a disjoint union, or None.

    They do if at every object c of C with rows, F takes the generators out of c one to one onto those out of F(c), and
    D's equations hold on the tables so joined. These then have the universal property: a map out of them is one out of
    each I(c), natural in C's generators. With F an isomorphism the result is I itself. Cost: rows x length of D's
    equations. Raises ``Stopped`` if the meter's budget can't bear the rows.
    """
    c, d = mapping.source, mapping.target
    above: dict[tuple[int, int], int] = {}
    for u, (_, a, _) in enumerate(c.generators):
        path = mapping.paths[u]
        if not sizes[a]:
            continue
        if len(path) != 1 or (a, path[0]) in above:
            return None
        above[a, path[0]] = u
    over: list[list[int]] = [[] for _ in d.objects]
    start = [0] * len(c.objects)
    size = np.zeros(len(d.objects), dtype=np.int64)
    for s, image in enumerate(mapping.objects):
        if sizes[s]:
            over[image].append(s)
            start[s] = int(size[image])
            size[image] += sizes[s]
    if any((s, g) not in above for g, (_, a, _) in enumerate(d.generators) for s in over[a]):
        return None
    total = int(size.sum())
    meter.check(total, 8 * total)
    joined = []
    for g, (_, a, _) in enumerate(d.generators):
        pieces = [columns[u] + np.int32(start[c.generators[u][2]]) for u in (above[s, g] for s in over[a])]
        joined.append(pieces[0] if len(pieces) == 1 else np.concatenate([np.empty(0, dtype=np.int32), *pieces]))
    try:
        check_functor(d, size.tolist(), joined)
    except InputError:
        return None
    units = [np.arange(start[s], start[s] + sizes[s], dtype=np.int32) for s in range(len(sizes))]
    meter.step(total, 0)
    first = tuple(np.arange(s, dtype=np.int32) for s in size)
    return Table(size, tuple(joined), np.concatenate([np.empty(0, dtype=np.int32), *units]), first)
