"""What a named example is."""

from __future__ import annotations

from dataclasses import dataclass

from presheaf.errors import InputError
from presheaf.finite.presented.presentation import Presentation


@dataclass(frozen=True, slots=True, repr=False)
class Example:
    """A named presentation: ``presentation``, ``arrows`` (how many, None if infinitely many) and ``source``."""

    name: str
    presentation: Presentation
    arrows: int | None
    source: str

    def __repr__(self) -> str:
        size = "infinitely many" if self.arrows is None else str(self.arrows)
        return f"Example({self.name}: {size} arrows; {self.source})"


def at_least(name: str, value: int, least: int) -> None:
    """Raise an InputError that names the argument if it is below ``least``."""
    if value < least:
        raise InputError(f"{name!r} must be at least {least}; got {value}.")
