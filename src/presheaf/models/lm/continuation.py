"""ln p of each token of a continuation, for many (prompt, continuation) pairs at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import ModelError
from presheaf.models.lm.base import Tokens
from presheaf.models.lm.run import TrieRunner
from presheaf.models.lm.trie import Trie, build_trie
from presheaf.models.lm.work import Work

Pair = tuple[Tokens, Tokens]


def token_log_probs(
    runner: TrieRunner, pairs: Sequence[Pair], *, start: Tokens, empty: Tokens
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Position of a pair and ln p(token | prompt, tokens before it) of its continuation, as soon as they are known.

    Parameters
    ----------
    pairs : sequence of (prompt, continuation)
        As tokens. Pairs without a continuation are answered first.
    start, empty : tuple of int
        What is run before a text, and instead of one without any token.

    Raises
    ------
    ModelError
        If a first token is asked for and nothing can stand for the empty text.
    """
    sequences: list[Tokens] = []
    for place, (prompt, answer) in enumerate(pairs):
        if not answer:
            yield place, np.zeros(0)
        # Where nothing is put before a text, the first token alone is asked after the empty one.
        sequences.append(start + prompt + answer[:-1] if answer else ())
        sequences.append(_empty(empty) if answer and not start + prompt else ())
    trie = build_trie(sequences)
    runner.work += Work(tokens_plain=sum(len(sequence) for sequence in sequences))
    nodes, targets, owners = _wanted(pairs, trie)
    order = np.argsort(nodes, kind="stable")
    sorted_nodes = nodes[order]
    wanted = np.zeros(len(trie), dtype=np.bool_)
    wanted[nodes] = True
    values = np.empty(len(nodes))
    offsets = np.concatenate([[0], np.cumsum([len(answer) for _, answer in pairs])]).astype(np.int64)
    left = np.diff(offsets)
    for block in runner.next_tokens(trie, wanted):
        low = np.searchsorted(sorted_nodes, block.nodes, side="left")
        counts = np.searchsorted(sorted_nodes, block.nodes, side="right") - low
        rows = np.repeat(np.arange(len(block.nodes)), counts)
        # Positions low[i], low[i] + 1, ..., low[i] + counts[i] - 1 for every row i, one after the other.
        inside = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        asked = order[np.repeat(low, counts) + inside]
        values[asked] = block.of(rows, targets[asked])
        np.subtract.at(left, owners[asked], 1)
        for place in np.unique(owners[asked]).tolist():
            if left[place] == 0:
                yield place, values[offsets[place] : offsets[place + 1]].copy()


def next_log_probs(
    runner: TrieRunner, prefixes: Sequence[Tokens], *, start: Tokens, empty: Tokens, vocabulary: int
) -> NDArray[np.float32]:
    """ln p(next token | prefix) in nats, shape (prefixes, vocabulary); see `token_log_probs`."""
    sequences = [start + prefix or _empty(empty) for prefix in prefixes]
    trie = build_trie(sequences)
    runner.work += Work(tokens_plain=sum(len(sequence) for sequence in sequences))
    wanted = np.zeros(len(trie), dtype=np.bool_)
    wanted[trie.ends] = True
    out = np.empty((len(prefixes), vocabulary), dtype=np.float32)
    order = np.argsort(trie.ends, kind="stable")
    ends = trie.ends[order]
    for block in runner.next_tokens(trie, wanted):
        low, high = np.searchsorted(ends, block.nodes, "left"), np.searchsorted(ends, block.nodes, "right")
        for row, values in enumerate(block.all()):
            out[order[low[row] : high[row]]] = values
    return out


def _empty(empty: Tokens) -> Tokens:
    if not empty:
        raise ModelError(
            "The tokenizer names no token that begins or ends a text (bos, eos, pad), so nothing can be asked after the "
            "empty text."
        )
    return empty


def _wanted(pairs: Sequence[Pair], trie: Trie) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """For each token asked for: the node it is asked after, the token, and the position of its pair."""
    nodes: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    for (_, answer), end, alone in zip(pairs, trie.ends[::2].tolist(), trie.ends[1::2].tolist(), strict=True):
        if alone >= 0:
            nodes.append(np.array([alone]))
        if answer:
            nodes.append(trie.path(end, len(answer) - (alone >= 0)))
    lengths = [len(answer) for _, answer in pairs]
    targets = np.array([token for _, answer in pairs for token in answer], dtype=np.int64)
    return np.concatenate(nodes), targets, np.repeat(np.arange(len(pairs)), lengths)
