"""`lora_audit`: what an adapter, or a whole fine-tuning, did to the weights of its base."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from presheaf.errors import InputError
from presheaf.language.lora_factors import LowRank, Matrix
from presheaf.language.lora_layer import LEADING, THRESHOLD, LayerChange, layer_change
from presheaf.language.lora_weights import Weights, held, is_adapter, open_weights, read_adapter


@dataclass(frozen=True, eq=False)
class LoraAudit:
    """Every weight matrix that was changed.

    Attributes
    ----------
    layers : tuple of LayerChange
        In the order of the base.
    relative : float
        Norm of the whole change over the norm of all tensors compared, vectors too.
    compared, unchanged : int
        Tensors found on both sides, and those of them that are equal.
    unmatched : tuple of str
        Tensors of the adapter or the fine-tuned model that the base lacks, or holds in another shape.
    threshold : float
        Largest cosine an intruder may have with the base's singular vectors.
    """

    layers: tuple[LayerChange, ...]
    relative: float
    compared: int
    unchanged: int
    unmatched: tuple[str, ...]
    threshold: float

    @property
    def intruders(self) -> int:
        return sum(len(layer.intruders) for layer in self.layers)

    @property
    def null_intruders(self) -> float:
        """Intruders that changes with the same singular values in random directions bring in, summed over layers."""
        return float(sum(layer.null_intruders for layer in self.layers))

    @property
    def weyl(self) -> float:
        """Worst breach of Weyl's bounds over all layers, as a share of the largest singular value; rounding if sound."""
        return max((layer.weyl for layer in self.layers), default=0.0)

    @property
    def isomorphic(self) -> bool:
        """Whether every matrix kept its rank. Nearly always true, so it says little."""
        return all(layer.rank_before == layer.rank_after for layer in self.layers)

    def __str__(self) -> str:
        head = (
            f"{len(self.layers)} matrices changed, relative change {self.relative:.2%}, {self.intruders} intruder "
            f"dimensions (cosine below {self.threshold:g}; {self.null_intruders:.1f} with random directions), "
            f"Weyl's bounds kept to {self.weyl:.0e}"
        )
        lines = [
            f"{'change':>8} {'rank':>5} {'stable':>7} {'90 %':>5} {'intruders':>9} {'random':>7} {'inside':>7}  matrix"
        ]
        lines += [
            f"{layer.relative:8.2%} {layer.change.rank:5d} {layer.change.stable_rank:7.1f} "
            f"{layer.change.directions():5d} {len(layer.intruders):9d} {layer.null_intruders:7.1f} "
            f"{layer.inside:7.2f}  {layer.name}"
            for layer in self.layers
        ]
        return "\n".join([head, *lines])


def lora_audit(
    base: Any,
    adapter: Any,
    *,
    threshold: float = THRESHOLD,
    leading: int = LEADING,
    null_draws: int = 1,
    seed: int = 0,
    progress: Callable[[int, int], object] | None = None,
) -> LoraAudit:
    """Audit an adapter against its base, or a fine-tuned model against the model it was made from.

    Ranks say how much was learnt, intruder dimensions where it went against the grain of the base (Shuttleworth et
    al., arXiv 2410.21228, who tie them to forgetting), and Weyl's bounds whether base and change belong together.

    Parameters
    ----------
    base : folder of safetensors, state dict, torch module, model with a ``network``, or matrix of shape (out, in)
    adapter : folder of a peft adapter, LowRank, mapping of names to LowRank or to changed tensors, or anything that
        ``base`` may be: then its weights minus the base's are the change
    threshold, leading, null_draws, seed
        As in `presheaf.language.lora_layer.layer_change`.
    progress : callable (matrices done, matrices in all)

    Raises
    ------
    InputError
        If nothing is comparable, an option is out of range, or the folders are not what was expected.
    ModelError
        If a file is damaged.

    Notes
    -----
    Cost: 2 + null_draws singular value decompositions a changed matrix; memory some times the largest matrix in float64.

    Examples
    --------
    >>> import numpy as np
    >>> audit = lora_audit(np.diag([3.0, 2.0, 1.0]), LowRank(np.array([[1.0], [0], [0]]), np.array([[1.0, 0, 0]])))
    >>> audit.layers[0].change.rank, audit.intruders
    (1, 0)
    """
    if not 0 < threshold <= 1:
        raise InputError(f"'threshold' must be a cosine above 0 and at most 1; got {threshold}.")
    if leading < 1 or null_draws < 0:
        raise InputError(f"'leading' must be at least 1 and 'null_draws' at least 0; got {leading} and {null_draws}.")
    weights = open_weights(base, "base")
    changes = _Changes(weights, adapter)
    layers, squares, total, unchanged = [], 0.0, 0.0, 0
    for done, (name, before, change) in enumerate(changes):
        total += float(np.sum(before**2))
        moved = _moved(change)
        squares += moved
        unchanged += moved == 0
        if before.ndim == 2 and moved > 0:
            layers.append(
                layer_change(
                    name, before, change, threshold=threshold, leading=leading, null_draws=null_draws, seed=seed + done
                )
            )
        if progress is not None:
            progress(done + 1, len(changes))
    relative = sqrt(squares / total) if total else 0.0
    return LoraAudit(tuple(layers), relative, len(changes), unchanged, changes.unmatched, threshold)


def _moved(change: LowRank | Matrix) -> float:
    """Squared Frobenius norm; that of a product from the Gram matrices of its factors."""
    if isinstance(change, LowRank):
        return float(max(0.0, np.sum((change.left.T @ change.left) * (change.right @ change.right.T))))
    return float(np.sum(change**2))


class _Changes:
    """(name, base tensor, change) of everything that can be compared, one at a time, in the order of the base."""

    def __init__(self, base: Weights, adapter: Any) -> None:
        self.base = base
        made = read_adapter(adapter) if is_adapter(adapter) else None
        self.other = held({**made.factors, **made.replaced}) if made else open_weights(adapter, "adapter")
        found = {base.resolve(name): name for name in self.other}
        self.pairs = [(name, found[name]) for name in base if name in found]
        misshapen = [new for own, new in self.pairs if not self._fits(own, new)]
        self.pairs = [(own, new) for own, new in self.pairs if new not in misshapen]
        matched = {new for _, new in self.pairs}
        self.unmatched = tuple(name for name in self.other if name not in matched)
        if not self.pairs:
            raise InputError(
                f"The base and the adapter must share tensors of one shape; none of the {len(self.other)} tensors "
                f"({', '.join(list(self.other)[:3])}, ...) fits one of the base's {len(base)} "
                f"({', '.join(list(base)[:3])}, ...)."
            )

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[tuple[str, Matrix, LowRank | Matrix]]:
        for own, new in self.pairs:
            before, value = self.base.get(own), self._value(new)
            yield own, before, value if isinstance(value, LowRank) else value - before

    def _value(self, name: str) -> LowRank | Matrix:
        raw = self.other.raw(name)
        return raw if isinstance(raw, LowRank) else self.other.get(name)

    def _fits(self, own: str, new: str) -> bool:
        raw = self.other.raw(new)
        return tuple(self.base.raw(own).shape) == tuple(raw.shape)
