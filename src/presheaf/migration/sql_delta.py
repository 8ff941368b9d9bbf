"""Delta inside a warehouse: joins along paths."""

from __future__ import annotations

from presheaf.migration.schema import SchemaMap
from presheaf.migration.sql_tables import SqlTables, check_map, ibis_type
from presheaf.migration.sql_warehouse import Warehouse


def delta_sql(map: SchemaMap, given: SqlTables, warehouse: Warehouse) -> SqlTables:
    """F* J for an instance J of the target's schema, held by ``warehouse``.

    A table c has the rows of F(c) with their ids; a foreign key or attribute is joined in along its image. An attribute
    that the map leaves behind is null. Nothing is stored: the result's tables are expressions, one SELECT each.

    Raises
    ------
    InputError
        The map carries a path equation of the source to paths that differ on J.
    """
    import ibis

    check_map(map, given, warehouse)
    source, mapping = map.source, map.mapping
    tables, sizes = [], []
    for c in range(len(source.presentation.objects)):
        d = mapping.objects[c]
        rows = given.start(d)
        for j in source.keys_of(c):
            rows = given.follow(rows, mapping.paths[j], f"new_{j}")
        out = rows.select("id", **{f"k{j}": f"new_{j}" for j in source.keys_of(c)})
        for i in source.attributes_of(c):
            image = map.attributes[i]
            if image is None:
                out = out.mutate(**{f"a{i}": ibis.null(ibis_type(source.attributes[i].type))})
                continue
            path, attribute = image
            values = given.value(d, path, attribute).select(_id="id", _value="value")
            joined = out.inner_join(values, [("id", "_id")])
            out = joined.select(*out.columns, **{f"a{i}": "_value"})
        tables.append(out)
        sizes.append(given.sizes[d])
    return SqlTables(source, tuple(tables), tuple(sizes))
