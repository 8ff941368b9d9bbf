"""Random schemas, maps and instances, and a way to put an instance into any engine and get it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from presheaf.finite.columns.budget import Budget
from presheaf.finite.presented.kan_left import left_kan
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.migration.instance import Instance
from presheaf.migration.schema import Attribute, Schema, SchemaMap
from presheaf.migration.sql_tables import SqlTables, named_tables
from presheaf.migration.sql_warehouse import Warehouse

SQL_TYPE = {
    "string": {"": "VARCHAR", "pyspark": "STRING"},
    "int64": {"": "BIGINT"},
    "double": {"": "DOUBLE PRECISION", "pyspark": "DOUBLE"},
}


def schema_of(tables: dict[str, dict[str, str]], equations: Sequence[tuple[str, str]] = ()) -> Schema:
    """``{"Employee": {"boss": "Employee", "name": "string"}}``: columns that name a table are foreign keys."""
    names = tuple(tables)
    keys = [(f"{t}.{k}", names.index(t), names.index(v)) for t, c in tables.items() for k, v in c.items() if v in names]
    values = [Attribute(k, names.index(t), v) for t, c in tables.items() for k, v in c.items() if v not in names]
    free = Presentation(names, tuple(keys))
    laws = tuple((free.path(a), free.path(b)) for a, b in equations)
    return Schema(Presentation(names, tuple(keys), laws), tuple(values))


def paths_between(p: Presentation, a: int, b: int, longest: int = 4) -> list[Path]:
    """Paths of at most ``longest`` steps."""
    found: list[tuple[Path, int]] = [((), a)]
    layer = found
    for _ in range(longest):
        layer = [((*path, j), g[2]) for path, at in layer for j, g in enumerate(p.generators) if g[1] == at]
        found = found + layer
    return [path for path, at in found if at == b]


def acyclic(rng: np.random.Generator, tables: int, keys: int, name: str) -> Schema:
    """Foreign keys lead to later tables; some parallel paths are made equal; one attribute of a random type a table."""
    ends = [sorted(rng.choice(tables, 2, replace=False).tolist()) for _ in range(keys)] if tables > 1 else []
    names = tuple(f"{name}{i}" for i in range(tables))
    generators = tuple((f"{names[a]}.k{j}", a, b) for j, (a, b) in enumerate(ends))
    free = Presentation(names, generators)
    laws = []
    for a in range(tables):
        for b in range(a + 1, tables):
            paths = paths_between(free, a, b)
            if len(paths) > 1 and rng.random() < 0.5:
                i, j = rng.choice(len(paths), 2, replace=False)
                laws.append((paths[i], paths[j]))
    kinds = rng.choice(["string", "int64", "double"], tables)
    attributes = tuple(Attribute(f"v{i}", i, str(kinds[i])) for i in range(tables))
    return Schema(Presentation(names, generators, tuple(laws)), attributes)


def random_map(rng: np.random.Generator, source: Schema, target: Schema) -> SchemaMap | None:
    """A random map, or None where no path is there for a foreign key."""
    c, d = source.presentation, target.presentation
    objects = tuple(sorted(rng.integers(0, len(d.objects), len(c.objects)).tolist()))
    paths = []
    for _, a, b in c.generators:
        options = paths_between(d, objects[a], objects[b])
        if not options:
            return None
        paths.append(options[rng.integers(len(options))])
    images: list[tuple[Path, int] | None] = []
    for attribute in source.attributes:
        ways = [
            (path, k)
            for k, theirs in enumerate(target.attributes)
            if theirs.type == attribute.type
            for path in paths_between(d, objects[attribute.object], theirs.object)
        ]
        images.append(ways[rng.integers(len(ways))] if ways and rng.random() < 0.8 else None)
    return SchemaMap(source, target, PresentationMap(c, d, objects, tuple(paths)), tuple(images))


def random_instance(rng: np.random.Generator, schema: Schema, most: int, distinct: bool = False) -> Instance:
    """A functor that random rows generate, with random values; every value null where ``distinct`` is off and a coin says so."""
    p = schema.presentation
    points = rng.integers(0, most + 1, len(p.objects)).tolist()
    discrete = PresentationMap(Presentation(p.objects, ()), p, tuple(range(len(p.objects))), ())
    free = left_kan(discrete, points, [], budget=Budget(rows=100_000))
    sizes, columns = free.sizes.tolist(), [c.copy() for c in free.columns]
    merged = left_kan(PresentationMap.identity(p), sizes, columns)
    return Instance(
        schema, merged.sizes.tolist(), merged.columns, [values(rng, a, sizes[a.object]) for a in schema.attributes]
    )


def values(rng: np.random.Generator, attribute: Attribute, many: int) -> Any:
    """Random values; about a third null."""
    null = rng.random(many) < 0.33
    drawn = rng.integers(0, 4, many).tolist()
    if attribute.type == "string":
        return pa.array([None if n else "é'\"x"[: x + 1] for x, n in zip(drawn, null, strict=True)], pa.string())
    if attribute.type == "int64":
        return pa.array([None if n else 2**40 + x for x, n in zip(drawn, null, strict=True)], pa.int64())
    return pa.array([None if n else x / 4 for x, n in zip(drawn, null, strict=True)], pa.float64())


def load(instance: Instance, warehouse: Warehouse, prefix: str = "in_") -> SqlTables:
    """Create the instance's tables by plain INSERT statements, and take them up as an instance of SQL."""
    schema = instance.schema
    names = [prefix + name for name in schema.presentation.objects]
    for c, name in enumerate(names):
        typed = {"id": "BIGINT"} | {schema.column(j): "BIGINT" for j in schema.keys_of(c)}
        columns: list[list[Any]] = [list(range(instance.sizes[c]))]
        columns += [instance.columns[j].tolist() for j in schema.keys_of(c)]
        for i in schema.attributes_of(c):
            kind = SQL_TYPE[schema.attributes[i].type]
            typed[schema.attributes[i].name] = kind.get(warehouse.dialect, kind[""])
            columns.append(instance.attributes[i].to_pylist())
        listed = ", ".join(f"{warehouse.identifier(n)} {t}" for n, t in typed.items())
        warehouse.run(f"CREATE TABLE {warehouse.identifier(name)} ({listed})")
        rows = [f"({', '.join(literal(v, warehouse.dialect) for v in row)})" for row in zip(*columns, strict=True)]
        if rows:
            warehouse.run(f"INSERT INTO {warehouse.identifier(name)} VALUES {', '.join(rows)}")
    return named_tables(schema, warehouse, names, ids=["id"] * len(names))


