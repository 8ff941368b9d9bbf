"""Rungs 7 and 8: what no weights can pass, and what no model can."""

from __future__ import annotations

from presheaf.audits.ceiling import Ceiling
from presheaf.audits.climb import Climb, absent
from presheaf.audits.merges import Merges
from presheaf.audits.numbers import number
from presheaf.audits.result import Rung

INPUT = "input ceiling"
LABELS = "label ceiling"


def _rung(name: str, bound: Ceiling, detail: str) -> Climb:
    """The number is the upper end, which is what is proved; the interval begins at the leave-one-out estimate."""
    return Climb(
        Rung(
            name,
            "proof",
            bound.high,
            bound.accuracy,
            bound.high,
            bound.rows,
            "nothing can pass it",
            detail,
            evidence={
                "leave_one_out": bound.accuracy,
                "rows_proved_wrong": bound.wrong_rows,
                "rows_with_a_twin": bound.merged_rows,
                "inputs_shared": bound.cells,
                "ceiling_on_these_rows": 1 - bound.wrong_rows / bound.rows,
            },
        )
    )


def input_ceiling(merges: Merges) -> Climb:
    """Rows that reach the network as the same input and carry different labels can't both be right (T0)."""
    bound = merges.input_ceiling
    if bound is None:
        return absent(INPUT, "proof", "the model's input can't be seen, so nothing can be proved about it")
    by_labels = merges.label_ceiling.wrong_rows
    detail = _proved(bound, "all weights")
    if bound.wrong_rows:
        detail += f"; {bound.wrong_rows - by_labels:,} of the wrong ones by what the model merges"
    return _rung(INPUT, bound, detail)


def label_ceiling(merges: Merges) -> Climb:
    """Identical raw rows labelled apart: the table contradicts itself, whatever the model."""
    if merges.context.task.objects is None:
        return absent(LABELS, "proof", "the table has no text and no images, so identical rows can't be seen")
    bound = merges.label_ceiling
    return _rung(LABELS, bound, _proved(bound, "any model"))


def _proved(bound: Ceiling, whom: str) -> str:
    if not bound.wrong_rows:
        return "no row is proved wrong"
    estimate = f"; leave-one-out estimate for new rows {number(bound.accuracy)}"
    return f"at least {bound.wrong_rows:,} of {bound.rows:,} rows wrong for {whom}{estimate}"
