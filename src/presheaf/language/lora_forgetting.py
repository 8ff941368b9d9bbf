"""What an adapter made a language model forget, and how much of it comes back when intruder dimensions are scaled down."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from presheaf.errors import InputError
from presheaf.language.label_scores import TorchLanguageModel
from presheaf.language.lora_audit import LoraAudit, lora_audit
from presheaf.models.lm.tokenizer import LmTokenizer
from presheaf.statistics.intervals import Interval

SCALES = (1.0, 0.75, 0.5, 0.25, 0.0)
LONGEST = 256


@dataclass(frozen=True)
class ScaledPoint:
    """Loss on the stated texts when every intruder's singular value is multiplied by ``scale``.

    Attributes
    ----------
    scale : float
        1: the adapted model as it is; 0: intruders taken out.
    loss : Interval
        Mean over texts of nats a token, minus the base's on the same texts, with its 95 % interval: what is forgotten.
    shrunk : Interval
        The same when, instead of intruders, the whole change is scaled down by as much in Frobenius norm, layer by
        layer: what any weakening of the adapter gives back.
    """

    scale: float
    loss: Interval
    shrunk: Interval


@dataclass(frozen=True, eq=False)
class Forgetting:
    """Forgetting on a stated set of texts.

    Attributes
    ----------
    texts, tokens : int
        How many there were, and how many of their tokens were predicted.
    base : float
        The base's mean nats a token.
    intruders : int
    points : tuple of ScaledPoint
    """

    texts: int
    tokens: int
    base: float
    intruders: int
    points: tuple[ScaledPoint, ...]


def forgetting(
    model: TorchLanguageModel,
    adapter: Any,
    texts: Sequence[str],
    *,
    audit: LoraAudit | None = None,
    scales: Sequence[float] = SCALES,
    longest: int = LONGEST,
) -> Forgetting:
    """Estimate forgetting by scaling intruders down: W + D + (scale - 1) sum of u s v^T over a layer's intruders.

    Shuttleworth et al. (arXiv 2410.21228) find that intruder dimensions cause forgetting and that scaling them down
    takes much of it back. An estimate on these texts, which should be like what must not be forgotten.

    Parameters
    ----------
    model : TorchLanguageModel
        The base; left as it is.
    adapter : what `lora_audit` takes
    texts : sequence of str
        At least two, each of at least two tokens.
    audit : LoraAudit, optional
        Of this base and adapter, if it was made before.
    scales : sequence of float in [0, 1]
    longest : int
        Tokens of a text that are read.

    Raises
    ------
    InputError
        If there are too few texts, or a scale is out of range.

    Notes
    -----
    Cost: a copy of the network, an audit, and two passes over the texts a scale (in all, where there is no intruder).
    """
    if not all(0 <= scale <= 1 for scale in scales):
        raise InputError(f"'scales' must lie between 0 and 1; got {list(scales)}.")
    words = LmTokenizer(model.tokenizer)
    sequences = [(words.start + tokens)[:longest] for tokens in words.tokens(texts)]
    sequences = [tokens for tokens in sequences if len(tokens) > 1]
    if len(sequences) < 2:
        raise InputError(f"Forgetting needs at least two texts of two tokens or more; got {len(sequences)}.")
    audit = audit or lora_audit(model, adapter, null_draws=0)
    base = _losses(model.network, sequences)
    network = copy.deepcopy(model.network)
    tensors = dict(network.named_parameters())
    points: list[ScaledPoint] = []
    for scale in scales:
        if points and not audit.intruders:  # nothing to scale down
            points.append(replace(points[0], scale=float(scale)))
            continue
        with _changed(tensors, audit, scale, whole=False):
            scaled = _losses(network, sequences)
        with _changed(tensors, audit, scale, whole=True):
            shrunk = _losses(network, sequences)
        points.append(ScaledPoint(float(scale), _mean(scaled - base), _mean(shrunk - base)))
    tokens = sum(len(sequence) - 1 for sequence in sequences)
    return Forgetting(len(sequences), tokens, float(base.mean()), audit.intruders, tuple(points))


@contextmanager
def _changed(tensors: dict[str, Any], audit: LoraAudit, scale: float, *, whole: bool) -> Iterator[None]:
    """Weights of the adapted model, intruders (or the whole change, by the same norm) scaled down; restored after."""
    kept = {layer.name: tensors[layer.name].detach().clone() for layer in audit.layers}
    try:
        with torch.no_grad():
            for layer in audit.layers:
                delta = layer.change.dense()
                removed = (1 - scale) * sqrt(sum(intruder.value**2 for intruder in layer.intruders))
                if whole:
                    delta = delta * max(0.0, 1 - removed / layer.change.norm)
                else:
                    for intruder in layer.intruders:
                        delta -= (1 - scale) * intruder.value * np.outer(intruder.left, intruder.right)
                tensors[layer.name].add_(torch.from_numpy(delta).to(tensors[layer.name]))
        yield
    finally:
        with torch.no_grad():
            for name, tensor in kept.items():
                tensors[name].copy_(tensor)


def _losses(network: Any, sequences: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
    """Mean nats a token of each text, its first token given. Shape (texts,)."""
    device = network.get_input_embeddings().weight.device
    out = []
    with torch.inference_mode():
        for tokens in sequences:
            ids = torch.tensor([tokens], device=device)
            said = network(input_ids=ids, use_cache=False).logits[0, :-1].float().log_softmax(dim=-1)
            out.append(-float(said.gather(1, ids[0, 1:, None]).double().mean()))
    return np.array(out)


def _mean(values: NDArray[np.float64]) -> Interval:
    """Mean over texts with Student's 95 % interval."""
    from scipy.special import stdtrit

    n = len(values)
    half = float(stdtrit(n - 1, 0.975) * values.std(ddof=1) / sqrt(n))
    mean = float(values.mean())
    return Interval(mean, mean - half, mean + half, n, float(n), "Student")
