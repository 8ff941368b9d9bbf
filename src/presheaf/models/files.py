"""Model files on disk: where they are, what is written beside them, and their digests."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from presheaf.errors import InputError, ModelError
from presheaf.models.optional import need

_DIGESTS: dict[tuple[str, int, int], str] = {}
_HUB_FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*/pytorch_model.bin"]
_HUB_SKIP = ["onnx/*", "openvino/*"]


def file_digest(path: Path) -> str:
    """sha256 of a file as hex, read in blocks; remembered in this process by path, size and time of change.

    Raises
    ------
    ModelError
        If the file can't be read.
    """
    try:
        stat = path.stat()
        key = (str(path.resolve()), stat.st_size, stat.st_mtime_ns)
        if key not in _DIGESTS:
            with path.open("rb") as stream:
                _DIGESTS[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"The model file {str(path)!r} can't be read: {error.strerror or error}.") from error
    return _DIGESTS[key]


def folder_digest(folder: Path) -> str:
    """sha256 over the names and contents of every weight, tokenizer and settings file below ``folder``."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".safetensors", ".bin", ".json", ".txt", ".model"} and path.is_file():
            total.update(f"{path.relative_to(folder)}\0{file_digest(path)}\n".encode())
    return total.hexdigest()


def check_digest(path: Path, expected: str, origin: str) -> None:
    """Refuse a file that isn't the one that was reviewed.

    Raises
    ------
    ModelError
        If the sha256 of ``path`` is not ``expected``.
    """
    found = file_digest(path)
    if found != expected:
        raise ModelError(
            f"{path.name} of the package {origin} isn't the file this version knows: expected sha256 {expected}, "
            f"found {found}. Install the pinned version again, or load the file by its path if you trust it."
        )


def fingerprint(*parts: object) -> str:
    """One hex digest over plain values; equal parts in equal order give an equal digest."""
    return hashlib.sha256("\0".join(repr(part) for part in parts).encode()).hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``; an empty one when there is no such file.

    Raises
    ------
    ModelError
        If the file holds no JSON object.
    """
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"The settings file {str(path)!r} can't be read as JSON: {error}.") from error
    if not isinstance(value, dict):
        raise ModelError(f"The settings file {str(path)!r} should hold a JSON object, not a {type(value).__name__}.")
    return value


def stored_window(folder: Path) -> int | None:
    """Most tokens a sentence-transformers folder says it reads, or None when it doesn't say."""
    window = read_json(folder / "sentence_bert_config.json").get("max_seq_length")
    return window if isinstance(window, int) and window > 0 else None


def smallest(sizes: Iterable[object]) -> int | None:
    """The smallest of the sizes that are known; tokenizers write 1e30 where they mean "no limit"."""
    known = [int(size) for size in sizes if isinstance(size, int | float) and 0 < size < 10_000_000]
    return min(known, default=None)


def offline() -> bool:
    """Whether the environment forbids asking the Hugging Face hub."""
    return any(
        os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"}
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    )


def model_folder(name: str, kind: str) -> Path:
    """The folder a Hugging Face model lies in: ``name`` itself when it is one, else its copy in the hub's cache.

    A name that isn't cached is fetched, unless HF_HUB_OFFLINE is set.

    Raises
    ------
    InputError
        If ``name`` looks like a path and no folder is there, or the folder is empty.
    ModelError
        If the hub doesn't know the name, can't be reached, or must not be asked.
    """
    folder = Path(os.path.expanduser(name))
    if os.path.isdir(folder):  # unlike pathlib's, False for a name no file can have
        if not any(folder.iterdir()):
            raise InputError(f"The folder {name!r} is empty; expected {kind} (config.json, weights, tokenizer).")
        return folder
    if os.path.exists(folder):
        raise InputError(f"{name!r} is a file; expected the folder of {kind} (config.json, weights, tokenizer).")
    if name.startswith(("/", ".", "~")) or name.count("/") > 1 or not name.strip():
        raise InputError(f"There is no folder {name!r}; expected the folder of {kind}, or its name on the hub.")
    hub = need("huggingface_hub", "torch", "A model named on the Hugging Face hub")
    try:
        return Path(
            hub.snapshot_download(
                name, local_files_only=offline(), allow_patterns=_HUB_FILES, ignore_patterns=_HUB_SKIP
            )
        )
    except (OSError, ValueError) as error:
        why = "HF_HUB_OFFLINE forbids fetching it" if offline() else f"fetching it failed ({first_line(error)})"
        raise ModelError(
            f"The model {name!r} is neither a folder here nor in the local Hugging Face cache, and {why}. Give the "
            "folder of a downloaded model, or a named model: `presheaf models` lists them."
        ) from error


def first_line(error: BaseException) -> str:
    """The first line of an error's message, cut to 200 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]
