"""What lies in a Hugging Face folder: its tokenizer and its weights, read without running code of the folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, overload

from presheaf.errors import InputError, ModelError
from presheaf.models.files import first_line


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a folder, in its tokenizer.json form.

    Raises
    ------
    ModelError
        If there is none, it can't be read, or it has no such form.
    """
    import transformers

    from presheaf.models.torch_tools import quietly

    if not any((folder / file).is_file() for file in ("tokenizer.json", "vocab.txt", "vocab.json")) and not any(
        folder.glob("*.model")
    ):
        raise ModelError(f"The folder {str(folder)!r} holds no tokenizer; expected tokenizer.json there.")
    try:
        with quietly():
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
    except Exception as error:  # whatever the many tokenizer classes raise
        raise ModelError(f"The tokenizer in {str(folder)!r} can't be loaded: {first_line(error)}.") from error
    if not tokenizer.is_fast:
        raise ModelError(
            f"The tokenizer in {str(folder)!r} has no tokenizer.json form, so what it cuts off or doesn't know can't "
            "be seen. Convert it, or load the model through sentence-transformers (st:FOLDER)."
        )
    return tokenizer


def load_network(
    folder: Path, auto: str, seed: int | None, *, attention: str | None = None, dtype: str = "float32"
) -> Any:
    """The network of a folder, in evaluation mode.

    Parameters
    ----------
    auto : str
        Which class of transformers chooses the architecture: "AutoModel" or "AutoModelForCausalLM".
    seed : int or None
        Not None: random weights from this seed instead of the stored ones; the caller's random numbers are left alone.
    attention : "eager" or None
        None: the fastest the architecture has.
    dtype : str
        Name of a torch type.

    Raises
    ------
    ModelError
        If the weights are missing, damaged, incomplete or not in safetensors, or the architecture isn't known.
    """
    import torch
    import transformers

    from presheaf.models.torch_tools import quietly

    _check_files(folder, seed)
    chooser = getattr(transformers, auto)
    options: dict[str, Any] = {"trust_remote_code": False}
    if attention is not None:
        options["attn_implementation"] = attention
    try:
        with quietly():
            if seed is None:
                network, report = chooser.from_pretrained(
                    folder, local_files_only=True, use_safetensors=True, output_loading_info=True, **options
                )
            else:
                config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(seed)
                    network, report = chooser.from_config(config, **options), {"missing_keys": ()}
    except Exception as error:  # safetensors, the configuration and the architectures each raise their own kinds
        raise ModelError(f"The model in {str(folder)!r} can't be loaded: {first_line(error)}.") from error
    # Whatever is missing was filled with random numbers. A pooler's weights aren't used here.
    missing = sorted(key for key in report["missing_keys"] if "pooler" not in key)
    if missing:
        raise ModelError(
            f"The weights in {str(folder)!r} lack {len(missing)} of the tensors that its config.json describes, "
            f"e.g. {missing[0]}; they belong to another architecture or the file is incomplete."
        )
    return network.to(getattr(torch, dtype)).eval()


@overload
def check_layer(layer: None, layers: int | None) -> None: ...


@overload
def check_layer(layer: int | str, layers: int | None) -> int | str: ...


def check_layer(layer: int | str | None, layers: int | None) -> int | str | None:
    """Return the hidden state asked for, counted from 0; None and "mean" as they are.

    Raises
    ------
    InputError
        If there is no such layer.
    """
    if layer is None or layer == "mean":
        return layer
    if layers is None or not isinstance(layer, int) or isinstance(layer, bool) or not -layers - 1 <= layer <= layers:
        span = "" if layers is None else f"a whole number from {-layers - 1} to {layers}, or "
        raise InputError(f"'layer' must be {span}'mean'; got {layer!r}.")
    return layer % (layers + 1)


def _check_files(folder: Path, seed: int | None) -> None:
    if not (folder / "config.json").is_file():
        raise ModelError(f"The folder {str(folder)!r} holds no config.json, so it is no Hugging Face model.")
    if seed is None and not any(folder.glob("*.safetensors")):
        found = sorted(path.name for path in folder.glob("*.bin"))
        only = f", only {', '.join(found)}, a format that can carry code" if found else ""
        raise ModelError(
            f"The folder {str(folder)!r} holds no weights in safetensors{only}; expected model.safetensors, which "
            "save_pretrained of transformers writes."
        )
