"""Left extension along a map into a category without cycles: one pass over its objects."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.budget import Budget, CancelCallback, Progress, ProgressCallback, Status
from presheaf.finite.completion import Counts, Outcome
from presheaf.finite.components import components
from presheaf.finite.mapping import PresentationMap
from presheaf.finite.presentation import Path, Presentation
from presheaf.finite.standard import Table, standardise

IntArray = NDArray[np.int32]


def topological_order(presentation: Presentation) -> tuple[int, ...] | None:
    """Objects so that every generator leads forward, the smallest first where there is a choice; None on a cycle."""
    waiting = [0] * len(presentation.objects)
    for _, _, b in presentation.generators:
        waiting[b] += 1
    ready = [d for d, w in enumerate(waiting) if not w]
    order: list[int] = []
    while ready:
        ready.sort(reverse=True)
        d = ready.pop()
        order.append(d)
        for _, a, b in presentation.generators:
            if a == d:
                waiting[b] -= 1
                if not waiting[b]:
                    ready.append(b)
    return tuple(order) if len(order) == len(waiting) else None


def sweep(
    mapping: PresentationMap,
    sizes: Sequence[int],
    columns: Sequence[IntArray],
    order: Sequence[int],
    *,
    budget: Budget,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
    compiled: bool = True,
) -> Outcome:
    """Left Kan extension when D has no cycle.

    At object d the elements are those of I at objects over d, and one ``g(x)`` for every generator g into d and element
    x at g's source, which is final by then. D's equations and the naturality of the unit identify some of them; nothing
    at d reaches back, so that one pass is enough. With D discrete or terminal this is the formula by connected
    components.

    Parameters
    ----------
    mapping : PresentationMap
    sizes, columns : covariant functor on the source
    order : objects of D in topological order

    Notes
    -----
    Near-linear: O(sum over objects of the nodes at it and of the lengths of paths traced), by gathers and union-find.
    """
    start = time.perf_counter()
    c, d = mapping.source, mapping.target
    size = np.zeros(len(d.objects), dtype=np.int64)
    unit: dict[int, IntArray] = {}
    column: dict[int, IntArray] = {}
    met: dict[int, IntArray] = {}
    only_units: dict[int, bool] = {}
    standard = True
    nodes_made = held = peak = 0
    status: Status = "complete"
    limit: str | None = None

    def trace(x: IntArray | None, path: Path) -> IntArray | None:
        """Elements after a path; None stands for all elements in order."""
        for j in path:
            x = column[j] if x is None else column[j][x]
        return x

    def at(base: int, x: IntArray | None, many: int) -> IntArray:
        if x is None:
            return np.arange(base, base + many, dtype=np.int32)
        return x + np.int32(base)

    def edges(here: int, rows: dict[int, int], made: dict[int, int]) -> Iterator[tuple[IntArray, IntArray]]:
        for j, (_, a, b) in enumerate(c.generators):
            if mapping.objects[b] != here or not sizes[a]:
                continue
            path = mapping.paths[j]
            if path:
                x = trace(unit[a], path[:-1])
                left = at(made[path[-1]], x, sizes[a])
            else:
                left = at(rows[a], None, sizes[a])
            yield left, at(rows[b], columns[j], sizes[a])
        for i, (u, v) in enumerate(d.equations):
            if d.target(u) != here:
                continue
            many = int(size[d.equation_source(i)])
            if many:
                yield at(made[u[-1]], trace(None, u[:-1]), many), at(made[v[-1]], trace(None, v[:-1]), many)

    for here in order:
        nodes = 0
        rows: dict[int, int] = {}
        made: dict[int, int] = {}
        for a, image in enumerate(mapping.objects):
            if image == here:
                rows[a] = nodes
                nodes += sizes[a]
        for j, (_, a, b) in enumerate(d.generators):
            if b == here:
                made[j] = nodes
                nodes += int(size[a])
        seconds = time.perf_counter() - start
        peak = max(peak, 4 * nodes_made + 16 * nodes)
        if held + nodes > budget.max_rows:
            status, limit = "budget exceeded", "rows"
        elif peak > budget.max_bytes:
            status, limit = "budget exceeded", "bytes"
        elif budget.seconds is not None and seconds > budget.seconds:
            status, limit = "budget exceeded", "seconds"
        elif cancel is not None and cancel():
            status = "cancelled"
        if status != "complete":
            break
        label, first = components(nodes, edges(here, rows, made), compiled=compiled)
        size[here] = len(first)
        met[here] = first
        only_units[here] = not len(first) or int(first[-1]) < sum(sizes[a] for a in rows)
        standard = standard and (only_units[here] or _in_order(mapping, sizes, size, here, only_units))
        for a, base in rows.items():
            unit[a] = label[base : base + sizes[a]]
        for j, base in made.items():
            column[j] = label[base : base + int(size[d.generators[j][1]])]
        nodes_made += nodes
        held += len(first)
        if progress is not None:
            progress(Progress(held, held, held, nodes_made, time.perf_counter() - start, peak))
    table = None
    if status == "complete":
        units = np.concatenate([unit[a] for a in range(len(sizes))] or [np.empty(0, dtype=np.int32)])
        kept = [column[j] for j in range(len(d.generators))]
        if standard:
            table = Table(size, tuple(kept), units, tuple(met[s] for s in range(len(d.objects))))
        else:
            objects = np.repeat(np.array(mapping.objects, dtype=np.int32), sizes)
            table = standardise(d, size, kept, objects, units, compiled=compiled)
    return Outcome(status, table, "sweep", limit, Counts(nodes_made, held, time.perf_counter() - start, peak))


def _in_order(
    mapping: PresentationMap,
    sizes: Sequence[int],
    size: NDArray[np.int64],
    here: int,
    only_units: dict[int, bool],
) -> bool:
    """Whether the elements at an object stand as ``standardise`` would put them, those before it being in order.

    They do if all that are no units come through one generator, or if the generators' sources hold units only and
    these were given in the generators' order.
    """
    sources = [g[1] for g in mapping.target.generators if g[2] == here and size[g[1]]]
    if len(sources) == 1:
        return True
    end = -1
    for s in sources:
        above = [a for a, image in enumerate(mapping.objects) if image == s and sizes[a]]
        if not only_units[s] or above[0] <= end:
            return False
        end = above[-1]
    return True
