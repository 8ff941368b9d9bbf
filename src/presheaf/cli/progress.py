"""Progress on standard error: bars on a terminal, a plain line now and then elsewhere, silence when asked."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from presheaf.audits.preview import Preview

QUIET_SECONDS = 2.0
"""Nothing is said of a stage that ends sooner."""
LINE_SECONDS = 10.0


class Progress:
    """Told (stage, done, total) by an audit; shows it with the time left.

    Use as a context manager, so that a bar never stays behind in the terminal.
    """

    def __init__(self, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.quiet = quiet
        self.stream = stream if stream is not None else sys.stderr
        self.bars: Bars | None = None
        self.tasks: dict[str, TaskID] = {}
        self.started: dict[str, tuple[float, int, int]] = {}
        self.last = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bars is not None:
            self.bars.stop()
            self.bars = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        start, first, last = self.started.get(stage, (now, done, done))
        if done < last:  # the same once more
            start, first = now, done
        self.started[stage] = start, first, done
        if self.quiet:
            return
        if self.stream.isatty():
            self._bar(stage, done, total)
        elif now - start > QUIET_SECONDS and now - self.last > LINE_SECONDS and first < done < total:
            self.last = now
            # What was there at the start was kept from before and took no time now.
            left = (now - start) / (done - first) * (total - done)
            self.say(f"{stage}: {done:,} of {total:,}, about {duration(left)} left")

    def _bar(self, stage: str, done: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        if self.bars is None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self.bars = Bars(*columns, console=Console(file=self.stream), transient=True)
            self.bars.start()
        if stage not in self.tasks:
            self.tasks[stage] = self.bars.add_task(stage, total=total)
        self.bars.update(self.tasks[stage], completed=done, total=total)

    def say(self, line: str) -> None:
        """A line for the user, above the bars."""
        if not self.quiet:
            self.tell(line)

    def tell(self, line: str) -> None:
        """A line that a user has to know of, silence asked or not."""
        if self.bars is not None:
            self.bars.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=self.stream, flush=True)

    def preview(self, seen: Preview) -> None:
        """A first look while rows come in."""
        parts = []
        if seen.prompt is not None:
            parts.append(f"one prompt per label {_span(seen.prompt.value, seen.prompt.low, seen.prompt.high)}")
        parts.append(f"linear head {_span(seen.head.value, seen.head.low, seen.head.high)}")
        self.say(f"after {seen.rows:,} of {seen.total:,} rows: {', '.join(parts)}")


def _span(value: float, low: float, high: float) -> str:
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def duration(seconds: float) -> str:
    """ "40 s", "3 min", "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
