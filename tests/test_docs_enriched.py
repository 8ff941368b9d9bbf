"""The page of the enriched room: Python blocks print what is shown, its public names exist, its JSON section is complete."""

from __future__ import annotations

import re

import pytest
from doc_pages import ROOT, python_of, refresh, run_python, undescribed

import presheaf.enriched as pe
from presheaf.audits import category_result

PAGE = ROOT / "docs" / "enriched.md"


def test_python_blocks_print_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one namespace, as somebody types them who goes through the page."""
    pytest.importorskip("wordllama")
    monkeypatch.chdir(ROOT)
    attempted, wrong = run_python(python_of(PAGE.read_text(encoding="utf-8")))
    assert not wrong, wrong
    assert attempted > 40


def test_a_block_that_is_wrong_is_noticed() -> None:
    attempted, wrong = run_python(python_of("```python\n>>> 2 + 2\n5\n```\n"))
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
    assert undescribed("presheaf.categories/1", category_result) == []
