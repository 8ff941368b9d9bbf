"""The part of a presentation that lies over some of its objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from presheaf.finite.presented.presentation import Path, Presentation


@dataclass(frozen=True, slots=True)
class Part:
    """Some objects, the generators between them and the equations that stay among them.

    ``objects`` and ``generators`` are numbers in the whole; ``object_at`` and ``generator_at`` lead back.
    """

    presentation: Presentation
    objects: tuple[int, ...]
    generators: tuple[int, ...]
    object_at: dict[int, int]
    generator_at: dict[int, int]

    def outer(self, path: Path) -> Path:
        """A path of the part as one of the whole."""
        return tuple(self.generators[j] for j in path)

    def inner(self, path: Path) -> Path:
        """A path of the whole that stays in the part, as one of the part."""
        return tuple(self.generator_at[j] for j in path)


def part_over(whole: Presentation, objects: Iterable[int]) -> Part:
    """The full part over some objects. Where no path leaves them and comes back, it presents the full subcategory."""
    kept = tuple(sorted(objects))
    object_at = {s: i for i, s in enumerate(kept)}
    generators = tuple(j for j, (_, a, b) in enumerate(whole.generators) if a in object_at and b in object_at)
    generator_at = {j: i for i, j in enumerate(generators)}
    part = Presentation(
        tuple(whole.objects[s] for s in kept),
        tuple(
            (whole.generators[j][0], object_at[whole.generators[j][1]], object_at[whole.generators[j][2]])
            for j in generators
        ),
        tuple(
            (tuple(generator_at[j] for j in u), tuple(generator_at[j] for j in v))
            for u, v in whole.equations
            if all(j in generator_at for j in (*u, *v))
        ),
    )
    return Part(part, kept, generators, object_at, generator_at)


def reached(presentation: Presentation, start: Iterable[int], *, backwards: bool = False) -> set[int]:
    """The objects that some path leads to from ``start`` (``backwards``: from which one leads to it)."""
    step: dict[int, list[int]] = {}
    for _, a, b in presentation.generators:
        if backwards:
            a, b = b, a
        step.setdefault(a, []).append(b)
    found = set(start)
    front = list(found)
    while front:
        for b in step.get(front.pop(), ()):
            if b not in found:
                found.add(b)
                front.append(b)
    return found
