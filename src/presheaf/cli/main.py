"""Entry point: parse, run one command, turn errors into a line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from presheaf.errors import PresheafError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (0, 1, 2 or 130; see `presheaf audit --help`)."""
    from presheaf.cli.parser import build

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a sign is no reason to stop
    parser = build()
    arguments = parser.parse_args(argv)
    if arguments.version:
        from importlib.metadata import version

        print(f"presheaf {version('presheaf')}")
        return 0
    if arguments.command is None:
        parser.print_help()
        return 2
    code = 0
    try:
        from presheaf.cli import commands
        from presheaf.cli.migrate import migrate

        run = {"audit": commands.audit, "compare": commands.compare,
               "compare-categories": commands.compare_categories, "rows": commands.rows, "models": commands.models,
               "migrate": migrate}  # fmt: skip
        code = run[arguments.command](arguments)
        sys.stdout.flush()
    except PresheafError as error:
        print(f"presheaf: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print("presheaf: out of memory; try a part of the table first.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "presheaf: stopped. Features computed so far are kept; the same command goes on from there.",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:
        # The reader went away (`presheaf ... | head`): what it wanted it has.
        _leave_output()
    except OSError as error:
        _leave_output()
        print(f"presheaf: the system refused to read or write: {error}.", file=sys.stderr)
        return 2
    return code


def _leave_output() -> None:
    """Send what is left in the buffer nowhere, so that Python does not fail on it again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
