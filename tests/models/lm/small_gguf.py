"""A small Llama written as a GGUF file by the format's own library, weights laid out as llama.cpp lays them out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from small_lm import byte_tokenizer


def save_gguf(path: Path, network: Any) -> None:
    """Write the weights of a transformers Llama in float32."""
    import gguf

    config = network.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config.vocab_size)
    model = json.loads(byte_tokenizer().to_str())["model"]
    words = [word for word, _ in sorted(byte_tokenizer().get_vocab().items(), key=lambda pair: pair[1])]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_types([3 if place < 2 else 1 for place in range(len(words))])
    writer.add_token_merges([" ".join(pair) for pair in model["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    heads = {"q": config.num_attention_heads, "k": config.num_key_value_heads}
    for name, tensor in network.state_dict().items():
        writer.add_tensor(*_tensor(name, tensor.numpy(), heads))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def _tensor(name: str, values: np.ndarray, heads: dict[str, int]) -> tuple[str, np.ndarray]:
    stem = name.removesuffix(".weight")
    if not stem.startswith("model.layers."):
        return f"{_NAMES[stem]}.weight", values
    _, _, layer, rest = stem.split(".", 3)
    kind = _NAMES[rest]
    if kind in ("attn_q", "attn_k"):
        # llama.cpp interleaves the two halves of each head that the rotation pairs up.
        count = heads[kind[-1]]
        values = values.reshape(count, 2, -1, values.shape[1]).swapaxes(1, 2).reshape(values.shape)
    return f"blk.{layer}.{kind}.weight", np.ascontiguousarray(values)
