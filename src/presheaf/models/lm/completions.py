"""Any OpenAI-compatible ``/v1/completions`` or ``/v1/chat/completions`` address that gives log-probabilities."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError
from presheaf.models.base import ModelInfo
from presheaf.models.endpoint import Endpoint, Refused
from presheaf.models.lm.base import OnScored, Question
from presheaf.models.lm.completions_wire import Job, chat_body, choices_of, completion_body, written_token
from presheaf.models.lm.echoed import AcrossBorder, Unreadable, echoed_log_prob
from presheaf.models.lm.listed import FirstTokens, first_tokens
from presheaf.models.openai import CostEstimate, estimated_tokens
from presheaf.models.tokens import texts_only

_T = TypeVar("_T")

_KNOWN_PROMPT = "The capital of France is"
_TOLERANCE = 0.1
"""Nats between two runs of the same text on one server: half precision and batching move them by hundredths."""

_PROBED = 10


@dataclass(frozen=True)
class Listed:
    """How many answers were scored by their first token, and for how many of them only an upper bound is known."""

    questions: int = 0
    answers: int = 0
    bounded: int = 0

    def after(self, found: FirstTokens) -> Listed:
        """With one more question."""
        bounded = self.bounded + int(found.bounded.sum())
        return Listed(self.questions + 1, self.answers + len(found.bounded), bounded)


class CompletionsModel:
    """Answers scored by a server. Nothing is sent before the first `score`; `estimate` says what that will take.

    Three ways, by what the server can do:

    * with echo (the default): every answer is sent behind its prompt and the log-probabilities of its tokens come back.
      Exact for answers of any length, if a token begins where the prompt ends; otherwise an error says so.
    * ``echo=False``: the prompt is sent, and the answers are looked up among the most likely next tokens. Only an
      answer's first token counts, and an answer that is not listed gets an upper bound (counted in `listed`).
    * ``chat=True``: the same with the prompt as a user's message, white space around tokens left out of account.

    With echo, the first `score` begins with two short requests that compare the log-probability of a token the server
    wrote with that of the same token echoed, because there are servers that shift echoed ones by a token.

    Parameters
    ----------
    base_url : str
        Up to and including ``/v1``. Plain http is accepted for this machine only, unless ``key_env`` is None.
    model : str
        The server's name for the model.
    chat, echo : bool
        See above. ``echo`` is not used with ``chat``.
    top : int, optional
        How many next tokens to ask for without echo; by default 20 in chat and 5 elsewhere, the most OpenAI gives.
    key_env : str or None
        Environment variable that holds the key; read when a request is sent, never stored, never shown. None: no key.
    batch_size : int
        Texts a request, not used with ``chat``. Many servers take one only; OpenAI's own and vLLM take more.
    timeout : float
        Seconds without a byte from the server before a request counts as failed.
    retries : int
        How often one request is sent again after 429, 500 to 504, a time-out, a broken connection or half an answer.
    price_per_million : float, optional
        Price of a million tokens, for `estimate`.
    requests_per_minute : float, optional
        Requests are spaced so that no minute sees more.

    Raises
    ------
    InputError
        For an address or an option that can't be used.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        chat: bool = False,
        echo: bool = True,
        top: int | None = None,
        key_env: str | None = "OPENAI_API_KEY",
        batch_size: int = 1,
        timeout: float = 60.0,
        retries: int = 6,
        price_per_million: float | None = None,
        requests_per_minute: float | None = None,
    ) -> None:
        if not model.strip():
            raise InputError("Say which model the server should use, e.g. lm:http://127.0.0.1:8080/v1#model-name.")
        for name, value, high in (("batch_size", batch_size, 2048), ("top", top, 1_000_000)):
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= high:
                raise InputError(f"{name!r} must be a whole number from 1 to {high:,}; got {value!r}.")
        if price_per_million is not None and not 0 <= price_per_million < math.inf:
            raise InputError(f"'price_per_million' must be a price of at least 0; got {price_per_million}.")
        self._endpoint = Endpoint(
            base_url,
            "chat/completions" if chat else "completions",
            key_env=key_env,
            timeout=timeout,
            retries=retries,
            requests_per_minute=requests_per_minute,
        )
        self._model = model
        self._chat = chat
        self._echo = echo and not chat
        self._top = top if top is not None else 20 if chat else 5
        self._at_once = 1 if chat else batch_size
        self._price = price_per_million
        self._checked = not self._echo
        self._listed = Listed()

    @property
    def info(self) -> ModelInfo:
        scored = "whole answers (echo)" if self._echo else f"first token among the {self._top} most likely"
        return ModelInfo(
            name=f"{self._endpoint.base_url}#{self._model}",
            kind="chat" if self._chat else "completions",
            dim=None,
            kernel="next token",
            precision="not known (endpoint)",
            trainable=False,
            settings=(("answers scored by", scored),),
        )

    @property
    def fingerprint(self) -> str:
        """Of address, model name and options. A server that changes its weights under the same name isn't noticed."""
        parts = ("completions 1", self._endpoint.url, self._model, self._echo, 0 if self._echo else self._top)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @property
    def listed(self) -> Listed:
        """What was scored by first tokens since this object was made; all zero with echo."""
        return self._listed

    def count(self, text: str) -> int:
        """An estimate on the high side: four Latin characters a token, one character of any other script."""
        return estimated_tokens(text) if text else 0

    def lost(self, question: Question) -> int:
        """0: the server's window is not known. With echo a text that was cut is noticed and is an error."""
        return 0

    def estimate(self, questions: Sequence[Question]) -> CostEstimate:
        """What `score` will send for these questions: requests, tokens, money. Sends nothing.

        Servers bill prompts, so with echo a prompt counts once for each of its answers.
        """
        jobs = self._jobs(list(dict.fromkeys(questions)))
        texts = [job.text if self._echo else job.prompt for job in jobs]
        requests = math.ceil(len(texts) / self._at_once)
        tokens = sum(self.count(text) + 1 for text in texts)
        if texts and not self._checked:
            requests += 2
            tokens += 2 * (self.count(_KNOWN_PROMPT) + 1)
        return CostEstimate(requests, tokens, None if self._price is None else tokens * self._price / 1e6)

    def score(self, questions: Sequence[Question], on_scored: OnScored | None = None) -> list[NDArray[np.float64]]:
        """ln p(answer | prompt) in nats, one array of shape (answers,) a question. 0 for an empty answer.

        A question that comes twice is asked once. ``on_scored`` hears of a question as soon as its last answer came
        back, so that what was paid for is kept when a later request fails.

        Raises
        ------
        InputError
            Without a key where one is needed.
        ModelError
            If the server refuses, stays down, gives no log-probabilities or ones that can't be used (see the class);
            without echo also when none of ten questions had an answer among the listed tokens.
        """
        places: dict[Question, list[int]] = {}
        for position, question in enumerate(questions):
            places.setdefault(question, []).append(position)
        out = [np.zeros(len(question.answers)) for question in questions]
        for question, values in self._answers(list(places)):
            for position in places[question]:
                out[position] = values.copy()
                if on_scored is not None:
                    on_scored(position, out[position])
        return out

    def _jobs(self, questions: Sequence[Question]) -> list[Job]:
        """What there is to ask: with echo one job for each answer that is not empty, else one a question."""
        jobs: list[Job] = []
        for i, question in enumerate(questions):
            prompt, *answers = texts_only([question.prompt, *question.answers])
            asked = [j for j, answer in enumerate(answers) if answer]
            if self._echo:
                jobs.extend(Job(i, (j,), prompt, (answers[j],)) for j in asked)
            elif asked:
                jobs.append(Job(i, tuple(asked), prompt, tuple(answers[j] for j in asked)))
        return jobs

    def _answers(self, questions: Sequence[Question]) -> Iterator[tuple[Question, NDArray[np.float64]]]:
        """Each question with its values, as soon as they are known."""
        jobs = self._jobs(questions)
        values = [np.zeros(len(question.answers)) for question in questions]
        left = np.bincount([job.question for job in jobs], minlength=len(questions))
        yield from ((questions[i], values[i]) for i in range(len(questions)) if not left[i])
        if jobs and not self._checked:
            self._check_echo()
        for start in range(0, len(jobs), self._at_once):
            batch = jobs[start : start + self._at_once]
            for job, choice in zip(batch, self._choices(batch), strict=True):
                if self._echo:
                    found = self._read(echoed_log_prob, choice, job.prompt, job.answers[0])
                    values[job.question][job.asked[0]] = found
                else:
                    first = self._read(first_tokens, choice, job.answers, self._chat)
                    values[job.question][list(job.asked)] = first.log_probs
                    self._listed = self._listed.after(first)
                    if self._listed.questions >= _PROBED and self._listed.bounded == self._listed.answers:
                        raise self._silent(first.likely, job.answers)
                left[job.question] -= 1
                if not left[job.question]:
                    yield questions[job.question], values[job.question]

    def _choices(self, batch: Sequence[Job]) -> list[dict[str, Any]]:
        """Ask for a batch of jobs; one choice each."""
        texts = [job.text if self._echo else job.prompt for job in batch]
        if self._chat:
            body = chat_body(self._model, texts[0], self._top)
        else:
            body = completion_body(self._model, texts, echo=self._echo, top=1 if self._echo else self._top)
        try:
            answer = self._endpoint.post(body)
        except Refused as refusal:
            raise self._refused(refusal, batch) from refusal
        except ModelError as error:
            if len(batch) == 1:
                raise
            raise ModelError(
                f"{error} It was sent {len(batch)} texts at once: does it take one only? Try ?batch_size=1."
            ) from error
        return self._read(choices_of, answer, len(batch))

    def _check_echo(self) -> None:
        """Compare one token's log-probability written and echoed; both requests are short."""
        body = completion_body(self._model, [_KNOWN_PROMPT], echo=False, top=1)
        (choice,) = self._read(choices_of, self._endpoint.post(body), 1)
        written = self._read(written_token, choice)
        if written is not None:
            token, expected = written
            (choice,) = self._choices([Job(0, (0,), _KNOWN_PROMPT, (token,))])
            try:
                found = echoed_log_prob(choice, _KNOWN_PROMPT, token)
            except AcrossBorder:
                found = expected  # What it writes it reads as other tokens: nothing to compare.
            except Unreadable as error:
                raise self._wrong(str(error)) from None
            if abs(found - expected) > _TOLERANCE:
                raise self._wrong(
                    f"ln p = {found:.3f} for {token!r} after {_KNOWN_PROMPT!r} when it echoes and {expected:.3f} when "
                    "it writes that token itself, so its echoed log-probabilities can't be used (llama-cpp-python "
                    "gives each token the ones of the place after it). With ?echo=false answers are scored by their "
                    "first token."
                )
        self._checked = True

    def _read(self, reader: Callable[..., _T], *arguments: Any) -> _T:
        try:
            return reader(*arguments)
        except Unreadable as error:
            raise self._wrong(str(error)) from None

    def _wrong(self, what: str) -> ModelError:
        return ModelError(f"{self._endpoint.url} ({self._model}) answered with {what}")

    def _silent(self, likely: Sequence[str], answers: Sequence[str]) -> ModelError:
        return self._wrong(
            f"lists of {self._top} next tokens that hold the beginning of no answer; asked for one of "
            f"{', '.join(map(repr, answers[:5]))}, the likely ones were {', '.join(map(repr, likely))}. Let the prompt "
            "say that only a label is wanted, write the label words as the model does, or raise ?top=."
        )

    def _refused(self, refusal: Refused, batch: Sequence[Job]) -> ModelError:
        said = str(refusal)
        if re.search("echo|logprob", said, re.I):
            return ModelError(f"{said} Does it give log-probabilities? Try ?echo=false, ?chat=true or a smaller ?top=.")
        if re.search("token|length|too long|too large|context", said, re.I):
            longest = max(batch, key=lambda job: len(job.text))
            return ModelError(
                f"{said} The longest text sent then, of question {longest.question + 1}, has {len(longest.text):,} "
                "characters. Shorten it or leave its row out."
            )
        return refusal
