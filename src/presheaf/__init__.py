"""What can a pre-trained model be made to do? Prompts, heads, fine-tuning and their ceilings, on your table.

>>> import presheaf as ps
>>> task = ps.read_task("reviews.csv", text="review", label="sentiment")   # doctest: +SKIP
>>> audit = ps.audit(ps.load_model("minilm"), task, target=0.90)           # doctest: +SKIP
>>> audit.verdict.sentence                                                 # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # typing takes longer to load than all of this
if TYPE_CHECKING:
    from typing import Any

    from presheaf.audits.categories import compare_categories
    from presheaf.audits.category_result import CategoryComparison
    from presheaf.audits.compare import compare
    from presheaf.audits.prompts import read_prompts
    from presheaf.audits.result import Audit, Comparison
    from presheaf.audits.run import audit
    from presheaf.audits.watch import watch
    from presheaf.audits.watch_result import Watch
    from presheaf.models.registry import load_model, named_models
    from presheaf.report import from_json, to_html, to_json, to_text, write
    from presheaf.tables import Task, read_task

_HOME = {
    "Audit": "presheaf.audits.result",
    "CategoryComparison": "presheaf.audits.category_result",
    "Comparison": "presheaf.audits.result",
    "Task": "presheaf.tables",
    "Watch": "presheaf.audits.watch_result",
    "audit": "presheaf.audits.run",
    "compare": "presheaf.audits.compare",
    "compare_categories": "presheaf.audits.categories",
    "from_json": "presheaf.report",
    "load_model": "presheaf.models.registry",
    "named_models": "presheaf.models.registry",
    "read_prompts": "presheaf.audits.prompts",
    "read_task": "presheaf.tables",
    "to_html": "presheaf.report",
    "to_json": "presheaf.report",
    "to_text": "presheaf.report",
    "watch": "presheaf.audits.watch",
    "write": "presheaf.report",
}

__all__ = [
    "Audit",
    "CategoryComparison",
    "Comparison",
    "Task",
    "Watch",
    "audit",
    "compare",
    "compare_categories",
    "from_json",
    "load_model",
    "named_models",
    "read_prompts",
    "read_task",
    "to_html",
    "to_json",
    "to_text",
    "watch",
    "write",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for: `import presheaf` itself stays fast."""
    if name not in _HOME:
        raise AttributeError(f"module 'presheaf' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    import_module("presheaf.report")  # results draw themselves with it
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
