"""Random presented categories, maps between them and functors on them, for the tests."""

from __future__ import annotations

from hypothesis import strategies as st

from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation

Problem = tuple[PresentationMap, list[int], list[list[int]]]


def short_paths(presentation: Presentation, longest: int, most: int = 60) -> dict[tuple[int, int], list[Path]]:
    """All paths by their ends, up to a length; at most ``most`` of each length."""
    found: dict[tuple[int, int], list[Path]] = {}
    layer: list[tuple[int, int, Path]] = [(s, s, ()) for s in range(len(presentation.objects))]
    for _ in range(longest + 1):
        for a, b, path in layer:
            found.setdefault((a, b), []).append(path)
        layer = [(a, g[2], (*p, j)) for a, b, p in layer for j, g in enumerate(presentation.generators) if g[1] == b]
        layer = layer[:most]
    return found


@st.composite
def presentations(draw: st.DrawFn) -> Presentation:
    """A random graph with random path equations; loops mostly get an equation between two of their powers."""
    n = draw(st.integers(1, 3))
    end = st.integers(0, n - 1)
    arrows = tuple((f"g{j}", draw(end), draw(end)) for j in range(draw(st.integers(0, 4))))
    free = Presentation(tuple(f"d{i}" for i in range(n)), arrows)
    laws: list[tuple[Path, Path]] = []
    for j, (_, a, b) in enumerate(arrows):
        if a == b and draw(st.integers(0, 5)):
            high = draw(st.integers(1, 3))
            laws.append(((j,) * high, (j,) * draw(st.integers(0, high - 1))))
    choices = [paths for paths in short_paths(free, 3).values() if len(paths) > 1]
    for _ in range(draw(st.integers(0, 4)) if choices else 0):
        u, v = draw(st.sampled_from(choices).flatmap(lambda paths: st.tuples(*[st.sampled_from(paths)] * 2)))
        if u != v:
            laws.append((u, v))
    return Presentation(free.objects, arrows, tuple(laws))


@st.composite
def problems(draw: st.DrawFn, targets: st.SearchStrategy[Presentation]) -> Problem:
    """A free C on a random graph, a random map from it into a target, and a random functor on C."""
    target = draw(targets)
    n = draw(st.integers(1, 3))
    objects = tuple(draw(st.integers(0, len(target.objects) - 1)) for _ in range(n))
    sizes = [draw(st.integers(0, 4)) for _ in range(n)]
    paths = short_paths(target, 3)
    arrows, images, columns = [], [], []
    for j in range(draw(st.integers(0, 4))):
        a, b = draw(st.integers(0, n - 1)), draw(st.integers(0, n - 1))
        ways = paths.get((objects[a], objects[b]))
        if not ways or (sizes[a] and not sizes[b]):
            continue
        arrows.append((f"u{j}", a, b))
        images.append(draw(st.sampled_from(ways)))
        columns.append([draw(st.integers(0, sizes[b] - 1)) for _ in range(sizes[a])])
    source = Presentation(tuple(f"c{i}" for i in range(n)), tuple(arrows))
    return PresentationMap(source, target, objects, tuple(images)), sizes, columns
