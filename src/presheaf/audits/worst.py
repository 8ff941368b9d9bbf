"""The held-out rows that every rung gets wrong, surest first, and why where it is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from presheaf.audits.climb import Climb
from presheaf.audits.context import Context
from presheaf.audits.merges import Merges
from presheaf.audits.result import WorstRow

SHOWN = 50


def worst_rows(context: Context, climbs: Sequence[Climb], merges: Merges) -> tuple[WorstRow, ...]:
    """Up to 50 held-out rows, by the number of rungs that get them wrong, then by how sure the last rung is.

    ``confidence`` is the margin of the highest rung between its answer and the row's label, as a share of the widest
    margin on the held-out rows (0 to 1).
    """
    usable = [c for c in climbs if c.correct is not None and c.scores is not None and c.predicted is not None]
    usable = [c for c in usable if c.positions is None]
    if not usable or not len(context.y_scoring):
        return ()
    wrong = np.sum([~c.correct for c in usable if c.correct is not None], axis=0)
    top = usable[-1]
    assert top.scores is not None
    assert top.predicted is not None
    rows = np.arange(len(wrong))
    margin = top.scores[rows, top.predicted] - top.scores[rows, context.y_scoring]
    widest = float(margin.max())
    confidence = margin / widest if widest > 0 else np.zeros(len(wrong))
    order = np.lexsort((context.task.rows[context.halves.scoring], -confidence, -wrong))
    order = order[wrong[order] > 0][:SHOWN]
    contradicted = merges.label_ceiling.conflicted
    merged = merges.input_ceiling.conflicted if merges.input_ceiling is not None else np.zeros(len(contradicted), bool)
    out = []
    for i in order:
        p = int(context.halves.scoring[i])
        cause = "contradictory labels" if contradicted[p] else "merged at the input" if merged[p] else ""
        out.append(
            WorstRow(
                int(context.task.rows[p]),
                context.task.classes[context.y_scoring[i]],
                context.task.classes[int(top.predicted[i])],
                int(wrong[i]),
                len(usable),
                round(float(confidence[i]), 6),
                context.task.objects[p] if context.task.objects is not None else "",
                cause,
            )
        )
    return tuple(out)
