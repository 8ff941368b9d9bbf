"""A causal network run over a trie of token sequences: every node once, whatever order its descendants come in."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from presheaf.errors import ModelError
from presheaf.models.lm.trie import Trie, build_trie
from presheaf.models.lm.work import Work

_LOGITS = 1 << 26  # most logits held at once: 256 MB in float32
_PROBE = 64  # tokens of the first self-check
# Root mean square over the vocabulary, in nats, up to which two ways to run the same tokens differ by rounding alone.
_ROUNDING = {torch.float64: 1e-5, torch.float32: 1e-4}
_COARSE_ROUNDING = 0.25  # of half precision
_REFUSALS = (TypeError, ValueError, RuntimeError, AttributeError, IndexError, NotImplementedError)


@dataclass(frozen=True, eq=False)
class NextTokens:
    """Next-token logits after some nodes of a trie.

    Attributes
    ----------
    nodes : int64 array of shape (m,)
    logits : tensor of shape (m, vocabulary), float32 or float64
    norms : float64 tensor of shape (m,)
        ln of the sum of the logits' exponentials.
    """

    nodes: NDArray[np.int64]
    logits: Any
    norms: Any

    def of(self, rows: NDArray[np.int64], tokens: NDArray[np.int64]) -> NDArray[np.float64]:
        """ln p(token) for pairs of a row here and a token, in nats. Shape (pairs,)."""
        at = torch.from_numpy(rows).to(self.logits.device)
        picked = self.logits[at, torch.from_numpy(tokens).to(self.logits.device)]
        out: NDArray[np.float64] = (picked.double() - self.norms[at]).cpu().numpy()
        return out

    def all(self) -> NDArray[np.float32]:
        """ln p of every token, shape (m, vocabulary)."""
        out: NDArray[np.float32] = (self.logits - self.norms[:, None].to(self.logits.dtype)).float().cpu().numpy()
        return out


class TrieRunner:
    """Runs a causal network of transformers over tries.

    Sharing: the trie's nodes, in preorder, are cut into blocks. A block is one sequence whose positions are depths
    and whose attention mask lets a node see its ancestors alone. Whatever a block's ancestors are, they stand in the
    block before it or in that one's own past, so their keys and values are picked from there: every node is run
    exactly once, without padding, and memory is that of one block and one path.

    Networks that don't take such a mask (recurrence, linear position biases) or that see only a part of the path (a
    sliding window) are found by comparing numbers with the plain way, at first use and whenever a sequence is longer
    than any that was compared; they are then run plainly, in padded batches of whole sequences.

    Parameters
    ----------
    network : causal language model of transformers, in evaluation mode
    batch_tokens : int
        Most tokens a block holds; of a plain batch, padding counted. One sequence is always taken.
    window : int or None
        Longest sequence the network takes.
    """

    def __init__(self, network: Any, *, batch_tokens: int, window: int | None) -> None:
        self._network = network
        self._block = batch_tokens
        self._window = window
        self._keeps = "logits_to_keep" in inspect.signature(network.forward).parameters
        self._rounding = _ROUNDING.get(network.dtype, _COARSE_ROUNDING)
        self._proven = 0
        self._refused = not self._keeps
        self.work = Work()

    @property
    def shares(self) -> bool | None:
        """Whether prefixes are run once; None before that was tried."""
        return None if not self._proven and not self._refused else bool(self._proven)

    def next_tokens(self, trie: Trie, wanted: NDArray[np.bool_]) -> Iterator[NextTokens]:
        """Logits after the wanted nodes, block by block, each node once, in any order.

        Raises
        ------
        ModelError
            If the device has no memory left, or the network gives numbers that aren't finite.
        """
        if not len(trie):
            return
        ways = self._shared if self._may_share(int(trie.depths.max()) + 1) else self._plain
        for nodes, logits in ways(trie, wanted):
            yield _normalised(nodes, logits)

    def _may_share(self, length: int) -> bool:
        if not self._proven and not self._refused:
            first = _PROBE if self._window is None else min(_PROBE, self._window)
            self._prove(first, branches=((0, 3), (0, first // 2), (1, 1)))
        if length > self._proven and not self._refused:
            longer = math.ceil(1.5 * length)
            self._prove(longer if self._window is None else min(longer, self._window))
        return length <= self._proven

    def _prove(self, length: int, branches: tuple[tuple[int, int], ...] = ()) -> None:
        try:
            agrees = self._agrees(length, branches)
        except _REFUSALS:
            agrees = False
        if agrees:
            self._proven = length
        else:
            self._refused = True

    def _agrees(self, length: int, branches: tuple[tuple[int, int], ...]) -> bool:
        """Whether sharing gives the plain numbers on random tokens, cut where a past must be picked.

        A branch (a, b) follows tokens a to b of the trunk and then goes its own way.
        """
        rng = np.random.default_rng(0)
        trunk = tuple(rng.integers(0, self._network.config.vocab_size, length).tolist())
        trie = build_trie([trunk, *(trunk[start:stop] + trunk[-4:] for start, stop in branches)])
        wanted = np.zeros(len(trie), dtype=np.bool_)
        wanted[trie.ends] = True
        found: dict[int, Any] = {}
        for nodes, logits in self._shared(trie, wanted, min(max(length // 2, 1), self._block)):
            found.update(zip(nodes.tolist(), logits.double().log_softmax(-1), strict=True))
        for nodes, logits in self._plain(trie, wanted):
            for node, row in zip(nodes.tolist(), logits.double().log_softmax(-1), strict=True):
                if not float((found[node] - row).square().mean().sqrt()) <= self._rounding:
                    return False
        return True

    def _shared(
        self, trie: Trie, wanted: NDArray[np.bool_], block: int | None = None
    ) -> Iterator[tuple[NDArray[np.int64], Any]]:
        from transformers import DynamicCache

        held = np.empty(0, dtype=np.int64)
        cache: Any = None
        rows = max(1, _LOGITS // self._network.config.vocab_size)
        for first, last in _cuts(wanted, block or self._block, rows):
            chain = trie.path(int(trie.parents[first]), int(trie.depths[first]))
            past = DynamicCache()
            if len(chain):
                kept = torch.from_numpy(np.searchsorted(held, chain)).to(self._network.device)
                for place, layer in enumerate(cache.layers):
                    past.update(layer.keys.index_select(2, kept), layer.values.index_select(2, kept), place)
            nodes = first + np.flatnonzero(wanted[first:last])
            logits = self._forward(
                trie.tokens[None, first:last],
                position_ids=self._tensor(trie.depths[None, first:last]),
                attention_mask=self._mask(_sees(trie, first, last)),
                past_key_values=past,
                use_cache=True,
                logits_to_keep=self._tensor(nodes - first),
            )
            cache, held = past, np.concatenate([chain, np.arange(first, last)])
            yield nodes, logits[0]

    def _plain(self, trie: Trie, wanted: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.int64], Any]]:
        """Whole sequences in padded batches, the shorter ones first; a node is taken from the first one through it."""
        wanted = wanted.copy()
        leaves = trie.leaves()
        leaves = leaves[np.argsort(trie.depths[leaves], kind="stable")]
        start = 0
        while start < len(leaves):
            stop = _fitting(trie.depths[leaves[start:]] + 1, self._budget()) + start
            paths = [trie.path(int(leaf)) for leaf in leaves[start:stop]]
            start = stop
            shape = (len(paths), len(paths[-1]))
            tokens, mask = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
            for row, path in enumerate(paths):
                tokens[row, : len(path)], mask[row, : len(path)] = trie.tokens[path], 1
            takes = {}
            for row, path in enumerate(paths):
                for node in path[wanted[path]].tolist():
                    takes[node] = row
                wanted[path] = False
            if not takes:
                continue
            nodes, rows = np.array(list(takes)), np.array(list(takes.values()))
            columns, at = np.unique(trie.depths[nodes], return_inverse=True)
            keep = {"logits_to_keep": self._tensor(columns)} if self._keeps else {}
            logits = self._forward(tokens, attention_mask=self._tensor(mask), use_cache=False, **keep)
            at = at if self._keeps else trie.depths[nodes]
            yield nodes, logits[self._tensor(rows), self._tensor(at)]

    def _budget(self) -> int:
        return max(1, min(self._block, _LOGITS // int(self._network.config.vocab_size)))

    def _forward(self, tokens: NDArray[np.int64], **fed: Any) -> Any:
        """Logits of shape (rows, positions, vocabulary)."""
        begun = time.perf_counter()
        try:
            with torch.inference_mode():
                logits = self._network(input_ids=self._tensor(tokens), return_dict=True, **fed).logits
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"The {self._network.device.type} has no memory left for a block of {tokens.size} tokens; give a "
                "smaller batch_tokens or window."
            ) from error
        self.work += Work(tokens=tokens.size, seconds=time.perf_counter() - begun)
        return logits

    def _tensor(self, values: NDArray[np.int64]) -> Any:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self._network.device)

    def _mask(self, sees: NDArray[np.bool_]) -> Any:
        """What is added to attention scores: 0 where a node may look, the lowest number elsewhere."""
        dtype = self._network.dtype
        mask = torch.zeros(sees.shape, dtype=dtype).masked_fill_(torch.from_numpy(~sees), torch.finfo(dtype).min)
        return mask[None, None].to(self._network.device)


def _normalised(nodes: NDArray[np.int64], logits: Any) -> NextTokens:
    logits = logits.cpu() if logits.device.type == "mps" else logits
    logits = logits if logits.dtype == torch.float64 else logits.float()
    top = logits.amax(-1, keepdim=True)
    norms = (logits - top).exp_().sum(-1, dtype=torch.float64).log() + top[:, 0].double()
    if not bool(torch.isfinite(norms).all()):
        raise ModelError(
            "The network gave logits that aren't finite. The weights may be damaged, or made for another precision."
        )
    return NextTokens(nodes, logits, norms)


def _cuts(wanted: NDArray[np.bool_], block: int, rows: int) -> Iterator[tuple[int, int]]:
    """Consecutive ranges of at most ``block`` nodes of which at most ``rows`` are wanted."""
    total = np.concatenate([[0], np.cumsum(wanted)])
    first = 0
    while first < len(wanted):
        last = int(np.searchsorted(total, total[first] + rows, side="right")) - 1
        last = min(max(last, first + 1), first + block, len(wanted))
        yield first, last
        first = last


def _sees(trie: Trie, first: int, last: int) -> NDArray[np.bool_]:
    """Which ancestors of the block's first node, then which nodes of the block, each of its nodes may look at."""
    past = int(trie.depths[first])
    sees = np.zeros((last - first, past + last - first), dtype=np.bool_)
    for row, node in enumerate(range(first, last)):
        parent = int(trie.parents[node]) - first
        if parent >= 0:
            sees[row] = sees[parent]
        else:
            # In preorder every ancestor that lies before the block is an ancestor of its first node too.
            sees[row, : int(trie.depths[node])] = True
        sees[row, past + row] = True
    return sees


def _fitting(lengths: NDArray[np.int64], budget: int) -> int:
    """How many of the sequences, in ascending order of length, fit a padded batch; at least one."""
    sizes = lengths * np.arange(1, len(lengths) + 1)
    return max(1, int(np.searchsorted(sizes, budget, side="right")))
