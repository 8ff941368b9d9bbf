"""What Sigma comes to, table by table: a plan read off the schemas, the same for every instance and every SQL engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from presheaf.errors import InputError
from presheaf.finite.columns.budget import Budget
from presheaf.finite.presented.kan_left import LeftKan, hom_from
from presheaf.finite.presented.presentation import Path, Presentation

ARROW_LIMIT = 100_000
"""Most arrows out of one table of the target that a plan lists; with more of them a statement would not be read."""


@dataclass(frozen=True, slots=True)
class Vertex:
    """A table c of the source and an arrow of the target: number ``arrow`` of D(Fc, d)."""

    table: int
    arrow: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a vertex's rows are found: at vertex ``root``, by the source's path between the two."""

    root: int
    path: Path


@dataclass(frozen=True, slots=True)
class Link:
    """Two paths out of one table of the source whose ends become one row."""

    table: int
    left: Place
    right: Place


@dataclass(frozen=True, slots=True, repr=False)
class ColimitPlan:
    """Sigma at one table of the target: the colimit of the source's tables over the comma category F/d.

    Attributes
    ----------
    vertices : all (c, h: Fc -> d)
    places : for each vertex the root at which its rows are found
    links : equalities between roots' rows that are left over; none where the result is a disjoint union
    keys : vertices of which one row in each class has its least word, in the order of words, see ``rank``
    rank : for each vertex (length of h's least word, c): the canonical numbering goes by it, then by row, then by h
    """

    vertices: tuple[Vertex, ...]
    places: tuple[Place, ...]
    links: tuple[Link, ...]
    keys: tuple[int, ...]
    rank: tuple[tuple[int, int], ...]

    @property
    def roots(self) -> tuple[int, ...]:
        """Vertices found at themselves."""
        return tuple(v for v, place in enumerate(self.places) if place == Place(v, ()))

    @property
    def disjoint(self) -> bool:
        """Whether the roots' rows are the result, each once, in the canonical order: a UNION ALL."""
        return not self.links and self.roots == self.keys


@dataclass(slots=True)
class Homs:
    """The arrows of a presented category, listed object by object as far as asked for.

    Arrow ``h`` of ``(a, b)`` is number h in the canonical order: by length of its least word, then by that word.

    Raises
    ------
    InputError
        From every method, if there are more than ``ARROW_LIMIT`` arrows out of the object, or infinitely many.
    """

    presentation: Presentation
    _from: dict[int, LeftKan] = field(default_factory=dict)
    _words: dict[tuple[int, int], list[Path]] = field(default_factory=dict)

    def out_of(self, a: int) -> LeftKan:
        """All arrows out of ``a``."""
        if a not in self._from:
            found = hom_from(self.presentation, a, budget=Budget(rows=20 * ARROW_LIMIT, seconds=60.0))
            if not found.complete or int(found.sizes.sum()) > ARROW_LIMIT:
                raise InputError(
                    f"the paths out of table {self.presentation.objects[a]!r} of the target can't be listed for SQL "
                    f"({found!r}; the limit is {ARROW_LIMIT:,}); use the engine, which needs no such list."
                )
            self._from[a] = found
        return self._from[a]

    def words(self, a: int, b: int) -> list[Path]:
        """A least word for each arrow from ``a`` to ``b``."""
        if (a, b) not in self._words:
            found = self.out_of(a)
            self._words[a, b] = [found.word(b, h)[2] for h in range(int(found.sizes[b]))]
        return self._words[a, b]

    def number(self, a: int, path: Path) -> int:
        """The arrow that a path out of ``a`` stands for."""
        columns, at = self.out_of(a).columns, 0
        for g in path:
            at = int(columns[g][at])
        return at


Same = Callable[[int, Path, Path], bool]


def equal_paths(presentation: Presentation) -> Same:
    """Whether two parallel paths out of an object are known to be equal; False where the object has too many arrows."""
    homs = Homs(presentation)

    def same(a: int, left: Path, right: Path) -> bool:
        if left == right:
            return True
        try:
            return homs.number(a, left) == homs.number(a, right)
        except InputError:
            return False

    return same


@dataclass(frozen=True, slots=True)
class _Edge:
    """A generator of the source between two vertices of a comma category."""

    start: int
    generator: int
    end: int


def colimit_plan(
    homs: Homs,
    source: Presentation,
    objects: Sequence[int],
    paths: Sequence[Path],
    at: int,
    same: Same,
) -> ColimitPlan:
    """Plan Sigma at object ``at`` of the target, for the map with these ``objects`` and ``paths``.

    The colimit of x in I(c) over all (c, h: Fc -> d) with (c, F(u) h', x) ~ (c', h', I(u) x) is cut along a forest:
    every vertex that has an arrow of the comma category to another one is replaced by it, and only the arrows beside
    the forest are left as equalities. Those that C's equations imply are dropped.

    Cost: O(vertices x (edges + vertices)) on the schemas; no data is looked at.
    """
    vertices = [Vertex(c, h) for c in range(len(source.objects)) for h in range(len(homs.words(objects[c], at)))]
    index = {v: i for i, v in enumerate(vertices)}
    rank = [(len(homs.words(objects[v.table], at)[v.arrow]), v.table) for v in vertices]
    edges = []
    for u, (_, a, b) in enumerate(source.generators):
        for h, word in enumerate(homs.words(objects[b], at)):
            start = Vertex(a, homs.number(objects[a], paths[u] + word))
            edges.append(_Edge(index[start], u, index[Vertex(b, h)]))
    reach = _reachable(len(vertices), edges)
    places = _forest(len(vertices), edges, reach, lambda v: (*rank[v], vertices[v].arrow))
    links = []
    for edge in edges:
        c = vertices[edge.start].table
        there = places[edge.end]
        right = Place(there.root, (edge.generator, *there.path))
        left = places[edge.start]
        if left.root != right.root or not same(c, left.path, right.path):
            links.append(Link(c, left, right))
    keys = [v for v in range(len(vertices)) if all(rank[w] >= rank[v] for w in reach[v])]
    return ColimitPlan(tuple(vertices), tuple(places), tuple(dict.fromkeys(links)), tuple(keys), tuple(rank))


def _reachable(n: int, edges: Sequence[_Edge]) -> list[set[int]]:
    """For each vertex those that a path leads to, itself included."""
    after: list[list[int]] = [[] for _ in range(n)]
    for edge in edges:
        after[edge.start].append(edge.end)
    found = []
    for v in range(n):
        seen, todo = {v}, [v]
        while todo:
            for w in after[todo.pop()]:
                if w not in seen:
                    seen.add(w)
                    todo.append(w)
        found.append(seen)
    return found


def _forest(n: int, edges: Sequence[_Edge], reach: Sequence[set[int]], order: Callable[[int], object]) -> list[Place]:
    """Roots in the components that nothing leaves, the first of each by ``order``, and shortest paths to a root."""
    roots = [
        v
        for v in range(n)
        if all(v in reach[w] for w in reach[v]) and min(reach[v], key=order) == v  # type: ignore[arg-type]
    ]
    into: list[list[_Edge]] = [[] for _ in range(n)]
    for edge in edges:
        into[edge.end].append(edge)
    places: dict[int, Place] = {v: Place(v, ()) for v in sorted(roots, key=order)}  # type: ignore[arg-type]
    todo = deque(places)
    while todo:
        w = todo.popleft()
        for edge in into[w]:
            if edge.start not in places:
                places[edge.start] = Place(places[w].root, (edge.generator, *places[w].path))
                todo.append(edge.start)
    return [places[v] for v in range(n)]
