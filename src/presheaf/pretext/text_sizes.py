"""What the tasks on texts share: the sizes of a small transformer with its vocabulary, and k_f."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.construct import hom_from_features
from presheaf.enriched.hom import Hom
from presheaf.enriched.kernel import Kernel
from presheaf.errors import InputError
from presheaf.pretext.base import Data, Media, Option
from presheaf.pretext.text_extensions import extension_kernel
from presheaf.pretext.text_vocabulary import TextVocabulary, vocabulary_of

if TYPE_CHECKING:
    from torch.nn import Module

_BYTES = 256
_LEAST = {"window": 4, "dim": 2, "layers": 1, "heads": 1}


def check_sizes(sizes: Mapping[str, int], special: Sequence[str]) -> dict[str, int]:
    """Return the sizes of a transformer and its vocabulary (`vocabulary`, `window`, `dim`, `layers`, `heads`).

    Raises
    ------
    InputError
        If one is no whole number, too small, or the heads don't share the dimensions evenly.
    """
    for name, value in sizes.items():
        least = _BYTES + len(special) if name == "vocabulary" else _LEAST[name]
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            why = f", 256 bytes and {', '.join(special)}" if name == "vocabulary" else ""
            raise InputError(f"{name!r} must be a whole number, at least {least}{why}; got {value!r}.")
    if sizes["dim"] % (2 * sizes["heads"]):
        raise InputError(f"'dim' must be a multiple of twice 'heads'; got {sizes['dim']} and {sizes['heads']}.")
    return dict(sizes)


class TextTask:
    """A task on texts: its options are the sizes of a small transformer, its k_f the network's own pi(y | x).

    Parameters
    ----------
    vocabulary, window, dim, layers, heads : int
        See `check_sizes`.

    Raises
    ------
    InputError
        If one is out of range.
    """

    media: Media = "text"
    special: ClassVar[tuple[str, ...]]
    """Tokens that stand for no text."""

    def __init__(
        self, vocabulary: int = 1000, window: int = 64, dim: int = 128, layers: int = 2, heads: int = 4
    ) -> None:
        sizes = {"vocabulary": vocabulary, "window": window, "dim": dim, "layers": layers, "heads": heads}
        self._sizes = check_sizes(sizes, self.special)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in self._sizes.items())})"

    @property
    def options(self) -> Mapping[str, Option]:
        return dict(self._sizes)

    @property
    def kernel(self) -> Kernel:
        return extension_kernel()

    def model_hom(self, features: NDArray[np.float32]) -> Hom:
        return hom_from_features(features, self.kernel)

    def after_step(self, network: Module) -> None:
        return None

    def words(self, data: Data) -> TextVocabulary:
        """The vocabulary of the training texts; see `vocabulary_of`."""
        return vocabulary_of(data, self._sizes["vocabulary"], self.special)
