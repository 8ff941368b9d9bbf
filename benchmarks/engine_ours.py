"""What benchmarks/engine.py measures of presheaf.finite: each task makes its input, runs the clock, checks the answer.

A task returns its seconds and the size that peers must find too. A wrong size is an error, never a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from engine_migrate import migrate
from engine_timing import Measured, Wrong, clock, expect, worst
from engine_worlds import (
    CHAIN_ROWS,
    CHAIN_SQUARES,
    COLOURS,
    COMPONENTS,
    CYCLE,
    PULLBACK,
    SIDE,
    SQUARES,
    graph,
    pair_of_functions,
    school,
    torus_steps,
)


def example(name: str) -> Any:
    """A named presentation of the literature, with its number of arrows."""
    from presheaf.finite import examples

    return {
        "s9": lambda: examples.symmetric(9),
        "m12": examples.mathieu_12,
        "j1": examples.janko_1,
        "t6": lambda: examples.full_transformations(6),
    }[name]()


def enumeration(name: str) -> Measured:
    """All arrows of a monoid or group from its presentation."""
    from presheaf.finite.presented.kan_left import hom_from

    made = example(name)
    seconds, result = clock(lambda: hom_from(made.presentation))
    expect(name, result.sizes.tolist(), [made.arrows])
    return Measured(seconds, made.arrows)


def psl2() -> Measured:
    """The cosets of S in PSL(2,101)."""
    from presheaf.finite import examples
    from presheaf.finite.presented.kan_left import left_kan

    mapping = examples.psl2_over_s(101)
    seconds, result = clock(lambda: left_kan(mapping, [1], [[0]]))
    expect("PSL(2,101)/<S>", result.sizes.tolist(), [(101**2 - 1) // 2])
    return Measured(seconds, 5100)


def square(name: str) -> Measured:
    from presheaf.finite.examples import school_square
    from presheaf.finite.presented.kan_left import left_kan

    n = SQUARES[name]
    faculty, student = school(n)
    mapping = school_square()
    seconds, result = clock(lambda: left_kan(mapping, [n, n, n], [faculty, student]))
    expect(name, result.sizes.tolist()[:3], [n, n, n])
    return Measured(seconds, int(result.sizes[3]))


def torus(sides: tuple[int, int, int]) -> Any:
    """The group C_a x C_b x C_c as a category with three generators, from its Cayley tables."""
    from presheaf.finite.categories.category import Category

    steps = np.stack(torus_steps(sides), axis=1)
    count = len(steps)
    zero = np.zeros(count, dtype=np.int32)
    return Category(zero, zero, [0], steps[0], steps, steps)


def representability_1m() -> Measured:
    """The verdict on presheaves with a million elements: one that is representable and both kinds of witness.

    The group C_100^3 acting on itself; a tree with a million leaves, one element each; two copies of an action that
    nothing joins; the cosets of a subgroup of order two, where two arrows agree.
    """
    from presheaf.finite.categories.paths import free_category
    from presheaf.finite.presheaves.presheaf import SetFunctor
    from presheaf.finite.presheaves.yoneda import representability

    cases = {}
    steps = torus_steps((SIDE, SIDE, SIDE))
    group = torus((SIDE, SIDE, SIDE))
    acts = SetFunctor(group, [SIDE**3], steps, variance="contravariant")
    cases["yes, a group on itself"], verdict = clock(lambda: representability(acts))
    expect("regular action", (verdict.holds, verdict.object), (True, 0))

    twig = np.arange(1, 1000, dtype=np.int64)
    tree = np.concatenate(
        [
            np.stack([np.zeros(999, dtype=np.int64), twig], 1),
            np.stack([np.repeat(twig, 1000), 1000 + np.arange(999_000)], 1),
        ]
    )
    branching = free_category(1_000_000, tree)
    one = np.zeros(1, dtype=np.int32)
    leaves = SetFunctor.trusted(
        branching, np.ones(1_000_000, dtype=np.int32), [one] * len(branching.generators), variance="covariant"
    )
    cases["yes, a tree of a million objects"], verdict = clock(lambda: representability(leaves))
    expect("tree", (verdict.holds, verdict.object), (True, 0))

    half = torus((SIDE, SIDE, SIDE // 2))
    part = torus_steps((SIDE, SIDE, SIDE // 2))
    twice = SetFunctor(half, [SIDE**3], [np.concatenate([s, s + SIDE**3 // 2]) for s in part], variance="covariant")
    cases["no, nothing yields both of two"], verdict = clock(lambda: representability(twice))
    expect("two orbits", (verdict.holds, verdict.apart), (False, ((0, 0), (0, SIDE**3 // 2))))

    double = torus((2 * SIDE, SIDE, SIDE))
    cosets = SetFunctor(double, [SIDE**3], steps, variance="covariant")
    cases["no, two arrows agree"], verdict = clock(lambda: representability(cosets))
    assert verdict.collapse is not None
    (c, row), f, g = verdict.collapse
    expect(
        "cosets",
        (verdict.holds, f != g, cosets.apply(f, [row]).tolist()),
        (False, True, cosets.apply(g, [row]).tolist()),
    )
    expect("place", c, 0)
    return worst(cases, SIDE**3)


def validate_100k() -> Measured:
    """Category(...) from plain Cayley tables of at least 10^5 morphisms, the two-sided test included."""
    from presheaf.finite.categories.category import Category
    from presheaf.finite.categories.maps import from_maps
    from presheaf.finite.categories.orders import chain
    from presheaf.finite.categories.products import product_category

    made = {
        "group C_100^2 x C_10": torus((100, 100, 10)),
        "monoid T_5 x C_32": product_category(
            from_maps([[1, 0, 2, 3, 4], [1, 2, 3, 4, 0], [0, 0, 2, 3, 4]]), from_maps([np.roll(np.arange(32), -1)])
        ),
        "order of 500 objects": chain(500),
    }
    cases = {}
    for name, category in made.items():
        if category.n_arrows < 100_000:
            raise Wrong(f"{name} has {category.n_arrows} arrows only")
        plain = category.dom, category.cod, category.identity, category.generators
        if name.startswith("order"):
            flat = category._right.flat, category._left.flat
            cases[name], again = clock(lambda p=plain, f=flat: Category.from_steps(*p, *f))
        else:
            tables = category.right, category.left
            cases[name], again = clock(lambda p=plain, t=tables: Category(*p, *t))
        expect(name, again.n_arrows, category.n_arrows)
    return worst(cases, min(c.n_arrows for c in made.values()))


def hom_c8_k8() -> Measured:
    from presheaf.finite.categories.paths import free_category
    from presheaf.finite.presheaves.natural import transformations
    from presheaf.finite.presheaves.presheaf import copresheaf

    shape = free_category(2, [(0, 1), (0, 1)], objects=["A", "V"], names=["s", "t"])
    ring = np.arange(CYCLE)
    cycle = copresheaf(shape, [CYCLE, CYCLE], [ring, (ring + 1) % CYCLE])
    s, t = np.nonzero(1 - np.eye(COLOURS, dtype=int))
    complete = copresheaf(shape, [len(s), COLOURS], [s, t])
    seconds, count = clock(lambda: transformations(cycle, complete).count())
    expect("Hom(C8, K8)", count, 5_764_808)
    return Measured(seconds, count)


def simplices(top: int) -> Any:
    """The simplex category up to [top], from its monotone maps."""
    from itertools import combinations_with_replacement

    from presheaf.finite.categories.tables import from_table

    ends = [(m, n) for m in range(top + 1) for n in range(top + 1)]
    maps = [(m, n, f) for m, n in ends for f in combinations_with_replacement(range(n + 1), m + 1)]
    number = {f: i for i, f in enumerate(maps)}
    table = np.full((len(maps), len(maps)), -1, dtype=np.int32)
    for i, (a, b, f) in enumerate(maps):
        for j, (c, d, g) in enumerate(maps):
            if b == c:
                table[i, j] = number[a, d, tuple(g[p] for p in f)]
    return from_table(table, dom=[f[0] for f in maps], cod=[f[1] for f in maps])


def omega(top: int) -> Measured:
    """Sieves on each simplex: the Dedekind numbers 2, 3, 6, 20, 168, 7581 less one, from the second on."""
    from presheaf.finite.presheaves.classifier import Classifier

    category = simplices(top)
    seconds, made = clock(lambda: Classifier(category, variance="contravariant"))
    known = [2, 5, 19, 167, 7580][: top + 1]
    expect("sieves", made.omega.sizes.tolist(), known)
    return Measured(seconds, sum(known))


def chain_of_squares() -> Measured:
    """Family (d): 50 commuting squares in a row; rows at the first corner only, so each is a path of 50 diagonals."""
    from presheaf.finite.presented.kan_left import left_kan
    from presheaf.finite.presented.mapping import PresentationMap
    from presheaf.finite.presented.presentation import Presentation

    objects, arrows, laws = ["d0"], [], []
    for i in range(CHAIN_SQUARES):
        here, up, down, end = 3 * i, 3 * i + 1, 3 * i + 2, 3 * i + 3
        objects += [f"u{i}", f"v{i}", f"d{i + 1}"]
        at = len(arrows)
        arrows += [(f"a{i}", here, up), (f"b{i}", here, down), (f"c{i}", up, end), (f"e{i}", down, end)]
        laws.append(((at, at + 2), (at + 1, at + 3)))
    target = Presentation(tuple(objects), tuple(arrows), tuple(laws))
    mapping = PresentationMap.point(target)
    seconds, result = clock(lambda: left_kan(mapping, [CHAIN_ROWS], []))
    expect("chain of squares", result.sizes.tolist(), [CHAIN_ROWS] * len(objects))
    return Measured(seconds, int(result.sizes.sum()))


def collapse_heavy() -> Measured:
    """Family (e): rows whose only arrows are an involution, an idempotent and the reflection laws between them."""
    from presheaf.finite.presented.kan_left import left_kan
    from presheaf.finite.presented.mapping import PresentationMap
    from presheaf.finite.presented.presentation import Presentation

    n = 200_000
    target = Presentation.monoid("t e", ["t^2 = 1", "e^2 = e", "t e = e", "e t e = e"])
    source = Presentation(("*",), (("u", 0, 0),))
    mapping = PresentationMap(source, target, (0,), ((0,),))
    turn = np.arange(n, dtype=np.int32) ^ 1
    seconds, result = clock(lambda: left_kan(mapping, [n], [turn]))
    # Elements of the monoid: 1, t, e, et. A pair {x, tx} stays two rows and adds e(x) and t after it.
    expect("collapse", result.sizes.tolist(), [2 * n])
    return Measured(seconds, 2 * n)


def opfibration() -> Measured:
    """Family (f): two copies of a graph schema folded onto one, rows only concatenated."""
    from presheaf.finite.presented.kan_left import left_kan
    from presheaf.finite.presented.mapping import PresentationMap
    from presheaf.finite.presented.presentation import Presentation

    n = 1_000_000
    shape = Presentation(("E", "V"), (("s", 0, 1), ("t", 0, 1)))
    two = Presentation(("E", "V", "E'", "V'"), (("s", 0, 1), ("t", 0, 1), ("s'", 2, 3), ("t'", 2, 3)))
    mapping = PresentationMap(two, shape, (0, 1, 0, 1), ((0,), (1,), (0,), (1,)))
    f, s = school(n)
    seconds, result = clock(lambda: left_kan(mapping, [n] * 4, [f, s, s, f]))
    expect("opfibration", result.sizes.tolist(), [2 * n, 2 * n])
    return Measured(seconds, 4 * n)


def terminal_target() -> Measured:
    """Family (g): the connected components of a graph, as an extension to the point."""
    from presheaf.finite.presented.kan_left import left_kan
    from presheaf.finite.presented.mapping import PresentationMap
    from presheaf.finite.presented.presentation import Presentation

    n = COMPONENTS
    shape = Presentation(("E", "V"), (("s", 0, 1), ("t", 0, 1)))
    mapping = PresentationMap(shape, Presentation(("*",), ()), (0, 0), ((), ()))
    s, t = graph(n)
    seconds, result = clock(lambda: left_kan(mapping, [n, n], [s, t]))
    return Measured(seconds, int(result.sizes[0]))


def pullback() -> Measured:
    """Pi along the inclusion of a cospan: two functions of two million rows each, all pairs on which they agree."""
    from presheaf.finite.presented.kan_right import right_kan
    from presheaf.finite.presented.mapping import PresentationMap
    from presheaf.finite.presented.presentation import Presentation

    f, g = pair_of_functions(PULLBACK)
    cospan = Presentation(("A", "B", "K"), (("f", 0, 2), ("g", 1, 2)))
    square = Presentation(
        ("A", "B", "K", "P"), (("f", 0, 2), ("g", 1, 2), ("left", 3, 0), ("right", 3, 1)), (((2, 0), (3, 1)),)
    )
    keep = PresentationMap(cospan, square, (0, 1, 2), ((0,), (1,)))
    sizes = [PULLBACK, PULLBACK, PULLBACK // 2]
    seconds, made = clock(lambda: right_kan(keep, sizes, [f, g]))
    expect("the three given tables", made.sizes.tolist()[:3], sizes)
    left, right = made.columns[2], made.columns[3]
    expect("pairs that agree", bool((f[left] == g[right]).all()), True)
    return Measured(seconds, int(made.sizes[3]))


def endless() -> Measured:
    """Family (h): how long F(2,6) takes to stop after two million rows, with a proof for a free cyclic schema."""
    from presheaf.finite import examples
    from presheaf.finite.columns.budget import Budget
    from presheaf.finite.presented.kan_left import hom_from
    from presheaf.finite.presented.presentation import Presentation

    cases = {}
    infinite = examples.fibonacci(6).presentation
    cases["F(2,6), two million rows"], result = clock(lambda: hom_from(infinite, budget=Budget(rows=2_000_000)))
    expect("F(2,6)", (result.status, result.limit), ("budget exceeded", "rows"))
    boss = Presentation(("Employee",), (("manager", 0, 0),))
    cases["free cyclic schema"], result = clock(lambda: hom_from(boss))
    expect("cyclic", result.status, "infinite")
    return worst(cases, 2_000_000)


def t5_light() -> Measured:
    """Validating T_5 from its full table of 3125 x 3125 entries, where Light's test on the table is possible at all."""
    from presheaf.finite.categories.maps import from_maps
    from presheaf.finite.categories.tables import from_table

    monoid = from_maps([[1, 0, 2, 3, 4], [1, 2, 3, 4, 0], [0, 0, 2, 3, 4]])
    zero = np.zeros(monoid.n_arrows, dtype=np.int32)
    x = np.arange(monoid.n_arrows)
    table = monoid.compose(x[:, None], x[None, :])
    seconds, made = clock(lambda: from_table(table, dom=zero, cod=zero))
    expect("T_5", made.n_arrows, 3125)
    return Measured(seconds, 3125)


REQUIRED: dict[str, Callable[[], Measured]] = {
    "school_square_4m": lambda: square("school_square_4m"),
    "school_square_20m": lambda: square("school_square_20m"),
    "s9": lambda: enumeration("s9"),
    "m12": lambda: enumeration("m12"),
    "j1": lambda: enumeration("j1"),
    "psl2_101": psl2,
    "t6": lambda: enumeration("t6"),
    "representability_1m": representability_1m,
    "validate_100k": validate_100k,
    "hom_c8_k8": hom_c8_k8,
    "omega_simplex_3": lambda: omega(3),
}

MORE: dict[str, Callable[[], Measured]] = {
    "omega_simplex_4": lambda: omega(4),
    "chain_of_squares": chain_of_squares,
    "collapse_heavy": collapse_heavy,
    "opfibration": opfibration,
    "terminal_target": terminal_target,
    "pullback_2m": pullback,
    "endless": endless,
    "validate_t5_table": t5_light,
    "migrate_1m": migrate,
}
