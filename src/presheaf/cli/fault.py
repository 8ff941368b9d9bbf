"""An error that nobody foresaw: one line for whoever waits, everything else in a file for whoever mends it."""

from __future__ import annotations

import sys

EXIT = 70
"""Neither a refused input (2) nor an answer (0, 1): a pipeline must not take it for "target not reached"."""


def report(error: Exception) -> int:
    """Write the traceback to a new file in the folder for temporary files, say where it is, and return the exit code.

    Passwords and tokens in addresses that the command line holds are starred out. Where no file can be written, the traceback
    is printed: what is known of a fault is not lost.
    """
    import tempfile
    import traceback

    lines = _starred("".join(traceback.format_exception(error)))
    told = _starred(str(error))
    what = (
        f"presheaf: a fault of presheaf itself, not of what it was given: {type(error).__name__}"
        + f": {told}" * bool(told)
    )
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="presheaf-fault-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write(f"{_starred(' '.join(sys.argv[1:]))}\n{lines}")
    except OSError:
        print(f"{what}\n{lines}", file=sys.stderr)
    else:
        print(f"{what}\nWhere it happened is written down in {file.name}; please report it with that file. Features and scores "
              "computed so far are kept.", file=sys.stderr)  # fmt: skip
    return EXIT


def _starred(text: str) -> str:
    """A text without the secrets of the addresses on the command line."""
    from presheaf.migration.addresses import hide_secrets

    for word in sys.argv[1:]:
        if "://" in word:
            text = hide_secrets(text, word)
    return text
