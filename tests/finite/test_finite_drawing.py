"""Drawings are well-formed, complete and safe; large things become tables."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from finite_worlds import C4, QUIVER, categories, cycle, functors, rotnet
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.categories.orders import chain, discrete
from presheaf.finite.categories.paths import free_category
from presheaf.finite.categories.tables import from_monoid
from presheaf.finite.drawing import category_svg, elements_svg
from presheaf.finite.picture import Picture, layers
from presheaf.finite.presheaves.presheaf import copresheaf, presheaf

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ["<script>alert(1)</script>", "\"'><svg onload=x>", "a & b", "\x00\x1b\ud800 控制", "", "]]>", "-->"]


def read(svg: str) -> ET.Element:
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert {e.tag for e in root.iter()} <= {SVG + t for t in ("svg", "title", "rect", "g", "text", "path", "polygon")}
    return root


@settings(max_examples=50, deadline=None)
@given(categories())
def test_a_drawing_has_every_object_and_generator(category: Category) -> None:
    root = read(category_svg(category))
    proper = int((category.generators != category.identity[category.generator_dom]).sum())
    assert len(root.findall(f".//{SVG}polygon")) == proper
    assert len(root.findall(f".//{SVG}path")) == proper
    assert len(root.findall(f"./{SVG}g")) == proper + category.n_objects
    assert category_svg(category) == category_svg(category)
    x, y, w, h = map(float, root.attrib["viewBox"].split())
    for label in root.iter(f"{SVG}text"):
        assert x <= float(label.attrib["x"]) <= x + w
        assert y <= float(label.attrib["y"]) <= y + h


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_drawing_of_elements_has_every_row_and_entry(data: st.DataObject) -> None:
    t = data.draw(functors(data.draw(categories())))
    root = read(elements_svg(t))
    arrows = sum(len(c) for c in t.columns)
    assert len(root.findall(f".//{SVG}polygon")) == arrows
    assert len(root.findall(f"./{SVG}g")) == arrows + t.n_elements


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_escaped(name: str) -> None:
    made = free_category(2, [(0, 1), (0, 1)], objects=[name, "other"], names=[name, "g"])
    html = made._repr_html_()
    read(html)
    assert "<script" not in html
    assert "onload" not in html or "&lt;svg onload" in html
    many = discrete(20, objects=[name, *(str(i) for i in range(19))])
    table = copresheaf(many, [40] * 20, [])._repr_html_()
    assert "<script" not in table
    ET.fromstring(table)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=5), st.data())
def test_any_text_gives_well_formed_xml(names: list[str], data: st.DataObject) -> None:
    n = len(names)
    ends = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.text(max_size=8)) if n else st.nothing()
    edges = data.draw(st.lists(ends, max_size=8)) if n else []
    root = read(Picture(tuple(names), tuple(edges), "any").svg())
    numbers = [float(v) for e in root.iter() for k, v in e.attrib.items() if k in ("x", "y", "width", "height")]
    assert np.isfinite(numbers).all()
    assert len(root.findall(f".//{SVG}polygon")) == len(edges)


def test_parallel_arrows_and_loops_are_apart() -> None:
    for made in (QUIVER, from_maps([[1, 0, 2], [1, 2, 0], [0, 0, 2]])):
        paths = [p.attrib["d"] for p in read(made._repr_html_()).iter(f"{SVG}path")]
        assert len(set(paths)) == len(paths) == len(made.generators)


def test_nodes_do_not_cover_each_other() -> None:
    for made in (chain(12), rotnet(), discrete(12), from_monoid(C4.table)):
        boxes = []
        for group in read(category_svg(made)).iter(f"{SVG}g"):
            box = group.find(f"{SVG}rect")
            if box is not None:
                x, y, w, h = (float(box.attrib[k]) for k in ("x", "y", "width", "height"))
                boxes.append((x, y, x + w, y + h))
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_layers_are_longest_paths() -> None:
    assert layers(4, [(0, 1), (1, 2), (0, 2), (3, 3)]) == [0, 1, 2, 0]
    assert layers(2, [(0, 1), (1, 0)]) is None


def test_large_things_are_tables() -> None:
    big = chain(13)._repr_html_()
    cells = [c.text for c in ET.fromstring(big).iter("td")]
    assert cells[:6] == ["objects", "13", "arrows", "91", "generators", "12"]
    assert "<svg" in chain(12)._repr_html_()
    rows = [c.text for c in ET.fromstring(cycle(1000)._repr_html_()).iter("td")]
    assert rows == ["A", "1,000", "V", "1,000", "together", "2,000"]
    wide = ET.fromstring(presheaf(discrete(30), [2] * 30, [])._repr_html_())
    assert [c.text for c in wide.iter("td")][-4:] == ["and 10 more objects", "20", "together", "60"]
    assert "<svg" in copresheaf(C4, [4], [[1, 2, 3, 0]])._repr_html_()
