"""Monoids of maps and of diagrams, by presentations."""

from __future__ import annotations

from itertools import accumulate, combinations
from math import comb, factorial, prod

from presheaf.finite.categories.category import Category
from presheaf.finite.categories.maps import from_maps
from presheaf.finite.examples.example import Example, at_least
from presheaf.finite.presented.presentation import Presentation


def full_transformations(n: int) -> Example:
    """T_n, all maps of n points to themselves: neighbouring transpositions and the map e that sends 2 to 1.

    In path order (first map first). Beside S_n's relations: s1 e = e; e commutes with s3, s4, ...; with the map e_ij
    that sends i to j, a conjugate of e = e_21, three more: e_21 e_31 = e_31 e_21, e_21 e_23 = e_21, and
    e_21 e_43 = e_43 e_21.
    """
    at_least("n", n, 2)
    names, laws = _coxeter(n)
    laws += ["e^2 = e", "s1 e = e", *(f"e s{i} = s{i} e" for i in range(3, n))]
    if n == 2:
        laws.append("e s1 e = e")
    if n >= 3:
        laws += ["e s2 e s2 = e s2 e", "s2 e s2 e = e s2 e", "e s1 s2 e s1 s2 s1 = e"]
    if n >= 4:
        laws.append("e s2 s1 s3 s2 e s2 s1 s3 s2 = s2 s1 s3 s2 e s2 s1 s3 s2 e")
    source = "generators and kind of relations as in Aizenstat 1958, for symmetric semigroups; size checked by enumeration for n = 2 to 6"
    return Example(f"T_{n}", Presentation.monoid(" ".join([*names, "e"]), laws), n**n, source)


def partial_transformations(n: int) -> Category:
    """PT_n, all partial maps of n points to themselves, as the monoid that maps generate: (n + 1)^n elements.

    A partial map is a map of n + 1 points that keeps the last one, "undefined". Generators: a transposition, a cycle, a
    map of rank n - 1, and the identity without its first point (Howie 1995, Fundamentals of Semigroup Theory).
    """
    at_least("n", n, 1)
    points = list(range(n + 1))
    lost = [n, *points[1:]]
    if n == 1:
        return from_maps([lost], names=["lose"])
    maps = [[1, 0, *points[2:]], [*points[1:n], 0, n], [0, 0, *points[2:]], lost]
    return from_maps(maps, names=["swap", "turn", "merge", "lose"])


def symmetric_inverse(n: int) -> Example:
    """I_n, all bijections between parts of n points: S_n and the identity e without the first point."""
    at_least("n", n, 1)
    names, laws = _coxeter(n)
    laws += ["e^2 = e", *(f"e s{i} = s{i} e" for i in range(2, n))]
    if n > 1:
        laws += ["e s1 e s1 = e s1 e", "s1 e s1 e = e s1 e"]
    arrows = sum(comb(n, k) ** 2 * factorial(k) for k in range(n + 1))
    return Example(f"I_{n}", Presentation.monoid(" ".join([*names, "e"]), laws), arrows, "Popova 1961")


def order_preserving(n: int) -> Example:
    """O_n, all order-preserving maps of a chain of n points: u_i sends i to i + 1, d_i sends i + 1 to i."""
    at_least("n", n, 1)
    laws: list[str] = []
    for i in range(1, n):
        laws += [f"u{i} d{i} = d{i}", f"d{i} u{i} = u{i}"]
        for x, y in (("u", "u"), ("u", "d"), ("d", "u"), ("d", "d")):
            laws += [f"{x}{i} {y}{j} = {y}{j} {x}{i}" for j in range(i + 2, n)]
    for i in range(1, n - 1):
        j = i + 1
        laws += [f"u{j} d{i} = u{j}", f"d{i} u{j} = d{i}", f"u{i} d{j} = d{j} u{i}"]
        laws += [f"u{i} u{j} u{i} = u{i} u{j}", f"u{j} u{i} u{j} = u{i} u{j}"]
        laws += [f"d{i} d{j} d{i} = d{j} d{i}", f"d{j} d{i} d{j} = d{j} d{i}"]
    names = " ".join([*(f"u{i}" for i in range(1, n)), *(f"d{i}" for i in range(1, n))])
    source = "the monoid of Aizenstat 1962; relations read off the maps, size checked by enumeration for n = 1 to 8"
    return Example(f"O_{n}", Presentation.monoid(names, laws), comb(2 * n - 1, n - 1), source)


def brauer(n: int) -> Example:
    """B_n, the pairings of 2n points stacked as diagrams, loops dropped: S_n and the hooks t_i between i and i + 1."""
    at_least("n", n, 1)
    names, laws = _coxeter(n)
    for i in range(1, n):
        laws += [f"t{i}^2 = t{i}", f"s{i} t{i} = t{i}", f"t{i} s{i} = t{i}"]
        for j in range(1, n):
            if abs(i - j) == 1:
                laws += [f"t{i} t{j} t{i} = t{i}", f"s{i} t{j} t{i} = s{j} t{i}", f"t{i} t{j} s{i} = t{i} s{j}"]
            elif i != j:
                laws += [f"s{i} t{j} = t{j} s{i}", f"t{i} t{j} = t{j} t{i}"]
    names += [f"t{i}" for i in range(1, n)]
    source = "Kudryavtseva and Mazorchuk 2006, On presentations of Brauer-type monoids"
    return Example(f"B_{n}", Presentation.monoid(" ".join(names), laws), prod(range(1, 2 * n, 2)), source)


