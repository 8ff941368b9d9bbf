"""Categories from the literature, each with its source and, where it is finite, its number of arrows.

A statement about size is checked by the tests through our own enumeration.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb, factorial

from presheaf.errors import InputError
from presheaf.finite.mapping import PresentationMap
from presheaf.finite.presentation import Path, Presentation


@dataclass(frozen=True, slots=True, repr=False)
class Example:
    """A named presentation: ``presentation``, ``arrows`` (how many, None if infinitely many) and ``source``."""

    name: str
    presentation: Presentation
    arrows: int | None
    source: str

    def __repr__(self) -> str:
        size = "infinitely many" if self.arrows is None else str(self.arrows)
        return f"Example({self.name}: {size} arrows; {self.source})"


def cyclic(n: int) -> Example:
    """The cyclic group of order n."""
    _at_least("n", n, 1)
    return Example(f"C_{n}", Presentation.group("a", [f"a^{n}"]), n, "Coxeter and Moser 1980, 1.1")


def dihedral(n: int) -> Example:
    """The symmetries of the regular n-gon, of order 2n, on two reflections."""
    _at_least("n", n, 1)
    return Example(
        f"D_{n}", Presentation.group("r s", ["r^2", "s^2", f"(r s)^{n}"]), 2 * n, "Coxeter and Moser 1980, 1.5"
    )


def quaternion() -> Example:
    """The quaternion group, of order 8."""
    return Example("Q_8", Presentation.group("i j", ["i^2 = j^2", "i^2 = (i j)^2"]), 8, "Coxeter and Moser 1980, 1.7")


def symmetric(n: int) -> Example:
    """S_n as a Coxeter group on the n - 1 neighbouring transpositions."""
    _at_least("n", n, 2)
    names = [f"s{i}" for i in range(1, n)]
    relators = [f"{x}^2" for x in names]
    relators += [f"({x} {y})^{3 if j == i + 1 else 2}" for (i, x), (j, y) in combinations(enumerate(names), 2)]
    return Example(f"S_{n}", Presentation.group(" ".join(names), relators), factorial(n), "Moore 1897; Coxeter 1935")


def fibonacci(n: int) -> Example:
    """Conway's F(2, n): x_i x_{i+1} = x_{i+2}, indices modulo n. Finite for n = 1 to 5 and 7 only."""
    _at_least("n", n, 2)
    words = [f"x{i} x{(i + 1) % n} = x{(i + 2) % n}" for i in range(n)]
    order = {2: 1, 3: 8, 4: 5, 5: 11, 7: 29}.get(n)
    group = Presentation.group(" ".join(f"x{i}" for i in range(n)), words)
    return Example(f"F(2,{n})", group, order, "Conway 1965, Advanced Problem 5327; Havas 1976 for n = 7")


def mathieu_11() -> Example:
    """The Mathieu group M11 on standard generators."""
    long = "a b a b a b^-1 a b a b^2 a b^-1 a b a b^-1 a b^-1"
    group = Presentation.group("a b", ["a^2", "b^4", "(a b)^11", "(a b^2)^6", long])
    return Example("M_11", group, 7920, "ATLAS of Group Representations, M11, standard generators")


def mathieu_12() -> Example:
    """The Mathieu group M12 on standard generators."""
    group = Presentation.group("a b", ["a^2", "b^3", "(a b)^11", "[a, b]^6", "(a b a b a b^-1)^6"])
    return Example("M_12", group, 95040, "ATLAS of Group Representations, M12, standard generators")


def janko_1() -> Example:
    """The first Janko group J1 on standard generators."""
    long = "(a b (a b a b^-1)^6 a b a b (a b^-1)^2)^2"
    group = Presentation.group("a b", ["a^2", "b^3", "(a b)^7", "(a b (a b a b^-1)^3)^5", long])
    return Example("J_1", group, 175560, "ATLAS of Group Representations, J1, standard generators")


