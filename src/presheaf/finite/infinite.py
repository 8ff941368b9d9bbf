"""A cheap proof that a left extension is infinite: integer weights that some cycle adds up to more and more."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from presheaf.finite.mapping import PresentationMap

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
    reached = {mapping.objects[c] for c in range(n) if sizes[c]}
    front = list(reached)
    while front:
        d = front.pop()
        for _, a, b in target.generators:
            if a == d and b not in reached:
                reached.add(b)
                front.append(b)
    arrows = [j for j, g in enumerate(target.generators) if g[1] in reached]
    rows: list[list[int]] = []
    for i, (u, v) in enumerate(target.equations):
        if target.equation_source(i) in reached:
            row = [0] * (k + n)
            for j in u:
                row[j] += 1
            for j in v:
                row[j] -= 1
            rows.append(row)
    for (_, a, b), path in zip(source.generators, mapping.paths, strict=True):
        if sizes[a]:
            row = [0] * (k + n)
            for j in path:
                row[j] += 1
            row[k + a] += 1
            row[k + b] -= 1
            rows.append(row)
    part = _strong_components(len(target.objects), [target.generators[j][1:] for j in arrows])
    inner = [j for j in arrows if part[target.generators[j][1]] == part[target.generators[j][2]]]
    if not inner:
        return None
    for vector in _kernel(rows, k + n):
        # On a strongly connected part, every directed cycle has weight 0 exactly if w is a difference of potentials.
        height: dict[int, int] = {}
        for j in inner:
            start = target.generators[j][1]
            if start in height:
                continue
            height[start] = 0
            todo = [start]
            while todo:
                d = todo.pop()
                for i in inner:
                    _, a, b = target.generators[i]
                    if a == d and b not in height:
                        height[b] = height[a] + vector[i]
                        todo.append(b)
        if any(height[target.generators[j][2]] - height[target.generators[j][1]] != vector[j] for j in inner):
            return tuple(vector[j] if j in arrows else 0 for j in range(k))
    return None


def _strong_components(n: int, arrows: list[tuple[int, int]]) -> list[int]:
    """Strongly connected components by two depth-first passes (Kosaraju; Sharir 1981)."""
    out: list[list[int]] = [[] for _ in range(n)]
    back: list[list[int]] = [[] for _ in range(n)]
    for a, b in arrows:
        out[a].append(b)
        back[b].append(a)
    seen, order = [False] * n, []
    for s in range(n):
        stack = [] if seen[s] else [(s, 0)]
        seen[s] = True
        while stack:
            x, i = stack.pop()
            if i < len(out[x]):
                stack.append((x, i + 1))
                y = out[x][i]
                if not seen[y]:
                    seen[y] = True
                    stack.append((y, 0))
            else:
                order.append(x)
    part = [-1] * n
    for s in reversed(order):
        if part[s] >= 0:
            continue
        part[s] = s
        todo = [s]
        while todo:
            for y in back[todo.pop()]:
                if part[y] < 0:
                    part[y] = s
                    todo.append(y)
    return part


def _kernel(rows: list[list[int]], width: int) -> list[list[int]]:
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
