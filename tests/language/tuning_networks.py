"""A tiny Llama with a byte-level tokenizer, written to disk, and a task that it can learn: which of two words occurs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

NAMES = ("good", "bad")
TEMPLATE = "{text} It was {label}"
FILLER = ("the", "film", "plot", "and", "a", "cast", "we", "saw", "it")


def texts_and_labels(count: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Filler words with "sun" or "rain" among them; the label says which."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    texts = []
    for label in labels:
        words = list(rng.choice(FILLER, 5))
        words.insert(int(rng.integers(0, 5)), ("sun", "rain")[label])
        texts.append(" ".join(words))
    return texts, labels


def save_tiny_llama(folder: Path, *, bos: bool = False, seed: int = 0) -> Any:
    """A Llama of two blocks with random weights; with ``bos`` its tokenizer puts a token before every text."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    corpus = [TEMPLATE.format(text=text, label=name) for text in texts_and_labels(40)[0] for name in NAMES]
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=["<s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(corpus, trainer)
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", model_max_length=128).save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=320,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
        initializer_range=0.1,
    )
    torch.manual_seed(seed)
    LlamaForCausalLM(config).eval().save_pretrained(folder)


def load_tiny_llama(folder: Path, *, bos: bool = False, **options: Any) -> Any:
    from presheaf.models.lm.causal import CausalLM

    if not (folder / "config.json").exists():
        save_tiny_llama(folder, bos=bos)
    return CausalLM(str(folder), device="cpu", **options)
