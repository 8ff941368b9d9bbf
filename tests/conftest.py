"""No test reads or fills the cache of whoever runs it, or depends on how it was started."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest


def pytest_configure() -> None:
    """A shell that starts the tests in the background leaves SIGINT ignored; what is tested here is Ctrl-C as a user sends it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One cache for the whole run: workers of pytest-xdist share it, so that a GGUF file is converted once."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRESHEAF_CACHE", str(root / "cache"))
        yield
