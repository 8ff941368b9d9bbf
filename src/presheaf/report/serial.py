"""The JSON face: every number of an audit or a comparison, in a versioned schema (docs/json.md)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

from presheaf.audits.category_result import CategoryComparison
from presheaf.audits.result import Audit, Comparison, Finding, Rung
from presheaf.audits.watch_result import Watch
from presheaf.errors import InputError
from presheaf.report.codec import decode, encode

AUDIT_SCHEMA = "presheaf.audit/1"
COMPARE_SCHEMA = "presheaf.compare/1"
CATEGORIES_SCHEMA = "presheaf.categories/1"
WATCH_SCHEMA = "presheaf.watch/1"
Result = Audit | Comparison | CategoryComparison | Watch
"""What has three faces."""
_BASELINES = ("TF-IDF + truncated SVD", "pixels")  # of texts, of images
_PLAIN = ("task", "settings", "verdict", "ladder", "findings", "prompts", "curve", "forecast", "rows")
_FINDING_ORDER = (
    "code",
    "kind",
    "status",
    "severity",
    "title",
    "message",
    "remedy",
    "docs",
    "rows",
    "groups",
    "groups_left_out",
    "evidence",
)


def to_dict(result: Result) -> dict[str, Any]:
    """The result as plain values; docs/json.md describes every field. Cost: linear in the result.

    Raises
    ------
    InputError
        If ``task``, ``settings`` or some ``evidence`` holds a value JSON has no form for.
    """
    if isinstance(result, CategoryComparison):
        return {"schema": CATEGORIES_SCHEMA, "presheaf": version(), **encode(result)}
    if isinstance(result, Watch):
        return {"schema": WATCH_SCHEMA, "presheaf": version(), **encode(result)}
    return _audit(result) if isinstance(result, Audit) else _comparison(result)


def to_json(result: Result) -> str:
    """The result as JSON text: the same result gives the same bytes. No time stamp, no NaN, one newline at the end."""
    text = json.dumps(to_dict(result), ensure_ascii=False, indent=1, allow_nan=False)
    # Half a surrogate pair (from a damaged text column) has no UTF-8 form, but a JSON escape it has.
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def from_json(text: str) -> Result:
    """Read back what `to_json` wrote. ``to_json(from_json(text)) == text`` for files of the same version.

    Raises
    ------
    InputError
        The text is no JSON, has another schema, or lacks a field or has one of a wrong type (named in the message).
    """
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"Expected the JSON that presheaf writes with --json; this is no JSON: {error}.") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema == AUDIT_SCHEMA:
        return _read_audit(document, "audit")
    if schema == COMPARE_SCHEMA:
        return _read_comparison(document)
    if schema == CATEGORIES_SCHEMA:
        found: CategoryComparison = decode(CategoryComparison, document, "categories")
        return found
    if schema == WATCH_SCHEMA:
        watched: Watch = decode(Watch, document, "watch")
        return watched
    raise InputError(
        f"'schema' must be one of {AUDIT_SCHEMA}, {COMPARE_SCHEMA}, {CATEGORIES_SCHEMA}, {WATCH_SCHEMA}; got {schema!r}. "
        "Write the file again with this version of presheaf (audit, compare, compare-categories or train with --json)."
    )


def media_of(result: Result) -> object:
    """What the objects of a result are: "text" or "image"; None where it doesn't say."""
    task = result.audits[0].task if isinstance(result, Comparison) and result.audits else getattr(result, "task", {})
    return task.get("objects")


def accuracies(ladder: tuple[Rung, ...]) -> dict[str, float | None]:
    """Accuracy by rung name."""
    return {rung.name: encode(rung.accuracy) for rung in ladder}


def _audit(audit: Audit) -> dict[str, Any]:
    plain = {name: encode(getattr(audit, name), name) for name in _PLAIN}
    plain["findings"] = [_finding(finding) for finding in audit.findings]
    models = [{**encode(audit.model, "model"), "baseline": False, "accuracy": accuracies(audit.ladder)}]
    if audit.baseline:
        models.append(
            {
                "name": _BASELINES[audit.task.get("objects") == "image"],
                "baseline": True,
                "accuracy": accuracies(audit.baseline),
                "ladder": encode(audit.baseline, "baseline"),
            }
        )
    last = {name: encode(getattr(audit, name), name) for name in ("interrupted", "why", "prompting")}
    return {"schema": AUDIT_SCHEMA, "presheaf": version(), **plain, "models": models, **last}


def _finding(finding: Finding) -> dict[str, Any]:
    plain = {**encode(finding, finding.code), "docs": finding.docs}
    return {name: plain[name] for name in _FINDING_ORDER}


def _comparison(comparison: Comparison) -> dict[str, Any]:
    models = [
        {"name": a.model.name, "info": encode(a.model), "accuracy": accuracies(a.ladder), **_audit(a)}
        for a in comparison.audits
    ]
    best = models[0] if models else {"ladder": [], "findings": []}
    return {
        "schema": COMPARE_SCHEMA,
        "presheaf": version(),
        "verdict": comparison.verdict,
        "target": encode(comparison.target),
        "ladder": best["ladder"],
        "findings": best["findings"],
        "models": models,
        **{name: encode(getattr(comparison, name), name) for name in ("differences", "groups", "why", "failed")},
    }


def _read_audit(document: Any, where: str) -> Audit:
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(models, list) or not models or not all(isinstance(model, dict) for model in models):
        raise InputError(f"{where}.models must be a list with the audited model first; got {repr(models)[:80]}.")
    baseline: Any = next((model.get("ladder", []) for model in models if model.get("baseline")), [])
    audit: Audit = decode(Audit, {**document, "model": models[0], "baseline": baseline}, where)
    return audit


def _read_comparison(document: dict[str, Any]) -> Comparison:
    models = document.get("models")
    if not isinstance(models, list):
        raise InputError(f"comparison.models must be a list of audits; got {repr(models)[:80]}.")
    audits = tuple(_read_audit(model, f"comparison.models[{i}]") for i, model in enumerate(models))
    comparison: Comparison = decode(Comparison, {**document, "audits": []}, "comparison")
    return replace(comparison, audits=audits)


@cache
def version() -> str:
    """Version of the installed package."""
    from importlib.metadata import version as installed

    return installed("presheaf")
