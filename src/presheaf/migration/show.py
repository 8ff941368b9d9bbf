"""An instance in a notebook: small ones as tables, large ones by their sizes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from presheaf.migration.names import row_key

if TYPE_CHECKING:
    from presheaf.migration.instance import Instance

_TABLES = 12
_ROWS = 8
_LETTERS = 60


def instance_html(instance: Instance) -> str:
    """HTML with the first rows of each table (of up to 12 tables; more of them are summarised by their sizes).

    Every name and value is escaped and cut to 60 characters.
    """
    schema, sizes = instance.schema, instance.sizes
    names = schema.presentation.objects
    if len(names) > _TABLES:
        return _table(("table", "rows"), zip(names, (f"{size:,}" for size in sizes), strict=True), repr(schema))
    return "".join(_one(instance, c) for c in range(len(names)))


def _one(instance: Instance, c: int) -> str:
    schema, shown = instance.schema, min(instance.sizes[c], _ROWS)
    objects = schema.presentation.objects
    columns: dict[str, list[object]] = {row_key(schema, c): list(range(shown))}
    for j in schema.keys_of(c):
        target = objects[schema.presentation.generators[j][2]]
        columns[f"{schema.column(j)} \N{RIGHTWARDS ARROW} {target}"] = instance.columns[j][:shown].tolist()
    for i in schema.attributes_of(c):
        columns[schema.attributes[i].name] = instance.attributes[i].slice(0, shown).to_pylist()
    caption = f"{objects[c]}: {instance.sizes[c]:,} rows{f', the first {shown}' if instance.sizes[c] > shown else ''}"
    return _table(tuple(columns), zip(*columns.values(), strict=True), caption)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]], caption: str) -> str:
    top = "".join(f"<th>{_cell(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>" for row in rows)
    return f"<table><caption>{_cell(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if value is None:
        return "<i>null</i>"
    text = str(value)
    return escape(text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}")
