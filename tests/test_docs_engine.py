"""The pages of the exact engine: Python blocks print what is shown, and so do the commands, durations aside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_pages import ROOT, python_of, refresh, run_python

import presheaf.finite as pf
from presheaf.errors import InputError

ENGINE, MIGRATE = ROOT / "docs" / "engine.md", ROOT / "docs" / "migrate.md"
NEEDS_FILES = "wordnet_hypernyms("


def _sections(page: str) -> list[str]:
    """The Python code of each section of a page."""
    fences = [(block.start, block.end) for block in refresh.blocks(page)]
    heads = [m.start() for m in re.finditer(r"^##+ ", page, re.M) if not any(a <= m.start() < b for a, b in fences)]
    return [python_of(page[a:b]) for a, b in zip([0, *heads], [*heads, len(page)], strict=True)]


def _timeless(page: str) -> str:
    return re.sub(r" in [\d.]+ (ms|s|min)\b", " in T", page)


def test_python_blocks_print_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one namespace, as somebody types them who goes through the page."""
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    attempted = 0
    for code in _sections(ENGINE.read_text(encoding="utf-8")):
        if NEEDS_FILES not in code:
            many, wrong = run_python(code, names)
            assert not wrong, wrong
            attempted += many
    assert attempted > 50


def test_the_example_of_the_readme() -> None:
    attempted, wrong = run_python(python_of((ROOT / "README.md").read_text(encoding="utf-8")), {})
    assert not wrong, wrong
    assert attempted >= 3


def test_python_blocks_on_wordnet() -> None:
    (code,) = [code for code in _sections(ENGINE.read_text(encoding="utf-8")) if NEEDS_FILES in code]
    try:
        nouns = pf.examples.wordnet_hypernyms()
    except InputError:
        pytest.skip("WordNet's database files are not installed")
    if len(nouns) != 82115:
        pytest.skip("another version of WordNet than 3.0")
    attempted, wrong = run_python(code, {})
    assert not wrong, wrong
    assert attempted > 10


def test_a_block_that_is_wrong_is_noticed() -> None:
    page = "## One\n\n```python\n>>> x = 2\n>>> x + x\n5\n```\n\n## Two\n\n```python\n>>> x\n2\n```\n"
    first, second = _sections(page)[1:]
    names: dict[str, object] = {}
    assert "Expected:\n    5\nGot:\n    4" in run_python(first, names)[1]
    assert run_python(second, names) == (1, "")


@pytest.mark.parametrize(
    "path", [pytest.param(ENGINE, id="engine.md"), pytest.param(MIGRATE, id="migrate.md", marks=pytest.mark.slow)]
)
def test_commands_print_what_is_shown(path: Path) -> None:
    pytest.importorskip("duckdb")
    pytest.importorskip("ibis")
    page = path.read_text(encoding="utf-8")
    assert _timeless(refresh.render(page)) == _timeless(page)


def test_what_only_a_slow_machine_says_is_left_out(tmp_path: Path) -> None:
    said = [
        "reading school/old ...",
        "reading school/old: 2 s",
        "sigma of 7,302 rows ...",
        "sigma: 803 rows in 0 s, by sweep",
    ]
    (_, shown), *_ = refresh.run([f"printf '%s\\n' {' '.join(map(repr, said))}"], tmp_path)
    assert shown == "sigma: 803 rows in 0 s, by sweep\n"


def test_functions_that_the_page_names_are_public() -> None:
    named = set(re.findall(r"`pf\.(\w+)", ENGINE.read_text(encoding="utf-8")))
    assert named
    assert sorted(named - set(pf.__all__)) == []
