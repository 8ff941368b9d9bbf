"""Entry point: parse, run one command, turn errors into a line and an exit code."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from presheaf.cli.stop import Stop
from presheaf.errors import PresheafError

TYPE_CHECKING = False  # see presheaf.cli.stop
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (0, 1, 2, 70 or 130; see `presheaf audit --help`).

    Without ``argv`` it is the program that runs: Ctrl-C is its own, and an error that nobody foresaw is told in a line.
    """
    stop = Stop()
    try:
        try:
            if argv is None:
                stop.watch()
            return _run(argv)
        finally:
            stop.leave()
    except SystemExit:
        raise
    except BaseException as error:
        code = 130 if stop.caused(error) else _code(error)
        if code is None:
            if argv is not None or not isinstance(error, Exception):
                raise
            from presheaf.cli.fault import report

            code = report(error)
        if code == 130:
            print("presheaf: stopped. Features computed so far are kept; the same command goes on from there.",
                  file=sys.stderr)  # fmt: skip
        return code


def _run(argv: Sequence[str] | None) -> int:
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
    from presheaf.cli import commands, train
    from presheaf.cli.migrate import migrate

    run = {"audit": commands.audit, "compare": commands.compare, "compare-categories": commands.compare_categories,
           "rows": commands.rows, "models": commands.models, "migrate": migrate,
           "train": train.train, "data": train.data}  # fmt: skip
    code = run[arguments.command](arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_output()
    return code


def _code(error: BaseException) -> int | None:
    """The exit code of an error that is foreseen, once it is told; None of any other."""
    if isinstance(error, PresheafError):
        print(f"presheaf: {error}", file=sys.stderr)
    elif isinstance(error, MemoryError):
        print("presheaf: out of memory; try a part of the table first.", file=sys.stderr)
    elif isinstance(error, BrokenPipeError):
        # The reader went away (`presheaf ... | head`): what it wanted it has.
        _leave_output()
        return 0
    elif isinstance(error, OSError):
        _leave_output()
        print(f"presheaf: the system refused to read or write: {error}.", file=sys.stderr)
    else:
        return None
    return 2


def _leave_output() -> None:
    """Send what is left in the buffer nowhere, so that Python does not fail on it again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
