"""The causal source against the library's own forward pass, on small networks of several architectures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from small_lm import TEXTS, VOCABULARY, bloom, by_hand, gpt2, llama, mamba, mistral, save_causal  # noqa: E402

from presheaf.errors import InputError, ModelError  # noqa: E402
from presheaf.models import check_model_source, load_model  # noqa: E402
from presheaf.models.lm.base import LocalLanguageModel, Question  # noqa: E402
from presheaf.models.lm.causal import CausalLM  # noqa: E402
from presheaf.models.lm.contract import check_language_model  # noqa: E402
from presheaf.models.lm.run import TrieRunner  # noqa: E402
from presheaf.models.lm.trie import build_trie  # noqa: E402

QUESTIONS = [
    Question(f"{text}\n{end}", (" good", " good enough", " bad", "", " excellent film"))
    for text in TEXTS
    for end in ("A:", "It was")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("llama")
    save_causal(path, llama())
    return path


def expected(model: CausalLM, network: Any, question: Question) -> list[float]:
    prompt = list(model.tokens(question.prompt))
    return [
        float(by_hand(network, [*prompt, *model.tokens(answer)], len(prompt)).sum()) if answer else 0.0
        for answer in question.answers
    ]


@pytest.mark.parametrize("batch_tokens", [1, 7, 512])
@pytest.mark.parametrize(
    ("config", "shares"),
    [
        (llama(), True),
        (gpt2(), True),
        (mistral(sliding_window=8), False),
        (mistral(sliding_window=None), True),
        (bloom(), False),
        (mamba(), False),
    ],
    ids=["llama", "gpt2", "mistral-window", "mistral", "bloom", "mamba"],
)
def test_scores_are_those_of_the_plain_loop(tmp_path: Path, config: Any, shares: bool, batch_tokens: int) -> None:
    network = save_causal(tmp_path, config)
    model = CausalLM(str(tmp_path), batch_tokens=batch_tokens)
    for question, score in zip(QUESTIONS, model.score(QUESTIONS), strict=True):
        np.testing.assert_allclose(score, expected(model, network, question), atol=1e-4)
    assert model.shares is shares


@pytest.mark.parametrize("batch_tokens", [5, 512])
def test_sharing_is_the_plain_loop_in_double_precision(tmp_path: Path, batch_tokens: int) -> None:
    network = save_causal(tmp_path, gpt2()).double()
    model = CausalLM(str(tmp_path), dtype="float64", batch_tokens=batch_tokens)
    for question, score in zip(QUESTIONS, model.score(QUESTIONS), strict=True):
        np.testing.assert_allclose(score, expected(model, network, question), rtol=0, atol=1e-9)
    assert model.shares


def test_a_window_that_shows_only_in_long_sequences_is_found(tmp_path: Path) -> None:
    network = save_causal(tmp_path, mistral(sliding_window=80))
    model = CausalLM(str(tmp_path))
    model.score([Question("the cat", (" sat",))])
    assert model.shares
    long = Question("the cat sat on the red mat " * 12, (" good", " good enough"))
    assert model.count(long.prompt) > 80
    np.testing.assert_allclose(model.score([long])[0], expected(model, network, long), atol=1e-4)
    short = Question("the cat", (" sat", " bad"))
    np.testing.assert_allclose(model.score([short])[0], expected(model, network, short), atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"window": 40}, {"batch_tokens": 16}, {"dtype": "float64"}])
def test_contract_of_language_models(folder: Path, options: dict[str, Any]) -> None:
    model = CausalLM(str(folder), **options)
    assert isinstance(model, LocalLanguageModel)
    check_language_model(model, TEXTS[:4], other=CausalLM(str(folder), seed=1))


def test_contract_of_language_models_without_sharing(tmp_path: Path) -> None:
    save_causal(tmp_path, mistral(sliding_window=8))
    check_language_model(CausalLM(str(tmp_path), window=50), TEXTS[:3])


@pytest.mark.parametrize("options", [{"layer": 0}, {"layer": "mean", "pooling": "last"}, {"window": 30}])
def test_contract_of_models(folder: Path, options: dict[str, Any]) -> None:
    check_model_source(CausalLM(str(folder), **options), TEXTS, other=CausalLM(str(folder), layer=2))


def test_shared_prefixes_are_run_once(folder: Path) -> None:
    model = CausalLM(str(folder))
    model.score([Question("the", (" cat",))])
    before = model.work
    head = "the cat sat on the red mat and the fish was good enough\n"
    questions = [Question(head + text + "\nIt was", (" good", " bad", " good enough")) for text in TEXTS]
    model.score([*questions, *questions])
    done = model.work - before
    prompts = [model.tokens(question.prompt) for question in questions]
    answers = [model.tokens(answer) for answer in questions[0].answers]
    fed = [(*prompt, *answer[:-1]) for prompt in prompts for answer in answers]
    assert done.tokens == len({one[: size + 1] for one in fed for size in range(len(one))})
    assert done.tokens_plain == 2 * sum(len(one) for one in fed)
    assert done.shared > 3
    assert done.seconds > 0


def test_logits_are_bounded_by_their_block(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = CausalLM(str(folder))
    sequences = [model.tokens(text) for text in TEXTS]
    whole = model.token_log_probs(sequences)
    monkeypatch.setattr("presheaf.models.lm.run._LOGITS", 5 * VOCABULARY)
    sizes: list[int] = []
    forward = TrieRunner._forward

    def watched(self: TrieRunner, *args: Any, **fed: Any) -> Any:
        logits = forward(self, *args, **fed)
        sizes.append(logits.numel())
        return logits

    monkeypatch.setattr(TrieRunner, "_forward", watched)
    for a, b in zip(whole, model.token_log_probs(sequences), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    assert max(sizes) <= 5 * VOCABULARY


def test_prefix_composition_is_exact(folder: Path) -> None:
    model = CausalLM(str(folder), dtype="float64")
    tokens = model.tokens(TEXTS[3])
    whole, half = model.token_log_probs([tokens, tokens[:5]])
    np.testing.assert_allclose(whole[:5], half, rtol=0, atol=1e-12)
    rest = model.score([Question(model.text(tokens[:5]), (model.text(tokens[5:]),))])[0]
    np.testing.assert_allclose(rest.sum(), whole[5:].sum(), atol=1e-6)


def test_the_empty_text_is_the_start_token_for_the_first_token_alone(folder: Path) -> None:
    model = CausalLM(str(folder))
    network = model.network
    tokens = model.tokens("the cat sat")
    first = by_hand(network, [0, tokens[0]], 1)
    rest = by_hand(network, list(tokens), 1)
    np.testing.assert_allclose(model.token_log_probs([tokens])[0], [*first, *rest], atol=1e-5)
    np.testing.assert_allclose(model.score([Question("", ("the cat sat",))])[0], [first.sum() + rest.sum()], atol=1e-5)


def test_a_start_token_the_tokenizer_adds_stands_before_every_text(tmp_path: Path) -> None:
    from small_lm import byte_tokenizer
    from tokenizers import Tokenizer, processors

    tokenizer = Tokenizer.from_str(byte_tokenizer().to_str())
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|start|> $A <|end|>", special_tokens=[("<|start|>", 0), ("<|end|>", 1)]
    )
    network = save_causal(tmp_path, llama(), tokenizer=tokenizer)
    model = CausalLM(str(tmp_path), window=30)
    tokens = model.tokens("the cat sat")
    assert 0 not in tokens
    np.testing.assert_allclose(model.token_log_probs([tokens])[0], by_hand(network, [0, *tokens], 1), atol=1e-5)
    check_language_model(model, TEXTS[:3])


def test_a_tokenizer_that_writes_a_space_before_a_text_writes_none_before_an_answer(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    words = ["<|start|>", "<|end|>", "▁the", "▁cat", "cat", "▁", "s", "t", "h", "e", "c", "a"]
    tokenizer = Tokenizer(models.Unigram([(word, -float(i)) for i, word in enumerate(words)], unk_id=1))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    network = save_causal(tmp_path, llama(), tokenizer=tokenizer)
    model = CausalLM(str(tmp_path))
    assert model.pieces(model.tokens("the")) == ["the"]
    score = model.score([Question("the", (" cat", "cat"))])[0]
    np.testing.assert_allclose(score, [by_hand(network, [2, word], 1)[0] for word in (3, 4)], atol=1e-5)


def test_a_prompt_beyond_the_window_loses_its_beginning_for_all_answers_alike(folder: Path) -> None:
    model = CausalLM(str(folder), window=20)
    question = Question("the cat sat on the red mat " * 5, (" good", " good enough"))
    prompt, short, long = (list(model.tokens(text)) for text in (question.prompt, *question.answers))
    kept = prompt[-(20 - len(long) + 1) :]
    assert model.lost(question) == len(prompt) - len(kept)
    scores = model.score([question])[0]
    np.testing.assert_allclose(
        scores, [by_hand(model.network, kept + answer, len(kept)).sum() for answer in (short, long)], atol=1e-4
    )
    with pytest.raises(ModelError, match="window of 20"):
        model.score([Question("a", (" good" * 30,))])
    with pytest.raises(ModelError, match="window of 20"):
        model.token_log_probs([model.tokens(" good" * 30)])
    assert model.next_log_probs([tuple(prompt)]).shape == (1, VOCABULARY)


def test_layers_and_pooling_are_those_of_the_library(folder: Path) -> None:
    model = CausalLM(str(folder), layer=1)
    ids = torch.tensor([model.tokens(TEXTS[0])])
    with torch.no_grad():
        states = model.network.model(ids, output_hidden_states=True).hidden_states
    mean = np.stack([state[0].mean(0).numpy() for state in states])
    np.testing.assert_allclose(model.hidden_layers(TEXTS)[:, 0], mean, atol=1e-5)
    np.testing.assert_allclose(model.encode(TEXTS)[0], mean[1], atol=1e-5)
    last = CausalLM(str(folder), layer=-1, pooling="last").encode(TEXTS)[0]
    np.testing.assert_allclose(last, states[2][0, -1].numpy(), atol=1e-5)
    assert model.hidden_layers([]).shape == (3, 0, 32)


def test_gradients_reach_the_embeddings(folder: Path) -> None:
    model = CausalLM(str(folder))
    ids = torch.tensor([model.tokens("the cat sat")])
    model.network(ids, labels=ids).loss.backward()
    assert float(model.network.get_input_embeddings().weight.grad.abs().sum()) > 0


def test_half_precision_stays_close(folder: Path) -> None:
    model = CausalLM(str(folder), dtype="bfloat16")
    whole = np.array(CausalLM(str(folder)).score(QUESTIONS))
    assert np.median(np.abs(np.array(model.score(QUESTIONS)) - whole)) < 0.5
    assert model.info.precision == "bfloat16"


def test_a_folder_of_a_causal_network_is_recognised(folder: Path, tmp_path: Path) -> None:
    assert isinstance(load_model(str(folder)), CausalLM)
    assert isinstance(load_model(f"lm:{folder}?layer=1&dtype=float64"), CausalLM)
    assert load_model(f"lm:{folder}", layer=0).info.settings[0] == ("layer", "0")
    encoder = load_model(f"hf:{folder}")
    assert not isinstance(encoder, CausalLM)


def test_random_weights_follow_the_seed_alone(folder: Path) -> None:
    a, b, c = (CausalLM(str(folder), seed=seed) for seed in (0, 0, 1))
    question = Question("the", (" cat",))
    assert a.score([question])[0] == b.score([question])[0] != c.score([question])[0]
    assert a.fingerprint == b.fingerprint != c.fingerprint


@pytest.mark.parametrize(
    "options",
    [
        {"layer": 3},
        {"layer": "last"},
        {"pooling": "sum"},
        {"window": 1},
        {"window": 129},
        {"window": "9"},
        {"dtype": "int8"},
        {"device": "abacus"},
        {"batch_size": 0},
        {"batch_tokens": 0},
    ],
)
def test_options_out_of_range(folder: Path, options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=repr(next(iter(options)))):
        CausalLM(str(folder), **options)


def test_tokens_outside_the_vocabulary(folder: Path) -> None:
    model = CausalLM(str(folder))
    with pytest.raises(InputError, match="from 0 to 319"):
        model.next_log_probs([(5, 320)])
    with pytest.raises(InputError, match="from 0 to 319"):
        model.token_log_probs([(-1,)])


def test_numbers_that_are_not_finite_are_refused(folder: Path) -> None:
    model = CausalLM(str(folder))
    with torch.no_grad():
        model.network.lm_head.weight[7] = float("nan")
    with pytest.raises(ModelError, match="finite"):
        model.score([Question("the", (" cat",))])


def test_a_node_is_yielded_once_whatever_the_way(folder: Path, tmp_path: Path) -> None:
    save_causal(tmp_path, mistral(sliding_window=8))
    for path in (folder, tmp_path):
        network = CausalLM(str(path)).network
        runner = TrieRunner(network, batch_tokens=4, window=None)
        trie = build_trie([(5, 6, 7), (5, 6, 8, 9), (5, 6), (4,)])
        wanted = np.ones(len(trie), dtype=np.bool_)
        seen = np.concatenate([block.nodes for block in runner.next_tokens(trie, wanted)])
        assert sorted(seen.tolist()) == list(range(len(trie)))
