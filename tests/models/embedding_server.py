"""A real OpenAI-compatible embeddings server on loopback, with faults on demand.

    with EmbeddingServer(model.encode) as server:
        server.faults.append("500")
        OpenAIModel(server.url, "some-name").encode(["a text"])

Each request takes the first of ``faults`` away and suffers it; without one it is served.
"""

from __future__ import annotations

import base64
import email.utils
import json
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np


class EmbeddingServer:
    """Serves ``embed`` (list of texts to array of shape (n, dim)) under ``url``, on a free port.

    requests : the JSON bodies received, in order; headers : the headers that came with them.
    """

    def __init__(self, embed: Callable[[list[str]], Any]) -> None:
        self.embed = embed
        self.faults: deque[str] = deque()
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.released = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> EmbeddingServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()


def _handler(server: EmbeddingServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.requests.append(body)
            server.headers.append(dict(self.headers))
            fault, _, value = (server.faults.popleft() if server.faults else "").partition("=")
            if self.path != "/v1/embeddings":
                self.error(404, f"no such path {self.path}")
            elif fault == "retry-after":
                self.error(429, "slow down", {"Retry-After": value})
            elif fault == "retry-after-date":
                date = email.utils.formatdate(time.time() + float(value), usegmt=True)
                self.error(429, "slow down", {"Retry-After": date})
            elif fault == "redirect":
                self.error(307, "moved", {"Location": value})
            elif fault == "error":
                status, _, message = value.partition(" ")
                self.error(int(status), message)
            elif fault == "echo key":
                self.error(401, f"Incorrect API key provided: {self.headers['Authorization']}")
            elif fault == "hang":
                server.released.wait(20)
            elif fault == "reset":
                self.connection.close()
            elif "" in body["input"]:
                self.error(400, "input cannot be an empty string")
            else:
                self.answer(body, fault)

        def answer(self, body: dict[str, Any], fault: str) -> None:
            vectors = np.asarray(server.embed(body["input"]), dtype=np.float64)[:, : body.get("dimensions")]
            if fault == "nan":
                vectors[-1, 0] = math.nan
            if fault == "other dims":
                vectors = vectors[:, :-1]
            data: list[dict[str, Any]] = [{"index": i, "embedding": v.tolist()} for i, v in enumerate(vectors)]
            if body["encoding_format"] == "base64":
                for item, vector in zip(data, vectors, strict=True):
                    item["embedding"] = base64.b64encode(vector.astype("<f4").tobytes()).decode()
            if fault == "shuffle":
                data = data[::2][::-1] + data[1::2]
            elif fault == "ragged":
                data[0]["embedding"].pop()
            elif fault == "one missing":
                data.pop()
            elif fault == "no index":
                del data[0]["index"]
            elif fault == "index twice":
                data[0]["index"] = len(data) - 1
            elif fault == "words":
                data[0]["embedding"] = ["one", "two"]
            elif fault == "nested":
                data[0]["embedding"] = [data[0]["embedding"]]
            answer = json.dumps({"object": "list", "data": data, "model": body["model"]}).encode()
            if fault == "chat":
                answer = b'{"choices": [{"message": {"content": "Hello!"}}]}'
            if fault == "page":
                answer = b"<!doctype html><title>Welcome</title>"
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
