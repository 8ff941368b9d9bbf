"""Are planted merges found, with the right code, by several models, and is no proof ever contradicted?

    python benchmarks/planted_merges.py [--json] [--models minilm minilm-torch wordllama tfidf]

Each planted set (see planted.py) is audited; a cell is right when exactly the expected input findings are found, with the
expected cause, on exactly the planted rows. The last column holds the proved ceiling against what really trained models
reached on the pairs (results/finetune_truth.jsonl, made by finetune_truth.py): a pair with equal input and both rows
right in one run would be a bug.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from planted import Planted, planted_tasks

from presheaf.audits.result import Audit, RowGroup
from presheaf.audits.run import audit
from presheaf.errors import PresheafError
from presheaf.models.cache import FeatureCache
from presheaf.models.registry import load_model
from presheaf.tables.task import Task

FAMILY = {
    "minilm": "uncased", "minilm-int8": "uncased", "minilm-torch": "uncased", "wordllama": "cased-static", "tfidf": "bag",
}  # fmt: skip
INPUT_CODES = ("IN01", "IN02", "IN03")


def task_of(planted: Planted) -> Task:
    """The planted set as a task; row numbers are positions plus one."""
    labels = np.array(planted.labels, dtype=np.int32)
    return Task(planted.texts, labels, planted.classes, np.arange(1, len(labels) + 1), name=planted.name)


def conflicts(result: Audit) -> dict[str, list[RowGroup]]:
    """Code to the merges of rows with different labels; merges that cost nothing are no part of what is planted."""
    out = {}
    for f in result.findings:
        groups = [g for g in f.groups if len(set(g.labels)) > 1]
        if f.code in INPUT_CODES and f.status == "found" and groups:
            out[f.code] = groups
    return out


def wrong(planted: Planted, family: str, result: Audit) -> str:
    """What differs from the known truth; "" when nothing does."""
    expected = planted.expected[family]
    got = conflicts(result)
    if set(got) != set(expected):
        return f"found {sorted(got) or 'nothing'}, expected {sorted(expected) or 'nothing'}"
    pairs = {p + 1 for pair in planted.pairs for p in pair}
    for code, cause in expected.items():
        for group in got[code]:
            if cause not in group.cause.split(", "):
                return f"{code} by {group.cause} on rows {group.rows}, expected {cause}"
        rows = {row for group in got[code] for row in group.rows}
        if rows != pairs:
            return f"{code} on {len(rows - pairs)} rows too many, {len(pairs - rows)} too few"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["minilm", "minilm-torch", "wordllama", "tfidf"])
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--cache", help="folder for features")
    arguments = parser.parse_args()
    cache, faults = FeatureCache(arguments.cache), 0
    if not arguments.json:
        print(f"{'planted set':<24} {'model':<14} {'found':<28} {'truth':<8} rows proved wrong, ceiling on the rows")
    for name in arguments.models:
        for planted in planted_tasks():
            try:
                result = audit(load_model(name), task_of(planted), cache=cache, baseline=False)
            except PresheafError as error:
                print(f"{planted.name}: {name} does not run: {error}", file=sys.stderr)
                break
            fault = wrong(planted, FAMILY[name], result)
            faults += bool(fault)
            bound = result.rung("input ceiling")
            if arguments.json:
                print(json.dumps({
                    "name": f"planted_{planted.name}_{name}", "value": 0 if fault else 1, "unit": "right", "peer": None,
                    "peer_value": None, "fault": fault, "rows_proved_wrong": bound.evidence["rows_proved_wrong"],
                }))  # fmt: skip
                continue
            causes = {code: sorted({g.cause for g in groups}) for code, groups in conflicts(result).items()}
            told = ", ".join(f"{code} ({'; '.join(named)})" for code, named in causes.items()) or "none"
            proved = bound.evidence["rows_proved_wrong"]
            print(f"{planted.name:<24} {name:<14} {told:<28} {fault or 'right':<8} "
                  f"{proved:>4} of {bound.rows}, {bound.evidence['ceiling_on_these_rows']:.3f}")  # fmt: skip
    runs, both, pairs = contradictions(Path(__file__).parent / "results" / "finetune_truth.jsonl")
    if arguments.json:
        print(json.dumps({"name": "planted_proofs_contradicted", "value": both, "unit": "pairs", "peer": "trained runs",
                          "peer_value": runs}))  # fmt: skip
    else:
        print(f"\n{faults} cells differ from the truth.")
        print(
            f"{runs} real fine-tuning runs on {pairs} pairs of equal input: both rows right in {both} cases (must be 0)."
        )
    return 1 if faults or both else 0


def contradictions(path: Path) -> tuple[int, int, int]:
    """Runs, pairs with equal input both right, and pairs looked at, from the records of finetune_truth.py."""
    runs = both = pairs = 0
    if not path.exists():
        return runs, both, pairs
    for line in path.read_text().splitlines():
        record = json.loads(line)
        if "both_right" in record:
            runs += 1
            pairs += int(record["equal"])
            both += int(record["both_right"])
    return runs, both, pairs


if __name__ == "__main__":
    sys.exit(main())
