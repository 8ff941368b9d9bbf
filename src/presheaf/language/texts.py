"""Texts as objects: tuples of tokens, named the way a reader would print them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.models.lm.base import LocalLanguageModel, Tokens

Text = str | Sequence[int]
"""A string, turned into tokens by the model, or the tokens themselves."""


def as_tokens(model: LocalLanguageModel, texts: Sequence[Text], name: str = "texts") -> list[Tokens]:
    """Each text as a tuple of the model's tokens.

    Raises
    ------
    InputError
        If ``texts`` is one string, an entry is neither a string nor whole numbers, or a number is no token of the model.
    """
    if isinstance(texts, str):
        raise InputError(f"{name} must be a list of texts; got one string. Put it in brackets.")
    out: list[Tokens] = []
    for position, text in enumerate(texts):
        if isinstance(text, str):
            out.append(tuple(model.tokens(text)))
            continue
        numbers = np.asarray(text)
        if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
            raise InputError(
                f"{name} must hold strings or tuples of token numbers; got {text!r} at position {position}."
            )
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < model.vocabulary:
            raise InputError(
                f"token numbers must lie in 0..{model.vocabulary - 1}; {name} holds {numbers.min()}..{numbers.max()} at "
                f"position {position}."
            )
        out.append(tuple(int(token) for token in numbers))
    return out


def check_window(model: LocalLanguageModel, longest: int, name: str) -> None:
    """Refuse texts that the network would not read whole: cut texts are other objects.

    Raises
    ------
    InputError
        If ``longest`` tokens are more than the model's window.
    """
    if model.window is not None and longest > model.window:
        raise InputError(
            f"{name} of {longest} tokens run past the model's window of {model.window}: their beginning would be lost, and "
            "with it the object. Leave them out or shorten them."
        )


def distinct(tokens: Sequence[Tokens]) -> tuple[tuple[Tokens, ...], NDArray[np.int64]]:
    """The different texts in the order of their first occurrence, and the number of each given one, shape (n,)."""
    number: dict[Tokens, int] = {}
    of = np.fromiter((number.setdefault(text, len(number)) for text in tokens), dtype=np.int64, count=len(tokens))
    return tuple(number), of


def shown(text: str, width: int = 40) -> str:
    """A text in quotes, shortened in the middle."""
    cut = text if len(text) <= width else f"{text[: width // 2]} ... {text[-width // 2 :]}"
    return repr(cut)
