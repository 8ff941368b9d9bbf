"""GGUF files, turned once into a Hugging Face folder that is kept in the user's cache."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from presheaf.errors import InputError, ModelError
from presheaf.models.cache import default_root
from presheaf.models.files import file_digest, first_line
from presheaf.models.optional import need

_LAYOUT = "gguf-1"  # a later layout takes another folder, so that an older program never reads it
_RECEIPT = "converted.json"
_MAGIC = b"GGUF"


def is_gguf(name: str) -> bool:
    """Whether a name is that of a GGUF file: it ends so, or is a file that begins so (a hub's cache gives files no ending).

    Raises
    ------
    InputError
        If it is a file of another kind: a language model is a GGUF file or a folder.
    """
    if name.lower().endswith(".gguf"):
        return True
    path = os.path.expanduser(name)
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as stream:
        if stream.read(len(_MAGIC)) == _MAGIC:
            return True
    raise InputError(
        f"{name!r} isn't a GGUF file: it doesn't begin with the letters GGUF. Expected one, or the folder of a causal language "
        "model (config.json, weights, tokenizer)."
    )


def converted_folder(file: str | os.PathLike[str]) -> Path:
    """Folder with the weights of a GGUF file as float32 safetensors, its configuration and its tokenizer.

    Kept in the user's cache under the file's sha256 and used again while every file in it has the digest it was
    written with; one that was damaged is made anew. The folder appears complete or not at all.

    Cost: the first time 10 to 40 s and 4 bytes a weight of disk for a small model; later one reading of the folder.

    Raises
    ------
    InputError
        If there is no such file.
    ModelError
        If it isn't a GGUF file, is damaged, or holds an architecture that transformers can't read; or the cache can't
        be written.
    MissingDependencyError
        If a package that reads GGUF files isn't installed.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        raise InputError(f"There is no file {str(file)!r}; expected a model in GGUF format.")
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise ModelError(f"{str(path)!r} isn't a GGUF file: it doesn't begin with the letters GGUF.")
    folder = default_root() / _LAYOUT / file_digest(path)
    if not _whole(folder):
        _convert(path, folder)
    return folder


def _whole(folder: Path) -> bool:
    """Whether a conversion is there with every byte that was written."""
    try:
        receipt = json.loads((folder / _RECEIPT).read_text(encoding="utf-8"))
        return bool(receipt) and all(file_digest(folder / name) == digest for name, digest in receipt.items())
    except (OSError, ValueError, AttributeError, TypeError, ModelError):
        return False


def _convert(path: Path, folder: Path) -> None:
    for module in ("torch", "transformers", "gguf", "accelerate"):
        need(module, "lm", "A GGUF file")
    logging.getLogger(__name__).warning("Turning %s into safetensors in %s; this is done once.", path.name, folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise ModelError(_unwritable(folder, error)) from error
    try:
        _write(path, made)
        _publish(made, folder)
    except OSError as error:
        raise ModelError(_unwritable(folder, error)) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _unwritable(folder: Path, error: OSError) -> str:
    return (
        f"The converted model can't be kept in {str(folder.parent)!r} ({error.strerror or first_line(error)}); make "
        "room there, or set PRESHEAF_CACHE to another folder."
    )


def _write(path: Path, made: Path) -> None:
    """Everything the folder holds, the receipt last."""
    import torch
    import transformers

    from presheaf.models.torch_tools import quietly

    where: dict[str, Any] = {"gguf_file": path.name, "local_files_only": True, "trust_remote_code": False}
    try:
        with quietly():
            tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, **where)
            loaded = transformers.AutoModelForCausalLM.from_pretrained(path.parent, dtype=torch.float32, **where)
    except Exception as error:  # the reader, the configuration and the architectures each raise their own kinds
        raise ModelError(f"The GGUF file {str(path)!r} can't be read: {first_line(error)}.") from error
    # A network that says it is quantised is refused by save_pretrained; what was read no longer is.
    del loaded.config.quantization_config
    loaded.hf_quantizer = None
    loaded.is_quantized = False
    with quietly():
        loaded.save_pretrained(made)
        tokenizer.save_pretrained(made)
    receipt = {file.name: file_digest(file) for file in sorted(made.iterdir())}
    (made / _RECEIPT).write_text(json.dumps(receipt, indent=1), encoding="utf-8")


def _publish(made: Path, folder: Path) -> None:
    """Put a finished folder in its place, unless another process was first."""
    try:
        os.rename(made, folder)
    except OSError:
        if _whole(folder):
            return
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(made, folder)