def partitions(n: int) -> Example:
    """P_n, the partitions of 2n points stacked as diagrams: S_n, cuts p_i of point i, and joins q_i of i and i + 1."""
    at_least("n", n, 1)
    names, laws = _coxeter(n)
    cuts, joins = [f"p{i}" for i in range(1, n + 1)], [f"q{i}" for i in range(1, n)]
    laws += [f"{x}^2 = {x}" for x in (*cuts, *joins)]
    laws += [f"{x} {y} = {y} {x}" for part in (cuts, joins) for x, y in combinations(part, 2)]
    for i in range(1, n):
        s, p, q, after = f"s{i}", f"p{i}", f"q{i}", f"p{i + 1}"
        laws += [f"{s} {p} {s} = {after}", f"{s} {p} {after} = {p} {after}", f"{p} {after} {s} = {p} {after}"]
        laws += [f"{s} {q} = {q}", f"{q} {s} = {q}"]
        laws += [law for x in (p, after) for law in (f"{q} {x} {q} = {q}", f"{x} {q} {x} = {x}")]
        laws += [f"{y} {x} = {x} {y}" for x in cuts if x not in (p, after) for y in (s, q)]
        laws += [f"{s} q{j} = q{j} {s}" for j in range(1, n) if abs(i - j) > 1]
        if i + 1 < n:
            laws.append(f"{s} s{i + 1} {q} s{i + 1} {s} = q{i + 1}")
    source = "Halverson and Ram 2005, Partition algebras"
    return Example(f"P_{n}", Presentation.monoid(" ".join([*names, *cuts, *joins]), laws), _bell(2 * n), source)


def temperley_lieb(n: int) -> Example:
    """J_n, the pairings of 2n points that don't cross, loops dropped: the hooks t_i; a Catalan number of elements."""
    at_least("n", n, 2)
    names = [f"t{i}" for i in range(1, n)]
    laws = [f"{x}^2 = {x}" for x in names]
    for (i, x), (j, y) in combinations(enumerate(names), 2):
        laws += [f"{x} {y} {x} = {x}", f"{y} {x} {y} = {y}"] if j == i + 1 else [f"{x} {y} = {y} {x}"]
    arrows = comb(2 * n, n) // (n + 1)
    return Example(f"J_{n}", Presentation.monoid(" ".join(names), laws), arrows, "relations of Temperley and Lieb 1971")


def catalan(n: int) -> Example:
    """C_n, the order-preserving maps f of a chain of n points with f(x) >= x; a Catalan number of elements."""
    at_least("n", n, 2)
    names = [f"a{i}" for i in range(1, n)]
    laws = [f"{x}^2 = {x}" for x in names]
    for (i, x), (j, y) in combinations(enumerate(names), 2):
        laws += [f"{x} {y} {x} = {x} {y}", f"{y} {x} {y} = {x} {y}"] if j == i + 1 else [f"{x} {y} = {y} {x}"]
    arrows = comb(2 * n, n) // (n + 1)
    source = "Solomon 1996, Catalan monoids, monoids of local endomorphisms, and their presentations"
    return Example(f"C_{n}", Presentation.monoid(" ".join(names), laws), arrows, source)


def stylic(n: int) -> Example:
    """Styl(n): Knuth's plactic relations on n letters, and letters idempotent; a Bell number of elements."""
    at_least("n", n, 1)
    a = [f"a{i}" for i in range(1, n + 1)]
    laws = [f"{x}^2 = {x}" for x in a]
    for i in range(n):
        for k in range(i + 1, n):
            laws += [f"{a[j]} {a[k]} {a[i]} = {a[j]} {a[i]} {a[k]}" for j in range(i + 1, k + 1)]
            laws += [f"{a[i]} {a[k]} {a[j]} = {a[k]} {a[i]} {a[j]}" for j in range(i, k)]
    return Example(
        f"Styl({n})", Presentation.monoid(" ".join(a), laws), _bell(n + 1), "Abram and Reutenauer, The stylic monoid"
    )


def bicyclic() -> Example:
    """The bicyclic monoid: a has a right inverse that is no left inverse."""
    return Example(
        "bicyclic",
        Presentation.monoid("a b", ["a b = 1"]),
        None,
        "Clifford and Preston 1961, The Algebraic Theory of Semigroups I",
    )


def _coxeter(n: int) -> tuple[list[str], list[str]]:
    """The neighbouring transpositions of n points and the relations of S_n."""
    names = [f"s{i}" for i in range(1, n)]
    laws = [f"{x}^2 = 1" for x in names]
    for (i, x), (j, y) in combinations(enumerate(names), 2):
        laws.append(f"{x} {y} {x} = {y} {x} {y}" if j == i + 1 else f"{x} {y} = {y} {x}")
    return names, laws


def _bell(n: int) -> int:
    """How many partitions n things have, by the triangle of Peirce."""
    row = [1]
    for _ in range(n - 1):
        row = list(accumulate(row, initial=row[-1]))
    return row[-1]
