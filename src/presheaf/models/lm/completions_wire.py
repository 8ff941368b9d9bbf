"""What is sent to a completions server, and the choices taken out of what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from presheaf.models.lm.echoed import Unreadable, log_prob


@dataclass(frozen=True)
class Job:
    """One text to send, and what it is asked for.

    Attributes
    ----------
    question : int
        Position of the question.
    asked : tuple of int
        Positions of the answers among the question's.
    prompt : str
    answers : tuple of str
        Those answers, none empty; a single one with echo.
    """

    question: int
    asked: tuple[int, ...]
    prompt: str
    answers: tuple[str, ...]

    @property
    def text(self) -> str:
        """The prompt with its (first) answer."""
        return self.prompt + self.answers[0]


def completion_body(model: str, texts: Sequence[str], *, echo: bool, top: int) -> dict[str, Any]:
    """A request to ``/v1/completions``. One token is generated, because some servers take 0 for "no limit"."""
    body: dict[str, Any] = {
        "model": model,
        "prompt": texts[0] if len(texts) == 1 else list(texts),
        "max_tokens": 1,
        "temperature": 0,
        "logprobs": top,
    }
    return {**body, "echo": True} if echo else body


def chat_body(model: str, text: str, top: int) -> dict[str, Any]:
    """A request to ``/v1/chat/completions`` with the text as a user's message."""
    return {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": 1,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": top,
    }


def choices_of(answer: Any, n: int) -> list[dict[str, Any]]:
    """The ``n`` choices of an answer, in the order of the texts.

    Raises
    ------
    Unreadable
        If there is another number of them, or they are not numbered.
    """
    found = answer.get("choices") if isinstance(answer, dict) else None
    if not isinstance(found, list) or not all(isinstance(choice, dict) for choice in found):
        raise Unreadable(f"no list of choices ({str(answer)[:120]!r}). Does the address speak OpenAI's protocol?")
    if len(found) != n:
        texts = "text" if n == 1 else "texts. Does it take several a request? Try ?batch_size=1"
        raise Unreadable(f"{len(found) or 'an empty list of'} choices for {n} {texts}.")
    order = [choice.get("index", 0 if n == 1 else None) for choice in found]
    if any(type(index) is not int for index in order) or sorted(order) != list(range(n)):
        raise Unreadable(f"choices that are not numbered 0 to {n - 1}.")
    return [choice for _, choice in sorted(zip(order, found, strict=True), key=lambda pair: pair[0])]


def written_token(choice: dict[str, Any]) -> tuple[str, float] | None:
    """The first token that a server wrote itself and its log-probability; None where there is none to compare with.

    Raises
    ------
    Unreadable
        No log-probabilities.
    """
    found = choice.get("logprobs")
    if not isinstance(found, dict):
        raise Unreadable(
            "no log-probabilities. Ask for a model and a server that give them (logprobs in /v1/completions)."
        )
    token, value = choice.get("text"), None
    tokens, values, content = found.get("tokens"), found.get("token_logprobs"), found.get("content")
    if isinstance(tokens, list) and isinstance(values, list) and len(tokens) == len(values) == 1 and tokens[0] == token:
        value = values[0]
    elif isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        value = content[0].get("logprob")
    # Part of a character can't be sent back, and a server that looks at temperature 0 says that all is certain.
    if not isinstance(token, str) or not token or "\ufffd" in token or value is None or value == 0:
        return None
    return token, log_prob(value)