def psl2(p: int) -> Example:
    """PSL(2, p) for a prime p > 3, on S of order p and the involution T."""
    _prime(p)
    group = Presentation.group("S T", [f"S^{p}", "T^2", "(S T)^3", f"(S^2 T S^{(p + 1) // 2} T)^3"])
    return Example(f"PSL(2,{p})", group, p * (p * p - 1) // 2, "Behr and Mennicke 1968")


def psl2_over_s(p: int) -> PresentationMap:
    """The inclusion of <S> in PSL(2, p). The left extension of a point fixed by S: (p^2 - 1) / 2 cosets."""
    group = psl2(p).presentation
    return PresentationMap(Presentation.monoid("S", [f"S^{p} = 1"]), group, (0,), ((group.generator("S"),),))


def full_transformations(n: int) -> Example:
    """T_n, all maps of n points to themselves: neighbouring transpositions and the map e that sends 2 to 1.

    In path order (first map first). Beside S_n's relations: s1 e = e; e commutes with s3, s4, ...; with the map e_ij
    that sends i to j, a conjugate of e = e_21, three more: e_21 e_31 = e_31 e_21, e_21 e_23 = e_21, and
    e_21 e_43 = e_43 e_21.
    """
    _at_least("n", n, 2)
    names = [f"s{i}" for i in range(1, n)]
    laws = [f"{x}^2 = 1" for x in names]
    laws += [
        f"{x} {y} {x} = {y} {x} {y}" if j == i + 1 else f"{x} {y} = {y} {x}"
        for (i, x), (j, y) in combinations(enumerate(names), 2)
    ]
    laws += ["e^2 = e", "s1 e = e", *(f"e s{i} = s{i} e" for i in range(3, n))]
    if n == 2:
        laws.append("e s1 e = e")
    if n >= 3:
        laws += ["e s2 e s2 = e s2 e", "s2 e s2 e = e s2 e", "e s1 s2 e s1 s2 s1 = e"]
    if n >= 4:
        laws.append("e s2 s1 s3 s2 e s2 s1 s3 s2 = s2 s1 s3 s2 e s2 s1 s3 s2 e")
    source = "generators and kind of relations as in Aizenstat 1958; size checked by enumeration for n = 2 to 6"
    return Example(f"T_{n}", Presentation.monoid(" ".join([*names, "e"]), laws), n**n, source)


def bicyclic() -> Example:
    """The bicyclic monoid: a has a right inverse that is no left inverse."""
    return Example(
        "bicyclic", Presentation.monoid("a b", ["a b = 1"]), None, "Lyapin 1953; Clifford and Preston 1961, 1.12"
    )


def quiver() -> Example:
    """E => V: a presheaf on its opposite, or a covariant functor on it, is a directed multigraph."""
    shape = Presentation(("E", "V"), (("source", 0, 1), ("target", 0, 1)))
    return Example(
        "quiver", shape, 4, "Lawvere 1989, Qualitative distinctions between some toposes of generalized graphs"
    )


def reflexive_quiver() -> Example:
    """E => V with a loop chosen at every vertex."""
    arrows = (("source", 0, 1), ("target", 0, 1), ("loop", 1, 0))
    shape = Presentation(("E", "V"), arrows, (((2, 0), ()), ((2, 1), ())))
    return Example("reflexive quiver", shape, 7, "Lawvere 1989")


def simplex(n: int) -> Example:
    """The simplex category up to [n]: order-preserving maps between [0], ..., [n], by cofaces and codegeneracies."""
    _at_least("n", n, 0)
    arrows: list[tuple[str, int, int]] = []
    number: dict[tuple[str, int, int], int] = {}
    for k in range(1, n + 1):
        for i in range(k + 1):
            number["d", k, i] = len(arrows)
            arrows.append((f"d{k}_{i}", k - 1, k))
        for i in range(k):
            number["s", k, i] = len(arrows)
            arrows.append((f"s{k}_{i}", k, k - 1))
    laws: list[tuple[Path, Path]] = []
    for k in range(1, n + 1):
        # d{k}_i: [k-1] -> [k] leaves out i; s{k}_i: [k] -> [k-1] takes i and i+1 together.
        for j in range(k + 1):
            if k > 1:
                laws += [
                    ((number["d", k - 1, i], number["d", k, j]), (number["d", k - 1, j - 1], number["d", k, i]))
                    for i in range(j)
                ]
        for j in range(k - 1):
            laws += [
                ((number["s", k, i], number["s", k - 1, j]), (number["s", k, j + 1], number["s", k - 1, i]))
                for i in range(j + 1)
            ]
        for i in range(k + 1):
            for j in range(k):
                left = (number["d", k, i], number["s", k, j])
                if i in (j, j + 1):
                    laws.append((left, ()))
                elif i < j:
                    laws.append((left, (number["s", k - 1, j - 1], number["d", k - 1, i])))
                else:
                    laws.append((left, (number["s", k - 1, j], number["d", k - 1, i - 1])))
    objects = tuple(f"[{k}]" for k in range(n + 1))
    arrows_in_all = sum(comb(a + b + 1, a + 1) for a in range(n + 1) for b in range(n + 1))
    source = "Mac Lane 1998, Categories for the Working Mathematician, VII.5"
    return Example(
        f"simplex category up to [{n}]", Presentation(objects, tuple(arrows), tuple(laws)), arrows_in_all, source
    )


def school_square() -> PresentationMap:
    """Faculty <- TA -> Student into the square that adds Person: the running example of fast left Kan extensions.

    Source: Meyers, Spivak and Wisnesky 2022, Fast left Kan extensions using the chase.
    """
    tables = Presentation(("TA", "Faculty", "Student"), (("faculty", 0, 1), ("student", 0, 2)))
    square = Presentation(
        ("TA", "Faculty", "Student", "Person"),
        (("faculty", 0, 1), ("student", 0, 2), ("faculty_is", 1, 3), ("student_is", 2, 3)),
        (((0, 2), (1, 3)),),
    )
    return PresentationMap(tables, square, (0, 1, 2), ((0,), (1,)))


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise InputError(f"{name!r} must be at least {least}; got {value}.")


def _prime(p: int) -> None:
    if p < 5 or any(p % q == 0 for q in range(2, int(p**0.5) + 1)):
        raise InputError(f"'p' must be a prime greater than 3; got {p}.")
