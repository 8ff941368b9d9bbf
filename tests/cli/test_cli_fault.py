"""An error that nobody foresaw: a line, a file and an exit code of its own; and what was computed is still shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from presheaf.cli.fault import report

PROGRAM = """
import sys
import {module}
def broken(*_, **__):
    raise StopIteration
{module}.{name} = broken
from presheaf.cli.main import main
sys.argv[1:] = {argv!r}
sys.exit(main())
"""


def run(
    tmp_path: Path, module: str, name: str, argv: list[str], **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module, name=name, argv=argv)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "TMPDIR": str(tmp_path), **environment},
        timeout=120,
    )


def test_a_fault_is_a_line_a_file_and_its_own_exit_code(tmp_path: Path) -> None:
    done = run(tmp_path, "presheaf.cli.commands", "models", ["models"])
    assert done.returncode == 70
    assert done.stderr.startswith("presheaf: a fault of presheaf itself, not of what it was given: StopIteration\n")
    assert "Traceback" not in done.stderr
    (file,) = tmp_path.glob("presheaf-fault-*.txt")
    assert str(file) in done.stderr
    written = file.read_text(encoding="utf-8")
    assert "Traceback (most recent call last):" in written
    assert "models" in written.splitlines()[0]


def test_passwords_of_addresses_are_in_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["presheaf", "migrate", "--engine", "postgres://me:s3cr%20t@host/db"])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert report(RuntimeError("no way to postgres://me:s3cr%20t@host/db with s3cr t")) == 70
    (file,) = tmp_path.glob("presheaf-fault-*.txt")
    for text in (capsys.readouterr().err, file.read_text(encoding="utf-8")):
        assert "postgres://me:***@host/db with ***" in text
        assert "s3cr" not in text


def test_a_fault_that_can_not_be_written_down_is_printed(tmp_path: Path) -> None:
    # tempfile falls back on other folders, so it is told of one only and that one is gone.
    program = PROGRAM.replace("import sys\n", "import sys, tempfile\ntempfile.tempdir = '/nowhere/at/all'\n", 1)
    done = subprocess.run(
        [sys.executable, "-c", program.format(module="presheaf.cli.commands", name="models", argv=["models"])],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 70
    assert "Traceback" in done.stderr


def test_a_page_that_fails_loses_neither_text_nor_json(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    rows = [f"{word} {i},{label}" for label, word in (("a", "sun rain"), ("b", "iron lead")) for i in range(30)]
    table.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    argv = ["audit", str(table), "--text", "text", "--label", "label", "--model", "tfidf", "--quiet", "--cache", "none",
            "--json", str(tmp_path / "o.json"), "--report", str(tmp_path / "o.html")]  # fmt: skip
    done = run(tmp_path, "presheaf.report", "to_html", argv)
    assert done.returncode == 70, done.stderr
    assert "majority class" in done.stdout
    assert json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))["task"]["rows"] == 60
    assert not (tmp_path / "o.html").exists()


@pytest.mark.parametrize("wanted", ["KeyboardInterrupt", "ValueError"])
def test_who_calls_main_with_arguments_gets_the_error(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import presheaf.cli.commands as commands
    from presheaf.cli.main import main

    def broken(_: object) -> int:
        raise {"KeyboardInterrupt": KeyboardInterrupt, "ValueError": ValueError}[wanted]

    monkeypatch.setattr(commands, "models", broken)
    if wanted == "KeyboardInterrupt":
        assert main(["models"]) == 130
    else:
        with pytest.raises(ValueError):  # noqa: PT011
            main(["models"])
