"""The page of the enriched room: Python blocks print what is shown, its public names exist, its JSON section is complete."""

from __future__ import annotations

import dataclasses
import doctest
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import presheaf.enriched as pe
from presheaf.audits import category_result

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "enriched.md"
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


def _python(page: str) -> str:
    return "\n".join(block.text for block in refresh.blocks(page) if block.kind == "python")


def _run(code: str) -> tuple[int, str]:
    """How many examples there were, and what went wrong."""
    said: list[str] = []
    test = doctest.DocTestParser().get_doctest(code, {}, "page", None, 0)
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append)
    return result.attempted, "".join(said)


def test_python_blocks_print_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one namespace, as somebody types them who goes through the page."""
    pytest.importorskip("wordllama")
    monkeypatch.chdir(ROOT)
    attempted, wrong = _run(_python(PAGE.read_text(encoding="utf-8")))
    assert not wrong, wrong
    assert attempted > 40


def test_a_block_that_is_wrong_is_noticed() -> None:
    attempted, wrong = _run(_python("```python\n>>> 2 + 2\n5\n```\n"))
    assert attempted == 1
    assert "Expected:\n    5\nGot:\n    4" in wrong


@pytest.mark.slow
def test_commands_print_what_is_shown() -> None:
    pytest.importorskip("wordllama")
    page = PAGE.read_text(encoding="utf-8")
    assert refresh.render(page) == page


def test_names_that_the_page_uses_are_public() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\bpe\.(\w+)", page))
    tables = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    # In tables functions stand without the prefix; underscores tell them from words.
    named |= {name for name in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", tables) if name not in _fields()}
    assert len(named) > 40
    assert sorted(named - set(pe.__all__)) == []


def _fields() -> set[str]:
    """Attributes of the results, which the tables name as well."""
    classes = [value for value in (getattr(pe, name) for name in pe.__all__) if isinstance(value, type)]
    return {name for c in classes for name in (*dir(c), *getattr(c, "__dataclass_fields__", ()))}


def test_every_field_of_a_comparison_of_categories_is_described() -> None:
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    section = page.split("`presheaf.categories/1`\n", 1)[1].split("\n## ", 1)[0]
    described = set(re.findall(r"`(\w+)`", section))
    own = [
        value for value in vars(category_result).values()
        if isinstance(value, type) and value.__module__ == category_result.__name__
    ]  # fmt: skip
    assert category_result.CategoryComparison in own
    fields = {field.name for c in own if dataclasses.is_dataclass(c) for field in dataclasses.fields(c)}
    assert sorted(fields - described) == []
