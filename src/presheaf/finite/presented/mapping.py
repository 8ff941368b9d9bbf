"""A map of presentations: objects to objects, generators to paths."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from presheaf.errors import InputError
from presheaf.finite.presented.presentation import Path, Presentation, path_of


@dataclass(frozen=True, slots=True, repr=False)
class PresentationMap:
    """F: C -> D on generators.

    Parameters
    ----------
    source, target : Presentation
    objects : tuple of int, length n of the source
    paths : tuple of paths in the target, length k of the source
        The image of each generator, from the image of its source to the image of its target.

    Raises
    ------
    InputError
        Names the object or generator whose image does not fit.

    Notes
    -----
    That F carries equations to equations is a question about words of D, undecidable in general, and is not asked
    here. A left extension is the universal D-functor with a map from I that is natural in C's generators, so it is well
    defined either way and is the Kan extension when F is a functor.
    """

    source: Presentation
    target: Presentation
    objects: tuple[int, ...]
    paths: tuple[Path, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "objects", path_of("objects", self.objects))
        if isinstance(self.paths, (str, bytes)) or not isinstance(self.paths, Iterable):
            raise InputError(f"paths must be a tuple of paths; got {self.paths!r:.60}.")
        paths = tuple(path_of(f"image of generator {j}", path) for j, path in enumerate(self.paths))
        object.__setattr__(self, "paths", paths)
        if len(self.objects) != len(self.source.objects):
            raise InputError(
                f"the source has {len(self.source.objects)} objects, {len(self.objects)} images were given."
            )
        if len(self.paths) != len(self.source.generators):
            raise InputError(
                f"the source has {len(self.source.generators)} generators, {len(self.paths)} images were given."
            )
        for name, image in zip(self.source.objects, self.objects, strict=True):
            if not 0 <= image < len(self.target.objects):
                raise InputError(f"object {name!r} goes to object {image}; the target has {len(self.target.objects)}.")
        for (name, a, b), path in zip(self.source.generators, self.paths, strict=True):
            self.target.check_path(path, self.objects[a], self.objects[b], f"image of generator {name!r}")

    @classmethod
    def identity(cls, presentation: Presentation) -> PresentationMap:
        """The identity of a presented category."""
        n, k = len(presentation.objects), len(presentation.generators)
        return cls(presentation, presentation, tuple(range(n)), tuple((j,) for j in range(k)))

    @classmethod
    def point(cls, target: Presentation, at: int = 0) -> PresentationMap:
        """1 -> D: the category with one arrow, to object ``at``; the left extension of a point is D(at, -)."""
        return cls(Presentation(("point",), ()), target, (at,), ())

    def along(self, path: Path) -> Path:
        """F of a path of the source."""
        return tuple(j for u in path for j in self.paths[u])

    def then(self, after: PresentationMap) -> PresentationMap:
        """This map, then ``after``.

        Raises
        ------
        InputError
            If ``after`` starts from another presentation than this one ends at.
        """
        if after.source != self.target:
            raise InputError(f"the maps don't compose: {self.target!r} is not {after.source!r}.")
        objects = tuple(after.objects[image] for image in self.objects)
        return PresentationMap(self.source, after.target, objects, tuple(after.along(p) for p in self.paths))

    def __repr__(self) -> str:
        parts = [f"{a} -> {self.target.objects[b]}" for a, b in zip(self.source.objects, self.objects, strict=True)]
        parts += [f"{g[0]} -> {self.target.show(p)}" for g, p in zip(self.source.generators, self.paths, strict=True)]
        if len(parts) > 12:
            return f"PresentationMap({len(self.objects)} objects, {len(self.paths)} generators)"
        return f"PresentationMap({', '.join(parts)})"
