"""Held-out sentences with one word masked, and what might stand there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.construct import hom_from_values
from presheaf.enriched.hom import Hom
from presheaf.enriched.quantale import PROBABILITY
from presheaf.errors import InputError
from presheaf.pretext.text_contexts import branching
from presheaf.pretext.text_vocabulary import MASKED, TextVocabulary, Tokens

Bools = NDArray[np.bool_]

START, STOP, MASK = (MASKED.index(name) for name in ("[CLS]", "[SEP]", "[MASK]"))


def whole_words(vocabulary: TextVocabulary, tokens: Sequence[int]) -> Bools:
    """Whether each token is a whole word of letters: a space before it, no letter behind. Shape (tokens,)."""
    pieces = [vocabulary.pieces[token] for token in tokens]
    begins = np.array([piece[0] == "Ġ" and piece[1:].isalpha() for piece in pieces], dtype=bool)
    goes_on = np.array([piece[0] != "Ġ" and piece[0].isalpha() for piece in pieces], dtype=bool)
    return np.asarray(begins & ~np.append(goes_on[1:], np.zeros(1, dtype=bool))[: len(begins)])


def frequent_words(vocabulary: TextVocabulary, texts: Sequence[str], size: int) -> Tokens:
    """The tokens that are most often whole words in these texts, the most frequent first; see `branching` for how many.

    Raises
    ------
    InputError
        If there are fewer than two.
    """
    stream = vocabulary.stream(texts)
    counts = np.bincount(stream[whole_words(vocabulary, stream.tolist())], minlength=len(vocabulary))
    ranked = np.argsort(-counts, kind="stable")[: branching(size)]
    found = [int(token) for token in ranked if counts[token]]
    if len(found) < 2:
        raise InputError(
            f"The training texts hold {len(found)} tokens that are whole words; two are needed to complete a sentence. "
            "Raise 'vocabulary', or give more text."
        )
    return tuple(found)


def masked_and_completed(
    vocabulary: TextVocabulary, texts: Sequence[str], words: Tokens, window: int, size: int, seed: int
) -> tuple[tuple[Tokens, ...], Hom]:
    """About ``size`` objects, and the hom: 1 from a masked sentence to the completion that the text has.

    Parameters
    ----------
    words : tokens
        One of them is masked in each sentence, and all of them are its completions.
    window : int
        Tokens of a sentence with [CLS] and [SEP]; what is longer is cut off.

    Returns
    -------
    objects : tuple of token tuples
        A masked sentence is its tokens from [CLS] to [SEP] with one [MASK]; a completion is the same with the word behind.
    hom : Hom
        Where two held-out texts differ only in the masked word, the frequency of each.

    Raises
    ------
    InputError
        If no held-out text holds one of the words.
    """
    rng = np.random.default_rng(seed)
    told: dict[Tokens, list[int]] = {}
    for place in rng.permutation(len(texts)).tolist():
        if len(told) * (1 + len(words)) >= size:
            break
        (tokens,) = vocabulary.encode([texts[place]])
        tokens = tokens[: window - 2]
        eligible = np.flatnonzero(whole_words(vocabulary, tokens) & np.isin(np.array(tokens, dtype=np.int64), words))
        if len(eligible):
            at = int(rng.choice(eligible))
            masked = (START, *tokens[:at], MASK, *tokens[at + 1 :], STOP)
            told.setdefault(masked, []).append(tokens[at])
    if not told:
        named = ", ".join(vocabulary.decode([word]).strip() for word in words)
        raise InputError(
            f"None of the {len(texts):,} held-out texts holds one of the words {named}. Hold more text out."
        )
    objects = tuple(one for masked in told for one in (masked, *((*masked, word) for word in words)))
    values = np.eye(len(objects))
    for block, said in enumerate(told.values()):
        row = block * (1 + len(words))
        for number, word in enumerate(words):
            values[row, row + 1 + number] = said.count(word) / len(said)
    hom = hom_from_values(values, PROBABILITY, "the completion the held-out text has")
    return objects, replace(hom, lawful=True, reason="proof: nothing follows a completion, so no two steps compose")
