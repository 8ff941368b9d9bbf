"""Small real causal networks written to disk by the tests, with a byte-pair tokenizer trained on a few sentences."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

TEXTS = [
    "The fish was fresh and the service quick.",
    "A boring, overlong film!",
    "the cat sat on the mat",
    "the cat sat on the red mat, and the fish was good enough",
    "naïve café 鱿鱼",
]
VOCABULARY = 320


@functools.cache
def byte_tokenizer() -> Any:
    """Byte-level byte pairs, no special token added, as GPT-2 and SmolLM2 have."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|start|>", "<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*TEXTS, "good bad enough all things considered"] * 3, trainer)
    return tokenizer


def save_causal(folder: Path, config: Any, *, seed: int = 0, tokenizer: Any = None) -> Any:
    """Write a network of this configuration with random weights and a tokenizer; returns the network."""
    import torch
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    network = AutoModelForCausalLM.from_config(config).eval()
    network.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer or byte_tokenizer(), bos_token="<|start|>", eos_token="<|end|>"
    ).save_pretrained(folder)
    return network


def llama(**changes: Any) -> Any:
    """Two layers whose weights are large enough for attention to matter."""
    from transformers import LlamaConfig

    return LlamaConfig(**{**_sizes(), "num_key_value_heads": 2, **changes})


def mistral(**changes: Any) -> Any:
    from transformers import MistralConfig

    return MistralConfig(**{**_sizes(), "num_key_value_heads": 2, **changes})


def gpt2(**changes: Any) -> Any:
    from transformers import GPT2Config

    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128}
    return GPT2Config(
        vocab_size=VOCABULARY, initializer_range=0.3, bos_token_id=0, eos_token_id=1, **{**sizes, **changes}
    )


def bloom(**changes: Any) -> Any:
    """Linear position biases instead of positions."""
    from transformers import BloomConfig

    return BloomConfig(vocab_size=VOCABULARY, hidden_size=32, n_layer=2, n_head=4, initializer_range=0.3, **changes)


def mamba(**changes: Any) -> Any:
    """Recurrence instead of attention."""
    from transformers import MambaConfig

    return MambaConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, state_size=4, initializer_range=0.3, **changes
    )


def _sizes() -> dict[str, Any]:
    return {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 128,
        "initializer_range": 0.3,
        "bos_token_id": 0,
        "eos_token_id": 1,
    }


def by_hand(network: Any, tokens: list[int], since: int) -> np.ndarray:
    """ln p of each token from position ``since`` on, by the library's own pass over the whole sequence, in float64."""
    import torch

    with torch.no_grad():
        logits = network(torch.tensor([tokens]).to(network.device)).logits[0].double().cpu()
    rows = torch.log_softmax(logits, -1)
    return np.array([rows[place - 1, tokens[place]].item() for place in range(since, len(tokens))])
