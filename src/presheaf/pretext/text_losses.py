"""How well texts are predicted: nats a token and a character, with intervals over texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError
from presheaf.models.lm.ngram import NGramModel
from presheaf.statistics.intervals import Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TextLoss:
    """Cross entropy on some texts, in nats; intervals at 95 % over texts.

    Attributes
    ----------
    per_token, per_character : Interval
        Sum over texts divided by the number of tokens, or of characters, that were predicted. Only the second compares models
        with different tokens.
    texts, tokens, characters : int
        What was predicted.
    """

    per_token: Interval
    per_character: Interval
    texts: int
    tokens: int
    characters: int

    @property
    def bits_per_character(self) -> float:
        return self.per_character.value / log(2)

    def __repr__(self) -> str:
        t, c = self.per_token, self.per_character
        return (
            f"TextLoss({t.value:.4g} [{t.low:.4g}, {t.high:.4g}] nats a token, {c.value:.4g} [{c.low:.4g}, {c.high:.4g}] a "
            f"character; {self.texts:,} texts, {self.tokens:,} tokens, {self.characters:,} characters)"
        )


def text_loss(nats: ArrayLike, tokens: ArrayLike, characters: ArrayLike) -> TextLoss:
    """The loss from each text's nats, and its numbers of predicted tokens and characters, arrays of shape (n,).

    Raises
    ------
    InputError
        If nothing was predicted.

    Notes
    -----
    The interval of a ratio of sums is Student's t for its linearisation, the residuals nats - ratio x count (Cochran 1977,
    Sampling Techniques).
    """
    sums, per, letters = (np.asarray(values, dtype=np.float64) for values in (nats, tokens, characters))
    if not per.sum() or not letters.sum():
        raise InputError(f"There is nothing to predict in {len(per)} texts.")
    return TextLoss(_ratio(sums, per), _ratio(sums, letters), len(per), int(per.sum()), int(letters.sum()))


def ngram_loss(model: NGramModel, texts: Sequence[str]) -> TextLoss:
    """The loss of the library's Kneser-Ney model, each text with its end, which counts as one token and one character.

    Compare characters only where the model's unit is the byte or the character: words drop white space.
    """
    found = model.token_log_probs([(*model.tokens(text), model.end) for text in texts])
    return text_loss(
        [-values.sum() for values in found], [len(values) for values in found], [len(text) + 1 for text in texts]
    )


def _ratio(above: Floats, below: Floats) -> Interval:
    from scipy.special import stdtrit

    n, value = len(above), float(above.sum() / below.sum())
    if n < 2:
        return Interval(value, 0.0, inf, n, float(n), "one text")
    deviation = sqrt(float(np.var(above - value * below, ddof=1)) / n) / float(below.mean())
    half = float(stdtrit(n - 1, 0.975)) * deviation
    return Interval(value, max(0.0, value - half), value + half, n, float(n), "t of a ratio over texts")
