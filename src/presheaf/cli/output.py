"""Where results go: standard output, an HTML page, a JSON file."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from presheaf.errors import InputError

if TYPE_CHECKING:
    from presheaf.report.serial import Result


def check_outputs(arguments: Namespace) -> None:
    """Fail before the work, not after it, when a file can't be written."""
    for path in (arguments.report, arguments.json):
        if path is None or path == "-":
            continue
        if Path(path).is_dir():
            raise InputError(f"can't write {path}: it is a folder; add a file name.")
        if not Path(path).resolve().parent.is_dir():
            raise InputError(f"can't write {path}: the folder {Path(path).resolve().parent} does not exist.")


def show(result: Result, arguments: Namespace) -> None:
    """Write the JSON and the page that were asked for, and print the text (or the JSON, for ``-``), whatever becomes of the page."""
    from presheaf.report import to_html, to_json, to_text, write

    if arguments.json not in (None, "-"):
        write(arguments.json, to_json(result))
    try:
        if arguments.report is not None:
            write(arguments.report, to_html(result))
    finally:
        if arguments.json == "-":
            # JSON is UTF-8 whatever the terminal is.
            sys.stdout.buffer.write(to_json(result).encode("utf-8"))
        else:
            print(to_text(result, width=width(), color=sys.stdout.isatty()), end="")
    if arguments.json == "-":
        return
    for path in (arguments.report, arguments.json):
        if path is not None:
            print(f"wrote {path}", file=sys.stderr)


def width() -> int:
    """Columns to write in."""
    return min(120, max(60, shutil.get_terminal_size((100, 40)).columns))
