"""From generators and path equations to a finite category with all its arrows, and back."""

from __future__ import annotations

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import Ints, Longs, spread, starts
from presheaf.finite.columns.budget import Budget, CancelCallback, ProgressCallback, Status
from presheaf.finite.columns.graph import forest
from presheaf.finite.presented.completion import Strategy
from presheaf.finite.presented.kan_left import LeftKan, left_kan
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path, Presentation

DEFAULT_ROWS = 50_000_000
"""Rows that ``from_presentation`` may hold when no budget is given: an infinite category then ends, too."""


class NotEnumerated(InputError):
    """The category of a presentation is not there: proved infinite, or the budget ran out, or it was cancelled.

    Attributes
    ----------
    status : "infinite", "budget exceeded" or "cancelled"
    limit : "rows", "seconds" or "bytes" where the budget ran out, else None
    weights : one integer a generator that proves the category infinite, else None; see ``growing_weights``
    """

    def __init__(self, message: str, status: Status, limit: str | None, weights: tuple[int, ...] | None) -> None:
        super().__init__(message)
        self.status: Status = status
        self.limit = limit
        self.weights = weights


def from_presentation(
    presentation: Presentation,
    *,
    budget: Budget | None = None,
    strategy: Strategy = "auto",
    progress: ProgressCallback | None = None,
    cancel: CancelCallback | None = None,
    compiled: bool = True,
) -> Category:
    """The category that generators and path equations present, all arrows tabled.

    Parameters
    ----------
    presentation : Presentation
    budget : default ``Budget(rows=DEFAULT_ROWS)``. Whether a presentation is finite is undecidable, so a limit is what
        makes every call end
    strategy, progress, cancel, compiled : see ``left_kan``

    Returns
    -------
    Category
        Its generators are those of the presentation, in order (some may be equal arrows, or identities). Arrows are
        numbered by length of their shortest word, identities first.

    Raises
    ------
    NotEnumerated
        An InputError whose ``status`` says why: proved infinite, budget exceeded, or cancelled.

    Notes
    -----
    All representables D(d, -) at once: the left Kan extension of the objects along their inclusion, one element at each
    object (completion after Todd and Coxeter, Carmody and Walters; a presentation without cycles is swept). Its columns
    are the steps to the right; the steps to the left are traced along words. Cost: that of the completion, then linear
    in arrows x generators.

    Examples
    --------
    >>> from_presentation(Presentation.monoid("e", ["e^2 = e"]))
    Category(1 object, 2 arrows; e: * -> *)
    """
    n = len(presentation.objects)
    points = Presentation(presentation.objects, ())
    done = left_kan(
        PresentationMap(points, presentation, tuple(range(n)), ()),
        [1] * n,
        [],
        strategy=strategy,
        budget=budget or Budget(rows=DEFAULT_ROWS),
        progress=progress,
        cancel=cancel,
        compiled=compiled,
    )
    if not done.complete:
        raise NotEnumerated(_ending(done, presentation), done.status, done.limit, done.weights)
    units = np.array([int(part[0]) for part in done.unit], dtype=np.int64)
    return _tabled(presentation, starts(done.sizes), done.columns, units)


def _tabled(presentation: Presentation, base: Longs, columns: tuple[Ints, ...], units: Longs) -> Category:
    """The category of all representables, given as columns of arrows by target; ``units`` are the identities."""
    n, total = len(presentation.objects), int(base[-1])
    ends = np.array([g[1:] for g in presentation.generators], dtype=np.int32).reshape(-1, 2)
    leaving = np.argsort(ends[:, 0], kind="stable")
    degree = np.bincount(ends[:, 0], minlength=n)
    end = np.repeat(np.arange(n, dtype=np.int32), np.diff(base))
    first, rank = starts(degree[end]), starts(degree)
    flat = np.empty(int(first[-1]), dtype=np.int32)
    for turn, j in enumerate(leaving.tolist()):
        a, b = ends[j].tolist()
        flat[first[base[a] : base[a + 1]] + turn - rank[a]] = columns[j] + base[b]
    wood = forest(first, flat, base[:-1] + units)
    new = np.empty(total, dtype=np.int32)
    new[wood.order] = np.arange(total, dtype=np.int32)
    # The representable in which an arrow was met is that of its source.
    dom = wood.roots()[wood.order]
    owner, slot = spread(degree[end[wood.order]])
    right = new[flat[first[wood.order[owner]] + slot]]
    letters = [int(base[b] + columns[j][units[a]]) for j, (a, b) in enumerate(ends.tolist())]
    generators = new[np.array(letters, dtype=np.int64)]
    return Category.from_steps(
        dom,
        end[wood.order],
        np.arange(n),
        generators,
        right,
        None,
        objects=presentation.objects,
        names=[g[0] for g in presentation.generators],
        check=False,
    )


def _ending(done: LeftKan, presentation: Presentation) -> str:
    if done.status == "infinite":
        weights = zip(presentation.generators, done.weights or (), strict=True)
        shown = ", ".join(f"{g[0]}: {w}" for g, w in weights if w)
        return (
            f"the category has infinitely many arrows: with the weights {shown} every equation balances, but some "
            "cycle doesn't. Work with the presentation instead, or add equations that bound its cycles."
        )
    if done.status == "cancelled":
        return "the enumeration of the category was cancelled."
    return (
        f"the category was not enumerated within the budget of {done.limit} ({done.counts.made:,} rows made in "
        f"{done.counts.seconds:.2f} s): it may be infinite, or need more. Raise the budget if it should be finite."
    )


def presentation_of(category: Category) -> Presentation:
    """Generators and equations that present a finite category.

    Returns
    -------
    Presentation
        Objects and generators as in the category, in order; a name that came before gets a number appended. The
        equations are ``Category.relations``.

    Notes
    -----
    ``from_presentation`` gives back a category with the same words, hence an isomorphic one. Cost: the total length of
    the equations.
    """
    words: dict[int, Path] = {}

    def word(x: int) -> Path:
        if x not in words:
            words[x] = category.word(x)
        return words[x]

    ends = zip(category.generator_dom.tolist(), category.generator_cod.tolist(), strict=True)
    arrows = tuple((name, a, b) for name, (a, b) in zip(_apart(category.names), ends, strict=True))
    x, j, y = (part.tolist() for part in category.relations)
    equations = tuple(((*word(a), g), word(b)) for a, g, b in zip(x, j, y, strict=True))
    return Presentation(_apart(category.objects), arrows, equations)


def _apart(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, numbers appended to those that came before."""
    taken, found = set(names), set[str]()
    out = []
    for name in names:
        new, i = name, 1
        while new in found or (new != name and new in taken):
            i += 1
            new = f"{name}_{i}"
        found.add(new)
        out.append(new)
    return tuple(out)
