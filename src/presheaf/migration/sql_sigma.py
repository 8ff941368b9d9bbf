"""Sigma inside a warehouse: the pointwise colimit as UNION ALL, connected components where rows must meet, a numbering.

At table d of the target the result is the colimit of the source's tables over the comma category F/d (Mac Lane,
Categories for the Working Mathematician, X.3), cut down by ``colimit_plan``. What the plan leaves is
- a disjoint union, as for every discrete opfibration: UNION ALL, without a join;
- or a union with equalities between rows: connected components by ``components``, then ROW_NUMBER.
Rows are numbered as the engine numbers them, so that the two results are equal row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from presheaf.errors import InputError
from presheaf.migration.check_map import check_laws
from presheaf.migration.plan import ColimitPlan, Homs, Place, colimit_plan, equal_paths
from presheaf.migration.schema import SchemaMap
from presheaf.migration.sql_components import components
from presheaf.migration.sql_tables import SHOWN, SqlTables, check_map, ibis_type, union
from presheaf.migration.sql_warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class _Spread:
    """Row x of a vertex is node ``base + every * x + slot``: nodes stand in the order of their least words."""

    base: int
    every: int
    slot: int


@dataclass(slots=True, eq=False)
class _Here:
    """Sigma at one table: its plan, the nodes of its vertices, and which number each root's node got.

    ``numbers`` has columns node, number and first (1 for the least node of each class); None where a node is its
    number. ``many`` counts the result's rows.
    """

    plan: ColimitPlan
    spread: dict[int, _Spread]
    numbers: Any
    many: int


def sigma_sql(map: SchemaMap, given: SqlTables, warehouse: Warehouse) -> SqlTables:
    """Sigma_F I for an instance I of the source's schema, held by ``warehouse``.

    Raises
    ------
    InputError
        The map is no functor; the target has too many paths for SQL; two rows that become one have different values of an attribute: both
        are named.

    Notes
    -----
    Cost: for each table d a scan of I(c) for every arrow of the comma category's roots; the components' rounds where
    rows meet; one join a step of a path.
    """
    check_laws(map)
    source, target, mapping = map.source.presentation, map.target.presentation, map.mapping
    homs, same = Homs(target), equal_paths(source)
    here = []
    for d in range(len(target.objects)):
        plan = colimit_plan(homs, source, mapping.objects, mapping.paths, d, same)
        here.append(_numbered(plan, given, warehouse))
    tables = []
    for d in range(len(target.objects)):
        rows = _elements(map, given, homs, here, d)
        for i in map.target.attributes_of(d):
            values = _values(map, given, homs, here[d], d, i, warehouse)
            if values is None:
                import ibis

                rows = rows.mutate(**{f"a{i}": ibis.null(ibis_type(map.target.attributes[i].type))})
            else:
                joined = rows.left_join(values, [("id", "_number")])
                rows = joined.select(*rows.columns, **{f"a{i}": "value"})
        tables.append(rows)
    return check_map(map, SqlTables(map.target, tuple(tables), tuple(h.many for h in here)), warehouse)


def _numbered(plan: ColimitPlan, given: SqlTables, warehouse: Warehouse) -> _Here:
    """Find the classes at one table and number them by the least word of each."""
    spread = _spread(plan, given.sizes)
    total = sum(given.sizes[plan.vertices[v].table] for v in plan.roots)
    here = _Here(plan, spread, None, total)
    if plan.disjoint or not total:
        return here
    nodes = union([_nodes(here, given, v) for v in plan.roots])
    if plan.links:
        edges = union([_edges(here, given, link.table, link.left, link.right) for link in plan.links])
        labels = components(edges, warehouse).select(_node="node", _label="label")
        joined = nodes.left_join(labels, [("node", "_node")])
        classes = warehouse.keep(joined.select("node", label=joined._label.fill_null(joined.node)))
    else:
        classes = nodes.mutate(label=nodes.node)
    order = _order(here, given, classes)
    numbers = _rank(order)
    joined = classes.inner_join(numbers, [("label", "_label")])
    first = (joined.node == joined.label).ifelse(1, 0)
    here.numbers = warehouse.keep(joined.select("node", "number", first=first))
    here.many = warehouse.count(here.numbers.filter(here.numbers["first"] == 1))
    return here


def _rank(order: Any) -> Any:
    """Number labels 0, 1, 2, ... by their keys."""
    import ibis

    window = ibis.window(order_by="key")
    return order.mutate(number=ibis.row_number().over(window)).select(_label="label", number="number")


def _order(here: _Here, given: SqlTables, classes: Any) -> Any:
    """The key of every class, its least node over the vertices that may hold a least word: ``label``, ``key``."""
    plan = here.plan
    if plan.roots == plan.keys:
        return classes.filter(classes.node == classes.label).select("label", key="label")
    parts = []
    for v in plan.keys:
        place, s = plan.places[v], here.spread[v]
        ends = given.ends(plan.vertices[v].table, place.path)
        at = here.spread[place.root]
        keyed = ends.select(_node=_node(ends["at"], at), key=_node(ends.id, s))
        parts.append(keyed.inner_join(classes, [("_node", "node")]).select("label", "key"))
    every = union(parts)
    return every.group_by("label").aggregate(key=every.key.min())


def _spread(plan: ColimitPlan, sizes: tuple[int, ...]) -> dict[int, _Spread]:
    """Number the nodes of roots and key vertices by (length, table of the source), row, arrow."""
    groups: dict[tuple[int, int], list[int]] = {}
    for v in sorted({*plan.roots, *plan.keys}, key=lambda v: (*plan.rank[v], plan.vertices[v].arrow)):
        groups.setdefault(plan.rank[v], []).append(v)
    base, out = 0, {}
    for (_, c), members in sorted(groups.items()):
        for slot, v in enumerate(members):
            out[v] = _Spread(base, len(members), slot)
        base += len(members) * sizes[c]
    return out


def _node(row: Any, s: _Spread) -> Any:
    scaled = row * s.every if s.every > 1 else row
    return (scaled + (s.base + s.slot)).cast("int64")


def _nodes(here: _Here, given: SqlTables, v: int) -> Any:
    table = given.tables[here.plan.vertices[v].table]
    return table.select(node=_node(table.id, here.spread[v]))


def _edges(here: _Here, given: SqlTables, c: int, left: Any, right: Any) -> Any:
    """For each row of table ``c`` the two nodes that a link makes one."""
    both = given.follow(given.follow(given.start(c), left.path, "one"), right.path, "two")
    return both.select(one=_node(both.one, here.spread[left.root]), two=_node(both.two, here.spread[right.root]))


def _at(here: _Here, rows: Any, name: str) -> Any:
    """Replace nodes in column ``name`` by the numbers of their classes."""
    if here.numbers is None:
        return rows
    numbers = here.numbers.select(_node="node", _found="number")
    joined = rows.inner_join(numbers, [(name, "_node")])
    return joined.select(*[c for c in rows.columns if c != name], **{name: "_found"})


def _elements(map: SchemaMap, given: SqlTables, homs: Homs, here: list[_Here], d: int) -> Any:
    """Rows of table ``d`` with their foreign keys: one row for the first node of every class."""
    mapping, mine = map.mapping, here[d]
    keys = map.target.keys_of(d)
    parts = []
    for v in mine.plan.roots:
        vertex = mine.plan.vertices[v]
        begin = mapping.objects[vertex.table]
        word = homs.words(begin, d)[vertex.arrow]
        rows = given.start(vertex.table)
        rows = rows.mutate(number=_node(rows.id, mine.spread[v]))
        if mine.numbers is not None:
            firsts = mine.numbers.filter(mine.numbers["first"] == 1).select(_node="node", _number="number")
            joined = rows.inner_join(firsts, [("number", "_node")])
            rows = joined.select(*[c for c in rows.columns if c != "number"], number="_number")
        far = []
        for g in keys:
            there = here[map.target.presentation.generators[g][2]]
            place = there.plan.places[_vertex(there.plan, vertex.table, homs.number(begin, (*word, g)))]
            if there.numbers is None and len(place.path) < 2:
                rows = _key(there, given, rows, place, f"new_{g}")
            else:
                ends = _key(there, given, given.start(vertex.table), place, f"new_{g}")
                far.append(ends.select(f"new_{g}", **{f"_id{g}": "id"}))
        parts.append(_beside(rows, far).select(id="number", **{f"k{g}": f"new_{g}" for g in keys}))
    return union(parts) if parts else _no_rows(["id", *[f"k{g}" for g in keys]], given)


def _key(there: _Here, given: SqlTables, rows: Any, place: Place, name: str) -> Any:
    """Add the foreign key ``name`` to rows of a source table: the number of the element that ``place`` leads to."""
    rows = given.follow(rows, place.path, name)
    rows = rows.mutate(**{name: _node(rows[name], there.spread[place.root])})
    return _at(there, rows, name)


def _beside(rows: Any, far: list[Any]) -> Any:
    """Join tables (value, id) to rows by their id, all in one FROM: nested SELECTs overflow some parsers."""
    for part in far:
        rows = rows.inner_join(part, [("id", part.columns[1])])
    return rows


def _vertex(plan: ColimitPlan, table: int, arrow: int) -> int:
    return next(i for i, v in enumerate(plan.vertices) if v.table == table and v.arrow == arrow)


def _no_rows(names: list[str], given: SqlTables) -> Any:
    """A table without rows, where there is nothing to take rows from."""
    import ibis

    some = given.tables[0]
    return some.filter(ibis.literal(1) == 0).select(**dict.fromkeys(names, some.id))


def _values(
    map: SchemaMap, given: SqlTables, homs: Homs, here: _Here, d: int, attribute: int, warehouse: Warehouse
) -> Any:
    """The known values of an attribute: ``_number``, ``value``; None if no attribute of the source goes there.

    Raises
    ------
    InputError
        Names two rows that become one and have different values.
    """
    said = []
    base = 0
    bases: list[tuple[int, int]] = []
    plain = here.numbers is None
    seen: set[int] = set()
    for i, image in enumerate(map.attributes):
        if image is None or image[1] != attribute:
            continue
        c = map.source.attributes[i].object
        v = _vertex(here.plan, c, homs.number(map.mapping.objects[c], image[0]))
        place = here.plan.places[v]
        rows = given.follow(given.start(c), place.path, "_number")
        rows = rows.select("id", _number=_node(rows["_number"], here.spread[place.root]))
        rows = _at(here, rows, "_number")
        values = given.value(c, (), i).select(_id="id", value="value")
        known = rows.inner_join(values, [("id", "_id")])
        known = known.filter(known.value.notnull())
        said.append(known.select("_number", "value", origin=(known.id + base).cast("int64")))
        plain = plain and place.root == v and v not in seen
        seen.add(v)
        bases.append((base, i))
        base += given.sizes[c]
    if not said:
        return None
    if plain:
        return union(said).select("_number", "value")
    every = warehouse.keep(union(said))
    least = every.group_by("_number").aggregate(origin=every.origin.min())
    picks = every.inner_join(least, ["_number", "origin"]).select("_number", "value", "origin")
    _refuse_conflict(map, every, picks, attribute, bases, warehouse)
    return picks.select("_number", "value")


def _refuse_conflict(
    map: SchemaMap, every: Any, picks: Any, attribute: int, bases: list[tuple[int, int]], warehouse: Warehouse
) -> None:
    other = picks.select(_row="_number", _value="value", _origin="origin")
    pairs = every.inner_join(other, [("_number", "_row")])
    wrong = pairs.filter(pairs.value != pairs._value)
    bad = warehouse.rows(wrong.order_by("origin").select("_origin", "_value", "origin", "value").limit(SHOWN))
    if not bad:
        return
    sentences = []
    for one, first, two, second in bad:
        sentences.append(f"{_origin(map, bases, one)} says {first!r}, {_origin(map, bases, two)} says {second!r}")
    raise InputError(
        f"{map.target.show(attribute)}: rows that become one have different values, {warehouse.count(wrong)} times: "
        f"{'; '.join(sentences)}."
    )


def _origin(map: SchemaMap, bases: list[tuple[int, int]], origin: int) -> str:
    base, i = next((base, i) for base, i in reversed(bases) if base <= origin)
    return f"{map.source.show(i)} of row {origin - base}"
