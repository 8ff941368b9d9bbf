"""Which generators of a presented category are invertible, as far as its equations say so plainly."""

from __future__ import annotations

from presheaf.finite.presented.presentation import Path, Presentation


def invertible_generators(presentation: Presentation) -> tuple[bool, ...]:
    """Generators that some equations ``word = identity`` make invertible.

    The first letter of a word that equals an identity has a right inverse, the last a left inverse. A letter with both
    is invertible; an invertible letter at the front may move to the back and the other way round, which lays bare the
    next one. Sound, not complete: ``a b = 1`` alone makes neither invertible (the bicyclic monoid), ``a^3 = 1`` does.

    Returns
    -------
    tuple of bool, length k

    Notes
    -----
    O(k times the total length of the equations).
    """
    k = len(presentation.generators)
    right, left, sure = [False] * k, [False] * k, [False] * k
    loops = [u or v for u, v in presentation.equations if not u or not v]
    changed = True
    while changed:
        changed = False
        for word in loops:
            for letter in _ends(word, sure, 1):
                changed |= not right[letter]
                right[letter] = True
            for letter in _ends(word, sure, -1):
                changed |= not left[letter]
                left[letter] = True
        sure = [a and b for a, b in zip(left, right, strict=True)]
    return tuple(sure)


def _ends(word: Path, sure: list[bool], step: int) -> list[int]:
    """Letters that stand first (step 1) or last (-1) in a word after its invertible ends are turned around."""
    found = []
    rest = list(word)
    while rest and sure[rest[0]]:
        rest.pop(0)
    while rest and sure[rest[-1]]:
        rest.pop()
    if rest:
        found.append(rest[0] if step == 1 else rest[-1])
    return found
