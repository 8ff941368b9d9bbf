"""Run the commands that these pages show and put their real output below them.

    python docs/refresh.py                    # every page in docs/
    python docs/refresh.py docs/tutorial.md   # one page

A block marked ``console`` holds commands (lines that begin with "$ ", a backslash at the end goes on) and what they
print. ``console IN01`` keeps only the part that begins with that word, up to the next line that is not indented more;
``console Findings$`` looks for a line that is that word. ``console as is`` is never run. A block marked
``csv pets.csv`` (any kind, then a file name) is written to a file of that name first. All blocks of a page run in one
folder, where ``examples`` leads to the repository's examples. A command that ends in a traceback stops the refresh.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parent
_FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.M | re.S)
# What is said of a run's progress, some of it only where a machine is slow.
_PROGRESS = re.compile(
    r"^(reading rows|after [\d,]+ of|climbing the ladder|the same ladder|wrote ).*\n"
    r"|^(looking through|reading|keeping|checking|counting|writing|\w+ of [\d,]+ rows).*( \.\.\.|: [\d.]+ (s|min|h))\n",
    re.M,
)
_END = "\x1e"
AS_IS = "as is"


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind ("console", "csv", ...), the words behind it, its text, and where the text stands."""

    kind: str
    rest: str
    text: str
    start: int
    end: int


def blocks(page: str) -> Iterator[Block]:
    """Every fenced block of a page, in order."""
    for found in _FENCE.finditer(page):
        kind, _, rest = found[1].strip().partition(" ")
        yield Block(kind, rest.strip(), found[2], found.start(2), found.end(2))


def commands(console: str) -> list[str]:
    """The commands of a console block, each as written (continued lines together)."""
    out: list[str] = []
    going_on = False
    for line in console.splitlines():
        if going_on:
            out[-1] += "\n" + line
        elif line.startswith("$ "):
            out.append(line[2:])
        else:
            continue
        going_on = line.endswith("\\")
    return out


def render(page: str) -> str:
    """The page with the output of its commands as it is now. Cost: that of the commands."""
    out, last = [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "examples").symlink_to(DOCS.parent / "examples")
        for block in blocks(page):
            text = block.text
            if block.kind == "console" and block.rest != AS_IS:
                text = "".join(f"$ {c}\n{part(said, block.rest)}" for c, said in run(commands(text), folder))
            elif block.rest and block.kind != "console":
                (folder / block.rest).write_text(text, encoding="utf-8")
            out += [page[last : block.start], text]
            last = block.end
    return "".join([*out, page[last:]])


def run(lines: list[str], folder: Path) -> list[tuple[str, str]]:
    """Each command with what it printed (both streams, without progress), run one after the other in one shell."""
    script = "".join(f"{line}\nstatus=$?; printf '{_END}'; (exit $status)\n" for line in lines)
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": paths, "COLUMNS": "100", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        ["bash"], input=script, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if "Traceback (most recent call last)" in done.stdout:
        raise SystemExit(done.stdout)
    said = [text.lstrip("\n") for text in done.stdout.split(_END)[: len(lines)]]
    return [(line, _PROGRESS.sub("", text)) for line, text in zip(lines, said, strict=True)]


def part(said: str, word: str) -> str:
    """The lines of a print from the first that begins with ``word`` to before the next that is not indented more."""
    if not word:
        return said
    lines = said.splitlines(keepends=True)
    found = [i for i, line in enumerate(lines) if (line.strip() + "$" * word.endswith("$")).startswith(word)]
    if not found:
        raise SystemExit(f"nothing printed begins with {word!r}; it printed:\n{said}")
    first = found[0]
    depth = len(lines[first]) - len(lines[first].lstrip())
    last = first + 1
    while last < len(lines) and lines[last].strip() and len(lines[last]) - len(lines[last].lstrip()) > depth:
        last += 1
    return "".join(lines[first:last])


def main() -> None:
    pages = [Path(name) for name in sys.argv[1:]] or sorted(DOCS.rglob("*.md"))
    for path in pages:
        before = path.read_text(encoding="utf-8")
        after = render(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
        sys.stdout.write(f"{path}: {'changed' if after != before else 'the same'}\n")


if __name__ == "__main__":
    main()
