"""Do the conditionals of a masked language model belong to one joint law? Measured on pairs of masked tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.ustatistics import jackknife
from presheaf.errors import InputError
from presheaf.models.tokens import texts_only
from presheaf.statistics.intervals import Interval

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MaskedConsistency:
    """How far p(a | b) p(b) is from p(b | a) p(a), in nats; intervals at 95 % over texts.

    Attributes
    ----------
    defect : Interval
        Mean |ln p(a | b) p(b) - ln p(b | a) p(a)|: 0 for a model whose conditionals come from one joint law.
    dependence : Interval
        Mean of |ln p(a | b) / p(a)| and |ln p(b | a) / p(b)|: how much one token matters to the other. The defect can't pass twice
        this, and a model that ignores the context has none of either: read them together.
    pairs : int
    skipped : int
        Texts with fewer than two tokens between the special ones.
    """

    defect: Interval
    dependence: Interval
    pairs: int
    skipped: int

    @property
    def relative(self) -> float:
        """Defect divided by dependence, in [0, 2]; nan where no token matters to another."""
        return self.defect.value / self.dependence.value if self.dependence.value > 0 else float("nan")

    def __repr__(self) -> str:
        d, e = self.defect, self.dependence
        return (
            f"MaskedConsistency(defect {d.value:.3g} [{d.low:.3g}, {d.high:.3g}] nats where one token changes the other by "
            f"{e.value:.3g} [{e.low:.3g}, {e.high:.3g}]; {self.pairs:,} pairs in {d.rows:,} texts)"
        )


def masked_consistency(
    network: Any, tokenizer: Any, texts: Sequence[str], *, pairs: int = 4, nearest: int = 8, seed: int = 0
) -> MaskedConsistency:
    """Mask two tokens of a text, together and each alone, and compare the two ways to their joint probability.

    With the rest of the text given, p(a) and p(b) are read off the text with both masked, p(a | b) and p(b | a) off the text with
    one masked; a and b are what the text says.

    Parameters
    ----------
    network : transformers masked language model
        ``network(input_ids=..., attention_mask=...)`` gives ``.logits`` of shape (n, length, vocabulary). For a network of
        `MaskedText` its ``model``, and ``vocabulary.for_transformers(network.window)`` for the tokenizer.
    tokenizer : tokenizer of transformers
        With a mask token; what is longer than its ``model_max_length`` is cut off.
    texts : sequence of str
    pairs : int
        Most pairs of a text.
    nearest : int
        Most tokens from a to b, since far ones hardly matter to each other.
    seed : int
        Of the pairs.

    Returns
    -------
    MaskedConsistency

    Raises
    ------
    InputError
        If an option is out of range, the tokenizer has no mask token, or fewer than two texts have two tokens.

    Notes
    -----
    The difference is that of the pointwise mutual information read from either side, which a joint law makes equal. Conditionals of
    masked language models are learned apart and need not fit one law. Cost: three passes a pair, one text at a time.
    """
    if pairs < 1 or nearest < 1:
        raise InputError(f"'pairs' and 'nearest' must be at least 1; got {pairs} and {nearest}.")
    if getattr(tokenizer, "mask_token_id", None) is None:
        raise InputError(
            "The tokenizer has no mask token, so nothing can be masked. Give that of a masked language model."
        )
    rng = np.random.default_rng(seed)
    found: list[Floats] = []
    count = 0
    for text in texts_only(texts):
        drawn, places = _drawn(tokenizer, text, pairs, nearest, rng)
        if len(places):
            found.append(_measured(network, tokenizer.mask_token_id, drawn, places).mean(axis=0))
            count += len(places)
    if len(found) < 2:
        raise InputError(f"Two texts with two tokens or more are needed; {len(found)} of {len(texts)} have them.")
    defect, dependence = (_over_texts(values) for values in np.array(found).T)
    return MaskedConsistency(defect, dependence, count, len(texts) - len(found))


def _drawn(
    tokenizer: Any, text: str, pairs: int, nearest: int, rng: np.random.Generator
) -> tuple[list[int], NDArray[np.int64]]:
    """The text's tokens, and pairs of ordinary places in it, shape (m, 2)."""
    read = tokenizer(text, truncation=True, return_special_tokens_mask=True)
    ordinary = np.flatnonzero(np.array(read["special_tokens_mask"]) == 0)
    near = [(a, b) for i, a in enumerate(ordinary) for b in ordinary[i + 1 :] if b - a <= nearest]
    order = rng.permutation(len(near))[:pairs]
    return list(read["input_ids"]), np.array([near[i] for i in order], dtype=np.int64).reshape(-1, 2)


def _measured(network: Any, mask: int, tokens: list[int], places: NDArray[np.int64]) -> Floats:
    """Defect and dependence of each pair, shape (m, 2)."""
    import torch

    ids = torch.tensor([tokens])
    first, second = torch.from_numpy(places).T
    own = torch.arange(len(places))
    inputs = ids.repeat(3 * len(places), 1).view(3, len(places), -1)
    inputs[0, own, first] = inputs[0, own, second] = mask  # both
    inputs[1, own, first] = mask  # a alone, b is seen
    inputs[2, own, second] = mask
    logs = _log_probs(network, inputs.flatten(0, 1)).view(3, len(places), len(tokens), -1)
    a, b = ids[0, first], ids[0, second]
    p_a, p_b = logs[0, own, first, a], logs[0, own, second, b]
    a_given_b, b_given_a = logs[1, own, first, a], logs[2, own, second, b]
    from_a, from_b = a_given_b - p_a, b_given_a - p_b
    values: Floats = torch.stack([(from_a - from_b).abs(), (from_a.abs() + from_b.abs()) / 2], dim=1).cpu().numpy()
    return values


def _log_probs(network: Any, ids: Tensor) -> Tensor:
    import torch

    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            given = ids.to(network.device)
            logits = network(input_ids=given, attention_mask=torch.ones_like(given)).logits
    finally:
        network.train(training)
    logs: Tensor = logits.double().cpu().log_softmax(dim=-1)
    return logs


def _over_texts(values: Floats) -> Interval:
    value = float(values.mean())
    low, high = jackknife(values, value, 1)
    return Interval(value, max(0.0, low), high, len(values), float(len(values)), "t over texts")
