"""Answers scored by their first token, by a real server on loopback."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from completion_server import CompletionServer

from presheaf.errors import ModelError
from presheaf.models.lm.base import Question
from presheaf.models.lm.completions import CompletionsModel
from presheaf.models.lm.ngram import NGramModel

REVIEWS = [
    line.split(",", 1)[1]
    for line in (Path(__file__).parents[3] / "examples" / "reviews.csv").read_text("utf-8").splitlines()[1:400]
] + ["naïve 鱼 🧬 text, naïve 鱼"]
WORDS = re.compile(r"\s*(?:\w+|[^\w\s])").findall


@pytest.fixture(scope="module")
def words() -> NGramModel:
    return NGramModel.train(REVIEWS, 3)


@pytest.fixture
def word_server(words: NGramModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[CompletionServer]:
    """A token is a word with the white space before it."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with CompletionServer(words, WORDS, lambda token: f" {words.text([token])}") as running:
        yield running


@pytest.mark.parametrize("manner", ["plain", "chat form"])
def test_first_tokens_without_echo(words: NGramModel, word_server: CompletionServer, manner: str) -> None:
    word_server.manners.update({"no echo", manner})
    model = CompletionsModel(word_server.url, "m", echo=False, top=words.vocabulary)
    questions = [Question("the picture was", (" great", " poor", "", " good for me"))]
    (found,) = model.score(questions)
    row = words.next_log_probs([words.tokens("the picture was")])[0].astype(np.float64)
    expected = [*(row[words.tokens(w)[0]] for w in ("great", "poor")), 0.0, row[words.tokens("good")[0]]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert (model.listed.answers, model.listed.bounded) == (3, 0)
    assert len(word_server.requests) == 1


def test_chat(words: NGramModel, word_server: CompletionServer) -> None:
    model = CompletionsModel(word_server.url, "m", chat=True)
    (found,) = model.score([Question("the picture is", (" a", " not", " zebra"))])
    row = words.next_log_probs([words.tokens("the picture is")])[0].astype(np.float64)
    listed = np.sort(row)[::-1][:20]
    assert {*found[:2]} <= {*listed.tolist()}
    assert found[0] == row[words.tokens("a")[0]]
    # Not listed: at most the smallest of the list, and at most what the list leaves over.
    assert found[2] == pytest.approx(min(listed[-1], math.log(1 - np.exp(listed).sum())), rel=1e-9)
    assert (model.listed.answers, model.listed.bounded) == (3, 1)
    assert word_server.requests[0] == {
        "model": "m",
        "messages": [{"role": "user", "content": "the picture is"}],
        "max_tokens": 1,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": 20,
    }


def test_answers_that_share_their_first_token_can_t_be_told_apart_by_it(word_server: CompletionServer) -> None:
    model = CompletionsModel(word_server.url, "m", chat=True, top=1000)
    with pytest.raises(ModelError, match="'very good' and 'very bad' both begin with 'very'"):
        model.score([Question("the picture is", (" very good", " very bad"))])
    (same_twice,) = model.score([Question("the picture is", (" very good", " very good"))])
    assert same_twice[0] == same_twice[1]


def test_a_model_that_says_something_else_is_noticed_after_ten_questions(word_server: CompletionServer) -> None:
    model = CompletionsModel(word_server.url, "m", chat=True, top=3)
    questions = [Question(f"the picture {i}", ("zebra", "yak")) for i in range(30)]
    with pytest.raises(ModelError, match="hold the beginning of no answer; asked for one of 'zebra', 'yak'"):
        model.score(questions)
    assert len(word_server.requests) == 10


@pytest.mark.parametrize(
    ("fault", "said"),
    [("no logprobs", "no log-probabilities"), ("no list", "no list of likely tokens"),
     ("empty choices", "an empty list of choices")],
)  # fmt: skip
@pytest.mark.parametrize("chat", [True, False])
def test_first_tokens_that_did_not_come(word_server: CompletionServer, fault: str, said: str, chat: bool) -> None:
    word_server.faults.append(fault)
    with pytest.raises(ModelError, match=said):
        CompletionsModel(word_server.url, "m", chat=chat, echo=False).score([Question("the", ("a", "b"))])
