"""What a text means to a language model: its presheaf, the prompts nearest to it, and what it makes with other meanings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.defects import representability_defects
from presheaf.enriched.functor import functor_defect
from presheaf.enriched.hom import LIMIT, VARIANCES, Hom, Variance
from presheaf.enriched.quantale import excess
from presheaf.errors import InputError, one_of
from presheaf.language.prompt_hom import PromptCategory
from presheaf.language.text_category import TextCategory
from presheaf.language.texts import Text, shown

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Meaning:
    """A presheaf on the objects of a category of texts or prompts, in distances.

    Attributes
    ----------
    name : str
    distances : float64 array of shape (n,)
        Contravariant: how far each object is from being one of it. Covariant: how far it is from being each object.
    hom : Hom
    variance : "contravariant" or "covariant"
    names : tuple of str
        Of the objects.
    """

    name: str
    distances: Floats = field(repr=False)
    hom: Hom = field(repr=False)
    variance: Variance
    names: tuple[str, ...] = field(repr=False)

    def nearest(self, k: int = 5) -> tuple[tuple[str, float], ...]:
        """The k objects whose representables are nearest in the sup distance, with it: 0 for a text's own.

        sup_x |f(x) - hom(x, p)|, the defect of Theorem 1 at value level. Cost: n^2 distances.
        """
        rho = representability_defects(self.hom, self.distances, self.variance).rho
        return tuple((self.names[p], float(rho[p])) for p in np.argsort(rho, kind="stable")[:k])

    def below(self, other: Meaning) -> float:
        """Distance of hom(self, other) between presheaves, sup_x (other(x) - self(x))^+: 0 iff self <= other everywhere.

        For the meanings of two texts it is their distance in the category itself (Yoneda).
        """
        self._with(other)
        return float(excess(other.distances, self.distances).max(initial=0.0))

    def product(self, other: Meaning) -> Meaning:
        """Both: the smaller value at each object, so the larger distance."""
        self._with(other)
        return self._named(f"({self.name} and {other.name})", np.maximum(self.distances, other.distances))

    def coproduct(self, other: Meaning) -> Meaning:
        """Either: the larger value at each object, so the smaller distance."""
        self._with(other)
        return self._named(f"({self.name} or {other.name})", np.minimum(self.distances, other.distances))

    def implies(self, other: Meaning, limit_bytes: int = LIMIT) -> Meaning:
        """(f => g)(x) = inf_y [min(hom(x, y), f(y)), g(y)] for copresheaves, with hom(y, x) for presheaves.

        By Yoneda it is hom(h^x and f, g), and it is a copresheaf; it is the unit everywhere iff f <= g. With h and f <= g
        comes h <= (f => g). The converse holds with the tensor in place of the minimum, (f => g) (x) f <= g, and for the
        minimum itself only where the two are one, as in Bool: values here multiply. Cost: n^2 distances.
        """
        self._with(other)
        out = np.zeros(self.hom.n)
        for rows, block in self.hom.blocks(limit_bytes, np.float64):
            if self.variance == "covariant":
                held = np.maximum(block, self.distances)
                out[rows] = self.hom.quantale.residual(held, other.distances).max(axis=1, initial=0.0)
            else:
                held = np.maximum(block, self.distances[rows, None])
                reached = self.hom.quantale.residual(held, other.distances[rows, None]).max(axis=0, initial=0.0)
                np.maximum(out, reached, out=out)
        return self._named(f"({self.name} implies {other.name})", out)

    def defect(self) -> float:
        """By how much it misses being a presheaf; 0 up to rounding for every meaning made here. Cost: n^2 distances."""
        return functor_defect(self.hom, self.distances, self.variance)

    def __repr__(self) -> str:
        near = ", ".join(f"{shown(name, 24)} {rho:.3g}" for name, rho in self.nearest(3))
        return f"Meaning({self.name}, {self.variance}, on {self.hom.n:,} objects; nearest {near})"

    def _named(self, name: str, distances: Floats) -> Meaning:
        return replace(self, name=name, distances=distances)

    def _with(self, other: Meaning) -> None:
        if other.hom is not self.hom or other.variance != self.variance:
            raise InputError(
                "two meanings are put together on one category and in one variance; make both with the same category."
            )


def meaning(category: TextCategory | PromptCategory, text: Text, variance: Variance) -> Meaning:
    """The representable of a text: all that the category says of it.

    Parameters
    ----------
    category : TextCategory or PromptCategory
        A text's copresheaf in a TextCategory (covariant) is what can follow it, and how likely; in a PromptCategory the
        presheaf (contravariant) is which prompts it can stand for.
    text : str or token tuple
        One of the objects.
    variance : "contravariant" for hom(-, text), "covariant" for hom(text, -)

    Raises
    ------
    InputError
        If the text is no object.
    """
    one_of("variance", variance, VARIANCES)
    number = category.find(text)
    distances = np.asarray(category.hom.row(number, variance), dtype=np.float64)
    return Meaning(shown(category.names[number]), distances, category.hom, variance, category.names)
