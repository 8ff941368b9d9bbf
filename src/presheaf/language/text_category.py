"""The category a language model makes of texts: objects are token tuples, hom(x, y) = pi(y | x) where x is a prefix of y."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.hom import Hom
from presheaf.enriched.prefix import prefix_parents
from presheaf.enriched.quantale import COST
from presheaf.errors import InputError, ModelError
from presheaf.language.prefix_source import prefix_source
from presheaf.language.texts import Text, as_tokens, check_window, distinct, shown
from presheaf.models.lm.base import LocalLanguageModel, Tokens

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LAWFUL = "proof: probabilities multiply along token prefixes, so -ln pi adds, and pi(x | x) = 1"


@dataclass(frozen=True, eq=False)
class TextCategory:
    """n texts with pi(y | x) for every prefix x of y.

    Attributes
    ----------
    model : LocalLanguageModel
    texts : tuple of token tuples
        The objects, each once.
    given : int64 array of shape (m,)
        The object of each text that was given: two strings with equal tokens are one object.
    parent : int64 array of shape (n,)
        The longest other object that is a prefix, -1 where there is none.
    surprise : float64 array of shape (n,)
        -ln pi(text | parent) in nats, inf where it is impossible; 0 where there is no parent.
    """

    model: LocalLanguageModel = field(repr=False)
    texts: tuple[Tokens, ...] = field(repr=False)
    given: Ints = field(repr=False)
    parent: Ints = field(repr=False)
    surprise: Floats = field(repr=False)

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        edges, roots = int((self.parent >= 0).sum()), int((self.parent < 0).sum())
        return (
            f"TextCategory({self.model.info.name}: {len(self.given):,} texts given, {len(self):,} objects, {edges:,} right "
            f"after another, {roots:,} after none)"
        )

    @property
    def probability(self) -> Floats:
        """pi(text | parent), shape (n,); 1 where there is no parent."""
        return np.asarray(np.exp(-self.surprise))

    @cached_property
    def hom(self) -> Hom:
        """D[x, y] = -ln pi(y | x) in nats, inf where x is no prefix of y. Directed, quantale COST, no number fitted.

        Memory: four numbers an object. Cost: linear here, and one subtraction for each distance that is asked for.
        """
        source = prefix_source(self.parent, self.surprise)
        return Hom(source, f"-ln pi of {self.model.info.name}", COST, False, True, LAWFUL)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Each object as the tokenizer prints it."""
        return tuple(self.model.text(tokens) for tokens in self.texts)

    def find(self, text: Text) -> int:
        """The object that is this text.

        Raises
        ------
        InputError
            If none is.
        """
        (tokens,) = as_tokens(self.model, [text], "text")
        if tokens not in self._number:
            raise InputError(
                f"{shown(self.model.text(tokens))} is no object here. Give it to text_category with the others."
            )
        return self._number[tokens]

    @cached_property
    def _number(self) -> dict[Tokens, int]:
        return {tokens: number for number, tokens in enumerate(self.texts)}


def text_category(
    model: LocalLanguageModel, texts: Sequence[Text], *, prefixes: bool = False, root: bool = False
) -> TextCategory:
    """The category of some texts, enriched by a language model.

    Parameters
    ----------
    model : LocalLanguageModel
    texts : sequence of strings or of token tuples
        Strings are turned into tokens once, each as a whole; from then on only tokens are compared.
    prefixes : bool
        Add every non-empty prefix of a text as an object, so that neighbours are one token apart.
    root : bool
        Add the empty text, a prefix of all.

    Returns
    -------
    TextCategory

    Raises
    ------
    InputError
        If there are no texts, an entry is none, or a text is longer than the model's window.
    ModelError
        If the model gives something else than a log-probability for each token.

    Notes
    -----
    pi(y | x) is the product of next-token probabilities from x to y, and 0 where x is no prefix of y (Bradley, Terilla and
    Vlassopoulos 2021, "An enriched category theory of language"). Along prefixes composition is an equality; it holds for
    token tuples only, see ``check_composition``. Cost: one pass of the model over the trie of the texts.
    """
    tokens = as_tokens(model, texts)
    if not tokens:
        raise InputError("texts must hold at least one text; got none.")
    check_window(model, max(map(len, tokens)), "texts")
    wanted = list(tokens)
    if prefixes:
        wanted += [text[:end] for text in dict.fromkeys(tokens) for end in range(1, len(text))]
    if root:
        wanted.append(())
    objects, of = distinct(wanted)
    parent = prefix_parents(objects)
    return TextCategory(model, objects, of[: len(tokens)], parent, _surprise(model, objects, parent))


def sequence_log_probs(model: LocalLanguageModel, sequences: Sequence[Tokens]) -> list[Floats]:
    """``model.token_log_probs``, checked and never above 0: a softmax may round to a probability just over 1.

    Raises
    ------
    ModelError
        If there is not one number for each token.
    """
    found = model.token_log_probs(sequences)
    out = []
    for sequence, values in zip(sequences, found, strict=True):
        numbers = np.asarray(values, dtype=np.float64)
        if numbers.shape != (len(sequence),) or np.isnan(numbers).any():
            raise ModelError(
                f"{model.info.name} gave log-probabilities of shape {numbers.shape} for {len(sequence)} tokens, or nan among "
                "them. Expected one number for each token."
            )
        out.append(np.minimum(numbers, 0.0))
    return out


def _surprise(model: LocalLanguageModel, objects: Sequence[Tokens], parent: Ints) -> Floats:
    """-ln pi(text | parent), from a pass over the texts that are no prefix of another: they hold the whole trie."""
    inner = np.zeros(len(objects), dtype=bool)
    inner[parent[parent >= 0]] = True
    leaves = np.flatnonzero(~inner).tolist()
    out = np.zeros(len(objects))
    done = np.zeros(len(objects), dtype=bool)
    for leaf, steps in zip(leaves, sequence_log_probs(model, [objects[i] for i in leaves]), strict=True):
        text = leaf
        while text >= 0 and not done[text]:
            above = int(parent[text])
            if above >= 0:
                out[text] = 0.0 - steps[len(objects[above]) : len(objects[text])].sum()
            done[text] = True
            text = above
    return out
