"""The endpoint source against a real HTTP server that serves a real model."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import numpy as np
import pytest
from embedding_server import EmbeddingServer
from hypothesis import given
from hypothesis import strategies as st

from presheaf.errors import InputError, ModelError
from presheaf.models.endpoint import Pace, backoff, retry_after
from presheaf.models.openai import CostEstimate, OpenAIModel
from presheaf.models.static import StaticModel

TEXTS = [f"text number {i}: {word} of the day" for i, word in enumerate(["dish", "fish", "鱼", "naïve", "🧬"] * 5)]
KEY = "sk-secret-0123456789"


@pytest.fixture(scope="module")
def local() -> StaticModel:
    pytest.importorskip("wordllama")
    pytest.importorskip("tokenizers")
    return StaticModel.wordllama()


@pytest.fixture
def server(local: StaticModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with EmbeddingServer(local.encode) as running:
        yield running


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits that would have been slept."""
    slept: list[float] = []
    monkeypatch.setattr("presheaf.models.endpoint.time.sleep", lambda s: slept.append(s) if s else None)
    return slept


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_same_vectors_as_the_local_model_in_order_and_nothing_lost(
    local: StaticModel, server: EmbeddingServer, encoding: str
) -> None:
    model = OpenAIModel(server.url, "wordllama", batch_size=7, encoding_format=encoding)
    features = model.encode(TEXTS)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, local.encode(TEXTS))
    assert [request["input"] for request in server.requests] == [TEXTS[i : i + 7] for i in range(0, 25, 7)]
    assert {request["model"] for request in server.requests} == {"wordllama"}
    assert model.info.dim == 256
    assert not any("Authorization" in headers for headers in server.headers)


def test_nothing_is_sent_before_the_first_encode(server: EmbeddingServer) -> None:
    model = OpenAIModel(server.url, "m", price_per_million=0.5)
    assert model.estimate(["a" * 400, "鱼" * 100, ""]) == CostEstimate(1, 201, 201 * 0.5 / 1e6)
    assert model.encode([]).shape == (0, 0)
    assert (model.info.dim, model.inputs(["a"]), model.trace("a"), model.encode_exact(["a"])) == (None,) * 4
    assert server.requests == []


def test_estimate_counts_requests_and_no_money_without_a_price() -> None:
    estimate = OpenAIModel("http://localhost/v1", "m", batch_size=10).estimate(["abcd"] * 21)
    assert estimate == CostEstimate(3, 21, None)


@pytest.mark.parametrize("fault", ["error=500", "error=503 x", "reset", "half a JSON", "cut off", "retry-after=0"])
def test_passing_faults_are_retried(
    local: StaticModel, server: EmbeddingServer, waits: list[float], fault: str
) -> None:
    server.faults.extend([fault, fault])
    model = OpenAIModel(server.url, "m", batch_size=20)
    np.testing.assert_array_equal(model.encode(TEXTS), local.encode(TEXTS))
    assert len(server.requests) == 2 + 2
    assert server.requests[0] == server.requests[1] == server.requests[2]


def test_a_server_that_hangs_is_given_up_on_and_asked_again(local: StaticModel, server: EmbeddingServer) -> None:
    server.faults.append("hang")
    model = OpenAIModel(server.url, "m", timeout=0.4)
    np.testing.assert_array_equal(model.encode(TEXTS), local.encode(TEXTS))
    assert len(server.requests) == 2


def test_retry_after_is_honoured_in_seconds_and_as_a_date(server: EmbeddingServer, waits: list[float]) -> None:
    server.faults.extend(["retry-after=7", "retry-after-date=100"])
    OpenAIModel(server.url, "m").encode(["a"])
    assert waits[0] == 7.0
    assert 95 <= waits[1] <= 100


def test_a_wait_of_hours_is_an_error_not_a_sleep(server: EmbeddingServer, waits: list[float]) -> None:
    server.faults.append("retry-after=7200")
    with pytest.raises(ModelError, match="7200 s"):
        OpenAIModel(server.url, "m").encode(["a"])
    assert waits == []


