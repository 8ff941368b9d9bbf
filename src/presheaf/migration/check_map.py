"""Whether a schema map carries path equations to path equations: from the schemas, and on data."""

from __future__ import annotations

from presheaf.errors import InputError
from presheaf.finite.columns.budget import CancelCallback
from presheaf.finite.presented.map_check import check_functor_map
from presheaf.migration.equations import failing_rows
from presheaf.migration.instance import Instance
from presheaf.migration.schema import SchemaMap


def check_laws(map: SchemaMap, cancel: CancelCallback | None = None) -> None:
    """Refuse a map F: C -> D that provably carries an equation of C to paths that differ in D.

    Raises
    ------
    InputError
        Names the equation and what it becomes.

    Notes
    -----
    ``check_functor_map``. Where that ends undecided the map passes, and ``check_on_data`` has the last word.
    """
    found = check_functor_map(map.mapping, cancel=cancel)
    if found.status == "fails":
        raise InputError(f"the map is no functor: {found.why}. Add the equation to the target, or change the map.")


def check_on_data(map: SchemaMap, instance: Instance) -> None:
    """Refuse a map F: C -> D if an equation of C, carried to D, fails on rows of an instance on D.

    Raises
    ------
    InputError
        Names the equation, what it becomes, the table and the first rows.

    Notes
    -----
    That F is a functor is undecidable in general; that it acts as one on the data at hand is two gathers a letter.
    """
    source, target, mapping = map.source.presentation, map.target.presentation, map.mapping
    for i, (u, v) in enumerate(source.equations):
        d = mapping.objects[source.equation_source(i)]
        sides = mapping.along(u), mapping.along(v)
        bad = failing_rows(instance.columns, sides, instance.sizes[d], target.objects[d])
        if bad:
            raise InputError(
                f"the map is no functor: the source says {source.equation(i)}, which becomes {target.show(sides[0])} = "
                f"{target.show(sides[1])}, and that fails at {bad}. Add the equation to the target, or change the map."
            )
