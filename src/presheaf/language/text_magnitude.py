"""Magnitude of a category of texts: closed form over the trie, and of all that can follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError
from presheaf.language.continuations import next_rows
from presheaf.language.text_category import TextCategory

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TextMagnitude:
    """Magnitude of texts at some scales t; arrays of shape (m,).

    Attributes
    ----------
    t, value : float64 arrays
        Number of objects minus the sum of pi(y | x)^t over pairs of a text and the text right after it.
    derivative : float64 array
        d value / d t in nats.
    slope_at_one : float
        The derivative at t = 1, the sum of -pi ln pi over these pairs in nats: with ``grown`` the sum of the Shannon entropies
        of what follows each text.
    objects, edges : int
    grown : bool
        Whether every one-token continuation of every text is an object too.
    """

    t: Floats
    value: Floats = field(repr=False)
    derivative: Floats = field(repr=False)
    slope_at_one: float
    objects: int
    edges: int
    grown: bool

    @property
    def kind(self) -> str:
        """``proof``: a closed form, given the model's probabilities."""
        return "proof"

    def rows(self) -> Iterator[tuple[float, float, float]]:
        """(t, value, derivative), a scale at a time."""
        yield from zip(self.t.tolist(), self.value.tolist(), self.derivative.tolist(), strict=True)

    def __repr__(self) -> str:
        values = ", ".join(f"{v:.6g} at t={t:g}" for t, v, _ in self.rows())
        how = ", with all that can follow" if self.grown else ""
        return f"TextMagnitude({values}; slope {self.slope_at_one:.6g} nats at 1; {self.objects:,} objects{how})"


def text_magnitude(category: TextCategory, t: ArrayLike, *, grown: bool = False) -> TextMagnitude:
    """Magnitude function of a category of texts.

    Parameters
    ----------
    category : TextCategory
    t : float or float array of shape (m,), >= 0
        Scales: sizes are pi^t.
    grown : bool
        Add every one-token continuation of every text as an object: the full tree below the texts, whose slope at 1 is the
        sum of their next-token entropies. Every text with one before it must be one token longer than it
        (``text_category(..., prefixes=True)``). A text that can't go on (a token that ends texts) should not be among them.

    Raises
    ------
    InputError
        If a scale is none, or the texts leave gaps and ``grown`` is asked for.

    Notes
    -----
    Mag(t) = #objects - sum over cover pairs of pi(y | x)^t, for any finite set of texts; for a full tree that is #complete texts
    + (t - 1) sum of Tsallis entropies H_t (Bradley and Vigneaux 2025, "The magnitude of categories of texts enriched by language
    models"). At t = 1 a full tree counts the texts that can't go on, at 0 it is 1 for each root if all is possible. Cost:
    objects x m; with ``grown`` one next-token distribution a text, in blocks of 256 MiB.
    """
    scales = np.atleast_1d(np.asarray(t, dtype=np.float64))
    if scales.ndim != 1 or not (np.isfinite(scales) & (scales >= 0)).all():
        raise InputError(f"scales must be finite numbers >= 0; got {t!r}.")
    below = category.parent >= 0
    if not grown:
        sums = _Sums(scales)
        sums.add(-category.surprise[below])
        return sums.magnitude(len(category), int(below.sum()), grown)
    lengths = np.fromiter((len(text) for text in category.texts), dtype=np.int64, count=len(category))
    if (lengths[below] != lengths[category.parent[below]] + 1).any():
        raise InputError(
            "magnitude with all that can follow needs texts without gaps: each one token longer than the one before it. Make "
            "the category with text_category(..., prefixes=True)."
        )
    sums = _Sums(scales)
    step = next_rows(category.model)
    for start in range(0, len(category), step):
        sums.add(category.model.next_log_probs(category.texts[start : start + step]).astype(np.float64).ravel())
    edges = len(category) * category.model.vocabulary
    return sums.magnitude(int((~below).sum()) + edges, edges, grown)


class _Sums:
    """Running sums over pairs of a text and the one right after it: of p^t and of -p^t ln p, and the latter at t = 1.

    From logarithms, because the probability of a long step underflows while its power may not.
    """

    def __init__(self, scales: Floats) -> None:
        self.scales = scales
        self.power, self.drop, self.slope = np.zeros(len(scales)), np.zeros(len(scales)), 0.0

    def add(self, logs: Floats) -> None:
        seen = np.minimum(logs[np.isfinite(logs)], 0.0)
        self.slope -= float(np.exp(seen) @ seen)
        for i, scale in enumerate(self.scales):
            sizes = np.exp(scale * seen)
            self.power[i] += sizes.sum()
            self.drop[i] -= sizes @ seen

    def magnitude(self, objects: int, edges: int, grown: bool) -> TextMagnitude:
        return TextMagnitude(self.scales, objects - self.power, self.drop, self.slope, objects, edges, grown)
