"""A real OpenAI-compatible completions server on loopback over a real language model, with faults on demand.

    with CompletionServer(NGramModel.train(texts, 3, "character")) as server:
        server.faults.append("error=500")
        CompletionsModel(server.url, "some-name").score(questions)

Each request takes the first of ``faults`` away and suffers it; ``manners`` are how the server always behaves.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import numpy as np

from presheaf.models.lm.base import LocalLanguageModel


class CompletionServer:
    """Serves a model under ``url``: ``/v1/completions`` with echo, and ``/v1/chat/completions``.

    The lists of likely tokens stand only at the place that follows the text.

    Parameters
    ----------
    model : LocalLanguageModel
    split : callable, optional
        A text as the strings of its tokens, which joined give it back; by default what each token adds to the text.
    show : callable, optional
        A token that the server writes as a string; by default the text of that token alone.

    Attributes
    ----------
    requests : list of the JSON bodies received, in order
    manners : set of str
        "no echo", "no logprobs", "no lists" (one text a request), "shifted", "begin symbol", "bytes" (tokens that
        split a character are written so), "three for one" (such a token counts three characters), "no offsets",
        "chat form" (completions answer with ``content``).
    """

    def __init__(
        self,
        model: LocalLanguageModel,
        split: Callable[[str], list[str]] | None = None,
        show: Callable[[int], str] | None = None,
    ) -> None:
        self.model = model
        self.show = show or (lambda token: model.text([token]))
        self.split = split or self._increments
        self.manners: set[str] = set()
        self.faults: deque[str] = deque()
        self.requests: list[dict[str, Any]] = []
        self.released = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> CompletionServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()

    def completion(self, text: str, index: int, body: dict[str, Any]) -> dict[str, Any]:
        """One choice: the text's tokens when they are to be echoed, and one more, the most likely."""
        tokens = self.model.tokens(text)
        echo = bool(body.get("echo")) and "no echo" not in self.manners
        (last,) = self.model.next_log_probs([tokens])
        best = int(last.argmax())
        names = [self.show(best)]
        values: list[float | None] = [float(last[best])]
        if echo:
            names = [*self.split(text), *names]
            (own,) = self.model.token_log_probs([tokens])
            if "shifted" in self.manners:
                after = self.model.next_log_probs([tokens[: i + 1] for i in range(len(tokens))])
                own = after[np.arange(len(tokens)), list(tokens)]
            values = [None, *own[1:].tolist(), *values]
            assert len(names) == len(values)
        written = "".join(names)
        if echo and "begin symbol" in self.manners:
            names, values = ["<|begin|>", *names], [None, float(own[0]), *values[1:]]
        starts = np.cumsum([0 if echo else len(text), *map(len, names[:-1])]).tolist()
        if "three for one" in self.manners:
            names = [name if name.isascii() else "\ufffd" * 3 for name in names]
            starts = np.cumsum([0, *map(len, names[:-1])]).tolist()
        if "bytes" in self.manners:
            names = [name if name.isascii() else f"bytes:{name.encode().hex()}" for name in names]
        logprobs: dict[str, Any] = {
            "tokens": names,
            "token_logprobs": values,
            "top_logprobs": [*[None] * (len(names) - 1), dict(self._top(last, body["logprobs"]))],
            "text_offset": starts,
        }
        if "no offsets" in self.manners:
            del logprobs["text_offset"]
        if "chat form" in self.manners:
            logprobs = {"content": [self._chat_token(last, body["logprobs"])]}
        return {"text": written, "index": index, "logprobs": None if "no logprobs" in self.manners else logprobs}

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        """The choice of a chat: what follows the user's message."""
        row = self.model.next_log_probs([self.model.tokens(body["messages"][-1]["content"])])[0]
        token = self._chat_token(row, body["top_logprobs"])
        logprobs = None if "no logprobs" in self.manners else {"content": [token]}
        return {"index": 0, "message": {"role": "assistant", "content": token["token"]}, "logprobs": logprobs}

    def _chat_token(self, row: Any, k: int) -> dict[str, Any]:
        top = [{"token": token, "logprob": value} for token, value in self._top(row, k)]
        return {**top[0], "top_logprobs": top}

    def _top(self, row: Any, k: int) -> list[tuple[str, float]]:
        return [(self.show(int(t)), float(row[t])) for t in np.argsort(-row, kind="stable")[:k]]

    def _increments(self, text: str) -> list[str]:
        tokens = self.model.tokens(text)
        # A character that is split between tokens comes with the last of them.
        ends = [len(self.model.text(tokens[:i]).rstrip("\ufffd")) for i in range(len(tokens) + 1)]
        return [text[a:b] for a, b in pairwise(ends)]


def _handler(server: CompletionServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.requests.append(body)
            fault, _, value = (server.faults.popleft() if server.faults else "").partition("=")
            if fault == "retry-after":
                self.error(429, "slow down", {"Retry-After": value})
            elif fault == "error":
                status, _, message = value.partition(" ")
                self.error(int(status), message)
            elif fault == "hang":
                server.released.wait(20)
            elif fault == "reset":
                self.connection.close()
            elif self.path == "/v1/chat/completions":
                self.answer([server.reply(body)], fault)
            elif self.path != "/v1/completions":
                self.error(404, f"no such path {self.path}")
            elif isinstance(body["prompt"], list) and "no lists" in server.manners:
                self.error(400, "prompt must be a string")
            else:
                texts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
                self.answer([server.completion(text, i, body) for i, text in enumerate(texts)], fault)

        def answer(self, choices: list[dict[str, Any]], fault: str) -> None:
            first = choices[0]
            logprobs = first["logprobs"] or {}
            if fault == "shuffle":
                choices = choices[::2][::-1] + choices[1::2]
            elif fault == "empty choices":
                choices = []
            elif fault == "one missing":
                choices = choices[:-1]
            elif fault == "no index":
                del first["index"]
            elif fault == "no logprobs":
                first["logprobs"] = None
            elif fault == "other text":
                first["text"] = first["text"][3:]
            elif fault == "cut text":
                for name, column in logprobs.items():
                    logprobs[name] = column[2:]
            elif fault == "nan":
                logprobs["token_logprobs"][-2] = float("nan")
            elif fault == "positive":
                logprobs["token_logprobs"][-2] = 0.5
            elif fault == "words":
                logprobs["token_logprobs"][-2] = "likely"
            elif fault == "ragged":
                logprobs["token_logprobs"].pop()
            elif fault == "no list":
                for token in logprobs.get("content", [{}]):
                    token["top_logprobs"] = []
                logprobs["top_logprobs"] = [None]
            answer = json.dumps({"object": "text_completion", "choices": choices}).encode()
            if fault == "embedding":
                answer = b'{"object": "list", "data": [{"embedding": [1.0]}]}'
            if fault == "half a JSON":
                answer = answer[: len(answer) // 2]
            length = len(answer)
            if fault == "cut off":
                answer = answer[: len(answer) // 2]
            self.send(200, answer, length, {})

        def error(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
            body = json.dumps({"error": {"message": message, "type": "fault", "code": None}}).encode()
            self.send(status, body, len(body), headers or {})

        def send(self, status: int, body: bytes, length: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(length), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Keep the test output clean."""

    return Handler
