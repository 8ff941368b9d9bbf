"""Pi inside a warehouse: each table is a conjunctive query, so a join.

The query is that of the engine (``presheaf.finite.presented.query``): a variable for each generator of D(d, F-), an equality for each
relation. Attributes take part as foreign keys into tables of their values (``WithValues``), so that rows are joined on equal
values where two of them go to the same attribute; a null equals no other null. The rows are those of the engine; they
are numbered in lexicographic order of the variables' rows, where the engine's order is that of its joins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from presheaf.errors import one_of
from presheaf.finite.columns.budget import Budget
from presheaf.finite.presented.presentation import Path
from presheaf.finite.presented.query import Place, Queries, Query, conjunctive_queries
from presheaf.migration.check_map import check_laws
from presheaf.migration.columns import nulls
from presheaf.migration.instance import Instance
from presheaf.migration.move_pi import Unknown, refuse_unknown
from presheaf.migration.plan import ARROW_LIMIT
from presheaf.migration.schema import Schema, SchemaMap
from presheaf.migration.sql_tables import SqlTables, check_map, ibis_type, union
from presheaf.migration.sql_warehouse import BudgetExceeded, Warehouse
from presheaf.migration.with_values import WithValues


def pi_sql(
    map: SchemaMap,
    given: SqlTables,
    warehouse: Warehouse,
    *,
    unknown: Unknown = "refuse",
    most: int | None = None,
) -> SqlTables:
    """Pi_F I for an instance I of the source's schema, held by ``warehouse``; see ``presheaf.migration.move_pi.pi``.

    Parameters
    ----------
    map : SchemaMap
    given : SqlTables
    warehouse : Warehouse
    unknown : "refuse" or "null"
        What to do with an attribute of the target whose value nothing determines.
    most : int, optional
        Most rows of a table; each is counted before it is made.

    Raises
    ------
    InputError
        The map is no functor, the target has too many paths for SQL, or an attribute is determined by nothing.
    BudgetExceeded
        A table would have more than ``most`` rows: with their number.

    Notes
    -----
    Joins are written so that each follows from an equality wherever there is one; the engine orders them as it likes.
    """
    one_of("unknown", unknown, ("refuse", "null"))
    check_laws(map)
    extended = WithValues(map, _empty(map.source))
    if unknown == "refuse":
        refuse_unknown(map, extended)
    queries = conjunctive_queries(extended.mapping, budget=Budget(rows=20 * ARROW_LIMIT, seconds=60.0))
    source, values = _encoded(map, given, extended, queries, warehouse)
    here = [
        _solutions(query, source, warehouse, name, most)
        for query, name in zip(queries.queries, map.target.presentation.objects, strict=False)
    ]
    tables = [_whole(map, source, queries, extended, values, here, d) for d in range(len(here))]
    return check_map(map, SqlTables(map.target, tuple(tables), tuple(h.many for h in here)), warehouse)


@dataclass(frozen=True, slots=True, eq=False)
class _Here:
    """Pi at one table: ``id`` with a column ``x{i}`` for each variable i of its query, and how many rows it has."""

    query: Query
    rows: Any
    many: int


def _empty(schema: Schema) -> Instance:
    """The instance without rows: what ``WithValues`` makes of schemas is the same for every instance."""
    none = [np.empty(0, dtype=np.int32) for _ in schema.presentation.generators]
    values = [nulls(a.type, 0) for a in schema.attributes]
    return Instance(schema, [0] * len(schema.presentation.objects), none, values, check=False)


def _encoded(
    map: SchemaMap, given: SqlTables, extended: WithValues, queries: Queries, warehouse: Warehouse
) -> tuple[SqlTables, dict[int, Any]]:
    """The tables with attributes as foreign keys into tables of values; and those tables, by attribute of the target.

    Where no query asks whether two values are equal, each row's value is a row of its own: no sorting.
    """
    asked = {
        extended.mapping.source.target(path)
        for query in queries.queries
        for _, one, _, two in query.conditions
        for path in (one, two)
        if path
    }
    tables, sizes, values = list(given.tables), list(given.sizes), {}
    key = len(map.source.presentation.generators)
    for k in sorted(
        (k for k in range(len(map.target.attributes)) if extended.values[k] is not None), key=extended.domain
    ):
        moved = [i for i, image in enumerate(map.attributes) if image is not None and image[1] == k]
        parts, base = [], []
        total = 0
        for i in moved:
            c = map.source.attributes[i].object
            parts.append(given.tables[c].select(origin=(given.tables[c].id + total).cast("int64"), value=f"a{i}"))
            base.append(total)
            total += given.sizes[c]
        every = union(parts)
        if extended.domain(k) in asked:
            every = warehouse.keep(_coded(every, total))
            values[k] = every.select("code", "value").distinct()
        else:
            every = every.mutate(code=every.origin)
            values[k] = every.select("code", "value")
        for i, start in zip(moved, base, strict=True):
            c = map.source.attributes[i].object
            codes = every.select(_origin=every.origin - start, **{f"k{key}": "code"})
            tables[c] = tables[c].inner_join(codes, [("id", "_origin")]).select(*tables[c].columns, f"k{key}")
            key += 1
        tables.append(values[k].select(id="code"))
        sizes.append(total)
    return SqlTables(Schema(extended.mapping.source), tuple(tables), tuple(sizes)), values


def _coded(every: Any, total: int) -> Any:
    """Numbers for ``total`` values, equal ones for equal values, in their order; then each null, in order of origin."""
    import ibis

    known = every.filter(every.value.notnull()).select("value").distinct()
    ranked = known.mutate(_code=ibis.row_number().over(ibis.window(order_by="value"))).select(
        _value="value", _code="_code"
    )
    joined = every.left_join(ranked, [("value", "_value")])
    nothing = every.filter(every.value.isnull())
    missing = nothing.select(_null="origin", _rank=nothing.origin + total)
    joined = joined.left_join(missing, [("origin", "_null")])
    return joined.select("origin", "value", code=joined._code.fill_null(joined._rank).cast("int64"))


def _solutions(query: Query, source: SqlTables, warehouse: Warehouse, name: str, most: int | None) -> _Here:
    """Answer one query, and number the answers."""
    import ibis

    if not query.variables:
        some = source.tables[0]
        return _Here(query, some.aggregate(id=(some.id.count() * 0).cast("int64")), 1)
    found = _joined(query, source)
    if most is not None and (many := warehouse.count(found)) > most:
        raise BudgetExceeded(f"budget exceeded (rows): {name!r} would have {many:,} rows")
    columns = [f"x{i}" for i in range(len(query.variables))]
    numbered = found.mutate(id=ibis.row_number().over(ibis.window(order_by=columns)).cast("int64"))
    rows = warehouse.keep(numbered.select("id", *columns))
    return _Here(query, rows, warehouse.count(rows))


def _joined(query: Query, source: SqlTables) -> Any:
    """The join of the variables' tables, a column ``x{i}`` for each, before rows are numbered."""
    ends: list[dict[Path, str]] = [{} for _ in query.variables]
    pairs = []
    for i, one, j, two in query.conditions:
        left = ends[i].setdefault(one, f"y{i}_{len(ends[i])}")
        right = ends[j].setdefault(two, f"y{j}_{len(ends[j])}")
        pairs.append((i, left, j, right))
    parts = []
    for i, (c, _) in enumerate(query.variables):
        rows = source.start(c)
        for path, name in ends[i].items():
            rows = source.follow(rows, path, name)
        parts.append(rows.select(*ends[i].values(), **{f"x{i}": "id"}))
    for i, left, j, right in pairs:
        if i == j:
            parts[i] = parts[i].filter(parts[i][left] == parts[i][right])
    order = _join_order(query, source.sizes)
    done, out = {order[0]}, parts[order[0]]
    for i in order[1:]:
        on = [(left, right) for a, left, b, right in pairs if a in done and b == i]
        on += [(right, left) for a, left, b, right in pairs if b in done and a == i]
        out = out.inner_join(parts[i], on) if on else out.cross_join(parts[i])
        done.add(i)
    return out.select(*[f"x{i}" for i in range(len(query.variables))])


