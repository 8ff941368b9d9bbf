"""Pi: data moved forwards along a schema map, by joining."""

from __future__ import annotations

import time
from typing import Any, Literal

from presheaf.errors import InputError, one_of
from presheaf.finite.columns.budget import Budget, CancelCallback, ProgressCallback
from presheaf.finite.presented.kan_right import right_kan
from presheaf.migration.check_map import check_laws, check_on_data
from presheaf.migration.columns import at_rows, nulls, trace
from presheaf.migration.instance import Instance
from presheaf.migration.moved import Moved
from presheaf.migration.schema import SchemaMap
from presheaf.migration.with_values import WithValues

Unknown = Literal["refuse", "null"]


def pi(
    map: SchemaMap,
    instance: Instance,
    *,
    unknown: Unknown = "refuse",
    budget: Budget | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
) -> Moved:
    """Pi_F I: the right Kan extension of an instance I on C along F: C -> D, with its values.

    A row of a table d is a family of rows of I, one for each way along D's foreign keys from d to a table that F reaches,
    that fit together: a join. Where two attributes of C go to the same attribute of D, rows are joined on equal values; a
    null equals no other null. A table from which nothing is reached has one row.

    A value in d is known where some attribute of C, moved along F and D's equations, says what it is. Otherwise any value
    would do, and Pi would have a row for each.

    Parameters
    ----------
    map : SchemaMap
        F.
    instance : Instance on C
    unknown : "refuse" or "null"
        What to do with an attribute of D whose value nothing determines: an error, or null in all rows.
    budget, progress, cancel
        See ``presheaf.finite.columns.budget``. Sizes multiply as in any join; they are known before rows are made.

    Returns
    -------
    Moved

    Raises
    ------
    InputError
        If the instance is not on C, F breaks a path equation of C, or an attribute is determined by nothing; names it.

    Notes
    -----
    Attributes are foreign keys into tables of their distinct values, and those are carried along (``WithValues``); the
    join is ``right_kan``.
    """
    start = time.perf_counter()
    one_of("unknown", unknown, ("refuse", "null"))
    if instance.schema != map.source:
        raise InputError(f"pi moves an instance of the map's source, {map.source!r}; got one of {instance.schema!r}.")
    check_laws(map, cancel)
    extended = WithValues(map, instance)
    if unknown == "refuse":
        refuse_unknown(map, extended)
    kan = right_kan(extended.mapping, extended.sizes, extended.columns, budget=budget, progress=progress, cancel=cancel)
    if not kan.complete:
        seconds = time.perf_counter() - start
        return Moved("pi", map, kan.status, kan.ending, "conjunctive queries", kan.counts.made, seconds)
    tables, keys = len(map.target.presentation.objects), len(map.target.presentation.generators)
    sizes = kan.sizes.tolist()
    attributes: list[Any] = []
    for k, given in enumerate(map.target.attributes):
        way = extended.ways[k]
        if way is None:
            attributes.append(nulls(given.type, sizes[given.object]))
            continue
        codes = trace(kan.columns, way, sizes[given.object])
        attributes.append(at_rows(extended.values[k], kan.counit[extended.domain(k)][codes]))
    result = Instance(map.target, sizes[:tables], kan.columns[:keys], attributes, check=False)
    check_on_data(map, result)
    families = tuple(
        tuple((c, path) for c, path in query.variables if c < len(map.source.presentation.objects))
        for query in kan.queries.queries[:tables]
    )
    counit = kan.counit[: len(map.source.presentation.objects)]
    seconds = time.perf_counter() - start
    return Moved(
        "pi", map, "complete", "complete", "conjunctive queries", kan.counts.made, seconds, result, counit, families
    )


def refuse_unknown(map: SchemaMap, extended: WithValues) -> None:
    """Raise an InputError that names the attributes of the target whose values nothing determines."""
    names = [map.target.show(k) for k, way in enumerate(extended.ways) if way is None]
    if names:
        raise InputError(
            f"pi: nothing that the map moves determines the values of {', '.join(names)}; any value would do, and the result "
            "would have a row for each. Map attributes of the source onto them, leave them out of the target, or ask for "
            "null (--unknown null, in Python unknown='null')."
        )
