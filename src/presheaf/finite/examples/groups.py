"""Groups from the literature, by presentations."""

from __future__ import annotations

from itertools import combinations
from math import factorial

from presheaf.errors import InputError
from presheaf.finite.examples.example import Example, at_least
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Presentation

_COXETER_MOSER = "Coxeter and Moser, Generators and Relations for Discrete Groups"


def cyclic(n: int) -> Example:
    """The cyclic group of order n."""
    at_least("n", n, 1)
    return Example(f"C_{n}", Presentation.group("a", [f"a^{n}"]), n, _COXETER_MOSER)


def dihedral(n: int) -> Example:
    """The symmetries of the regular n-gon, of order 2n, on two reflections."""
    at_least("n", n, 1)
    return Example(f"D_{n}", Presentation.group("r s", ["r^2", "s^2", f"(r s)^{n}"]), 2 * n, _COXETER_MOSER)


def quaternion() -> Example:
    """The quaternion group, of order 8."""
    return Example("Q_8", Presentation.group("i j", ["i^2 = j^2", "i^2 = (i j)^2"]), 8, _COXETER_MOSER)


def symmetric(n: int) -> Example:
    """S_n as a Coxeter group on the n - 1 neighbouring transpositions."""
    at_least("n", n, 2)
    names = [f"s{i}" for i in range(1, n)]
    relators = [f"{x}^2" for x in names]
    relators += [f"({x} {y})^{3 if j == i + 1 else 2}" for (i, x), (j, y) in combinations(enumerate(names), 2)]
    return Example(f"S_{n}", Presentation.group(" ".join(names), relators), factorial(n), "Moore 1897; Coxeter 1935")


def fibonacci(n: int) -> Example:
    """Conway's F(2, n): x_i x_{i+1} = x_{i+2}, indices modulo n. Finite for n = 1 to 5 and 7 only."""
    at_least("n", n, 2)
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


def _prime(p: int) -> None:
    if p < 5 or any(p % q == 0 for q in range(2, int(p**0.5) + 1)):
        raise InputError(f"'p' must be a prime greater than 3; got {p}.")
