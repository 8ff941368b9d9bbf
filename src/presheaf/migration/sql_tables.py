"""An instance inside a warehouse: one Ibis table a table of the schema, and the columns that paths lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from presheaf.errors import InputError
from presheaf.finite.presented.presentation import Path
from presheaf.migration.schema import Schema, SchemaMap
from presheaf.migration.sql_warehouse import Warehouse

SHOWN = 5
"""Rows that an error names."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SqlTables:
    """A functor from a schema to tables of a warehouse.

    Attributes
    ----------
    schema : Schema
    tables : one Ibis table an object, with columns ``id`` (0, 1, 2, ..., int64), ``k{j}`` for each foreign key j that
        leaves it (an id of the other table), ``a{i}`` for each of its attributes i
    sizes : rows of each table
    """

    schema: Schema
    tables: tuple[Any, ...]
    sizes: tuple[int, ...]

    def start(self, c: int) -> Any:
        """The ids and foreign keys of table ``c``."""
        return self.tables[c].select("id", *[f"k{j}" for j in self.schema.keys_of(c)])

    def follow(self, rows: Any, path: Path, name: str) -> Any:
        """Add to rows made by ``start`` a column ``name``: the id at the end of a path out of their table."""
        if not path:
            return rows.mutate(**{name: rows.id})
        out = rows.mutate(**{name: rows[f"k{path[0]}"]})
        for j in path[1:]:
            here = self.tables[self.schema.presentation.generators[j][1]]
            step = here.select(_from="id", _to=f"k{j}")
            joined = out.inner_join(step, [(name, "_from")])
            out = joined.select(*[c for c in out.columns if c != name], **{name: "_to"})
        return out

    def ends(self, c: int, path: Path) -> Any:
        """For each row of table ``c`` its ``id`` and ``at``, the id at the end of a path."""
        return self.follow(self.start(c), path, "at").select("id", "at")

    def value(self, c: int, path: Path, attribute: int) -> Any:
        """For each row of table ``c`` its ``id`` and ``value``, the attribute at the end of a path."""
        if not path:
            return self.tables[c].select("id", value=f"a{attribute}")
        ends = self.ends(c, path)
        there = self.tables[self.schema.attributes[attribute].object]
        values = there.select(_from="id", value=f"a{attribute}")
        return ends.inner_join(values, [("at", "_from")]).select("id", "value")


def named_tables(
    schema: Schema,
    warehouse: Warehouse,
    names: Sequence[str],
    *,
    ids: Sequence[str],
    database: str | None = None,
    types: Mapping[int, str] | None = None,
) -> SqlTables:
    """Tables that are in the warehouse as an instance of ``schema``; see ``checked`` for what is asked of them.

    Parameters
    ----------
    schema : Schema
    warehouse : Warehouse
    names : the name of each table
    ids : the column of each table that numbers its rows 0, 1, 2, ...
    database : the schema (namespace) that holds them; None for the connection's own
    types : for some attributes (by number) the engine's own type as Ibis calls it, where that is not the schema's

    Raises
    ------
    InputError
        Names the table or column that is not there.
    """
    import ibis

    tables, sizes = [], []
    for c, name in enumerate(names):
        columns = {ids[c]: "int64"}
        columns |= {schema.column(j): "int64" for j in schema.keys_of(c)}
        columns |= {schema.attributes[i].name: ibis_type(schema.attributes[i].type) for i in schema.attributes_of(c)}
        columns |= {schema.attributes[i].name: t for i, t in (types or {}).items() if schema.attributes[i].object == c}
        table = ibis.table(columns, name=name, database=database)
        chosen = {"id": table[ids[c]]}
        chosen |= {f"k{j}": table[schema.column(j)] for j in schema.keys_of(c)}
        chosen |= {f"a{i}": table[schema.attributes[i].name] for i in schema.attributes_of(c)}
        view = table.select(**chosen)
        tables.append(view)
        sizes.append(warehouse.count(view))
    return SqlTables(schema, tuple(tables), tuple(sizes))


