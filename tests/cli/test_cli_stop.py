"""Ctrl-C at bad moments: inside an import, inside a destructor, wrapped by a library, and after the answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from presheaf.cli import commands, main

posix = pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX systems do")
PRESS = "os.kill(os.getpid(), signal.SIGINT)"


def heed_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def program(folder: Path, command: str, **modules: str) -> subprocess.CompletedProcess[str]:
    """The program, with the body of `presheaf models` replaced, beside modules that it may import.

    What it waits for lasts longer than this does: a stop has to reach a program that is blocked.
    """
    for name, body in modules.items():
        (folder / f"{name}.py").write_text("import os, signal, time\n" + dedent(body))
    indented = dedent(command).replace("\n", "\n    ")
    script = (
        f"import os, signal, sys, time\nfrom presheaf.cli import commands, main\ndef models(_):\n    {indented}\n"
        "commands.models = models\nsys.argv = ['presheaf', 'models']\nraise SystemExit(main())\n"
    )
    (folder / "run.py").write_text(script)
    return subprocess.run([sys.executable, folder / "run.py"], capture_output=True, encoding="utf-8", timeout=60,
                          preexec_fn=heed_ctrl_c, check=False)  # fmt: skip


def assert_stopped(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 130, done.stderr
    assert done.stderr == "presheaf: stopped. Features computed so far are kept; the same command goes on from there.\n"


@posix
@pytest.mark.parametrize(
    "handler", ["except BaseException: lost = True", "except BaseException as e: raise ImportError('x') from None"]
)
def test_an_import_is_finished_first(tmp_path: Path, handler: str) -> None:
    """A library that would swallow or rename the interrupt never sees it."""
    body = f"""
        try:
            {PRESS}
            for _ in range(10): time.sleep(0.01)
            whole = True
        {handler}
        print("imported")
    """
    done = program(tmp_path, "import slow\ntime.sleep(300)\nreturn 0", slow=body)
    assert_stopped(done)
    assert done.stdout == "imported\n"


@posix
def test_pressed_twice_it_does_not_wait(tmp_path: Path) -> None:
    body = f"{PRESS}\n{PRESS}\ntime.sleep(300)\n"
    assert_stopped(program(tmp_path, "import slow\nreturn 0", slow=body))


@posix
def test_an_interrupt_that_python_could_only_report_is_delivered(tmp_path: Path) -> None:
    command = f"""
    class Dies:
        def __del__(self):
            {PRESS}
            time.sleep(0.01)
    Dies()
    time.sleep(300)
    return 0"""
    assert_stopped(program(tmp_path, command))


@posix
def test_an_error_that_comes_of_the_interrupt_is_no_error_of_ours(tmp_path: Path) -> None:
    command = f"""
    try:
        {PRESS}
        time.sleep(300)
    except KeyboardInterrupt:
        pass
    raise SystemError("a library lost its way")"""
    assert_stopped(program(tmp_path, command))


@posix
def test_after_the_answer_a_stop_is_silent(tmp_path: Path) -> None:
    command = f"import atexit\natexit.register(lambda: {PRESS})\nprint('answer')\nreturn 0"
    done = program(tmp_path, command)
    assert done.returncode in (0, -signal.SIGINT)  # a shell shows the second as 130
    assert (done.stdout, done.stderr) == ("answer\n", "")


@pytest.mark.parametrize("explicit", [True, False])
def test_a_wrapped_interrupt_is_one(monkeypatch: pytest.MonkeyPatch, explicit: bool) -> None:
    def wrapped(_: object) -> int:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as stop:
            if explicit:
                raise ImportError("half imported") from stop
            raise ImportError("half imported")  # noqa: B904

    monkeypatch.setattr(commands, "models", wrapped)
    assert main(["models"]) == 130


def test_a_fault_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(commands, "models", faulty)
    with pytest.raises(ZeroDivisionError):
        main(["models"])


def test_called_from_python_the_handler_stays_the_callers() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert main(["models"]) == 0
    assert signal.getsignal(signal.SIGINT) is before