def test_a_server_that_stays_down_ends_in_one_clear_error(server: EmbeddingServer, waits: list[float]) -> None:
    server.faults.extend(["error=502 bad gateway"] * 10)
    with pytest.raises(ModelError, match=r"failed 4 times.*502 \(bad gateway"):
        OpenAIModel(server.url, "m", retries=3).encode(["a"])
    assert len(server.requests) == 4
    assert waits == sorted(waits)
    assert len(waits) == 3


def test_nobody_listens(waits: list[float], local: StaticModel) -> None:
    with EmbeddingServer(local.encode) as closed:
        url = closed.url
    with pytest.raises(ModelError, match="ConnectionRefusedError"):
        OpenAIModel(url, "m", retries=1).encode(["a"])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_final_and_shows_the_servers_words(
    server: EmbeddingServer, waits: list[float], status: int
) -> None:
    server.faults.append(f"error={status} because " + "x" * 1000)
    with pytest.raises(ModelError, match=f"{status}: because xx") as caught:
        OpenAIModel(server.url, "m").encode(["a"])
    assert len(server.requests) == 1
    assert len(str(caught.value)) < 600


def test_an_exhausted_quota_is_final(server: EmbeddingServer) -> None:
    server.faults.append("error=429 You exceeded your quota: insufficient_quota")
    with pytest.raises(ModelError, match="quota"):
        OpenAIModel(server.url, "m").encode(["a"])
    assert len(server.requests) == 1


def test_a_text_too_long_is_named(server: EmbeddingServer) -> None:
    server.faults.extend(["", "error=400 maximum context length is 8192 tokens"])
    texts = ["a", "b", "c", "long " * 50, "d"]
    with pytest.raises(ModelError, match=r"number 4 of those to encode, has 250 characters"):
        OpenAIModel(server.url, "m", batch_size=2).encode(texts)


def test_shuffled_answers_are_put_in_order(local: StaticModel, server: EmbeddingServer) -> None:
    server.faults.append("shuffle")
    np.testing.assert_array_equal(OpenAIModel(server.url, "m").encode(TEXTS), local.encode(TEXTS))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("nan", "NaN"),
        ("ragged", "different lengths"),
        ("one missing", "24 embeddings for 25 texts"),
        ("no index", "numbered 0 to 24"),
        ("index twice", "numbered 0 to 24"),
        ("words", "no list of numbers"),
        ("nested", "no list of numbers"),
        ("chat", "no list of embeddings"),
        ("page", "web page"),
    ],
)
def test_answers_of_the_wrong_shape_are_refused_at_once(server: EmbeddingServer, fault: str, words: str) -> None:
    server.faults.append(fault)
    with pytest.raises(ModelError, match=words):
        OpenAIModel(server.url, "m").encode(TEXTS)
    assert len(server.requests) == 1


def test_dimensions_that_change_between_requests_are_refused(server: EmbeddingServer) -> None:
    server.faults.extend(["", "other dims"])
    with pytest.raises(ModelError, match="255 numbers where 256"):
        OpenAIModel(server.url, "m", batch_size=5).encode(TEXTS)


def test_fewer_dimensions_are_asked_for(local: StaticModel, server: EmbeddingServer) -> None:
    model = OpenAIModel(server.url, "m", dimensions=64)
    np.testing.assert_array_equal(model.encode(TEXTS), local.encode(TEXTS)[:, :64])
    assert model.info.dim == 64


def test_empty_texts_and_broken_unicode_reach_the_server(local: StaticModel, server: EmbeddingServer) -> None:
    features = OpenAIModel(server.url, "m").encode(["", "\ud800", "a\0b"])
    np.testing.assert_array_equal(features, local.encode([" ", "\ufffd", "a\0b"]))


