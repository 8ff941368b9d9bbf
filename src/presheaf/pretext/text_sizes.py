"""The sizes a text task's transformer may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from presheaf.errors import InputError

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
