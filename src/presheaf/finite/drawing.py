"""How categories and set-valued functors show themselves in a notebook: small ones drawn, large ones as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from presheaf.finite.picture import Picture, layers, plain

if TYPE_CHECKING:
    from presheaf.finite.categories.category import Category
    from presheaf.finite.presheaves.presheaf import SetFunctor

MOST_NODES = 12
MOST_EDGES = 40
MOST_ELEMENTS = 32
MOST_ROWS = 20
"""Where drawings end and tables begin, and how many rows a table shows."""


def category_svg(category: Category) -> str:
    """The objects and the generators that are no identities, as SVG. Cost: objects x generators."""
    return _category_picture(category).svg()


def category_html(category: Category) -> str:
    """An inline drawing up to ``MOST_NODES`` objects and ``MOST_EDGES`` generators, else a table of sizes."""
    if category.n_objects <= MOST_NODES and len(_proper(category)) <= MOST_EDGES:
        return category_svg(category)
    hom = category.hom_pairs
    widest = int(hom[2].max(initial=0))
    rows = [
        ("objects", f"{category.n_objects:,}"),
        ("arrows", f"{category.n_arrows:,}"),
        ("generators", f"{len(category.generators):,}"),
        ("relations", f"{len(category.relations[0]):,}"),
        ("longest word", f"{len(category.tree.bounds) - 2:,}"),
        ("hom-sets that aren't empty", f"{len(hom[2]):,}"),
        ("largest hom-set", f"{widest:,}"),
    ]
    return _table("Category", ("", "number"), rows)


def elements_svg(t: SetFunctor) -> str:
    """The elements and where the generators take them, as SVG. Cost: elements x generators."""
    return _elements_picture(t).svg()


def functor_html(t: SetFunctor) -> str:
    """An inline drawing of the elements up to ``MOST_ELEMENTS`` of them, else a table of sizes by object."""
    if t.n_elements <= MOST_ELEMENTS and sum(len(c) for c in t.columns) <= 2 * MOST_EDGES:
        return elements_svg(t)
    rows = [(c, f"{s:,}") for c, s in zip(t.category.objects[:MOST_ROWS], t.sizes.tolist(), strict=False)]
    hidden = t.category.n_objects - len(rows)
    if hidden:
        rows.append((f"and {hidden:,} more objects", f"{int(t.sizes[MOST_ROWS:].sum()):,}"))
    rows.append(("together", f"{t.n_elements:,}"))
    return _table(_kind(t), ("object", "elements"), rows)


def dot(category: Category, limit: int = 200) -> str:
    """Graphviz text: the objects, and the generators as edges (at most ``limit`` of them, the rest counted)."""
    lines = ["digraph category {", "  rankdir=LR;"]
    edges = min(limit, len(category.generators))
    shown = set(range(min(limit, category.n_objects))) | set(category.generator_dom[:edges].tolist())
    shown |= set(category.generator_cod[:edges].tolist())
    lines += [f"  {c} [label={_quoted(category.objects[c])}];" for c in sorted(shown)]
    for j in range(edges):
        a, b = int(category.generator_dom[j]), int(category.generator_cod[j])
        lines.append(f"  {a} -> {b} [label={_quoted(category.names[j])}];")
    hidden = len(category.generators) - edges
    if hidden:
        lines.append(f"  label={_quoted(f'and {hidden} more generators')};")
    return "\n".join([*lines, "}"]) + "\n"


def _proper(category: Category) -> list[int]:
    identity = category.identity[category.generator_dom]
    return np.flatnonzero(category.generators != identity).tolist()


def _category_picture(category: Category) -> Picture:
    ends = category.generator_dom, category.generator_cod
    edges = tuple((int(ends[0][j]), int(ends[1][j]), category.names[j]) for j in _proper(category))
    title = f"Category with {category.n_objects} objects and {category.n_arrows} arrows"
    return Picture(category.objects, edges, title)


def _elements_picture(t: SetFunctor) -> Picture:
    side = t.covariant
    objects = side.category.objects
    ends = list(zip(side.category.generator_dom.tolist(), side.category.generator_cod.tolist(), strict=True))
    edges = []
    for (a, b), name, column in zip(ends, t.category.names, t.columns, strict=True):
        for row, image in enumerate(column.tolist()):
            edges.append((int(side.offsets[a]) + row, int(side.offsets[b]) + image, name))
    one = len(objects) == 1
    labels = tuple(
        str(i) if one else f"{c}.{i}" for c, s in zip(objects, t.sizes.tolist(), strict=True) for i in range(s)
    )
    columns = None
    if not one:
        depth = layers(len(objects), ends) or list(range(len(objects)))
        columns = tuple(depth[c] for c, s in enumerate(t.sizes.tolist()) for _ in range(s))
    return Picture(labels, tuple(edges), f"{_kind(t)} with {t.n_elements} elements", columns)


def _kind(t: SetFunctor) -> str:
    return "Presheaf" if t.variance == "contravariant" else "Copresheaf"


def _table(title: str, head: tuple[str, str], rows: Sequence[tuple[str, str]]) -> str:
    first, second = (plain(text) for text in head)
    body = "".join(
        f'<tr><td>{plain(name)}</td><td style="text-align:right">{plain(value)}</td></tr>' for name, value in rows
    )
    return (
        f"<table><caption>{plain(title)}</caption><thead><tr><th>{first}</th><th>{second}</th></tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
