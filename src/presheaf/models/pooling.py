"""From token features to one feature vector a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError
from presheaf.models.files import read_json

POOLINGS = ("mean", "cls", "max", "last")

_STORED = {
    "mean": "mean",
    "mean_tokens": "mean",
    # The sum over tokens divided by the square root of their number: the same direction as the mean.
    "mean_sqrt_len_tokens": "mean",
    "cls": "cls",
    "cls_token": "cls",
    "max": "max",
    "max_tokens": "max",
    "lasttoken": "last",
}


def pool(hidden: Any, mask: Any, pooling: str) -> Any:
    """Pool token features of right-padded texts; numpy arrays and torch tensors alike.

    Parameters
    ----------
    hidden : array of shape (n, tokens, dim)
    mask : array of shape (n, tokens)
        1 for a token of the text, 0 for padding, in the dtype of ``hidden``. At least one 1 a row.
    pooling : "mean", "cls", "max" or "last"
        Mean of the tokens, the first token, the largest value of each coordinate, the last token.

    Returns
    -------
    array of shape (n, dim)
    """
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "last":
        return hidden[list(range(len(hidden))), [int(length) - 1 for length in mask.sum(1)]]
    if pooling == "max":
        # 1e30 is below any activation and, unlike infinity, leaves 0 * 1e30 = 0 for the tokens that count.
        top = (hidden - (1 - mask)[..., None] * 1e30).max(1)
        return getattr(top, "values", top)
    return (hidden * mask[..., None]).sum(1) / mask.sum(1)[:, None]


def stored_pooling(folder: Path) -> str | None:
    """The pooling a sentence-transformers folder asks for; None when it says nothing.

    Raises
    ------
    ModelError
        If it asks for one that isn't among `POOLINGS`.
    """
    stored = read_json(folder / "1_Pooling" / "config.json")
    flags = {key.removeprefix("pooling_mode_"): on for key, on in stored.items() if key.startswith("pooling_mode_")}
    mode = stored.get("pooling_mode", "+".join(name for name, on in flags.items() if on is True) or None)
    if mode is None:
        return None
    if mode not in _STORED:
        raise ModelError(
            f"The folder {str(folder)!r} pools by {mode!r}; this source knows {', '.join(POOLINGS)}. "
            "Load it through sentence-transformers instead (st:FOLDER), or name a pooling."
        )
    return _STORED[mode]


def check_batch_size(size: object) -> int:
    """Return ``size`` if it is a whole number above 0; otherwise raise InputError."""
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise InputError(f"'batch_size' must be a whole number above 0; got {size!r}.")
    return size


def batches(objects: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Consecutive pieces of at most ``size`` objects."""
    for start in range(0, len(objects), size):
        yield objects[start : start + size]


def finite(features: NDArray[Any], name: str) -> NDArray[Any]:
    """Return ``features`` of shape (n, dim) if every value is finite.

    Raises
    ------
    ModelError
        Naming the first object whose features aren't.
    """
    bad = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(bad):
        raise ModelError(
            f"The model {name} gave features that aren't finite for {len(bad)} of {len(features)} objects, the first "
            f"at position {int(bad[0])} of its batch. The weights may be damaged, or made for another precision."
        )
    return features
