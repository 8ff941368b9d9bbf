"""Reads ln p(answer | prompt) out of a completion that repeats the text it was asked about."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

_ROUNDING = 1e-3


class Unreadable(Exception):
    """What is wrong with a server's answer, as a sentence that starts after "the server answered with"."""


class AcrossBorder(Unreadable):
    """A token lies across the border of prompt and answer."""


def echoed_log_prob(choice: dict[str, Any], prompt: str, answer: str) -> float:
    """ln p(answer | prompt), from a choice of ``/v1/completions`` with echo for the text prompt + answer.

    The server turns the joined text into tokens itself. So the answer is scored as a sum over its tokens only if a
    token begins where the prompt ends.

    Parameters
    ----------
    choice : dict
        With ``text`` and ``logprobs`` (``tokens``, ``token_logprobs``, perhaps ``text_offset``). A begin symbol before
        the text and tokens generated after it are left out.
    prompt, answer : str
        The answer is not empty.

    Raises
    ------
    Unreadable
        No log-probabilities, or another text than was sent; `AcrossBorder` for a token across the border.
    """
    sent = prompt + answer
    tokens, values, offsets = _columns(choice)
    text = choice.get("text")
    if not isinstance(text, str) or not text.startswith(sent):
        raise Unreadable(
            f"a text that does not begin with the one it was sent ({_short(text)} for {_short(sent)}). It does not "
            "support echo, or it cut or rewrote the text. With ?echo=false answers are scored by their first token."
        )
    starts, border = _starts(tokens, offsets, prompt, answer, text[len(sent) :])
    end = border + len(answer)
    if border not in starts:
        across = max((i for i, start in enumerate(starts) if start < border), key=lambda i: starts[i], default=None)
        token = "" if across is None else f", {tokens[across]!r}"
        raise AcrossBorder(
            f"a token that lies across the border of prompt and answer{token}, so that the answer {_short(answer)} has "
            "no probability of its own. Write the space that separates them at the start of the answer, not at the "
            "end of the prompt."
        )
    inside = [values[i] for i, start in enumerate(starts) if border <= start < end]
    if inside[0] is None and border == starts[0]:
        raise Unreadable(
            "no probability for the first token of a text. An empty prompt can't be asked about here; begin it with "
            "something, if only a line break."
        )
    return min(0.0, math.fsum(map(log_prob, inside)))


def log_prob(value: object) -> float:
    """``value`` as a natural logarithm of a probability.

    Raises
    ------
    Unreadable
        If it is no number, not a number (NaN), or above 0.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= _ROUNDING:
        raise Unreadable(f"{_short(value)} where the logarithm of a probability was expected")
    return float(value)


def _columns(choice: dict[str, Any]) -> tuple[list[str], list[object], object]:
    found = choice.get("logprobs")
    if not isinstance(found, dict):
        raise Unreadable(
            "no log-probabilities. Ask for a model and a server that give them (logprobs in /v1/completions)."
        )
    tokens, values = found.get("tokens"), found.get("token_logprobs")
    if not isinstance(tokens, list) or not isinstance(values, list):
        raise Unreadable(
            "log-probabilities of what it wrote itself and not of the text it was sent: it does not support echo. "
            "With ?echo=false answers are scored by their first token."
        )
    if not tokens or len(tokens) != len(values) or not all(isinstance(token, str) for token in tokens):
        raise Unreadable(f"{len(tokens)} tokens and {len(values)} log-probabilities")
    return tokens, values, found.get("text_offset")


def _starts(tokens: list[str], offsets: object, prompt: str, answer: str, written: str) -> tuple[Sequence[int], int]:
    """Where each token starts, in characters, and where the answer starts on that scale.

    The tokens themselves are believed first, from the end, since some servers count a begin symbol in their offsets,
    or three characters for one that is split between three tokens. Where such tokens don't spell the answer, the
    offsets decide if they fit the text.
    """
    given = offsets if isinstance(offsets, list) and len(offsets) == len(tokens) else []
    if not all(type(offset) is int for offset in given):
        given = []
    if given and given[0] != 0:
        raise Unreadable(f"tokens from character {given[0]} on: it cut the beginning of {_short(prompt + answer)}")
    spelled = "".join(tokens)
    if spelled.endswith(answer + written):
        return list(accumulate(map(len, tokens[:-1]), initial=0)), len(spelled) - len(answer) - len(written)
    if given and (given[-1] == len(prompt + answer) if written else given[-1] <= len(prompt + answer)):
        return given, len(prompt)
    raise Unreadable(f"tokens that do not spell the text it was sent ({_short(spelled)} for {_short(prompt + answer)})")


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:38]}...{shown[-38:]}"