def checked(given: SqlTables, warehouse: Warehouse) -> SqlTables:
    """The same tables, if they are an instance.

    Raises
    ------
    InputError
        Names the table and rows whose numbering has gaps, whose foreign key is null or leads nowhere, or where a path
        equation fails.

    Notes
    -----
    One statement a table, a foreign key and an equation, all in the warehouse.
    """
    p = given.schema.presentation
    for c, table in enumerate(given.tables):
        found = table.aggregate(low=table.id.min(), high=table.id.max(), many=table.id.nunique())
        low, high, many = warehouse.rows(found)[0]
        if given.sizes[c] and (low, high, many) != (0, given.sizes[c] - 1, given.sizes[c]):
            raise InputError(
                f"table {p.objects[c]!r}: expected ids 0 to {given.sizes[c] - 1}, each once; found {many} from {low} to "
                f"{high}. Number the rows first, for instance with ROW_NUMBER() - 1."
            )
    for j, (_, a, b) in enumerate(p.generators):
        table = given.tables[a]
        key = table[f"k{j}"]
        wrong = table.filter(key.isnull() | (key < 0) | (key >= given.sizes[b]))
        bad = warehouse.rows(wrong.order_by("id").select("id", f"k{j}").limit(SHOWN))
        if bad:
            shown = ", ".join(f"row {row}: {'NULL' if value is None else value}" for row, value in bad)
            raise InputError(
                f"table {p.objects[a]!r}, column {given.schema.column(j)!r}: {warehouse.count(wrong)} values are no row "
                f"of {p.objects[b]!r}, which has {given.sizes[b]} ({shown})."
            )
    for i, (left, right) in enumerate(p.equations):
        where = _failing(given, warehouse, p.equation_source(i), left, right)
        if where:
            raise InputError(f"path equation {i} ({p.equation(i)}) fails at {where}.")
    return given


def check_map(map: SchemaMap, given: SqlTables, warehouse: Warehouse) -> SqlTables:
    """The same tables, on the target of F: C -> D, if the equations of C hold on them as F carries them over.

    Raises
    ------
    InputError
        Names the equation, what it becomes, the table and the first rows.
    """
    source, target, mapping = map.source.presentation, map.target.presentation, map.mapping
    for i, (left, right) in enumerate(source.equations):
        sides = mapping.along(left), mapping.along(right)
        bad = _failing(given, warehouse, mapping.objects[source.equation_source(i)], *sides)
        if bad:
            raise InputError(
                f"the map is no functor: the source says {source.equation(i)}, which becomes {target.show(sides[0])} = "
                f"{target.show(sides[1])}, and that fails at {bad}. Add the equation to the target, or change the map."
            )
    return given


def _failing(given: SqlTables, warehouse: Warehouse, c: int, left: Path, right: Path) -> str:
    """The rows of table ``c`` at which two paths lead to different rows, in words; "" if there are none."""
    if left == right:
        return ""
    both = given.follow(given.follow(given.start(c), left, "one"), right, "two").select("id", "one", "two")
    broken = both.filter(both.one != both.two)
    bad = warehouse.rows(broken.order_by("id").limit(SHOWN))
    if not bad:
        return ""
    many, name = warehouse.count(broken), given.schema.presentation.objects[c]
    shown = ", ".join(f"row {row} (row {one} on the left, row {two} on the right)" for row, one, two in bad)
    return f"{many} of {given.sizes[c]} rows of {name!r}: {shown}{', ...' if many > SHOWN else ''} (rows count from 0)"


def union(parts: Sequence[Any]) -> Any:
    """UNION ALL of tables with the same columns; a balanced tree, since some parsers refuse deep nesting."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return union(parts[:half]).union(union(parts[half:]))


def ibis_type(name: str) -> str:
    """The Ibis type that an attribute type of a schema stands for."""
    return {
        "string": "string",
        "int64": "int64",
        "double": "float64",
        "bool": "boolean",
        "date32": "date",
        "timestamp": "timestamp(6)",
        "decimal": "decimal(38, 9)",
        "binary": "binary",
    }[name]
