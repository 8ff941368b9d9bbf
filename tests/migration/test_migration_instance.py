"""Instances themselves: checks, morphisms, the bridge to set-valued functors, and what a notebook shows."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest
from migration_worlds import COMPANY, odd_names, same, school, strings, written

from presheaf.errors import InputError
from presheaf.finite.presented.presentation import Presentation
from presheaf.migration import (
    Attribute,
    Instance,
    InstanceMorphism,
    Schema,
    delta,
    functor_of,
    instance_of,
    pi,
    read_schema,
    sigma,
)

LINK = Schema(Presentation(("A", "B"), (("A.b", 0, 1),)), (Attribute("x", 0, "string"),))


def link(columns: list[int], values: list[str | None], b: int = 2) -> Instance:
    return Instance(LINK, [len(columns), b], [columns], [strings(*values)])


@pytest.mark.parametrize(
    ("sizes", "columns", "attributes", "said"),
    [
        ([2, 1], [[0, 1]], [strings("a", "b")], r"column of 'A.b', row 1: 1 is no row of 'B'"),
        ([2, 1], [[0]], [strings("a", "b")], r"column of 'A.b' has shape \(1,\); 'A' has 2 rows"),
        ([2, 1], [[0.0, 0.5]], [strings("a", "b")], "holds float64; expected integers"),
        ([2, 1], [[0, 0]], [strings("a")], "attribute A.x has 1 values; its table has 2 rows"),
        ([2, 1], [[0, 0]], [pa.array([1, 2])], "attribute A.x holds int64; expected string"),
        ([2, 1], [[0, 0]], [], "the schema has 1 attributes, 0 columns were given"),
        ([2**31, 1], [[0, 0]], [strings("a")], "size 2147483648 is not between 0 and"),
        ([2], [[0, 0]], [strings("a")], "2 objects, but 1 sizes"),
    ],
)
def test_what_does_not_fit_is_named(
    sizes: list[int], columns: list[list[int]], attributes: list[pa.Array], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        Instance(LINK, sizes, columns, attributes)


@pytest.mark.parametrize("check", [True, False])
def test_what_the_caller_does_to_a_column_afterwards_changes_nothing(check: bool) -> None:
    plain = Schema(LINK.presentation, ())
    column, maps = np.array([1, 0], dtype=np.int32), [np.arange(2, dtype=np.int32), np.arange(2, dtype=np.int32)]
    made = Instance(plain, [2, 2], [column], check=check)
    same_rows = InstanceMorphism(made, made, maps)
    column[0] = maps[0][0] = maps[1][0] = 1
    column[1] = 1
    assert made.columns[0].tolist() == [1, 0]
    assert [m.tolist() for m in same_rows.maps] == [[0, 1], [0, 1]]
    assert not any(a.flags.writeable for a in (*made.columns, *same_rows.maps))
    # What is read-only for good is shared.
    assert np.shares_memory(Instance(plain, [2, 2], made.columns, check=check).columns[0], made.columns[0])


def test_path_equations_name_table_and_rows(tmp_path: Path) -> None:
    schema = read_schema(written(tmp_path / "s.toml", COMPANY))
    values = [strings(*"ab"), pa.array([1, 2]), strings("x")]
    said = r"path equation 0 .* fails at 1 of 2 rows of 'Employee': row 1 \(row 0 on the left, row 1 on the right\)"
    with pytest.raises(InputError, match=said):
        Instance(schema, [2, 2], [[0, 0], [0, 1], [0, 1]], [*values[:2], strings("x", "y")])
    assert Instance(schema, [2, 1], [[1, 0], [0, 0], [1]], values).n_rows == 3


def test_morphisms_keep_what_is_known() -> None:
    one, two = link([0, 1, 1], ["a", None, "c"]), link([1, 0, 0], ["c", "a", "z"])
    maps = [[1, 2, 0], [0, 1]]
    # rows 0, 1, 2, whose b are 0, 1, 1, go to rows 1, 2, 0, whose b are 0, 0, 1
    with pytest.raises(InputError, match=r"not natural in generator 'A.b' at row 1; 1 rows"):
        InstanceMorphism(one, two, maps)
    good = InstanceMorphism(one, link([1, 0, 1], ["c", "a", "z"]), maps)
    assert not good.is_isomorphism()  # a null went to a value
    with pytest.raises(InputError, match=r"A.x: row 0 has 'a', the row it goes to 'c'; 1 rows in all"):
        InstanceMorphism(link([0], ["a"]), link([0], ["c"]), [[0], [0, 1]])
    back = InstanceMorphism(one, one, [[0, 1, 2], [0, 1]])
    assert back.is_isomorphism()
    assert good.then(InstanceMorphism(good.target, good.target, [[0, 1, 2], [0, 1]])).maps[0].tolist() == [1, 2, 0]
    with pytest.raises(InputError, match="don't compose"):
        good.then(good)


def test_units_and_counits_are_morphisms(tmp_path: Path) -> None:
    map = school(tmp_path)
    values = [strings("ann", "bob", "cy"), pa.array([1, 2, None]), strings(None, "bob", "di")]
    given = Instance(map.source, [2, 3, 3], [[0, 1], [0, 1]], values)
    moved = sigma(map, given)
    unit = InstanceMorphism(given, delta(map, moved.instance).instance, moved.legs)
    assert unit.maps[1].tolist() == [0, 1, 2]
    joined = pi(map, given, unknown="null")
    counit = InstanceMorphism(delta(map, joined.instance).instance, given, joined.legs)
    assert counit.source.sizes == (1, 3, 3)  # of the two TAs only bob's names are known to agree


def test_the_bridge_to_set_valued_functors() -> None:
    given = link([1, 0, 1], ["a", None, "c"])
    functor = functor_of(given)
    assert functor.variance == "covariant"
    assert functor.sizes.tolist() == [3, 2]
    assert functor.apply(int(functor.category.generators[0]), [0, 1, 2]).tolist() == [1, 0, 1]
    assert same(instance_of(functor, LINK, given.attributes), given)
    other = Schema(Presentation(("A", "B"), (("B.a", 1, 0),)))
    with pytest.raises(InputError, match="is not that of the schema"):
        instance_of(functor, other)
    endless = Schema(Presentation(("A",), (("A.next", 0, 0),)))
    with pytest.raises(InputError, match="infinite"):
        functor_of(Instance(endless, [1], [[0]]))


def test_what_a_notebook_shows() -> None:
    given = link([0] * 20, ["<script>alert(1)</script>", None, "x" * 100, *["y"] * 17])
    html = given._repr_html_()
    assert "<script>" not in html
    assert "A: 20 rows, the first 8" in html
    assert len(ElementTree.fromstring(f"<div>{html}</div>").findall(".//tbody/tr")) == 8 + 2
    many = Schema(Presentation(tuple(f"t{i}" for i in range(40)), ()))
    large = Instance(many, [10**6] * 40, [])
    assert "1,000,000" in large._repr_html_()
    ElementTree.fromstring(f"<div>{odd_names()._repr_html_()}</div>")
    assert repr(given) == "Instance(A: 20, B: 2)"
    assert repr(large).endswith(", ...)")
    with pytest.raises(AttributeError, match="does not change"):
        given.sizes = (1, 2)