def _join_order(query: Query, sizes: Sequence[int]) -> list[int]:
    """Small tables first, each after the first one that a condition ties to those before it wherever there is one."""
    left = sorted(range(len(query.variables)), key=lambda i: (sizes[query.variables[i][0]], i))
    order = [left.pop(0)]
    while left:
        near = {a for a, _, b, _ in query.conditions if b in order} | {
            b for a, _, b, _ in query.conditions if a in order
        }
        following = next((i for i in left if i in near), left[0])
        left.remove(following)
        order.append(following)
    return order


def _whole(
    map: SchemaMap,
    source: SqlTables,
    queries: Queries,
    extended: WithValues,
    values: dict[int, Any],
    here: list[_Here],
    d: int,
) -> Any:
    """Table ``d`` with its foreign keys and attributes."""
    mine, parts = here[d], []
    names = {}
    for g in map.target.keys_of(d):
        there = here[map.target.presentation.generators[g][2]]
        rows = _components(source, mine, queries.projections[g])
        other = there.rows.select(**{f"k{g}": "id"}, **{f"_x{i}": f"x{i}" for i in range(len(there.query.variables))})
        on = [(f"z{i}", f"_x{i}") for i in range(len(there.query.variables))]
        joined = rows.inner_join(other, on) if on else rows.cross_join(other)
        parts.append(joined.select(f"k{g}", **{f"_k{g}": "id"}))
        names[f"k{g}"] = f"k{g}"
    for k in map.target.attributes_of(d):
        way = extended.ways[k]
        if way is None:
            continue
        rows = _components(source, mine, [_at(queries, extended.domain(k), way)])
        told = values[k].select(_code="code", **{f"a{k}": "value"})
        parts.append(rows.inner_join(told, [("z0", "_code")]).select(f"a{k}", **{f"_a{k}": "id"}))
        names[f"a{k}"] = f"a{k}"
    rows = mine.rows.select("id")
    for part in parts:
        rows = rows.inner_join(part, [("id", part.columns[1])])
    rows = rows.select("id", *names)
    for k in map.target.attributes_of(d):
        if extended.ways[k] is None:
            import ibis

            rows = rows.mutate(**{f"a{k}": ibis.null(ibis_type(map.target.attributes[k].type))})
    return rows


def _components(source: SqlTables, mine: _Here, places: Sequence[Place]) -> Any:
    """For each row its ``id`` and a column ``z{n}`` for each place: the row of a variable moved along a path."""
    rows = mine.rows
    for n, (i, path) in enumerate(places):
        ends = source.ends(mine.query.variables[i][0], path)
        rows = rows.inner_join(ends.select(**{f"_z{n}": "id", f"z{n}": "at"}), [(f"x{i}", f"_z{n}")])
    return rows.select("id", *[f"z{n}" for n in range(len(places))])


def _at(queries: Queries, c: int, way: Path) -> Place:
    """Where a row has the component that ``way`` leads to, a path of the target to F(c)."""
    i, path = queries.counit[c]
    for g in reversed(way):
        i, before = queries.projections[g][i]
        path = before + path
    return i, path
