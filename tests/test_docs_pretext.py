"""The page on pre-training tasks: Python blocks print what is shown, public names exist, its table names the tasks there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_pages import ROOT, python_of, run_python, undescribed

import presheaf as ps
import presheaf.enriched as pe
import presheaf.pretext as pp
from presheaf.audits import watch_result
from presheaf.pretext import data as data_module

PAGE = ROOT / "docs" / "pretext.md"


def _section(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def _first_cells(section: str) -> list[str]:
    """Names in code in the first column of a section's table."""
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [name for cell in rows for name in re.findall(r"`([^`]+)`", cell)]


def test_python_blocks_print_what_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In one namespace and one folder, as somebody types them who goes through the page."""
    for module in ("torch", "kornia", "safetensors", "networkx"):
        pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)
    attempted, wrong = run_python(python_of(PAGE.read_text(encoding="utf-8")))
    assert not wrong, wrong
    assert attempted > 40


def test_names_that_the_page_uses_are_public() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for prefix, face in (("pp", pp), ("pe", pe), ("ps", ps)):
        named = set(re.findall(rf"\b{prefix}\.(\w+)", page))
        assert named
        assert sorted(named - set(face.__all__)) == []
    # In running text functions stand without the prefix: `check_pretext(task, data)`.
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)[(`]", page)) - {"k_f", "limit_bytes"}
    assert {"check_pretext", "fine_tune_to", "masked_consistency"} <= named
    assert sorted(named - set(pp.__all__)) == []


def test_every_function_of_the_room_is_on_the_page_or_in_the_table_of_theorems() -> None:
    pages = PAGE.read_text(encoding="utf-8") + (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
    functions = [name for name in pp.__all__ if name.islower()]
    assert [name for name in functions if not re.search(rf"\b{name}\b", pages)] == []


def test_the_table_of_tasks_is_the_registry_s() -> None:
    assert _first_cells(_section(PAGE.read_text(encoding="utf-8"), "The ten tasks")) == list(pp.pretext_names())


def test_the_table_of_data_is_what_can_be_asked_for() -> None:
    named = set(_first_cells(_section(PAGE.read_text(encoding="utf-8"), "Data")))
    assert named == {*data_module.NAMES, *data_module.KINDS}


def test_every_field_of_a_watched_run_is_described() -> None:
    assert undescribed("presheaf.watch/1", watch_result) == []
