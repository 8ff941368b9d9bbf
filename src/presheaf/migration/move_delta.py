"""Delta: data moved backwards along a schema map, by looking up."""

from __future__ import annotations

import time
from typing import Any

from presheaf.errors import InputError
from presheaf.migration.check_map import check_on_data
from presheaf.migration.columns import at_rows, nulls, trace
from presheaf.migration.instance import Instance
from presheaf.migration.moved import Moved
from presheaf.migration.schema import SchemaMap


def delta(map: SchemaMap, instance: Instance) -> Moved:
    """F* J: for J on D the instance on C whose table c is J's table F(c).

    A foreign key's column follows the key's image, an attribute's values are found at the end of its image. An attribute
    that the map leaves behind has no value in any row.

    Parameters
    ----------
    map : SchemaMap
        F: C -> D.
    instance : Instance on D

    Raises
    ------
    InputError
        If the instance is not on D, or F carries a path equation of C to paths that differ on it (``check_on_data``).

    Notes
    -----
    O(rows of the result x length of the paths), by gathers; columns that are not moved are shared, not copied.
    """
    start = time.perf_counter()
    if instance.schema != map.target:
        raise InputError(
            f"delta moves an instance of the map's target, {map.target!r}; got one of {instance.schema!r}."
        )
    check_on_data(map, instance)
    p, mapping = map.source.presentation, map.mapping
    sizes = [instance.sizes[d] for d in mapping.objects]
    columns = [trace(instance.columns, mapping.paths[j], sizes[a]) for j, (_, a, _) in enumerate(p.generators)]
    attributes: list[Any] = []
    for given, image in zip(map.source.attributes, map.attributes, strict=True):
        size = sizes[given.object]
        if image is None:
            attributes.append(nulls(given.type, size))
        else:
            path, k = image
            rows = trace(instance.columns, path, size) if path else None
            attributes.append(at_rows(instance.attributes[k], rows))
    result = Instance(map.source, sizes, columns, attributes, check=False)
    return Moved("delta", map, "complete", "complete", "gathers", result.n_rows, time.perf_counter() - start, result)
