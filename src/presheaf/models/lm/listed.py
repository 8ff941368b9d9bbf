"""Scores answers by their first token, from the list of most likely next tokens that a server gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.models.lm.echoed import Unreadable, log_prob


@dataclass(frozen=True)
class FirstTokens:
    """What a list of next tokens says of the answers.

    Attributes
    ----------
    log_probs : array of shape (answers,)
        ln of the probability of the longest listed token that an answer begins with. 0 for an empty answer. For an
        answer with no such token an upper bound: the smallest listed probability, or what the list leaves over.
    bounded : array of shape (answers,), bool
        Where it is that bound.
    likely : tuple of str
        The most likely tokens, for messages.
    """

    log_probs: NDArray[np.float64]
    bounded: NDArray[np.bool_]
    likely: tuple[str, ...]


def first_tokens(choice: dict[str, Any], answers: Sequence[str], trimmed: bool) -> FirstTokens:
    """Score answers by one choice of ``/v1/chat/completions`` or ``/v1/completions``.

    Parameters
    ----------
    choice : dict
        With ``logprobs``, in the form of chat (``content``, ``top_logprobs``) or of completions (``top_logprobs``).
    answers : sequence of str
    trimmed : bool
        Whether white space around tokens and answers is left out of account, because a reply starts without it.
        Tokens that are then the same add up.

    Raises
    ------
    Unreadable
        No list of tokens; or two different answers whose first listed token is the same.
    """
    listed: dict[str, float] = {}
    for token, value in _listed(choice):
        key = token.strip() if trimmed else token
        if key:
            listed[key] = float(np.logaddexp(listed.get(key, -math.inf), value))
    total = math.fsum(map(math.exp, listed.values()))
    bound = min([*listed.values(), math.log(1 - total) if total < 1 else 0.0])
    wanted = [answer.strip() if trimmed else answer for answer in answers]
    found = [max((t for t in listed if want.startswith(t)), key=len, default=None) for want in wanted]
    _told_apart(wanted, found)
    values = [0.0 if not w else bound if t is None else listed[t] for w, t in zip(wanted, found, strict=True)]
    return FirstTokens(
        np.minimum(np.array(values, dtype=np.float64), 0.0),
        np.array([bool(w) and t is None for w, t in zip(wanted, found, strict=True)], dtype=np.bool_),
        tuple(sorted(listed, key=lambda t: -listed[t])[:5]),
    )


def _told_apart(wanted: Sequence[str], found: Sequence[str | None]) -> None:
    first: dict[str, str] = {}
    for want, token in zip(wanted, found, strict=True):
        if token is not None and first.setdefault(token, want) != want:
            raise Unreadable(
                f"first tokens only, and the answers {first[token]!r} and {want!r} both begin with {token!r}, so they "
                "can't be told apart. Choose label words that begin differently, or a server that supports echo."
            )


def _listed(choice: dict[str, Any]) -> list[tuple[str, float]]:
    """The tokens that could have come first and their log-probabilities."""
    found = choice.get("logprobs")
    if not isinstance(found, dict):
        raise Unreadable("no log-probabilities. Ask for a model and a server that give them (logprobs, top_logprobs).")
    content, top = found.get("content"), found.get("top_logprobs")
    if isinstance(content, list) and content and isinstance(content[0], dict):
        top = [content[0].get("top_logprobs")]
    if not isinstance(top, list) or not top:
        raise Unreadable("no list of likely tokens (top_logprobs)")
    first = top[0]
    if isinstance(first, dict):
        pairs = list(first.items())
    elif isinstance(first, list) and all(isinstance(item, dict) for item in first):
        pairs = [(item.get("token"), item.get("logprob")) for item in first]
    else:
        pairs = []
    if not pairs or not all(isinstance(token, str) for token, _ in pairs):
        raise Unreadable("no list of likely tokens (top_logprobs)")
    return [(token, log_prob(value)) for token, value in pairs]