def test_the_key_is_sent_and_never_shown(server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    model = OpenAIModel(server.url, "m", key_env="MY_KEY")
    server.faults.append("echo key")
    with pytest.raises(ModelError, match=r"Bearer \[key\].*MY_KEY") as caught:
        model.encode(["a"])
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert KEY not in str(caught.value) + repr(model) + repr(model.info) + repr(vars(model))


def test_a_key_no_header_can_carry_is_not_quoted(server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f"{KEY}\n{KEY}")
    with pytest.raises(InputError, match="MY_KEY") as caught:
        OpenAIModel(server.url, "m", key_env="MY_KEY").encode(["a"])
    assert KEY not in str(caught.value)
    assert server.requests == []


def test_redirects_are_not_followed(
    local: StaticModel, server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with EmbeddingServer(local.encode) as other:
        server.faults.append(f"redirect={other.url}/embeddings")
        with pytest.raises(ModelError, match="redirects to"):
            OpenAIModel(server.url, "m", key_env="MY_KEY").encode(["a"])
        assert other.requests == []


def test_a_key_is_needed_elsewhere_and_not_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(InputError, match="export OPENAI_API_KEY"):
        OpenAIModel("https://host.invalid/v1", "m").encode(["a"])
    with pytest.raises(InputError, match="unencrypted"):
        OpenAIModel("http://host.invalid/v1", "m")
    OpenAIModel("http://host.invalid/v1", "m", key_env=None)


@pytest.mark.parametrize(
    "url", ["", "host/v1", "ftp://host/v1", "http://", "https://a:b@host/v1", "https://host/v1?x=1", "http://[::1/v1",
            "https://host/v 1", "http://localhost:99999/v1"],
)  # fmt: skip
def test_bad_addresses(url: str) -> None:
    with pytest.raises(InputError):
        OpenAIModel(url, "m")


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 0}, {"batch_size": True}, {"timeout": 0}, {"timeout": float("nan")}, {"retries": -1},
     {"price_per_million": -1.0}, {"requests_per_minute": 0}, {"dimensions": 0}, {"encoding_format": "int8"}],
)  # fmt: skip
def test_bad_options(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        OpenAIModel("http://localhost/v1", "m", **options)  # type: ignore[arg-type]


def test_fingerprint_covers_address_model_and_options() -> None:
    variants = [
        OpenAIModel("http://localhost/v1", "m"),
        OpenAIModel("http://localhost/v2", "m"),
        OpenAIModel("http://localhost/v1", "n"),
        OpenAIModel("http://localhost/v1", "m", dimensions=64),
    ]
    assert len({model.fingerprint for model in variants}) == 4
    assert OpenAIModel("http://localhost/v1/embeddings/", "m", batch_size=3).fingerprint == variants[0].fingerprint


@given(st.floats(0.5, 1e4), st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_no_minute_sees_more_requests_than_allowed(per_minute: float, pauses: list[float]) -> None:
    pace = Pace(per_minute)
    now, sent = 0.0, []
    for pause in pauses:
        now += pause
        now += pace.book(now)
        sent.append(now)
    for first in sent:
        assert sum(first <= moment < first + 60 - 1e-6 for moment in sent) <= max(1, np.ceil(per_minute))


def test_the_pace_is_kept_by_real_requests(server: EmbeddingServer, waits: list[float]) -> None:
    OpenAIModel(server.url, "m", batch_size=1, requests_per_minute=2).encode(["a", "b", "c"])
    assert len(waits) == 2
    assert waits[0] > 25
    assert waits[1] > 55  # nobody slept, so the second wait is counted from about the same moment


@given(st.integers(0, 30), st.integers())
def test_backoff_doubles_up_to_a_minute_with_half_of_it_random(attempt: int, seed: int) -> None:
    full = min(60.0, 0.5 * 2.0**attempt)
    assert full / 2 <= backoff(attempt, None, random.Random(seed)) <= full
    assert backoff(attempt, 3.0, random.Random(seed)) == 3.0


def test_retry_after_values() -> None:
    now = time.mktime(time.strptime("2030-01-01", "%Y-%m-%d"))
    assert [retry_after(v, now) for v in (None, "", "soon", "nan", "-5", "2.5")] == [None, None, None, None, 0.0, 2.5]
    assert retry_after("Thu, 01 Jan 1970 00:01:40 GMT", 40.0) == 60.0
    assert retry_after("Thu, 01 Jan 1970 00:01:40 GMT", 400.0) == 0.0
