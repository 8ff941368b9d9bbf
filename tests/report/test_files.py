"""Writing: all or nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from presheaf.errors import InputError
from presheaf.report import write


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "out.json"
    write(path, "first ü\n")
    write(path, "second\n")
    assert path.read_bytes() == b"second\n"
    assert os.listdir(tmp_path) == ["out.json"]


def test_a_failure_keeps_the_old_file_and_leaves_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "out.json"
    write(path, "old")

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        write(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.json"]


def test_missing_folder_and_folder_as_file(tmp_path):
    with pytest.raises(InputError, match=r"folder .*nowhere.* does not exist"):
        write(tmp_path / "nowhere" / "out.json", "x")
    with pytest.raises(InputError, match="is a folder"):
        write(tmp_path, "x")
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_followed_and_the_umask_kept(tmp_path):
    real = tmp_path / "real.html"
    link = tmp_path / "link.html"
    link.symlink_to(real)
    before = os.umask(0o022)
    try:
        write(link, "x")
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert real.read_text() == "x"
    assert stat.S_IMODE(real.stat().st_mode) == 0o644


def test_a_name_of_the_greatest_length(tmp_path):
    write(tmp_path / ("a" * 250 + ".json"), "x")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no /dev/stdout")
def test_a_pipe_is_written_to():
    program = "from presheaf.report import write; write('/dev/stdout', 'piped\\n')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"piped\n"
