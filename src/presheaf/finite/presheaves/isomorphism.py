"""When set-valued functors are isomorphic: an isomorphism or a reason, canonical forms, automorphisms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from math import log10

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Ints, frozen
from presheaf.finite.columns.budget import Budget, CancelCallback, Meter, Status, Stopped
from presheaf.finite.presheaves.labelling import Labelling, labelled
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.refine import Nodes, Wires
from presheaf.finite.presheaves.transformation import Transformation


def _labelling(t: SetFunctor, check: Callable[[], None]) -> Labelling:
    return labelled(Wires.elements(t), np.repeat(np.arange(len(t.sizes), dtype=np.int32), t.sizes), check)


def _settle(t: SetFunctor, budget: Budget | None, cancel: CancelCallback | None) -> Labelling:
    try:
        return _labelling(t, Meter(budget, cancel=cancel).check)
    except Stopped as stop:
        raise InputError(f"{stop.status}: {_undecided(budget)}") from None


def _undecided(budget: Budget | None) -> str:
    limit = f" within {budget.seconds} seconds" if budget is not None and budget.seconds is not None else ""
    return f"no answer{limit}; symmetric parts need a search, which a larger budget may finish."


def _parts(t: SetFunctor, values: Nodes) -> tuple[Ints, ...]:
    rows = [values[a:b] - a for a, b in zip(t.offsets[:-1], t.offsets[1:], strict=True)]
    return tuple(frozen(part.astype(np.int32)) for part in rows)


@dataclass(frozen=True, eq=False, repr=False)
class CanonicalForm:
    """A functor renumbered so that isomorphic functors become equal.

    Attributes
    ----------
    functor : the renumbered functor, on the same category with the same variance
    labelling : the isomorphism from the functor that was given to it
    """

    functor: SetFunctor
    labelling: Transformation

    @cached_property
    def digest(self) -> str:
        """SHA-256 of sizes and columns, as hexadecimal digits: equal for isomorphic functors on one category."""
        made = sha256(self.functor.sizes.tobytes())
        for column in self.functor.columns:
            made.update(column.tobytes())
        return made.hexdigest()

    def __repr__(self) -> str:
        return f"CanonicalForm({self.functor!r}, {self.digest[:12]})"


def _form(t: SetFunctor, labels: Labelling) -> CanonicalForm:
    parts = _parts(t, labels.rank)
    side = t.covariant.category
    columns = []
    for j, (a, b) in enumerate(zip(side.generator_dom.tolist(), side.generator_cod.tolist(), strict=True)):
        column = np.empty(len(t.columns[j]), dtype=np.int32)
        column[parts[a]] = parts[b][t.columns[j]]
        columns.append(frozen(column))
    made = t.like(t.sizes, columns)
    return CanonicalForm(made, Transformation.trusted(t, made, parts))


def canonical_form(
    t: SetFunctor, *, budget: Budget | None = None, cancel: CancelCallback | None = None
) -> CanonicalForm:
    """The functor with its rows in an order that does not depend on how they were numbered.

    Parameters
    ----------
    budget : only ``seconds`` is heeded
    cancel : called between steps; true stops

    Returns
    -------
    CanonicalForm: two functors on one category are isomorphic iff the columns of their forms are equal

    Raises
    ------
    InputError
        Budget exceeded or cancelled.

    Notes
    -----
    Partition refinement both ways along generators, then nested components, then, for pieces that are still
    symmetric, individualisation and refinement with automorphism pruning; pieces that look alike are searched once.
    Cost: O(rows x generators x log) for what refinement and components settle; exponential at worst in the symmetric
    rest (strongly regular graphs and the like).
    """
    return _form(t, _settle(t, budget, cancel))


@dataclass(frozen=True, eq=False, repr=False)
class Isomorphism:
    """Whether two functors are isomorphic; true or false in a condition when ``status`` is "complete".

    Attributes
    ----------
    status : "complete", "budget exceeded" or "cancelled"
    map : an isomorphism, or None
    why : one sentence: what differs first
    """

    status: Status
    map: Transformation | None
    why: str

    def __bool__(self) -> bool:
        if self.status != "complete":
            raise InputError(f"not decided ({self.status}): {self.why}")
        return self.map is not None

    def __repr__(self) -> str:
        return f"Isomorphism({self.status}: {self.why})"


def isomorphism(
    s: SetFunctor, t: SetFunctor, *, budget: Budget | None = None, cancel: CancelCallback | None = None
) -> Isomorphism:
    """An isomorphism between two functors on one category, or the first difference of invariants.

    Parameters
    ----------
    budget : only ``seconds`` is heeded
    cancel : called between steps; true stops

    Raises
    ------
    InputError
        The functors live on different categories or have different variance.

    Notes
    -----
    Sizes, then images of the generators, then canonical forms of both; cost: see ``canonical_form``.
    """
    if s.category is not t.category or s.variance != t.variance:
        raise InputError("both functors must live on the same category with the same variance.")
    quick = _first_difference(s, t)
    if quick:
        return Isomorphism("complete", None, quick)
    check = Meter(budget, cancel=cancel).check
    try:
        one, two = _labelling(s, check), _labelling(t, check)
    except Stopped as stop:
        return Isomorphism(stop.status, None, _undecided(budget))
    left, right = _form(s, one), _form(t, two)
    if all(np.array_equal(a, b) for a, b in zip(left.functor.columns, right.functor.columns, strict=True)):
        back = right.labelling.inverse()
        parts = tuple(frozen(b[a]) for a, b in zip(left.labelling.components, back.components, strict=True))
        return Isomorphism("complete", Transformation.trusted(s, t, parts), "isomorphic.")
    return Isomorphism("complete", None, _late_difference(s, one, two))


def _first_difference(s: SetFunctor, t: SetFunctor) -> str:
    names = s.category.objects
    wrong = np.flatnonzero(s.sizes != t.sizes)
    if len(wrong):
        c = int(wrong[0])
        return f"{names[c]} has {int(s.sizes[c])} elements on one side and {int(t.sizes[c])} on the other."
    heads = s.sizes[s.covariant.category.generator_cod].tolist()
    for name, size, one, two in zip(s.category.names, heads, s.columns, t.columns, strict=True):
        mine, theirs = (np.sort(np.bincount(column, minlength=size)) for column in (one, two))
        if not np.array_equal(mine, theirs):
            return f"generator {name} takes its values with different multiplicities."
    return ""


def _late_difference(s: SetFunctor, one: Labelling, two: Labelling) -> str:
    for name, a, b in zip(s.category.objects, s.offsets[:-1].tolist(), s.offsets[1:].tolist(), strict=True):
        mine, theirs = (np.sort(x.classes[a:b]) for x in (one, two))
        if not np.array_equal(mine, theirs):
            return (
                f"elements of {name} fall into {len(np.unique(mine))} classes of like surroundings on one side and "
                f"{len(np.unique(theirs))} on the other, or into classes of other sizes."
            )
    return "sizes, multiplicities and classes of like surroundings agree, but canonical forms differ."


class Automorphisms:
    """The automorphism group of a functor.

    Attributes
    ----------
    functor : SetFunctor
    count : int, how many automorphisms, exact
    orbits : one int32 array for each object; elements of one object are in one orbit iff their numbers are equal
    """

    def __init__(self, functor: SetFunctor, labels: Labelling) -> None:
        self.functor = functor
        self._labels = labels

    @cached_property
    def count(self) -> int:
        """How many automorphisms, exact."""
        return self._labels.automorphisms

    @cached_property
    def orbits(self) -> tuple[Ints, ...]:
        """Orbit numbers of the elements of each object, counted through all objects."""
        label, offsets = self._labels.orbits(), self.functor.offsets
        return tuple(frozen(label[a:b]) for a, b in pairwise(offsets.tolist()))

    def generators(self) -> Iterator[Transformation]:
        """Automorphisms that generate the group, made one by one; none for the trivial group."""
        t = self.functor
        for permutation in self._labels.generators():
            yield Transformation.trusted(t, t, _parts(t, permutation))

    def __repr__(self) -> str:
        many = self.count if self.count < 10**12 else f"about 10^{int(log10(self.count))}"
        return f"Automorphisms({self.functor!r}: {many})"


def automorphisms(
    t: SetFunctor, *, budget: Budget | None = None, cancel: CancelCallback | None = None
) -> Automorphisms:
    """The automorphism group: its order, its orbits, and automorphisms that generate it.

    To list all of them: ``transformations(t, t).iterate("iso")``. Parameters, errors and cost: see ``canonical_form``.
    """
    return Automorphisms(t, _settle(t, budget, cancel))
