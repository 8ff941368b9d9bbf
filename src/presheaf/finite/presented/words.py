"""A small notation for words: ``a b^-1``, ``(a b)^11``, ``[a, b]^6``, ``1`` for the empty word."""

from __future__ import annotations

import re
from collections.abc import Sequence

from presheaf.errors import InputError

_TOKEN = re.compile(r"\s*(?:(\^\s*-?\d+)|([()\[\],])|([A-Za-z_][A-Za-z_0-9]*)|(1))")


def inverse(word: Sequence[int]) -> tuple[int, ...]:
    """The formal inverse of a signed word: reversed, every sign changed."""
    return tuple(-letter for letter in reversed(word))


def parse_word(text: str, names: Sequence[str]) -> tuple[int, ...]:
    """Read a word in path order; letter ``names[i]`` is ``i + 1``, its formal inverse ``-(i + 1)``.

    Juxtaposition composes, ``^k`` repeats (negative: the inverse), ``[u, v]`` is the commutator ``u^-1 v^-1 u v``, and
    ``1`` is the empty word. Names are letters, digits and underscores; they are set apart by spaces.

    Raises
    ------
    InputError
        With the column where reading stopped.
    """
    index = {name: i + 1 for i, name in enumerate(names)}
    position = 0

    def fail(said: str) -> InputError:
        return InputError(f"word {text!r}, column {position + 1}: {said}")

    def token() -> tuple[str, str] | None:
        nonlocal position
        if not text[position:].strip():
            return None
        found = _TOKEN.match(text, position)
        if found is None:
            raise fail("expected a generator, '(', '[', '^' or '1'.")
        position = found.end()
        kind = ("power", "mark", "name", "one")[(found.lastindex or 1) - 1]
        return kind, found.group(found.lastindex or 1)

    def product(closing: str) -> tuple[tuple[int, ...], str]:
        done: list[int] = []
        last: tuple[int, ...] | None = None
        while True:
            read = token()
            if read is None or (read[0] == "mark" and read[1] in ")],"):
                mark = "" if read is None else read[1]
                if mark not in closing.split("|"):
                    raise fail(f"expected {closing!r}, found {mark or 'the end'!r}.")
                return tuple(done) + (last or ()), mark
            kind, value = read
            if kind == "power":
                if last is None:
                    raise fail("'^' without a word before it.")
                power = int(value[1:])
                last = (last if power >= 0 else inverse(last)) * abs(power)
                continue
            done += last or ()
            if kind == "one":
                last = ()
            elif kind == "name":
                if value not in index:
                    raise fail(f"no generator is called {value!r}; there are {', '.join(names)}.")
                last = (index[value],)
            elif value == "(":
                last, _ = product(")")
            else:
                left, _ = product(",")
                right, _ = product("]")
                last = inverse(left) + inverse(right) + left + right

    word, _ = product("")
    return word
