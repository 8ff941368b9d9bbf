"""From what a user writes to a pre-training task: "simclr", or "simclr?temperature=0.2"."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl

from presheaf.errors import InputError
from presheaf.models.options import closest, converted
from presheaf.pretext.base import Pretext

_HOME = {
    "simclr": "contrastive:SimCLR",
    "moco": "moco:MoCo",
    "kernel-infonce": "kernel_infonce:KernelInfoNCE",
    "spectral": "spectral_contrastive:SpectralContrastive",
    "clip": "two_sided:TwoSided",
    "mae": "masked_images:MaskedImages",
    "bert": "masked_text:MaskedText",
    "causal": "causal_text:CausalText",
    "rotnet": "rotnet:RotNet",
    "deepwalk": "deepwalk:DeepWalk",
}


def pretext_names() -> tuple[str, ...]:
    """Every pre-training task that can be asked for by name, in the order of the documentation."""
    return tuple(_HOME)


def pretext(spec: str, **options: Any) -> Pretext:
    """A pre-training task from what a user writes.

    Parameters
    ----------
    spec : str
        One of `pretext_names`. Options may follow as in an address: ``simclr?temperature=0.2&projection=64``.
    **options
        The same options as keywords; they win over those written in ``spec``.

    Returns
    -------
    Pretext
        Holds options and nothing else. Cost: imports the task's module, which needs no torch yet.

    Raises
    ------
    InputError
        Unknown name or option, or a value of the wrong kind; the message lists those there are.
    """
    if not isinstance(spec, str) or not spec.strip():
        raise InputError(f"A pre-training task is named by a string such as 'simclr'; got {spec!r}.")
    name, _, query = spec.strip().partition("?")
    known = inspect.signature(task_class(name)).parameters
    try:
        written = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        raise InputError(f"Options are written name=value&name=value after a question mark; got {query!r}.") from None
    for option in (*written, *options):
        if option not in known:
            listed = ", ".join(known) or "none"
            raise InputError(f"{name!r} has no option {option!r}{closest(option, list(known))}; it has: {listed}.")
    values = {option: converted(option, text, str(known[option].annotation)) for option, text in written.items()}
    task: Pretext = task_class(name)(**{**values, **options})
    return task


def task_class(name: str) -> Any:
    """The class of a task.

    Raises
    ------
    InputError
        Unknown name.
    """
    if name not in _HOME:
        listed = ", ".join(_HOME)
        raise InputError(f"There is no pre-training task {name!r}{closest(name, list(_HOME))}; there are: {listed}.")
    module, _, title = _HOME[name].partition(":")
    return getattr(import_module(f"presheaf.pretext.{module}"), title)
