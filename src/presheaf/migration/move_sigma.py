"""Sigma: data moved forwards along a schema map, by making what the target asks for and merging what it says is one."""

from __future__ import annotations

import time

from presheaf.errors import InputError
from presheaf.finite.columns.budget import Budget, CancelCallback, ProgressCallback
from presheaf.finite.presented.completion import Strategy
from presheaf.finite.presented.kan_left import LeftKan, left_kan
from presheaf.migration.check_map import check_laws, check_on_data
from presheaf.migration.columns import nulls, trace
from presheaf.migration.instance import Instance
from presheaf.migration.merge_values import Given, merged
from presheaf.migration.moved import Moved
from presheaf.migration.schema import SchemaMap


def sigma(
    map: SchemaMap,
    instance: Instance,
    *,
    budget: Budget | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
    strategy: Strategy = "auto",
) -> Moved:
    """Sigma_F I: the left Kan extension of an instance I on C along F: C -> D, with its values.

    Every row of I becomes a row of the table that its table goes to. A foreign key of D whose value is not given makes a
    new row. Rows become one exactly where D's path equations and the images of C's foreign keys say so; that is the
    instance on D to which I maps in the most general way.

    An attribute's value is that of any row of I which became the row (or whose path through the image of the attribute
    ends there). Where none is known the value is null: unknown, each null on its own. Where two rows give different
    values the move is refused; Sigma with values would have to take the two for equal.

    Parameters
    ----------
    map : SchemaMap
        F.
    instance : Instance on C
    budget, progress, cancel
        See ``presheaf.finite.columns.budget``. A target with a cycle of foreign keys may ask for infinitely many rows.
    strategy
        See ``presheaf.finite.presented.completion.complete``.

    Returns
    -------
    Moved
        Rows of I first, in order of table and row, then breadth first along D's foreign keys.

    Raises
    ------
    InputError
        If the instance is not on C, if F breaks a path equation of C, or if two rows that become one have different
        values: both rows, tables and values.
    """
    start = time.perf_counter()
    if instance.schema != map.source:
        raise InputError(
            f"sigma moves an instance of the map's source, {map.source!r}; this is one of {instance.schema!r}."
        )
    check_laws(map, cancel)
    kan = left_kan(
        map.mapping,
        instance.sizes,
        instance.columns,
        strategy=strategy,
        budget=budget,
        progress=progress,
        cancel=cancel,
    )
    if not kan.complete:
        return Moved("sigma", map, kan.status, _ending(kan), kan.method, kan.counts.made, time.perf_counter() - start)
    unit, sizes = kan.unit, kan.sizes.tolist()
    given: list[list[Given]] = [[] for _ in map.target.attributes]
    for i, image in enumerate(map.attributes):
        if image is not None:
            path, k = image
            c = map.source.attributes[i].object
            given[k].append(Given(map.source, i, trace(kan.columns, path, unit[c]), instance.attributes[i]))
    attributes = [
        merged(map.target, k, sizes[a.object], given[k]) if given[k] else nulls(a.type, sizes[a.object])
        for k, a in enumerate(map.target.attributes)
    ]
    result = Instance(map.target, sizes, kan.columns, attributes, check=False)
    check_on_data(map, result)
    seconds = time.perf_counter() - start
    return Moved("sigma", map, "complete", "complete", kan.method, kan.counts.made, seconds, result, unit)


def _ending(kan: LeftKan) -> str:
    if kan.status == "budget exceeded":
        return f"budget exceeded ({kan.limit}) after {kan.counts.made:,} rows made in {kan.counts.seconds:.1f} s"
    if kan.status == "infinite":
        names = zip(kan.mapping.target.generators, kan.weights or (), strict=False)
        weights = ", ".join(f"{g[0]}: {w}" for g, w in names if w)
        return f"the target asks for infinitely many rows (proof: the weights {weights} grow without end)"
    return "cancelled"
