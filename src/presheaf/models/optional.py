"""Packages that only some sources need: imported when asked for, with the command that installs them when absent."""

from __future__ import annotations

import importlib
from typing import Any

from presheaf.errors import MissingDependencyError


def need(module: str, extra: str, purpose: str) -> Any:
    """Import ``module`` and return it.

    Parameters
    ----------
    module : str
        Import name, e.g. "onnxruntime".
    extra : str
        The extra of this package that brings it along, e.g. "onnx".
    purpose : str
        What it is needed for, as the subject of a sentence: "An ONNX model".

    Raises
    ------
    MissingDependencyError
        If it is not installed, or is installed and can't be imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        command = f'pip install "presheaf[{extra}]"'
        raise MissingDependencyError(
            f"{purpose} needs the package {module!r}, which can't be imported here ({error}). To install it: {command}"
        ) from error
