"""The documentation's pages as tests read them: their blocks, and their Python examples run as a user types them."""

from __future__ import annotations

import dataclasses
import doctest
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _refresh() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_refresh", ROOT / "docs" / "refresh.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


refresh = _refresh()


def python_of(page: str) -> str:
    """The Python blocks of a page, one after the other."""
    return "\n".join(block.text for block in refresh.blocks(page) if block.kind == "python")


def run_python(code: str, names: dict[str, object] | None = None) -> tuple[int, str]:
    """How many examples there were, and what went wrong; what they define is added to ``names``."""
    said: list[str] = []
    test = doctest.DocTestParser().get_doctest(code, {} if names is None else names, "page", None, 0)
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append, clear_globs=names is None)
    if names is not None:
        names.update(test.globs)
    return result.attempted, "".join(said) if result.failed else ""


def undescribed(schema: str, module: ModuleType) -> list[str]:
    """Fields of a module's results that the section of a schema on the JSON page does not name."""
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    section = page.split(f"`{schema}`\n", 1)[1].split("\n## ", 1)[0]
    own = [c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__]
    fields = {field.name for c in own if dataclasses.is_dataclass(c) for field in dataclasses.fields(c)}
    assert fields, f"{module.__name__} has no results"
    return sorted(fields - set(re.findall(r"`(\w+)`", section)))
