"""The strongly connected parts of a presentation, in an order in which every path leads forward."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush

from presheaf.finite.presented.presentation import Presentation


def strata(presentation: Presentation) -> tuple[tuple[int, ...], ...]:
    """Strongly connected parts of the objects; where there is a choice the one with the smallest object comes first.

    Cost: O((objects + generators) log objects).
    """
    n = len(presentation.objects)
    label = strong_components(n, ((a, b) for _, a, b in presentation.generators))
    members: dict[int, list[int]] = {}
    for s in range(n):
        members.setdefault(label[s], []).append(s)
    out: dict[int, list[int]] = {p: [] for p in members}
    waiting = dict.fromkeys(members, 0)
    for _, a, b in presentation.generators:
        if label[a] != label[b]:
            out[label[a]].append(label[b])
            waiting[label[b]] += 1
    ready = [(members[p][0], p) for p, w in waiting.items() if not w]
    heapify(ready)
    order = []
    while ready:
        _, p = heappop(ready)
        order.append(tuple(members[p]))
        for q in out[p]:
            waiting[q] -= 1
            if not waiting[q]:
                heappush(ready, (members[q][0], q))
    return tuple(order)


def strong_components(n: int, arrows: Iterable[tuple[int, int]]) -> list[int]:
    """A label for each of n nodes, equal exactly within strongly connected parts.

    Two depth-first passes (Kosaraju; Sharir 1981).
    """
    out: list[list[int]] = [[] for _ in range(n)]
    back: list[list[int]] = [[] for _ in range(n)]
    for a, b in arrows:
        out[a].append(b)
        back[b].append(a)
    part = [-1] * n
    for s in reversed(_by_finish(out)):
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


def _by_finish(out: Sequence[Sequence[int]]) -> list[int]:
    """Nodes in the order in which a depth-first search leaves them."""
    seen, order = [False] * len(out), []
    for s in range(len(out)):
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
    return order
