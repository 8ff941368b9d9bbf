"""A cheap proof that a left extension is infinite: integer weights that some cycle adds up to more and more."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation
from presheaf.finite.presented.strata import strong_components
from presheaf.finite.presented.subpresentation import reached

MAX_UNKNOWNS = 200
"""Beyond so many generators and objects the proof is not looked for: it is cubic in them, in exact arithmetic."""


def growing_weights(mapping: PresentationMap, sizes: Sequence[int]) -> tuple[int, ...] | None:
    """Weights of D's generators that prove the left extension of a functor with these ``sizes`` infinite, or None.

    The weights w balance every equation of D, some numbers h of C's objects make ``h(target) - h(source) = w(F u)`` for
    every generator u of C, and some cycle that the functor's elements reach has weight other than 0. Then D acts on the
    integers by ``z -> z + w``, the extension maps to that action by ``x -> h``, and along the cycle its image is
    infinite. For one object without C this is: the abelianisation has positive rank. None proves nothing.

    Notes
    -----
    Exact rational elimination, O((generators + objects)^3) operations; equations and arrows at objects that no element
    reaches are left out.
    """
    source, target = mapping.source, mapping.target
    k, n = len(target.generators), len(source.objects)
    if k + n > MAX_UNKNOWNS:
        return None
    found = reached(target, {mapping.objects[c] for c in range(n) if sizes[c]})
    arrows = [j for j, g in enumerate(target.generators) if g[1] in found]
    part = strong_components(len(target.objects), (target.generators[j][1:] for j in arrows))
    inner = [j for j in arrows if part[target.generators[j][1]] == part[target.generators[j][2]]]
    if not inner:
        return None
    for vector in null_space(_balance(mapping, sizes, found), k + n):
        if _grows(target, inner, vector):
            return tuple(vector[j] if j in arrows else 0 for j in range(k))
    return None


def _balance(mapping: PresentationMap, sizes: Sequence[int], found: set[int]) -> list[list[int]]:
    """What weights and numbers must satisfy: a row for each equation of D and each generator of C that matters."""
    source, target = mapping.source, mapping.target
    k, n = len(target.generators), len(source.objects)
    rows: list[list[int]] = []
    for i, (u, v) in enumerate(target.equations):
        if target.equation_source(i) in found:
            rows.append(weight_row(u, v, k + n))
    for (_, a, b), path in zip(source.generators, mapping.paths, strict=True):
        if sizes[a]:
            row = weight_row(path, (), k + n)
            row[k + a] += 1
            row[k + b] -= 1
            rows.append(row)
    return rows


def weight_row(left: Path, right: Path, width: int) -> list[int]:
    """How often each letter stands on the left, less how often on the right."""
    row = [0] * width
    for j in left:
        row[j] += 1
    for j in right:
        row[j] -= 1
    return row


def _grows(target: Presentation, inner: list[int], vector: list[int]) -> bool:
    """Whether some cycle has weight other than 0: on a strongly connected part, whether w is no difference of potentials."""
    leaving: dict[int, list[int]] = {}
    for j in inner:
        leaving.setdefault(target.generators[j][1], []).append(j)
    height: dict[int, int] = {}
    for start in leaving:
        if start in height:
            continue
        height[start] = 0
        todo = [start]
        while todo:
            d = todo.pop()
            for i in leaving.get(d, ()):
                b = target.generators[i][2]
                if b not in height:
                    height[b] = height[d] + vector[i]
                    todo.append(b)
    return any(height[target.generators[j][2]] - height[target.generators[j][1]] != vector[j] for j in inner)


def null_space(rows: list[list[int]], width: int) -> list[list[int]]:
    """Integer vectors that span the rational null space of ``rows``."""
    pivots: dict[int, list[Fraction]] = {}
    for row in rows:
        rest = [Fraction(x) for x in row]
        for column, pivot in pivots.items():
            factor = rest[column]
            if factor:
                rest = [x - factor * y for x, y in zip(rest, pivot, strict=True)]
        lead = next((i for i, x in enumerate(rest) if x), None)
        if lead is None:
            continue
        rest = [x / rest[lead] for x in rest]
        for column, pivot in pivots.items():
            factor = pivot[lead]
            if factor:
                pivots[column] = [x - factor * y for x, y in zip(pivot, rest, strict=True)]
        pivots[lead] = rest
    basis = []
    for free in range(width):
        if free in pivots:
            continue
        vector = [Fraction(0)] * width
        vector[free] = Fraction(1)
        for column, pivot in pivots.items():
            vector[column] = -pivot[free]
        scale = lcm(*(x.denominator for x in vector))
        basis.append([int(x * scale) for x in vector])
    return basis
