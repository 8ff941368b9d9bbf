"""Ctrl-C while the program runs: no half-finished import, and no traceback."""

from __future__ import annotations

import signal
import sys
import time
from _thread import get_ident, interrupt_main, start_new_thread

TYPE_CHECKING = False  # typing would be loaded before anybody listens
if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType

AGAIN = 0.02
"""Seconds until a stop that came at a bad moment is tried again."""
_IMPORTS = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")


class Stop:
    """Takes SIGINT over from Python while the program runs.

    A library that is stopped inside its import may turn KeyboardInterrupt into an error of its own, or swallow it and go on
    without a part. So a stop waits for the import to end; asked for a second time it does not wait. An interrupt that
    Python could only report, inside a destructor or a callback, is delivered a moment later instead.
    """

    def __init__(self) -> None:
        self.asked = False
        self._retry = False
        self._main = 0
        self._report = sys.unraisablehook

    def watch(self) -> None:
        """Begin, in the main thread, where SIGINT would raise KeyboardInterrupt; elsewhere it is somebody else's."""
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            return
        try:
            signal.signal(signal.SIGINT, self._hear)
        except ValueError:  # not the main thread
            return
        self._main = get_ident()
        self._report, sys.unraisablehook = sys.unraisablehook, self._unraisable

    def leave(self) -> None:
        """The work is over: a stop ends the process without a word, where Python would report it while it shuts down."""
        if signal.getsignal(signal.SIGINT) == self._hear:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    def caused(self, error: BaseException) -> bool:
        """Whether an error comes of Ctrl-C, whatever a library made of it."""
        seen: set[int] = set()
        link: BaseException | None = error
        while link is not None and id(link) not in seen:
            if isinstance(link, KeyboardInterrupt):
                return True
            seen.add(id(link))
            link = link.__cause__ or link.__context__
        return self.asked

    def _hear(self, _: int, frame: FrameType | None) -> None:
        first = self._retry or not self.asked
        self.asked, self._retry = True, False
        if first and _importing(frame):
            self._later()
        else:
            raise KeyboardInterrupt

    def _later(self) -> None:
        start_new_thread(self._interrupt, ())

    def _interrupt(self) -> None:
        time.sleep(AGAIN)
        self._retry = True
        if hasattr(signal, "pthread_kill"):
            # Python's own interrupt would not be heard before a read, a wait or a sleep of the main thread is over.
            signal.pthread_kill(self._main, signal.SIGINT)
        else:
            interrupt_main()

    def _unraisable(self, report: UnraisableHookArgs) -> None:
        if issubclass(report.exc_type, KeyboardInterrupt):
            self._later()
        else:
            self._report(report)


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename in _IMPORTS:
            return True
        frame = frame.f_back
    return False