def literal(value: Any, dialect: str) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        if dialect == "pyspark":
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def fetch(tables: SqlTables, warehouse: Warehouse) -> Instance:
    """Pull the rows into an Instance, which checks them anew."""
    schema = tables.schema
    columns: list[Any] = [None] * len(schema.presentation.generators)
    attributes: list[Any] = [None] * len(schema.attributes)
    from presheaf.migration.instance import arrow_type

    for c in range(len(schema.presentation.objects)):
        table = tables.tables[c]
        rows = warehouse.rows(table.order_by("id"))
        by_name = {n: [row[i] for row in rows] for i, n in enumerate(table.columns)}
        assert by_name["id"] == list(range(tables.sizes[c]))
        for j in schema.keys_of(c):
            columns[j] = np.array(by_name[f"k{j}"], dtype=np.int64)
        for i in schema.attributes_of(c):
            attributes[i] = pa.array(by_name[f"a{i}"], arrow_type(schema.attributes[i].type))
    return Instance(schema, tables.sizes, columns, attributes)


def same(one: Instance, two: Instance) -> None:
    """Equal row by row."""
    assert one.sizes == two.sizes
    for j, (mine, theirs) in enumerate(zip(one.columns, two.columns, strict=True)):
        assert np.array_equal(mine, theirs), f"foreign key {j}"
    for i, (mine, theirs) in enumerate(zip(one.attributes, two.attributes, strict=True)):
        assert mine.to_pylist() == theirs.to_pylist(), f"attribute {i}"


Maker = Callable[[], Warehouse]
