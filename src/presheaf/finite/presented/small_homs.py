"""Whether a presented category's arrows are few enough, and its extensions large enough, for the coend formula."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from presheaf.finite.columns.budget import Budget
from presheaf.finite.presented.coend import Coend
from presheaf.finite.presented.completion import complete
from presheaf.finite.presented.presentation import Presentation
from presheaf.finite.presented.standard import Table

IntArray = NDArray[np.int32]
FEWEST_UNITS = 64
"""With fewer generating elements a completion is done before the arrows are listed."""
MOST_ARROWS = 5000
"""Most arrows out of an object that are listed."""


def small_homs(presentation: Presentation, units: IntArray, *, compiled: bool = True) -> dict[int, Table] | None:
    """D(s, -) for every object s that has a unit; None if there are few units, or many arrows, perhaps infinitely many.

    Notes
    -----
    Listing is itself a completion; it stops at four times as many rows as there are units.
    """
    if len(units) < FEWEST_UNITS:
        return None
    budget = Budget(rows=min(4 * MOST_ARROWS, 4 * len(units)))
    homs: dict[int, Table] = {}
    for s in np.unique(units).tolist():
        outcome = complete(presentation, [s], budget=budget, compiled=compiled)
        if outcome.table is None or int(outcome.table.sizes.sum()) > MOST_ARROWS:
            return None
        homs[s] = outcome.table
    return homs


def worth_it(way: Coend, presentation: Presentation, units: IntArray) -> bool:
    """Whether the coend is likely to be faster than a completion.

    It is where little merges: a result of at least half the pairs must be made either way. Else a completion makes about
    one row a unit and traces all equations there. To glue a pair took 24 ns and to trace a letter 14 ns where it was
    measured (reflexive and symmetric graphs with 300 000 arrows).
    """
    if 2 * way.edges <= way.nodes:
        return True
    letters = sum(len(u) + len(v) for u, v in presentation.equations) + len(presentation.generators)
    return 24 * (way.nodes + way.edges) <= 14 * letters * len(units)
