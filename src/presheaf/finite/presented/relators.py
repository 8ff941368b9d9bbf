"""Equations between invertible arrows as relators, and the rotations that Felsch's method scans."""

from __future__ import annotations

from dataclasses import dataclass

from presheaf.finite.presented.presentation import Path, Presentation


@dataclass(frozen=True, slots=True)
class Groupoid:
    """A presented groupoid, ready for two-sided scans.

    ``sources``, ``targets`` and ``inverse`` are by letter: first the generators in their order, then an inverse for
    each generator that has none among them. ``relators`` are loops that equal identities, cyclically reduced, shortest
    first; ``rotations`` are all distinct rotations of the relators and of their inverses, by first letter, then by length.
    """

    sources: tuple[int, ...]
    targets: tuple[int, ...]
    inverse: tuple[int, ...]
    relators: tuple[Path, ...]
    rotations: tuple[Path, ...]


def groupoid(presentation: Presentation) -> Groupoid:
    """Relators of a presentation all of whose generators are invertible (``invertible_generators``).

    An equation ``a b = 1`` makes b the letter for the inverse of a and then needs no scan. Cost: the sum of squares of
    the relators' lengths, for the rotations.
    """
    sources = [g[1] for g in presentation.generators]
    targets = [g[2] for g in presentation.generators]
    inverse = [-1] * len(sources)
    for u, v in presentation.equations:
        word = u or v
        if (not u or not v) and len(word) == 2 and inverse[word[0]] < 0 and inverse[word[1]] < 0:
            inverse[word[0]], inverse[word[1]] = word[1], word[0]
    for letter in range(len(presentation.generators)):
        if inverse[letter] < 0:
            inverse[letter] = len(sources)
            inverse.append(letter)
            sources.append(targets[letter])
            targets.append(sources[letter])
    kept: dict[Path, Path] = {}
    for u, v in presentation.equations:
        word = _reduced(u + tuple(inverse[x] for x in reversed(v)), inverse)
        if word:
            back = tuple(inverse[x] for x in reversed(word))
            kept.setdefault(min(_rotations(word) + _rotations(back)), word)
    relators = sorted(kept.values(), key=lambda w: (len(w), w))
    turned = {
        w for word in relators for side in (word, tuple(inverse[x] for x in reversed(word))) for w in _rotations(side)
    }
    rotations = sorted(turned, key=lambda w: (w[0], len(w), w))
    return Groupoid(tuple(sources), tuple(targets), tuple(inverse), tuple(relators), tuple(rotations))


def _reduced(word: Path, inverse: list[int]) -> Path:
    done: list[int] = []
    for letter in word:
        if done and done[-1] == inverse[letter]:
            done.pop()
        else:
            done.append(letter)
    while len(done) > 1 and done[0] == inverse[done[-1]]:
        done = done[1:-1]
    return tuple(done)


def _rotations(word: Path) -> list[Path]:
    return [word[i:] + word[:i] for i in range(len(word))]
