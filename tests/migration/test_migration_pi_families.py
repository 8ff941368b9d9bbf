"""Pi by its definition: rows are natural families, over maps that send several tables to one that others refer to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import combinations, product

import numpy as np
import pyarrow as pa
import pytest
from engines import ENGINES
from sql_worlds import fetch, load, paths_between

from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.migration.instance import Instance
from presheaf.migration.move_pi import pi
from presheaf.migration.schema import Attribute, Schema, SchemaMap
from presheaf.migration.sql_pi import pi_sql
from presheaf.migration.sql_tables import checked
from presheaf.migration.sql_warehouse import warehouse

pytest.importorskip("ibis")
Place = tuple[int, Path]


def world(seed: int) -> tuple[SchemaMap, Instance]:
    """Keys of D lead to later tables, one of them into a table over which two or three tables of C lie.

    Every table of C has an attribute of its own with a different value in each row, so that a row of Pi shows its family.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 4))
    busy = int(rng.integers(1, n))
    ends = [(int(rng.integers(busy)), busy)]
    ends += [tuple(sorted(rng.choice(n, 2, replace=False).tolist())) for _ in range(rng.integers(3))]
    names = tuple(f"t{i}" for i in range(n))
    keys = tuple((f"{names[a]}.k{j}", a, b) for j, (a, b) in enumerate(ends))
    free = Presentation(names, keys)
    laws = []
    for a, b in combinations(range(n), 2):
        ways = paths_between(free, a, b)
        if len(ways) > 1 and rng.random() < 0.4:
            laws.append((ways[0], ways[-1]))
    d = Presentation(names, keys, tuple(laws))
    objects = [busy] * int(rng.integers(2, 4)) + [t for t in range(n) if t != busy and rng.random() < 0.9]
    rng.shuffle(objects)
    tables = tuple(f"s{i}" for i in range(len(objects)))
    sizes = rng.integers(0, 4, len(objects)).tolist()
    arrows, images, columns = [], [], []
    drawn: list[tuple[int, int, Path]] = []
    for j, (_, a, b) in enumerate(keys):  # most keys of D have one of C over them, as where a table is moved as it is
        over = [[c for c, image in enumerate(objects) if image == end] for end in (a, b)]
        if all(over) and rng.random() < 0.85:
            drawn.append((int(rng.choice(over[0])), int(rng.choice(over[1])), (j,)))
    if rng.random() < 0.4:
        a, b = sorted(rng.choice(len(objects), 2, replace=False).tolist())
        ways = paths_between(d, objects[a], objects[b])
        drawn += [(a, b, ways[rng.integers(len(ways))])] if ways else []
    for j, (a, b, path) in enumerate(drawn):
        if sizes[b] or not sizes[a]:
            arrows.append((f"s{a}.u{j}", a, b))
            images.append(path)
            columns.append(rng.integers(0, max(sizes[b], 1), sizes[a]))
    source = Schema(
        Presentation(tables, tuple(arrows)), tuple(Attribute(f"v{c}", c, "int64") for c in range(len(objects)))
    )
    target = Schema(d, tuple(Attribute(f"a{c}", image, "int64") for c, image in enumerate(objects)))
    mapping = PresentationMap(source.presentation, d, tuple(objects), tuple(images))
    map = SchemaMap(source, target, mapping, tuple(((), c) for c in range(len(objects))))
    values = [pa.array([10 * c + row for row in range(s)], pa.int64()) for c, s in enumerate(sizes)]
    return map, Instance(source, sizes, columns, values)


def classes(p: Presentation, a: int, b: int) -> dict[Path, Path]:
    """Every path a -> b of an acyclic presentation, with the least of those that its equations make equal to it."""
    least = {path: path for path in paths_between(p, a, b)}
    changed = True
    while changed:
        changed = False
        for path, (u, v) in product(least, [e for law in p.equations for e in (law, law[::-1])]):
            for i in range(len(path) - len(u) + 1):
                if path[i : i + len(u)] == u:
                    one, two = least[path], least[path[:i] + v + path[i + len(u) :]]
                    if one != two:
                        least = {q: min(one, two) if r in (one, two) else r for q, r in least.items()}
                        changed = True
    return least


def families(map: SchemaMap, instance: Instance, d: int) -> set[tuple[int, ...]]:
    """All choices of a row of c for each arrow d -> F(c), by ``places``, that C's foreign keys respect."""
    homs = [classes(map.target.presentation, d, image) for image in map.mapping.objects]
    at = {place: i for i, place in enumerate(places(map, d))}
    rules = [
        (instance.columns[u], at[a, h], at[b, homs[b][h + map.mapping.paths[u]]])
        for u, (_, a, b) in enumerate(map.source.presentation.generators)
        for h in set(homs[a].values())
    ]
    found = product(*(range(instance.sizes[c]) for c, _ in places(map, d)))
    return {rows for rows in found if all(key[rows[x]] == rows[y] for key, x, y in rules)}


def places(map: SchemaMap, d: int) -> list[Place]:
    """The arrows d -> F(c), for each table c, in a fixed order."""
    p = map.target.presentation
    return [(c, h) for c, image in enumerate(map.mapping.objects) for h in sorted(set(classes(p, d, image).values()))]


def shown(map: SchemaMap, result: Instance, d: int) -> Counter[tuple[int, ...]]:
    """What rows of the result show: along each arrow d -> F(c) the row of c whose value stands there."""
    columns = []
    for c, h in places(map, d):
        rows = np.arange(result.sizes[d])
        for g in h:
            rows = result.columns[g][rows]
        columns.append(result.attributes[c].to_numpy()[rows] - 10 * c)
    return Counter(zip(*(c.tolist() for c in columns), strict=True)) if columns else Counter({(): result.sizes[d]})


def agree(seeds: range, compute: Callable[[SchemaMap, Instance], Instance]) -> int:
    """Compare with all natural families; what rows show is natural in D, so that equal sets are an isomorphism."""
    rows = 0
    for seed in seeds:
        map, instance = world(seed)
        homs = [places(map, d) for d in range(len(map.target.presentation.objects))]
        if any(np.prod([float(instance.sizes[c]) for c, _ in places]) > 2e4 for places in homs):
            continue
        result = compute(map, instance)
        for d in range(len(homs)):
            expected = families(map, instance, d)
            assert shown(map, result, d) == Counter(expected), f"seed {seed}, table {d}"
            rows += len(expected)
    return rows


def by_engine(map: SchemaMap, instance: Instance) -> Instance:
    found = pi(map, instance).instance
    assert found is not None
    return found


def by_sql(kind: str) -> Callable[[SchemaMap, Instance], Instance]:
    def compute(map: SchemaMap, instance: Instance) -> Instance:
        with ENGINES[kind]() as connection, warehouse(connection) as engine:
            return fetch(pi_sql(map, checked(load(instance, engine), engine), engine), engine)

    return compute


def test_the_engine_makes_the_natural_families() -> None:
    assert agree(range(150), by_engine) > 1000


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_sql_makes_the_natural_families(kind: str) -> None:
    assert agree(range(20), by_sql(kind)) > 100
