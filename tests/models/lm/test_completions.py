"""Answers scored by a real server on loopback that serves a real language model."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from completion_server import CompletionServer

from presheaf.errors import InputError, ModelError
from presheaf.models.lm.base import LanguageModel, Question
from presheaf.models.lm.completions import CompletionsModel
from presheaf.models.lm.contract import check_language_model
from presheaf.models.lm.ngram import NGramModel
from presheaf.models.openai import CostEstimate
from presheaf.models.registry import load_model

REVIEWS = [
    line.split(",", 1)[1]
    for line in (Path(__file__).parents[3] / "examples" / "reviews.csv").read_text("utf-8").splitlines()[1:400]
] + ["naïve 鱼 🧬 text, naïve 鱼"]
QUESTIONS = [
    Question("the picture was", (" great", " poor", " not so great")),
    Question("naïve 鱼", (" 🧬", "鱼 text")),
    Question("sound", ("", "s")),
    Question("nothing", ()),
    Question("the picture was", (" great", " poor", " not so great")),
]
WORDS = re.compile(r"\s*(?:\w+|[^\w\s])").findall
KEY = "sk-secret-0123456789"


@pytest.fixture(scope="module")
def local() -> NGramModel:
    return NGramModel.train(REVIEWS, 4, "character")


@pytest.fixture(scope="module")
def words() -> NGramModel:
    return NGramModel.train(REVIEWS, 3)


@pytest.fixture
def server(local: NGramModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[CompletionServer]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with CompletionServer(local, list) as running:
        yield running


@pytest.fixture
def word_server(words: NGramModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[CompletionServer]:
    """A token is a word with the white space before it."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with CompletionServer(words, WORDS, lambda token: f" {words.text([token])}") as running:
        yield running


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits that would have been slept."""
    slept: list[float] = []
    monkeypatch.setattr("presheaf.models.endpoint.time.sleep", lambda s: slept.append(s) if s else None)
    return slept


def same(one: list[np.ndarray], other: list[np.ndarray], rtol: float = 1e-12) -> None:
    assert [values.shape for values in one] == [values.shape for values in other]
    np.testing.assert_allclose(np.concatenate(one), np.concatenate(other), rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 2, 64])
@pytest.mark.parametrize("manner", ["plain", "begin symbol", "bytes", "no offsets"])
def test_echo_gives_the_local_models_numbers(
    local: NGramModel, server: CompletionServer, batch_size: int, manner: str
) -> None:
    server.manners.add(manner)
    model = CompletionsModel(server.url, "m", batch_size=batch_size)
    told: dict[int, np.ndarray] = {}
    found = model.score(QUESTIONS, lambda i, values: told.update({i: values}))
    same(found, local.score(QUESTIONS))
    same([told[i] for i in range(len(QUESTIONS))], found)
    assert isinstance(model, LanguageModel)
    # Two requests of the self-check, then the six answers that are not empty, those asked twice once.
    assert len(server.requests) == 2 + math.ceil(6 / batch_size)


def test_characters_counted_three_times(local: NGramModel, server: CompletionServer) -> None:
    server.manners.add("three for one")
    model = CompletionsModel(server.url, "m")
    questions = [Question("naïve 鱼 🧬 is", (" good", " bad"))]
    same(model.score(questions), local.score(questions))
    with pytest.raises(ModelError, match="do not spell the text"):
        model.score([Question("it is", (" 鱼 good",))])


def test_words_as_tokens_and_a_token_across_the_border(words: NGramModel, word_server: CompletionServer) -> None:
    model = CompletionsModel(word_server.url, "m")
    same(model.score(QUESTIONS[:1]), words.score(QUESTIONS[:1]))
    with pytest.raises(ModelError, match=r"across the border of prompt and answer, ' great'.*start of the answer"):
        model.score([Question("the picture was ", ("great",))])
    with pytest.raises(ModelError, match=r"across the border of prompt and answer, 'picture'"):
        model.score([Question("pict", ("ure",))])


def test_a_server_that_reads_its_own_words_differently_passes_the_check(words: NGramModel) -> None:
    with CompletionServer(words, WORDS) as server:  # it writes "that" behind "is", and reads "isthat" as one token
        same(CompletionsModel(server.url, "m").score(QUESTIONS[:1]), words.score(QUESTIONS[:1]))


def test_an_empty_prompt_has_no_first_token(server: CompletionServer) -> None:
    with pytest.raises(ModelError, match="no probability for the first token"):
        CompletionsModel(server.url, "m").score([Question("", ("a",))])


def test_an_empty_prompt_is_fine_where_a_text_has_a_begin_symbol(local: NGramModel, server: CompletionServer) -> None:
    server.manners.add("begin symbol")
    questions = [Question("", ("a", "the "))]
    same(CompletionsModel(server.url, "m").score(questions), local.score(questions))


def test_nothing_is_sent_before_the_first_score_and_the_cost_is_known(server: CompletionServer) -> None:
    model = CompletionsModel(server.url, "m", price_per_million=2.0, batch_size=4)
    # Three texts of (4 or 5 letters -> 1 or 2 tokens) + 1 written each; two checks of 24 letters -> 6 + 1.
    questions = [Question("abcd", ("", "e", "f")), Question("abcd", ("", "e", "f")), Question("ab", ("cd",))]
    tokens = (2 + 1) + (2 + 1) + (1 + 1) + 2 * (6 + 1)
    assert model.estimate(questions) == CostEstimate(1 + 2, tokens, tokens * 2.0 / 1e6)
    assert model.estimate([]) == CostEstimate(0, 0, 0.0)
    assert (model.count(""), model.count("abcde"), model.lost(questions[0])) == (0, 2, 0)
    assert server.requests == []
    assert model.score([]) == []
    assert [v.tolist() for v in model.score([Question("a", ("",)), Question("b", ())])] == [[0.0], []]
    assert server.requests == []
    model.score(questions)
    assert len(server.requests) == 3
    assert model.estimate(questions).requests == 1
    assert CompletionsModel(server.url, "m", echo=False).estimate(questions) == CostEstimate(2, 4, None)


@pytest.mark.parametrize("fault", ["error=500", "error=503 x", "reset", "half a JSON", "cut off", "retry-after=0"])
def test_passing_faults_are_retried(
    local: NGramModel, server: CompletionServer, waits: list[float], fault: str
) -> None:
    server.faults.extend([fault, fault, "", "", fault])
    same(CompletionsModel(server.url, "m").score(QUESTIONS), local.score(QUESTIONS))
    assert len(server.requests) == 2 + 6 + 3


def test_a_server_that_hangs_is_asked_again(local: NGramModel, server: CompletionServer) -> None:
    server.faults.append("hang")
    same(CompletionsModel(server.url, "m", timeout=0.4).score(QUESTIONS[:1]), local.score(QUESTIONS[:1]))


def test_retry_after_is_honoured(server: CompletionServer, waits: list[float]) -> None:
    server.faults.append("retry-after=7")
    CompletionsModel(server.url, "m").score(QUESTIONS[:1])
    assert waits == [7.0]


def test_what_was_paid_for_is_kept_when_the_server_dies(
    local: NGramModel, server: CompletionServer, waits: list[float]
) -> None:
    questions = [Question("the picture", (f" {letter}", " no")) for letter in "abcdef"]
    server.faults.extend([""] * (2 + 7) + ["error=500 out of memory"] * 10)
    kept: dict[int, np.ndarray] = {}
    model = CompletionsModel(server.url, "m", retries=2)
    with pytest.raises(ModelError, match=r"failed 3 times.*out of memory"):
        model.score(questions, lambda i, values: kept.update({i: values}))
    assert sorted(kept) == [0, 1, 2]
    same([kept[i] for i in range(3)], local.score(questions[:3]))
    server.faults.clear()
    before = len(server.requests)
    same(model.score(questions[3:]), local.score(questions[3:]))
    assert len(server.requests) - before == 6


def test_ctrl_c_keeps_what_was_told(server: CompletionServer) -> None:
    questions = [Question("the picture", (f" {letter}",)) for letter in "abcdef"]
    told: list[int] = []

    def stop(position: int, values: np.ndarray) -> None:
        told.append(position)
        if position == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CompletionsModel(server.url, "m").score(questions, stop)
    assert told == [0, 1, 2]
    assert len(server.requests) == 2 + 3


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("no logprobs", "no log-probabilities"),
        ("other text", "does not begin with the one it was sent"),
        ("cut text", "tokens from character 2 on: it cut the beginning"),
        ("empty choices", "an empty list of choices for 1 text"),
        ("embedding", "no list of choices"),
        ("nan", "nan where the logarithm"),
        ("positive", "0.5 where the logarithm"),
        ("words", "'likely' where the logarithm"),
        ("ragged", r"\d+ tokens and \d+ log-probabilities"),
    ],
)
def test_answers_that_can_t_be_used_are_refused_at_once(server: CompletionServer, fault: str, said: str) -> None:
    server.faults.extend(["", "", fault])
    with pytest.raises(ModelError, match=said) as caught:
        CompletionsModel(server.url, "m").score(QUESTIONS)
    assert server.url in str(caught.value)
    assert len(server.requests) == 3


def test_batches_come_back_in_any_order_and_never_short(local: NGramModel, server: CompletionServer) -> None:
    server.faults.extend(["", "", "shuffle"])
    same(CompletionsModel(server.url, "m", batch_size=9).score(QUESTIONS), local.score(QUESTIONS))
    for fault, said in {
        "one missing": "5 choices for 6 texts.*batch_size=1",
        "no index": "not numbered 0 to 5",
    }.items():
        server.faults.extend(["", "", fault])
        with pytest.raises(ModelError, match=said):
            CompletionsModel(server.url, "m", batch_size=9).score(QUESTIONS)


def test_a_server_that_takes_one_text_only(server: CompletionServer, waits: list[float]) -> None:
    server.faults.extend(["", "", "error=500", "error=500"])
    with pytest.raises(ModelError, match=r"failed 2 times.*6 texts at once.*batch_size=1"):
        CompletionsModel(server.url, "m", batch_size=9, retries=1).score(QUESTIONS)


def test_a_server_without_echo_is_told_from_one_with(server: CompletionServer) -> None:
    server.manners.add("no echo")
    with pytest.raises(ModelError, match=r"does not support echo.*echo=false"):
        CompletionsModel(server.url, "m").score(QUESTIONS)
    server.manners.add("chat form")
    with pytest.raises(ModelError, match=r"does not support echo.*echo=false"):
        CompletionsModel(server.url, "m").score(QUESTIONS)


def test_log_probabilities_of_the_wrong_place_are_noticed(server: CompletionServer) -> None:
    server.manners.add("shifted")
    with pytest.raises(ModelError, match=r"when it echoes and .* when it writes"):
        CompletionsModel(server.url, "m").score(QUESTIONS)
    assert len(server.requests) == 2


def test_refusals_show_the_servers_words_and_a_way_out(server: CompletionServer) -> None:
    server.faults.extend(["", "", "error=400 maximum context length is 2048 tokens"])
    with pytest.raises(ModelError, match=r"2048 tokens.*of question 1, has 21 characters"):
        CompletionsModel(server.url, "m").score(QUESTIONS[:1])
    server.faults.extend(["", "error=400 logprobs are not supported with echo"])
    with pytest.raises(ModelError, match=r"not supported with echo.*\?echo=false"):
        CompletionsModel(server.url, "m").score(QUESTIONS[:1])
    server.faults.extend(["error=401 who are you"])
    with pytest.raises(ModelError, match="401: who are you"):
        CompletionsModel(server.url, "m").score(QUESTIONS[:1])


def test_the_key_is_sent_and_never_shown(server: CompletionServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    model = CompletionsModel(server.url, "m", key_env="MY_KEY")
    server.faults.append(f"error=401 wrong key {KEY}")
    with pytest.raises(ModelError, match=r"wrong key \[key\]") as caught:
        model.score(QUESTIONS)
    assert KEY not in str(caught.value) + repr(model.info) + repr(vars(model))


def test_broken_unicode_reaches_the_server(local: NGramModel, server: CompletionServer) -> None:
    found = CompletionsModel(server.url, "m").score([Question("a\ud800", ("\udc00b",))])
    same(found, local.score([Question("a\ufffd", ("\ufffdb",))]))


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 0}, {"batch_size": True}, {"top": 0}, {"timeout": 0}, {"retries": -1}, {"price_per_million": -1.0},
     {"requests_per_minute": 0}],
)  # fmt: skip
def test_bad_options(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        CompletionsModel("http://localhost/v1", "m", **options)  # type: ignore[arg-type]


def test_bad_addresses() -> None:
    with pytest.raises(InputError, match="which model"):
        CompletionsModel("http://localhost/v1", " ")
    with pytest.raises(InputError, match="unencrypted"):
        CompletionsModel("http://host.invalid/v1", "m")


def test_fingerprint_covers_what_could_change_a_number() -> None:
    variants = [
        CompletionsModel("http://localhost/v1", "m"),
        CompletionsModel("http://localhost/v2", "m"),
        CompletionsModel("http://localhost/v1", "n"),
        CompletionsModel("http://localhost/v1", "m", echo=False),
        CompletionsModel("http://localhost/v1", "m", echo=False, top=7),
        CompletionsModel("http://localhost/v1", "m", chat=True),
    ]
    assert len({model.fingerprint for model in variants}) == 6
    again = CompletionsModel("http://localhost/v1/completions/", "m", batch_size=3, top=9)
    assert again.fingerprint == variants[0].fingerprint


def test_it_is_asked_for_by_its_address(local: NGramModel, server: CompletionServer) -> None:
    model = load_model(f"lm:{server.url}#some/model?batch_size=3&key_env=none")
    assert isinstance(model, CompletionsModel)
    same(model.score(QUESTIONS), local.score(QUESTIONS))
    assert {request["model"] for request in server.requests} == {"some/model"}
    chat = load_model(f"lm:{server.url}#m?chat=true&top=7")
    assert chat.info.kind == "chat"
    assert chat.info.settings == (("answers scored by", "first token among the 7 most likely"),)
    with pytest.raises(InputError, match="Write the model after the address"):
        load_model(f"lm:{server.url}")


def test_it_keeps_the_contract(server: CompletionServer) -> None:
    server.manners.add("begin symbol")
    model = CompletionsModel(server.url, "m", batch_size=50)
    check_language_model(model, REVIEWS[:3], other=CompletionsModel(server.url, "m", echo=False))
