"""Small real networks written to disk by the tests: Hugging Face folders with a word tokenizer, and ONNX graphs."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "fish", "cat", "dog", "bites", "man", "the", "sea", "red"]


def word_tokenizer() -> Any:
    """Lower-cased words with [CLS] and [SEP] around them."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def save_network(folder: Path, config: Any, *, seed: int = 0, tokenizer: bool = True) -> Any:
    """Write a network of this configuration with random weights, and the word tokenizer; returns the network."""
    import torch
    from transformers import AutoModel, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    network = AutoModel.from_config(config).eval()
    network.save_pretrained(folder)
    if tokenizer:
        PreTrainedTokenizerFast(
            tokenizer_object=word_tokenizer(),
            unk_token="[UNK]",
            pad_token="[PAD]",
            cls_token="[CLS]",
            sep_token="[SEP]",
        ).save_pretrained(folder)
    return network


def bert_config(**changes: Any) -> Any:
    from transformers import BertConfig

    sizes: dict[str, Any] = {
        "vocab_size": len(WORDS),
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 24,
        "pad_token_id": 0,
    }
    return BertConfig(**{**sizes, **changes})


def _field(number: int, value: int | bytes | str) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _tensor(name: str, kind: int, shape: list[str | int]) -> bytes:
    """A ValueInfoProto: element kind 1 is float32, 6 is int32, 7 is int64."""
    axes = b"".join(_field(1, _field(1, n) if isinstance(n, int) else _field(2, n)) for n in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, axes)))


def save_lookup_graph(
    path: Path, table: np.ndarray, *, pooled: bool, kind: int = 7, input_name: str = "input_ids", width: str | int = "d"
) -> None:
    """An ONNX graph that looks token ids up in ``table``; with ``pooled`` it also averages them into one vector."""
    rows, dim = table.shape
    weights = _field(1, rows) + _field(1, dim) + _field(2, 1) + _field(8, "table")
    weights += _field(9, struct.pack(f"<{rows * dim}f", *table.ravel()))
    nodes = [_field(1, "table") + _field(1, input_name) + _field(2, "tokens") + _field(4, "Gather")]
    outputs = [_tensor("tokens", 1, ["b", "t", width])]
    if pooled:
        attributes = _field(5, _field(1, "axes") + _field(8, 1) + _field(20, 7))
        attributes += _field(5, _field(1, "keepdims") + _field(3, 0) + _field(20, 2))
        nodes.append(_field(1, "tokens") + _field(2, "sentence_embedding") + _field(4, "ReduceMean") + attributes)
        outputs.append(_tensor("sentence_embedding", 1, ["b", width]))
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, "lookup") + _field(5, weights)
    graph += _field(11, _tensor(input_name, kind, ["b", "t"])) + b"".join(_field(12, out) for out in outputs)
    path.write_bytes(_field(1, 7) + _field(7, graph) + _field(8, _field(2, 13)))
