"""A category given by objects, generators and path equations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, SupportsIndex

from presheaf.errors import InputError
from presheaf.finite.presented.words import parse_word

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Presentation:
    """A finitely presented category: the free category on a graph modulo path equations.

    Parameters
    ----------
    objects : tuple of str, length n
    generators : tuple of (name, source, target), length k
        Source and target are object numbers.
    equations : tuple of (path, path)
        A path is a tuple of generator numbers in path order (first arrow first). The two sides are parallel; an empty
        side is the identity of the object that the other side fixes.

    Raises
    ------
    InputError
        Names the generator or the equation that can't be read.

    Notes
    -----
    Only the shape is checked, in O(total length of the equations). Whether two paths are equal is undecidable in
    general; ``left_kan`` with the identity map decides it wherever the category is finite.
    """

    objects: tuple[str, ...]
    generators: tuple[tuple[str, int, int], ...]
    equations: tuple[tuple[Path, Path], ...] = ()

    def __post_init__(self) -> None:
        self._settle()
        _distinct("object", self.objects)
        _distinct("generator", tuple(g[0] for g in self.generators))
        for j, (name, source, target) in enumerate(self.generators):
            for end, value in (("source", source), ("target", target)):
                if not 0 <= value < len(self.objects):
                    raise InputError(
                        f"generator {j} ({name!r}): its {end} is object {value}, but there are {len(self.objects)} objects."
                    )
        for i, (left, right) in enumerate(self.equations):
            place = f"equation {i}"
            if not left and not right:
                raise InputError(f"{place}: both sides are empty, so no object is named; leave it out.")
            ends = [self._ends(side, place) for side in (left, right) if side]
            if len(ends) == 2 and ends[0] != ends[1]:
                raise InputError(
                    f"{place}: {self.show(left)} leads from {self._arrow(ends[0])}, "
                    f"{self.show(right)} from {self._arrow(ends[1])}; both sides must be parallel."
                )
            if len(ends) == 1 and ends[0][0] != ends[0][1]:
                raise InputError(
                    f"{place}: {self.show(left or right)} leads from {self._arrow(ends[0])}; no identity does."
                )

    def _settle(self) -> None:
        """Tuples of text and Python integers all the way down; InputError names what is none."""
        objects = _tuple("objects", self.objects)
        generators = []
        for j, given in enumerate(_tuple("generators", self.generators)):
            place = f"generator {j}"
            triple = _tuple(place, given)
            if len(triple) != 3:
                raise InputError(f"{place} must be (name, source, target); got {given!r:.60}.")
            generators.append(
                (triple[0], _whole(f"{place}: its source", triple[1]), _whole(f"{place}: its target", triple[2]))
            )
        equations = []
        for i, given in enumerate(_tuple("equations", self.equations)):
            pair = _tuple(f"equation {i}", given)
            if len(pair) != 2:
                raise InputError(f"equation {i} must be (path, path); got {given!r:.60}.")
            equations.append(tuple(path_of(f"equation {i}", side) for side in pair))
        for name, value in (("objects", objects), ("generators", tuple(generators)), ("equations", tuple(equations))):
            object.__setattr__(self, name, value)

    @classmethod
    def monoid(cls, generators: str, relations: Sequence[str] = ()) -> Presentation:
        """One object; ``generators`` are names set apart by spaces, a relation reads ``"a b = b a"`` or ``"a^2 = 1"``.

        Raises
        ------
        InputError
            With the relation's number, for a word that can't be read or that holds an inverse.
        """
        names = generators.split()
        equations: list[tuple[Path, Path]] = []
        for i, text in enumerate(relations):
            sides = text.split("=")
            if len(sides) < 2:
                raise InputError(f"relation {i} ({text!r}): expected 'word = word'.")
            read = [parse_word(side, names) for side in sides]
            if any(letter < 0 for side in read for letter in side):
                raise InputError(f"relation {i} ({text!r}): a monoid has no inverses; use Presentation.group.")
            paths = [tuple(letter - 1 for letter in side) for side in read]
            equations += [pair for pair in pairwise(paths) if pair != ((), ())]
        return cls(("*",), tuple((name, 0, 0) for name in names), tuple(equations))

    @classmethod
    def group(cls, generators: str, relations: Sequence[str] = ()) -> Presentation:
        """One object, every generator invertible; a relation is a word that equals 1, or ``"word = word"``.

        A generator whose square is a relation is its own inverse. Every other one gets a partner ``name^-1``, numbered
        after all given generators, and the two equations that make it an inverse.
        """
        names = generators.split()
        words: list[tuple[int, ...]] = []
        for text in relations:
            sides = [parse_word(side, names) for side in text.split("=")]
            first = sides[0] if len(sides) == 1 else None
            words += [first] if first is not None else [u + tuple(-x for x in reversed(v)) for u, v in pairwise(sides)]
        involutions = {word[0] for word in words if len(word) == 2 and word[0] == word[1] and word[0] > 0}
        arrows = [(name, 0, 0) for name in names]
        partner: dict[int, int] = {}
        equations: list[tuple[Path, Path]] = []
        for letter in range(1, len(names) + 1):
            if letter in involutions:
                partner[letter] = letter - 1
                continue
            partner[letter] = len(arrows)
            arrows.append((f"{names[letter - 1]}^-1", 0, 0))
            equations += [((letter - 1, partner[letter]), ()), ((partner[letter], letter - 1), ())]
        for word in words:
            path = tuple(x - 1 if x > 0 else partner[-x] for x in word)
            if path:
                equations.append((path, ()))
        return cls(("*",), tuple(arrows), tuple(equations))

    def source(self, path: Path) -> int:
        """Object where a path starts; an empty path has none (InputError)."""
        return self._end(path, 0)[1]

    def target(self, path: Path) -> int:
        """Object where a path ends; an empty path has none (InputError)."""
        return self._end(path, -1)[2]

    def check_path(self, path: Path, start: int, end: int, place: str) -> None:
        """Raise an InputError that begins with ``place`` unless ``path`` leads from ``start`` to ``end``."""
        ends = self._ends(path, place) if path else (start, start)
        if ends != (start, end):
            raise InputError(
                f"{place}: {self.show(path)} leads from {self._arrow(ends)}; expected {self._arrow((start, end))}."
            )

    def generator(self, name: str) -> int:
        """Number of the generator called ``name``; InputError if there is none."""
        for j, (given, _, _) in enumerate(self.generators):
            if given == name:
                return j
        raise InputError(f"no generator is called {name!r}; there are {', '.join(g[0] for g in self.generators)}.")

    def path(self, text: str) -> Path:
        """The path written as generator names set apart by spaces, ``"a b"`` being a, then b."""
        return tuple(self.generator(name) for name in text.split())

    def show(self, path: Path) -> str:
        """A path as names set apart by spaces, ``1`` if it is empty."""
        return " ".join(self.generators[j][0] for j in path) or "1"

    def equation(self, i: int) -> str:
        """Equation ``i`` as text."""
        left, right = self.equations[i]
        return f"{self.show(left)} = {self.show(right)}"

    def equation_source(self, i: int) -> int:
        """Object where both sides of equation ``i`` start."""
        left, right = self.equations[i]
        return self.source(left or right)

    def plainly_equal(self, left: Path, right: Path) -> bool:
        """Whether two parallel paths are the same, or become so by one use of one equation. False says nothing.

        Cost: squared length of the paths x equations.
        """
        if left == right:
            return True
        head = 0
        while head < min(len(left), len(right)) and left[head] == right[head]:
            head += 1
        for pair in self.equations:
            for u, v in (pair, pair[::-1]):
                # The equation may begin inside the common head, for its two sides may begin alike.
                for i in range(head + 1):
                    if left[i : i + len(u)] == u and left[:i] + v + left[i + len(u) :] == right:
                        return True
        return False

    def _end(self, path: Path, at: int) -> tuple[str, int, int]:
        if not path:
            raise InputError("an empty path is an identity and does not tell its object.")
        if not 0 <= path[at] < len(self.generators):
            raise InputError(f"there is no generator {path[at]}; they are numbered 0 to {len(self.generators) - 1}.")
        return self.generators[path[at]]

    def _ends(self, path: Path, place: str) -> tuple[int, int]:
        for j in path:
            if not 0 <= j < len(self.generators):
                raise InputError(
                    f"{place}: there is no generator {j}; they are numbered 0 to {len(self.generators) - 1}."
                )
        for at, (f, g) in enumerate(pairwise(path)):
            if self.generators[f][2] != self.generators[g][1]:
                raise InputError(
                    f"{place}: step {at} ({self.generators[f][0]!r}) ends at {self.objects[self.generators[f][2]]!r}, "
                    f"step {at + 1} ({self.generators[g][0]!r}) starts at {self.objects[self.generators[g][1]]!r}."
                )
        return self.generators[path[0]][1], self.generators[path[-1]][2]

    def _arrow(self, ends: tuple[int, int]) -> str:
        return f"{self.objects[ends[0]]!r} to {self.objects[ends[1]]!r}"

    def __repr__(self) -> str:
        sizes = len(self.objects), len(self.generators), len(self.equations)
        head = "Presentation({} objects, {} generators, {} equations".format(*sizes)
        if len(self.generators) + len(self.equations) > 12:
            return head + ")"
        arrows = ", ".join(f"{g}: {self.objects[s]} -> {self.objects[t]}" for g, s, t in self.generators)
        laws = "; ".join(self.equation(i) for i in range(len(self.equations)))
        return head + (f": {arrows}" if arrows else "") + (f" | {laws}" if laws else "") + ")"


def _tuple(what: str, values: Any) -> tuple[Any, ...]:
    if type(values) is tuple:
        return values
    if isinstance(values, (str, bytes, Set, Mapping)) or not isinstance(values, Iterable):
        raise InputError(f"{what} must be a tuple; got {values!r:.60}.")
    return tuple(values)


def _whole(what: str, value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise InputError(f"{what} must be a number of an object or generator; got {value!r:.60}.")
    return int(value)


def path_of(what: str, letters: Any) -> Path:
    """A path as a tuple of Python integers; InputError begins with ``what`` where it is none."""
    return tuple(_whole(f"{what}: a letter", j) for j in _tuple(f"{what}: a path", letters))


def _distinct(kind: str, names: tuple[str, ...]) -> None:
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        if not isinstance(name, str):
            raise InputError(f"{kind} {i} must be called by text; got {name!r:.60}.")
        if name in seen:
            raise InputError(f"{kind}s {seen[name]} and {i} are both called {name!r}; names must differ.")
        seen[name] = i
