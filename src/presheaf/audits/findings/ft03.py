"""FT03: the target is above what is provable to be reachable."""

from __future__ import annotations

from presheaf.audits.findings.base import Check, Evidence, plural
from presheaf.audits.numbers import number
from presheaf.audits.result import Finding


def _look(check: Check, evidence: Evidence) -> Finding:
    if evidence.target is None:
        return check.inapplicable("no target was given; name one with --target")
    bound, what = evidence.merges.input_ceiling, "rows that are one input to this model"
    if bound is None:
        bound, what = evidence.merges.label_ceiling, "identical rows labelled apart"
        if evidence.context.task.objects is None:
            return check.inapplicable("the model's input can't be seen, so nothing is provable about it.")
    counted = 1 - bound.wrong_rows / bound.rows
    facts = {"ceiling": bound.accuracy, "high": bound.high, "wrong_rows": bound.wrong_rows, "rows": bound.rows}
    if evidence.target > counted:
        return check.found(
            f"on these {bound.rows:,} rows nothing can pass {number(counted)}: {plural(bound.wrong_rows, 'row')} must "
            f"be wrong whatever the weights are, because of {what}. On new rows the ceiling is {number(bound.accuracy)} "
            f"[{number(bound.low)}, {number(bound.high)}].",
            severity="error",
            remedy="see IN01, IN02, IN03 and LB01: take a model that sees the difference, or relabel",
            evidence=facts,
        )
    if evidence.target > bound.high:
        # The rows at hand allow the target; only the statistics of new ones do not.
        return check.found(
            f"on new rows the ceiling is {number(bound.accuracy)} [{number(bound.low)}, {number(bound.high)}], below "
            f"the target {number(evidence.target)}, because of {what}: equal inputs agree too seldom in their labels. On "
            f"these rows {number(counted)} can be reached by remembering them.",
            severity="error",
            kind="estimate",
            remedy="see IN01, IN02, IN03 and LB01: take a model that sees the difference, or relabel",
            evidence=facts,
        )
    return check.nothing(f"nothing proved stands between the model and the target ({number(counted)} on these rows).")


CHECK = Check("FT03", "Target above what is provable", "proof", _look)
