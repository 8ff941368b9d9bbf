"""What `import presheaf.finite`, `.enriched`, `.language` and the others offer: names resolve, say what they cost, load late."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import presheaf.enriched
import presheaf.finite
import presheaf.language
import presheaf.migration
import presheaf.models.lm

LANGUAGE = [presheaf.language, presheaf.models.lm]
FACES = [presheaf.finite, presheaf.enriched, presheaf.migration, *LANGUAGE]
COST = re.compile(r"[Cc]ost|[Ll]inear")
FREE = {"chain", "constant", "discrete", "have_kernel", "meaning"}
"""Functions that write down what is asked for, or nothing."""
SLIGHT = {
    "chat_of", "contextual_shift", "draw_examples", "grammar", "judge", "parse_template", "principal_angles",
    "question_key", "read_adapter", "state_continuations", "write_adapter",
}  # fmt: skip
"""Functions of language that ask no model: what they take is written by hand, or small beside what made it."""


@pytest.fixture(autouse=True)
def torch_where_it_is_needed(request: pytest.FixtureRequest) -> None:
    """Soft prompts, fine-tuning and variants are networks'; their names can't be looked up without torch."""
    if getattr(request.node, "callspec", None) and request.node.callspec.params.get("face") is presheaf.language:
        pytest.importorskip("torch")


def _name(face: ModuleType) -> str:
    return face.__name__


def _imported(face: ModuleType) -> dict[str, str]:
    """Public name to module, as type checkers read it: the imports under TYPE_CHECKING."""
    assert face.__file__ is not None
    tree = ast.parse(Path(face.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        name.name: line.module or "" for line in block.body if isinstance(line, ast.ImportFrom) for name in line.names
    }


@pytest.mark.parametrize("face", FACES, ids=_name)
def test_every_name_is_there_and_is_what_type_checkers_see(face: ModuleType) -> None:
    seen = _imported(face)
    assert sorted(face.__all__) == sorted(seen) == dir(face)
    for name, module in seen.items():
        value = getattr(face, name)
        if name != "examples":
            assert value is getattr(importlib.import_module(module), name), name
            assert getattr(value, "__module__", module) == module, name


@pytest.mark.parametrize("face", FACES, ids=_name)
def test_every_name_has_a_docstring(face: ModuleType) -> None:
    assert [name for name in face.__all__ if name != "TYPES" and not inspect.getdoc(getattr(face, name))] == []


@pytest.mark.parametrize(("face", "least"), [(presheaf.finite, 61), (presheaf.enriched, 61), (presheaf.language, 23)])
def test_what_computes_says_what_it_costs(face: ModuleType, least: int) -> None:
    functions: dict[str, Any] = {name: getattr(face, name) for name in face.__all__}
    functions = {name: f for name, f in functions.items() if inspect.isfunction(f) and name not in FREE | SLIGHT}
    assert len(functions) >= least
    assert [name for name, f in functions.items() if not COST.search(inspect.getdoc(f) or "")] == []


def test_what_a_hom_computes_says_what_it_costs() -> None:
    methods = {name: f for name, f in vars(presheaf.enriched.Hom).items() if inspect.isfunction(f) and name[0] != "_"}
    assert {"row", "columns", "blocks", "dense", "nearest", "within"} <= methods.keys()
    assert [name for name, f in methods.items() if not COST.search(inspect.getdoc(f) or "")] == []


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"'presheaf\.finite' has no attribute 'chase'"):
        presheaf.finite.chase  # noqa: B018


def test_a_public_name_wins_over_the_module_of_that_name() -> None:
    """In a fresh process, whatever is imported first."""
    code = """
import presheaf.finite.extensions.density, presheaf.finite.presented.kan_left, presheaf.migration.schema_toml
import presheaf.finite as pf, presheaf.migration as pm
from presheaf.finite import elements
from presheaf.finite.presented import adjunction
assert callable(pf.density) and callable(pf.copresheaf) and callable(elements) and callable(pm.schema_toml)
assert adjunction.left_counit is not pf.left_counit
assert pf.examples.cyclic(3).arrows == 3
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("face", "some"),
    [
        (presheaf.enriched, {"laws", "transfer", "magnitude"}),
        (presheaf.language, {"fine_tune", "lora_audit", "meaning"}),
    ],
    ids=["enriched", "language"],
)
def test_names_spelt_like_their_modules_stay_when_every_module_is_loaded(face: ModuleType, some: set[str]) -> None:
    code = f"""
import importlib, pkgutil, types
import {face.__name__} as face
modules = [m.name for m in pkgutil.iter_modules(face.__path__)]
for name in modules:
    importlib.import_module(face.__name__ + "." + name)
both = sorted(set(modules) & set(face.__all__))
assert {some!r} <= set(both)
assert not [name for name in both if isinstance(getattr(face, name), types.ModuleType)]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("face", FACES[:4], ids=_name)
def test_importing_it_loads_no_numpy(face: ModuleType) -> None:
    code = (
        f"import sys, {face.__name__}; print([m for m in ('numpy', 'scipy', 'pyarrow', 'duckdb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_sources_that_need_no_network_load_no_torch() -> None:
    code = (
        "import sys; from presheaf.models.lm import CompletionsModel, NGramModel, Question, check_language_model\n"
        "import presheaf.language as pl; pl.score_grid, pl.text_category, pl.tokenizer_check, pl.lora_audit, pl.probe_layers\n"
        "print([m for m in ('torch', 'transformers', 'peft', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
